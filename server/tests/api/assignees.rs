//! Who has a machine, and who says so.

use app::api::{Assignee, Event, EventKind, Machine};
use axum::http::Method;
use serde_json::{Value, json};

use crate::{
    fixtures::{arch, assign, machine, statuses},
    support::TestApp,
};

#[tokio::test]
async fn an_admin_gives_a_machine_and_its_assignee_gives_it_back() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        let made = machine(&admin, "machine").await;
        let ann = app.user("ann").await;
        let path = format!("/machine/{}/assignee", made.id);
        assert_eq!(admin.get(&path).await.ok::<Value>(), json!([]));
        let given: Assignee = admin.post(&path, &json!({ "user": "ann", "reason": "bug 7" })).await.created();
        assert_eq!((given.user.as_str(), given.reason.as_str()), ("ann", "bug 7"));
        assert!(given.since.0.ends_with('Z'));
        assert_eq!(ann.get(&path).await.ok::<Vec<Assignee>>(), std::slice::from_ref(&given));
        for which in [given.id.to_string(), "self".into()] {
            assert_eq!(ann.get(&format!("{path}/{which}")).await.ok::<Assignee>(), given);
        }
        assert_eq!(ann.put(&format!("{path}/self"), &json!({ "reason": "bug 8" })).await.ok::<Assignee>().reason, "bug 8");
        assert_eq!(admin.put(&format!("{path}/{}", given.id), &json!({ "reason": "bug 9" })).await.ok::<Assignee>().reason, "bug 9");
        // B12
        assert_eq!(ann.put(&format!("{path}/self"), &json!({ "reason": null })).await.ok::<Assignee>().reason, "");
        ann.delete(&format!("{path}/self")).await.no_content();
        assert_eq!(ann.get(&format!("{path}/self")).await.error(404).detail, "assignee not found");
        ann.put(&format!("/machine/{}", made.id), &json!({ "kernel_opts": "quiet" })).await.error(403);
    }
}

#[tokio::test]
async fn b10_b11_what_is_wrong_is_an_error_with_a_text() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        let made = machine(&admin, "machine").await;
        app.make_user("ann", false).await;
        let path = format!("/machine/{}/assignee", made.id);
        assert_eq!(admin.post(&path, &json!({ "user": "nobody" })).await.error(400).detail, "no such user");
        assert!(admin.post(&path, &json!({})).await.error(400).detail.contains("user"));
        let long = json!({ "user": "ann", "reason": "x".repeat(141) });
        assert_eq!(admin.post(&path, &long).await.error(400).detail, "Assignee reason must be between 0 and 140 characters long");
        let made: Assignee = admin.post(&path, &json!({ "user": "ann" })).await.created();
        // B9: the original said ok and kept nothing
        assert_eq!(admin.post(&path, &json!({ "user": "ann" })).await.error(409).detail, "this user has the machine already");
        for which in ["999", "me", "-1", "1.5", "self"] {
            assert_eq!(admin.get(&format!("{path}/{which}")).await.error(404).detail, "assignee not found");
            admin.put(&format!("{path}/{which}"), &json!({ "reason": "" })).await.error(404);
            admin.delete(&format!("{path}/{which}")).await.error(404);
        }
        assert!(admin.put(&format!("{path}/{}", made.id), &json!({})).await.error(400).detail.contains("reason"));
        for gone in ["/machine/999/assignee", "/machine/999/assignee/self", &format!("/machine/999/assignee/{}", made.id)] {
            assert_eq!(admin.get(gone).await.error(404).detail, "machine not found");
        }
    }
}

#[tokio::test]
async fn admins_give_and_take_assignees_keep_their_own() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        let made = machine(&admin, "machine").await;
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        app.make_user("cid", false).await;
        assign(&admin, &made, "ann").await;
        assign(&admin, &made, "bob").await;
        let path = format!("/machine/{}/assignee", made.id);
        let of_ann = admin.get(&path).await.ok::<Vec<Assignee>>()[0].id;
        let requests = [
            (Method::GET, path.clone(), json!(null)),
            (Method::POST, path.clone(), json!({ "user": "cid" })),
            (Method::PUT, format!("{path}/{of_ann}"), json!({ "reason": "x" })),
            (Method::DELETE, format!("{path}/{of_ann}"), json!(null)),
        ];
        assert_eq!(statuses(&app.anonymous(), &requests).await, [401; 4]);
        assert_eq!(statuses(&bob, &requests).await, [200, 403, 403, 403]);
        assert_eq!(statuses(&ann, &requests).await, [200, 403, 200, 204]);
        assign(&admin, &made, "ann").await;
        let of_ann = admin.get(&path).await.ok::<Vec<Assignee>>().into_iter().find(|assignee| assignee.user == "ann").unwrap().id;
        let requests = [
            (Method::POST, path.clone(), json!({ "user": "cid" })),
            (Method::PUT, format!("{path}/{of_ann}"), json!({ "reason": "y" })),
            (Method::DELETE, format!("{path}/{of_ann}"), json!(null)),
        ];
        assert_eq!(statuses(&admin, &requests).await, [201, 200, 204]);
    }
}

#[tokio::test]
async fn every_change_is_an_event() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        let made: Machine = machine(&admin, "machine").await;
        let ann = app.user("ann").await;
        assign(&admin, &made, "ann").await;
        let own = format!("/machine/{}/assignee/self", made.id);
        ann.put(&own, &json!({ "reason": "other" })).await.ok::<Assignee>();
        ann.put(&own, &json!({ "reason": "other" })).await.ok::<Assignee>();
        ann.delete(&own).await.no_content();
        let events: Vec<Event> = ann.get(&format!("/machine/{}/event", made.id)).await.ok();
        let by: Vec<_> = events.iter().map(|event| event.username.as_deref().unwrap()).collect();
        assert_eq!(by, ["ann", "ann", "admin"]);
        assert!(events.iter().all(|event| event.what == EventKind::SettingsChange { changed: vec!["assignees".into()] }));
    }
}
