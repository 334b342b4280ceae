//! What Kea asks and tells through the original's hook, and tftp-http-proxy: for installations that keep them.

use app::api::{DiscoveredMac, EventKind, FileRole, Interface, Lease, Machine, MachineLease};
use axum::http::Method;
use bmc_sim::machine::Firmware;
use serde_json::{Value, json};

use crate::{
    fixtures::{arch, interface, machine, network, statuses, subarch},
    simulated::{MAC as SIMULATED, Simulated},
    support::{Answer, Client, Engine, TestApp},
};

const MAC: &str = "52:54:00:aa:bb:01";
const STRANGER: &str = "00:a0:c9:00:00:07";

async fn a_machine(admin: &Client) -> Machine {
    arch(admin, "x86_64").await;
    admin.post("/machine", &json!({ "name": "d05-1", "arch": "x86_64", "macs": [MAC] })).await.created()
}

async fn events(admin: &Client, machine: &Machine) -> Vec<EventKind> {
    let events: Vec<app::api::Event> = admin.get(&format!("/machine/{}/event", machine.id)).await.ok();
    events.into_iter().map(|event| event.what).collect()
}

fn empty(answer: &Answer, status: u16) {
    assert_eq!((answer.status.as_u16(), answer.text()), (status, ""));
}

#[tokio::test]
async fn dh1_a_machine_with_netboot_on_is_told_its_loader_and_a_reserved_address() {
    for engine in Engine::BOTH {
        let app = TestApp::start_with(engine, |config| config.compat.next_server = Some("10.0.0.1".parse().unwrap())).await;
        let (admin, kea) = (app.admin().await, app.anonymous());
        let x86 = arch(&admin, "x86_64").await;
        let flavour = subarch(&admin, &x86, "uefi").await;
        let d05 = admin.post("/machine", &json!({ "name": "d05-1", "arch": "x86_64", "subarch": "uefi" })).await.created::<Machine>();
        let path = format!("/machine/{}", d05.id);
        let net = network(&admin).await;
        let eth0 = interface(&admin, &d05, MAC, Some(&net)).await;
        let ask = || kea.get("//dhcp/ipv4?hwaddr=52:54:00:aa:bb:01");
        assert_eq!(ask().await.ok::<Value>(), json!({ "options": [] }), "netboot is off, and any address will do");

        let reserve = json!({ "config_type_v4": "dynamic-reserved", "configured_ipv4": "10.0.0.17" });
        admin.put(&format!("{path}/interface/{}", eth0.id), &reserve).await.ok::<Interface>();
        assert_eq!(ask().await.ok::<Value>(), json!({ "options": [], "ipv4": "10.0.0.17" }));

        admin.put(&path, &json!({ "netboot_enabled": true })).await.ok::<Machine>();
        let loader = flavour.bootloader.unwrap();
        let expected = json!({ "options": [{ "option": 67, "value": loader }], "next-server": "10.0.0.1", "ipv4": "10.0.0.17" });
        assert_eq!(ask().await.ok::<Value>(), expected);

        // the installed system has the address: DHCP must not give it another
        let fixed = json!({ "config_type_v4": "static", "configured_ipv4": "10.0.0.9" });
        admin.put(&format!("{path}/interface/{}", eth0.id), &fixed).await.ok::<Interface>();
        assert_eq!(ask().await.ok::<Value>().get("ipv4"), None);
    }
}

#[tokio::test]
async fn b21_what_is_no_mac_is_400_and_an_unknown_one_404() {
    for app in TestApp::each().await {
        let kea = app.anonymous();
        a_machine(&app.admin().await).await;
        assert_eq!(kea.get("//dhcp/ipv4").await.error(400).detail, "hwaddr is required");
        for wrong in ["52:54:00:aa:bb:01junk", "52:54:00:aa:bb", "x", ""] {
            kea.get(&format!("//dhcp/ipv4?hwaddr={wrong}")).await.error(400);
        }
        assert_eq!(kea.get("//dhcp/ipv4?hwaddr=52:54:00:aa:bb:99").await.error(404).detail, "no machine has this MAC");
        assert_eq!(kea.send(Method::POST, "//dhcp/ipv4", &[], "{}").await.error(405).error_type, "MethodNotAllowed");
    }
}

