//! The table of rights, cell by cell, over HTTP: what is expected stands here a second time, written by hand.

use app::api::{Arch, Bmc, CreatedToken, Event, Image, Machine, Me, Network, Preseed, Token, User};
use axum::http::Method;
use serde_json::{Value, json};
use server::lab::{Action, policy::TABLE};
use store::NewEvent;

use crate::{
    fixtures::{arch, assign, interface, network, preseed, upload},
    support::{Auth, Client, TestApp},
};

/// In the order of the columns below.
const COLUMNS: [&str; 10] = [
    "anonymous",
    "any user",
    "any user, public thing",
    "assignee",
    "owner",
    "admin",
    "token: read",
    "token: machines",
    "token: images",
    "token: admin",
];

/// One letter per column: `Y` done, `n` 403, `u` 401, `0` 404 (it is not even told that there is one).
/// The tokens are those of an admin who is assignee and owner, too, so that only their limits can refuse.
#[rustfmt::skip]
fn expected(action: Action) -> &'static str {
    //                              anon user pub  asgn ownr adm   read mach imgs admn
    match action {
        Action::MachineRead         => "u    Y    Y    Y    Y    Y     Y    Y    Y    Y",
        Action::MachineDetails      => "u    n    n    Y    n    Y     Y    Y    Y    Y",
        Action::MachineCreate       => "u    n    n    n    n    Y     n    n    n    Y",
        Action::MachineDelete       => "u    n    n    n    n    Y     n    n    n    Y",
        Action::MachineOverview     => "u    n    n    n    n    Y     n    n    n    Y",
        Action::MachineProvisioning => "u    n    n    Y    n    Y     n    Y    n    n",
        Action::MachineControl      => "u    n    n    Y    n    Y     n    Y    n    n",
        Action::MachineConsole      => "u    n    n    Y    n    Y     n    Y    n    n",
        Action::InterfaceCreate     => "u    n    n    n    n    Y     n    n    n    Y",
        Action::InterfaceDelete     => "u    n    n    n    n    Y     n    n    n    Y",
        Action::InterfaceWiring     => "u    n    n    n    n    Y     n    n    n    Y",
        Action::InterfaceAddress    => "u    n    n    Y    n    Y     n    Y    n    n",
        Action::AssigneeCreate      => "u    n    n    n    n    Y     n    n    n    Y",
        Action::AssigneeChange      => "u    n    n    Y    n    Y     n    Y    n    n",
        Action::MachineReserve      => "u    Y    Y    Y    Y    Y     n    Y    n    n",
        Action::LeaseOfNobody       => "u    n    n    n    n    Y     n    n    n    Y",
        Action::DiscoveryManage     => "u    n    n    n    n    Y     n    n    n    Y",
        Action::ImageRead           => "u    n    Y    n    Y    Y     Y    Y    Y    Y",
        Action::ImageCreate         => "u    Y    Y    Y    Y    Y     n    n    Y    n",
        Action::ImageChange         => "u    n    n    n    Y    Y     n    n    Y    n",
        Action::PreseedRead         => "u    n    Y    n    Y    Y     Y    Y    Y    Y",
        Action::PreseedCreate       => "u    Y    Y    Y    Y    Y     n    n    Y    n",
        Action::PreseedChange       => "u    n    n    n    Y    Y     n    n    Y    n",
        Action::ArchRead            => "u    Y    Y    Y    Y    Y     Y    Y    Y    Y",
        Action::ArchManage          => "u    n    n    n    n    Y     n    n    n    Y",
        Action::NetworkRead         => "u    Y    Y    Y    Y    Y     Y    Y    Y    Y",
        Action::NetworkManage       => "u    n    n    n    n    Y     n    n    n    Y",
        Action::BmcRead             => "u    Y    Y    Y    Y    Y     Y    Y    Y    Y",
        Action::BmcAddress          => "u    n    n    n    n    Y     n    n    n    Y",
        Action::BmcManage           => "u    n    n    n    n    Y     n    n    n    Y",
        Action::UserRead            => "u    Y    Y    Y    Y    Y     Y    Y    Y    Y",
        Action::UserDetails         => "u    n    n    n    Y    Y     Y    Y    Y    Y",
        Action::UserManage          => "u    n    n    n    n    Y     n    n    n    Y",
        // `/self` is always one's own: every login is its owner
        Action::AccountRead         => "u    Y    Y    Y    Y    Y     Y    Y    Y    Y",
        Action::AccountChange       => "u    Y    Y    Y    Y    Y     n    n    n    n",
        Action::TokenCreate         => "u    Y    Y    Y    Y    Y     n    n    n    n",
        Action::CredentialsRead     => "u    n    n    n    Y    Y     Y    Y    Y    Y",
        Action::CredentialsRevoke   => "u    0    0    0    Y    Y     n    n    n    Y",
        Action::UsesManage          => "u    n    n    n    n    Y     n    n    n    Y",
        Action::AuditRead           => "u    n    n    n    n    Y     n    n    n    Y",
    }
}

