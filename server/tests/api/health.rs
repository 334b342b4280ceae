//! How BMCs are doing: seen by the poller, told in resources and over the stream, and the cipher suite kept for each.

use std::time::Duration;

use app::api::{Bmc, BmcHealth, LabEvent, PowerAnswer, PowerState, Suite};
use axum::http::StatusCode;
use bmc_sim::{LabConfig, MachineConfig, User, faults::Faults, machine::Firmware};
use ipmi_client::CipherSuite;
use serde_json::json;
use server::{bmc, lab::power};

use crate::{
    simulated::{MAC, PASSWORD, Simulated},
    stream::Messages,
    support::{Client, Engine},
};

async fn bmc(admin: &Client, id: i64) -> Bmc {
    admin.get(&format!("/bmc/{id}")).await.ok()
}

/// Waits until the BMC is as wanted.
async fn becomes(admin: &Client, id: i64, wanted: impl Fn(&Bmc) -> bool) -> Bmc {
    for _ in 0..600 {
        let now = bmc(admin, id).await;
        if wanted(&now) {
            return now;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{:?}", bmc(admin, id).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bmc_that_goes_and_comes_back_is_told_everywhere() {
    for engine in Engine::BOTH {
        let lab = Simulated::start(engine, Firmware::Bios).await;
        assert_eq!(bmc(&lab.admin, lab.bmc_id).await.health, BmcHealth::default());
        let mut messages = Messages::open(&lab.admin, &[]).await;
        let LabEvent::Snapshot { bmcs, .. } = messages.next().await.unwrap().1 else { panic!("no snapshot") };
        assert_eq!(bmcs.iter().map(|status| (status.bmc, &status.health)).collect::<Vec<_>>(), [(lab.bmc_id, &BmcHealth::default())]);
        let mut told = async || loop {
            if let (_, LabEvent::BmcHealth { bmc, health }) = messages.next().await.unwrap() {
                assert_eq!(bmc, lab.bmc_id);
                return health;
            }
        };
        lab.poll();
        let well = told().await;
        assert_eq!((well.reachable, &well.error), (Some(true), &None));
        assert!(well.last_answer.is_some());

        lab.faults(Faults::unreachable());
        let silent = told().await;
        let error = silent.error.clone().unwrap();
        assert!(silent.reachable == Some(false) && error.contains("no answer") && silent.last_answer.is_some(), "{silent:?}");
        // in the BMC, in the machine, and in the list of machines
        assert_eq!(bmc(&lab.admin, lab.bmc_id).await.health, silent);
        // the poller notes the power after that
        let mut machine = lab.machine().await;
        for _ in 0..200 {
            if machine.power == PowerState::BmcError {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
            machine = lab.machine().await;
        }
        assert_eq!((machine.power, machine.bmc_health.as_ref()), (PowerState::BmcError, Some(&silent)));
        let all: Vec<app::api::Machine> = lab.admin.get("/machine?show_all=true").await.ok();
        assert_eq!(all[0].bmc_health.as_ref(), Some(&silent));

        lab.faults(Faults::default());
        let back = told().await;
        assert_eq!((back.reachable, back.error), (Some(true), None));
        lab.app.lab.shutdown.cancel();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_no_silence_and_another_login_starts_afresh() {
    let lab = Simulated::start(Engine::Sqlite, Firmware::Bios).await;
    let path = format!("/bmc/{}", lab.bmc_id);
    let address = json!({ "name": "sim-bmc", "ip": lab.sim().bmc_addr().ip() });
    let with = |key: &str, value: &str| {
        let mut body = address.clone();
        body[key] = value.into();
        body
    };
    lab.admin.put(&path, &with("password", "wrong")).await.ok::<Bmc>();
    lab.poll();
    let refused = becomes(&lab.admin, lab.bmc_id, |bmc| bmc.health.error.is_some()).await;
    assert_eq!(refused.health.reachable, Some(true));
    assert!(refused.health.error.unwrap().contains("wrong password"));
    // a corrected password is tried at once, not after the pause that refusals have earned
    lab.admin.put(&path, &with("password", PASSWORD)).await.ok::<Bmc>();
    becomes(&lab.admin, lab.bmc_id, |bmc| bmc.health.reachable == Some(true) && bmc.health.error.is_none()).await;
    // a machine without a BMC has no health
    lab.admin.put(&lab.path(""), &json!({ "bmc_id": null })).await.ok::<app::api::Machine>();
    assert_eq!(lab.machine().await.bmc_health, None);
    lab.app.lab.shutdown.cancel();
}

/// After a power command the machine is asked several times; where its BMC was then is not where it is now.
#[tokio::test(flavor = "multi_thread")]
async fn a_bmc_that_was_moved_is_no_longer_asked_where_it_was() {
    let lab = Simulated::start(Engine::Sqlite, Firmware::Bios).await;
    lab.admin.post(&lab.path("/power"), &json!({ "state": "pxe_reboot" })).await.body_of::<PowerAnswer>(StatusCode::ACCEPTED);
    // nobody listens there
    let moved = json!({ "name": "sim-bmc", "ip": lab.sim().bmc_addr().ip(), "port": 9 });
    lab.admin.put(&format!("/bmc/{}", lab.bmc_id), &moved).await.ok::<Bmc>();
    assert_eq!(lab.admin.get(&lab.path("/power")).await.ok::<PowerAnswer>().state, PowerState::BmcError);
    for _ in 0..100 {
        assert_eq!(bmc(&lab.admin, lab.bmc_id).await.health.reachable, Some(false));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bmc_that_became_weaker_is_refused_until_an_admin_says_it_may() {
    let lab = Simulated::start(Engine::Sqlite, Firmware::Bios).await;
    lab.poll();
    becomes(&lab.admin, lab.bmc_id, |bmc| bmc.cipher_suite.map(Suite::number) == Some(17)).await;
    lab.app.lab.shutdown.cancel();

    // at the same address now stands one that knows only the weaker suite, and the server has been restarted
    let Simulated { app, simulator, machine, bmc_id, tftp, .. } = lab;
    let address = simulator.machines()[0].bmc_addr();
    simulator.shutdown().await;
    let user = User::new("lab", PASSWORD, ipmi_client::Privilege::Administrator);
    let mut config = MachineConfig::new("sim", MAC.parse().unwrap(), Firmware::Bios, tftp, vec![user]);
    config.bmc_addr = address;
    config.suites = vec![CipherSuite::Suite3];
    let _weaker = bmc_sim::Lab::start(LabConfig { machines: vec![config] }).await.unwrap();
    let app = app.restarted().await;
    let admin = app.admin().await;

    let power = format!("/machine/{}/power", machine.id);
    let answer: PowerAnswer = admin.get(&power).await.ok();
    let error = answer.error.unwrap();
    assert!(error.contains("cipher suite 17") && error.contains("an administrator can make it forget its cipher suite"), "{error}");
    assert_eq!(bmc(&admin, bmc_id).await.health.error, Some(error));

    let forget = json!({ "name": "sim-bmc", "ip": address.ip(), "cipher_suite": null });
    app.user("ann").await.put(&format!("/bmc/{bmc_id}"), &forget).await.error(403);
    assert_eq!(admin.put(&format!("/bmc/{bmc_id}"), &forget).await.ok::<Bmc>().cipher_suite, None);
    let answer: PowerAnswer = admin.get(&power).await.ok();
    assert_eq!((answer.state, answer.error), (PowerState::Off, None));
    let lab = app.lab.clone();
    tokio::spawn(bmc::poll(lab.fleet.clone(), power::Machines(lab.clone()), Duration::from_millis(500), 8, lab.shutdown.clone()));
    becomes(&admin, bmc_id, |bmc| bmc.cipher_suite.map(Suite::number) == Some(3)).await;
    lab.shutdown.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_and_an_operators_account_are_enough_for_power() {
    let lab = Simulated::start(Engine::Sqlite, Firmware::Bios).await;
    let user = User::new("op", PASSWORD, ipmi_client::Privilege::Operator);
    let mut config = MachineConfig::new("other", "52:54:00:77:00:02".parse().unwrap(), Firmware::Bios, lab.tftp, vec![user]);
    config.kg = Some("bmc-key-8".into());
    let simulator = bmc_sim::Lab::start(LabConfig { machines: vec![config] }).await.unwrap();
    let at = simulator.machines()[0].bmc_addr();
    for backend in ["native", "ipmitool"] {
        let change = async |besides: serde_json::Value| {
            let mut body = json!({ "name": "sim-bmc", "ip": at.ip(), "port": at.port(), "username": "op", "backend": backend });
            body.as_object_mut().unwrap().extend(besides.as_object().unwrap().clone());
            let bmc: Bmc = lab.admin.put(&format!("/bmc/{}", lab.bmc_id), &body).await.ok();
            let answer: PowerAnswer = lab.admin.get(&lab.path("/power")).await.ok();
            (bmc, answer)
        };
        let (_, answer) = change(json!({ "key": "", "privilege_level": "admin" })).await;
        assert_eq!(answer.state, PowerState::BmcError, "{backend}: without its key");
        let (bmc, answer) = change(json!({ "key": "bmc-key-8" })).await;
        assert_eq!((bmc.has_key, answer.state), (true, PowerState::BmcError), "{backend}: more than the account may");
        if backend == "native" {
            assert!(answer.error.as_ref().unwrap().contains("privilege"), "{answer:?}");
        }
        let (bmc, answer) = change(json!({ "privilege_level": "operator" })).await;
        assert_eq!((bmc.privilege_level, answer.error), (app::api::BmcPrivilege::Operator, None), "{backend}");
        assert_eq!(answer.state, PowerState::Off);
        // in nobody's sight, not even in the record of changes
        let seen = lab.admin.get(&format!("/bmc/{}", lab.bmc_id)).await.text().to_owned() + lab.admin.get("/audit").await.text();
        assert!(!seen.contains("bmc-key-8"), "{seen}");
    }
}

/// An address or password that is wrong is to be known before a machine relies on it.
#[tokio::test(flavor = "multi_thread")]
async fn a_bmc_without_a_machine_is_asked_too() {
    for engine in Engine::BOTH {
        let lab = Simulated::start(engine, Firmware::Bios).await;
        lab.admin.delete(&lab.path("")).await.no_content();
        lab.poll();
        becomes(&lab.admin, lab.bmc_id, |bmc| bmc.health.reachable == Some(true) && bmc.health.error.is_none()).await;
        let path = format!("/bmc/{}", lab.bmc_id);
        let with = |password: &str| json!({ "name": "sim-bmc", "ip": lab.sim().bmc_addr().ip(), "password": password });
        lab.admin.put(&path, &with("wrong")).await.ok::<Bmc>();
        let refused = becomes(&lab.admin, lab.bmc_id, |bmc| bmc.health.error.is_some()).await;
        assert!(refused.health.reachable == Some(true) && refused.health.error.unwrap().contains("wrong password"));
        lab.admin.put(&path, &with(PASSWORD)).await.ok::<Bmc>();
        becomes(&lab.admin, lab.bmc_id, |bmc| bmc.health.reachable == Some(true) && bmc.health.error.is_none()).await;
        // nobody listens there
        let new = json!({ "name": "lonely", "ip": "127.0.0.1", "port": 9, "type": "moonshot" });
        let lonely: Bmc = lab.admin.post("/bmc", &new).await.created();
        becomes(&lab.admin, lonely.id, |bmc| bmc.health.reachable == Some(false) && bmc.health.error.is_some()).await;
        lab.app.lab.shutdown.cancel();
    }
}
