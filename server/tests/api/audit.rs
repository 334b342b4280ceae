//! The audit log: every change, who made it, and nothing that ought to stay secret.

use app::api::{Arch, AuditEntry, Bmc, CreatedToken, Machine, Me, Preseed, User};
use axum::http::{Method, StatusCode};
use serde_json::json;

use crate::{
    fixtures::{arch, assign, interface, machine, network, preseed, subarch, upload},
    support::{Auth, Client, TestApp},
};

async fn entries(admin: &Client, query: &str) -> Vec<AuditEntry> {
    admin.get(&format!("/admin/audit?{query}")).await.ok()
}

async fn latest(admin: &Client) -> i64 {
    entries(admin, "limit=1").await.first().map_or(0, |entry| entry.id)
}

#[tokio::test]
async fn every_change_has_an_entry_of_its_own() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        let x86 = arch(&admin, "x86_64").await;
        let flavour = subarch(&admin, &x86, "uefi").await;
        let lab = network(&admin).await;
        let made = machine(&admin, "machine").await;
        let nic = interface(&admin, &made, "52:54:00:00:00:01", Some(&lab)).await;
        let bmc: Bmc =
            admin.post("/bmc", &json!({ "name": "bmc1", "ip": "127.0.0.1", "type": "plain", "password": "calvin-7" })).await.created();
        let kernel = upload(&admin, "Kernel", "x86_64", "vmlinuz", b"kernel").await;
        let answers = preseed(&admin, "answers").await;
        app.make_user("ann", false).await;
        let ann = admin.get("/user").await.ok::<Vec<User>>()[1].id;
        let token: CreatedToken = admin.post("/self/token", &json!({ "description": "CI" })).await.created();
        let m = made.id;
        let changes = [
            (Method::PUT, format!("/machine/{m}"), json!({ "kernel_opts": "quiet" }), "machine.change"),
            (Method::PUT, format!("/machine/{m}/state"), json!({ "state": "ready" }), "machine.change"),
            (Method::PUT, format!("/machine/{m}/interface/{}", nic.id), json!({ "identifier": "eth0" }), "interface.change"),
            (Method::POST, format!("/machine/{m}/assignee"), json!({ "user": "ann" }), "assignee.create"),
            (Method::PUT, format!("/machine/{m}/assignee/1"), json!({ "reason": "kernel CI" }), "assignee.change"),
            (Method::DELETE, format!("/machine/{m}/assignee/1"), json!(null), "assignee.delete"),
            (Method::DELETE, format!("/machine/{m}/interface/{}", nic.id), json!(null), "interface.delete"),
            (Method::DELETE, format!("/machine/{m}"), json!(null), "machine.delete"),
            (Method::PUT, format!("/image/{}", kernel.id), json!({ "public": true }), "image.change"),
            (Method::DELETE, format!("/image/{}", kernel.id), json!(null), "image.delete"),
            (Method::PUT, format!("/preseed/{}", answers.id), json!({ "content": "changed" }), "preseed.change"),
            (Method::DELETE, format!("/preseed/{}", answers.id), json!(null), "preseed.delete"),
            (Method::PUT, format!("/bmc/{}", bmc.id), json!({ "name": "bmc2", "ip": "127.0.0.1", "type": "plain" }), "bmc.change"),
            (Method::DELETE, format!("/bmc/{}", bmc.id), json!(null), "bmc.delete"),
            (Method::PUT, format!("/network/{}", lab.id), json!({ "name": "lab2", "subnet": "10.0.0.0/24" }), "network.change"),
            (Method::DELETE, format!("/network/{}", lab.id), json!(null), "network.delete"),
            (
                Method::PUT,
                format!("/arch/{}/subarch/{}", x86.id, flavour.id),
                json!({ "name": "bios", "efiboot": false }),
                "subarch.change",
            ),
            (Method::DELETE, format!("/arch/{}/subarch/{}", x86.id, flavour.id), json!(null), "subarch.delete"),
            (Method::PUT, format!("/arch/{}", x86.id), json!({ "name": "amd64" }), "arch.change"),
            (Method::PUT, "/self".into(), json!({ "email": "root@lab" }), "user.change"),
            (Method::PUT, format!("/user/{ann}"), json!({ "admin": true }), "user.change"),
            (Method::PUT, format!("/user/{ann}"), json!({ "password": "a new password" }), "user.password"),
            (Method::DELETE, format!("/user/{ann}"), json!(null), "user.delete"),
            (Method::DELETE, format!("/self/token/{}", token.token.id), json!(null), "token.delete"),
        ];
        let before = entries(&admin, "limit=1000").await;
        for action in
            ["arch.create", "subarch.create", "network.create", "machine.create", "interface.create", "bmc.create", "image.create"]
        {
            assert!(before.iter().any(|entry| entry.action == action), "{action}");
        }
        for action in ["preseed.create", "user.create", "token.create", "session.create"] {
            assert!(before.iter().any(|entry| entry.action == action), "{action}");
        }
        for (method, path, body, action) in changes {
            let last = latest(&admin).await;
            let answer = admin.json(method.clone(), &path, &body).await;
            assert!(answer.status.is_success(), "{method} {path}: {}", answer.text());
            let new: Vec<AuditEntry> = entries(&admin, "limit=5").await.into_iter().filter(|entry| entry.id > last).collect();
            let told: Vec<&str> = new.iter().map(|entry| entry.action.as_str()).collect();
            assert_eq!(told, [action], "{method} {path}");
            assert_eq!((new[0].user.as_str(), new[0].via.as_str(), new[0].via_id.len()), ("admin", "session", 16));
            assert!(new[0].address.is_some());
        }
        // what is refused, and what changes nothing, is no change
        let last = latest(&admin).await;
        admin.put(&format!("/arch/{}", x86.id), &json!({ "name": "amd64" })).await.ok::<Arch>();
        admin.delete(&format!("/machine/{m}")).await.error(404);
        admin.post("/arch", &json!({ "name": "amd64" })).await.error(409);
        assert_eq!(latest(&admin).await, last);
    }
}