/// Those who are somebody to the things of a cell.
struct Cell<'a> {
    app: &'a TestApp,
    admin: &'a Client,
    /// Whose images, preseeds, tokens and account it is about.
    owner: &'a Client,
    owner_id: i64,
    /// To whom the machines are assigned.
    assignee: &'a str,
    public: bool,
    /// Makes names that are used once.
    number: usize,
}

impl Cell<'_> {
    fn name(&self, of: &str) -> String {
        format!("{of}-{}", self.number)
    }

    async fn machine(&self) -> Machine {
        let bmc = self.bmc().await;
        let new = json!({ "name": self.name("machine"), "arch": "x86_64", "bmc_id": bmc.id });
        let made: Machine = self.admin.post("/machine", &new).await.created();
        assign(self.admin, &made, self.assignee).await;
        made
    }

    async fn bmc(&self) -> Bmc {
        let ip = format!("10.9.{}.{}", self.number / 250, self.number % 250);
        let new = json!({ "name": self.name("bmc"), "ip": ip, "type": "plain", "username": "root", "password": "calvin-7" });
        self.admin.post("/bmc", &new).await.created()
    }

    async fn image(&self) -> Image {
        let made = upload(self.owner, "Kernel", "x86_64", "vmlinuz", self.name("k").as_bytes()).await;
        self.owner.put(&format!("/image/{}", made.id), &json!({ "public": self.public })).await.ok()
    }

    async fn preseed(&self) -> Preseed {
        let made = preseed(self.owner, &self.name("preseed")).await;
        self.owner.put(&format!("/preseed/{}", made.id), &json!({ "public": self.public })).await.ok()
    }

    fn mac(&self) -> String {
        format!("52:54:00:00:{:02x}:{:02x}", self.number / 256, self.number % 256)
    }

    /// Something that tells an address, in the machine's log.
    async fn event(&self, machine: i64) {
        let mut tx = self.app.lab.store.begin().await.unwrap();
        let info = json!({ "client_ip": "10.1.2.3", "bytes": 1 }).to_string();
        let new = NewEvent { machine_id: machine, user_id: None, username: None, at: 1, event_type: "PRESEED_ACCESS".into(), info };
        store::events::insert(&mut tx, &new).await.unwrap();
        tx.commit().await.unwrap();
    }
}

