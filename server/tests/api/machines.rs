//! Machines: who sees them, who changes them, and what is never half done.

use app::api::{Event, EventKind, LabEvent, Machine, MachineState, PowerState};
use axum::http::Method;
use serde_json::{Value, json};

use crate::{
    fixtures::{arch, assign, machine, preseed, statuses, subarch, upload},
    support::{Engine, TestApp},
};

fn names(machines: &[Machine]) -> Vec<&str> {
    machines.iter().map(|machine| machine.name.as_str()).collect()
}

#[tokio::test]
async fn a_list_has_ones_own_machines_or_all_by_name() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        let ann = app.user("ann").await;
        arch(&admin, "x86_64").await;
        for name in ["d05-2", "d05-1", "Zed", "alpha"] {
            let made = machine(&admin, name).await;
            if name.starts_with("d05") {
                assign(&admin, &made, "ann").await;
            }
        }
        let own: Vec<Machine> = ann.get("/machine").await.ok();
        assert_eq!(names(&own), ["d05-1", "d05-2"]);
        assert!(
            own.iter().all(|machine| machine.may_change && machine.assignees[0].user == "ann" && machine.assignees[0].reason == "test")
        );
        for yes in ["true", "True", "TRUE"] {
            let all: Vec<Machine> = ann.get(&format!("/machine?show_all={yes}")).await.ok();
            assert_eq!(names(&all), ["alpha", "d05-1", "d05-2", "Zed"], "as people count");
            assert!(!all[0].may_change && all[2].may_change);
        }
        assert!(admin.get("/machine?show_all=false").await.ok::<Vec<Machine>>().is_empty());
        app.anonymous().get("/machine").await.error(401);
    }
}

#[tokio::test]
async fn a_machine_has_all_that_clients_of_the_original_read() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        let x86 = arch(&admin, "x86_64").await;
        let uefi = subarch(&admin, &x86, "uefi").await;
        let new =
            json!({ "name": "my.machine 1", "arch": "x86_64", "subarch": "uefi", "macs": ["52-54-00-AA-BB-01", "52:54:00:aa:bb:02"] });
        let made: Machine = admin.post("/machine", &new).await.created();
        let expected = Machine {
            id: made.id,
            name: "my.machine 1".into(),
            hostname: "my-machine-1".into(),
            arch: "x86_64".into(),
            subarch: Some("uefi".into()),
            kernel_id: None,
            kernel_opts: String::new(),
            initrd_id: None,
            preseed_id: None,
            netboot_enabled: false,
            state: MachineState::Unknown,
            power: PowerState::Unknown,
            power_error: None,
            arch_id: x86.id,
            subarch_id: Some(uefi.id),
            bmc_id: None,
            bmc: None,
            bmc_info: String::new(),
            bmc_health: None,
            macs: vec!["52:54:00:aa:bb:01".into(), "52:54:00:aa:bb:02".into()],
            assignees: vec![],
            leases: vec![],
            tags: vec![],
            updated_at: made.updated_at.clone(),
            may_change: true,
        };
        assert_eq!(made, expected);
        assert_eq!(admin.get(&format!("/machine/{}", made.id)).await.ok::<Machine>(), expected);
        assert_eq!(admin.get("/machine?show_all=true").await.ok::<Vec<Machine>>(), [expected]);
    }
}

#[tokio::test]
async fn making_a_machine_is_all_or_nothing() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        let first = json!({ "name": "first", "arch": "x86_64", "macs": ["52:54:00:00:00:01"] });
        admin.post("/machine", &first).await.created::<Machine>();
        // the second MAC is taken: neither machine nor first MAC may be left
        let second = json!({ "name": "second", "arch": "x86_64", "macs": ["52:54:00:00:00:02", "52:54:00:00:00:01"] });
        assert!(admin.post("/machine", &second).await.error(409).detail.contains("52:54:00:00:00:01"));
        assert_eq!(admin.get("/machine?show_all=true").await.ok::<Vec<Machine>>().len(), 1);
        // one that was given twice is nobody else's
        let twice = json!({ "name": "second", "arch": "x86_64", "macs": ["52:54:00:00:00:02", "52-54-00-00-00-02"] });
        assert_eq!(admin.post("/machine", &twice).await.error(400).detail, "MAC 52:54:00:00:00:02 was given twice");
        let second = json!({ "name": "second", "arch": "x86_64", "macs": ["52:54:00:00:00:02"] });
        admin.post("/machine", &second).await.created::<Machine>();
        assert_eq!(admin.post("/machine", &second).await.error(409).detail, "a machine with this name exists already");
    }
}

