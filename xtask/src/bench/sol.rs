//! Consoles: our client's against `ipmiconsole` on terminals of their own, and a thousand of them against `conmand`.

use anyhow::{Context, Result, bail, ensure};
use std::{
    fs::{self, File},
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener},
    path::Path,
    process::{ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use super::{
    Better, Bound, Figure,
    fleet::{PASSWORD, Programs, Running, addresses, roomy, timed, value},
    median,
};
use crate::workspace::Workspace;

const COUNT: u32 = 1000;
const FIRST: Ipv4Addr = Ipv4Addr::new(127, 78, 0, 1);
/// For measuring one at a time.
const SINGLE: Ipv4Addr = Ipv4Addr::new(127, 79, 0, 1);
const ROUNDS: usize = 3;
/// Keys typed in a round.
const KEYS: usize = 1000;
const PRINTED: usize = 1_000_000;
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn run(workspace: &Workspace) -> Result<(Vec<Figure>, Vec<Bound>)> {
    let programs = Programs::build(workspace)?;
    let mut figures = Vec::new();
    one_console(&programs, &mut figures)?;
    let _sim = echo(&programs, FIRST, COUNT)?;
    let bound = many_consoles(&programs, &mut figures)?;
    Ok((figures, vec![bound]))
}

/// BMCs whose serial ports answer at once.
fn echo(programs: &Programs, first: Ipv4Addr, count: u32) -> Result<Running> {
    let mut echo = roomy(&programs.echo);
    Running::until_ready(echo.args([&first.to_string(), &count.to_string(), PASSWORD]), "machines are ready")
}

/// A client's console on a terminal made by `script`.
struct Console {
    _running: Running,
    keyboard: ChildStdin,
    screen: Receiver<Vec<u8>>,
}

impl Console {
    fn start(line: &str, established: &str) -> Result<Self> {
        let mut script = Command::new("script");
        script.args(["-q", "-f", "-e", "-E", "never", "-c", &format!("exec {line}"), "/dev/null"]).env("IPMI_PASSWORD", PASSWORD);
        let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().context("script")?;
        let (keyboard, mut out) = (child.stdin.take().context("no pipe")?, child.stdout.take().context("no pipe")?);
        let (sender, screen) = channel();
        thread::spawn(move || {
            let mut buffer = [0; 65536];
            while let Ok(len @ 1..) = out.read(&mut buffer) {
                if sender.send(buffer[..len].to_vec()).is_err() {
                    return;
                }
            }
        });
        let mut console = Self { _running: Running(child), keyboard, screen };
        console.until(established.as_bytes())?;
        Ok(console)
    }

    fn send(&mut self, keys: &[u8]) -> Result<()> {
        self.keyboard.write_all(keys)?;
        Ok(self.keyboard.flush()?)
    }

    /// Reads until the text has come; answers how much came in all.
    fn until(&mut self, text: &[u8]) -> Result<usize> {
        let (mut tail, mut total) = (Vec::new(), 0);
        loop {
            let Ok(piece) = self.screen.recv_timeout(PATIENCE) else {
                bail!("{:?} did not come; last: {:?}", String::from_utf8_lossy(text), String::from_utf8_lossy(&tail))
            };
            total += piece.len();
            tail.extend_from_slice(&piece);
            if tail.windows(text.len()).any(|window| window == text) {
                return Ok(total);
            }
            // what a text could still begin in
            tail.drain(..tail.len().saturating_sub(200));
        }
    }

    /// Milliseconds from each key to its echo.
    fn echoes(&mut self) -> Result<Vec<f64>> {
        let mut took = Vec::with_capacity(KEYS);
        for i in 0..KEYS {
            // a letter no status line of a client has twice
            let key = [b'A' + (i % 26) as u8];
            let start = Instant::now();
            self.send(&key)?;
            self.until(&key)?;
            took.push(start.elapsed().as_secs_f64() * 1e3);
            thread::sleep(Duration::from_millis(1));
        }
        Ok(took)
    }

    /// MB/s the machine prints at.
    fn throughput(&mut self) -> Result<f64> {
        let start = Instant::now();
        self.send(format!("#{PRINTED}\r").as_bytes())?;
        let came = self.until(b"DONE")?;
        ensure!(came >= PRINTED, "{came} of {PRINTED} characters came");
        Ok(PRINTED as f64 / 1e6 / start.elapsed().as_secs_f64())
    }
}

fn one_console(programs: &Programs, figures: &mut Vec<Figure>) -> Result<()> {
    // a console that is killed leaves its session behind, so each has a BMC of its own
    let bmcs = addresses(SINGLE, 2 * ROUNDS as u32);
    let _sim = echo(programs, SINGLE, 2 * ROUNDS as u32)?;
    let mut medians = [Vec::new(), Vec::new()];
    let mut slowest = [Vec::new(), Vec::new()];
    let mut speeds = [Vec::new(), Vec::new()];
    for pair in bmcs.chunks_exact(2) {
        let lines = [
            (format!("{} -H {} -U admin sol", programs.ipmi.display(), pair[0]), "[SOL active"),
            (format!("ipmiconsole -h {} -u admin -p {PASSWORD} -I 17", pair[1]), "[SOL established]"),
        ];
        for (side, (line, established)) in lines.iter().enumerate() {
            let mut console = Console::start(line, established)?;
            // the rest of the line that says so
            thread::sleep(Duration::from_millis(300));
            while console.screen.try_recv().is_ok() {}
            let mut took = console.echoes()?;
            took.sort_by(f64::total_cmp);
            slowest[side].push(took[KEYS * 99 / 100]);
            medians[side].extend(median(took));
            match console.throughput() {
                Ok(speed) => speeds[side].push(speed),
                // unpaced, ipmiconsole may end with "internal error"
                Err(error) if side > 0 => println!("{}: {error:#}", line.split(' ').next().unwrap_or_default()),
                Err(error) => return Err(error),
            }
        }
    }
    let mut push = |name: &str, unit, [ours, theirs]: [Vec<f64>; 2], better| -> Result<()> {
        let ours = median(ours).context("nothing measured")?;
        figures.push(Figure { name: name.to_owned(), ours, unit, peer: "ipmiconsole".to_owned(), theirs: median(theirs), better });
        Ok(())
    };
    push("one console, echo of a key, median", "ms", medians, Better::Lower)?;
    push("one console, echo of a key, 99 of 100", "ms", slowest, Better::Lower)?;
    push("one console, 1 MB printed at once", "MB/s", speeds, Better::Higher)
}

fn many_consoles(programs: &Programs, figures: &mut Vec<Figure>) -> Result<Bound> {
    let mut ours = roomy(&programs.sweep);
    let (_, said) = timed(ours.args([&FIRST.to_string(), &COUNT.to_string(), "consoles"]).env("IPMI_PASSWORD", PASSWORD))?;
    ensure!(value(&said, "open")? == f64::from(COUNT) && value(&said, "echo")? == f64::from(COUNT), "ours: {said}");
    let ours = value(&said, "console_kb")?;
    let scratch = tempfile::tempdir()?;
    let theirs = conmand(scratch.path())?;
    let name = format!("{COUNT} consoles, memory of each");
    figures.push(Figure { name: name.clone(), ours, unit: "kB", peer: "conmand".to_owned(), theirs, better: Better::Lower });
    Ok(Bound { name, ours, unit: "kB", most: 100.0 })
}

/// kB for each console, when it has all of them.
fn conmand(scratch: &Path) -> Result<Option<f64>> {
    // in the foreground it logs to its standard streams
    let log = scratch.join("log");
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
    let mut configuration = format!("SERVER loopback=ON\nSERVER port={port}\n");
    configuration += &format!("GLOBAL ipmiopts=\"U:admin,P:{PASSWORD},C:17\"\n");
    for (i, address) in addresses(FIRST, COUNT).into_iter().enumerate() {
        configuration += &format!("CONSOLE name=\"c{i}\" dev=\"ipmi:{address}\"\n");
    }
    let file = scratch.join("conman.conf");
    fs::write(&file, configuration)?;
    let said = File::create(&log)?;
    let mut command = roomy("conmand");
    let child = command.args(["-F", "-c"]).arg(&file).stdin(Stdio::null()).stdout(said.try_clone()?).stderr(said).spawn();
    let running = Running(child.context("conmand")?);
    let start = Instant::now();
    let connected = || fs::read_to_string(&log).unwrap_or_default().lines().filter(|line| line.contains("connected to")).count();
    while connected() < COUNT as usize {
        if start.elapsed() > PATIENCE * 2 {
            println!("conmand has {} of {COUNT} consoles after {:?}", connected(), start.elapsed());
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(200));
    }
    thread::sleep(Duration::from_secs(1));
    Ok(Some(running.memory_kb()? / f64::from(COUNT)))
}
