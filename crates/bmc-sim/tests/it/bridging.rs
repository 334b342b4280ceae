//! Controllers behind a BMC, as `ipmitool -b -t` and `-B -T -b -t` reach them.

use bmc_sim::{
    BridgeAnswers, BusAddress, CartridgeAddress, CartridgeConfig, Lab, LabConfig, LabError, Machine, MachineConfig,
    machine::{MacAddress, Power, pretend::Phase},
};
use ipmi_wire::command::BootDevice;

use crate::support::{Ipmitool, LIMIT, lab, machine};

fn mac(last: u8) -> MacAddress {
    MacAddress([0x52, 0x54, 0, 0x78, 0, last])
}

/// A chassis with two Moonshot cartridges, and one controller on a bus the BMC reaches itself.
fn chassis(answers: BridgeAnswers) -> MachineConfig {
    let mut config = machine("chassis");
    config.bridge_answers = answers;
    let mut single = CartridgeConfig::moonshot("near", 0, mac(9));
    single.at = CartridgeAddress { target: BusAddress { channel: 0, address: 0x30 }, transit: None };
    single.refuses_reset = false;
    config.cartridges = vec![CartridgeConfig::moonshot("c1", 1, mac(1)), CartridgeConfig::moonshot("c2", 2, mac(2)), single];
    for cartridge in &mut config.cartridges {
        cartridge.installed = true;
    }
    config
}

/// `ipmitool` aimed at a cartridge by its route: what an operator of the real thing types.
fn at(machine: &Machine, suite: u8, route: &str) -> Ipmitool {
    Ipmitool::admin(machine, suite).with(&route.split(' ').collect::<Vec<_>>())
}

const C1: &str = "-B 0 -T 0x82 -b 7 -t 0x72";
const C2: &str = "-B 0 -T 0x84 -b 7 -t 0x72";
const NEAR: &str = "-b 0 -t 0x30";

async fn each_has_power_and_boot_options_of_its_own(answers: BridgeAnswers) {
    let (lab, machine) = lab(chassis(answers)).await;
    for (route, name, suite) in [(C1, "c1", 17), (C2, "c2", 3), (NEAR, "near", 17)] {
        let (tool, cartridge) = (at(&machine, suite, route), lab.machine(name).unwrap());
        assert_eq!(tool.ok("power status").await, "Chassis Power is off", "{name}");
        tool.ok("chassis bootdev pxe options=efiboot,persistent").await;
        assert_eq!(tool.ok("raw 0x00 0x09 0x05 0x00 0x00").await.trim(), "01 05 e0 04 00 00 00");
        let flags = cartridge.boot_flags();
        assert_eq!((flags.device, flags.efi, flags.persistent), (BootDevice::Pxe, true, true));
        tool.ok("chassis bootdev disk").await;
        assert_eq!(tool.ok("power on").await, "Chassis Power Control: Up/On");
        assert!(cartridge.wait_phase(Phase::Running, LIMIT).await);
        assert_eq!(tool.ok("power status").await, "Chassis Power is on");
        let mark = cartridge.serial_mark();
        tool.ok("power cycle").await;
        cartridge.wait_serial(mark, "login:", LIMIT).await.unwrap();
    }
    // the chassis itself has seen nothing of it
    assert_eq!((machine.power(), machine.boot_flags().device), (Power::Off, BootDevice::None));
    assert_eq!(Ipmitool::admin(&machine, 17).ok("power status").await, "Chassis Power is off");
    at(&machine, 17, C1).ok("power off").await;
    assert!(lab.machine("c1").unwrap().wait_phase(Phase::Off, LIMIT).await);
    assert_eq!(lab.machine("c2").unwrap().power(), Power::On);
    lab.shutdown().await;
}

#[tokio::test]
async fn each_has_power_and_boot_options_of_its_own_and_answers_separately() {
    each_has_power_and_boot_options_of_its_own(BridgeAnswers::Separate).await;
}

#[tokio::test]
async fn each_has_power_and_boot_options_of_its_own_and_answers_inside_the_acknowledgement() {
    each_has_power_and_boot_options_of_its_own(BridgeAnswers::Embedded).await;
}

#[tokio::test]
async fn a_moonshot_cartridge_refuses_a_reset() {
    for answers in [BridgeAnswers::Separate, BridgeAnswers::Embedded] {
        let (lab, machine) = lab(chassis(answers)).await;
        let cartridge = lab.machine("c1").unwrap();
        let tool = at(&machine, 17, C1);
        tool.ok("power on").await;
        assert!(cartridge.wait_phase(Phase::Running, LIMIT).await);
        let mark = cartridge.serial_mark();
        let message = tool.fails("power reset").await;
        assert!(message.contains("0x80"), "{message}");
        assert_eq!((cartridge.power(), cartridge.serial_mark()), (Power::On, mark));
        lab.shutdown().await;
    }
}

