//! The client against OpenIPMI's `ipmi_sim`, which shares no code with this project.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ipmi_client::{
    BootDevice, BootFlags, ChassisControl, CipherSuite, Client, CloseReason, ErrorKind, Hop, NetFn, Route, Secret, SolEvent, SolOptions,
    Target,
};
use tempfile::TempDir;

use crate::sol::read;

/// The chassis: power and boot device in files beside the script, every command in a log.
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

/// Beside the controllers: two events, a temperature sensor with its record (linear, degrees C, reading 34, upper
/// non-critical 60), and an inventory whose product is "Acme" "T1000".
const EMULATION: &str = "mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr
sel_enable 0x20 1000 0x0a
sel_add 0x20 0x02 0 0 0 0x60 0x20 0 4 1 1 1 0x57 60 60
sel_add 0x20 0x02 0 0 0 0x60 0x20 0 4 0x22 2 0x6f 0x05 0xff 0xff
sensor_add 0x20 0 1 1 1
sensor_set_event_support 0x20 0 1 enable scanning per-state 000111111000000 000111111000000 000111111000000 000111111000000
sensor_set_value 0x20 0 1 34 0
sensor_set_threshold 0x20 0 1 settable 111000 80 70 60 0 0 0
main_sdr_add 0x20 0x00 0x00 0x51 0x01 0x33 0x20 0x00 0x01 0x07 0x01 0x7f 0x68 0x01 0x01 0x80 0x0a 0x80 0x7a 0x38 0x38 0x00 0x01 0x00 0x00 0x01 0x00 0x00 0x00 0x00 0x00 0x00 0x00 0x00 0x00 0xff 0x00 0x50 0x46 0x3c 0x00 0x00 0x00 0x01 0x01 0x00 0x00 0x00 0xc8 0x41 0x6d 0x62 0x20 0x54 0x65 0x6d 0x70
mc_add_fru_data 0x20 0 48 data 0x01 0x00 0x00 0x00 0x01 0x00 0x00 0xfe 0x01 0x05 0x19 0xc4 0x41 0x63 0x6d 0x65 0xc5 0x54 0x31 0x30 0x30 0x30 0xc0 0xc0 0xc3 0x53 0x2d 0x31 0xc0 0xc0 0xc1 0x00 0x00 0x00 0x00 0x00 0x00 0x00 0x00 0x00 0x00 0x00 0x00 0x00 0x00 0x00 0x00 0x98
mc_enable 0x20
mc_add 0x30 2 no-device-sdrs 0x98 0x10 1 0xa0 0x1291 0xf03
mc_enable 0x30
";

/// A running `ipmi_sim` with its files; both are gone when this is dropped.
struct IpmiSim {
    dir: TempDir,
    addr: SocketAddr,
    child: Child,
}

