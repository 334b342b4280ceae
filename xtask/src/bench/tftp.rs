//! TFTP on loopback: our server against tftpd-hpa, dnsmasq and atftpd, fetched from by the same client.
//!
//! In lock step the figure depends more on whether client and server share a processor than on either program, so both are
//! tied down: to the first processor, or the client to the second where a line says so.

use anyhow::{Context, Result, bail, ensure};
use std::{
    env,
    fs::{self, File},
    io::{Read, Write},
    net::{SocketAddr, UdpSocket},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::{Better, Figure, median};
use crate::{process, workspace::Workspace};

const FILE: &str = "64mb";
const FILE_LEN: u64 = 64_000_000;
const SMALL_FILE: &str = "1mb";
const SMALL_LEN: u64 = 1_000_000;

/// Measurements of each pair; the middle one counts.
const ROUNDS: usize = 3;

/// A fetch that takes longer has failed: at the speed of the slowest that works it takes 14 s.
const FETCH_LIMIT: &str = "40";

/// Fetches at once in the last measurement.
const PARALLEL: usize = 50;

/// All servers are at addresses of their own: dnsmasq knows no other port than 69.
const OURS: &str = "127.0.77.1";
const HPA: &str = "127.0.77.2";
const DNSMASQ: &str = "127.0.77.3";
const ATFTPD: &str = "127.0.77.4";

/// Measures everything and prints it. Needs root, as the peers do, and the packages tftpd-hpa, dnsmasq-base, atftp and curl.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    ensure!(process::output(Command::new("id").arg("-u"))?.trim() == "0", "tftpd-hpa and dnsmasq only run as root: run this bench as root");
    process::run(workspace.cargo().args(["build", "--release", "--locked", "-p", "tftp", "--example", "serve"]))?;
    let scratch = tempfile::tempdir()?;
    let root = scratch.path().join("root");
    fs::create_dir(&root)?;
    // the peers read the files as other users
    process::run(Command::new("chmod").args(["-R", "a+rx"]).arg(scratch.path()))?;
    for (name, len) in [(FILE, FILE_LEN), (SMALL_FILE, SMALL_LEN)] {
        let mut file = File::create(root.join(name))?;
        std::io::copy(&mut File::open("/dev/urandom")?.take(len), &mut file)?;
        file.flush()?;
    }
    let ours = Server::ours(&workspace.target.join("release/examples/serve"), &root, scratch.path())?;
    let (hpa, dnsmasq, atftpd) = (Server::hpa(&root)?, Server::dnsmasq(&root)?, Server::atftpd(&root, scratch.path())?);
    let everybody = [&ours, &hpa, &dnsmasq, &atftpd];

    let mut figures = Vec::new();
    for blksize in [1428, 1468, 65464] {
        compare(&mut figures, &everybody, &Fetch { blksize, windowsize: 1, client: Client::Curl, processor: 0 })?;
    }
    // slow: every block waits for a processor that sleeps
    compare(&mut figures, &everybody, &Fetch { blksize: 1468, windowsize: 1, client: Client::Curl, processor: 1 })?;
    // only atftpd knows windows
    for blksize in [1428, 1468, 65464] {
        for windowsize in [1, 4, 16, 64] {
            compare(&mut figures, &[&ours, &atftpd], &Fetch { blksize, windowsize, client: Client::Atftp, processor: 0 })?;
        }
    }
    compare_crowds(&mut figures, &everybody)
}

/// One way to fetch the large file.
struct Fetch {
    blksize: u32,
    windowsize: u32,
    client: Client,
    /// The processor the client is tied to.
    processor: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Client {
    Curl,
    /// Knows windows, which curl does not.
    Atftp,
}

impl Fetch {
    fn name(&self) -> String {
        let client = if self.client == Client::Curl { "curl" } else { "atftp" };
        let place = if self.processor == 0 { "" } else { ", a processor each" };
        format!("tftp 64 MB, {client}, blksize {}, windowsize {}{place}", self.blksize, self.windowsize)
    }