#[tokio::test]
async fn an_entry_says_who_whence_by_what_and_what_differs() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        let made = machine(&admin, "machine").await;
        let ann = app.user("ann").await;
        assign(&admin, &made, "ann").await;
        let token: CreatedToken = ann.post("/self/token", &json!({ "description": "CI" })).await.created();
        let client = app.anonymous().with(Auth::Token(token.secret));
        client.put(&format!("/machine/{}", made.id), &json!({ "kernel_opts": "quiet" })).await.ok::<Machine>();
        let entry = entries(&admin, "limit=1").await.remove(0);
        assert_eq!((entry.user.as_str(), entry.user_id), ("ann", Some(ann.get("/self").await.ok::<Me>().id)));
        assert_eq!((entry.via.as_str(), entry.via_id), ("token", token.token.id.to_string()));
        assert_eq!((entry.action.as_str(), entry.kind.as_str(), entry.subject_id), ("machine.change", "machine", made.id));
        assert_eq!(entry.subject, "machine");
        assert_eq!((entry.before, entry.after), (Some(json!({ "kernel_opts": "" })), Some(json!({ "kernel_opts": "quiet" }))));
    }
}

#[tokio::test]
async fn no_entry_holds_a_secret() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        let bmc: Bmc =
            admin.post("/bmc", &json!({ "name": "bmc1", "ip": "127.0.0.1", "type": "plain", "password": "calvin-7" })).await.created();
        let change = json!({ "name": "bmc1", "ip": "127.0.0.1", "type": "plain", "password": "hobbes-8" });
        admin.put(&format!("/bmc/{}", bmc.id), &change).await.ok::<Bmc>();
        let new = json!({ "name": "answers", "type": "preseed", "content": "rootpw tiger-9" });
        let answers: Preseed = admin.post("/preseed", &new).await.created();
        admin.put(&format!("/preseed/{}", answers.id), &json!({ "content": "rootpw lion-10" })).await.ok::<Preseed>();
        let token: CreatedToken = admin.post("/self/token", &json!({ "description": "CI" })).await.created();
        let ann = app.make_user("ann", false).await;
        let session = app.log_in("ann", &ann).await;
        session.put("/self/password", &json!({ "old_password": ann, "password": "a new password" })).await.no_content();
        arch(&admin, "x86_64").await;
        machine(&admin, "machine").await;

        // compressed, as browsers ask for it, it has an end, too
        let packed = admin.send(Method::GET, "/admin/audit?format=jsonl", &[("accept-encoding", "gzip")], "").await;
        assert_eq!((packed.status, packed.header("content-encoding")), (StatusCode::OK, "gzip"));
        let all = admin.get("/admin/audit?format=jsonl").await;
        for secret in
            ["calvin-7", "hobbes-8", "tiger-9", "lion-10", &token.secret, &ann, "a new password", "argon2", "token_hash", "preseed_key"]
        {
            assert!(!all.text().contains(secret), "{secret}");
        }
        // that a password and a content were changed is told nevertheless
        let kinds: Vec<AuditEntry> = entries(&admin, "action=bmc.change").await;
        assert!(kinds[0].after.as_ref().unwrap()["password"].as_str().unwrap().starts_with("set ("));
        let kinds: Vec<AuditEntry> = entries(&admin, "action=preseed.change").await;
        assert_ne!(kinds[0].before.as_ref().unwrap()["content"], kinds[0].after.as_ref().unwrap()["content"]);
    }
}

