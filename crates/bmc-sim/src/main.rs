//! `bmc-sim`: a lab of simulated machines on the command line.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use bmc_sim::{
    CartridgeConfig, Control, Lab, LabConfig, MachineConfig, Privilege, User,
    machine::{Firmware, MacAddress, timing::Timing},
};
use clap::Parser;
use ipmi_wire::bridge::Route;
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::UnixListener,
    signal::unix::{SignalKind, signal},
};
use tracing_subscriber::EnvFilter;

/// Simulated BMCs and the machines behind them.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// A TOML file with [[machines]]; without it, --count machines are made.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Machines to make.
    #[arg(long, default_value_t = 4, conflicts_with = "config")]
    count: u16,
    /// Address the BMCs listen on.
    #[arg(long, default_value_t = Ipv4Addr::LOCALHOST.into())]
    address: IpAddr,
    /// Port of the first BMC; the others follow. 0 takes free ones.
    #[arg(long, default_value_t = 6230)]
    base_port: u16,
    /// Every BMC on an address of its own, counted up from --address, all on --base-port: for clients that know no
    /// port but 623.
    #[arg(long)]
    spread: bool,
    /// BMC user, with administrator rights.
    #[arg(long, default_value = "admin")]
    user: String,
    /// Its password.
    #[arg(long, env = "BMC_SIM_PASSWORD", default_value = "simulated", hide_env_values = true)]
    password: String,
    /// TFTP server the machines boot from.
    #[arg(long, default_value = "127.0.0.1:69")]
    tftp: SocketAddr,
    /// Firmware of the machines: bios, uefi-x64, uefi-arm64, or mixed.
    #[arg(long, default_value = "mixed")]
    firmware: String,
    /// HP Moonshot cartridges behind every BMC: 1 is reached by `-B 0 -T 0x82 -b 7 -t 0x72`, the next by `-T 0x84`.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=60))]
    cartridges: u8,
    /// Commands from a Unix socket made here, or from standard input (-): `NAME faults loss=0.05`, `NAME power on`,
    /// `* restart-bmc`, `list`, …; see the README.
    #[arg(long, value_name = "PATH|-")]
    control: Option<PathBuf>,
    /// No pauses: for tests and load.
    #[arg(long)]
    instant: bool,
}

impl Arguments {
    fn lab(&self) -> anyhow::Result<LabConfig> {
        if let Some(path) = &self.config {
            let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
            return toml::from_str(&text).with_context(|| format!("in {}", path.display()));
        }
        let machines = (0..self.count).map(|i| self.machine(i)).collect::<anyhow::Result<_>>()?;
        Ok(LabConfig { machines })
    }

    fn bmc(&self, i: u16) -> anyhow::Result<SocketAddr> {
        let no_room = || format!("--address and --base-port leave no room for {} BMCs", self.count);
        Ok(match (self.address, self.base_port) {
            (IpAddr::V4(first), port) if self.spread => {
                let address = first.to_bits().checked_add(i.into()).with_context(no_room)?;
                (Ipv4Addr::from_bits(address), port).into()
            }
            (IpAddr::V6(first), port) if self.spread => {
                let address = first.to_bits().checked_add(i.into()).with_context(no_room)?;
                (Ipv6Addr::from_bits(address), port).into()
            }
            (address, 0) => (address, 0).into(),
            (address, first) => (address, first.checked_add(i).with_context(no_room)?).into(),
        })
    }

