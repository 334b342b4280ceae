//! Networks: what fits into them, and beside them.

use app::api::{Interface, Network};
use axum::http::Method;
use serde_json::{Value, json};

use crate::{
    fixtures::{arch, interface, machine, network, statuses},
    support::TestApp,
};

#[tokio::test]
async fn a_network_is_read_by_all_and_changed_by_admins() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        let user = app.user("ann").await;
        let made = network(&admin).await;
        assert_eq!(user.get("/network").await.ok::<Vec<Network>>(), std::slice::from_ref(&made));
        let path = format!("/network/{}", made.id);
        let requests = [
            (Method::GET, path.clone(), json!(null)),
            (Method::PUT, path.clone(), json!({ "name": "lab2", "subnet": "10.0.0.0/24" })),
            (Method::POST, "/network".into(), json!({ "name": "other", "subnet": "10.9.0.0/24" })),
            (Method::DELETE, path, json!(null)),
        ];
        assert_eq!(statuses(&app.anonymous(), &requests).await, [401; 4]);
        assert_eq!(statuses(&user, &requests).await, [200, 403, 403, 403]);
        assert_eq!(statuses(&admin, &requests).await, [200, 200, 201, 204]);
    }
}

#[tokio::test]
async fn n3_b4_pools_lie_within_the_subnet_and_apart() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        for (new, sentence) in [
            (json!({ "name": "n", "subnet": "10.0.0.0/24" }), "Network name must be between 2 and 256 characters long"),
            (json!({ "name": "net" }), "missing field `subnet`"),
            (json!({ "name": "net", "subnet": "" }), "IPv4 network must not be empty"),
            (json!({ "name": "net", "subnet": "10.0.0.0" }), "not an IPv4 network"),
            (json!({ "name": "net", "subnet": "10.0.0.0/33" }), "not an IPv4 network"),
            (json!({ "name": "net", "subnet": "fd00::/64" }), "not an IPv4 network"),
            (json!({ "name": "net", "subnet": "10.0.0.7/24" }), "the network is 10.0.0.0/24"),
            (
                json!({ "name": "net", "subnet": "10.0.0.0/24", "static_net": "10.0.1.0/28" }),
                "Static subnet is not contained within subnet",
            ),
            (
                json!({ "name": "net", "subnet": "10.0.0.0/24", "reserved_net": "10.0.0.0/23" }),
                "Reserved subnet is not contained within subnet",
            ),
            (
                json!({ "name": "net", "subnet": "10.0.0.0/24", "static_net": "10.0.0.0/28", "reserved_net": "10.0.0.8/29" }),
                "Static and reserved subnets overlap",
            ),
        ] {
            let detail = admin.post("/network", &new).await.error(400).detail;
            assert!(detail.contains(sentence), "{new}: {detail}");
        }
        // one sentence per fault
        let both = json!({ "name": "net", "subnet": "10.0.0.0/24", "static_net": "10.1.0.0/28", "reserved_net": "10.1.0.0/29" });
        assert_eq!(admin.post("/network", &both).await.error(400).errors.len(), 3);
        assert!(admin.get("/network").await.ok::<Vec<Network>>().is_empty());
        let whole = json!({ "name": "net", "subnet": "10.0.0.0/24", "static_net": "10.0.0.0/25", "reserved_net": "10.0.0.128/25" });
        admin.post("/network", &whole).await.created::<Network>();
    }
}

#[tokio::test]
async fn networks_do_not_overlap_but_b3_may_shrink() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        let made = network(&admin).await;
        for subnet in ["10.0.0.0/24", "10.0.0.0/16", "10.0.0.128/25", "0.0.0.0/0"] {
            let detail = admin.post("/network", &json!({ "name": "other", "subnet": subnet })).await.error(409).detail;
            assert_eq!(detail, format!("Subnet {subnet} conflicts with network lab (10.0.0.0/24)"));
        }
        admin.post("/network", &json!({ "name": "lab", "subnet": "10.1.0.0/24" })).await.error(409);
        let smaller = json!({ "name": "lab", "subnet": "10.0.0.0/25", "static_net": "10.0.0.8/30" });
        let now: Network = admin.put(&format!("/network/{}", made.id), &smaller).await.ok();
        assert_eq!((now.subnet.as_str(), now.static_net.as_deref(), now.reserved_net), ("10.0.0.0/25", Some("10.0.0.8/30"), None));
        admin.post("/network", &json!({ "name": "upper", "subnet": "10.0.0.128/25" })).await.created::<Network>();
        admin.put(&format!("/network/{}", made.id), &json!({ "name": "lab", "subnet": "10.0.0.0/24" })).await.error(409);
    }
}

