//! Faults, as a client sees them.

use std::time::{Duration, Instant};

use bmc_sim::{
    Faults,
    faults::{Mute, SolFault},
};
use ipmi_wire::{
    NetFn,
    command::{Command, GetChannelCipherSuites, GetChassisStatus},
    session::PayloadType,
};

use crate::support::{Ipmitool, LIMIT, lab, machine};

#[tokio::test]
async fn a_client_that_repeats_gets_through_a_bad_network() {
    let mut config = machine("m");
    config.max_sessions = 32;
    let (lab, machine) = lab(config).await;
    // no duplicates: ipmitool gives up on a second RAKP 2 ("Received an Unexpected RAKP 2 message")
    let faults = Faults { loss: 0.05, delay: Duration::from_millis(2), jitter: Duration::from_millis(3), ..Faults::default() };
    machine.set_faults(faults.clone());
    assert_eq!(machine.faults(), faults);
    // what is lost is repeated after a second; more often would make it wait long for the answer to a Close Session
    // that did arrive
    let tool = Ipmitool::admin(&machine, 17).with(&["-N", "1", "-R", "4"]);
    for _ in 0..5 {
        assert_eq!(tool.ok("power status").await, "Chassis Power is off");
    }
    lab.shutdown().await;
}

#[tokio::test]
async fn a_repeated_command_is_executed_once() {
    let mut config = machine("m");
    config.powered = true;
    let (lab, machine) = lab(config).await;
    machine.wait_serial(0, "login:", LIMIT).await.unwrap();
    // ipmitool gives up on copies of the answers that set its session up: this is about commands within one
    let mut shell = Ipmitool::admin(&machine, 17).terminal("shell");
    shell.send("power status\r").await;
    shell.expect("Chassis Power is on").await;
    machine.set_faults(Faults { duplication: 1.0, ..Faults::default() });
    let before = machine.counters();
    let mark = machine.serial_mark();
    shell.send("power reset\r").await;
    shell.expect("Chassis Power Control: Reset").await;
    machine.wait_serial(mark, "login:", LIMIT).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let seen = machine.wait_serial(mark, "login:", LIMIT).await.unwrap();
    assert_eq!(seen.matches("Pretend BIOS").count(), 1, "{seen}");
    let after = machine.counters();
    assert!(after.received >= before.received + 2, "the copy has arrived: {before:?} {after:?}");
    assert_eq!(after.sessions, before.sessions);
    lab.shutdown().await;
}

#[tokio::test]
async fn an_unreachable_bmc_is_one_until_it_is_not() {
    let (lab, machine) = lab(machine("m")).await;
    let tool = Ipmitool::admin(&machine, 17).with(&["-N", "1", "-R", "1"]);
    machine.set_faults(Faults::unreachable());
    tool.fails("power status").await;
    assert_eq!(machine.counters().received, 0);
    machine.set_faults(Faults::default());
    tool.ok("power status").await;
    lab.shutdown().await;
}

#[tokio::test]
async fn chosen_questions_go_unanswered() {
    let mut config = machine("m");
    // what a client gave up on half-way stays open at the BMC
    config.max_sessions = 32;
    let (lab, machine) = lab(config).await;
    let quick = || Ipmitool::admin(&machine, 17).with(&["-N", "1", "-R", "1"]);
    let status = Mute::Command { net_fn: NetFn::CHASSIS, cmd: GetChassisStatus::CMD };
    for mute in [status, Mute::Setup(PayloadType::OpenSessionRequest), Mute::Setup(PayloadType::Rakp1), Mute::Setup(PayloadType::Rakp3)] {
        machine.set_faults(Faults::muting([mute]));
        quick().fails("power status").await;
    }
    // as ipmi_sim does; a client that was told the suite need not ask
    machine.set_faults(Faults::muting([Mute::Command { net_fn: NetFn::APP, cmd: GetChannelCipherSuites::CMD }, Mute::Ping]));
    let start = Instant::now();
    quick().ok("power status").await;
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    lab.shutdown().await;
}

#[tokio::test]
async fn sol_can_be_refused_and_held() {
    let mut config = machine("m");
    config.powered = true;
    let (lab, machine) = lab(config).await;
    machine.wait_serial(0, "login:", LIMIT).await.unwrap();
    let tool = Ipmitool::admin(&machine, 17);
    for (fault, words) in [
        (SolFault::Disabled, "SOL payload disabled"),
        (SolFault::Limit, "SOL payload activation limit reached"),
        (SolFault::Held, "SOL payload already active on another session"),
    ] {
        machine.set_faults(Faults { sol: fault, ..Faults::default() });
        let message = tool.fails("sol activate").await;
        assert!(message.contains(words), "{fault:?}: {message}");
    }
    // held by somebody who is nowhere: a take-over is what helps
    tool.ok("sol deactivate").await;
    assert_eq!(machine.faults().sol, SolFault::None);

    machine.set_faults(Faults { sol: SolFault::Unavailable, ..Faults::default() });
    let mut console = tool.terminal("sol activate");
    console.expect("SOL Session operational").await;
    let mark = machine.serial_mark();
    console.send("root\r").await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(machine.serial_mark(), mark, "nothing arrives at the machine");
    // the tool has thrown away what was refused
    machine.set_faults(Faults::default());
    console.send("root\r").await;
    console.expect("root\r\nPassword: ").await;
    lab.shutdown().await;
}