    fn machine(&self, i: u16) -> anyhow::Result<MachineConfig> {
        let firmware = match (self.firmware.as_str(), i % 3) {
            ("bios", _) | ("mixed", 0) => Firmware::Bios,
            ("uefi-x64", _) | ("mixed", 1) => Firmware::UefiX64,
            ("uefi-arm64", _) | ("mixed", _) => Firmware::UefiArm64,
            (other, _) => bail!("--firmware {other}: bios, uefi-x64, uefi-arm64 or mixed"),
        };
        let [high, low] = i.to_be_bytes();
        let mac = MacAddress([0x52, 0x54, 0x00, 0x5b, high, low]);
        let users = vec![User::new(&self.user, &self.password, Privilege::Administrator)];
        let mut machine = MachineConfig::new(&format!("sim-{}", i + 1), mac, firmware, self.tftp, users);
        machine.bmc_addr = self.bmc(i)?;
        machine.seed = i.into();
        let cartridge = |n| CartridgeConfig::moonshot(&format!("{}-c{n}", machine.name), n, MacAddress([0x52, 0x54, 0x01, high, low, n]));
        machine.cartridges = (1..=self.cartridges).map(cartridge).collect();
        if self.instant {
            machine.timing = Timing::instant();
        }
        Ok(machine)
    }
}

/// A listening socket, gone from the file system when dropped.
struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    fn bind(path: &Path) -> anyhow::Result<Self> {
        let listener = UnixListener::bind(path).with_context(|| format!("cannot listen on {}", path.display()))?;
        Ok(Self { listener, path: path.to_owned() })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // somebody may have tidied up before
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Serves scripts; comes back only with an error.
async fn serve(socket: Option<&Socket>, control: &Control) -> anyhow::Error {
    let Some(socket) = socket else { return std::future::pending().await };
    loop {
        match socket.listener.accept().await {
            Ok((stream, _)) => {
                let (input, output) = stream.into_split();
                tokio::spawn(obey(control.clone(), input, output));
            }
            Err(error) => return anyhow::Error::new(error).context("the control socket"),
        }
    }
}

/// Executes lines until their end; each is answered by what it has to show, and `ok` or `error: …`.
async fn obey(control: Control, input: impl AsyncRead + Unpin, mut output: impl AsyncWrite + Unpin) {
    let mut lines = BufReader::new(input).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if output.write_all(answer(&control, &line).as_bytes()).await.is_err() {
            return;
        }
    }
}

fn answer(control: &Control, line: &str) -> String {
    match control.execute(line) {
        Ok(shown) => format!("{shown}ok\n"),
        Err(error) => format!("error: {error}\n"),
    }
}

/// A route as `ipmitool` is told it.
struct Options(Route);

impl fmt::Display for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Route::Direct => Ok(()),
            Route::Single(target) => write!(f, "-b {} -t {:#04x}", target.channel, target.address),
            Route::Double { transit, target } => {
                write!(f, "-B {} -T {:#04x} -b {} -t {:#04x}", transit.channel, transit.address, target.channel, target.address)
            }
        }
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // every BMC has a socket; what the system allows at most is what thousands of them need
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).context("the limit of open files")?;
    tracing_subscriber::fmt().with_env_filter(EnvFilter::from_default_env()).with_writer(std::io::stderr).init();
    let arguments = Arguments::parse();
    let mut lab = Lab::start(arguments.lab()?).await.context("the lab does not start (for many BMCs raise `ulimit -n`)")?;
    for machine in lab.machines() {
        println!("{} bmc={} mac={}", machine.name(), machine.bmc_addr(), machine.mac());
        for cartridge in machine.cartridges() {
            println!("{} bmc={} mac={} {}", cartridge.name(), cartridge.bmc_addr(), cartridge.mac(), Options(cartridge.route()));
        }
    }
    let control = Control::new(&lab);
    // before "ready", so that whoever waits for that may connect
    let listener = match arguments.control.as_deref() {
        None => None,
        Some(path) if path.as_os_str() == "-" => {
            let control = control.clone();
            // a thread, because reading a terminal cannot be taken back
            std::thread::spawn(move || {
                for line in std::io::stdin().lines().map_while(Result::ok) {
                    print!("{}", answer(&control, &line));
                }
            });
            None
        }
        Some(path) => Some(Socket::bind(path)?),
    };
    println!("{} machines are ready", lab.machines().len());
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        () = lab.failed() => bail!("a machine died"),
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
        error = serve(listener.as_ref(), &control) => return Err(error),
    }
    lab.shutdown().await;
    Ok(())
}
