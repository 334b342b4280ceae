//! What an owner can read from a client: counts, the suite that was agreed on, and how often something was tried.

use std::sync::Arc;
use std::time::Duration;

use ipmi_client::{CipherSuite, Client, Counters, ErrorKind, Metrics, Stage, SuitePolicy};
use ipmi_wire::command::{GetChassisStatus, GetDeviceId};

use crate::fake_bmc::{FakeBmc, Mishap};

#[tokio::test]
async fn a_quiet_life_is_counted() {
    let bmc = FakeBmc::start().await;
    let client = bmc.client();
    assert_eq!(client.counters(), Counters::default());
    client.device_id().await.unwrap();
    client.chassis_status().await.unwrap();
    // a busy machine may repeat a packet; nothing else happens by itself
    let counters = Counters { retransmissions: 0, ..client.counters() };
    assert_eq!(counters, Counters { requests: 2, sessions_opened: 1, ..Counters::default() });
}

#[tokio::test]
async fn mishaps_are_counted() {
    let bmc = FakeBmc::start().await;
    let metrics = Arc::new(Metrics::default());
    let client = Client::with_metrics(bmc.target(), Arc::clone(&metrics));
    bmc.mishaps::<GetChassisStatus>([Mishap::Lost, Mishap::AnswerLost]);
    client.chassis_status().await.unwrap();
    assert!(metrics.counters().retransmissions >= 2, "{:?}", metrics.counters());

    bmc.reboot();
    client.chassis_status().await.unwrap();
    let counters = metrics.counters();
    assert_eq!((counters.sessions_opened, counters.sessions_lost), (2, 1), "{counters:?}");
    assert_eq!((counters.malformed, counters.sessions_refused), (0, 0), "{counters:?}");

    bmc.script().garbage = true;
    client.chassis_status().await.unwrap_err();
    assert!(metrics.counters().malformed > 0, "{:?}", metrics.counters());
    bmc.script().garbage = false;

    bmc.script().no_session_left = true;
    let other = Client::with_metrics(bmc.target(), Arc::clone(&metrics));
    let before = metrics.counters().sessions_refused;
    other.device_id().await.unwrap_err();
    assert_eq!(metrics.counters().sessions_refused, before + 1, "one pair of counts for both");
    bmc.script().no_session_left = false;

    client.device_id().await.unwrap();
    bmc.script().dead = true;
    let before = metrics.counters();
    client.device_id().await.unwrap_err();
    let after = metrics.counters();
    assert!(after.timeouts + after.sessions_refused > before.timeouts + before.sessions_refused, "{after:?}");
}

#[tokio::test]
async fn never_below_the_strongest_suite_once_seen_even_after_a_restart() {
    let bmc = FakeBmc::start().await;
    let client = bmc.client();
    assert_eq!((client.suite_floor(), client.strongest_suite()), (CipherSuite::Suite3, None));
    client.device_id().await.unwrap();
    // what the owner stores
    let stored = client.suite_floor().id();
    assert_eq!(stored, 17);
    drop(client);

    // somebody between us and the BMC, or a BMC that was reset
    bmc.script().suites = vec![CipherSuite::Suite3];
    let mut target = bmc.target();
    target.suites = SuitePolicy::not_below(CipherSuite::from_id(stored));
    let careful = Client::new(target.clone());
    let error = careful.device_id().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Downgrade { at_least: CipherSuite::Suite17 });
    assert!(error.to_string().contains("check its configuration"), "{error}");
    assert_eq!(careful.suite_floor(), CipherSuite::Suite17);
    // a new BMC starts from the bottom
    target.suites = SuitePolicy::not_below(None);
    Client::new(target).device_id().await.unwrap();
}

#[tokio::test]
async fn errors_name_bmc_attempt_stage_and_what_to_check() {
    let bmc = FakeBmc::start().await;
    let client = bmc.client();
    client.device_id().await.unwrap();
    bmc.mishaps::<GetChassisStatus>([Mishap::Lost, Mishap::Lost, Mishap::Code(0xd3)]);
    let error = client.chassis_status().await.unwrap_err();
    assert_eq!((error.bmc, error.stage()), (bmc.addr, Some(Stage::Command("Get Chassis Status"))));
    assert!(error.attempt >= 3, "{error:?}");
    let wanted = format!("BMC {}, attempt {}: Get Chassis Status failed: destination unavailable (0xd3)", bmc.addr, error.attempt);
    assert_eq!(error.to_string(), wanted);

    let mut target = bmc.target();
    target.username = "nobody".into();
    let error = Client::new(target).device_id().await.unwrap_err();
    assert_eq!((error.stage(), error.attempt), (Some(Stage::Authentication), 1));
    assert!(error.to_string().contains("check the user name"), "{error}");

    bmc.script().dead = true;
    let mut target = bmc.target();
    target.timeouts.request = Duration::from_millis(900);
    let error = Client::new(target).device_id().await.unwrap_err();
    assert_eq!(error.stage(), Some(Stage::Discovery));
    assert!(error.attempt >= 2 && error.to_string().contains(&format!("after {} attempts", error.attempt)), "{error}");
    bmc.script().dead = false;
    assert!(!bmc.seen::<GetDeviceId>().is_empty());
}
