//! The BMCs our client is measured against: ours, and two that share no code with it.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use bmc_sim::machine::{Firmware, MacAddress, timing::Timing};
use bmc_sim::{BusAddress, CartridgeAddress, CartridgeConfig, ChassisFactory, Lab, LabConfig, Machine, MachineConfig, User};
use ipmi_client::{BootDevice, BootFlags, ChassisControl, CipherSuite, Client, Privilege, Secret, Target};
use tempfile::TempDir;

use crate::host::{Host, serial_server};
use crate::table::Row;

pub const PASSWORD: &str = "matrix-secret";
/// A controller on a bus the BMC reaches itself.
pub const NEAR: u8 = 0x30;

/// A simulated BMC, seen from the machine room.
pub trait Bmc {
    fn addr(&self) -> SocketAddr;
    /// What it takes of the suites.
    fn suite(&self) -> CipherSuite;
    /// What the host was told, one line each, in this simulator's words.
    fn log(&self) -> Vec<String>;
    /// What `log` gains by a command.
    fn words(&self, control: ChassisControl) -> Vec<&'static str>;
    /// What `log` gains by boot flags; `None` when it does not tell.
    fn boot_words(&self, flags: BootFlags) -> Option<String>;
    /// Whether controllers on its buses take chassis commands.
    fn has_chassis_behind(&self) -> bool {
        true
    }
    /// What it cannot, and why.
    fn cannot(&self, row: Row) -> Option<&'static str>;
    /// What a reader should know about a cell that passes.
    fn but(&self, row: Row) -> Option<&'static str>;
}

/// A free address of its own on port 623, which some clients know no other than.
fn own_address(number: u8) -> SocketAddr {
    let [.., high, low] = std::process::id().to_be_bytes();
    (Ipv4Addr::new(127, high, low, number), 623).into()
}

/// `bmc-sim`, with a chassis that writes down what it is told and two controllers behind it.
pub struct OurSim {
    pub lab: Lab,
    pub host: Host,
    suite: CipherSuite,
}

impl OurSim {
    /// `number` makes its address different from the others'.
    pub async fn start(number: u8, suites: &[CipherSuite]) -> Result<Self, String> {
        let users = vec![
            User::new("admin", PASSWORD, Privilege::Administrator),
            User::new("operator", PASSWORD, Privilege::Operator),
            User::new("user", PASSWORD, Privilege::User),
        ];
        let mac = |last| MacAddress([0x52, 0x54, 0, 0x79, number, last]);
        let nowhere = (Ipv4Addr::LOCALHOST, 9).into();
        let mut config = MachineConfig::new("host", mac(1), Firmware::Bios, nowhere, users);
        config.timing = Timing::instant();
        config.bmc_addr = own_address(number);
        config.suites = suites.to_vec();
        let mut near = CartridgeConfig::moonshot("near", 0, mac(2));
        near.at = CartridgeAddress { target: BusAddress { channel: 0, address: NEAR }, transit: None };
        config.cartridges = vec![near, CartridgeConfig::moonshot("cartridge", 1, mac(3))];
        config.cartridges.iter_mut().for_each(|cartridge| cartridge.installed = true);
        let host = Host::new();
        let wired = host.clone();
        config.chassis = Some(ChassisFactory(Arc::new(move |wiring| wired.wired(&wiring))));
        let lab = Lab::start(LabConfig { machines: vec![config] }).await.map_err(|error| error.to_string())?;
        Ok(Self { lab, host, suite: suites.iter().copied().max().unwrap_or(CipherSuite::Suite3) })
    }

    pub fn machine(&self) -> &Machine {
        &self.lab.machines()[0]
    }

    /// The one behind the bus, or behind two.
    pub fn cartridge(&self, row: Row) -> Option<Machine> {
        self.lab.machine(if row == Row::SingleBridge { "near" } else { "cartridge" }).cloned()
    }
}

impl Bmc for OurSim {
    fn addr(&self) -> SocketAddr {
        self.machine().bmc_addr()
    }

    fn suite(&self) -> CipherSuite {
        self.suite
    }

    fn log(&self) -> Vec<String> {
        self.host.log().iter().map(|control| format!("{control:?}")).collect()
    }

