//! Bugs of the original that no other file's subject is (docs/compatibility.md lists all of them with their tests).

use app::api::{Image, Interface, Machine, Me, Network, Preseed};
use serde_json::{Value, json};

use crate::{
    fixtures::{Form, arch, assign, interface, machine, network, upload},
    support::TestApp,
};

#[tokio::test]
async fn b5_a_pool_of_one_address_keeps_it_when_the_network_changes() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        let new = json!({ "name": "lab", "subnet": "10.0.0.0/24", "static_net": "10.0.0.9/32" });
        let net: Network = admin.post("/network", &new).await.created();
        let d05 = machine(&admin, "d05-1").await;
        let eth0 = interface(&admin, &d05, "52:54:00:00:00:01", Some(&net)).await;
        let at = format!("/machine/{}/interface/{}", d05.id, eth0.id);
        let auto = json!({ "config_type_v4": "static", "configured_ipv4": "auto" });
        assert_eq!(admin.put(&at, &auto).await.ok::<Interface>().configured_ipv4.as_deref(), Some("10.0.0.9"));
        let renamed = json!({ "name": "renamed", "subnet": "10.0.0.0/24", "static_net": "10.0.0.9/32" });
        admin.put(&format!("/network/{}", net.id), &renamed).await.ok::<Network>();
        assert_eq!(admin.get(&at).await.ok::<Interface>().configured_ipv4.as_deref(), Some("10.0.0.9"));
    }
}

#[tokio::test]
async fn b12_null_clears_a_reason_a_kernel_and_a_subarchitecture() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        let x86 = arch(&admin, "x86_64").await;
        crate::fixtures::subarch(&admin, &x86, "uefi").await;
        let d05 = machine(&admin, "d05-1").await;
        assign(&admin, &d05, "admin").await;
        let path = format!("/machine/{}", d05.id);
        let kernel = upload(&admin, "Kernel", "x86_64", "linux", b"x").await;
        admin.put(&path, &json!({ "kernel_id": kernel.id, "subarch": "uefi" })).await.ok::<Machine>();
        let cleared: Machine = admin.put(&path, &json!({ "kernel_id": null, "subarch": null })).await.ok();
        assert_eq!((cleared.kernel_id, cleared.subarch), (None, None));
        let own: Value = admin.put(&format!("{path}/assignee/self"), &json!({ "reason": null })).await.ok();
        assert_eq!(own["reason"], "");
    }
}

#[tokio::test]
async fn b13_only_the_whole_word_provisions() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        let state = format!("/machine/{}/state", machine(&admin, "d05-1").await.id);
        for word in ["", "p", "prov", "provision ", "Provision", "ready"] {
            assert!(admin.post(&state, &json!({ "state": word })).await.error(400).detail.contains("state"), "{word}");
        }
        for word in ["", "r", "provisioning", "provision"] {
            assert!(admin.put(&state, &json!({ "state": word })).await.error(400).detail.contains("state"), "{word}");
        }
        assert_eq!(admin.post(&state, &json!({ "state": "provision" })).await.error(400).detail, "provisioning requires a BMC");
        assert_eq!(admin.get(&state).await.ok::<Value>(), json!({ "state": "unknown" }));
    }
}

#[tokio::test]
async fn b15_users_see_their_own_email() {
    for app in TestApp::each().await {
        let ann = app.user("ann").await;
        ann.put("/self", &json!({ "email": "ann@lab.example" })).await.ok::<Value>();
        assert_eq!(ann.get("/self").await.ok::<Me>().email, "ann@lab.example");
    }
}

#[tokio::test]
async fn b19_every_time_is_utc_and_says_so() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        let before = server::journal::instant(server::journal::now_micros());
        let image = upload(&admin, "Kernel", "x86_64", "linux", b"x").await;
        let d05 = machine(&admin, "d05-1").await;
        assign(&admin, &d05, "admin").await;
        let lease = json!({ "mac": "52:54:00:00:00:01", "ipv4": "10.0.0.1", "duration": 0 });
        app.anonymous().post("//dhcp/ipv4/lease", &lease).await;
        app.anonymous().post("//dhcp/ipv4/seen", &json!({ "mac": "52:54:00:00:00:01", "discover": true, "options": [] })).await;
        let assignee: Value = admin.get(&format!("/machine/{}/assignee/self", d05.id)).await.ok();
        let events: Value = admin.get(&format!("/machine/{}/event", d05.id)).await.ok();
        let (leases, discovered): (Value, Value) = (admin.get("/lease").await.ok(), admin.get("/discovered").await.ok());
        let after = server::journal::instant(server::journal::now_micros());
        let times = [
            json!(image.upload_date),
            assignee["since"].clone(),
            events[0]["date"].clone(),
            leases[0]["last_seen_date"].clone(),
            discovered[0]["last_seen"].clone(),
        ];
        for time in times {
            let time = time.as_str().unwrap();
            // all are written alike: the order of the texts is the order of the times
            assert!(time.ends_with('Z') && before.0.as_str() <= time && time <= after.0.as_str(), "{} {time} {}", before.0, after.0);
        }
    }
}

