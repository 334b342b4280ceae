//! From a click to the installer on a simulated machine, and everything that can go wrong on the way.

use std::time::{Duration, Instant};

use app::api::{EventKind, FileRole, Machine, MachineState, PowerAnswer, PowerState, StateAnswer};
use axum::http::StatusCode;
use bmc_sim::{
    faults::Faults,
    machine::{Firmware, Power},
};
use serde_json::json;

use crate::{
    fixtures::assign,
    simulated::{PASSWORD, Simulated},
    support::Engine,
};

const LONG: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn provisioning_boots_the_machine_into_the_installer_and_tells_every_step() {
    for (engine, firmware) in Engine::BOTH.into_iter().zip([Firmware::Bios, Firmware::UefiX64]) {
        let lab = Simulated::start(engine, firmware).await;
        lab.preseed("d-i netcfg/get_hostname string {{ hostname }}\n").await;
        let answer = lab.admin.post(&lab.path("/state"), &json!({ "state": "provision" })).await;
        assert_eq!(answer.body_of::<StateAnswer>(StatusCode::ACCEPTED).state, MachineState::Provisioning);
        lab.sim().wait_serial(0, "d-i netcfg/get_hostname string sim", LONG).await.unwrap();
        lab.sim().wait_serial(0, "Power down", LONG).await.unwrap();
        lab.event(|event| matches!(event, EventKind::PreseedAccess { .. })).await;
        lab.event(|event| matches!(event, EventKind::FileFetched { role: FileRole::Loader, .. })).await;
        let steps: Vec<&str> = lab
            .events()
            .await
            .iter()
            .filter_map(|event| match event {
                EventKind::BootDevice { device, efi: asked, persistent: false } if device == "pxe" && !asked => Some("boot device"),
                EventKind::StateChange { state: MachineState::Provisioning, .. } => Some("state"),
                EventKind::PowerChange { power } if power == "pxe_reboot" => Some("power"),
                EventKind::FileFetched { role: FileRole::Loader, .. } => Some("loader"),
                EventKind::TftpReq { netboot: true, .. } => Some("configuration"),
                EventKind::FileFetched { role: FileRole::Kernel, .. } => Some("kernel"),
                EventKind::FileFetched { role: FileRole::Initrd, .. } => Some("initrd"),
                EventKind::PreseedAccess { .. } => Some("preseed"),
                _ => None,
            })
            .collect();
        assert_eq!(
            steps,
            ["boot device", "state", "power", "loader", "configuration", "kernel", "initrd", "preseed"],
            "{:#?}",
            lab.events().await
        );
        let machine = lab.machine().await;
        assert!(machine.netboot_enabled);
        assert_eq!(machine.state, MachineState::Provisioning);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn power_words_do_what_they_say() {
    let lab = Simulated::start(Engine::Sqlite, Firmware::Bios).await;
    let power = lab.path("/power");
    assert_eq!(lab.admin.get(&power).await.ok::<PowerAnswer>().state, PowerState::Off);
    for (word, expected) in
        [("on", Power::On), ("reboot", Power::On), ("disk_reboot", Power::On), ("bios_reboot", Power::On), ("off", Power::Off)]
    {
        lab.admin.post(&power, &json!({ "state": word })).await.body_of::<PowerAnswer>(StatusCode::ACCEPTED);
        for _ in 0..100 {
            if lab.sim().power() == expected {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(lab.sim().power(), expected, "{word}");
    }
    for bad in [json!({ "state": "explode" }), json!({ "state": "on", "extra": 1 }), json!({}), json!({ "state": "" })] {
        lab.admin.post(&power, &bad).await.error(400);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_assignee_or_an_admin_powers_and_provisions() {
    let lab = Simulated::start(Engine::Sqlite, Firmware::Bios).await;
    let ann = lab.app.user("ann").await;
    let requests = [("/power", json!({ "state": "on" })), ("/state", json!({ "state": "provision" })), ("/console", json!({}))];
    for (path, body) in &requests {
        ann.post(&lab.path(path), body).await.error(403);
        lab.app.anonymous().post(&lab.path(path), body).await.error(401);
    }
    ann.put(&lab.path("/state"), &json!({ "state": "ready" })).await.error(403);
    assert_eq!(lab.sim().power(), Power::Off);
    assign(&lab.admin, &lab.machine, "ann").await;
    assert_eq!(ann.post(&lab.path("/power"), &json!({ "state": "on" })).await.status, 202);
    assert_eq!(ann.post(&lab.path("/console"), &json!({})).await.status, 200);
    ann.put(&lab.path("/state"), &json!({ "state": "ready" })).await.ok::<StateAnswer>();
    assert_eq!(lab.machine().await.state, MachineState::Ready);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_provisioning_lacks_is_named() {
    let lab = Simulated::start(Engine::Sqlite, Firmware::Bios).await;
    let provision = async || lab.admin.post(&lab.path("/state"), &json!({ "state": "provision" })).await;
    let change = async |body: serde_json::Value| lab.admin.put(&lab.path(""), &body).await.ok::<Machine>();
    let kernel = lab.machine.kernel_id;
    change(json!({ "kernel_id": null })).await;
    assert_eq!(provision().await.error(400).errors, ["provisioning requires a kernel"]);
    change(json!({ "kernel_id": kernel, "subarch": null })).await;
    assert_eq!(provision().await.error(400).errors, ["provisioning requires a subarch"]);
    change(json!({ "subarch": "net", "bmc_id": null })).await;
    assert_eq!(provision().await.error(400).errors, ["provisioning requires a BMC"]);
    assert_eq!(
        lab.admin.post(&lab.path("/power"), &json!({ "state": "on" })).await.error(400).errors,
        ["power state changes require a BMC"]
    );
    assert_eq!(lab.machine().await.state, MachineState::Unknown);
    for bad in ["", "p", "ready"] {
        lab.admin.post(&lab.path("/state"), &json!({ "state": bad })).await.error(400);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_bmc_password_is_said_changes_nothing_and_is_never_shown() {
    let lab = Simulated::start(Engine::Sqlite, Firmware::Bios).await;
    let wrong = "not-the-password";
    let bmc = lab.sim().bmc_addr();
    let change = json!({ "name": "sim-bmc", "type": "plain", "ip": bmc.ip(), "port": bmc.port(), "username": "lab", "password": wrong });
    lab.admin.put(&format!("/bmc/{}", lab.bmc_id), &change).await.ok::<app::api::Bmc>();
    let error = lab.admin.post(&lab.path("/state"), &json!({ "state": "provision" })).await.error(500);
    assert_eq!(error.error_type, "BMCError");
    assert!(error.errors[0].contains("sim-bmc") && error.errors[0].contains("password"), "{error}");
    let machine = lab.machine().await;
    assert_eq!((machine.state, machine.netboot_enabled), (MachineState::Unknown, false));
    assert_eq!((machine.power, lab.sim().power()), (PowerState::Unknown, Power::Off));
    let EventKind::BmcError { message, .. } = lab.event(|event| matches!(event, EventKind::BmcError { .. })).await else { unreachable!() };
    for text in [&error.errors[0], &message, &lab.admin.get("/bmc").await.text().to_owned()] {
        assert!(!text.contains(wrong) && !text.contains(PASSWORD), "{text}");
    }
    // reading the power is an answer, not an error
    let power: PowerAnswer = lab.admin.get(&lab.path("/power")).await.ok();
    assert_eq!(power.state, PowerState::BmcError);
    assert!(power.error.unwrap().contains("password"));
    // and the right password heals it at once
    let change = json!({ "name": "sim-bmc", "type": "plain", "ip": bmc.ip(), "port": bmc.port(), "password": PASSWORD });
    lab.admin.put(&format!("/bmc/{}", lab.bmc_id), &change).await.ok::<app::api::Bmc>();
    assert_eq!(lab.admin.get(&lab.path("/power")).await.ok::<PowerAnswer>().state, PowerState::Off);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_bmc_is_an_answer_within_five_seconds_and_delays_nobody() {
    let lab = Simulated::start(Engine::Sqlite, Firmware::Bios).await;
    lab.faults(Faults::unreachable());
    let since = Instant::now();
    let waiting = tokio::spawn({
        let (admin, path) = (lab.admin.clone(), lab.path("/power"));
        async move { admin.post(&path, &json!({ "state": "on" })).await }
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    let page = Instant::now();
    lab.machine().await;
    assert!(page.elapsed() < Duration::from_secs(1), "the machine's page waited {:?}", page.elapsed());
    let error = waiting.await.unwrap().error(500);
    assert!(since.elapsed() < Duration::from_millis(5500), "{:?}", since.elapsed());
    assert!(error.errors[0].contains("no answer"), "{error}");
    lab.event(|event| matches!(event, EventKind::BmcError { action, .. } if action == "power on")).await;
    lab.faults(Faults::default());
    assert_eq!(lab.admin.get(&lab.path("/power")).await.ok::<PowerAnswer>().state, PowerState::Off);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bmc_that_restarts_in_mid_session_is_logged_in_to_again() {
    let lab = Simulated::start(Engine::Sqlite, Firmware::Bios).await;
    assert_eq!(lab.admin.get(&lab.path("/power")).await.ok::<PowerAnswer>().state, PowerState::Off);
    lab.sim().restart_bmc();
    let mut state = PowerState::Unknown;
    for _ in 0..10 {
        state = lab.admin.get(&lab.path("/power")).await.ok::<PowerAnswer>().state;
        if state == PowerState::Off {
            break;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    assert_eq!(state, PowerState::Off);
    assert_eq!(lab.admin.post(&lab.path("/power"), &json!({ "state": "on" })).await.status, 202);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_poller_keeps_the_power_of_machines_nobody_asks_for() {
    let lab = Simulated::start(Engine::Sqlite, Firmware::Bios).await;
    let inner = lab.app.lab.clone();
    let stop = tokio_util::sync::CancellationToken::new();
    let roster = server::lab::power::Machines(inner.clone());
    let poller = tokio::spawn(server::bmc::poll(inner.fleet.clone(), roster, Duration::from_millis(200), 4, stop.clone()));
    let shows = async |wanted: PowerState| {
        for _ in 0..100 {
            if lab.machine().await.power == wanted {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("never {wanted:?}: {:?}", lab.machine().await);
    };
    shows(PowerState::Off).await;
    lab.sim().control(ipmi_client::ChassisControl::PowerUp).unwrap();
    shows(PowerState::On).await;
    lab.faults(Faults::unreachable());
    shows(PowerState::BmcError).await;
    assert!(lab.machine().await.power_error.unwrap().contains("no answer"));
    stop.cancel();
    poller.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_goes_away_leaves_no_provisioning_half_done() {
    let lab = Simulated::start(Engine::Sqlite, Firmware::Bios).await;
    // so slow that the client is gone before the BMC has answered once
    lab.faults(Faults { delay: Duration::from_millis(100), ..Faults::default() });
    let (path, body) = (lab.path("/state"), json!({ "state": "provision" }));
    let request = lab.admin.post(&path, &body);
    assert!(tokio::time::timeout(Duration::from_millis(500), request).await.is_err(), "the BMC was too quick for this test");
    lab.event(|event| matches!(event, EventKind::PowerChange { power } if power == "pxe_reboot")).await;
    assert_eq!(lab.sim().power(), Power::On);
    assert_eq!(lab.machine().await.state, MachineState::Provisioning);
}

#[tokio::test(flavor = "multi_thread")]
async fn b16_an_installed_machine_that_phones_home_is_ready_and_boots_from_its_disk() {
    for engine in Engine::BOTH {
        let lab = Simulated::start(engine, Firmware::Bios).await;
        let preseed = lab.preseed("late_command wget -O- '{{ phone_home_url }}'\n").await;
        let rendered = lab.app.anonymous().get(&format!("/{preseed}")).await;
        let url = rendered.text().split('\'').nth(1).unwrap().to_owned();
        let path = url.strip_prefix(&format!("http://{}", lab.http)).unwrap().to_owned();
        lab.admin.post(&lab.path("/state"), &json!({ "state": "provision" })).await.body_of::<StateAnswer>(StatusCode::ACCEPTED);

        let machine = lab.app.anonymous();
        // cloud-init posts a form
        let answer = machine.send(axum::http::Method::POST, &format!("/{path}"), &[], "hostname=sim&pub_key_rsa=AAAA").await;
        assert_eq!(answer.ok::<StateAnswer>().state, MachineState::Ready);
        let now = lab.machine().await;
        assert_eq!((now.state, now.netboot_enabled), (MachineState::Ready, false));
        lab.event(|event| *event == EventKind::PhoneHome { client_ip: "127.0.0.1".into() }).await;
        let ready = EventKind::StateChange { state: MachineState::Ready, reason: "phone_home".into() };
        lab.event(|event| *event == ready).await;

        // told again, as at every boot, it is one more event and nothing else
        lab.admin.put(&lab.path(""), &json!({ "netboot_enabled": true })).await.ok::<Machine>();
        assert_eq!(machine.get(&format!("/{path}")).await.ok::<StateAnswer>().state, MachineState::Ready);
        assert!(lab.machine().await.netboot_enabled);
        assert_eq!(lab.events().await.iter().filter(|event| **event == ready).count(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_phones_home_for_a_machine_without_its_key() {
    let lab = Simulated::start(Engine::Sqlite, Firmware::Bios).await;
    let machine = lab.app.anonymous();
    for path in [lab.path("/phone-home"), lab.path("/phone-home?k=guess"), "/machine/999/phone-home?k=".into()] {
        assert_eq!(machine.post(&path, &json!({})).await.error(403).detail, "the key is not this machine's");
        machine.get(&path).await.error(403);
    }
    assert!(!lab.events().await.iter().any(|event| matches!(event, EventKind::PhoneHome { .. })));
}