#[tokio::test]
async fn dh2_a_lease_shows_at_its_interface_and_its_machine() {
    for app in TestApp::each().await {
        let (admin, kea) = (app.admin().await, app.anonymous());
        let d05 = a_machine(&admin).await;
        let lease = |mac: &str, ipv4: &str| json!({ "mac": mac, "ipv4": ipv4, "duration": 0 });
        empty(&kea.post("//dhcp/ipv4/lease", &lease(MAC, "10.0.0.200")).await, 201);
        empty(&kea.post("//dhcp/ipv4/lease", &lease(MAC, "10.0.0.201")).await, 201);
        empty(&kea.post("//dhcp/ipv4/lease", &lease(STRANGER, "10.0.0.202")).await, 201);
        let interfaces: Vec<Interface> = admin.get(&format!("/machine/{}/interface", d05.id)).await.ok();
        assert_eq!(interfaces[0].lease_ipv4.as_deref(), Some("10.0.0.201"));
        assert!(interfaces[0].last_seen_date.is_some());
        let shown: Machine = admin.get(&format!("/machine/{}", d05.id)).await.ok();
        assert_eq!(shown.leases, [MachineLease { mac: MAC.into(), ipv4: "10.0.0.201".into() }]);

        let told = |leases: &[Lease]| leases.iter().map(|l| (l.ipv4.clone(), l.machine.clone())).collect::<Vec<_>>();
        let all: Vec<Lease> = admin.get("/lease").await.ok();
        assert_eq!(told(&all), [("10.0.0.202".into(), None), ("10.0.0.201".into(), Some("d05-1".into()))]);
        let seen_by_ann: Vec<Lease> = app.user("ann").await.get("/lease").await.ok();
        assert_eq!(told(&seen_by_ann), [("10.0.0.201".into(), Some("d05-1".into()))], "of the lab's machines only");
        app.anonymous().get("/lease").await.error(401);
        // the address is another's now
        kea.post("//dhcp/ipv4/lease", &lease(STRANGER, "10.0.0.201")).await;
        let shown: Machine = admin.get(&format!("/machine/{}", d05.id)).await.ok();
        assert_eq!(shown.leases, []);
    }
}

#[tokio::test]
async fn what_kea_tells_wrongly_is_refused_and_changes_nothing() {
    let app = TestApp::start(Engine::Sqlite).await;
    let (admin, kea) = (app.admin().await, app.anonymous());
    a_machine(&admin).await;
    for (path, wrong) in [
        ("lease", json!({ "mac": MAC, "ipv4": "10.0.0.1", "duration": 0, "extra": 1 })),
        ("lease", json!({ "mac": MAC, "ipv4": "10.0.0.1", "duration": -1 })),
        ("lease", json!({ "mac": MAC, "ipv4": "10.0.0.1" })),
        ("lease", json!({ "mac": MAC, "ipv4": "10.0.0", "duration": 1 })),
        ("lease", json!({ "mac": "52:54:00:aa:bb:01junk", "ipv4": "10.0.0.1", "duration": 1 })),
        ("seen", json!({ "mac": MAC, "discover": true })),
        ("seen", json!({ "mac": MAC, "discover": "yes", "options": [] })),
        ("seen", json!({ "mac": MAC, "discover": true, "options": [{ "option": -1, "value": 1 }] })),
        ("seen", json!({ "mac": MAC, "discover": true, "options": [{ "option": 1, "value": [1] }] })),
        ("subnet", json!({ "mac": MAC, "subnets": [{ "subnetId": 1, "prefix": "10.0.0.0", "prefixLen": 33, "pools": [] }] })),
        ("subnet", json!({ "mac": MAC })),
    ] {
        kea.post(&format!("//dhcp/ipv4/{path}"), &wrong).await.error(400);
    }
    assert_eq!(admin.get("/lease").await.ok::<Value>(), json!([]));
    assert_eq!(admin.get("/discovered").await.ok::<Value>(), json!([]));
}

