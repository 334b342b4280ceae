//! `cargo xtask test`: every part runs, then all are summed up.

use anyhow::{Result, bail};
use clap::ValueEnum;
use std::time::Instant;

use crate::{
    browser_tests, fuzz, interop, process, schema, setup, sqlx,
    web::{self, Profile},
    workspace::Workspace,
};

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(crate) enum Part {
    /// Formatting
    Fmt,
    /// What the browser downloads. Early: a server compiled before it would be compiled again
    Web,
    /// Lints, for the server's side and for the browser's
    Clippy,
    /// The committed SQL caches against live databases
    Sqlx,
    /// Unit and integration tests of all crates, but for the API's
    Unit,
    /// The API over HTTP, on SQLite and on PostgreSQL, and what the original's own tests ask of it
    Api,
    /// The API against its own description, by schemathesis
    Schema,
    /// Our IPMI client and simulator against everybody else's
    Interop,
    /// Every fuzz target for half a minute
    Fuzz,
    /// The server in a real browser
    E2e,
    /// Real firmware in a network namespace
    Lab,
}

/// What a part counted.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    passed: usize,
    failed: usize,
    /// The closing line of the runner that counted.
    summary: Option<String>,
}

impl Outcome {
    /// Reads the last `N passed, N failed`. A runner that failed without such a line, or counts no failure
    /// although it failed, counts as one failure.
    pub(crate) fn from_closing_line(success: bool, lines: &[String]) -> Self {
        let counts = lines.iter().rev().find_map(|line| {
            let (passed, failed) = line.strip_suffix(" failed")?.split_once(" passed, ")?;
            Some((passed.parse().ok()?, failed.parse().ok()?))
        });
        let (passed, failed): (usize, usize) = counts.unwrap_or_default();
        // Nothing passed and nothing failed: it tested nothing.
        let bad = !success || (passed == 0 && failed == 0);
        Self { passed, failed: if bad { failed.max(1) } else { failed }, summary: None }
    }

    /// What was counted without a runner.
    pub(crate) fn counted(passed: usize, failed: usize) -> Self {
        Self { passed, failed, summary: None }
    }

    pub(crate) fn into_result(self) -> Result<()> {
        if self.failed > 0 {
            bail!("{} passed, {} failed", self.passed, self.failed);
        }
        Ok(())
    }

    /// A part that is one check and counts no tests.
    fn check(result: Result<()>) -> Result<Self> {
        result.map(|()| Self::default())
    }
}

pub(crate) fn run(workspace: &Workspace, chosen: &[Part]) -> Result<()> {
    let parts: Vec<Part> = Part::value_variants().iter().copied().filter(|part| chosen.is_empty() || chosen.contains(part)).collect();
    let mut total = Outcome::default();
    let mut table = Vec::new();
    let mut summaries = Vec::new();
    for part in parts {
        eprintln!("==== {part:?}");
        let start = Instant::now();
        let outcome = perform(workspace, part).unwrap_or_else(|error| {
            eprintln!("xtask: {part:?}: {error:#}");
            Outcome { failed: 1, ..Outcome::default() }
        });
        let verdict = if outcome.failed == 0 { "ok" } else { "FAILED" };
        table.push(format!(
            "{:>8} {:>7.1} s  {verdict:6} {:>5} passed {:>3} failed",
            format!("{part:?}").to_lowercase(),
            start.elapsed().as_secs_f32(),
            outcome.passed,
            outcome.failed
        ));
        total.passed += outcome.passed;
        total.failed += outcome.failed;
        summaries.extend(outcome.summary);
    }
    // One stream for the end, so that its lines cannot change places.
    println!("\n{}", table.join("\n"));
    for summary in summaries {
        println!("{summary}");
    }
    println!("{} passed, {} failed", total.passed, total.failed);
    if total.failed > 0 {
        std::process::exit(1);
    }
    Ok(())
}

fn perform(workspace: &Workspace, part: Part) -> Result<Outcome> {
    match part {
        Part::Fmt => Outcome::check(process::run(workspace.cargo().args(["fmt", "--all", "--check"]))),
        Part::Web => Outcome::check(web::build(workspace, Profile::Release)),
        Part::Clippy => Outcome::check(clippy(workspace)),
        Part::Sqlx => Outcome::check(sqlx::run(workspace, true)),
        Part::Unit => unit(workspace),
        Part::Api => api(workspace),
        Part::Schema => schema::run(workspace, &[]),
        Part::Interop => interop::run(workspace),
        Part::Fuzz => fuzz::run(workspace, fuzz::SECONDS, &[]),
        Part::E2e => browser_tests::end_to_end(workspace, &[]),
        Part::Lab => browser_tests::lab(workspace, &[]),
    }
}

fn clippy(workspace: &Workspace) -> Result<()> {
    // Two calls, see the root Cargo.toml: together the features of both sides would be unified. Natively the
    // browser's bindings are stubs, so this needs no wasm target.
    for package in [&[][..], &["--package", "frontend"]] {
        process::run(workspace.cargo().args(["clippy", "--locked", "--all-targets"]).args(package).args(["--", "-D", "warnings"]))?;
    }
    Ok(())
}

