//! Many BMCs at once: our client against `ipmipower` and `ipmitool`, and the simulator's memory against `ipmi_sim`'s.

use anyhow::{Context, Result, ensure};
use std::{fs, net::Ipv4Addr, process::Command, thread, time::Duration};

use super::{
    Better, Bound, Figure,
    fleet::{PASSWORD, Programs, Running, addresses, memory_kb, roomy, simulator, timed, value},
    median,
};
use crate::workspace::Workspace;

const COUNT: u32 = 1000;
const FIRST: Ipv4Addr = Ipv4Addr::new(127, 77, 0, 1);
const ROUNDS: usize = 5;
/// `ipmitool` processes, one after another.
const SINGLE: usize = 30;
/// How long polling is watched.
const POLLING: &str = "60";
const MANY: u32 = 5000;
const MANY_FIRST: Ipv4Addr = Ipv4Addr::new(127, 80, 0, 1);
const IPMI_SIMS: u16 = 10;

pub(crate) fn run(workspace: &Workspace) -> Result<(Vec<Figure>, Vec<Bound>)> {
    let programs = Programs::build(workspace)?;
    let mut figures = Vec::new();
    let mut bounds = Vec::new();
    let sim = simulator(&programs, FIRST, COUNT)?;
    sweeps(&programs, &mut figures)?;
    single(&programs, &mut figures)?;
    polling(&programs, &mut bounds)?;
    drop(sim);
    memory(&programs, &mut figures, &mut bounds)?;
    Ok((figures, bounds))
}

fn ours(programs: &Programs, words: &[&str]) -> Command {
    let mut command = roomy(&programs.sweep);
    command.args([FIRST.to_string(), COUNT.to_string()]).args(words).env("IPMI_PASSWORD", PASSWORD);
    command
}

/// Everybody's power state, with a session of its own and on the sessions that are there.
fn sweeps(programs: &Programs, figures: &mut Vec<Figure>) -> Result<()> {
    let mut ipmipower = roomy("ipmipower");
    let hosts = addresses(FIRST, COUNT).join(",");
    ipmipower.args(["-D", "LAN_2_0", "-I", "17", "-s", "-u", "admin", "-p", PASSWORD, "-h", &hosts]);
    let (mut our_times, mut their_times, mut warm) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (times, said) = timed(&ours(programs, &["once"]))?;
        ensure!(value(&said, "answered")? == f64::from(COUNT), "ours: {said}");
        our_times.push(times);
        let (times, said) = timed(&ipmipower)?;
        let answered = said.lines().filter(|line| line.ends_with(": off")).count();
        ensure!(answered == COUNT as usize, "ipmipower: {answered} answered");
        their_times.push(times);
        let (_, said) = timed(&ours(programs, &["warm"]))?;
        ensure!(value(&said, "answered")? == f64::from(COUNT), "ours: {said}");
        warm.push(value(&said, "warm_ms")? / 1e3);
    }
    let peer = "ipmipower -s";
    let mut compare = |name: String, ours: Vec<f64>, theirs: Vec<f64>| -> Result<()> {
        let ours = median(ours).context("nothing measured")?;
        figures.push(Figure { name, ours, unit: "s", peer: peer.to_owned(), theirs: median(theirs), better: Better::Lower });
        Ok(())
    };
    let wall = |times: &[super::fleet::Times]| times.iter().map(|times| times.wall).collect::<Vec<_>>();
    let processor = |times: &[super::fleet::Times]| times.iter().map(|times| times.processor).collect::<Vec<_>>();
    compare(format!("cold sweep of {COUNT} BMCs, a process, wall"), wall(&our_times), wall(&their_times))?;
    compare(format!("cold sweep of {COUNT} BMCs, a process, processor"), processor(&our_times), processor(&their_times))?;
    compare(format!("warm sweep of {COUNT} BMCs, wall"), warm, wall(&their_times))
}