#[tokio::test]
async fn n4_a_change_never_takes_a_machines_address_away() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        let (machine, network) = (machine(&admin, "m1").await, network(&admin).await);
        let made = interface(&admin, &machine, "52:54:00:00:00:01", Some(&network)).await;
        let at = format!("/machine/{}/interface/{}", machine.id, made.id);
        admin.put(&at, &json!({ "config_type_v4": "static", "configured_ipv4": "10.0.0.9" })).await.ok::<Interface>();
        let path = format!("/network/{}", network.id);
        for pool in [json!(null), json!("10.0.0.10/31"), json!("10.0.0.32/30")] {
            let cut = json!({ "name": "lab", "subnet": "10.0.0.0/24", "static_net": pool });
            let refused = admin.put(&path, &cut).await.error(409);
            assert_eq!(refused.detail, "an address outside the new pools is in use by machine m1 (10.0.0.9)");
        }
        // B5: a pool of one address
        let one = json!({ "name": "renamed", "subnet": "10.0.0.0/24", "static_net": "10.0.0.9/32" });
        assert_eq!(admin.put(&path, &one).await.ok::<Network>().machines, ["m1"]);
        let now: Interface = admin.get(&at).await.ok();
        assert_eq!((now.configured_ipv4.as_deref(), now.network_name.as_deref()), (Some("10.0.0.9"), Some("renamed")));
    }
}

#[tokio::test]
async fn b6_b14_a_network_with_machines_cannot_go() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        let network = network(&admin).await;
        let mut ids = Vec::new();
        for (n, name) in ["m1", "m2"].into_iter().enumerate() {
            let machine = machine(&admin, name).await;
            ids.push(machine.id);
            interface(&admin, &machine, &format!("52:54:00:00:00:0{n}"), Some(&network)).await;
            interface(&admin, &machine, &format!("52:54:00:00:00:1{n}"), Some(&network)).await;
        }
        let listed = admin.get("/network").await.ok::<Vec<Network>>().remove(0);
        assert_eq!((&listed.machines[..], &listed.machine_ids), (&["m1".to_owned(), "m2".to_owned()][..], &ids));
        assert_eq!(admin.get(&format!("/network/{}", network.id)).await.ok::<Network>(), listed);
        let refused = admin.delete(&format!("/network/{}", network.id)).await.error(409);
        assert_eq!((refused.error_type.as_str(), refused.detail.as_str()), ("InUse", "network lab is in use by machine m1, machine m2"));
        admin.delete("/network/999").await.error(404);
        admin.put("/network/999", &json!({ "name": "none", "subnet": "10.9.0.0/24" })).await.error(404);
        admin.get("/network/999").await.error(404);
        assert_eq!(admin.get("/network").await.ok::<Value>().as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn n6_free_addresses_are_looked_up_by_everybody() {
    for app in TestApp::each().await {
        let (admin, ann) = (app.admin().await, app.user("ann").await);
        arch(&admin, "x86_64").await;
        let net = network(&admin).await; // static 10.0.0.8/30, reserved 10.0.0.16/30
        let d05 = machine(&admin, "d05-1").await;
        let eth0 = interface(&admin, &d05, "52:54:00:00:00:01", Some(&net)).await;
        let change = json!({ "config_type_v4": "static", "configured_ipv4": "10.0.0.9" });
        admin.put(&format!("/machine/{}/interface/{}", d05.id, eth0.id), &change).await.ok::<Value>();
        let free = async |query: &str| ann.get(&format!("/network/{}/free{query}", net.id)).await;
        // b27: the neighbours of the address in use are free
        let expected = json!({
            "static_ips": ["10.0.0.8", "10.0.0.10", "10.0.0.11"],
            "reserved_ips": ["10.0.0.16", "10.0.0.17", "10.0.0.18", "10.0.0.19"],
        });
        assert_eq!(free("").await.ok::<Value>(), expected);
        assert_eq!(free("?limit=1").await.ok::<Value>(), json!({ "static_ips": ["10.0.0.8"], "reserved_ips": ["10.0.0.16"] }));
        free("?limit=x").await.error(400);
        ann.get("/network/999/free").await.error(404);

        let new = json!({ "name": "wide", "subnet": "10.8.0.0/16", "reserved_net": "10.8.0.0/17" });
        let wide: app::api::Network = admin.post("/network", &new).await.created();
        for wrong in ["0", "101", "-1"] {
            ann.get(&format!("/network/{}/free?limit={wrong}", wide.id)).await.error(400);
        }
        let free: app::api::FreeAddresses = ann.get(&format!("/network/{}/free?limit=100", wide.id)).await.ok();
        assert_eq!((free.static_ips.len(), free.reserved_ips.len()), (0, 100));
        let free: app::api::FreeAddresses = ann.get(&format!("/network/{}/free", wide.id)).await.ok();
        assert_eq!((free.reserved_ips.len(), free.reserved_ips[0].as_str()), (25, "10.8.0.1"));
    }
}

#[tokio::test]
async fn a_networks_end_never_takes_a_machines_address_away_unsaid() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        let network = network(&admin).await;
        let other = json!({ "name": "other", "subnet": "10.7.0.0/24", "static_net": "10.7.0.0/26", "reserved_net": "10.7.0.64/26" });
        let other: Network = admin.post("/network", &other).await.created();
        let mut at = Vec::new();
        for (n, kind, address) in [(1, "static", "10.0.0.9"), (2, "dynamic-reserved", "10.0.0.17")] {
            let machine = machine(&admin, &format!("m{n}")).await;
            let made = interface(&admin, &machine, &format!("52:54:00:00:00:0{n}"), Some(&network)).await;
            at.push(format!("/machine/{}/interface/{}", machine.id, made.id));
            admin.put(&at[n - 1], &json!({ "config_type_v4": kind, "configured_ipv4": address })).await.ok::<Interface>();
        }
        // what is lost is told with the question
        let path = format!("/network/{}", network.id);
        let refused = admin.delete(&path).await.error(409);
        let told: Vec<_> = refused.in_use_by.iter().map(|user| (user.name.as_str(), user.addresses.join(" "))).collect();
        assert_eq!(told, [("m1", "10.0.0.9".to_owned()), ("m2", "10.0.0.17".to_owned())]);
        // another network takes its place only with the addresses
        let refused = admin.delete(&format!("{path}?replace_with={}", other.id)).await.error(409);
        assert_eq!(refused.error_type, "InUse");
        let sentence = "an address outside the pools of network other is in use by machine m1 (10.0.0.9), machine m2 (10.0.0.17)";
        assert_eq!(refused.detail, sentence);
        assert_eq!(refused.in_use_by[1].addresses, ["10.0.0.17"]);
        assert_eq!(admin.get(&at[0]).await.ok::<Interface>().configured_ipv4.as_deref(), Some("10.0.0.9"));
        // what has no address of its own goes along
        for path in &at {
            admin.put(path, &json!({ "config_type_v4": "dynamic" })).await.ok::<Interface>();
        }
        admin.delete(&format!("{path}?replace_with={}", other.id)).await.no_content();
        for path in &at {
            assert_eq!(admin.get(path).await.ok::<Interface>().network_id, Some(other.id));
        }
    }
}