#[tokio::test]
async fn what_a_new_machine_names_must_exist() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        let x86 = arch(&admin, "x86_64").await;
        arch(&admin, "arm64").await;
        subarch(&admin, &x86, "uefi").await;
        let bmc: Value = admin.post("/bmc", &json!({ "name": "chassis", "ip": "127.0.0.1", "type": "moonshot" })).await.created();
        for (new, sentence) in [
            (json!({ "name": "m", "arch": "x86_64" }), "Machine name must be between 2 and 256 characters long"),
            (json!({ "name": "machine" }), "missing field `arch`"),
            (json!({ "name": "machine", "arch": "mips" }), "no such architecture"),
            (json!({ "name": "machine", "arch": "arm64", "subarch": "uefi" }), "no such subarch for architecture arm64"),
            (json!({ "name": "machine", "arch": "x86_64", "macs": ["52:54:00"] }), "MAC 52:54:00 is not a valid mac address"),
            (json!({ "name": "machine", "arch": "x86_64", "bmc_id": 99 }), "A BMC with id=99 does not exist"),
        ] {
            assert!(admin.post("/machine", &new).await.error(400).detail.contains(sentence), "{new}");
        }
        let on_chassis = json!({ "name": "machine", "arch": "x86_64", "bmc_id": bmc["id"], "bmc_info": "c1" });
        assert!(admin.post("/machine", &on_chassis).await.error(400).detail.starts_with("Not a valid moonshot cartridge id"));
        assert!(admin.get("/machine?show_all=true").await.ok::<Vec<Machine>>().is_empty());
    }
}

#[tokio::test]
async fn everybody_reads_assignees_change_admins_make_and_delete() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        let made = machine(&admin, "machine").await;
        let stranger = app.user("eve").await;
        let assignee = app.user("ann").await;
        assign(&admin, &made, "ann").await;
        let path = format!("/machine/{}", made.id);
        let requests = [
            (Method::GET, path.clone(), json!(null)),
            (Method::PUT, path.clone(), json!({ "kernel_opts": "quiet" })),
            (Method::POST, "/machine".into(), json!({ "name": "other", "arch": "x86_64" })),
            (Method::DELETE, path, json!(null)),
        ];
        assert_eq!(statuses(&app.anonymous(), &requests).await, [401, 401, 401, 401]);
        // W2: the original let any token change any machine
        assert_eq!(statuses(&stranger, &requests).await, [200, 403, 403, 403]);
        assert_eq!(statuses(&stranger.token().await, &requests).await, [200, 403, 403, 403]);
        assert_eq!(statuses(&assignee, &requests).await, [200, 200, 403, 403]);
        assert_eq!(statuses(&admin, &requests).await, [200, 200, 201, 204]);
    }
}

#[tokio::test]
async fn name_architecture_and_bmc_are_the_admins() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        arch(&admin, "arm64").await;
        let bmc: Value = admin.post("/bmc", &json!({ "name": "bmc1", "ip": "127.0.0.1", "type": "plain" })).await.created();
        let made = machine(&admin, "machine").await;
        let ann = app.user("ann").await;
        assign(&admin, &made, "ann").await;
        let path = format!("/machine/{}", made.id);
        for change in [json!({ "name": "other" }), json!({ "arch": "arm64" }), json!({ "bmc_id": bmc["id"] }), json!({ "bmc_info": "x" })] {
            ann.put(&path, &change).await.error(403);
            admin.put(&path, &change).await.ok::<Machine>();
        }
        let now: Machine = admin.get(&path).await.ok();
        assert_eq!(
            (now.name.as_str(), now.arch.as_str(), now.bmc.as_deref(), now.bmc_info.as_str()),
            ("other", "arm64", Some("bmc1"), "x")
        );
        // a client that sends back what it read changes nothing of that
        let mut whole: Value = ann.get(&path).await.ok();
        whole["kernel_opts"] = json!("quiet");
        whole["something_unknown"] = json!(1);
        assert_eq!(ann.put(&path, &whole).await.ok::<Machine>().kernel_opts, "quiet");
    }
}