/// One BMC, a session of its own.
fn single(programs: &Programs, figures: &mut Vec<Figure>) -> Result<()> {
    let mut latency = Command::new(&programs.latency);
    latency.args([format!("{FIRST}:623"), "admin".to_owned(), "200".to_owned()]).env("IPMI_PASSWORD", PASSWORD);
    let mut ipmitool = Command::new("ipmitool");
    ipmitool.args(["-I", "lanplus", "-C", "17", "-H", &FIRST.to_string(), "-U", "admin", "-P", PASSWORD, "power", "status"]);
    let (_, said) = timed(&latency)?;
    let mut theirs = Vec::new();
    for _ in 0..SINGLE {
        let (times, said) = timed(&ipmitool)?;
        ensure!(said.contains("Chassis Power is off"), "ipmitool: {said}");
        theirs.push(times.wall * 1e3);
    }
    let (name, peer) = ("one power status, cold".to_owned(), "ipmitool".to_owned());
    let ours = value(&said, "fresh")? / 1e3;
    figures.push(Figure { name, ours, unit: "ms", peer, theirs: median(theirs), better: Better::Lower });
    Ok(())
}

fn polling(programs: &Programs, bounds: &mut Vec<Bound>) -> Result<()> {
    let (_, said) = timed(&ours(programs, &["poll", POLLING]))?;
    let asked = value(&said, "asked")?;
    let bound =
        |what: &str, ours, unit, most| Bound { name: format!("polling {COUNT} BMCs every 10 s for {POLLING} s, {what}"), ours, unit, most };
    bounds.push(bound(&format!("lost of {asked}"), value(&said, "lost")?, "", 0.0));
    bounds.push(bound("of one processor", value(&said, "processor_percent")?, "%", 5.0));
    bounds.push(bound("memory of a session", value(&said, "session_kb")?, "kB", 20.0));
    Ok(())
}

/// Simulators that nobody talks to.
fn memory(programs: &Programs, figures: &mut Vec<Figure>, bounds: &mut Vec<Bound>) -> Result<()> {
    let sim = simulator(programs, MANY_FIRST, MANY)?;
    let ours = sim.memory_kb()? / f64::from(MANY);
    drop(sim);
    let folder = tempfile::tempdir()?;
    let mut sims = Vec::new();
    for i in 0..IPMI_SIMS {
        sims.push(ipmi_sim(&folder.path().join(i.to_string()), 47_623 + i)?);
    }
    thread::sleep(Duration::from_secs(1));
    let theirs: f64 = sims.iter().map(|sim| memory_kb(sim.0.id())).collect::<Result<Vec<_>>>()?.iter().sum();
    let name = format!("simulator, memory of each of {MANY} BMCs in one process");
    let theirs = Some(theirs / f64::from(IPMI_SIMS));
    figures.push(Figure { name: name.clone(), ours, unit: "kB", peer: "ipmi_sim".to_owned(), theirs, better: Better::Lower });
    bounds.push(Bound { name, ours, unit: "kB", most: 50.0 });
    Ok(())
}

fn ipmi_sim(folder: &std::path::Path, port: u16) -> Result<Running> {
    fs::create_dir_all(folder.join("state"))?;
    let emulation = "mc_setbmc 0x20\nmc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr\nmc_enable 0x20\n";
    fs::write(folder.join("bmc.emu"), emulation)?;
    let levels = ["callback", "user", "operator", "admin"].map(|who| format!("allowed_auths_{who} none md2 md5 straight\n")).concat();
    let lan = format!("startlan 1\naddr 127.0.0.1 {port}\npriv_limit admin\n{levels}guid a1a1a1a1a1a1a1a1{port:016x}\nendlan\n");
    let user = format!("user 2 true \"admin\" \"{PASSWORD}\" admin 20 none md2 md5 straight\n");
    fs::write(folder.join("lan.conf"), format!("name \"b{port}\"\nset_working_mc 0x20\n{lan}{user}"))?;
    let mut command = Command::new("ipmi_sim");
    command.arg("-n").arg("-c").arg(folder.join("lan.conf")).arg("-f").arg(folder.join("bmc.emu")).arg("-s").arg(folder.join("state"));
    let null = std::process::Stdio::null;
    Ok(Running(command.stdin(null()).stdout(null()).stderr(null()).spawn().context("ipmi_sim")?))
}