/// Networks that overlap are made no more, but there are some of the original's.
#[tokio::test]
async fn an_address_that_fits_the_other_network_is_kept() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        let network = network(&admin).await;
        let mut tx = app.lab.store.begin().await.unwrap();
        let around = |name: &str, pool: &str| store::NewNetwork {
            name: name.into(),
            subnet: "10.0.0.0/16".into(),
            static_net: Some(pool.into()),
            reserved_net: None,
        };
        let other = store::networks::insert(&mut tx, &around("around", "10.0.0.0/25")).await.unwrap();
        tx.commit().await.unwrap();
        let (m1, m2) = (machine(&admin, "m1").await, machine(&admin, "m2").await);
        let made = interface(&admin, &m1, "52:54:00:00:00:01", Some(&network)).await;
        let at = format!("/machine/{}/interface/{}", m1.id, made.id);
        let fixed = json!({ "config_type_v4": "static", "configured_ipv4": "10.0.0.9" });
        admin.put(&at, &fixed).await.ok::<Interface>();
        // nor is it given to two
        let new = json!({ "mac": "52:54:00:00:00:02", "network_id": other, "config_type_v4": "static", "configured_ipv4": "10.0.0.9" });
        let twice: Interface = admin.post(&format!("/machine/{}/interface", m2.id), &new).await.created();
        let path = format!("/network/{}?replace_with={other}", network.id);
        assert_eq!(admin.delete(&path).await.error(409).detail, "10.0.0.9 is already in use in network around");
        admin.delete(&format!("/machine/{}/interface/{}", m2.id, twice.id)).await.no_content();
        admin.delete(&path).await.no_content();
        let now: Interface = admin.get(&at).await.ok();
        assert_eq!((now.network_id, now.configured_ipv4.as_deref()), (Some(other), Some("10.0.0.9")));
    }
}