    fn words(&self, control: ChassisControl) -> Vec<&'static str> {
        vec![match control {
            ChassisControl::PowerUp => "PowerUp",
            ChassisControl::PowerDown => "PowerDown",
            ChassisControl::PowerCycle => "PowerCycle",
            ChassisControl::HardReset => "HardReset",
            _ => "SoftShutdown",
        }]
    }

    fn boot_words(&self, _flags: BootFlags) -> Option<String> {
        None
    }

    fn cannot(&self, _row: Row) -> Option<&'static str> {
        None
    }

    fn but(&self, _row: Row) -> Option<&'static str> {
        None
    }
}

/// A child process, ended with the value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Free now; the simulators cannot be told to choose.
fn free_port() -> std::io::Result<u16> {
    Ok(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn start(command: &mut Command) -> Result<Running, String> {
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    child.map(Running).map_err(|error| format!("{}: {error}", command.get_program().display()))
}

async fn until_it_answers(addr: SocketAddr) -> Result<(), String> {
    let client = Client::new(Target::new(addr, "admin", Secret::new(PASSWORD)));
    let mut last = String::new();
    for _ in 0..8 {
        match client.device_id().await {
            Ok(_) => return Ok(()),
            Err(error) => last = error.to_string(),
        }
    }
    Err(last)
}

fn lines(file: &Path) -> Vec<String> {
    fs::read_to_string(file).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// OpenIPMI's `ipmi_sim`.
pub struct IpmiSim {
    _child: Running,
    folder: TempDir,
    addr: SocketAddr,
}

/// Power and boot device in files beside the script, every command in a log.
const CHASSIS: &str = r#"#!/bin/sh
d=$(dirname "$0"); op=$1; shift
case $op in
get) for p; do case $p in
       power) echo "power:$(cat "$d/power" 2>/dev/null || echo 0)";;
       boot) echo "boot:$(cat "$d/boot" 2>/dev/null || echo none)";;
     esac; done;;
set) while [ $# -ge 2 ]; do
       echo "$1 $2" >> "$d/log"
       case $1 in
       power|boot) printf %s "$2" > "$d/$1";;
       shutdown) printf 0 > "$d/power";;
       esac
       shift 2
     done;;
esac
exit 0
"#;

const EMULATION: &str = "mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr
sel_enable 0x20 1000 0x0a
mc_enable 0x20
mc_add 0x30 2 no-device-sdrs 0x98 0x10 1 0xa0 0x1291 0xf03
mc_enable 0x30
";

impl IpmiSim {
    pub async fn start() -> Result<Self, String> {
        let serial = serial_server().await.map_err(|error| error.to_string())?;
        let (child, folder, addr) = Self::launch(serial).map_err(|error| format!("ipmi_sim: {error}"))?;
        until_it_answers(addr).await?;
        Ok(Self { _child: child, folder, addr })
    }

    fn launch(serial: u16) -> std::io::Result<(Running, TempDir, SocketAddr)> {
        let folder = tempfile::tempdir()?;
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("state"))?;
        fs::write(path("chassis.sh"), CHASSIS)?;
        fs::set_permissions(path("chassis.sh"), fs::Permissions::from_mode(0o755))?;
        fs::write(path("bmc.emu"), EMULATION)?;
        let port = free_port()?;
        let levels = ["callback", "user", "operator", "admin"];
        let levels = levels.map(|who| format!("    allowed_auths_{who} none md2 md5 straight\n")).concat();
        let configuration = format!(
            "name \"bmc\"\nset_working_mc 0x20\n  startlan 1\n    addr 127.0.0.1 {port}\n    priv_limit admin\n{levels}    guid \
             a1a1a1a1a1a1a1a1{port:016x}\n  endlan\n  chassis_control \"{}\"\n  sol \"telnet:127.0.0.1:{serial}\" 115200 history=8000\n  \
             user 2 true \"admin\" \"{PASSWORD}\" admin 20 none md2 md5 straight\n",
            path("chassis.sh").display(),
        );
        fs::write(path("lan.conf"), configuration)?;
        let mut command = Command::new("ipmi_sim");
        command.arg("-n").arg("-c").arg(path("lan.conf")).arg("-f").arg(path("bmc.emu")).arg("-s").arg(path("state"));
        let child = start(&mut command).map_err(std::io::Error::other)?;
        Ok((child, folder, (Ipv4Addr::LOCALHOST, port).into()))
    }
}

