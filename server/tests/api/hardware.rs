//! Inventory, sensors and event log, read from a BMC through the API.

use std::time::Duration;

use app::api::{Bmc, Fru, Machine, PowerAnswer, SelEntry, Sensor, SensorState};
use axum::http::{Method, StatusCode};
use bmc_sim::{faults::Faults, machine::Firmware};
use serde_json::json;

use crate::{
    fixtures::{assign, machine, statuses},
    simulated::Simulated,
    support::Engine,
};

const PARTS: [&str; 3] = ["/fru", "/sensors", "/sel"];

#[tokio::test(flavor = "multi_thread")]
async fn what_the_makers_wrote_is_told() {
    let lab = Simulated::start(Engine::Sqlite, Firmware::Bios).await;
    let fru: Fru = lab.admin.get(&lab.path("/fru")).await.ok();
    let (board, product) = (fru.board.unwrap(), fru.product.unwrap());
    assert!(!board.serial.is_empty() && !board.manufacturer.is_empty() && !product.name.is_empty());
    assert_eq!(board.manufactured.unwrap().day(), "2024-01-01");
    assert_eq!(fru.chassis.unwrap().kind, "Rack mount chassis");
    assert!(fru.damaged.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn sensors_read_with_power_what_they_cannot_without() {
    let lab = Simulated::start(Engine::Sqlite, Firmware::Bios).await;
    let read = async || lab.admin.get(&lab.path("/sensors")).await.ok::<Vec<Sensor>>();
    let off = read().await;
    let find = |list: &[Sensor], name: &str| list.iter().find(|sensor| sensor.name == name).unwrap().clone();
    assert_eq!(find(&off, "CPU Temp").state, SensorState::Unavailable);
    let inlet = find(&off, "Inlet Temp");
    assert_eq!((inlet.reading, inlet.unit.as_str(), inlet.state), (Some(22.0), "°C", SensorState::Ok));
    assert_eq!((inlet.thresholds.lower_warning, inlet.thresholds.upper_critical), (Some(5.0), Some(42.0)));
    lab.admin.post(&lab.path("/power"), &json!({ "state": "on" })).await.body_of::<PowerAnswer>(StatusCode::ACCEPTED);
    for _ in 0..200 {
        if find(&read().await, "CPU Temp").reading == Some(46.0) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{:?}", find(&read().await, "CPU Temp"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_told_newest_first() {
    let lab = Simulated::start(Engine::Sqlite, Firmware::Bios).await;
    let read = async || lab.admin.get(&lab.path("/sel")).await.ok::<Vec<SelEntry>>();
    let before = read().await.len();
    lab.admin.post(&lab.path("/power"), &json!({ "state": "on" })).await.body_of::<PowerAnswer>(StatusCode::ACCEPTED);
    for _ in 0..200 {
        let log = read().await;
        if log.len() > before {
            assert!(log.windows(2).all(|pair| pair[0].id > pair[1].id), "{log:?}");
            assert!(log.iter().all(|entry| !entry.sensor.is_empty() && !entry.event.is_empty()), "{log:?}");
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("switching on left no trace: {:?}", read().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_command_the_machine_may_ask() {
    let lab = Simulated::start(Engine::Sqlite, Firmware::Bios).await;
    let requests = PARTS.map(|part| (Method::GET, lab.path(part), json!(null)));
    assert_eq!(statuses(&lab.app.anonymous(), &requests).await, [401; 3]);
    let ann = lab.app.user("ann").await;
    assert_eq!(statuses(&ann, &requests).await, [403; 3]);
    assign(&lab.admin, &lab.machine, "ann").await;
    assert_eq!(statuses(&ann.token().await, &requests).await, [200; 3]);
    let without = machine(&lab.admin, "without-bmc").await;
    let requests = PARTS.map(|part| (Method::GET, format!("/machine/{}{part}", without.id), json!(null)));
    assert_eq!(statuses(&lab.admin, &requests).await, [400; 3]);
    let requests = PARTS.map(|part| (Method::GET, format!("/machine/9999{part}"), json!(null)));
    assert_eq!(statuses(&lab.admin, &requests).await, [404; 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bmc_that_refuses_is_502_a_silent_one_504() {
    let lab = Simulated::start(Engine::Sqlite, Firmware::Bios).await;
    let bmc = |besides: serde_json::Value| {
        let mut change = json!({ "name": "sim-bmc", "ip": lab.sim().bmc_addr().ip() });
        change.as_object_mut().unwrap().extend(besides.as_object().unwrap().clone());
        let (admin, path) = (lab.admin.clone(), format!("/bmc/{}", lab.bmc_id));
        async move { admin.put(&path, &change).await.ok::<Bmc>() }
    };
    // what is not there is said, not made up
    bmc(json!({ "backend": "ipmitool" })).await;
    for part in PARTS {
        assert!(lab.admin.get(&lab.path(part)).await.error(502).detail.contains("backend"), "{part}");
    }
    bmc(json!({ "backend": "native", "password": "wrong" })).await;
    for part in PARTS {
        let error = lab.admin.get(&lab.path(part)).await.error(502);
        assert_eq!(error.error_type, "BMCError");
        assert!(error.detail.contains("wrong password"), "{part}: {}", error.detail);
    }
    lab.faults(Faults::unreachable());
    let error = lab.admin.get(&lab.path("/sensors")).await.error(504);
    assert!(error.detail.contains("no answer"), "{}", error.detail);
    assert_eq!(lab.admin.get(&lab.path("")).await.ok::<Machine>().bmc_health.unwrap().reachable, Some(false));
}
