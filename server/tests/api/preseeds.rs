//! Preseeds: whose they are, who sees them, and that they are kept as they were sent.

use app::api::{Diagnostic, Preseed, PreseedPreview, PreseedType, Severity};
use axum::http::Method;
use serde_json::{Value, json};

use crate::{
    fixtures::{arch, assign, machine, preseed, statuses},
    support::{Engine, TestApp},
};

#[tokio::test]
async fn a_preseed_is_kept_as_it_was_sent() {
    for app in TestApp::each().await {
        let ann = app.user("ann").await;
        let content = "d-i passwd/root\r\n\t{{ hostname }} ünï {% broken\n\n";
        let new =
            json!({ "name": "debian", "type": "kickstart", "description": "d", "content": content, "known_good": true, "public": true });
        let made: Preseed = ann.post("/preseed", &new).await.created();
        let expected = json!({
            "id": made.id, "name": "debian", "content": content, "description": "d", "type": "kickstart",
            "user": "ann", "known_good": true, "public": true, "may_change": true,
        });
        assert_eq!(ann.get(&format!("/preseed/{}", made.id)).await.ok::<Value>(), expected);
        assert_eq!(ann.get("/preseed").await.ok::<Value>(), json!([expected]));
        let change = json!({ "name": "debian 13", "type": "preseed", "content": "", "public": false });
        let now: Preseed = ann.put(&format!("/preseed/{}", made.id), &change).await.ok();
        assert_eq!((now.name.as_str(), now.file_type, now.content.as_str()), ("debian 13", PreseedType::Preseed, ""));
        assert_eq!((now.description.as_str(), now.known_good, now.public), ("d", true, false));
        ann.delete(&format!("/preseed/{}", made.id)).await.no_content();
        assert_eq!(ann.get(&format!("/preseed/{}", made.id)).await.error(404).detail, "preseed not found");
    }
}

#[tokio::test]
async fn what_was_left_out_is_empty() {
    for app in TestApp::each().await {
        let ann = app.user("ann").await;
        // B7: the original stored null here, and failed on it later
        for content in [json!({ "name": "one", "type": "preseed" }), json!({ "name": "two", "type": "preseed", "content": null })] {
            let made: Preseed = ann.post("/preseed", &content).await.created();
            assert_eq!((made.content.as_str(), made.description.as_str(), made.public, made.known_good), ("", "", false, false));
        }
    }
}

#[tokio::test]
async fn limits_are_told() {
    for app in TestApp::each().await {
        let ann = app.user("ann").await;
        preseed(&ann, "taken").await;
        let mine = format!("/preseed/{}", preseed(&ann, "mine").await.id);
        let full = "éx".repeat(1024 * 1024);
        for (new, status, sentence) in [
            (json!({ "name": "x", "type": "preseed" }), 400, "Preseed name must be between 2 and 256 characters long"),
            (json!({ "name": "new", "type": "cloud-init" }), 400, "cloud-init"),
            (json!({ "name": "new", "type": "preseed", "description": "x".repeat(257) }), 400, "description must be between 0 and 256"),
            (json!({ "name": "new", "type": "preseed", "content": format!("{full}x") }), 400, "content must be less than 2MB"),
            (json!({ "name": "new", "type": "preseed", "content": "a\u{0}b" }), 400, "NUL"),
            (json!({ "name": "taken", "type": "preseed" }), 409, "a preseed with this name exists already"),
        ] {
            for answer in [ann.post("/preseed", &new).await, ann.put(&mine, &new).await] {
                assert!(answer.error(status).detail.contains(sentence), "{sentence}: {}", answer.text());
            }
        }
        let new = json!({ "name": "full", "type": "preseed", "content": full });
        assert_eq!(ann.post("/preseed", &new).await.created::<Preseed>().content, full);
    }
}

#[tokio::test]
async fn private_ones_are_their_owners_and_the_admins() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        let (ann, eve) = (app.user("ann").await, app.user("eve").await);
        let private = preseed(&ann, "private").await;
        let public: Preseed = ann.post("/preseed", &json!({ "name": "public", "type": "preseed", "public": true })).await.created();
        let requests = |id: i64| {
            [
                (Method::GET, format!("/preseed/{id}"), json!(null)),
                (Method::PUT, format!("/preseed/{id}"), json!({ "known_good": true })),
                (Method::DELETE, format!("/preseed/{id}"), json!(null)),
            ]
        };
        assert_eq!(statuses(&app.anonymous(), &requests(public.id)).await, [401; 3]);
        assert_eq!(statuses(&eve, &requests(private.id)).await, [403; 3]);
        assert_eq!(statuses(&eve, &requests(public.id)).await, [200, 403, 403]);
        let seen = async |path: &str, client: &crate::support::Client| -> Vec<String> {
            client.get(path).await.ok::<Vec<Preseed>>().into_iter().map(|preseed| preseed.name).collect()
        };
        assert_eq!(seen("/preseed?show_all=true", &eve).await, ["public"]);
        assert!(seen("/preseed", &eve).await.is_empty());
        assert_eq!(seen("/preseed", &ann).await, ["private", "public"]);
        assert_eq!(seen("/preseed?show_all=TRUE", &admin).await, ["private", "public"]);
        assert!(seen("/preseed", &admin).await.is_empty());
        assert_eq!(statuses(&ann, &requests(private.id)).await, [200, 200, 204]);
        assert_eq!(statuses(&admin, &requests(public.id)).await, [200, 200, 204]);
    }
}

