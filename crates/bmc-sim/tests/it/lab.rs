//! Labs as a whole: configuration, numbers, and their end.

use std::{
    net::Ipv4Addr,
    process::Stdio,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use bmc_sim::{
    ChassisFactory, Lab, LabConfig, LabError, MachineConfig,
    machine::{Chassis, Power, Refused, Wiring},
};
use ipmi_wire::command::{BootDevice, ChassisControl};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::UdpSocket,
    process::{Child, Command},
    time::timeout,
};

use crate::support::{Ipmitool, LIMIT, lab, machine};

#[tokio::test]
async fn names_and_addresses_must_differ() {
    let twice = LabConfig { machines: vec![machine("a"), machine("a")] };
    assert!(matches!(Lab::start(twice).await, Err(LabError::SameName(name)) if name == "a"));
    let taken = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut config = machine("b");
    config.bmc_addr = taken.local_addr().unwrap();
    let error = Lab::start(LabConfig { machines: vec![config] }).await.err().unwrap();
    assert!(error.to_string().starts_with("b: cannot listen on 127.0.0.1:"), "{error}");
}

#[tokio::test]
async fn shutdown_closes_every_socket() {
    // addresses of this process only: no other takes a port of them while they are free
    let [.., high, low] = std::process::id().to_be_bytes();
    let own = |i: u8| MachineConfig { bmc_addr: (Ipv4Addr::new(127, high, low, 100 + i), 0).into(), ..machine(&format!("m{i}")) };
    let config = LabConfig { machines: (0..50).map(own).collect() };
    let lab = Lab::start(config).await.unwrap();
    let addresses: Vec<_> = lab.machines().iter().map(bmc_sim::Machine::bmc_addr).collect();
    assert!(lab.machine("m49").is_some() && lab.machine("m50").is_none());
    for machine in lab.machines() {
        machine.control(ChassisControl::PowerUp).unwrap();
    }
    // in the middle of everything
    tokio::time::sleep(Duration::from_millis(20)).await;
    timeout(Duration::from_secs(2), lab.shutdown()).await.unwrap();
    for address in addresses {
        UdpSocket::bind(address).await.unwrap();
    }
}

/// A chassis that is not ours: what a backend driving a real process has to do, and no more.
struct OtherChassis {
    wiring: Wiring,
    starts: AtomicU32,
    on: Mutex<bool>,
    booted: Mutex<Vec<BootDevice>>,
}

impl Chassis for OtherChassis {
    fn power(&self) -> Power {
        if *self.on.lock().unwrap() { Power::On } else { Power::Off }
    }

    fn control(&self, command: ChassisControl) -> Result<(), Refused> {
        match command {
            ChassisControl::PowerUp => {
                let device = self.wiring.boot.take().map_or(BootDevice::None, |flags| flags.device);
                self.booted.lock().unwrap().push(device);
                self.starts.fetch_add(1, Ordering::Relaxed);
                *self.on.lock().unwrap() = true;
                let serial = Arc::clone(&self.wiring.serial);
                tokio::spawn(async move {
                    loop {
                        if let bmc_sim::machine::serial::Input::Bytes(typed) = serial.read().await {
                            serial.write(&typed.to_ascii_uppercase()).await;
                        }
                    }
                });
                Ok(())
            }
            ChassisControl::PowerDown => {
                *self.on.lock().unwrap() = false;
                Ok(())
            }
            _ => Err(Refused::Unsupported),
        }
    }
}

