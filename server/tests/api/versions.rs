//! Versions of what is changed by several: nobody overwrites what they have not seen.

use std::collections::BTreeSet;

use app::api::{Bmc, Event, EventKind, Machine, Preseed};
use axum::http::Method;
use serde_json::{Value, json};

use crate::{
    fixtures::{arch, assign, interface, machine, network, preseed, subarch, upload},
    support::TestApp,
};

#[tokio::test]
async fn the_version_that_was_read_is_the_one_that_is_changed() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        let x86 = arch(&admin, "x86_64").await;
        let flavour = subarch(&admin, &x86, "uefi").await;
        let lab = network(&admin).await;
        let first = machine(&admin, "machine").await;
        let nic = interface(&admin, &first, "52:54:00:00:00:01", Some(&lab)).await;
        let image = upload(&admin, "Kernel", "x86_64", "vmlinuz", b"kernel").await;
        let answers = preseed(&admin, "answers").await;
        let bmc: Bmc = admin.post("/bmc", &json!({ "name": "bmc", "ip": "10.0.9.0", "type": "plain" })).await.created();
        app.make_user("ann", false).await;
        assign(&admin, &first, "ann").await;
        let mut tx = app.lab.store.begin().await.unwrap();
        store::discovered_macs::put(&mut tx, "52:54:00:00:00:02", "{}", 1).await.unwrap();
        tx.commit().await.unwrap();
        let id_of = async |list: &str, index: usize| admin.get(list).await.ok::<Value>()[index]["id"].as_i64().unwrap();
        let (ann, assignee) = (id_of("/user", 1).await, id_of(&format!("/machine/{}/assignee", first.id), 0).await);
        let discovered = id_of("/discovered", 0).await;
        let mut tried = BTreeSet::new();
        for (template, ids, one, other) in [
            ("/machine/{id}", [first.id, 0], json!({ "kernel_opts": "quiet" }), json!({ "kernel_opts": "verbose" })),
            ("/machine/{id}/interface/{interface}", [first.id, nic.id], json!({ "identifier": "eth0" }), json!({ "identifier": "eth1" })),
            ("/machine/{id}/assignee/{assignee}", [first.id, assignee], json!({ "reason": "one" }), json!({ "reason": "other" })),
            ("/image/{id}", [image.id, 0], json!({ "description": "one" }), json!({ "description": "other" })),
            ("/preseed/{id}", [answers.id, 0], json!({ "content": "one" }), json!({ "content": "other" })),
            ("/arch/{id}", [x86.id, 0], json!({ "name": "x86_64", "description": "1" }), json!({ "name": "x86_64", "description": "2" })),
            (
                "/arch/{id}/subarch/{subarch}",
                [x86.id, flavour.id],
                json!({ "name": "uefi", "description": "1" }),
                json!({ "name": "uefi", "description": "2" }),
            ),
            (
                "/network/{id}",
                [lab.id, 0],
                json!({ "name": "one", "subnet": "10.0.0.0/24" }),
                json!({ "name": "other", "subnet": "10.0.0.0/24" }),
            ),
            (
                "/bmc/{id}",
                [bmc.id, 0],
                json!({ "name": "one", "ip": "10.0.9.0", "type": "plain" }),
                json!({ "name": "other", "ip": "10.0.9.0", "type": "plain" }),
            ),
            ("/user/{id}", [ann, 0], json!({ "email": "one@lab" }), json!({ "email": "other@lab" })),
            ("/discovered/{id}", [discovered, 0], json!({ "dismissed": true }), json!({ "dismissed": false })),
            ("/self", [0, 0], json!({ "ssh_key": "one" }), json!({ "ssh_key": "other" })),
        ] {
            tried.insert(template.to_owned());
            let mut ids = ids.iter();
            let parts = template.split('/').map(|part| if part.starts_with('{') { ids.next().unwrap().to_string() } else { part.into() });
            let path = parts.collect::<Vec<_>>().join("/");
            let read = admin.get(&path).await;
            let tag = read.header("etag").to_owned();
            assert!(tag.starts_with('"') && tag.len() > 10, "{path}: {tag:?}");
            assert_eq!(admin.get(&path).await.header("etag"), tag, "{path}: read again, it is the same");
            let put = async |tag: &str, body: &Value| admin.send(Method::PUT, &path, &[("if-match", tag)], body.to_string()).await;
            let first = put(&tag, &one).await;
            assert_eq!(first.status, 200, "{path}: {}", first.text());
            let refused = put(&tag, &other).await.error(412);
            assert_eq!(
                (refused.error_type.as_str(), refused.detail.as_str()),
                ("PreconditionFailed", "it was changed meanwhile: load it anew")
            );
            // the answer of a change has the new version
            let new = first.header("etag").to_owned();
            assert_eq!(admin.get(&path).await.header("etag"), new, "{path}");
            assert_ne!(new, tag, "{path}");
            assert_eq!(put(&new, &other).await.status, 200, "{path}");
            // who does not ask is not held up
            assert_eq!(admin.put(&path, &one).await.status, 200, "{path}");
            // nor is it deleted by who has not seen what it has become
            if path != "/self" {
                admin.send(Method::DELETE, &path, &[("if-match", tag.as_str())], "").await.error(412);
                assert_eq!(admin.get(&path).await.status, 200, "{path}");
            }
        }
        // whatever else can be read and changed by itself is missing above
        let document = serde_json::to_value(server::http::api::v1::document()).unwrap();
        let is_one = |operations: &Value| operations["get"]["responses"]["200"]["content"]["application/json"]["schema"]["type"] != "array";
        let all = document["paths"].as_object().unwrap().iter().filter(|(path, operations)| {
            operations["get"].is_object() && operations["put"].is_object() && is_one(operations) && !path.ends_with("/state")
        });
        for (path, operations) in all.clone() {
            assert!(operations["get"]["responses"]["200"]["headers"]["ETag"].is_object(), "{path}");
            assert!(operations["put"]["responses"]["412"].is_object(), "{path}");
        }
        assert_eq!(all.map(|(path, _)| path.clone()).collect::<BTreeSet<_>>(), tried);
        // the current version deletes
        let path = format!("/machine/{}", first.id);
        let tag = admin.get(&path).await.header("etag").to_owned();
        admin.send(Method::DELETE, &path, &[("if-match", tag.as_str())], "").await.no_content();
    }
}