#[tokio::test]
async fn nobody_at_that_address() {
    let (lab, machine) = lab(chassis(BridgeAnswers::Separate)).await;
    let quick = ["-N", "1", "-R", "1"];
    for route in ["-b 0 -t 0x32", "-b 5 -t 0x30", "-B 0 -T 0x86 -b 7 -t 0x72", "-B 0 -T 0x82 -b 7 -t 0x74"] {
        at(&machine, 17, route).with(&quick).fails("power status").await;
    }
    // a transit controller is somebody, but has no chassis
    let transit = at(&machine, 17, "-b 0 -t 0x82");
    assert!(transit.ok("mc info").await.contains("IPMI Version"), "the controller in between");
    transit.fails("power status").await;
    lab.shutdown().await;
}

#[tokio::test]
async fn rights_are_the_sessions() {
    let (lab, machine) = lab(chassis(BridgeAnswers::Separate)).await;
    let user = Ipmitool::new(&machine, "user", crate::support::PASSWORD, 17).with(&["-L", "USER"]).with(&C1.split(' ').collect::<Vec<_>>());
    assert_eq!(user.ok("power status").await, "Chassis Power is off");
    user.fails("power on").await;
    assert_eq!(lab.machine("c1").unwrap().power(), Power::Off);
    lab.shutdown().await;
}

/// Activate Payload travels over the buses; the characters do not.
#[tokio::test]
async fn consoles_of_two_cartridges_and_the_chassis_at_once() {
    let mut config = chassis(BridgeAnswers::Separate);
    config.powered = true;
    config.cartridges.iter_mut().for_each(|cartridge| cartridge.powered = true);
    let (lab, machine) = lab(config).await;
    let mut consoles = Vec::new();
    for (route, name) in [(C1, "c1"), (C2, "c2"), ("", "chassis")] {
        let there = lab.machine(name).unwrap();
        there.wait_serial(0, "login:", LIMIT).await.unwrap();
        let tool = if route.is_empty() { Ipmitool::admin(&machine, 17) } else { at(&machine, 17, route) };
        let mut console = tool.terminal("sol activate");
        console.expect("SOL Session operational").await;
        console.send("root\rsecret\r").await;
        console.expect(&format!("root@{name}:~# ")).await;
        consoles.push((tool, console, name));
    }
    for (tool, console, name) in &mut consoles {
        console.send(&format!("echo this is {name}\r")).await;
        console.expect(&format!("\r\nthis is {name}\r\n")).await;
        let refused = tool.fails("sol activate").await;
        assert!(refused.contains("already active"), "{refused}");
    }
    assert_eq!(machine.sessions().iter().filter(|session| session.sol).count(), 3);
    // ending one's ends only that one's
    consoles[0].0.ok("sol deactivate").await;
    assert_eq!(machine.sessions().iter().filter(|session| session.sol).count(), 2);
    consoles[1].1.send("echo still here\r").await;
    consoles[1].1.expect("\r\nstill here\r\n").await;
    lab.shutdown().await;
}

#[tokio::test]
async fn two_cartridges_cannot_be_in_one_place() {
    let mut config = chassis(BridgeAnswers::Separate);
    config.cartridges[1].at = config.cartridges[0].at;
    assert!(matches!(Lab::start(LabConfig { machines: vec![config] }).await, Err(LabError::SameAddress(name)) if name == "c2"));
    let mut config = chassis(BridgeAnswers::Separate);
    config.cartridges[1].name = "chassis".into();
    assert!(matches!(Lab::start(LabConfig { machines: vec![config] }).await, Err(LabError::SameName(name)) if name == "chassis"));
}

#[test]
fn a_file_says_where_cartridges_are() {
    let text = r#"
        name = "chassis"
        users = [{ name = "admin", password = "x" }]
        mac = "52:54:00:00:00:01"
        firmware = "bios"
        tftp = "127.0.0.1:69"
        bridge_answers = "embedded"
        cartridges = [
            { name = "c1", mac = "52:54:00:00:00:02", at = { target = { channel = 7, address = 0x72 }, transit = { channel = 0, address = 0x82 } }, refuses_reset = true },
            { name = "near", mac = "52:54:00:00:00:03", at = { target = { channel = 0, address = 0x30 } }, firmware = "uefi-x64" },
        ]
    "#;
    let config: MachineConfig = toml::from_str(text).unwrap();
    assert_eq!(config.bridge_answers, BridgeAnswers::Embedded);
    assert_eq!(config.cartridges[0].at, CartridgeAddress::moonshot(1));
    assert_eq!(config.cartridges[1].at.transit, None);
}