#[tokio::test]
async fn it_is_filtered_and_paged() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        for number in 0..7 {
            arch(&admin, &format!("arch{number}")).await;
        }
        let ann = app.user("ann").await;
        preseed(&ann, "answers").await;
        assert_eq!(entries(&admin, "user=ann&kind=preseed").await.len(), 1);
        assert_eq!(entries(&admin, "action=arch.create").await.len(), 7);
        assert!(entries(&admin, "user=nobody").await.is_empty());
        let one = entries(&admin, "kind=arch&subject_id=3").await;
        assert_eq!((one.len(), one[0].subject.as_str()), (1, "arch2"));
        // halves meet without overlap
        let middle = one[0].date.0.clone();
        let until = entries(&admin, &format!("kind=arch&until={middle}")).await.len();
        let since = entries(&admin, &format!("kind=arch&since={middle}")).await.len();
        assert_eq!((until, since), (2, 5));

        let (mut page, mut seen) = ("/admin/audit?kind=arch&limit=3".to_owned(), Vec::new());
        loop {
            let answer = admin.get(&page).await;
            seen.extend(answer.ok::<Vec<AuditEntry>>().into_iter().map(|entry| entry.subject));
            let link = answer.header("link");
            let Some(next) = link.strip_prefix("</api/v1").and_then(|rest| rest.strip_suffix(">; rel=\"next\"")) else { break };
            page = next.to_owned();
        }
        assert_eq!(seen, ["arch6", "arch5", "arch4", "arch3", "arch2", "arch1", "arch0"]);
        for wrong in ["since=yesterday", "subject_id=1", "format=xml", "limit=x"] {
            admin.get(&format!("/admin/audit?{wrong}")).await.error(400);
        }
        ann.get("/admin/audit").await.error(403);
        ann.get("/admin/audit?format=jsonl").await.error(403);
        app.anonymous().get("/admin/audit").await.error(401);
    }
}

#[tokio::test]
async fn all_of_it_comes_as_lines_however_long_it_is() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        let made = arch(&admin, "x86_64").await;
        // more than one piece of the export
        let mut tx = app.lab.store.begin().await.unwrap();
        for number in 0..1200 {
            let entry = store::NewAudit {
                at: number,
                user_id: None,
                username: "old".into(),
                address: None,
                via: "local".into(),
                via_id: String::new(),
                action: "arch.change".into(),
                kind: "arch".into(),
                subject_id: made.id,
                subject: "x86_64".into(),
                before: None,
                after: None,
            };
            store::audit::insert(&mut tx, &entry).await.unwrap();
        }
        tx.commit().await.unwrap();
        let accept = admin.send(Method::GET, "/admin/audit?user=old", &[("accept", "application/x-ndjson")], "").await;
        assert_eq!((accept.status.as_u16(), accept.header("content-type")), (200, "application/x-ndjson"));
        let ids: Vec<i64> = accept.text().lines().map(|line| serde_json::from_str::<AuditEntry>(line).unwrap().id).collect();
        assert_eq!(ids.len(), 1200);
        assert!(ids.is_sorted_by(|a, b| a > b));
        assert_eq!(admin.get("/admin/audit?user=old&format=jsonl&limit=700").await.text().lines().count(), 700);
    }
}

#[tokio::test]
async fn the_database_itself_refuses_to_change_or_forget_an_entry() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        let before = entries(&admin, "").await;
        for statement in ["update audit set username = 'nobody'", "delete from audit", "delete from audit where id = 1"] {
            assert!(app.sql(statement).await.is_err(), "{statement}");
        }
        assert_eq!(entries(&admin, "").await, before);
        // and users may go, their entries stay
        app.user("ann").await;
        let ann = admin.get("/user").await.ok::<Vec<User>>()[1].id;
        admin.delete(&format!("/user/{ann}")).await.no_content();
        assert!(!entries(&admin, "user=ann").await.is_empty());
    }
}

#[tokio::test]
async fn a_change_that_is_taken_back_leaves_no_entry() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        let first = json!({ "name": "first", "arch": "x86_64", "macs": ["52:54:00:00:00:01"] });
        admin.post("/machine", &first).await.created::<Machine>();
        let last = latest(&admin).await;
        let second = json!({ "name": "second", "arch": "x86_64", "macs": ["52:54:00:00:00:02", "52:54:00:00:00:01"] });
        admin.post("/machine", &second).await.error(409);
        assert_eq!(latest(&admin).await, last);
    }
}