    fn command(&self, server: SocketAddr, file: &str, to: &Path) -> Command {
        let mut command = Command::new("timeout");
        command.arg(FETCH_LIMIT).args(taskset(self.processor));
        match self.client {
            Client::Curl => {
                command
                    .args(["curl", "-s", "--tftp-blksize", &self.blksize.to_string(), "-o"])
                    .arg(to)
                    .arg(format!("tftp://{server}/{file}"));
            }
            Client::Atftp => {
                let options = [format!("blksize {}", self.blksize), format!("windowsize {}", self.windowsize)];
                command.args(["atftp", "--option", &options[0], "--option", &options[1], "-g", "-r", file, "-l"]).arg(to);
                command.args([server.ip().to_string(), server.port().to_string()]);
            }
        }
        command
    }

    /// Fetches once without looking at the time, and sees whether the whole file came.
    fn works(&self, server: &Server, scratch: &Path) -> bool {
        let to = scratch.join("fetched");
        let done = process::succeeds(&mut self.command(server.addr, FILE, &to));
        let whole = fs::metadata(&to).is_ok_and(|meta| meta.len() == FILE_LEN);
        let _ = fs::remove_file(&to);
        done && whole
    }

    /// MB/s, or nothing if it failed.
    fn measure(&self, server: &Server) -> Option<f64> {
        let mut command = self.command(server.addr, FILE, Path::new("/dev/null"));
        let start = Instant::now();
        process::succeeds(&mut command).then(|| FILE_LEN as f64 / 1e6 / start.elapsed().as_secs_f64())
    }
}

/// Measures `fetch` from all of `servers` in turn; the first one is ours.
fn compare(figures: &mut Vec<Figure>, servers: &[&Server], fetch: &Fetch) -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let mut speeds: Vec<Option<Vec<f64>>> = servers.iter().map(|server| fetch.works(server, scratch.path()).then(Vec::new)).collect();
    for _ in 0..ROUNDS {
        for (server, speeds) in servers.iter().zip(&mut speeds) {
            *speeds = speeds.take().and_then(|mut so_far| {
                so_far.push(fetch.measure(server)?);
                Some(so_far)
            });
        }
    }
    push(figures, &fetch.name(), "MB/s", Better::Higher, servers, speeds)
}

/// Many clients at once, as when a rack is switched on.
fn compare_crowds(figures: &mut Vec<Figure>, servers: &[&Server]) -> Result<()> {
    let fetch = Fetch { blksize: 1428, windowsize: 1, client: Client::Curl, processor: 1 };
    let mut times: Vec<Option<Vec<f64>>> = vec![Some(Vec::new()); servers.len()];
    for _ in 0..ROUNDS {
        for (server, times) in servers.iter().zip(&mut times) {
            let start = Instant::now();
            let mut clients = Vec::new();
            for _ in 0..PARALLEL {
                let mut command = fetch.command(server.addr, SMALL_FILE, Path::new("/dev/null"));
                clients.push(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().context("curl")?);
            }
            let mut all = true;
            for mut client in clients {
                all &= client.wait()?.success();
            }
            let took = start.elapsed().as_secs_f64();
            *times = times.take().filter(|_| all).map(|mut so_far| {
                so_far.push(took);
                so_far
            });
        }
    }
    push(figures, &format!("tftp {PARALLEL} x 1 MB at once, curl, blksize 1428"), "s", Better::Lower, servers, times)
}

fn push(
    figures: &mut Vec<Figure>,
    name: &str,
    unit: &'static str,
    better: Better,
    servers: &[&Server],
    measured: Vec<Option<Vec<f64>>>,
) -> Result<()> {
    let mut medians = measured.into_iter().map(|values| values.and_then(median));
    let ours = medians.next().flatten().with_context(|| format!("our own server failed: {name}"))?;
    let first = figures.len();
    for (server, theirs) in servers.iter().skip(1).zip(medians) {
        figures.push(Figure { name: name.to_owned(), ours, unit, peer: server.name.to_owned(), theirs, better });
    }
    // the whole takes minutes: what is known is shown
    super::print(&figures[first..]);
    Ok(())
}