/// What happens to a machine by itself does not stand in the way of who edits it.
#[tokio::test]
async fn what_changes_by_itself_is_no_other_version() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        let first = machine(&admin, "machine").await;
        let nic = interface(&admin, &first, "52:54:00:00:00:01", None).await;
        let (path, nic) = (format!("/machine/{}", first.id), format!("/machine/{}/interface/{}", first.id, nic.id));
        let tags = async || [admin.get(&path).await.header("etag").to_owned(), admin.get(&nic).await.header("etag").to_owned()];
        let before = tags().await;
        let mut tx = app.lab.store.begin().await.unwrap();
        store::leases::put(&mut tx, "52:54:00:00:00:01", "10.1.2.9", 1).await.unwrap();
        tx.commit().await.unwrap();
        admin.put(&format!("{path}/state"), &json!({ "state": "error" })).await.ok::<Value>();
        assert_eq!(admin.get(&path).await.ok::<Machine>().leases.len(), 1);
        assert_eq!(tags().await, before);
    }
}

/// Several editors, each of whom reads, adds a line and writes, again and again: with versions no line is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_update_is_lost_between_editors_who_say_what_they_saw() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        let made: Preseed = admin.post("/preseed", &json!({ "name": "answers", "type": "preseed", "content": "" })).await.created();
        let path = format!("/preseed/{}", made.id);
        let editors = (0..8).map(|editor| {
            let (admin, path) = (admin.clone(), path.clone());
            tokio::spawn(async move {
                let mut refused = 0;
                for round in 0..5 {
                    loop {
                        let read = admin.get(&path).await;
                        let (tag, preseed) = (read.header("etag").to_owned(), read.ok::<Preseed>());
                        let body = json!({ "content": format!("{}{editor}-{round}\n", preseed.content) }).to_string();
                        match admin.send(Method::PUT, &path, &[("if-match", &tag)], body).await.status.as_u16() {
                            200 => break,
                            status => assert_eq!(status, 412),
                        }
                        refused += 1;
                    }
                }
                refused
            })
        });
        let mut refused = 0;
        for editor in editors.collect::<Vec<_>>() {
            refused += editor.await.unwrap();
        }
        let content = admin.get(&path).await.ok::<Preseed>().content;
        let lines: BTreeSet<String> = content.lines().map(str::to_owned).collect();
        assert_eq!((content.lines().count(), lines.len()), (40, 40), "{content}");
        // else they only took turns, and nothing was shown
        assert!(refused > 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_editors_who_saw_the_same_version_one_wins() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        let path = format!("/machine/{}", machine(&admin, "machine").await.id);
        let tag = admin.get(&path).await.header("etag").to_owned();
        let edits = (0..20).map(|number| {
            let (admin, path, tag) = (admin.clone(), path.clone(), tag.clone());
            tokio::spawn(async move {
                let body = json!({ "kernel_opts": format!("editor={number}") }).to_string();
                let answer = admin.send(Method::PUT, &path, &[("if-match", &tag)], body).await;
                (number, answer.status.as_u16())
            })
        });
        let mut won = Vec::new();
        for edit in edits.collect::<Vec<_>>() {
            match edit.await.unwrap() {
                (number, 200) => won.push(number),
                (_, status) => assert_eq!(status, 412),
            }
        }
        assert_eq!(won.len(), 1, "{won:?}");
        assert_eq!(admin.get(&path).await.ok::<Machine>().kernel_opts, format!("editor={}", won[0]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn changes_of_different_members_at_the_same_time_are_all_kept() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        let kernel = upload(&admin, "Kernel", "x86_64", "vmlinuz", b"kernel").await;
        let initrd = upload(&admin, "Initrd", "x86_64", "initrd", b"initrd").await;
        let answers = preseed(&admin, "answers").await;
        let path = format!("/machine/{}", machine(&admin, "machine").await.id);
        let changes = [
            json!({ "kernel_id": kernel.id }),
            json!({ "initrd_id": initrd.id }),
            json!({ "preseed_id": answers.id }),
            json!({ "kernel_opts": "quiet" }),
            json!({ "name": "renamed" }),
        ];
        let puts = changes.map(|change| {
            let (admin, path) = (admin.clone(), path.clone());
            tokio::spawn(async move { admin.put(&path, &change).await.status.as_u16() })
        });
        for put in puts {
            assert_eq!(put.await.unwrap(), 200);
        }
        let now: Machine = admin.get(&path).await.ok();
        assert_eq!((now.kernel_id, now.initrd_id, now.preseed_id), (Some(kernel.id), Some(initrd.id), Some(answers.id)));
        assert_eq!((now.kernel_opts.as_str(), now.name.as_str()), ("quiet", "renamed"));
        // each of them left its event
        let events: Vec<Event> = admin.get(&format!("{path}/event")).await.ok();
        assert_eq!(events.iter().filter(|event| matches!(event.what, EventKind::SettingsChange { .. })).count(), 5);
    }
}