#[tokio::test]
async fn dh3_a_known_mac_gets_an_event_an_unknown_one_is_discovered() {
    for engine in Engine::BOTH {
        let registry = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(registry.path(), "Registry,Assignment,Organization Name\nMA-L,00A0C9,Intel Corporation,x\n").unwrap();
        let files = vec![registry.path().to_owned()];
        let app = TestApp::start_with(engine, |config| config.compat.vendor_files = files).await;
        let (admin, kea) = (app.admin().await, app.anonymous());
        let d05 = a_machine(&admin).await;
        let seen = |mac: &str, discover: bool, options: Value| json!({ "mac": mac, "discover": discover, "options": options });
        for discover in [true, false] {
            empty(&kea.post("//dhcp/ipv4/seen", &seen(MAC, discover, json!([]))).await, 200);
        }
        let told = [EventKind::DhcpReq { discover: false }, EventKind::DhcpReq { discover: true }];
        assert_eq!(events(&admin, &d05).await, told);
        assert_eq!(admin.get("/discovered").await.ok::<Value>(), json!([]));

        // d4: the firmware tells what it is, the system its name
        let firmware = json!([{ "option": 93, "value": 7 }, { "option": 60, "value": "PXEClient" }]);
        empty(&kea.post("//dhcp/ipv4/seen", &seen(STRANGER, true, firmware)).await, 202);
        empty(&kea.post("//dhcp/ipv4/seen", &seen(STRANGER, false, json!([{ "option": 12, "value": "new-box" }]))).await, 202);
        let found: Vec<DiscoveredMac> = admin.get("/discovered").await.ok();
        assert_eq!(found.len(), 1);
        let info = serde_json::to_value(&found[0].info).unwrap();
        assert_eq!(info, json!({ "mac_vendor": "Intel Corporation", "hostname": "new-box", "arch_code": 7, "arch": "x64 UEFI" }));
        assert!(found[0].last_seen >= found[0].first_seen);
        // what no table knows
        kea.post("//dhcp/ipv4/seen", &seen("02:00:00:00:00:01", true, json!([{ "option": 93, "value": 4711 }]))).await;
        let found: Vec<DiscoveredMac> = admin.get("/discovered").await.ok();
        assert_eq!((found[0].info.mac_vendor.as_str(), found[0].info.arch.as_deref()), ("unknown", Some("unknown")));
    }
}

#[tokio::test]
async fn d2_a_discovered_mac_is_dismissed_or_becomes_a_machine_or_an_interface() {
    for app in TestApp::each().await {
        let (admin, kea) = (app.admin().await, app.anonymous());
        let d05 = a_machine(&admin).await;
        let macs = ["02:00:00:00:00:01", "02:00:00:00:00:02", "02:00:00:00:00:03", "02:00:00:00:00:04"];
        let see = async |mac: &str| drop(kea.post("//dhcp/ipv4/seen", &json!({ "mac": mac, "discover": true, "options": [] })).await);
        for mac in macs {
            see(mac).await;
        }
        let list = async |path: &str| admin.get(path).await.ok::<Vec<DiscoveredMac>>();
        let found = list("/discovered").await;
        assert_eq!(found.iter().map(|found| found.mac.as_str()).collect::<Vec<_>>(), macs.iter().rev().copied().collect::<Vec<_>>());
        let id = |mac: &str| found.iter().find(|found| found.mac == mac).unwrap().id;

        let made = admin.post(&format!("/discovered/{}/machine", id(macs[0])), &json!({ "name": "new", "arch": "x86_64" })).await;
        assert_eq!(made.created::<Machine>().macs, [macs[0]]);
        let new = json!({ "machine_id": d05.id, "identifier": "eth1" });
        let made: Interface = admin.post(&format!("/discovered/{}/interface", id(macs[1])), &new).await.created();
        assert_eq!((made.mac.as_str(), made.identifier.as_str()), (macs[1], "eth1"));
        let dismissed: DiscoveredMac = admin.put(&format!("/discovered/{}", id(macs[2])), &json!({ "dismissed": true })).await.ok();
        assert!(dismissed.dismissed);
        see(macs[2]).await;
        // mp11: an interface made by hand, too, and one that gets another MAC
        interface(&admin, &d05, macs[3], None).await;
        assert_eq!(list("/discovered").await, [], "however often the dismissed one asks");
        assert_eq!(list("/discovered?dismissed=true").await.len(), 1);
        admin.delete(&format!("/discovered/{}", id(macs[2]))).await.no_content();
        see(macs[2]).await;
        assert_eq!(list("/discovered").await.len(), 1, "forgotten, it is new");
        let change = json!({ "mac": macs[2] });
        admin.put(&format!("/machine/{}/interface/{}", d05.id, made.id), &change).await.ok::<Interface>();
        assert_eq!(list("/discovered?dismissed=true").await, []);

        for gone in ["machine", "interface"] {
            let body = json!({ "name": "other", "arch": "x86_64", "machine_id": d05.id });
            admin.post(&format!("/discovered/{}/{gone}", id(macs[0])), &body).await.error(404);
        }
        admin.put("/discovered/999", &json!({ "dismissed": true })).await.error(404);
        admin.delete("/discovered/999").await.error(404);
    }
}