#[tokio::test]
async fn another_chassis_can_stand_behind_a_bmc() {
    let made: Arc<Mutex<Option<Arc<OtherChassis>>>> = Arc::default();
    let mut config = machine("other");
    let keep = Arc::clone(&made);
    config.chassis = Some(ChassisFactory(Arc::new(move |wiring| {
        let chassis = Arc::new(OtherChassis { wiring, starts: AtomicU32::new(0), on: Mutex::new(false), booted: Mutex::default() });
        *keep.lock().unwrap() = Some(Arc::clone(&chassis));
        chassis
    })));
    let (lab, machine) = lab(config).await;
    let chassis = made.lock().unwrap().clone().unwrap();
    let tool = Ipmitool::admin(&machine, 17);
    tool.ok("chassis bootdev cdrom").await;
    tool.ok("power on").await;
    assert_eq!(tool.ok("power status").await, "Chassis Power is on");
    assert_eq!(*chassis.booted.lock().unwrap(), [BootDevice::Cdrom]);
    let message = tool.fails("power cycle").await;
    assert!(message.contains("Invalid data field in request"), "{message}");
    let mut console = tool.terminal("sol activate");
    console.expect("SOL Session operational").await;
    console.send("shout").await;
    console.expect("SHOUT").await;
    assert_eq!(machine.phase(), None);
    lab.shutdown().await;
}

/// The program with these arguments, once it says that it is ready, and the lines it printed.
async fn program(arguments: &[&str]) -> (Child, Vec<String>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bmc-sim"));
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::inherit()).kill_on_drop(true);
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut seen = Vec::new();
    let ready = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.ends_with("machines are ready") {
                return true;
            }
            seen.push(line);
        }
        false
    };
    assert!(timeout(LIMIT, ready).await.unwrap(), "it ended early: {seen:?}");
    (child, seen)
}

fn resident_kilobytes(child: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id().unwrap())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// As many as a large lab has, in one process: resident memory of each, its machine included.
#[tokio::test]
async fn five_thousand_idle_bmcs_are_cheap() {
    const MANY: u64 = 5000;
    let (mut one, _) = program(&["--count", "1", "--base-port", "0"]).await;
    let (mut many, lines) = program(&["--count", "5000", "--base-port", "0"]).await;
    assert_eq!(lines.len() as u64, MANY);
    let each = (resident_kilobytes(&many) - resident_kilobytes(&one)) as f64 / (MANY - 1) as f64;
    println!("{each:.1} KB resident for each of {MANY} idle BMCs and its machine");
    assert!(each < 20.0, "{each:.1} KB each");
    one.kill().await.unwrap();
    many.kill().await.unwrap();
}

#[tokio::test]
async fn the_program_reads_a_file_and_ends_when_told() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("lab.toml");
    let text = r#"
[[machines]]
name = "from-a-file"
bmc_addr = "127.0.0.1:0"
users = [{ name = "root", password = "calvin-is-not-safe" }, { name = "guest", password = "x", privilege = "user" }]
mac = "52:54:00:00:00:01"
firmware = "uefi-x64"
tftp = "127.0.0.1:69"
suites = [3]
installed = true
boot_order = ["network", "disk"]
timing = { post = 0.1, patience = 0.2 }
faults = { delay = 0.001, sol = "held" }
"#;
    std::fs::write(&file, text).unwrap();
    let (mut child, lines) = program(&["--config", file.to_str().unwrap()]).await;
    let address = lines[0].split(' ').find_map(|word| word.strip_prefix("bmc=127.0.0.1:")).unwrap_or_else(|| panic!("{lines:?}"));
    let login = ["-I", "lanplus", "-H", "127.0.0.1", "-p", address, "-C", "3", "-U", "root", "-P", "calvin-is-not-safe"];
    let output = crate::support::run("ipmitool", "ipmitool", &[&login[..], &["power", "status"]].concat()).await;
    assert_eq!(crate::support::stdout(&output), "Chassis Power is off");
    let id = child.id().unwrap().to_string();
    crate::support::run("procps", "kill", &["-TERM", &id]).await;
    let status = timeout(Duration::from_secs(5), child.wait()).await.unwrap().unwrap();
    assert!(status.success(), "{status}");

    std::fs::write(&file, text.replace("installed", "instaled")).unwrap();
    let output = crate::support::run("this one", env!("CARGO_BIN_EXE_bmc-sim"), &["--config", file.to_str().unwrap()]).await;
    let message = crate::support::all(&output);
    assert!(!output.status.success() && message.contains("unknown field `instaled`"), "{message}");
}