/// The action, done by somebody: the status. What is answered but left out counts as 403.
async fn attempt(action: Action, cell: &Cell<'_>, who: &Client) -> u16 {
    let send = async |method: Method, path: String, body: Value| who.json(method, &path, &body).await.status.as_u16();
    let told = |answer: crate::support::Answer, given: bool| match answer.status.as_u16() {
        200 if !given => 403,
        status => status,
    };
    match action {
        Action::MachineRead => send(Method::GET, format!("/machine/{}/assignee", cell.machine().await.id), json!(null)).await,
        Action::MachineDetails => {
            let machine = cell.machine().await;
            cell.event(machine.id).await;
            let answer = who.get(&format!("/machine/{}/event", machine.id)).await;
            let given = answer.status == 200 && {
                let events: Vec<Event> = answer.ok();
                assert!(!events.is_empty(), "that something happened everybody sees");
                answer.text().contains("10.1.2.3")
            };
            told(answer, given)
        }
        Action::MachineCreate => send(Method::POST, "/machine".into(), json!({ "name": cell.name("new"), "arch": "x86_64" })).await,
        Action::MachineDelete => send(Method::DELETE, format!("/machine/{}", cell.machine().await.id), json!(null)).await,
        Action::MachineOverview => {
            send(Method::PUT, format!("/machine/{}", cell.machine().await.id), json!({ "name": cell.name("renamed") })).await
        }
        Action::MachineProvisioning => {
            send(Method::PUT, format!("/machine/{}", cell.machine().await.id), json!({ "kernel_opts": "quiet" })).await
        }
        Action::MachineControl => {
            send(Method::PUT, format!("/machine/{}/state", cell.machine().await.id), json!({ "state": "ready" })).await
        }
        Action::MachineConsole => send(Method::POST, format!("/machine/{}/console", cell.machine().await.id), json!({})).await,
        Action::InterfaceCreate => {
            send(Method::POST, format!("/machine/{}/interface", cell.machine().await.id), json!({ "mac": cell.mac() })).await
        }
        Action::InterfaceDelete | Action::InterfaceWiring | Action::InterfaceAddress => {
            let machine = cell.machine().await;
            let made = interface(cell.admin, &machine, &cell.mac(), None).await;
            let path = format!("/machine/{}/interface/{}", machine.id, made.id);
            match action {
                Action::InterfaceDelete => send(Method::DELETE, path, json!(null)).await,
                Action::InterfaceWiring => send(Method::PUT, path, json!({ "mac": cell.mac().replace("52:", "56:") })).await,
                _ => send(Method::PUT, path, json!({ "identifier": "eth0" })).await,
            }
        }
        Action::AssigneeCreate => {
            send(Method::POST, format!("/machine/{}/assignee", cell.machine().await.id), json!({ "user": "zoe" })).await
        }
        Action::AssigneeChange => {
            let machine = cell.machine().await;
            let path = format!("/machine/{}/assignee", machine.id);
            let assignee = &cell.admin.get(&path).await.ok::<Value>()[0]["id"];
            send(Method::PUT, format!("{path}/{assignee}"), json!({ "reason": "mine" })).await
        }
        Action::MachineReserve => {
            let name = cell.name("free");
            cell.admin.post("/machine", &json!({ "name": name, "arch": "x86_64" })).await.created::<Machine>();
            send(Method::POST, "/machine/reservation".into(), json!({ "query": format!("(= name \"{name}\")") })).await
        }
        Action::LeaseOfNobody => {
            let mut tx = cell.app.lab.store.begin().await.unwrap();
            store::leases::put(&mut tx, "52:54:00:ff:ff:ff", "10.1.2.9", 1).await.unwrap();
            tx.commit().await.unwrap();
            let answer = who.get("/lease").await;
            let given = answer.text().contains("10.1.2.9");
            told(answer, given)
        }
        Action::DiscoveryManage => send(Method::GET, "/discovered".into(), json!(null)).await,
        Action::ImageRead => send(Method::GET, format!("/image/{}", cell.image().await.id), json!(null)).await,
        Action::ImageCreate => {
            let form = crate::fixtures::Form::default().q(&json!({ "type": "Kernel", "arch": "x86_64" })).file("vmlinuz", b"kernel");
            form.send(who).await.status.as_u16()
        }
        Action::ImageChange => send(Method::DELETE, format!("/image/{}", cell.image().await.id), json!(null)).await,
        Action::PreseedRead => send(Method::GET, format!("/preseed/{}", cell.preseed().await.id), json!(null)).await,
        Action::PreseedCreate => send(Method::POST, "/preseed".into(), json!({ "name": cell.name("new"), "type": "preseed" })).await,
        Action::PreseedChange => send(Method::PUT, format!("/preseed/{}", cell.preseed().await.id), json!({ "content": "changed" })).await,
        Action::ArchRead => send(Method::GET, "/arch".into(), json!(null)).await,
        Action::ArchManage => send(Method::POST, "/arch".into(), json!({ "name": cell.name("arch") })).await,
        Action::NetworkRead => send(Method::GET, "/network".into(), json!(null)).await,
        Action::NetworkManage => {
            let subnet = format!("10.{}.{}.0/24", 20 + cell.number / 250, cell.number % 250);
            send(Method::POST, "/network".into(), json!({ "name": cell.name("net"), "subnet": subnet })).await
        }
        Action::BmcRead => send(Method::GET, format!("/bmc/{}", cell.bmc().await.id), json!(null)).await,
        Action::BmcAddress => {
            let bmc = cell.bmc().await;
            let answer = who.get(&format!("/bmc/{}", bmc.id)).await;
            let (ip, username) = (answer.text().contains(&bmc.ip), answer.text().contains("root"));
            assert_eq!(ip, username, "both or none");
            assert!(!answer.text().contains("calvin"), "W6: a BMC's password is nobody's to read");
            told(answer, ip)
        }
        Action::BmcManage => send(Method::DELETE, format!("/bmc/{}", cell.bmc().await.id), json!(null)).await,
        Action::UserRead => send(Method::GET, format!("/user/{}", cell.owner_id), json!(null)).await,
        Action::UserDetails => {
            let answer = who.get(&format!("/user/{}", cell.owner_id)).await;
            let given = answer.status == 200 && {
                let user: User = answer.ok();
                assert_eq!(user.email.is_some(), user.admin.is_some(), "both or none");
                user.email.is_some()
            };
            told(answer, given)
        }
        Action::UserManage => {
            send(Method::PUT, format!("/user/{}", cell.owner_id), json!({ "email": format!("{}@lab", cell.number) })).await
        }
        Action::AccountRead => send(Method::GET, "/self".into(), json!(null)).await,
        Action::AccountChange => send(Method::PUT, "/self".into(), json!({ "ssh_key": "ssh-ed25519 AAAA" })).await,
        Action::TokenCreate => send(Method::POST, "/self/token".into(), json!({ "description": "new" })).await,
        Action::CredentialsRead => {
            let status = send(Method::GET, format!("/user/{}/token", cell.owner_id), json!(null)).await;
            assert_eq!(status, send(Method::GET, format!("/user/{}/session", cell.owner_id), json!(null)).await);
            status
        }
        // of something nobody uses: an arch, which admins alone may delete
        Action::UsesManage => {
            let made: Arch = cell.admin.post("/arch", &json!({ "name": cell.name("spare") })).await.created();
            send(Method::DELETE, format!("/arch/{}?detach=true", made.id), json!(null)).await
        }
        Action::AuditRead => send(Method::GET, "/admin/audit".into(), json!(null)).await,
        Action::CredentialsRevoke => {
            let made: CreatedToken = cell.owner.post("/self/token", &json!({ "description": "old" })).await.created();
            send(Method::DELETE, format!("/self/token/{}", made.token.id), json!(null)).await
        }
    }
}