#[tokio::test]
async fn what_a_machine_boots_must_fit() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        let x86 = arch(&admin, "x86_64").await;
        subarch(&admin, &x86, "uefi").await;
        let ann = app.user("ann").await;
        let made = machine(&admin, "machine").await;
        assign(&admin, &made, "ann").await;
        let kernel = upload(&ann, "Kernel", "x86_64", "linux", b"k").await;
        let initrd = upload(&ann, "Initrd", "x86_64", "initrd", b"i").await;
        let foreign = upload(&admin, "Kernel", "x86_64", "linux", b"f").await;
        let secret = preseed(&admin, "secret").await;
        let path = format!("/machine/{}", made.id);
        for (change, status, sentence) in [
            (json!({ "kernel_id": 999 }), 400, "no such kernel"),
            (json!({ "initrd_id": 999 }), 400, "no such initrd"),
            (json!({ "preseed_id": 999 }), 400, "no such preseed"),
            (json!({ "subarch": "bios" }), 400, "no such subarch for architecture x86_64"),
            (json!({ "kernel_id": initrd.id }), 400, "kernel is not a kernel"),
            (json!({ "initrd_id": kernel.id }), 400, "initrd is not an initrd"),
            (json!({ "kernel_id": foreign.id }), 403, "not allowed to use kernel"),
            (json!({ "preseed_id": secret.id }), 403, "not allowed to use preseed"),
            // W19: a second line would be the loader's
            (json!({ "kernel_opts": "quiet\nlinux evil" }), 400, "Kernel options must not contain control characters"),
            (json!({ "kernel_opts": "x".repeat(1025) }), 400, "Kernel options must be between 0 and 1024 characters long"),
        ] {
            assert_eq!(ann.put(&path, &change).await.error(status).detail, sentence, "{change}");
        }
        admin.put(&format!("/image/{}", foreign.id), &json!({ "public": true })).await.ok::<Value>();
        // ids may come as texts, and null clears: B12
        let change = json!({ "kernel_id": foreign.id.to_string(), "initrd_id": initrd.id, "subarch": "uefi", "kernel_opts": " quiet " });
        let now: Machine = ann.put(&path, &change).await.ok();
        assert_eq!((now.kernel_id, now.initrd_id, now.subarch.as_deref()), (Some(foreign.id), Some(initrd.id), Some("uefi")));
        assert_eq!(now.kernel_opts, "quiet");
        // what it has already may be sent again, even when its owner hid it meanwhile
        admin.put(&format!("/image/{}", foreign.id), &json!({ "public": false })).await.ok::<Value>();
        ann.put(&path, &json!({ "kernel_id": foreign.id, "kernel_opts": "" })).await.ok::<Machine>();
        let now: Machine = ann.put(&path, &json!({ "kernel_id": null, "initrd_id": null, "subarch": null })).await.ok();
        assert_eq!((now.kernel_id, now.initrd_id, now.subarch), (None, None, None));
    }
}

#[tokio::test]
async fn b8_netboot_needs_a_subarch_with_a_bootloader_and_keeps_it() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        let x86 = arch(&admin, "x86_64").await;
        subarch(&admin, &x86, "uefi").await;
        let bare = format!("/arch/{}/subarch", x86.id);
        admin.post(&bare, &json!({ "name": "bare" })).await.created::<Value>();
        let made = machine(&admin, "machine").await;
        let path = format!("/machine/{}", made.id);
        let sentence = "Enabled netboot requires a subarch with a valid bootloader";
        for change in [json!({ "netboot_enabled": true }), json!({ "netboot_enabled": true, "subarch": "bare" })] {
            assert_eq!(admin.put(&path, &change).await.error(400).detail, sentence);
        }
        assert!(admin.put(&path, &json!({ "netboot_enabled": true, "subarch": "uefi" })).await.ok::<Machine>().netboot_enabled);
        for change in [json!({ "subarch": null }), json!({ "subarch": "bare" })] {
            assert_eq!(admin.put(&path, &change).await.error(400).detail, sentence);
        }
        let now: Machine = admin.put(&path, &json!({ "subarch": null, "netboot_enabled": false })).await.ok();
        assert_eq!((now.subarch, now.netboot_enabled), (None, false));
    }
}