#[tokio::test]
async fn d3_discovered_macs_are_the_admins() {
    for app in TestApp::each().await {
        let ann = app.user("ann").await;
        let requests = [
            (Method::GET, "/discovered".to_owned(), Value::Null),
            (Method::PUT, "/discovered/1".to_owned(), json!({ "dismissed": true })),
            (Method::DELETE, "/discovered/1".to_owned(), Value::Null),
            (Method::POST, "/discovered/1/machine".to_owned(), json!({ "name": "new", "arch": "x86_64" })),
            (Method::POST, "/discovered/1/interface".to_owned(), json!({ "machine_id": 1 })),
        ];
        assert_eq!(statuses(&ann, &requests).await, [403; 5]);
        assert_eq!(statuses(&app.anonymous(), &requests).await, [401; 5]);
    }
}

#[tokio::test]
async fn dh4_a_reserved_address_chooses_the_subnet_with_its_pool() {
    for app in TestApp::each().await {
        let (admin, kea) = (app.admin().await, app.anonymous());
        arch(&admin, "x86_64").await;
        let d05 = machine(&admin, "d05-1").await;
        let net = network(&admin).await; // 10.0.0.0/24, reserved 10.0.0.16/30
        let eth0 = interface(&admin, &d05, MAC, Some(&net)).await;
        let pool = |first: &str| json!([{ "poolId": 1, "capacity": 4, "firstIP": first, "lastIP": "10.0.0.255" }]);
        let subnets = json!([
            { "subnetId": 1, "prefix": "10.1.0.0", "prefixLen": 16, "pools": pool("10.0.0.17") },
            { "subnetId": 2, "prefix": "10.0.0.0", "prefixLen": 24, "pools": pool("10.0.0.100") },
            { "subnetId": 3, "prefix": "10.0.0.0", "prefixLen": 8, "pools": pool("10.0.0.17") },
            { "subnetId": 4, "prefix": "10.0.0.0", "prefixLen": 24, "pools": pool("10.0.0.17") },
        ]);
        let ask = async |mac: &str, subnets: &Value| kea.post("//dhcp/ipv4/subnet", &json!({ "mac": mac, "subnets": subnets })).await;
        let set = async |kind: &str, address: Option<&str>| {
            let change = json!({ "config_type_v4": kind, "configured_ipv4": address });
            admin.put(&format!("/machine/{}/interface/{}", d05.id, eth0.id), &change).await.ok::<Interface>();
        };
        assert_eq!(ask(MAC, &subnets).await.ok::<Value>(), json!({ "subnetId": null }), "no reserved address");
        set("dynamic-reserved", Some("10.0.0.17")).await;
        assert_eq!(ask(MAC, &subnets).await.ok::<Value>(), json!({ "subnetId": 3 }), "the first that fits");
        // b21: nothing fits, and the answer has its member all the same
        assert_eq!(ask(MAC, &json!([])).await.ok::<Value>(), json!({ "subnetId": null }));
        set("static", Some("10.0.0.9")).await;
        assert_eq!(ask(MAC, &subnets).await.ok::<Value>(), json!({ "subnetId": null }), "a static address needs none");
        ask("52:54:00:aa:bb:99", &subnets).await.error(404);
        interface(&admin, &d05, "52:54:00:aa:bb:02", None).await;
        ask("52:54:00:aa:bb:02", &subnets).await.error(404);
    }
}

