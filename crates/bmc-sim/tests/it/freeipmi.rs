//! FreeIPMI's tools as the client: a second, independent implementation.

use std::{net::Ipv4Addr, process::Output};

use bmc_sim::{
    Machine,
    machine::{Power, pretend::Phase},
};

use ipmi_wire::command::BootDevice;

use crate::support::{LIMIT, PASSWORD, Terminal, all, lab, machine, run, stdout};

const PACKAGE: &str = "freeipmi-tools";

async fn tool(program: &str, machine: &Machine, suite: &str, user: &str, password: &str, command: &[&str]) -> Output {
    let host = machine.bmc_addr().to_string();
    let mut arguments = vec!["-D", "LAN_2_0", "-I", suite, "-h", &host, "-u", user, "-p", password];
    arguments.extend(command);
    run(PACKAGE, program, &arguments).await
}

async fn admin(program: &str, machine: &Machine, suite: &str, command: &[&str]) -> String {
    let output = tool(program, machine, suite, "admin", PASSWORD, command).await;
    assert!(output.status.success(), "{program} {command:?}: {}", all(&output));
    stdout(&output)
}

#[tokio::test]
async fn ipmipower_does_everything() {
    let (lab, machine) = lab(machine("m")).await;
    for suite in ["3", "17"] {
        let power = async |command: &str| admin("ipmipower", &machine, suite, &[command]).await;
        assert_eq!(power("--stat").await, "127.0.0.1: off");
        assert_eq!(power("--on").await, "127.0.0.1: ok");
        assert!(machine.wait_phase(Phase::Running, LIMIT).await);
        assert_eq!(power("--stat").await, "127.0.0.1: on");
        for command in ["--reset", "--cycle"] {
            let mark = machine.serial_mark();
            assert_eq!(power(command).await, "127.0.0.1: ok");
            machine.wait_serial(mark, "login:", LIMIT).await.unwrap();
        }
        let mark = machine.serial_mark();
        assert_eq!(power("--soft").await, "127.0.0.1: ok");
        machine.wait_serial(mark, "Power down", LIMIT).await.unwrap();
        assert!(machine.wait_phase(Phase::Off, LIMIT).await);
        assert_eq!(power("--on").await, "127.0.0.1: ok");
        assert!(machine.wait_phase(Phase::Running, LIMIT).await);
        assert_eq!(power("--off").await, "127.0.0.1: ok");
        assert!(machine.wait_phase(Phase::Off, LIMIT).await);
    }
    lab.shutdown().await;
}

#[tokio::test]
async fn ipmipower_says_what_is_wrong() {
    let (lab, machine) = lab(machine("m")).await;
    for suite in ["3", "17"] {
        let output = tool("ipmipower", &machine, suite, "admin", "wrong", &["--stat"]).await;
        assert!(all(&output).contains("password invalid"), "{}", all(&output));
        let output = tool("ipmipower", &machine, suite, "nobody", PASSWORD, &["--stat"]).await;
        assert!(all(&output).contains("username invalid"), "{}", all(&output));
        let output = tool("ipmipower", &machine, suite, "user", PASSWORD, &["--on", "-l", "OPERATOR"]).await;
        assert!(all(&output).contains("privilege level"), "{}", all(&output));
    }
    assert_eq!(machine.power(), Power::Off);
    lab.shutdown().await;
}

