//! `ipmitool sol` on a terminal.

use std::fmt::Write as _;

use bmc_sim::Machine;

use crate::support::{Ipmitool, LIMIT, Terminal, lab, machine};

/// How `ipmitool -vvv` shows the BMC's notice that SOL has ended.
const ENDED: &str = "< SOL inactive            : true";

async fn running() -> (bmc_sim::Lab, Machine) {
    let mut config = machine("m");
    config.powered = true;
    let (lab, machine) = lab(config).await;
    machine.wait_serial(0, "login:", LIMIT).await.unwrap();
    (lab, machine)
}

async fn log_in(console: &mut Terminal) {
    console.expect("SOL Session operational").await;
    console.send("root\r").await;
    console.expect("root\r\nPassword: ").await;
    console.send("secret\r").await;
    console.expect("root@m:~# ").await;
    assert!(!console.screen().contains("secret"), "{}", console.screen());
}

async fn both_ways(suite: u8) {
    let (lab, machine) = running().await;
    let mut console = Ipmitool::admin(&machine, suite).terminal("sol activate");
    log_in(&mut console).await;
    console.send("helo\x7f\x7fllo\x15echo typed and  echoed\r").await;
    console.expect("echo typed and  echoed\r\ntyped and echoed\r\n").await;
    // the tool's escape for a break, which must follow a line's end
    console.send("~B").await;
    console.expect("sysrq: HELP").await;
    assert!(machine.sessions().iter().any(|session| session.sol && session.user == "admin"));
    console.send("\r~.").await;
    console.end().await;
    assert!(machine.sessions().is_empty(), "{:?}", machine.sessions());
    // free again
    let mut again = Ipmitool::admin(&machine, suite).terminal("sol activate");
    again.expect("SOL Session operational").await;
    lab.shutdown().await;
}

#[tokio::test]
async fn both_ways_with_suite_3() {
    both_ways(3).await;
}

#[tokio::test]
async fn both_ways_with_suite_17() {
    both_ways(17).await;
}

#[tokio::test]
async fn a_long_output_arrives_whole() {
    let (lab, machine) = running().await;
    let mut console = Ipmitool::admin(&machine, 17).terminal("sol activate");
    log_in(&mut console).await;
    console.send("seq 15000\r").await;
    console.expect("\r\n15000\r\n").await;
    let mut expected = String::from("seq 15000\r\n");
    for i in 1..=15_000 {
        let _ = write!(expected, "{i}\r\n");
    }
    assert!(console.screen().contains(&expected), "{} bytes on the screen", console.screen().len());
    lab.shutdown().await;
}

#[tokio::test]
async fn one_console_at_a_time_and_take_over() {
    let (lab, machine) = running().await;
    let tool = Ipmitool::admin(&machine, 17);
    // verbose: the tool itself reads the notice that SOL has ended but does not act on it
    let verbose = Ipmitool::admin(&machine, 17).with(&["-vvv"]);
    let mut first = verbose.terminal("sol activate");
    first.expect("SOL Session operational").await;
    first.send("root\rx\r").await;
    machine.wait_serial(0, "root@m:~# ", LIMIT).await.unwrap();
    let refused = tool.fails("sol activate").await;
    assert!(refused.contains("SOL payload already active on another session"), "{refused}");
    // other commands go on beside it, in a session of their own
    assert_eq!(tool.ok("power status").await, "Chassis Power is on");
    first.send("echo still here\r").await;
    machine.wait_serial(0, "\r\nstill here\r\n", LIMIT).await.unwrap();
    assert!(!first.screen().contains(ENDED));
    tool.ok("sol deactivate").await;
    first.expect(ENDED).await;
    let message = tool.fails("sol deactivate").await;
    assert!(message.contains("already de-activated"), "{message}");
    let mut second = tool.terminal("sol activate");
    second.expect("SOL Session operational").await;
    second.send("\r").await;
    second.expect("root@m:~# ").await;
    // what the first types now is refused, and reaches nobody
    let mark = machine.serial_mark();
    first.send("x").await;
    first.expect("< SOL is nack             : true").await;
    assert_eq!(machine.serial_mark(), mark);
    drop(second);
    // from the BMC's own side
    assert!(machine.deactivate_sol() && !machine.deactivate_sol());
    let mut third = verbose.terminal("sol activate");
    third.expect("SOL Session operational").await;
    assert!(machine.deactivate_sol());
    third.expect(ENDED).await;
    lab.shutdown().await;
}

#[tokio::test]
async fn the_console_stays_through_a_power_cycle() {
    let (lab, machine) = running().await;
    let tool = Ipmitool::admin(&machine, 3);
    let mut console = tool.terminal("sol activate");
    console.expect("SOL Session operational").await;
    tool.ok("power cycle").await;
    console.expect("Pretend BIOS").await;
    console.expect("Linux version 6.1.0 (demo)").await;
    console.expect("m login: ").await;
    // typed while it is off: goes nowhere, and disturbs nothing
    tool.ok("power off").await;
    machine.wait_phase(bmc_sim::machine::pretend::Phase::Off, LIMIT).await;
    console.send("lost\r").await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    tool.ok("power on").await;
    machine.wait_phase(bmc_sim::machine::pretend::Phase::Running, LIMIT).await;
    console.send("who\r").await;
    console.expect("m login: who").await;
    lab.shutdown().await;
}
