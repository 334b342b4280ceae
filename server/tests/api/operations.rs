//! The original's 28 operations, each asked as its clients ask: a token without `Bearer`, JSON under the content type of a form.

use axum::http::Method;
use bmc_sim::machine::Firmware;
use serde_json::{Value, json};

use crate::{
    fixtures::Form,
    simulated::Simulated,
    support::{Answer, Auth, Client, Engine},
};

/// How many the original documents.
const OPERATIONS: usize = 28;

struct Script {
    client: Client,
    asked: Vec<String>,
}

impl Script {
    async fn ask(&mut self, method: Method, path: &str, body: Option<Value>, status: u16) -> Value {
        let content_type = [("content-type", "application/x-www-form-urlencoded")];
        let text = body.as_ref().map(Value::to_string).unwrap_or_default();
        let answer = self.client.send(method.clone(), path, &content_type, text).await;
        self.note(&method, path, &answer, status)
    }

    fn note(&mut self, method: &Method, path: &str, answer: &Answer, status: u16) -> Value {
        assert_eq!(answer.status.as_u16(), status, "{method} {path}: {}", answer.text());
        self.asked.push(format!("{method} {path}"));
        if answer.body.is_empty() { Value::Null } else { answer.body_of(answer.status) }
    }
}

fn members(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_of_the_original_answers_with_its_status_and_members() {
    for engine in Engine::BOTH {
        let lab = Simulated::start(engine, Firmware::Bios).await;
        lab.app.make_user("ann", false).await;
        let Auth::Token(token) = lab.admin.token().await.auth else { unreachable!() };
        let bare = token.strip_prefix("Bearer ").unwrap().to_owned();
        let mut script = Script { client: lab.admin.with(Auth::Token(bare)), asked: Vec::new() };
        let (get, post, put, delete) = (Method::GET, Method::POST, Method::PUT, Method::DELETE);
        let m = lab.path("");

        let all = script.ask(get.clone(), "/machine?q=(=%20name%20%22sim%22)&show_all=true", None, 200).await;
        assert_eq!(all[0]["name"], "sim");
        let got = script.ask(post.clone(), "/machine/reservation", Some(json!({ "query": "(= name \"sim\")", "reason": "ci" })), 200).await;
        assert_eq!(got["id"], lab.machine.id);
        let one = script.ask(get.clone(), &m, None, 200).await;
        for member in "id name hostname arch subarch kernel_id kernel_opts initrd_id preseed_id netboot_enabled".split(' ') {
            assert!(members(&one).contains(&member), "{member}");
        }
        let set = script.ask(put.clone(), &m, Some(json!({ "netboot_enabled": true, "kernel_opts": "action=poweroff" })), 200).await;
        assert_eq!(set["netboot_enabled"], true);

        assert_eq!(script.ask(get.clone(), &format!("{m}/power"), None, 200).await["state"], "off");
        let power = script.ask(post.clone(), &format!("{m}/power"), Some(json!({ "state": "on" })), 202).await;
        assert!(["on", "off"].contains(&power["state"].as_str().unwrap()), "{power}");
        assert_eq!(script.ask(get.clone(), &format!("{m}/state"), None, 200).await, json!({ "state": "unknown" }));
        let state = script.ask(post.clone(), &format!("{m}/state"), Some(json!({ "state": "provision" })), 202).await;
        assert_eq!(state, json!({ "state": "provisioning" }));
        let state = script.ask(put.clone(), &format!("{m}/state"), Some(json!({ "state": "ready" })), 200).await;
        assert_eq!(state, json!({ "state": "ready" }));
        let console = script.ask(post.clone(), &format!("{m}/console"), None, 200).await;
        assert_eq!(members(&console), ["host", "port", "token"]);

        let interfaces = script.ask(get.clone(), &format!("{m}/interface"), None, 200).await;
        let eth0 = format!("{m}/interface/{}", interfaces[0]["id"]);
        let interface = script.ask(get.clone(), &eth0, None, 200).await;
        for member in "id identifier mac network_name subnetv4 netmaskv4 prefixlenv4 static_pool_v4 reserved_pool_v4 config_type_v4 \
                       configured_ipv4 lease_ipv4 last_seen_date"
            .split_whitespace()
        {
            assert!(members(&interface).contains(&member), "{member}");
        }
        assert_eq!(script.ask(put.clone(), &eth0, Some(json!({ "identifier": "eth0" })), 200).await["identifier"], "eth0");

        assert_eq!(script.ask(get.clone(), &format!("{m}/assignee"), None, 200).await[0]["reason"], "ci");
        let ann = script.ask(post.clone(), &format!("{m}/assignee"), Some(json!({ "user": "ann" })), 201).await;
        let ann = format!("{m}/assignee/{}", ann["id"]);
        assert_eq!(script.ask(get.clone(), &ann, None, 200).await["user"], "ann");
        assert_eq!(script.ask(put.clone(), &ann, Some(json!({ "reason": "new" })), 200).await["reason"], "new");
        assert_eq!(script.ask(delete.clone(), &ann, None, 204).await, Value::Null);

        let form = Form::default().file("vmlinuz", b"a kernel").q(&json!({ "type": "Kernel", "arch": "x86_64", "description": "key" }));
        let answer = form.send(&script.client).await;
        let image = script.note(&post, "/image", &answer, 201);
        for member in "id name description type arch upload_date user known_good public".split(' ') {
            assert!(members(&image).contains(&member), "{member}");
        }
        let images = script.ask(get.clone(), "/image", None, 200).await;
        assert!(images.as_array().unwrap().contains(&image));
        let image = format!("/image/{}", image["id"]);
        assert_eq!(script.ask(get.clone(), &image, None, 200).await["description"], "key");
        assert_eq!(script.ask(put.clone(), &image, Some(json!({ "public": true })), 200).await["public"], true);
        script.ask(delete.clone(), &image, None, 204).await;

        let preseed = json!({ "name": "debian", "type": "preseed", "content": "d-i" });
        let preseed = script.ask(post.clone(), "/preseed", Some(preseed), 201).await;
        for member in "id name content description type user known_good public".split(' ') {
            assert!(members(&preseed).contains(&member), "{member}");
        }
        assert_eq!(script.ask(get.clone(), "/preseed?show_all=false", None, 200).await[0]["content"], "d-i");
        let preseed = format!("/preseed/{}", preseed["id"]);
        script.ask(get.clone(), &preseed, None, 200).await;
        assert_eq!(script.ask(put.clone(), &preseed, Some(json!({ "content": "new" })), 200).await["content"], "new");
        script.ask(delete.clone(), &preseed, None, 204).await;
        assert_eq!(script.asked.len(), OPERATIONS, "{:#?}", script.asked);
    }
}
