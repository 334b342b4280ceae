//! BMCs that are spoken to by the program `ipmitool`: the real one, against simulated BMCs.

use std::{fs, path::Path, time::Duration};

use app::api::{Bmc, ConsoleStatus, EventKind, Line, PowerAnswer, PowerState};
use axum::http::StatusCode;
use bmc_sim::{
    faults::Faults,
    machine::{Firmware, Power},
};
use serde_json::{Value, json};
use server::bmc::ConsoleInput;

use crate::{
    consoles::{attach, connected, running, until},
    simulated::{PASSWORD, Simulated},
    support::Engine,
};

/// Has the lab's BMC spoken to by `ipmitool`, with these changes besides.
async fn by_ipmitool(lab: &Simulated, besides: Value) -> Bmc {
    let mut change = json!({ "name": "sim-bmc", "ip": lab.sim().bmc_addr().ip(), "backend": "ipmitool" });
    change.as_object_mut().unwrap().extend(besides.as_object().unwrap().clone());
    lab.admin.put(&format!("/bmc/{}", lab.bmc_id), &change).await.ok()
}

/// The command lines of the programs that talk to this BMC now.
fn talking_to(lab: &Simulated) -> Vec<String> {
    let port = format!("\0-p\0{}\0", lab.sim().bmc_addr().port());
    let processes = fs::read_dir("/proc").unwrap().filter_map(|entry| fs::read_to_string(entry.ok()?.path().join("cmdline")).ok());
    processes.filter(|line| line.contains("ipmitool") && line.contains(&port)).collect()
}

async fn sim_power(lab: &Simulated, wanted: Power) {
    for _ in 0..300 {
        if lab.sim().power() == wanted {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("not {wanted:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn power_and_boot_device() {
    let lab = Simulated::start(Engine::Sqlite, Firmware::Bios).await;
    by_ipmitool(&lab, json!({ "cipher_suite": 17 })).await;
    let power = lab.path("/power");
    assert_eq!(lab.admin.get(&power).await.ok::<PowerAnswer>(), PowerAnswer { state: PowerState::Off, error: None });
    for (word, expected) in
        [("on", Power::On), ("reboot", Power::On), ("bios_reboot", Power::On), ("off", Power::Off), ("pxe_reboot", Power::On)]
    {
        lab.admin.post(&power, &json!({ "state": word })).await.body_of::<PowerAnswer>(StatusCode::ACCEPTED);
        sim_power(&lab, expected).await;
    }
    let steps: Vec<String> = lab
        .events()
        .await
        .into_iter()
        .filter_map(|event| match event {
            EventKind::BootDevice { device, .. } => Some(device),
            EventKind::PowerChange { power } => Some(power),
            _ => None,
        })
        .collect();
    assert_eq!(steps, ["on", "reboot", "bios", "bios_reboot", "off", "pxe", "pxe_reboot"]);
    assert_eq!(lab.machine().await.bmc_health.unwrap().reachable, Some(true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_both_ways_with_the_password_on_no_command_line() {
    let lab = running().await;
    by_ipmitool(&lab, json!({})).await;
    let mut ann = attach(&lab, "ann").await;
    connected(&mut ann).await;
    let lines = talking_to(&lab);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(!lines[0].contains(PASSWORD), "{lines:?}");
    ann.input(ConsoleInput::Bytes("root\rany password\r".into())).await.unwrap();
    until(&mut ann, |seen, _| seen.contains("# ")).await;
    // what ipmitool would take for a command to itself goes to the machine
    ann.input(ConsoleInput::Bytes("echo over-the-wire\r~.\r~~\recho still-here\r".into())).await.unwrap();
    until(&mut ann, |seen, _| seen.matches("over-the-wire").count() >= 2 && seen.matches("still-here").count() >= 2 && seen.contains("~~"))
        .await;
    drop(ann);
    lab.app.lab.shutdown.cancel();
    lab.app.lab.consoles.closed().await;
    for _ in 0..300 {
        if talking_to(&lab).is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{:?} outlived its console", talking_to(&lab));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_held_by_another_is_taken_over_only_when_asked() {
    let lab = running().await;
    let mut native = attach(&lab, "ann").await;
    connected(&mut native).await;
    // another server, as it were: its console of the same machine is not this one's
    let other = server::bmc::Fleet::new(lab.app.lab.journal.clone(), "ipmitool".into());
    let target = server::bmc::BmcTarget {
        id: 1,
        name: "sim-bmc".into(),
        address: lab.sim().bmc_addr(),
        kind: app::api::BmcType::Plain,
        backend: app::api::BmcBackend::Ipmitool,
        quirks: Vec::new(),
        privilege: app::api::BmcPrivilege::Admin,
        key: String::new().into(),
        username: "lab".into(),
        password: PASSWORD.to_owned().into(),
        info: String::new(),
        floor: None,
    };
    let ipmitool = other.bmc(&target).unwrap();
    let refused = ipmitool.open_console(false).await.err().unwrap();
    assert_eq!(refused, server::bmc::BmcError::ConsoleBusy("sim-bmc".into()));
    let mut console = ipmitool.open_console(true).await.unwrap();
    console.writer.write(ConsoleInput::Break).await.unwrap();
    console.writer.write(ConsoleInput::Bytes("root".into())).await.unwrap();
    // a break in the middle of a line is beyond it, which is said
    console.writer.write(ConsoleInput::Break).await.unwrap();
    loop {
        match console.reader.next().await {
            server::bmc::ConsoleEvent::Notice(text) => {
                assert!(text.contains("press Enter"), "{text}");
                break;
            }
            server::bmc::ConsoleEvent::Closed(reason) => panic!("{reason}"),
            server::bmc::ConsoleEvent::Output(_) => {}
        }
    }
    drop(native);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_failure_says_what_to_do() {
    let lab = Simulated::start(Engine::Sqlite, Firmware::Bios).await;
    let power = lab.path("/power");
    let failure = async |besides: Value| {
        by_ipmitool(&lab, besides).await;
        let answer = lab.admin.post(&power, &json!({ "state": "on" })).await;
        (answer.error(500).detail, lab.machine().await.bmc_health.unwrap())
    };
    let (text, health) = failure(json!({ "password": "wrong-password" })).await;
    assert!(text.contains("check user name and password") && !text.contains("wrong-password"), "{text}");
    assert_eq!((health.reachable, health.error), (Some(true), Some(text)));
    let (text, _) = failure(json!({ "password": PASSWORD, "username": "nobody" })).await;
    assert!(text.contains("unauthorized name"), "{text}");
    lab.faults(Faults::unreachable());
    let (text, health) = failure(json!({ "username": "lab" })).await;
    assert!(text.contains("check address, cable"), "{text}");
    assert_eq!(health.reachable, Some(false));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_program_the_error_says_so() {
    let lab = Simulated::start_with(Engine::Sqlite, Firmware::Bios, |config| {
        config.ipmi.ipmitool = Path::new("/nowhere/ipmitool").into();
    })
    .await;
    by_ipmitool(&lab, json!({})).await;
    let text = lab.admin.post(&lab.path("/power"), &json!({ "state": "on" })).await.error(500).detail;
    assert!(text.contains("/nowhere/ipmitool is not there: install ipmitool"), "{text}");
    let health = lab.machine().await.bmc_health.unwrap();
    assert_eq!((health.reachable, health.error), (None, Some(text)), "the BMC was not asked");
    let mut ann = attach(&lab, "ann").await;
    until(&mut ann, |_, status| {
        matches!(status, Some(ConsoleStatus::Status { line: Line::Failed, message: Some(text), .. }) if text.contains("is not there"))
    })
    .await;
}