#[tokio::test]
async fn b20_a_loader_is_served_whatever_its_name_and_a_configuration_without_a_folder() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        admin.post("/machine", &json!({ "name": "d05-1", "arch": "x86_64", "macs": ["52:54:00:00:00:01"] })).await.created::<Machine>();
        let q = json!({ "type": "bootloader", "arch": "x86_64" });
        let loader: Image = Form::default().q(&q).file("..my..loader..efi", b"MZ").send(&admin).await.created();
        let proxy = app.anonymous();
        let fetch = async |path: &str| {
            let headers = [("x-tftp-file", path), ("x-tftp-ip", "10.0.0.7")];
            let proxied = proxy.send(axum::http::Method::GET, "//tftp/", &headers, "").await;
            let direct = proxy.get(&format!("//boot/{path}")).await;
            assert_eq!(proxied.body, direct.body, "{path}");
            direct.text().to_owned()
        };
        assert_eq!(fetch(&loader.name).await, "MZ");
        for path in ["01-52-54-00-00-00-01", "pxelinux.cfg/default", "grub/01-52-54-00-00-00-01"] {
            assert!(fetch(path).await.contains("booting from disk"), "{path}");
        }
    }
}

#[tokio::test]
async fn b26_a_mac_in_other_letters_is_the_same() {
    for app in TestApp::each().await {
        let (admin, ann) = (app.admin().await, app.user("ann").await);
        arch(&admin, "x86_64").await;
        let net = network(&admin).await;
        let d05 = machine(&admin, "d05-1").await;
        assign(&admin, &d05, "ann").await;
        let eth0 = interface(&admin, &d05, "52:54:00:AA:bb:01", Some(&net)).await;
        let at = format!("/machine/{}/interface/{}", d05.id, eth0.id);
        let same = json!({ "mac": "52-54-00-aa-BB-01", "network_id": net.id, "identifier": "eth0" });
        assert_eq!(ann.put(&at, &same).await.ok::<Interface>().mac, "52:54:00:aa:bb:01");
        ann.put(&at, &json!({ "mac": "52:54:00:aa:bb:02" })).await.error(403);
    }
}

#[tokio::test]
async fn b29_what_nobody_owns_is_listed() {
    for app in TestApp::each().await {
        let mut tx = app.lab.store.begin().await.unwrap();
        let new = store::NewPreseed {
            filename: "the lab's own".into(),
            description: String::new(),
            file_type: "preseed".into(),
            content: "d-i".into(),
            user_id: None,
            known_good: true,
            public: true,
            created_at: 0,
        };
        store::preseeds::insert(&mut tx, &new).await.unwrap();
        tx.commit().await.unwrap();
        for client in [app.admin().await, app.user("ann").await] {
            let list: Vec<Preseed> = client.get("/preseed?show_all=true").await.ok();
            assert_eq!((list.len(), list[0].user.as_deref()), (1, None));
            assert_eq!(client.get(&format!("/preseed/{}", list[0].id)).await.ok::<Preseed>().content, "d-i");
            assert_eq!(client.get("/preseed").await.ok::<Vec<Preseed>>(), []);
        }
    }
}

#[tokio::test]
async fn w26_leases_and_discovered_macs_do_not_grow_without_bound() {
    for app in TestApp::each().await {
        let mut tx = app.lab.store.begin().await.unwrap();
        for n in 0..4200 {
            let mac = format!("02:00:00:00:{:02x}:{:02x}", n / 256, n % 256);
            store::discovered_macs::put(&mut tx, &mac, "{}", server::journal::now_micros()).await.unwrap();
        }
        tx.commit().await.unwrap();
        let forgotten = server::lab::retention::sweep(&app.lab).await.unwrap();
        assert_eq!(forgotten.discovered, 104);
        assert_eq!(server::lab::retention::sweep(&app.lab).await.unwrap(), server::lab::retention::Forgotten::default());
    }
}
