//! `cargo xtask fuzz`: the targets of `fuzz/`, each for some seconds, two at a time.

use anyhow::{Context, Result, bail};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Mutex,
    thread,
};

use crate::{process, setup, test::Outcome, workspace::Workspace};

/// What `cargo xtask test` gives each.
pub(crate) const SECONDS: u32 = 30;

/// At a time: what the smallest machine has processors.
const PARALLEL: usize = 2;

/// One answer takes microseconds; a target that takes so many seconds for an input has found something.
const INPUT_LIMIT: u32 = 10;

/// Runs the named targets, or all.
pub(crate) fn run(workspace: &Workspace, seconds: u32, chosen: &[String]) -> Result<Outcome> {
    let known = targets(&workspace.root.join("fuzz/targets"))?;
    if let Some(unknown) = chosen.iter().find(|name| !known.contains(name)) {
        bail!("no fuzz target {unknown}: one of {}", known.join(", "));
    }
    setup::packages(setup::FUZZ)?;
    setup::cargo_fuzz(workspace)?;
    let folder = workspace.target.join("fuzz");
    let host = host_triple(workspace)?;
    // Nothing under test is unsafe, so a sanitizer would find nothing that the checks of the language do not; without one every
    // compiler will do, and twice as many inputs are tried.
    let mut build = workspace.cargo();
    build.args(["fuzz", "build", "--fuzz-dir", "fuzz", "--sanitizer", "none", "--target", &host, "--target-dir"]).arg(&folder);
    process::run(&mut build)?;

    let queue: Mutex<Vec<&String>> = Mutex::new(known.iter().filter(|name| chosen.is_empty() || chosen.contains(name)).rev().collect());
    let target = |name: &str| Target {
        program: folder.join(&host).join("release").join(name),
        seeds: workspace.root.join("fuzz/seeds").join(name),
        corpus: folder.join("corpus").join(name),
        artifacts: folder.join("artifacts").join(name),
    };
    let (mut passed, mut failed) = (0, 0);
    thread::scope(|scope| -> Result<()> {
        let work = || -> Result<(usize, usize)> {
            let (mut passed, mut failed) = (0, 0);
            loop {
                let next = queue.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop();
                let Some(name) = next else { return Ok((passed, failed)) };
                let ran = target(name).run(seconds)?;
                println!("{name:>10} {seconds:>4} s  {:>11} inputs  {:>5} places reached  {}", ran.inputs, ran.coverage, ran.verdict());
                passed += usize::from(ran.failure.is_none());
                failed += usize::from(ran.failure.is_some());
            }
        };
        let workers: Vec<_> = (0..PARALLEL).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            let (p, f) = worker.join().unwrap_or_else(|_| bail!("a worker died"))?;
            (passed, failed) = (passed + p, failed + f);
        }
        Ok(())
    })?;
    println!("{passed} passed, {failed} failed");
    Ok(Outcome::counted(passed, failed))
}

/// Names of the files in `fuzz/targets`.
fn targets(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned));
        }
    }
    names.sort();
    Ok(names)
}

fn host_triple(workspace: &Workspace) -> Result<String> {
    let said = process::output(Command::new("rustc").current_dir(&workspace.root).arg("-vV"))?;
    said.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned).context("rustc -vV names no host")
}

struct Target {
    program: PathBuf,
    seeds: PathBuf,
    corpus: PathBuf,
    artifacts: PathBuf,
}

/// What one target came to.
#[derive(Debug, Default)]
struct Ran {
    inputs: u64,
    coverage: u64,
    /// The end of what the fuzzer said.
    failure: Option<String>,
}

impl Target {
    fn run(&self, seconds: u32) -> Result<Ran> {
        fs::create_dir_all(&self.corpus)?;
        fs::create_dir_all(&self.artifacts)?;
        let mut fuzzer = Command::new(&self.program);
        fuzzer.arg(format!("-max_total_time={seconds}")).arg(format!("-timeout={INPUT_LIMIT}")).arg("-rss_limit_mb=1024");
        fuzzer.arg("-print_final_stats=1").arg(format!("-artifact_prefix={}/", self.artifacts.display()));
        // the first folder gains what is found, the others are only read
        fuzzer.arg(&self.corpus).arg(&self.seeds);
        let said = fuzzer.stdin(Stdio::null()).output().with_context(|| self.program.display().to_string())?;
        let text = String::from_utf8_lossy(&said.stderr);
        let mut ran = read_statistics(&text);
        if !said.status.success() {
            let tail: Vec<_> = text.lines().rev().take(40).collect();
            ran.failure = Some(tail.into_iter().rev().collect::<Vec<_>>().join("\n"));
        }
        Ok(ran)
    }
}

impl Ran {
    fn verdict(&self) -> String {
        self.failure.as_ref().map_or_else(|| "ok".to_owned(), |said| format!("FAILED\n{said}"))
    }
}

/// `stat::number_of_executed_units: 12`, and the last `… cov: 34 …` before it.
fn read_statistics(said: &str) -> Ran {
    let mut ran = Ran::default();
    for line in said.lines() {
        if let Some(inputs) = line.strip_prefix("stat::number_of_executed_units:") {
            ran.inputs = inputs.trim().parse().unwrap_or(0);
        }
        if let Some((_, rest)) = line.split_once(" cov: ") {
            ran.coverage = rest.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(ran.coverage);
        }
    }
    ran
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_read() {
        let said = "#2\tINITED cov: 12 ft: 13\n#9\tDONE   cov: 345 ft: 1 corp: 2/3b\nstat::number_of_executed_units: 6789\n";
        let ran = read_statistics(said);
        assert_eq!((ran.inputs, ran.coverage), (6789, 345));
        assert_eq!(ran.verdict(), "ok");
    }

    #[test]
    fn every_target_is_built_and_has_seeds() {
        let fuzz = crate::workspace::root().expect("the checkout").join("fuzz");
        let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).expect("fuzz/Cargo.toml");
        let names = targets(&fuzz.join("targets")).expect("targets");
        assert!(!names.is_empty());
        for name in names {
            assert!(manifest.contains(&format!("path = \"targets/{name}.rs\"")), "{name} is not in fuzz/Cargo.toml");
            assert!(fs::read_dir(fuzz.join("seeds").join(&name)).is_ok_and(|mut seeds| seeds.next().is_some()), "{name} has no seeds");
        }
    }
}