#[tokio::test]
async fn a_bmc_that_restarts_forgets_its_sessions_and_nothing_else() {
    let mut config = machine("m");
    config.powered = true;
    let (lab, machine) = lab(config).await;
    machine.wait_serial(0, "login:", LIMIT).await.unwrap();
    let tool = Ipmitool::admin(&machine, 17);
    let mut console = tool.terminal("sol activate");
    console.expect("SOL Session operational").await;
    assert_eq!(machine.sessions().len(), 1);
    let mark = machine.serial_mark();
    machine.restart_bmc();
    assert!(machine.sessions().is_empty());
    // deaf for 300 ms, then there again; the machine has not noticed
    assert_eq!(tool.with(&["-N", "1", "-R", "4"]).ok("power status").await, "Chassis Power is on");
    assert_eq!(machine.serial_mark(), mark);
    // the same by command
    Ipmitool::admin(&machine, 3).ok("mc reset cold").await;
    // the tool waits for no answer to this command, and may be gone before the BMC has it
    let restarted = async {
        while !machine.sessions().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(LIMIT, restarted).await.expect("a BMC that restarts forgets its sessions");
    Ipmitool::admin(&machine, 3).with(&["-N", "1", "-R", "4"]).ok("power status").await;
    lab.shutdown().await;
}

/// Whatever arrives, the BMC lives on and answers nothing to what is no question.
#[tokio::test]
async fn garbage_is_counted_and_ignored() {
    let (lab, machine) = lab(machine("m")).await;
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(machine.bmc_addr()).await.unwrap();
    let mut datagrams: Vec<Vec<u8>> = vec![
        vec![],
        vec![6],
        vec![6, 0, 0xff, 7],
        // a session nobody opened; lengths that lie; an authentication type of IPMI 1.5
        [&[6, 0, 0xff, 7, 6, 0xc0, 1, 2, 3, 4, 1, 0, 0, 0, 16, 0][..], &[0; 48]].concat(),
        vec![6, 0, 0xff, 7, 6, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 1],
        [&[6, 0, 0xff, 7, 2, 0, 0, 0, 0, 9, 9, 9, 9][..], &[7; 40]].concat(),
    ];
    let mut dice = 1u32;
    for len in 0..400usize {
        let mut datagram: Vec<u8> = vec![6, 0, 0xff, 7, 6];
        datagram.extend((0..len).map(|_| {
            dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            dice.to_be_bytes()[0]
        }));
        datagrams.push(datagram);
    }
    let count = datagrams.len() as u64;
    for datagram in datagrams {
        socket.send(&datagram).await.unwrap();
        // in step with the BMC, so that the socket's buffer never overflows
        if datagram.len() % 16 == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    for _ in 0..500 {
        if machine.counters().received == count {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let counters = machine.counters();
    assert_eq!((counters.received, counters.sessions, counters.commands), (count, 0, 0));
    assert!(counters.rejected > count - 20, "{counters:?}");
    assert!(counters.sent < 20, "{counters:?}");
    Ipmitool::admin(&machine, 17).ok("power status").await;
    lab.shutdown().await;
}

/// An ipmitool that gives up after a second.
fn quick(machine: &bmc_sim::Machine) -> Ipmitool {
    Ipmitool::admin(machine, 17).with(&["-N", "1", "-R", "1"])
}

#[tokio::test]
async fn nobody_gets_a_session_when_there_is_none_left() {
    let (lab, machine) = lab(machine("m")).await;
    machine.set_faults(Faults { no_sessions: true, ..Faults::default() });
    let message = quick(&machine).with(&["-v"]).fails("power status").await;
    assert!(message.contains("insufficient resources"), "{message}");
    machine.set_faults(Faults::default());
    quick(&machine).ok("power status").await;
    lab.shutdown().await;
}

#[tokio::test]
async fn half_open_sessions_use_up_the_room_until_they_expire() {
    let mut config = machine("m");
    config.max_sessions = 2;
    config.timing.session_timeout = Duration::from_secs(3);
    config.faults = Faults { half_open: 1.0, ..Faults::default() };
    let (lab, machine) = lab(config).await;
    // the console never learns that its session is open
    quick(&machine).fails("power status").await;
    assert!(!machine.sessions().is_empty());
    for _ in 0..3 {
        quick(&machine).fails("power status").await;
    }
    machine.set_faults(Faults::default());
    for _ in 0..1500 {
        if machine.sessions().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    quick(&machine).ok("power status").await;
    lab.shutdown().await;
}

/// ipmitool believes a message whatever its checksum; what it does not believe is a wrong authentication code.
#[tokio::test]
async fn wrong_authentication_codes_are_not_believed() {
    let (lab, machine) = lab(machine("m")).await;
    machine.set_faults(Faults { bad_integrity: 1.0, ..Faults::default() });
    let message = quick(&machine).with(&["-v"]).fails("power status").await;
    assert!(!message.contains("Chassis Power is"), "{message}");
    machine.set_faults(Faults::default());
    assert_eq!(Ipmitool::admin(&machine, 17).ok("power status").await, "Chassis Power is off");
    lab.shutdown().await;
}
