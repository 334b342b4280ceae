//! Things a lab has, made through the API.

use app::api::{Arch, Image, Interface, Machine, Network, Preseed, Subarch};
use axum::http::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Client};

/// A form of an upload, part by part.
#[derive(Default)]
pub struct Form(Vec<u8>);

const BOUNDARY: &str = "----x7MA4YWxkTrZu0gW";

impl Form {
    pub fn q(self, q: &Value) -> Self {
        self.part("name=\"q\"", q.to_string().as_bytes())
    }

    pub fn file(self, name: &str, content: &[u8]) -> Self {
        self.part(&format!("name=\"file\"; filename=\"{name}\""), content)
    }

    pub fn part(mut self, disposition: &str, content: &[u8]) -> Self {
        self.0.extend_from_slice(format!("--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n").as_bytes());
        self.0.extend_from_slice(content);
        self.0.extend_from_slice(b"\r\n");
        self
    }

    /// The whole body, closed.
    pub fn body(mut self) -> Vec<u8> {
        self.0.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        self.0
    }

    pub fn content_type() -> String {
        format!("multipart/form-data; boundary={BOUNDARY}")
    }

    pub async fn send(self, client: &Client) -> Answer {
        client.send(Method::POST, "/image", &[("content-type", &Self::content_type())], self.body()).await
    }
}

pub async fn upload(client: &Client, kind: &str, arch: &str, name: &str, content: &[u8]) -> Image {
    Form::default().q(&json!({ "type": kind, "arch": arch })).file(name, content).send(client).await.created()
}

pub async fn arch(admin: &Client, name: &str) -> Arch {
    admin.post("/arch", &json!({ "name": name })).await.created()
}

/// A flavour that can boot from the network: with a bootloader.
pub async fn subarch(admin: &Client, arch: &Arch, name: &str) -> Subarch {
    let loader = upload(admin, "bootloader", &arch.name, "loader.efi", name.as_bytes()).await;
    admin.post(&format!("/arch/{}/subarch", arch.id), &json!({ "name": name, "bootloader_id": loader.id })).await.created()
}

/// Its architecture must exist: `x86_64`.
pub async fn machine(admin: &Client, name: &str) -> Machine {
    admin.post("/machine", &json!({ "name": name, "arch": "x86_64" })).await.created()
}

pub async fn assign(admin: &Client, machine: &Machine, user: &str) {
    admin.post(&format!("/machine/{}/assignee", machine.id), &json!({ "user": user, "reason": "test" })).await.created::<Value>();
}

pub async fn preseed(client: &Client, name: &str) -> Preseed {
    client.post("/preseed", &json!({ "name": name, "type": "preseed", "content": "d-i x" })).await.created()
}

/// `10.0.0.0/24` with a static and a reserved pool of two usable addresses each.
pub async fn network(admin: &Client) -> Network {
    let new = json!({ "name": "lab", "subnet": "10.0.0.0/24", "static_net": "10.0.0.8/30", "reserved_net": "10.0.0.16/30" });
    admin.post("/network", &new).await.created()
}

pub async fn interface(admin: &Client, machine: &Machine, mac: &str, network: Option<&Network>) -> Interface {
    let new = json!({ "mac": mac, "network_id": network.map(|network| network.id) });
    admin.post(&format!("/machine/{}/interface", machine.id), &new).await.created()
}

/// What somebody may do: the status of each request, in order.
pub async fn statuses(client: &Client, requests: &[(Method, String, Value)]) -> Vec<u16> {
    let mut statuses = Vec::new();
    for (method, path, body) in requests {
        statuses.push(client.json(method.clone(), path, body).await.status.as_u16());
    }
    statuses
}