fn letter(status: u16) -> char {
    match status {
        200..=299 => 'Y',
        401 => 'u',
        403 => 'n',
        404 => '0',
        _ => '?',
    }
}

#[tokio::test]
async fn every_cell_of_the_table_is_what_it_says() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        app.make_user("zoe", false).await;
        let (eve, bob, ann) = (app.user("eve").await, app.user("bob").await, app.user("ann").await);
        let root = app.log_in("root", &app.make_user("root", true).await).await;
        let limited = async |scope: &str| {
            let made: CreatedToken = root.post("/self/token", &json!({ "name": scope, "scopes": [scope] })).await.created();
            app.anonymous().with(Auth::Token(made.secret))
        };
        let (ann_id, root_id) = (ann.get("/self").await.ok::<Me>().id, root.get("/self").await.ok::<Me>().id);
        let anonymous = app.anonymous();
        let tokens = [limited("read").await, limited("machines").await, limited("images").await, limited("admin").await];
        let columns = [&anonymous, &eve, &eve, &bob, &ann, &admin, &tokens[0], &tokens[1], &tokens[2], &tokens[3]];
        let (mut number, mut wrong) = (0, Vec::new());
        for row in TABLE {
            let expected: Vec<char> = expected(row.action).chars().filter(|letter| !letter.is_whitespace()).collect();
            assert_eq!(expected.len(), COLUMNS.len(), "{:?}", row.action);
            for (index, who) in columns.iter().enumerate() {
                number += 1;
                let of_tokens = index >= 6;
                let cell = Cell {
                    app: &app,
                    admin: &admin,
                    owner: if of_tokens { &root } else { &ann },
                    owner_id: if of_tokens { root_id } else { ann_id },
                    assignee: if of_tokens { "root" } else { "bob" },
                    public: index == 2,
                    number,
                };
                let status = attempt(row.action, &cell, who).await;
                if letter(status) != expected[index] {
                    wrong.push(format!("{:?} by {}: {status}, expected {}", row.action, COLUMNS[index], expected[index]));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

#[tokio::test]
async fn w2_w7_what_somebody_else_boots_is_neither_changed_nor_told() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        let (ann, eve) = (app.user("ann").await, app.user("eve").await);
        let machine = crate::fixtures::machine(&admin, "machine").await;
        assign(&admin, &machine, "ann").await;
        let kernel = upload(&ann, "Kernel", "x86_64", "embargoed-kernel", b"kernel").await;
        let new = json!({ "name": "embargoed-answers", "type": "preseed", "content": "rootpw s3cret", "description": "embargoed" });
        let answers: Preseed = ann.post("/preseed", &new).await.created();
        let path = format!("/machine/{}", machine.id);
        ann.put(&path, &json!({ "kernel_id": kernel.id, "preseed_id": answers.id })).await.ok::<Machine>();
        let mut tx = app.lab.store.begin().await.unwrap();
        let info = json!({ "filename": "ann/embargoed-kernel", "client_ip": "10.1.2.3", "netboot": true }).to_string();
        let event = NewEvent { machine_id: machine.id, user_id: None, username: None, at: 1, event_type: "TFTP_REQ".into(), info };
        store::events::insert(&mut tx, &event).await.unwrap();
        tx.commit().await.unwrap();

        let token = eve.token().await;
        for client in [&eve, &token] {
            for body in [
                json!({ "kernel_id": null }),
                json!({ "kernel_opts": "init=/bin/sh" }),
                json!({ "preseed_id": null }),
                json!({ "netboot_enabled": true }),
            ] {
                client.put(&path, &body).await.error(403);
            }
            for path in [
                path.clone(),
                "/machine?show_all=true".into(),
                format!("{path}/event"),
                format!("{path}/interface"),
                format!("{path}/assignee"),
                "/image?show_all=true".into(),
                "/preseed?show_all=true".into(),
            ] {
                let answer = client.get(&path).await;
                assert!(answer.status.is_success() && !answer.text().contains("embargoed") && !answer.text().contains("s3cret"), "{path}");
                assert!(!answer.text().contains("10.1.2.3"), "W17: {path}");
            }
            client.get(&format!("/image/{}", kernel.id)).await.error(403);
            client.get(&format!("/preseed/{}", answers.id)).await.error(403);
            assert_eq!(client.get(&format!("//preseed/{}", machine.id)).await.status, 404);
        }
        assert!(ann.get(&format!("{path}/event")).await.text().contains("embargoed-kernel"), "its assignee sees it");
        assert_eq!(ann.get(&path).await.ok::<Machine>().kernel_id, Some(kernel.id));
    }
}

#[tokio::test]
async fn w6_nothing_of_the_old_pages_is_there_and_no_get_changes_anything() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        let machine = crate::fixtures::machine(&admin, "machine").await;
        for path in ["//admin-legacy/bmc/1", "//admin-legacy/machine/1/reboot", "//admin-legacy/machine/1/console"] {
            assert_eq!(admin.get(path).await.status, 404, "{path}");
        }
        // every address that changes something refuses GET or only reads
        let before = admin.get(&format!("/machine/{}", machine.id)).await;
        for part in ["power", "state", "interface", "assignee"] {
            assert!(admin.get(&format!("/machine/{}/{part}", machine.id)).await.status.is_success());
        }
        admin.get(&format!("/machine/{}/console", machine.id)).await.error(405);
        assert_eq!(admin.get(&format!("/machine/{}", machine.id)).await.body, before.body);
    }
}