#[tokio::test]
async fn w11_whoever_is_not_listed_is_refused_in_words() {
    let everything: [(Method, &str); 5] = [
        (Method::GET, "//dhcp/ipv4?hwaddr=52:54:00:aa:bb:01"),
        (Method::POST, "//dhcp/ipv4/seen"),
        (Method::POST, "//dhcp/ipv4/lease"),
        (Method::POST, "//dhcp/ipv4/subnet"),
        (Method::GET, "//tftp/"),
    ];
    let elsewhere = |config: &mut server::config::Config| config.compat.clients = vec!["10.0.0.2/32".parse().unwrap()];
    let app = TestApp::start_with(Engine::Sqlite, elsewhere).await;
    for (method, path) in everything.clone() {
        let error = app.anonymous().send(method, path, &[], "{}").await.error(403);
        assert!(error.detail.contains("compat.clients") && error.detail.contains("127.0.0.1"), "{path}: {}", error.detail);
    }
    let app = TestApp::start_with(Engine::Sqlite, |config| config.compat.clients = vec![]).await;
    for (method, path) in everything.clone() {
        let error = app.anonymous().send(method, path, &[], "{}").await.error(403);
        assert!(error.detail.contains("compat.clients is empty"), "{path}: {}", error.detail);
    }
    // nor may a page of another site, in a browser that runs on the same machine
    let app = TestApp::start(Engine::Sqlite).await;
    let body = json!({ "mac": MAC, "ipv4": "10.0.0.1", "duration": 0 }).to_string();
    let foreign = [("origin", "https://evil.example.org"), ("content-type", "text/plain")];
    app.anonymous().send(Method::POST, "//dhcp/ipv4/lease", &foreign, body).await.error(403);
}

async fn proxied(client: &Client, file: &str, address: &str) -> Answer {
    client.send(Method::GET, "//tftp/", &[("x-tftp-file", file), ("x-tftp-ip", address), ("x-tftp-port", "2070")], "").await
}