fn unit(workspace: &Workspace) -> Result<Outcome> {
    setup::packages(setup::UNIT)?;
    if setup::nextest(workspace) {
        // the API's tests are a part of their own
        let arguments = ["nextest", "run", "--locked", "--no-fail-fast", "-E", "not binary(api)"];
        let (success, lines) = process::watch(workspace.cargo().args(arguments))?;
        let mut outcome = nextest_outcome(success, &lines);
        // nextest does not run the examples in documentation.
        let (success, lines) = process::watch(workspace.cargo().args(["test", "--locked", "--doc", "--no-fail-fast"]))?;
        let examples = libtest_outcome(success, &lines);
        outcome.passed += examples.passed;
        outcome.failed += examples.failed;
        return Ok(outcome);
    }
    // cargo's own runner cannot leave one out: they are run here, too
    let (success, lines) = process::watch(workspace.cargo().args(["test", "--locked", "--no-fail-fast"]))?;
    Ok(libtest_outcome(success, &lines))
}

fn api(workspace: &Workspace) -> Result<Outcome> {
    setup::packages(setup::UNIT)?;
    let alone = ["--locked", "--no-fail-fast", "--test", "api"];
    if setup::nextest(workspace) {
        let (success, lines) = process::watch(workspace.cargo().args(["nextest", "run"]).args(alone))?;
        return Ok(nextest_outcome(success, &lines));
    }
    let (success, lines) = process::watch(workspace.cargo().arg("test").args(alone))?;
    Ok(libtest_outcome(success, &lines))
}

/// `Summary [ 1.2s] 12 tests run: 10 passed (1 slow), 1 failed, 1 timed out, 0 skipped`
fn nextest_outcome(success: bool, lines: &[String]) -> Outcome {
    let summary = lines.iter().rev().find(|line| line.trim_start().starts_with("Summary ["));
    let counts = summary.and_then(|line| line.split_once(" run: ")).map(|(_, counts)| counts).unwrap_or_default();
    let mut outcome = Outcome { summary: summary.cloned(), ..Outcome::default() };
    for count in counts.split(", ") {
        let Some((number, what)) = count.split_once(' ') else { continue };
        let number = number.parse().unwrap_or(0);
        if what.starts_with("passed") {
            outcome.passed += number;
        } else if !what.starts_with("skipped") {
            // failed, exec failed, timed out
            outcome.failed += number;
        }
    }
    if !success {
        outcome.failed = outcome.failed.max(1);
    }
    outcome
}

/// The sum of `test result: ok. 3 passed; 0 failed; …` over all test executables.
fn libtest_outcome(success: bool, lines: &[String]) -> Outcome {
    let mut outcome = Outcome::default();
    for line in lines.iter().filter_map(|line| line.strip_prefix("test result: ")) {
        for count in line.split_once(". ").map(|(_, counts)| counts).unwrap_or_default().split("; ") {
            match count.split_once(' ') {
                Some((number, "passed")) => outcome.passed += number.parse().unwrap_or(0),
                Some((number, "failed")) => outcome.failed += number.parse().unwrap_or(0),
                _ => {}
            }
        }
    }
    if !success {
        outcome.failed = outcome.failed.max(1);
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn nextest_counts_every_kind_of_failure() {
        let said = lines(
            "     Summary [   1.234s] 14 tests run: 10 passed (1 slow), 2 failed, 1 exec failed, 1 timed out, 3 skipped\n        FAIL x",
        );
        let outcome = nextest_outcome(false, &said);
        assert_eq!((outcome.passed, outcome.failed), (10, 4));
    }

    #[test]
    fn a_runner_that_dies_before_its_summary_is_a_failure() {
        assert_eq!(nextest_outcome(false, &lines("error: could not compile")).failed, 1);
        assert_eq!(libtest_outcome(false, &[]).failed, 1);
        assert_eq!(Outcome::from_closing_line(false, &lines("3 passed, 0 failed")).failed, 1);
    }

    #[test]
    fn testing_nothing_is_a_failure() {
        assert_eq!(Outcome::from_closing_line(true, &lines("0 passed, 0 failed")).failed, 1);
        assert_eq!(Outcome::from_closing_line(true, &[]).failed, 1);
        assert_eq!(Outcome::from_closing_line(true, &lines("7 passed, 0 failed")), Outcome { passed: 7, failed: 0, summary: None });
    }

    #[test]
    fn libtest_results_are_summed() {
        let said = lines(
            "test result: ok. 3 passed; 0 failed; 0 ignored\nx\ntest result: FAILED. 1 passed; 2 failed; 0 ignored; finished in 0.1s",
        );
        let outcome = libtest_outcome(false, &said);
        assert_eq!((outcome.passed, outcome.failed), (4, 2));
    }
}