/// Arguments that tie what follows to a processor; to the first where there is only one.
fn taskset(processor: usize) -> [String; 3] {
    let there = thread::available_parallelism().map_or(1, usize::from);
    ["taskset".to_owned(), "--cpu-list".to_owned(), processor.min(there - 1).to_string()]
}

/// A server that runs until dropped.
struct Server {
    name: &'static str,
    addr: SocketAddr,
    child: Child,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already; either way it is gone afterwards.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn ours(program: &Path, root: &Path, scratch: &Path) -> Result<Self> {
        let addr = free_port(OURS)?;
        let log = File::create(scratch.join("ours.log"))?;
        Self::start("ours", addr, Command::new("taskset").args(&taskset(0)[1..]).arg(program).arg(root).arg(addr.to_string()).stdout(log))
    }

    fn hpa(root: &Path) -> Result<Self> {
        let addr = free_port(HPA)?;
        let arguments = ["in.tftpd", "--listen", "--user", "root", "--address", &addr.to_string(), "--secure"];
        Self::start("tftpd-hpa", addr, Command::new("taskset").args(&taskset(0)[1..]).args(arguments).arg(root))
    }

    fn dnsmasq(root: &Path) -> Result<Self> {
        let addr = SocketAddr::new(DNSMASQ.parse()?, 69);
        let mut command = Command::new("taskset");
        command.args(&taskset(0)[1..]).args(["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--pid-file"]);
        command.args(["--user=root", "--bind-interfaces", &format!("--listen-address={DNSMASQ}"), "--tftp-max=200", "--enable-tftp"]);
        command.arg(format!("--tftp-root={}", root.display()));
        Self::start("dnsmasq", addr, &mut command)
    }

    fn atftpd(root: &Path, scratch: &Path) -> Result<Self> {
        let addr = free_port(ATFTPD)?;
        let mut command = Command::new("taskset");
        command.args(&taskset(0)[1..]).arg(find_atftpd(scratch)?).args(["--daemon", "--no-fork", "--user", "root.root"]);
        command.args(["--bind-address", ATFTPD, "--port", &addr.port().to_string()]).arg(root);
        Self::start("atftpd", addr, &mut command)
    }

    /// Starts it and waits until it serves.
    fn start(name: &'static str, addr: SocketAddr, command: &mut Command) -> Result<Self> {
        command.stdin(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        let mut server = Self { name, addr, child };
        let fetch = Fetch { blksize: 1428, windowsize: 1, client: Client::Curl, processor: 0 };
        for _ in 0..50 {
            if process::succeeds(&mut fetch.command(addr, SMALL_FILE, Path::new("/dev/null"))) {
                return Ok(server);
            }
            if let Some(status) = server.child.try_wait()? {
                bail!("{name} ended at once ({status}): is its package installed (tftpd-hpa, dnsmasq-base, curl)?");
            }
            thread::sleep(Duration::from_millis(100));
        }
        bail!("{name} does not serve {addr}");
    }
}

fn free_port(ip: &str) -> Result<SocketAddr> {
    Ok(UdpSocket::bind((ip, 0))?.local_addr()?)
}

/// The packages atftpd and tftpd-hpa exclude each other, so the former may have to be unpacked beside the latter.
fn find_atftpd(scratch: &Path) -> Result<PathBuf> {
    let folders: Vec<PathBuf> = env::split_paths(&env::var_os("PATH").unwrap_or_default()).chain(["/usr/sbin".into()]).collect();
    if let Some(installed) = folders.iter().map(|folder| folder.join("atftpd")).find(|path| path.is_file()) {
        return Ok(installed);
    }
    let folder = scratch.join("atftpd");
    fs::create_dir(&folder)?;
    process::output(Command::new("apt-get").args(["-q", "download", "atftpd"]).current_dir(&folder))?;
    let package = fs::read_dir(&folder)?.next().context("apt-get download atftpd left nothing")??.path();
    process::run(Command::new("dpkg").arg("-x").arg(package).arg(&folder))?;
    Ok(folder.join("usr/sbin/atftpd"))
}