#[tokio::test(flavor = "multi_thread")]
async fn t1_t3_a_proxied_tftp_request_is_answered_as_our_own_tftp_does() {
    for engine in Engine::BOTH {
        let lab = Simulated::start(engine, Firmware::Bios).await;
        let proxy = lab.app.anonymous();
        proxy.get("//tftp/").await.error(400);
        proxy.send(Method::GET, "//tftp/", &[("x-tftp-file", "x")], "").await.error(400);
        proxied(&proxy, "x", "nowhere").await.error(400);

        // the original's files: a loader by its path, with the length that becomes TFTP's tsize
        let archs: Vec<app::api::Arch> = lab.admin.get("/arch").await.ok();
        let loader = archs[0].subarchs[0].bootloader.clone().unwrap();
        let answer = proxied(&proxy, &loader, "10.0.0.77").await;
        assert_eq!((answer.status.as_u16(), answer.text(), answer.header("content-length")), (200, "net", "3"));

        let grub = format!("/grub/01-{}", SIMULATED.replace(':', "-"));
        let local = proxied(&proxy, &grub, "10.0.0.77").await;
        assert!(local.text().contains("netboot is off"), "{}", local.text());
        let seen = |event: &EventKind| matches!(event, EventKind::TftpReq { filename, client_ip, .. } if filename == &grub[1..] && client_ip == "10.0.0.77");
        lab.event(seen).await;
        // and what the same address fetched before is this machine's, too
        lab.event(|event| matches!(event, EventKind::FileFetched { role: FileRole::Loader, client_ip, .. } if client_ip == "10.0.0.77"))
            .await;

        let kernel: app::api::Image = lab.admin.get(&format!("/image/{}", lab.machine.kernel_id.unwrap())).await.ok();
        assert_eq!(proxied(&proxy, &kernel.name, "10.0.0.77").await.status, 404, "nobody is to boot it");
        lab.admin.put(&lab.path(""), &json!({ "netboot_enabled": true })).await.ok::<Machine>();
        assert!(proxied(&proxy, &grub, "10.0.0.77").await.text().contains("linux ($root)/m/"));
        assert_eq!(proxied(&proxy, &kernel.name, "10.0.0.77").await.body, lab.kernel);
        assert_eq!(proxied(&proxy, &format!("/m/{}/linux", lab.machine.id), "10.0.0.77").await.body, lab.kernel);

        for (path, end) in
            [("pxelinux.cfg/default", "LOCALBOOT -1\n"), ("grub/efidefault", "exit\n"), ("grub/01-52-54-00-00-00-99", "exit\n")]
        {
            let answer = proxied(&proxy, path, "10.0.0.78").await;
            assert!(answer.text().ends_with(end), "{path}: {}", answer.text());
        }
        // t1 deleted `..`; w24: it is refused
        for path in ["../../etc/passwd", "a/../b", "no/such/file", "grub/grub.cfg-0A000001"] {
            assert!([403, 404].contains(&proxied(&proxy, path, "10.0.0.78").await.status.as_u16()), "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_tells_whose_fetch_it_is() {
    let lab = Simulated::start(Engine::Sqlite, Firmware::Bios).await;
    let proxy = lab.app.anonymous();
    proxy.post("//dhcp/ipv4/lease", &json!({ "mac": SIMULATED, "ipv4": "10.0.0.99", "duration": 3600 })).await;
    let archs: Vec<app::api::Arch> = lab.admin.get("/arch").await.ok();
    let loader = archs[0].subarchs[0].bootloader.clone().unwrap();
    assert_eq!(proxied(&proxy, &loader, "10.0.0.99").await.status, 200);
    // no configuration was asked for: only the lease says which machine this is
    lab.event(|event| matches!(event, EventKind::FileFetched { role: FileRole::Loader, client_ip, .. } if client_ip == "10.0.0.99")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pe1_a_preseed_without_its_key_is_given_only_to_networks_the_settings_list() {
    for (networks, expected) in [(vec!["127.0.0.0/8"], 200), (vec!["10.0.0.0/8"], 404), (vec![], 404)] {
        let networks: Vec<ipnet::IpNet> = networks.iter().map(|network: &&str| network.parse().unwrap()).collect();
        let app = TestApp::start_with(Engine::Sqlite, |config| config.compat.bare_preseeds = networks).await;
        let admin = app.admin().await;
        let d05 = a_machine(&admin).await;
        let preseed = json!({ "name": "p1", "type": "preseed", "content": "host {{ hostname }}\n" });
        let preseed: app::api::Preseed = admin.post("/preseed", &preseed).await.created();
        admin.put(&format!("/machine/{}", d05.id), &json!({ "preseed_id": preseed.id })).await.ok::<Machine>();
        let answer = app.anonymous().get(&format!("//preseed/{}", d05.id)).await;
        assert_eq!(answer.status.as_u16(), expected);
        if expected == 200 {
            assert_eq!(answer.text(), "host d05-1");
            assert!(answer.header("content-type").starts_with("text/plain"));
            // a wrong key is wrong all the same
            assert_eq!(app.anonymous().get(&format!("//preseed/{}?k=guess", d05.id)).await.status, 404);
            assert_eq!(app.anonymous().get("//preseed/999").await.status, 404);
        }
    }
}

#[tokio::test]
async fn k1_w26_what_is_old_is_forgotten() {
    for engine in Engine::BOTH {
        let settings = |config: &mut server::config::Config| {
            config.retention.leases = Some(std::time::Duration::ZERO);
            config.retention.discovered = Some(std::time::Duration::ZERO);
        };
        let app = TestApp::start_with(engine, settings).await;
        let (admin, kea) = (app.admin().await, app.anonymous());
        let d05 = a_machine(&admin).await;
        kea.post("//dhcp/ipv4/lease", &json!({ "mac": MAC, "ipv4": "10.0.0.1", "duration": 0 })).await;
        kea.post("//dhcp/ipv4/seen", &json!({ "mac": STRANGER, "discover": true, "options": [] })).await;
        kea.post("//dhcp/ipv4/seen", &json!({ "mac": MAC, "discover": true, "options": [] })).await;
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        let forgotten = server::lab::retention::sweep(&app.lab).await.unwrap();
        assert_eq!((forgotten.leases, forgotten.discovered, forgotten.events), (1, 1, 0), "events are kept for 30 days");
        assert_eq!(admin.get("/lease").await.ok::<Value>(), json!([]));
        assert_eq!(admin.get("/discovered").await.ok::<Value>(), json!([]));
        assert_eq!(events(&admin, &d05).await, [EventKind::DhcpReq { discover: true }]);
    }
}