impl Drop for IpmiSim {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl IpmiSim {
    /// `serial`: where the simulator connects for SOL.
    async fn start(serial: Option<SocketAddr>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        // Of this process only, and free now: the simulator cannot be told to choose, and is started again on the same.
        let [.., high, low] = std::process::id().to_be_bytes();
        let ip = Ipv4Addr::new(127, high, low, 60);
        let port = UdpSocket::bind((ip, 0)).unwrap().local_addr().unwrap().port();
        let path = |name: &str| dir.path().join(name);
        fs::create_dir(path("state")).unwrap();
        fs::write(path("chassis.sh"), CHASSIS).unwrap();
        fs::set_permissions(path("chassis.sh"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(path("bmc.emu"), EMULATION).unwrap();
        let auths =
            ["callback", "user", "operator", "admin"].map(|who| format!("    allowed_auths_{who} none md2 md5 straight\n")).concat();
        let sol = serial.map_or_else(String::new, |at| format!("  sol \"telnet:{}:{}\" 115200 history=8000\n", at.ip(), at.port()));
        let configuration = format!(
            "name \"bmc\"\nset_working_mc 0x20\n  startlan 1\n    addr {ip} {port}\n    priv_limit admin\n{auths}    guid a1a1a1a1a1a1a1a1{port:016x}\n  endlan\n  chassis_control \"{}\"\n{sol}  user 1 true \"\" \"test\" user 10 none md2 md5 straight\n  user 2 true \"admin\" \"secret\" admin 20 none md2 md5 straight\n",
            path("chassis.sh").display(),
        );
        fs::write(path("lan.conf"), configuration).unwrap();
        let child = Command::new("ipmi_sim")
            .args(["-n", "-c"])
            .arg(path("lan.conf"))
            .arg("-f")
            .arg(path("bmc.emu"))
            .arg("-s")
            .arg(path("state"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("ipmi_sim must be installed: apt-get install openipmi");
        let sim = Self { dir, addr: (ip, port).into(), child };
        let deadline = Instant::now() + Duration::from_secs(20);
        while let Err(error) = sim.client().device_id().await {
            assert!(Instant::now() < deadline, "ipmi_sim does not come up: {error}");
        }
        sim
    }

    fn target(&self) -> Target {
        Target::new(self.addr, "admin", Secret::new("secret"))
    }

    fn client(&self) -> Client {
        Client::new(self.target())
    }

    fn chassis_log(&self) -> Vec<String> {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default().lines().map(str::to_owned).collect()
    }
}

#[tokio::test]
async fn power_is_seen_and_changed() {
    let sim = IpmiSim::start(None).await;
    let client = sim.client();
    assert!(!client.chassis_status().await.unwrap().power_on());
    client.chassis_control(ChassisControl::PowerUp).await.unwrap();
    assert!(client.chassis_status().await.unwrap().power_on());
    client.chassis_control(ChassisControl::HardReset).await.unwrap();
    client.chassis_control(ChassisControl::PowerCycle).await.unwrap();
    client.chassis_control(ChassisControl::SoftShutdown).await.unwrap();
    assert!(!client.chassis_status().await.unwrap().power_on());
    client.chassis_control(ChassisControl::PowerUp).await.unwrap();
    client.chassis_control(ChassisControl::PowerDown).await.unwrap();
    assert!(!client.chassis_status().await.unwrap().power_on());
    let log = sim.chassis_log();
    for done in ["power 1", "reset 1", "shutdown 1", "power 0"] {
        assert!(log.iter().any(|line| line == done), "{done}: {log:?}");
    }
    assert_eq!(log.iter().filter(|line| *line == "reset 1").count(), 1, "{log:?}");
}

#[tokio::test]
async fn boot_device_is_set_and_read_back() {
    let sim = IpmiSim::start(None).await;
    let client = sim.client();
    for (device, name) in
        [(BootDevice::Pxe, "pxe"), (BootDevice::Disk, "default"), (BootDevice::Bios, "bios"), (BootDevice::Cdrom, "cdrom")]
    {
        // It takes the EFI and persistent bits and does not store them.
        client.set_boot_flags(BootFlags { device, efi: true, persistent: true }).await.unwrap();
        assert_eq!(client.boot_flags().await.unwrap().device, device);
        assert_eq!(sim.chassis_log().last().unwrap(), &format!("boot {name}"));
    }
}

#[tokio::test]
async fn suite_3_is_found_without_a_wait_although_it_ignores_the_usual_question() {
    let sim = IpmiSim::start(None).await;
    let mut target = sim.target();
    // a wait for the list would be the end of the request
    target.timeouts.suite_list = target.timeouts.request * 2;
    let client = Client::new(target);
    client.device_id().await.unwrap();
    assert_eq!(client.strongest_suite(), Some(CipherSuite::Suite3));
    let mut target = sim.target();
    target.suites.at_least = CipherSuite::Suite17;
    let error = Client::new(target).device_id().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Downgrade { at_least: CipherSuite::Suite17 });
}

#[tokio::test]
async fn wrong_credentials() {
    let sim = IpmiSim::start(None).await;
    let mut target = sim.target();
    target.password = Secret::new("Secret");
    assert_eq!(Client::new(target).device_id().await.unwrap_err().kind, ErrorKind::WrongPassword);
    let mut target = sim.target();
    target.username = "root".into();
    assert_eq!(Client::new(target).device_id().await.unwrap_err().kind, ErrorKind::UnknownUser);
}

#[tokio::test]
async fn raw_and_bridged_requests() {
    let sim = IpmiSim::start(None).await;
    let client = sim.client();
    let direct = client.request(NetFn::APP, 0x01, &[]).await.unwrap();
    assert!(direct.code.is_ok() && direct.data[2] == 9, "{direct:?}");
    let satellite = Route::Single(Hop { channel: 0, address: 0x30 });
    let bridged = client.request_via(satellite, NetFn::APP, 0, 0x01, &[]).await.unwrap();
    assert!(bridged.code.is_ok() && bridged.data[2] == 0x10, "{bridged:?}");
    let unknown = client.request(NetFn::APP, 0x7f, &[]).await.unwrap();
    assert_eq!(unknown.code.0, 0xc1);
}

#[tokio::test]
async fn inventory_event_log_and_sensors() {
    let sim = IpmiSim::start(None).await;
    let client = sim.client();
    let fru = client.fru().await.unwrap();
    let product = fru.product.unwrap();
    assert_eq!((product.manufacturer.as_str(), product.name.as_str(), product.serial.as_str()), ("Acme", "T1000", "S-1"));
    assert_eq!(fru.board, None);
    let log = client.sel().await.unwrap();
    let told: Vec<String> = log.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        ["Temperature #0x01: Upper Non-critical going high, asserted", "System ACPI Power State #0x02: S5/G2: soft-off, asserted"]
    );
    let sensors = client.sensors().await.unwrap();
    assert_eq!(sensors.len(), 1, "{sensors:?}");
    assert_eq!((sensors[0].name.as_str(), sensors[0].value), ("Amb Temp", Some(34.0)));
    assert_eq!(sensors[0].unit.to_string(), "degrees C");
    client.clear_sel_via(Route::Direct).await.unwrap();
    assert_eq!(client.sel().await.unwrap(), []);
    assert!(client.system_guid().await.unwrap().0.contains(&0xa1));
}

#[tokio::test]
async fn a_restarted_simulator_is_found_again() {
    let mut sim = IpmiSim::start(None).await;
    let client = sim.client();
    client.device_id().await.unwrap();
    sim.child.kill().unwrap();
    sim.child.wait().unwrap();
    let path = |name: &str| sim.dir.path().join(name);
    sim.child = Command::new("ipmi_sim")
        .args(["-n", "-c"])
        .arg(path("lan.conf"))
        .arg("-f")
        .arg(path("bmc.emu"))
        .arg("-s")
        .arg(path("state"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    assert!(!client.chassis_status().await.unwrap().power_on());
}

/// A serial device: prints what it is given and says what it was sent, through the simulator's telnet.
#[tokio::test]
async fn sol_both_ways() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let serial = listener.local_addr().unwrap();
    let text: Vec<u8> = (0..20_000u32).map(|i| b' ' + (i % 95) as u8).collect();
    let typed: Vec<u8> = (0..2_000u32).map(|i| b' ' + (i % 89) as u8).collect();
    let sim = IpmiSim::start(Some(serial)).await;
    let mut target = sim.target();
    target.timeouts.keep_alive = Duration::from_secs(1);
    let client = Client::new(target);
    let (printed, expected) = (text.clone(), typed.clone());
    let (go, started) = std::sync::mpsc::channel();
    let machine = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        started.recv().unwrap();
        // No faster than the 115200 baud it was configured with: the simulator drops what overruns its buffer.
        let mut out = stream.try_clone().unwrap();
        let printer = std::thread::spawn(move || {
            for piece in printed.chunks(200) {
                out.write_all(piece).unwrap();
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        let mut got = Vec::new();
        let mut buffer = [0; 512];
        while got.len() < expected.len() {
            let n = stream.read(&mut buffer).unwrap();
            assert!(n > 0, "the simulator closed the line after {}", got.len());
            got.extend(without_telnet(&buffer[..n]));
        }
        printer.join().unwrap();
        // The stream stays open until the end, so that the simulator does not start over.
        (got, stream)
    });
    let mut sol = client.open_sol(SolOptions::default()).await.unwrap();
    // A second session must be told who has it.
    let other = sim.client();
    let held = other.open_sol(SolOptions::default()).await.unwrap_err();
    assert!(matches!(held.kind, ErrorKind::SolHeld { .. }), "{held}");
    go.send(()).unwrap();
    let writer = sol.writer();
    let typing = tokio::spawn(async move { writer.write(typed.into()).await });
    let seen = read(&mut sol, text.len()).await;
    assert!(seen == text, "printed {} and saw {}", text.len(), seen.len());
    typing.await.unwrap().unwrap();
    let (got, _stream) = tokio::task::spawn_blocking(|| machine.join().unwrap()).await.unwrap();
    assert_eq!(got, (0..2_000u32).map(|i| b' ' + (i % 89) as u8).collect::<Vec<u8>>());

    // Taking over ends ours. This simulator sends the loser nothing at all (seen on the wire: not one packet after the
    // other's Deactivate Payload) and drops what it types, so a client has to ask whose the console is.
    let taken = other.open_sol(SolOptions { take_over: true, ..SolOptions::default() }).await.unwrap();
    let ended = async {
        loop {
            match sol.recv().await {
                Some(SolEvent::Closed(reason)) => return reason,
                Some(_) => {}
                None => panic!("it ended without a reason"),
            }
        }
    };
    let reason = tokio::time::timeout(Duration::from_secs(20), ended).await.expect("the loser is told");
    assert_eq!(reason, CloseReason::Deactivated);
    assert!(sol.writer().is_closed());
    assert!(other.sol_active().await.unwrap(), "losing it did not end the other's");
    drop(taken);
}

/// Takes out the telnet negotiation (IAC, verb, option) the simulator opens the line with.
fn without_telnet(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut octets = data.iter();
    while let Some(octet) = octets.next() {
        if *octet == 0xff {
            octets.next();
            octets.next();
        } else {
            out.push(*octet);
        }
    }
    out
}
