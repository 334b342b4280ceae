//! What the lab is doing, in short.

use app::api::{CreatedToken, EventKind, Machine, MachineState, Overview, PowerCounts, PowerState, StateCounts, query_string};
use bmc_sim::{faults::Faults, machine::Firmware};
use serde_json::{Value, json};
use server::{bmc::PowerReading, journal::now_micros};
use store::NewEvent;

use crate::{
    fixtures::{arch, assign, machine},
    simulated::Simulated,
    support::{Auth, Client, Engine, TestApp},
};

async fn overview(who: &Client) -> Overview {
    who.get("/overview").await.ok()
}

/// An entry of a machine's log that is so many seconds old.
async fn happened(app: &TestApp, machine_id: i64, seconds: i64, event_type: &str, info: Value) {
    let mut tx = app.lab.store.begin().await.unwrap();
    let at = now_micros() - seconds * 1_000_000;
    let new = NewEvent { machine_id, user_id: None, username: None, at, event_type: event_type.into(), info: info.to_string() };
    store::events::insert(&mut tx, &new).await.unwrap();
    tx.commit().await.unwrap();
}

async fn is_provisioning(app: &TestApp, machine: i64) {
    let mut tx = app.lab.store.begin().await.unwrap();
    let mut row = store::machines::get(&mut tx, machine).await.unwrap().unwrap();
    row.state = MachineState::Provisioning.word().into();
    store::machines::update(&mut tx, &row).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn an_empty_lab_has_nothing_to_tell() {
    for app in TestApp::each().await {
        assert_eq!(overview(&app.admin().await).await, Overview::default());
        app.anonymous().get("/overview").await.error(401);
    }
}

#[tokio::test]
async fn machines_are_counted_by_state_and_power_and_by_who_has_them() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        let ann = app.user("ann").await;
        app.make_user("ben", false).await;
        let mut made = Vec::new();
        for number in 1..=14 {
            made.push(machine(&admin, &format!("d{number}")).await);
        }
        for own in &made[..11] {
            assign(&admin, own, "ben").await;
        }
        assign(&admin, &made[0], "ann").await;
        for (own, state) in
            [(&made[0], PowerState::On), (&made[1], PowerState::Off), (&made[2], PowerState::Off), (&made[3], PowerState::BmcError)]
        {
            app.lab.fleet.note_power(own.id, PowerReading { state, error: None });
        }
        admin.put(&format!("/machine/{}/state", made[4].id), &json!({ "state": "error" })).await.ok::<Value>();
        admin.put(&format!("/machine/{}/state", made[5].id), &json!({ "state": "ready" })).await.ok::<Value>();
        is_provisioning(&app, made[6].id).await;

        let seen = overview(&ann).await;
        // what is counted can be listed
        for (q, names) in [
            ("(= power \"on\")", vec![&made[0].name]),
            ("(= power \"off\")", vec![&made[1].name, &made[2].name]),
            ("(= power \"Unknown (BMC error)\")", vec![&made[3].name]),
        ] {
            let path = format!("/machine?show_all=true&{}", query_string(std::iter::once(("q", q))));
            let found: Vec<Machine> = ann.get(&path).await.ok();
            assert_eq!(found.iter().map(|own| &own.name).collect::<Vec<_>>(), names, "{q}");
        }
        assert_eq!((seen.machine_count, seen.free_count), (14, 3));
        assert_eq!(seen.states, StateCounts { provisioning: 1, ready: 1, error: 1, unknown: 11 });
        assert_eq!(seen.powers, PowerCounts { on: 1, off: 2, bmc_error: 1, unknown: 10 });
        let held: Vec<_> = seen.holders.iter().map(|holder| (holder.user.as_str(), holder.machine_count, holder.machines.len())).collect();
        assert_eq!(held, [("ben", 11, 10), ("ann", 1, 1)]);
        let names: Vec<_> = seen.holders[0].machines.iter().map(|own| own.name.as_str()).collect();
        assert_eq!(names, ["d1", "d2", "d3", "d4", "d5", "d6", "d7", "d8", "d9", "d10"]);
        assert_eq!((seen.holders[1].machines[0].id, seen.holders[1].machines[0].reason.as_str()), (made[0].id, "test"));
        // as the list of machines says, whoever asks, with whatever may read
        let token = admin.post("/self/token", &json!({ "description": "t", "scopes": ["read"] })).await.created::<CreatedToken>().secret;
        assert_eq!(overview(&admin.with(Auth::Token(format!("Bearer {token}")))).await, seen);
    }
}

#[tokio::test]
async fn of_many_only_the_first_are_named() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        for number in 1..=13 {
            let own = machine(&admin, &format!("d{number}")).await;
            is_provisioning(&app, own.id).await;
            happened(&app, own.id, 60 - number, "BMC_ERROR", json!({ "action": "on", "message": "no answer" })).await;
        }
        let seen = overview(&admin).await;
        assert_eq!((seen.states.provisioning, seen.provisioning.len()), (13, 12));
        let names: Vec<_> = seen.provisioning.iter().map(|own| own.machine.name.as_str()).collect();
        assert_eq!((names[1], names[11]), ("d2", "d12"));
        assert_eq!((seen.failure_count, seen.failures.len(), seen.failures_cut), (13, 12, false));
        assert_eq!((seen.failures[0].machine.as_str(), seen.failures[11].machine.as_str()), ("d13", "d2"));
    }
}