#[tokio::test]
async fn b32_a_refused_change_leaves_nothing() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        let made = machine(&admin, "machine").await;
        let path = format!("/machine/{}", made.id);
        let change = json!({ "name": "renamed", "kernel_opts": "quiet", "netboot_enabled": true });
        admin.put(&path, &change).await.error(400);
        assert_eq!(admin.get(&path).await.ok::<Machine>(), made);
        assert!(admin.get(&format!("{path}/event")).await.ok::<Vec<Event>>().is_empty());
        machine(&admin, "taken").await;
        admin.put(&path, &json!({ "kernel_opts": "quiet", "name": "taken" })).await.error(409);
        assert_eq!(admin.get(&path).await.ok::<Machine>(), made);
    }
}

#[tokio::test]
async fn a_new_architecture_needs_a_subarch_of_its_own() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        let x86 = arch(&admin, "x86_64").await;
        let arm = arch(&admin, "arm64").await;
        subarch(&admin, &x86, "uefi").await;
        let made = machine(&admin, "machine").await;
        let path = format!("/machine/{}", made.id);
        admin.put(&path, &json!({ "subarch": "uefi" })).await.ok::<Machine>();
        let refused = admin.put(&path, &json!({ "arch": "arm64" })).await.error(400);
        assert!(refused.detail.contains("subarch of arm64, or null"), "{}", refused.detail);
        admin.put(&path, &json!({ "arch": "arm64", "subarch": "uefi" })).await.error(400);
        subarch(&admin, &arm, "uefi").await;
        let now: Machine = admin.put(&path, &json!({ "arch": "arm64", "subarch": "uefi" })).await.ok();
        assert_eq!((now.arch_id, now.subarch.as_deref()), (arm.id, Some("uefi")));
        assert_ne!(now.subarch_id, made.subarch_id);
        let now: Machine = admin.put(&path, &json!({ "arch": "x86_64", "subarch": null })).await.ok();
        assert_eq!((now.arch_id, now.subarch_id), (x86.id, None));
    }
}

#[tokio::test]
async fn e3_a_change_is_told_and_kept_as_an_event() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        let made = machine(&admin, "machine").await;
        let path = format!("/machine/{}", made.id);
        let mut live = app.lab.journal.listen();
        admin.put(&path, &json!({ "kernel_opts": "quiet", "name": "renamed", "netboot_enabled": false })).await.ok::<Machine>();
        // nothing new, no event
        admin.put(&path, &json!({ "kernel_opts": "quiet" })).await.ok::<Machine>();
        let events: Vec<Event> = admin.get(&format!("{path}/event")).await.ok();
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].username.as_deref(), Some("admin"));
        assert_eq!(events[0].what, EventKind::SettingsChange { changed: vec!["name".into(), "kernel_opts".into()] });
        assert!(events[0].date.0.ends_with('Z'));
        // lists of other things name the machine, too
        let mut told = async || loop {
            let message = live.recv().await.unwrap();
            if !matches!(message, LabEvent::List { .. }) {
                break message;
            }
        };
        assert_eq!(told().await, LabEvent::Event { event: events[0].clone() });
        assert_eq!(told().await, LabEvent::Changed { machine: made.id });
        admin.delete(&path).await.no_content();
        assert_eq!(told().await, LabEvent::Removed { machine: made.id });
    }
}

#[tokio::test]
async fn a_deleted_machine_takes_along_what_belongs_to_it() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        app.make_user("ann", false).await;
        let new = json!({ "name": "machine", "arch": "x86_64", "macs": ["52:54:00:00:00:01"] });
        let made: Machine = admin.post("/machine", &new).await.created();
        assign(&admin, &made, "ann").await;
        let path = format!("/machine/{}", made.id);
        admin.delete(&path).await.no_content();
        for gone in ["", "/interface", "/assignee", "/event"] {
            assert_eq!(admin.get(&format!("{path}{gone}")).await.error(404).detail, "machine not found");
        }
        admin.put(&path, &json!({})).await.error(404);
        admin.delete(&path).await.error(404);
        // name and MAC are free again
        admin.post("/machine", &new).await.created::<Machine>();
    }
}

#[tokio::test]
async fn w11_every_machine_has_an_unguessable_preseed_key() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        let mut keys = Vec::new();
        for name in ["first", "second"] {
            let made = machine(&admin, name).await;
            let mut read = app.lab.store.read().await.unwrap();
            let key = store::machines::get(&mut read, made.id).await.unwrap().unwrap().preseed_key;
            assert!(key.len() == 32 && key.bytes().all(|b| b.is_ascii_hexdigit()), "{key}");
            assert!(!admin.get(&format!("/machine/{}", made.id)).await.text().contains(&key));
            keys.push(key);
        }
        assert_ne!(keys[0], keys[1]);
    }
}

