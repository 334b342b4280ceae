//! What the original's own tests of its API asked for, in our words: run by a script of a lab (curl, a bare token, bodies
//! without a JSON content type) against one running server, on either engine.

mod auth;
mod images;
mod machines;
mod preseeds;
mod reservations;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use serde_json::{Value, json};
use store::testing::{self, TestStore};

use crate::process::Running;

/// One test of the original's: its subject, and what must hold.
type Case = (&'static str, fn(&World));

/// As many as the original has.
const ORIGINALS: usize = 46;

/// Somebody's script.
#[derive(Clone)]
pub struct Script {
    base: String,
    /// The value of `Authorization`, which the original's clients send without `Bearer`.
    token: Option<String>,
}

/// The lab the cases share. Each makes things of its own, under names of its own.
pub struct World {
    admin: Script,
    ann: Script,
    ben: Script,
    count: AtomicU32,
}

impl Script {
    fn curl(&self, arguments: &[&str], path: &str) -> (u16, String) {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--globoff", "--max-time", "60", "--write-out", "\n%{http_code}"]).args(arguments);
        if let Some(token) = &self.token {
            curl.args(["--header", &format!("Authorization: {token}")]);
        }
        let root = if path.starts_with("//") { path[1..].to_owned() } else { format!("/api/v1{path}") };
        let output = curl.arg(format!("{}{root}", self.base)).output().expect("curl is needed: apt-get install curl");
        let text = String::from_utf8(output.stdout).unwrap();
        let (body, status) = text.rsplit_once('\n').unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        (status.parse().unwrap(), body.to_owned())
    }

    #[track_caller]
    fn answered(&self, arguments: &[&str], path: &str, status: u16) -> Value {
        let (got, body) = self.curl(arguments, path);
        assert_eq!(got, status, "{arguments:?} {path}: {body}");
        if body.is_empty() { Value::Null } else { serde_json::from_str(&body).unwrap() }
    }

    #[track_caller]
    pub fn get(&self, path: &str, status: u16) -> Value {
        self.answered(&[], path, status)
    }

    /// curl says that a body is a form, as the scripts do that forget to say otherwise.
    #[track_caller]
    pub fn post(&self, path: &str, body: &Value, status: u16) -> Value {
        self.answered(&["--data", &body.to_string()], path, status)
    }

    /// Without any content type.
    #[track_caller]
    pub fn put(&self, path: &str, body: &Value, status: u16) -> Value {
        self.answered(&["--request", "PUT", "--header", "Content-Type:", "--data", &body.to_string()], path, status)
    }

    #[track_caller]
    pub fn delete(&self, path: &str, status: u16) {
        assert_eq!(self.answered(&["--request", "DELETE"], path, status), Value::Null);
    }

    /// Multipart, with the parts in this order: `q` and its JSON, `file` and its content.
    #[track_caller]
    pub fn form(&self, path: &str, parts: &[(&str, &str)], status: u16) -> Value {
        let parts: Vec<String> = parts
            .iter()
            .map(|(name, content)| match *name {
                // a literal value in curl's own quoting
                "file" => format!("file=\"{}\";filename=vmlinuz", content.replace('"', "\\\"")),
                name => format!("{name}=\"{}\"", content.replace('"', "\\\"")),
            })
            .collect();
        let arguments: Vec<&str> = parts.iter().flat_map(|part| ["--form", part.as_str()]).collect();
        self.answered(&arguments, path, status)
    }

    fn with_token(&self, token: Option<&str>) -> Self {
        Self { base: self.base.clone(), token: token.map(str::to_owned) }
    }
}

impl World {
    fn open(server: &Running, password: &str) -> Self {
        let base = format!("http://{}", server.address());
        let token = |username: &str, password: &str| {
            let cookie = server.log_in(username, password).unwrap();
            let (status, _, body) = server.ask("POST", "/api/v1/self/token", &cookie, r#"{"description":"script"}"#);
            assert_eq!(status, 201, "{body}");
            let made: Value = serde_json::from_str(&body).unwrap();
            Script { base: base.clone(), token: Some(made["secret"].as_str().unwrap().to_owned()) }
        };
        let admin = token("admin", password);
        let user = |name: &str| {
            let made = admin.post("/user", &json!({ "username": name }), 201);
            token(name, made["password"].as_str().unwrap())
        };
        let (ann, ben) = (user("ann"), user("ben"));
        let world = Self { admin, ann, ben, count: AtomicU32::new(0) };
        world.arch("arm64");
        world
    }

    /// A name nobody has.
    fn name(&self, stem: &str) -> String {
        format!("{stem}-{}", self.count.fetch_add(1, Ordering::Relaxed))
    }

    /// An architecture with the flavours `uefi`, which has a bootloader, and `bare`, which has none.
    fn arch(&self, name: &str) {
        let id = &self.admin.post("/arch", &json!({ "name": name }), 201)["id"];
        let loader = self.image(&self.admin, "bootloader", name);
        let flavour = json!({ "name": "uefi", "bootloader_id": loader["id"], "efiboot": true });
        self.admin.post(&format!("/arch/{id}/subarch"), &flavour, 201);
        self.admin.post(&format!("/arch/{id}/subarch"), &json!({ "name": "bare" }), 201);
    }

    fn image(&self, owner: &Script, kind: &str, arch: &str) -> Value {
        let description = self.name(kind);
        let q = json!({ "type": kind, "arch": arch, "description": description });
        owner.form("/image", &[("q", &q.to_string()), ("file", &format!("content of {description}"))], 201)
    }

    fn preseed(&self, owner: &Script, content: &str) -> Value {
        owner.post("/preseed", &json!({ "name": self.name("preseed"), "type": "preseed", "content": content }), 201)
    }

    /// A machine with one interface that nobody has.
    fn machine(&self) -> Value {
        self.machine_named(&self.name("d05"))
    }

    fn machine_named(&self, name: &str) -> Value {
        let n = self.count.fetch_add(1, Ordering::Relaxed);
        let mac = format!("52:54:00:00:{:02x}:{:02x}", n / 256, n % 256);
        self.admin.post("/machine", &json!({ "name": name, "arch": "arm64", "macs": [mac] }), 201)
    }

    /// A machine that ann has.
    fn anns(&self) -> Value {
        let machine = self.machine();
        self.admin.post(&format!("/machine/{}/assignee", machine["id"]), &json!({ "user": "ann", "reason": "tests" }), 201);
        machine
    }
}

fn path(machine: &Value, rest: &str) -> String {
    format!("/machine/{}{rest}", machine["id"])
}

/// The names of a list.
fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|thing| thing["name"].as_str().unwrap()).collect()
}