impl Bmc for IpmiSim {
    fn addr(&self) -> SocketAddr {
        self.addr
    }

    fn suite(&self) -> CipherSuite {
        CipherSuite::Suite3
    }

    fn log(&self) -> Vec<String> {
        lines(&self.folder.path().join("log"))
    }

    fn words(&self, control: ChassisControl) -> Vec<&'static str> {
        match control {
            ChassisControl::PowerUp => vec!["power 1"],
            ChassisControl::PowerDown => vec!["power 0"],
            ChassisControl::PowerCycle => vec!["power 0", "power 1"],
            ChassisControl::HardReset => vec!["reset 1"],
            _ => vec!["shutdown 1"],
        }
    }

    fn has_chassis_behind(&self) -> bool {
        false
    }

    fn boot_words(&self, flags: BootFlags) -> Option<String> {
        Some(format!("boot {}", if flags.device == BootDevice::Disk { "default" } else { crate::table::boot(flags.device) }))
    }

    fn cannot(&self, row: Row) -> Option<&'static str> {
        match row {
            Row::Boot(BootFlags { efi: true, .. } | BootFlags { persistent: true, .. }) => {
                Some("ipmi_sim accepts efiboot and persistent and does not store them")
            }
            Row::DoubleBridge => Some("ipmi_sim passes messages on over one bus only"),
            Row::LowPrivilege => Some("ipmi_sim does not hold sessions to their level"),
            _ => None,
        }
    }

    fn but(&self, row: Row) -> Option<&'static str> {
        (row == Row::SingleBridge)
            .then_some("ipmi_sim: Get Device ID only; it crashes on a chassis command to its second controller, from any client")
    }
}

/// pyghmi's server, with the script beside this file around it.
pub struct Pyghmi {
    _child: Running,
    log: PathBuf,
    _folder: TempDir,
    addr: SocketAddr,
}

/// The Python that has pyghmi.
pub fn python() -> Result<String, String> {
    std::env::var("PYGHMI_PYTHON").map_err(|_| "PYGHMI_PYTHON names no Python with pyghmi; `cargo xtask interop` makes one".to_owned())
}

impl Pyghmi {
    pub async fn start() -> Result<Self, String> {
        let serial = serial_server().await.map_err(|error| error.to_string())?;
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let log = folder.path().join("log");
        let port = free_port().map_err(|error| error.to_string())?;
        let mut command = Command::new(python()?);
        command.args(["-c", include_str!("server.py"), &port.to_string(), &serial.to_string(), PASSWORD]).arg(&log);
        let child = start(&mut command)?;
        let addr = (Ipv4Addr::LOCALHOST, port).into();
        until_it_answers(addr).await.map_err(|error| format!("pyghmi's server: {error}"))?;
        Ok(Self { _child: child, log, _folder: folder, addr })
    }
}

impl Bmc for Pyghmi {
    fn addr(&self) -> SocketAddr {
        self.addr
    }

    fn suite(&self) -> CipherSuite {
        CipherSuite::Suite3
    }

    fn log(&self) -> Vec<String> {
        lines(&self.log)
    }

    fn words(&self, control: ChassisControl) -> Vec<&'static str> {
        vec![match control {
            ChassisControl::PowerDown => "power 0",
            ChassisControl::PowerUp => "power 1",
            ChassisControl::PowerCycle => "power 2",
            ChassisControl::HardReset => "power 3",
            _ => "power 5",
        }]
    }

    fn boot_words(&self, flags: BootFlags) -> Option<String> {
        let device = match flags.device {
            BootDevice::Pxe => "04",
            BootDevice::Disk => "08",
            _ => "18",
        };
        let first = 0x80 | if flags.persistent { 0x40 } else { 0 } | if flags.efi { 0x20 } else { 0 };
        Some(format!("boot {first:02x}{device}000000"))
    }

    fn cannot(&self, row: Row) -> Option<&'static str> {
        (row == Row::LowPrivilege).then_some("pyghmi's server knows no levels")
    }

    fn but(&self, row: Row) -> Option<&'static str> {
        match row {
            Row::SingleBridge | Row::DoubleBridge => Some("pyghmi's server sends the packets; what is behind it is this matrix' script"),
            Row::WrongUser => Some("pyghmi's server says nothing to a stranger: the client reports no answer to its user name"),
            _ => None,
        }
    }
}