#[tokio::test]
async fn a_body_that_is_wrong_is_told_in_which_field() {
    let app = TestApp::start(Engine::Sqlite).await;
    let admin = app.admin().await;
    arch(&admin, "x86_64").await;
    let made = machine(&admin, "machine").await;
    let path = format!("/machine/{}", made.id);
    for (change, field) in [
        (json!({ "kernel_id": true }), "kernel_id"),
        (json!({ "netboot_enabled": "yes" }), "netboot_enabled"),
        (json!({ "subarch": 5 }), "subarch"),
    ] {
        let error = admin.put(&path, &change).await.error(400);
        assert_eq!(error.error_type, "InvalidUsage");
        assert!(error.detail.contains(field), "{change}: {}", error.detail);
    }
    for body in [&b"{\"kernel_opts\": "[..], b"[]", b"", b"{\"kernel_opts\": \"\xff\"}"] {
        admin.send(Method::PUT, &path, &[], body.to_vec()).await.error(400);
    }
    // as some clients send it
    let form = [("content-type", "application/x-www-form-urlencoded")];
    admin.send(Method::PUT, &path, &form, "{\"kernel_opts\": \"quiet\"}").await.ok::<Machine>();
    for path in ["/machine/one", "/machine/99999999999999999999", "/machine/-1", "/machine/999"] {
        admin.get(path).await.error(404);
    }
}

#[tokio::test]
async fn j7_machines_are_found_by_the_query_language() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        arch(&admin, "arm64").await;
        app.make_user("ann", false).await;
        let bmc: Value = admin.post("/bmc", &json!({ "name": "bmc1", "ip": "127.0.0.1", "type": "plain" })).await.created();
        let one = json!({ "name": "d05-1", "arch": "arm64", "bmc_id": bmc["id"], "macs": ["52:54:00:00:00:01"] });
        let one: Machine = admin.post("/machine", &one).await.created();
        assign(&admin, &one, "ann").await;
        machine(&admin, "x 1").await;
        for (query, found) in [
            ("", vec!["d05-1", "x 1"]),
            ("nil", vec!["d05-1", "x 1"]),
            ("(= name \"x 1\")", vec!["x 1"]),
            ("(and (= arch \"arm64\") (= bmc_type \"plain\"))", vec!["d05-1"]),
            ("(= assignee_count 0)", vec!["x 1"]),
            ("(= assignee \"ann\")", vec!["d05-1"]),
            ("(or (= mac \"52:54:00:00:00:01\") (=~ name \"x\"))", vec!["d05-1", "x 1"]),
            ("(= name \"none\")", vec![]),
        ] {
            let encoded: String = query.bytes().map(|b| format!("%{b:02X}")).collect();
            let machines: Vec<Machine> = admin.get(&format!("/machine?q={encoded}&show_all=true")).await.ok();
            assert_eq!(names(&machines), found, "{query}");
        }
        // as the original's Python client writes it: only the name is quoted
        let machines: Vec<Machine> = admin.get("/machine?q=(=+name+%22x%201%22)&show_all=true").await.ok();
        assert_eq!(names(&machines), ["x 1"]);
        let error = admin.get("/machine?q=(foo)").await.error(400);
        assert_eq!(error.detail, "query: `foo` is not a valid operation, at character 2");
    }
}

#[tokio::test]
async fn b30_a_list_of_many_machines_is_right() {
    let app = TestApp::start(Engine::Sqlite).await;
    let admin = app.admin().await;
    arch(&admin, "x86_64").await;
    let ann = app.user("ann").await;
    for n in 0..120 {
        let macs = if n % 3 == 0 { vec![format!("52:54:00:00:01:{n:02x}"), format!("52:54:00:00:02:{n:02x}")] } else { vec![] };
        let new = json!({ "name": format!("m{n:03}"), "arch": "x86_64", "macs": macs });
        let made: Machine = admin.post("/machine", &new).await.created();
        if n % 7 == 0 {
            assign(&admin, &made, "ann").await;
        }
    }
    let all: Vec<Machine> = ann.get("/machine?show_all=true").await.ok();
    assert_eq!(all.len(), 120);
    for (n, machine) in all.iter().enumerate() {
        assert_eq!(machine.name, format!("m{n:03}"));
        assert_eq!(machine.macs.len(), if n % 3 == 0 { 2 } else { 0 });
        assert_eq!((machine.assignees.len(), machine.may_change), if n % 7 == 0 { (1, true) } else { (0, false) });
    }
    let own: Vec<Machine> = ann.get("/machine").await.ok();
    assert_eq!(own, all.into_iter().filter(|machine| machine.may_change).collect::<Vec<_>>());
}