fn ids(list: &Value) -> Vec<i64> {
    list.as_array().unwrap().iter().map(|thing| thing["id"].as_i64().unwrap()).collect()
}

/// Every case is run, whatever became of those before.
fn all_hold_on(store: &TestStore) {
    let data = tempfile::tempdir().unwrap();
    let mut server = Running::start_with(data.path(), |command| {
        command.env("MRP_DATABASE_URL", &store.url);
    });
    let password = server.password();
    let world = World::open(&server, &password);
    let cases: Vec<Case> = [auth::CASES, machines::CASES, reservations::CASES, images::CASES, preseeds::CASES].concat();
    assert_eq!(cases.len(), ORIGINALS);
    let failed: Vec<&str> = cases
        .into_iter()
        .filter(|(name, case)| {
            eprintln!("{name}");
            catch_unwind(AssertUnwindSafe(|| case(&world))).is_err()
        })
        .map(|(name, _)| name)
        .collect();
    assert!(failed.is_empty(), "{} of {ORIGINALS} do not hold on {}: {failed:#?}", failed.len(), store.name);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_originals_tests_ask_holds_on_sqlite() {
    all_hold_on(&testing::sqlite().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_originals_tests_ask_holds_on_postgres() {
    all_hold_on(&testing::postgres().await);
}