#[tokio::test]
async fn w17_other_peoples_keys_flags_and_the_bmcs_addresses_are_not_told() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        admin.put("/self", &json!({ "ssh_key": "ssh-ed25519 AAAAadmin", "email": "root@example.org" })).await.ok::<Me>();
        admin.post("/bmc", &json!({ "name": "bmc1", "ip": "10.77.0.9", "type": "plain" })).await.created::<Bmc>();
        network(&admin).await;
        let eve = app.user("eve").await;
        for path in ["/user", "/user/1", "/bmc", "/bmc/1"] {
            let answer = eve.get(path).await;
            assert!(answer.status.is_success(), "{path}");
            for secret in ["AAAAadmin", "root@example.org", "10.77.0.9", "\"admin\":true"] {
                assert!(!answer.text().contains(secret), "{path}: {}", answer.text());
            }
        }
        let own: User = eve.get(&format!("/user/{}", eve.get("/self").await.ok::<Me>().id)).await.ok();
        assert_eq!((own.admin, own.email.is_some()), (Some(false), true), "one's own are told");
        // not even admins read others' keys
        assert!(!app.admin().await.get("/user").await.text().contains("ssh_key"));
        assert!(eve.get("/network").await.ok::<Vec<Network>>().len() == 1 && eve.get("/arch").await.ok::<Vec<Arch>>().is_empty());
        assert!(eve.get("/self/token").await.ok::<Vec<Token>>().is_empty());
    }
}
