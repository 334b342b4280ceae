//! Taking a machine that nobody has.

use std::collections::BTreeMap;

use app::api::{ApiError, Assignee, Machine};
use axum::http::Method;
use serde_json::{Value, json};

use crate::{
    fixtures::{arch, assign, machine},
    support::{Engine, TestApp},
};

#[tokio::test]
async fn j8_the_first_free_machine_that_fits_becomes_the_callers() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        for name in ["d05-2", "d05-1", "d06-1"] {
            machine(&admin, name).await;
        }
        let ann = app.user("ann").await.token().await;
        let wanted = json!({ "query": "(=~ name \"d05\")", "reason": "kernel tests" });
        let got: Machine = ann.post("/machine/reservation", &wanted).await.ok();
        assert_eq!((got.name.as_str(), got.may_change), ("d05-1", true));
        assert_eq!(got.assignees[0].user, "ann");
        // b1: it is stored, not only answered
        let restarted = app.restarted().await;
        let admin = restarted.log_in("admin", &restarted.admin_password).await;
        let kept: Vec<Assignee> = admin.get(&format!("/machine/{}/assignee", got.id)).await.ok();
        assert_eq!((kept.len(), kept[0].user.as_str(), kept[0].reason.as_str()), (1, "ann", "kernel tests"));

        let ben = restarted.user("ben").await;
        assert_eq!(ben.post("/machine/reservation", &wanted).await.ok::<Machine>().name, "d05-2");
        let error = ben.post("/machine/reservation", &wanted).await.error(404);
        assert_eq!((error.error_type.as_str(), error.detail.as_str()), ("NotFound", "no matching machine"));
        assert_eq!(ben.post("/machine/reservation", &json!({ "query": null })).await.ok::<Machine>().name, "d06-1");
        ben.post("/machine/reservation", &json!({ "query": null })).await.error(404);
        // given back, it is free; a search of the list leaves out what it does not find
        ben.delete(&format!("/machine/{}/assignee/self", got.id)).await.error(404);
        admin.delete(&format!("/machine/{}/assignee/{}", got.id, kept[0].id)).await.no_content();
        ben.post("/machine/reservation", &json!({ "query": "", "search": "d06" })).await.error(404);
        assert_eq!(ben.post("/machine/reservation", &json!({ "query": "", "search": "D05-1" })).await.ok::<Machine>().name, "d05-1");
    }
}

#[tokio::test]
async fn what_is_no_reservation_is_told_and_reserves_nothing() {
    let app = TestApp::start(Engine::Sqlite).await;
    let admin = app.admin().await;
    arch(&admin, "x86_64").await;
    let d05 = machine(&admin, "d05-1").await;
    for (wrong, sentence) in [
        (json!({}), "missing field `query`"),
        (json!({ "query": 7 }), "query: invalid type"),
        (json!({ "query": "(= nome \"x\")" }), "`nome` is not a valid symbol, at character 4"),
        (json!({ "query": "(frob name \"x\")" }), "`frob` is not a valid operation"),
        (json!({ "query": "x".repeat(301) }), "at most 300 characters"),
        (json!({ "query": null, "reason": "x".repeat(141) }), "reason must be between 0 and 140"),
    ] {
        let error = admin.post("/machine/reservation", &wrong).await.error(400);
        assert!(error.detail.contains(sentence), "{sentence}: {}", error.detail);
    }
    assert_eq!(admin.get(&format!("/machine/{}/assignee", d05.id)).await.ok::<Value>(), json!([]));
    app.anonymous().post("/machine/reservation", &json!({ "query": null })).await.error(401);
}

/// All of them at the same time, each on a connection of its own.
#[tokio::test(flavor = "multi_thread")]
async fn b1_a_thousand_at_once_never_get_the_same_machine() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        for n in 0..100 {
            machine(&admin, &format!("m{n:02}")).await;
        }
        assign(&admin, &machine(&admin, "taken").await, "admin").await;
        let users = [app.user("ann").await.token().await, app.user("bob").await.token().await, admin.token().await];
        let address = app.listen().await;
        let attempts: Vec<_> = (0..1000)
            .map(|n| {
                let who = users[n % users.len()].clone();
                let wanted = json!({ "query": null, "reason": format!("attempt {n}") });
                tokio::spawn(async move { who.over_tcp(address, Method::POST, "/machine/reservation", &wanted).await })
            })
            .collect();
        let mut granted = BTreeMap::new();
        for (n, attempt) in attempts.into_iter().enumerate() {
            let (status, body) = attempt.await.unwrap();
            if status == 200 {
                let machine: Machine = serde_json::from_slice(&body).unwrap();
                assert_eq!(granted.insert(machine.name.clone(), n), None, "{} was granted twice", machine.name);
            } else {
                let refused: ApiError = serde_json::from_slice(&body).unwrap();
                assert_eq!((status, refused.status, refused.detail.as_str()), (404, 404, "no matching machine"));
            }
        }
        assert_eq!(granted.len(), 100);
        // what was answered is what is stored: each has the one attempt's assignee
        let machines: Vec<Machine> = admin.get("/machine?show_all=true").await.ok();
        for machine in machines.iter().filter(|machine| machine.name != "taken") {
            let reasons: Vec<_> = machine.assignees.iter().map(|assignee| assignee.reason.clone()).collect();
            assert_eq!(reasons, [format!("attempt {}", granted[&machine.name])], "{}", machine.name);
        }
    }
}
