//! `GET /stream`.

use std::{net::Ipv4Addr, time::Duration};

use app::api::{EventKind, LabEvent, List, MacAddr, Me, PowerState};
use axum::{
    body::BodyDataStream,
    http::{Method, StatusCode},
};
use futures_util::StreamExt;
use serde_json::json;
use server::{bmc::PowerReading, lab::leases};
use tokio::time::timeout;

use crate::support::{Client, TestApp};

/// Messages as a browser's `EventSource` would hand them out.
pub struct Messages {
    body: BodyDataStream,
    text: String,
}

impl Messages {
    pub async fn open(client: &Client, headers: &[(&'static str, &str)]) -> Self {
        let response = client.response(Method::GET, "/stream", headers, "").await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { body: response.into_body().into_data_stream(), text: String::new() }
    }

    /// The next message with its id; None when the stream has ended.
    pub async fn next(&mut self) -> Option<(Option<i64>, LabEvent)> {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                let frame: String = self.text.drain(..end + 2).collect();
                let field = |name: &str| frame.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
                if let Some(data) = field("data:") {
                    return Some((field("id:").map(|id| id.parse().unwrap()), serde_json::from_str(data).unwrap()));
                }
                continue;
            }
            let chunk = timeout(Duration::from_secs(10), self.body.next()).await.expect("a message within ten seconds")?;
            self.text.push_str(std::str::from_utf8(&chunk.unwrap()).unwrap());
        }
    }
}

async fn machine(app: &TestApp) -> i64 {
    let admin = app.admin().await;
    admin.post("/arch", &json!({ "name": "amd64" })).await;
    let made: serde_json::Value = admin.post("/machine", &json!({ "name": "x1", "arch": "amd64" })).await.created();
    made["id"].as_i64().unwrap()
}

fn event(power: &str) -> EventKind {
    EventKind::PowerChange { power: power.into() }
}

#[tokio::test]
async fn it_begins_with_all_machines_and_goes_on_with_what_happens() {
    for app in TestApp::each().await {
        app.anonymous().get("/stream").await.error(401);
        let id = machine(&app).await;
        let mut messages = Messages::open(&app.user("ann").await, &[]).await;
        let (none, first) = messages.next().await.unwrap();
        assert!(none.is_none());
        let LabEvent::Snapshot { machines, .. } = first else { panic!("{first:?}") };
        assert_eq!(machines.iter().map(|status| status.machine).collect::<Vec<_>>(), [id]);

        app.lab.journal.record(id, None, event("on")).await.unwrap();
        let (seen, message) = messages.next().await.unwrap();
        let LabEvent::Event { event: entry } = message else { panic!("{message:?}") };
        assert_eq!((Some(entry.id), entry.machine_id, entry.what), (seen, id, event("on")));

        app.lab.journal.tell(LabEvent::Changed { machine: id });
        assert_eq!(messages.next().await.unwrap(), (None, LabEvent::Changed { machine: id }));
    }
}

#[tokio::test]
async fn who_comes_back_is_told_what_was_missed_once() {
    for app in TestApp::each().await {
        let id = machine(&app).await;
        let admin = app.admin().await;
        let mut messages = Messages::open(&admin, &[]).await;
        messages.next().await;
        app.lab.journal.record(id, None, event("one")).await.unwrap();
        let last = messages.next().await.unwrap().0.unwrap().to_string();
        drop(messages);
        app.lab.journal.record(id, None, event("two")).await.unwrap();

        let mut messages = Messages::open(&admin, &[("last-event-id", &last)]).await;
        app.lab.journal.record(id, None, event("three")).await.unwrap();
        assert!(matches!(messages.next().await, Some((_, LabEvent::Snapshot { .. }))));
        for power in ["two", "three"] {
            let (_, message) = messages.next().await.unwrap();
            let LabEvent::Event { event: entry } = message else { panic!("{message:?}") };
            assert_eq!(entry.what, event(power));
        }
    }
}

#[tokio::test]
async fn a_reader_who_is_too_slow_is_told_to_start_over() {
    for app in TestApp::each().await {
        let mut messages = Messages::open(&app.admin().await, &[]).await;
        messages.next().await;
        for machine in 0..10_000 {
            app.lab.journal.tell(LabEvent::Changed { machine });
        }
        assert_eq!(messages.next().await.unwrap().1, LabEvent::Resync);
        assert!(matches!(messages.next().await, Some((_, LabEvent::Snapshot { .. }))));
        app.lab.journal.tell(LabEvent::Removed { machine: 1 });
        assert_eq!(messages.next().await.unwrap().1, LabEvent::Removed { machine: 1 });
    }
}