#[tokio::test]
async fn events_come_in_pages_newest_first() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        let made = machine(&admin, "machine").await;
        for n in 0..7 {
            admin.put(&format!("/machine/{}", made.id), &json!({ "kernel_opts": n.to_string() })).await.ok::<Machine>();
        }
        let path = format!("/machine/{}/event", made.id);
        let all: Vec<Event> = admin.get(&path).await.ok();
        assert_eq!(all.len(), 7);
        assert!(all.windows(2).all(|pair| pair[0].id > pair[1].id));
        let first: Vec<Event> = admin.get(&format!("{path}?limit=3")).await.ok();
        let second: Vec<Event> = admin.get(&format!("{path}?limit=3&before={}", first[2].id)).await.ok();
        let third: Vec<Event> = admin.get(&format!("{path}?limit=3&before={}", second[2].id)).await.ok();
        assert_eq!([first, second, third].concat(), all);
        assert_eq!(admin.get(&format!("{path}?limit=500")).await.ok::<Vec<Event>>(), all);
        for wrong in ["many", "0", "501"] {
            assert_eq!(admin.get(&format!("{path}?limit={wrong}")).await.error(400).detail, "limit must be a number from 1 to 500");
        }
        app.anonymous().get(&path).await.error(401);
        app.user("ann").await.get(&path).await.ok::<Vec<Event>>();
    }
}

#[tokio::test]
async fn tags_are_free_labels_that_machines_are_found_by() {
    for app in TestApp::each().await {
        let (admin, ann) = (app.admin().await, app.user("ann").await);
        arch(&admin, "x86_64").await;
        let new = json!({ "name": "d05-1", "arch": "x86_64", "tags": ["rack 4", "noisy", "rack 4"] });
        let d05: Machine = admin.post("/machine", &new).await.created();
        assert_eq!(d05.tags, ["noisy", "rack 4"], "each once, in order");
        machine(&admin, "d05-2").await;
        let path = format!("/machine/{}", d05.id);
        let found = async |q: &str| {
            let q: String = q.bytes().map(|b| format!("%{b:02X}")).collect();
            names(&ann.get(&format!("/machine?show_all=true&q={q}")).await.ok::<Vec<Machine>>()).join(" ")
        };
        assert_eq!(found("(= tag \"rack 4\")").await, "d05-1");
        assert_eq!(found("(=~ tag \"rack\")").await, "d05-1");
        assert_eq!(found("(!= tag \"rack 4\")").await, "d05-2");
        assert_eq!(found("(= tag nil)").await, "d05-2");

        ann.put(&path, &json!({ "tags": ["mine"] })).await.error(403);
        assign(&admin, &d05, "ann").await;
        assert_eq!(ann.put(&path, &json!({ "kernel_opts": "quiet" })).await.ok::<Machine>().tags, ["noisy", "rack 4"], "absent, they stay");
        assert_eq!(ann.put(&path, &json!({ "tags": ["b", " a "] })).await.ok::<Machine>().tags, ["a", "b"]);
        let changed = EventKind::SettingsChange { changed: vec!["tags".into()] };
        let events: Vec<Event> = admin.get(&format!("{path}/event")).await.ok();
        assert_eq!(events[0].what, changed);
        // the same again is no change
        ann.put(&path, &json!({ "tags": ["b", "a"] })).await.ok::<Machine>();
        assert_eq!(admin.get(&format!("{path}/event")).await.ok::<Vec<Event>>().len(), events.len());
        for wrong in
            [json!([""]), json!(["x".repeat(65)]), json!(["a\nb"]), json!("a"), json!((0..33).map(|n| n.to_string()).collect::<Vec<_>>())]
        {
            ann.put(&path, &json!({ "tags": wrong })).await.error(400);
        }
        assert_eq!(ann.put(&path, &json!({ "tags": [] })).await.ok::<Machine>().tags, [""; 0]);
        assert_eq!(found("(= tag nil)").await, "d05-1 d05-2");
    }
}
