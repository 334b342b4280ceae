//! `ipmitool -I lanplus` as the client.

use bmc_sim::{
    Machine,
    machine::{Power, pretend::Phase},
};
use ipmi_wire::CipherSuite;

use crate::support::{Ipmitool, LIMIT, PASSWORD, Terminal, all, lab, machine};

pub async fn until_power(machine: &Machine, wanted: Power) {
    for _ in 0..400 {
        if machine.power() == wanted {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("power is {:?}", machine.power());
}

async fn power_commands(suite: u8) {
    let (lab, machine) = lab(machine("m")).await;
    let tool = Ipmitool::admin(&machine, suite);
    assert_eq!(tool.ok("power status").await, "Chassis Power is off");
    for refused in ["cycle", "reset", "soft"] {
        let message = tool.fails(&format!("power {refused}")).await;
        assert!(message.contains("not supported in present state"), "{refused}: {message}");
    }
    assert_eq!(tool.ok("power on").await, "Chassis Power Control: Up/On");
    until_power(&machine, Power::On).await;
    assert_eq!(tool.ok("power status").await, "Chassis Power is on");
    assert!(tool.ok("chassis status").await.contains("System Power         : on"));
    assert!(tool.ok("chassis restart_cause").await.contains("chassis power control command"));

    for again in ["cycle", "reset"] {
        assert!(machine.wait_phase(Phase::Running, LIMIT).await, "{}", machine.serial_output());
        let mark = machine.serial_mark();
        tool.ok(&format!("power {again}")).await;
        machine.wait_serial(mark, "Pretend BIOS", LIMIT).await.unwrap();
        machine.wait_serial(mark, "login:", LIMIT).await.unwrap();
    }

    // an operating system shuts down in order when the button is pressed …
    let mark = machine.serial_mark();
    assert_eq!(tool.ok("power soft").await, "Chassis Power Control: Soft");
    until_power(&machine, Power::Off).await;
    machine.wait_serial(mark, "Power key pressed short", LIMIT).await.unwrap();
    machine.wait_serial(mark, "reboot: Power down", LIMIT).await.unwrap();

    // … and not at all when the power goes
    tool.ok("power on").await;
    assert!(machine.wait_phase(Phase::Running, LIMIT).await);
    let mark = machine.serial_mark();
    assert_eq!(tool.ok("power off").await, "Chassis Power Control: Down/Off");
    until_power(&machine, Power::Off).await;
    assert_eq!(machine.serial_mark(), mark);
    assert_eq!(tool.ok("power status").await, "Chassis Power is off");
    lab.shutdown().await;
}

#[tokio::test]
async fn power_with_suite_17() {
    power_commands(17).await;
}

#[tokio::test]
async fn power_with_suite_3() {
    power_commands(3).await;
}

#[tokio::test]
async fn without_c_the_best_suite_is_found() {
    let (lab, machine) = lab(machine("m")).await;
    let address = machine.bmc_addr();
    let port = address.port().to_string();
    let arguments = ["-v", "-I", "lanplus", "-H", "127.0.0.1", "-p", &port, "-U", "admin", "-P", PASSWORD, "power", "status"];
    let output = crate::support::run("ipmitool", "ipmitool", &arguments).await;
    let text = all(&output);
    assert!(output.status.success() && text.contains("Using best available cipher suite 17"), "{text}");
    lab.shutdown().await;
}

#[tokio::test]
async fn boot_devices_are_kept_whole() {
    let (lab, machine) = lab(machine("m")).await;
    for (suite, device, code) in [(3, "pxe", 0x04), (17, "disk", 0x08), (3, "bios", 0x18), (17, "cdrom", 0x14), (17, "safe", 0x0c)] {
        let tool = Ipmitool::admin(&machine, suite);
        for (options, flags) in [("", 0x80), ("efiboot", 0xa0), ("persistent", 0xc0), ("efiboot,persistent", 0xe0)] {
            let options = if options.is_empty() { String::new() } else { format!(" options={options}") };
            assert_eq!(tool.ok(&format!("chassis bootdev {device}{options}")).await, format!("Set Boot Device to {device}"));
            assert_eq!(tool.ok("raw 0x00 0x09 0x05 0x00 0x00").await.trim(), format!("01 05 {flags:02x} {code:02x} 00 00 00"));
        }
    }
    let tool = Ipmitool::admin(&machine, 17);
    let shown = tool.ok("chassis bootparam get 5").await;
    assert!(shown.contains("Options apply to all future boots") && shown.contains("Force Boot from default Hard-Drive"), "{shown}");
    // bytes no option of the tool sets
    tool.ok("raw 0x00 0x08 0x05 0x80 0x04 0x12 0x34 0x56").await;
    assert_eq!(tool.ok("raw 0x00 0x09 0x05 0x00 0x00").await.trim(), "01 05 80 04 12 34 56");
    // the firmware uses them once
    tool.ok("power on").await;
    machine.wait_serial(0, "Boot override from BMC: PXE (this boot only)", LIMIT).await.unwrap();
    assert_eq!(tool.ok("raw 0x00 0x09 0x05 0x00 0x00").await.trim(), "01 05 00 00 00 00 00");
    lab.shutdown().await;
}

#[tokio::test]
async fn who_may_log_in_and_do_what() {
    let (lab, machine) = lab(machine("m")).await;
    for suite in [3, 17] {
        let message = Ipmitool::new(&machine, "admin", "wrong", suite).fails("power status").await;
        assert!(message.contains("Unable to establish"), "{message}");
        let message = Ipmitool::new(&machine, "nobody", PASSWORD, suite).with(&["-v"]).fails("power status").await;
        assert!(message.contains("unauthorized name"), "{message}");
        // an account that cannot reach the level asked for
        let message = Ipmitool::new(&machine, "user", PASSWORD, suite).with(&["-v"]).fails("power status").await;
        assert!(message.contains("unauthorized role requested"), "{message}");
        // at its own level it may look but not touch
        let user = Ipmitool::new(&machine, "user", PASSWORD, suite).with(&["-L", "USER"]);
        assert_eq!(user.ok("power status").await, "Chassis Power is off");
        let message = user.fails("power on").await;
        assert!(message.contains("Insufficient privilege level"), "{message}");
        // this one of the tool's commands fails with exit status 0
        let output = user.run("chassis bootdev pxe").await;
        assert!(all(&output).contains("Set Chassis Boot Parameter 5 failed: Insufficient privilege level"), "{}", all(&output));
        user.fails("sol activate").await;
        // an administrator who asks for less gets less
        Ipmitool::admin(&machine, suite).with(&["-L", "USER"]).fails("power on").await;
        let operator = Ipmitool::new(&machine, "operator", PASSWORD, suite).with(&["-L", "OPERATOR"]);
        operator.ok("chassis bootdev disk").await;
        let message = operator.fails("raw 0x06 0x02").await;
        assert!(message.contains("Insufficient privilege level"), "{message}");
    }
    assert_eq!(machine.power(), Power::Off);
    Ipmitool::new(&machine, "operator", PASSWORD, 17).with(&["-L", "OPERATOR"]).ok("power on").await;
    until_power(&machine, Power::On).await;
    assert!(machine.sessions().is_empty(), "every session was closed: {:?}", machine.sessions());
    lab.shutdown().await;
}

#[tokio::test]
async fn a_bmc_may_offer_one_suite_only_and_have_a_key_of_its_own() {
    let mut config = machine("m");
    config.suites = vec![CipherSuite::Suite3];
    config.kg = Some("bmc-key".into());
    let (lab, machine) = lab(config).await;
    Ipmitool::admin(&machine, 17).with(&["-k", "bmc-key"]).fails("power status").await;
    Ipmitool::admin(&machine, 3).fails("power status").await;
    Ipmitool::admin(&machine, 3).with(&["-k", "bmc-key"]).ok("power status").await;
    lab.shutdown().await;
}

#[tokio::test]
async fn questions_about_the_bmc() {
    let (lab, machine) = lab(machine("m")).await;
    let tool = Ipmitool::admin(&machine, 17);
    let info = tool.ok("mc info").await;
    assert!(info.contains("IPMI Version              : 2.0") && info.contains("Chassis Device"), "{info}");
    assert!(tool.ok("mc selftest").await.contains("passed"));
    assert!(tool.ok("mc guid").await.contains("System GUID"));
    let sol = tool.ok("sol info 1").await;
    assert!(sol.contains("Enabled                         : true") && sol.contains("Privilege Level                 : OPERATOR"), "{sol}");
    assert!(tool.ok("channel info 1").await.contains("802.3 LAN"));
    assert!(tool.ok("user list 1").await.contains("operator"));
    tool.ok("sol set enabled false 1").await;
    let message = tool.fails("sol activate").await;
    assert!(message.contains("SOL payload disabled"), "{message}");
    tool.fails("raw 0x30 0x01").await;
    lab.shutdown().await;
}

#[tokio::test]
async fn sessions_are_limited_and_expire() {
    let mut config = machine("m");
    config.max_sessions = 1;
    config.timing.session_timeout = std::time::Duration::from_secs(2);
    let (lab, machine) = lab(config).await;
    let tool = Ipmitool::admin(&machine, 17);
    let mut console: Terminal = tool.terminal("sol activate");
    console.expect("SOL Session operational").await;
    let message = tool.fails("power status").await;
    assert!(message.contains("Unable to establish"), "{message}");
    assert_eq!(machine.sessions().len(), 1);
    // a console that dies without a word leaves its session behind, for a time
    drop(console);
    for _ in 0..500 {
        if machine.sessions().is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    tool.ok("power status").await;
    lab.shutdown().await;
}