#[tokio::test]
async fn a_provisioning_tells_since_when_and_its_last_step() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        let own = machine(&admin, "d1").await;
        is_provisioning(&app, own.id).await;
        let only = async || overview(&admin).await.provisioning.remove(0);
        // what was before is not its step
        happened(&app, own.id, 90, "DHCP_REQ", json!({ "discover": true })).await;
        happened(&app, own.id, 60, "STATE_CHANGE", json!({ "state": "provisioning", "reason": "" })).await;
        let begun = only().await;
        assert!(begun.since.is_some() && begun.last.is_none(), "{begun:?}");
        happened(&app, own.id, 30, "DHCP_REQ", json!({ "discover": true })).await;
        happened(&app, own.id, 20, "DHCP_REQ", json!({ "discover": false })).await;
        let now = only().await;
        let step = Some(EventKind::DhcpReq { discover: false });
        assert_eq!((now.since, now.last.map(|event| event.what)), (begun.since, step.clone()));
        // somebody who looks at the console, or changes a setting, is no step; what fails is told
        happened(&app, own.id, 15, "CONSOLE_ACCESS", json!({})).await;
        happened(&app, own.id, 14, "CONSOLE", json!({ "status": "closed" })).await;
        happened(&app, own.id, 13, "SETTINGS_CHANGE", json!({ "changed": ["name"] })).await;
        assert_eq!(only().await.last.map(|event| event.what), step);
        happened(&app, own.id, 12, "BMC_ERROR", json!({ "action": "on", "message": "no answer" })).await;
        assert_eq!(only().await.last.map(|event| event.what.name().to_owned()), Some("BMC_ERROR".to_owned()));
    }
}

#[tokio::test]
async fn failures_are_of_the_last_day_and_tell_others_no_details() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        let ann = app.user("ann").await;
        arch(&admin, "x86_64").await;
        let (own, other) = (machine(&admin, "d1").await, machine(&admin, "d2").await);
        assign(&admin, &own, "ann").await;
        let fault = json!({ "action": "on", "message": "10.0.0.7 does not answer" });
        happened(&app, own.id, 86_400 + 60, "BMC_ERROR", fault.clone()).await;
        happened(&app, own.id, 50, "BMC_ERROR", fault.clone()).await;
        happened(&app, other.id, 40, "BMC_ERROR", fault).await;
        happened(&app, other.id, 30, "STATE_CHANGE", json!({ "state": "error", "reason": "" })).await;
        // no failures
        happened(&app, other.id, 20, "STATE_CHANGE", json!({ "state": "ready", "reason": "" })).await;
        happened(&app, other.id, 10, "POWER_CHANGE", json!({ "power": "on" })).await;
        let seen = overview(&ann).await;
        assert_eq!(seen.failure_count, 3);
        let told: Vec<_> = seen.failures.iter().map(|failure| (failure.machine.as_str(), failure.event.what.name())).collect();
        assert_eq!(told, [("d2", "STATE_CHANGE"), ("d2", "BMC_ERROR"), ("d1", "BMC_ERROR")]);
        let message = |index: usize| match &seen.failures[index].event.what {
            EventKind::BmcError { message, .. } => message.as_str(),
            other => panic!("{other:?}"),
        };
        assert_eq!((message(1), message(2)), ("", "10.0.0.7 does not answer"));
        // with the machine they go
        admin.delete(&format!("/machine/{}", other.id)).await;
        assert_eq!(overview(&admin).await.failure_count, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bmc_that_falls_silent_is_told_with_the_machines_behind_it_and_why_only_to_those_concerned() {
    for engine in Engine::BOTH {
        let lab = Simulated::start(engine, Firmware::Bios).await;
        let (ann, ben) = (lab.app.user("ann").await, lab.app.user("ben").await);
        assign(&lab.admin, &lab.machine, "ann").await;
        let well = overview(&ben).await;
        assert_eq!((well.bmc_count, well.unwell_count, well.unwell_bmcs.len()), (1, 0, 0));
        lab.faults(Faults::unreachable());
        lab.poll();
        let mut seen = well;
        for _ in 0..600 {
            if seen.unwell_count > 0 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            seen = overview(&ben).await;
        }
        assert_eq!((seen.bmc_count, seen.unwell_count, seen.unwell_bmcs.len()), (1, 1, 1));
        let own = &seen.unwell_bmcs[0];
        assert_eq!((own.id, own.name.as_str(), own.machine_count, own.machines[0].id), (lab.bmc_id, "sim-bmc", 1, lab.machine.id));
        assert_eq!(own.health.reachable, Some(false));
        assert!(own.health.error.as_ref().unwrap().contains("told to administrators"), "{own:?}");
        for who in [&lab.admin, &ann] {
            let own = overview(who).await.unwell_bmcs.remove(0);
            assert!(own.health.error.as_ref().unwrap().contains("no answer"), "{own:?}");
        }
        lab.app.lab.shutdown.cancel();
    }
}