#[tokio::test]
async fn ipmi_chassis_reads_and_sets() {
    let (lab, machine) = lab(machine("m")).await;
    for suite in ["3", "17"] {
        let chassis = async |command: &[&str]| admin("ipmi-chassis", &machine, suite, command).await;
        let status = chassis(&["--get-chassis-status"]).await;
        assert!(status.contains("System Power                        : off"), "{status}");
        chassis(&["--get-chassis-capabilities"]).await;
        let cause = chassis(&["--get-system-restart-cause"]).await;
        assert!(cause.to_lowercase().contains("unknown"), "{cause}");
        chassis(&["--chassis-identify=10"]).await;
        let status = chassis(&["--get-chassis-status"]).await;
        assert!(status.contains("Chassis Identify state              : Timed on"), "{status}");
        chassis(&["--chassis-identify=turn-off"]).await;
        for (device, code) in [("PXE", BootDevice::Pxe), ("HARD-DRIVE", BootDevice::Disk), ("BIOS-SETUP", BootDevice::Bios)] {
            for (persistent, efi) in [(true, true), (true, false), (false, true), (false, false)] {
                let settings = [
                    format!("Chassis_Boot_Flags:Boot_Device={device}"),
                    format!("Chassis_Boot_Flags:BIOS_Boot_Type={}", if efi { "EFI" } else { "PC-COMPATIBLE" }),
                    format!("Chassis_Boot_Flags:Boot_Flags_Persistent={}", if persistent { "Yes" } else { "No" }),
                ];
                let mut command = vec!["--category=chassis", "--commit"];
                command.extend(settings.iter().flat_map(|setting| ["-e", setting.as_str()]));
                admin("ipmi-config", &machine, suite, &command).await;
                let flags = machine.boot_flags();
                assert_eq!((flags.valid, flags.device, flags.efi, flags.persistent), (true, code, efi, persistent));
                let shown = chassis(&["--get-boot-flags"]).await;
                assert_eq!(shown.contains("Extensible firmware"), efi, "{shown}");
            }
        }
        let written = admin("ipmi-config", &machine, suite, &["--category=chassis", "--checkout", "-S", "Chassis_Boot_Flags"]).await;
        assert!(written.lines().any(|line| line.split_whitespace().eq(["Boot_Device", "BIOS-SETUP"])), "{written}");
    }
    lab.shutdown().await;
}

/// A loopback address no other test has. Some of these tools know no port but 623, which takes root or
/// CAP_NET_BIND_SERVICE to listen on.
fn own_address(number: u8) -> Ipv4Addr {
    let [.., high, low] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, high, low, number)
}

#[tokio::test]
async fn pings_are_answered() {
    let mut config = machine("m");
    let address = own_address(1);
    config.bmc_addr = (address, 623).into();
    let (lab, _machine) = lab(config).await;
    let output = run(PACKAGE, "rmcpping", &["-c", "2", &address.to_string()]).await;
    assert!(stdout(&output).contains("2 pings transmitted, 2 pongs received"), "{}", all(&output));
    let output = run(PACKAGE, "ipmiping", &["-c", "1", &address.to_string()]).await;
    assert!(stdout(&output).contains("1 requests transmitted, 1 responses received"), "{}", all(&output));
    lab.shutdown().await;
}

async fn ipmiconsole(suite: &str) {
    let mut config = machine("m");
    config.powered = true;
    let address = own_address(suite.parse().unwrap());
    config.bmc_addr = (address, 623).into();
    let (lab, machine) = lab(config).await;
    machine.wait_serial(0, "login:", LIMIT).await.unwrap();
    let host = address.to_string();
    let arguments = ["-h", &host, "-u", "admin", "-p", PASSWORD, "-I", suite];
    let mut console = Terminal::start("ipmiconsole", &arguments);
    console.expect("[SOL established]").await;
    console.send("root\r").await;
    console.expect("Password:").await;
    console.send("x\r").await;
    console.expect("root@m:~#").await;
    console.send("echo one two three\r").await;
    console.expect("echo one two three\r\none two three\r\n").await;

    // a second console that does not steal is refused, one that does takes over, and the first is told
    let mut polite = Terminal::start("ipmiconsole", &[&arguments[..], &["--dont-steal"]].concat());
    polite.expect("SOL in use").await;
    polite.end().await;
    let mut thief = Terminal::start("ipmiconsole", &arguments);
    thief.expect("[SOL established]").await;
    console.expect("SOL session stolen").await;
    console.end().await;
    thief.send("\r").await;
    thief.expect("root@m:~#").await;
    thief.send("&.").await;
    thief.expect("[closing the connection]").await;
    thief.end().await;
    lab.shutdown().await;
}

#[tokio::test]
async fn ipmiconsole_with_suite_3() {
    ipmiconsole("3").await;
}

#[tokio::test]
async fn ipmiconsole_with_suite_17() {
    ipmiconsole("17").await;
}