#[tokio::test]
async fn it_ends_with_the_server() {
    for app in TestApp::each().await {
        let mut messages = Messages::open(&app.admin().await, &[]).await;
        messages.next().await;
        app.lab.shutdown.cancel();
        assert!(messages.next().await.is_none());
    }
}

#[tokio::test]
async fn it_ends_soon_after_the_reader_was_logged_out() {
    for app in TestApp::each().await {
        let ann = app.user("ann").await;
        let token = ann.token().await;
        let (mut by_session, mut by_token) = (Messages::open(&ann, &[]).await, Messages::open(&token, &[]).await);
        by_session.next().await;
        by_token.next().await;
        ann.delete("/session").await.no_content();
        assert!(by_session.next().await.is_none());
        // the other way in is untouched
        app.lab.journal.tell(LabEvent::Removed { machine: 1 });
        assert_eq!(by_token.next().await.unwrap().1, LabEvent::Removed { machine: 1 });
    }
}

/// The next message that is such a one.
async fn until(messages: &mut Messages, wanted: impl Fn(&LabEvent) -> bool) -> LabEvent {
    loop {
        let (_, message) = messages.next().await.unwrap();
        if wanted(&message) {
            return message;
        }
    }
}

/// Whether the reader is told what the machine's BMC complains of.
async fn is_told_details(messages: &mut Messages, app: &TestApp, machine: i64) -> bool {
    app.lab.journal.tell(LabEvent::Power { machine, power: PowerState::BmcError, error: Some("no answer".into()) });
    let message = until(messages, |message| matches!(message, LabEvent::Power { .. })).await;
    matches!(message, LabEvent::Power { error: Some(_), .. })
}

#[tokio::test]
async fn it_goes_on_with_the_rights_that_its_reader_has_now() {
    for app in TestApp::each().await {
        let machine = machine(&app).await;
        let admin = app.admin().await;
        let ann = app.user("ann").await;
        let her = format!("/user/{}", ann.get("/self").await.ok::<Me>().id);
        let mut messages = Messages::open(&ann, &[]).await;
        assert!(!is_told_details(&mut messages, &app, machine).await);

        for is_admin in [true, false] {
            admin.put(&her, &json!({ "admin": is_admin })).await.ok::<serde_json::Value>();
            // what was told by the old rights is loaded anew
            until(&mut messages, |message| *message == LabEvent::Resync).await;
            assert!(matches!(messages.next().await, Some((_, LabEvent::Snapshot { .. }))));
            assert_eq!(is_told_details(&mut messages, &app, machine).await, is_admin);
        }

        // what changes nothing of them is told and no more
        admin.put(&her, &json!({ "email": "ann@example.com" })).await.ok::<serde_json::Value>();
        until(&mut messages, |message| *message == LabEvent::List { list: List::User }).await;
        app.lab.journal.tell(LabEvent::Removed { machine: 0 });
        assert_eq!(messages.next().await.unwrap().1, LabEvent::Removed { machine: 0 });

        let assignee = format!("/machine/{machine}/assignee");
        let given: serde_json::Value = admin.post(&assignee, &json!({ "user": "ann" })).await.created();
        assert!(is_told_details(&mut messages, &app, machine).await);
        admin.delete(&format!("{assignee}/{}", given["id"])).await.no_content();
        assert!(!is_told_details(&mut messages, &app, machine).await);
    }
}

#[tokio::test]
async fn whoever_is_given_a_machine_is_told_what_its_bmc_complains_of() {
    for app in TestApp::each().await {
        let machine = machine(&app).await;
        let admin = app.admin().await;
        let ann = app.user("ann").await;
        let mut messages = Messages::open(&ann, &[]).await;
        let complaint = |error| LabEvent::Power { machine, power: PowerState::BmcError, error };
        let power = |message: &LabEvent| matches!(message, LabEvent::Power { .. });
        app.lab.fleet.note_power(machine, PowerReading { state: PowerState::BmcError, error: Some("no answer".into()) });
        assert_eq!(until(&mut messages, power).await, complaint(None));
        admin.post(&format!("/machine/{machine}/assignee"), &json!({ "user": "ann" })).await.created::<serde_json::Value>();
        assert_eq!(until(&mut messages, power).await, complaint(Some("no answer".into())));
    }
}