#[tokio::test]
async fn b14_one_that_machines_use_cannot_go() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        let used = preseed(&admin, "used").await;
        for name in ["m1", "m2"] {
            let made = machine(&admin, name).await;
            admin.put(&format!("/machine/{}", made.id), &json!({ "preseed_id": used.id })).await.ok::<Value>();
        }
        let refused = admin.delete(&format!("/preseed/{}", used.id)).await.error(409);
        assert_eq!((refused.error_type.as_str(), refused.detail.as_str()), ("InUse", "preseed used is in use by machine m1, machine m2"));
        admin.get(&format!("/preseed/{}", used.id)).await.ok::<Preseed>();
    }
}

#[tokio::test]
async fn a_preview_shows_what_a_machine_would_get_and_on_which_line_it_is_wrong() {
    for app in TestApp::each().await {
        let (admin, ann) = (app.admin().await, app.user("ann").await);
        arch(&admin, "x86_64").await;
        let d05 = machine(&admin, "d05.1").await;
        assign(&admin, &d05, "ann").await;
        let path = format!("/machine/{}/preseed-preview", d05.id);
        let preview = async |body: Value| ann.post(&path, &body).await.ok::<PreseedPreview>();
        let diagnostic = |line, severity, message: &str| Diagnostic { line, severity, message: message.into() };

        let got = preview(json!({ "content": "host {{ hostname }}\n" })).await;
        assert_eq!(got, PreseedPreview { text: Some("host d05-1".into()), diagnostics: vec![] });
        let got = preview(json!({ "content": "a\nb {{ gateway }}\nc {{ dns }}" })).await;
        assert_eq!(got.text.as_deref(), Some("a\nb \nc "));
        let both = [diagnostic(2, Severity::Warning, "'gateway' is undefined"), diagnostic(3, Severity::Warning, "'dns' is undefined")];
        assert_eq!(got.diagnostics, both);
        let got = preview(json!({ "content": "fine\n\n{% if %}\n" })).await;
        assert_eq!((got.text, got.diagnostics.len(), got.diagnostics[0].line), (None, 1, 3));
        assert_eq!(got.diagnostics[0].severity, Severity::Error);
        // the line is told once
        assert_eq!(got.diagnostics[0].message, "syntax error: unexpected end of block");
        let got = preview(json!({ "content": "{{ nothing.here }}" })).await;
        assert_eq!(got.diagnostics, [diagnostic(1, Severity::Error, "`nothing` is undefined")]);
        // b7: an exception without a message of its own
        let got = preview(json!({ "content": "fine\n{{ 1 // 0 }}" })).await;
        assert_eq!((got.text, got.diagnostics[0].line), (None, 2));

        let error = ann.post(&path, &json!({})).await.error(400);
        assert_eq!(error.detail, "the machine has no preseed: name one, or send content");
        let own = preseed(&ann, "anns").await;
        admin.put(&format!("/machine/{}", d05.id), &json!({ "preseed_id": own.id })).await.ok::<Value>();
        assert_eq!(preview(json!({})).await.text.as_deref(), Some("d-i x"));
        let public = json!({ "name": "public", "type": "preseed", "content": "for all", "public": true });
        let public: Preseed = admin.post("/preseed", &public).await.created();
        assert_eq!(preview(json!({ "preseed_id": public.id })).await.text.as_deref(), Some("for all"));
        // what was only looked at is no event of the machine
        assert!(!admin.get(&format!("/machine/{}/event", d05.id)).await.text().contains("PRESEED"));
    }
}

#[tokio::test]
async fn a_draft_is_checked_without_a_machine() {
    for app in TestApp::each().await {
        let ann = app.user("ann").await;
        let check = async |content: &str| ann.post("/preseed/check", &json!({ "content": content })).await.ok::<Vec<Diagnostic>>();
        // whether something is undefined depends on the machine
        assert_eq!(check("host {{ hostname }} {{ nothing.here }}\n").await, []);
        let fault = Diagnostic { line: 2, severity: Severity::Error, message: "syntax error: unexpected end of block".into() };
        assert_eq!(check("fine\n{% if %}\n").await, [fault]);
        app.anonymous().post("/preseed/check", &json!({ "content": "x" })).await.error(401);
        ann.post("/preseed/check", &json!({ "content": "a\u{0}b" })).await.error(400);
        ann.post("/preseed/check", &json!({})).await.error(400);
    }
}

#[tokio::test]
async fn w7_w17_a_preview_shows_neither_anothers_preseed_nor_the_keys_of_strangers() {
    let app = TestApp::start(Engine::Sqlite).await;
    let (admin, ann, eve) = (app.admin().await, app.user("ann").await, app.user("eve").await);
    arch(&admin, "x86_64").await;
    let d05 = machine(&admin, "d05-1").await;
    assign(&admin, &d05, "ann").await;
    let path = format!("/machine/{}/preseed-preview", d05.id);
    eve.post(&path, &json!({ "content": "{{ ssh_key }}" })).await.error(403);
    app.anonymous().post(&path, &json!({ "content": "x" })).await.error(401);
    let private = preseed(&admin, "private").await;
    assert_eq!(ann.post(&path, &json!({ "preseed_id": private.id })).await.error(403).detail, "not allowed to use preseed");
    // nor through the machine that has it
    admin.put(&format!("/machine/{}", d05.id), &json!({ "preseed_id": private.id })).await.ok::<Value>();
    ann.post(&path, &json!({})).await.error(403);
    admin.post(&path, &json!({})).await.ok::<PreseedPreview>();
    ann.post(&path, &json!({ "preseed_id": 999 })).await.error(400);
    ann.post("/machine/999/preseed-preview", &json!({ "content": "x" })).await.error(404);
}
