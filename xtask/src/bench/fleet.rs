//! What the benches of many BMCs share: the simulator as a process, and the time and memory of others.

use anyhow::{Context, Result, bail, ensure};
use std::{
    io::{BufRead, BufReader},
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use crate::{process, workspace::Workspace};

pub(crate) const PASSWORD: &str = "bench-secret";

/// A descriptor for each BMC, and some more.
const DESCRIPTORS: &str = "--nofile=20000:20000";

/// Our programs, optimized.
pub(crate) struct Programs {
    pub(crate) sim: PathBuf,
    pub(crate) echo: PathBuf,
    pub(crate) sweep: PathBuf,
    pub(crate) latency: PathBuf,
    pub(crate) ipmi: PathBuf,
}

impl Programs {
    pub(crate) fn build(workspace: &Workspace) -> Result<Self> {
        ensure!(crate::setup::is_root(), "BMCs listen on port 623, and a thousand sockets need a higher limit: run this bench as root");
        let mut build = workspace.cargo();
        build.args(["build", "--release", "--locked"]);
        build.args(["ipmi-wire", "ipmi-client", "bmc-sim"].iter().flat_map(|package| ["--package", package]));
        build.args(["--bin", "bmc-sim"]);
        build.args(["echo", "sweep", "latency", "ipmi"].iter().flat_map(|example| ["--example", example]));
        process::run(&mut build)?;
        let release = workspace.target.join("release");
        let example = |name: &str| release.join("examples").join(name);
        let (echo, sweep, latency, ipmi) = (example("echo"), example("sweep"), example("latency"), example("ipmi"));
        Ok(Self { sim: release.join("bmc-sim"), echo, sweep, latency, ipmi })
    }
}

/// A command that may have many sockets.
pub(crate) fn roomy(program: impl AsRef<Path>) -> Command {
    let mut command = Command::new("prlimit");
    command.arg(DESCRIPTORS).arg(program.as_ref());
    command
}

/// A program that runs until dropped.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    /// Starts it and waits until it prints a line that contains `ready`.
    pub(crate) fn until_ready(command: &mut Command, ready: &str) -> Result<Self> {
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut running = Self(child.with_context(|| command.get_program().display().to_string())?);
        let lines = BufReader::new(running.0.stdout.take().context("no pipe")?);
        for line in lines.lines() {
            if line?.contains(ready) {
                return Ok(running);
            }
        }
        bail!("{} ended without being ready", command.get_program().display())
    }

    /// kB of memory that are its own, and its part of what it shares.
    pub(crate) fn memory_kb(&self) -> Result<f64> {
        memory_kb(self.0.id())
    }
}

pub(crate) fn memory_kb(pid: u32) -> Result<f64> {
    let map = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let line = map.lines().find_map(|line| line.strip_prefix("Pss:")).context("no Pss")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// `count` simulated BMCs, on port 623 of addresses from `first`.
pub(crate) fn simulator(programs: &Programs, first: Ipv4Addr, count: u32) -> Result<Running> {
    let mut command = roomy(&programs.sim);
    command.args(["--count", &count.to_string(), "--address", &first.to_string(), "--base-port", "623", "--spread", "--instant"]);
    Running::until_ready(command.env("BMC_SIM_PASSWORD", PASSWORD), "machines are ready")
}

pub(crate) fn addresses(first: Ipv4Addr, count: u32) -> Vec<String> {
    (0..count).map(|i| Ipv4Addr::from_bits(first.to_bits() + i).to_string()).collect()
}

/// Seconds of a process that ran to its end, by the clock and of processors.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    pub(crate) wall: f64,
    pub(crate) processor: f64,
}

/// Runs a command and takes its times; answers what it printed as well. bash measures: it is told what its child used.
pub(crate) fn timed(command: &Command) -> Result<(Times, String)> {
    let mut bash = Command::new("bash");
    bash.args(["-c", "TIMEFORMAT='%3R %3U %3S'; time \"$0\" \"$@\" 2>/dev/null"]).arg(command.get_program()).args(command.get_args());
    bash.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = bash.stdin(Stdio::null()).output().context("bash")?;
    let said = String::from_utf8_lossy(&output.stderr);
    let numbers: Vec<f64> = said.lines().last().unwrap_or_default().split(' ').filter_map(|number| number.parse().ok()).collect();
    let [wall, user, system] = numbers[..] else { bail!("bash did not tell the time: {said}") };
    Ok((Times { wall, processor: user + system }, String::from_utf8_lossy(&output.stdout).into_owned()))
}

/// The number after `name` on a line of its own.
pub(crate) fn value(said: &str, name: &str) -> Result<f64> {
    let line = said.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.and_then(|number| number.parse().ok()).with_context(|| format!("no {name} in {said:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_a_process_are_taken() {
        let mut command = Command::new("sh");
        let (times, said) = timed(command.args(["-c", "echo answered 7; echo no >&2; sleep 0.1"])).expect("bash");
        assert!(times.wall >= 0.1 && times.processor < times.wall, "{times:?}");
        assert_eq!(value(&said, "answered").ok(), Some(7.0));
        assert!(value(&said, "lost").is_err());
    }

    #[test]
    fn addresses_are_counted_up() {
        assert_eq!(addresses(Ipv4Addr::new(127, 0, 0, 255), 2), ["127.0.0.255", "127.0.1.0"]);
    }
}