/// The lists that are told of until a machine's message, which ends the wait.
async fn told(messages: &mut Messages, app: &TestApp) -> Vec<List> {
    app.lab.journal.tell(LabEvent::Resync);
    let mut lists = Vec::new();
    loop {
        match messages.next().await.unwrap().1 {
            LabEvent::List { list } => lists.push(list),
            LabEvent::Resync => return lists,
            _ => {}
        }
    }
}

#[tokio::test]
async fn whoever_looks_at_a_list_is_told_when_somebody_changes_it() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        let mut messages = Messages::open(&app.user("ann").await, &[]).await;
        messages.next().await;

        let made: serde_json::Value = admin.post("/network", &json!({ "name": "lab", "subnet": "10.0.0.0/24" })).await.created();
        assert_eq!(told(&mut messages, &app).await, [List::Network]);
        let network_id = made["id"].as_i64().unwrap();
        let network = format!("/network/{network_id}");
        admin.put(&network, &json!({ "name": "lab2", "subnet": "10.0.0.0/24" })).await.ok::<serde_json::Value>();
        assert_eq!(told(&mut messages, &app).await, [List::Network]);
        // what is refused, or changes nothing, is nothing to ask for
        admin.post("/network", &json!({ "name": "lab2", "subnet": "10.1.0.0/24" })).await.error(409);
        admin.put(&network, &json!({ "name": "lab2", "subnet": "10.0.0.0/24" })).await.ok::<serde_json::Value>();
        assert_eq!(told(&mut messages, &app).await, Vec::new());

        let made: serde_json::Value = admin.post("/bmc", &json!({ "name": "b1", "ip": "10.0.0.2" })).await.created();
        assert_eq!(told(&mut messages, &app).await, [List::Bmc]);
        let bmc = made["id"].as_i64().unwrap();
        admin
            .post("/preseed", &json!({ "name": "plain", "description": "", "content": "d-i", "type": "preseed" }))
            .await
            .created::<serde_json::Value>();
        assert_eq!(told(&mut messages, &app).await, [List::Preseed]);
        let made: serde_json::Value = admin.post("/arch", &json!({ "name": "amd64" })).await.created();
        assert_eq!(told(&mut messages, &app).await, [List::Arch, List::Image]);
        admin
            .post(&format!("/arch/{}/subarch", made["id"]), &json!({ "name": "efi", "efiboot": true }))
            .await
            .created::<serde_json::Value>();
        assert_eq!(told(&mut messages, &app).await, [List::Arch]);

        // a BMC's and a network's row name their machines
        let made: serde_json::Value = admin.post("/machine", &json!({ "name": "x1", "arch": "amd64" })).await.created();
        assert_eq!(told(&mut messages, &app).await, [List::Bmc, List::Discovered, List::Lease, List::Network]);
        let machine = format!("/machine/{}", made["id"]);
        admin.put(&machine, &json!({ "kernel_opts": "quiet" })).await.ok::<serde_json::Value>();
        assert_eq!(told(&mut messages, &app).await, Vec::new());
        admin.put(&machine, &json!({ "bmc_id": bmc })).await.ok::<serde_json::Value>();
        assert_eq!(told(&mut messages, &app).await, [List::Bmc, List::Discovered, List::Lease, List::Network]);
        let interface = json!({ "mac": "52:54:00:00:00:01", "network_id": network_id });
        admin.post(&format!("{machine}/interface"), &interface).await.created::<serde_json::Value>();
        assert_eq!(told(&mut messages, &app).await, [List::Discovered, List::Lease, List::Network]);
        leases::record(&app.lab, &MacAddr::parse("52:54:00:00:00:01").unwrap(), Ipv4Addr::new(10, 0, 0, 9)).await.unwrap();
        assert_eq!(told(&mut messages, &app).await, [List::Lease]);
        admin.delete(&format!("/bmc/{bmc}?detach=true")).await.no_content();
        assert!(told(&mut messages, &app).await.contains(&List::Bmc));

        let made: serde_json::Value = admin.post("/user", &json!({ "username": "bob" })).await.created();
        assert!(told(&mut messages, &app).await.contains(&List::User));
        admin.delete(&format!("/user/{}", made["id"])).await.no_content();
        assert!(told(&mut messages, &app).await.contains(&List::User));
    }
}
