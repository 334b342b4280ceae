//! Interfaces: who changes what of them, and the addresses they are given.

use app::api::{ConfigTypeV4, Event, EventKind, Interface, Machine, Network};
use axum::http::Method;
use serde_json::{Value, json};

use crate::{
    fixtures::{arch, assign, interface, machine, network, statuses},
    support::{Client, TestApp},
};

/// A lab with one machine, one network, and an interface in it.
async fn lab(admin: &Client) -> (Machine, Network, Interface, String) {
    arch(admin, "x86_64").await;
    let machine = machine(admin, "machine").await;
    let network = network(admin).await;
    let made = interface(admin, &machine, "52:54:00:00:00:01", Some(&network)).await;
    let path = format!("/machine/{}/interface/{}", machine.id, made.id);
    (machine, network, made, path)
}

fn configured(interface: &Interface) -> (ConfigTypeV4, Option<&str>) {
    (interface.config_type_v4, interface.configured_ipv4.as_deref())
}

#[tokio::test]
async fn an_interface_has_all_that_clients_of_the_original_read() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        let (machine, network, made, path) = lab(&admin).await;
        let expected = json!({
            "id": made.id, "identifier": "", "mac": "52:54:00:00:00:01", "network_id": network.id, "network_name": "lab",
            "subnetv4": "10.0.0.0/24", "netmaskv4": "255.255.255.0", "prefixlenv4": 24,
            "static_pool_v4": "10.0.0.8/30", "reserved_pool_v4": "10.0.0.16/30",
            "config_type_v4": "dynamic", "configured_ipv4": null, "lease_ipv4": null, "last_seen_date": null,
        });
        assert_eq!(admin.get(&path).await.ok::<Value>(), expected);
        assert_eq!(admin.get(&format!("/machine/{}/interface", machine.id)).await.ok::<Value>(), json!([expected]));
        admin.get(&format!("/machine/{}/interface/999", machine.id)).await.error(404);
        // another machine's interface is not found under this one
        let other = crate::fixtures::machine(&admin, "other").await;
        assert_eq!(admin.get(&format!("/machine/{}/interface/{}", other.id, made.id)).await.error(404).detail, "interface not found");
        admin.delete(&format!("/machine/{}/interface/{}", other.id, made.id)).await.error(404);
    }
}

#[tokio::test]
async fn macs_networks_and_existence_are_the_admins_the_rest_the_assignees_too() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        let (machine, _, made, path) = lab(&admin).await;
        let stranger = app.user("eve").await;
        let assignee = app.user("ann").await;
        assign(&admin, &machine, "ann").await;
        let requests = [
            (Method::GET, path.clone(), json!(null)),
            (Method::PUT, path.clone(), json!({ "identifier": "eth0" })),
            (Method::PUT, path.clone(), json!({ "mac": "52:54:00:00:00:99" })),
            (Method::PUT, path.clone(), json!({ "network_id": null })),
            (Method::POST, format!("/machine/{}/interface", machine.id), json!({ "mac": "52:54:00:00:00:02" })),
            (Method::DELETE, path.clone(), json!(null)),
        ];
        assert_eq!(statuses(&app.anonymous(), &requests).await, [401; 6]);
        assert_eq!(statuses(&stranger, &requests).await, [200, 403, 403, 403, 403, 403]);
        assert_eq!(statuses(&assignee, &requests).await, [200, 200, 403, 403, 403, 403]);
        // B26: the same MAC in other letters is no change, nor is the same network
        let same = json!({ "mac": "52-54-00-00-00-01", "network_id": made.network_id, "identifier": "eth1" });
        assert_eq!(assignee.put(&path, &same).await.ok::<Interface>().identifier, "eth1");
        let same = json!({ "mac": "52:54:00:00:00:01".to_uppercase(), "identifier": null });
        assert_eq!(assignee.put(&path, &same).await.ok::<Interface>().identifier, "");
        assert_eq!(statuses(&admin, &requests).await, [200, 200, 200, 200, 201, 204]);
    }
}

#[tokio::test]
async fn b2_auto_gives_the_first_free_address_of_the_pool() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        let (machine, network, _, path) = lab(&admin).await;
        let auto = json!({ "config_type_v4": "static", "configured_ipv4": "auto" });
        let now: Interface = admin.put(&path, &auto).await.ok();
        assert_eq!(configured(&now), (ConfigTypeV4::Static, Some("10.0.0.8")));
        // asked again, it stays what it is
        assert_eq!(configured(&admin.put(&path, &auto).await.ok()), (ConfigTypeV4::Static, Some("10.0.0.8")));
        assert_eq!(
            configured(&admin.put(&path, &json!({ "configured_ipv4": "auto" })).await.ok()),
            (ConfigTypeV4::Static, Some("10.0.0.8"))
        );
        for n in 2..=4 {
            let other = interface(&admin, &machine, &format!("52:54:00:00:00:0{n}"), Some(&network)).await;
            let path = format!("/machine/{}/interface/{}", machine.id, other.id);
            assert_eq!(configured(&admin.put(&path, &auto).await.ok()).1, Some(format!("10.0.0.{}", 7 + n).as_str()));
        }
        let last = interface(&admin, &machine, "52:54:00:00:00:05", Some(&network)).await;
        let last = format!("/machine/{}/interface/{}", machine.id, last.id);
        assert_eq!(admin.put(&last, &auto).await.error(409).detail, "no more IPs available");
        let reserved = json!({ "config_type_v4": "dynamic-reserved", "configured_ipv4": "auto" });
        assert_eq!(configured(&admin.put(&last, &reserved).await.ok()), (ConfigTypeV4::DynamicReserved, Some("10.0.0.16")));
    }
}

#[tokio::test]
async fn an_address_must_be_in_its_pool_and_nobody_elses() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        let (machine, network, made, path) = lab(&admin).await;
        let bare: Network = admin.post("/network", &json!({ "name": "bare", "subnet": "10.1.0.0/24" })).await.created();
        let in_bare = interface(&admin, &machine, "52:54:00:00:00:02", Some(&bare)).await;
        let nowhere = interface(&admin, &machine, "52:54:00:00:00:03", None).await;
        let at = |interface: &Interface| format!("/machine/{}/interface/{}", machine.id, interface.id);
        for (path, change, sentence) in [
            (at(&nowhere), json!({ "config_type_v4": "static", "configured_ipv4": "10.0.0.9" }), "interface has no network"),
            (at(&in_bare), json!({ "config_type_v4": "static", "configured_ipv4": "auto" }), "network has no static IPv4 range"),
            (
                at(&in_bare),
                json!({ "config_type_v4": "dynamic-reserved", "configured_ipv4": "auto" }),
                "network has no reserved IPv4 range",
            ),
            // B24: the original said dynamic-reserved here
            (at(&made), json!({ "config_type_v4": "static" }), "static configuration requires an IPv4"),
            (
                at(&made),
                json!({ "config_type_v4": "dynamic-reserved", "configured_ipv4": null }),
                "dynamic-reserved configuration requires an IPv4",
            ),
            (at(&made), json!({ "config_type_v4": "static", "configured_ipv4": "10.0.0.16" }), "static IP out of range"),
            (at(&made), json!({ "config_type_v4": "dynamic-reserved", "configured_ipv4": "10.0.0.9" }), "reserved IP out of range"),
            (at(&made), json!({ "config_type_v4": "static", "configured_ipv4": "10.0.0.300" }), "10.0.0.300 is not a valid IPv4 address"),
            (at(&made), json!({ "configured_ipv4": "10.0.0.9" }), "an address needs config_type_v4"),
            (at(&made), json!({ "config_type_v4": "fixed" }), "config_type_v4"),
            (at(&made), json!({ "identifier": "x".repeat(65) }), "Interface identifier must be between 0 and 64 characters long"),
            (at(&made), json!({ "network_id": 999 }), "no such network"),
        ] {
            let detail = admin.put(&path, &change).await.error(400).detail;
            assert!(detail.contains(sentence), "{change}: {detail}");
        }
        let fixed = json!({ "config_type_v4": "static", "configured_ipv4": "10.0.0.9" });
        assert_eq!(configured(&admin.put(&path, &fixed).await.ok()), (ConfigTypeV4::Static, Some("10.0.0.9")));
        let other = interface(&admin, &machine, "52:54:00:00:00:04", Some(&network)).await;
        assert!(admin.put(&at(&other), &fixed).await.error(409).detail.contains("10.0.0.9 is already in use"));
        // an address without a change of it stays
        assert_eq!(configured(&admin.put(&path, &json!({ "identifier": "eth0" })).await.ok()).1, Some("10.0.0.9"));
        // dynamic gives it up, whatever is sent with it
        let dynamic = json!({ "config_type_v4": "dynamic", "configured_ipv4": "10.0.0.9" });
        assert_eq!(configured(&admin.put(&path, &dynamic).await.ok()), (ConfigTypeV4::Dynamic, None));
        admin.put(&at(&other), &fixed).await.ok::<Interface>();
    }
}

#[tokio::test]
async fn in_another_network_the_old_address_is_given_up() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        let (_, _, _, path) = lab(&admin).await;
        admin.put(&path, &json!({ "config_type_v4": "static", "configured_ipv4": "10.0.0.9" })).await.ok::<Interface>();
        let new = json!({ "name": "second", "subnet": "10.2.0.0/24", "static_net": "10.2.0.0/28" });
        let second: Network = admin.post("/network", &new).await.created();
        let now: Interface = admin.put(&path, &json!({ "network_id": second.id })).await.ok();
        assert_eq!((configured(&now), now.network_name.as_deref()), ((ConfigTypeV4::Dynamic, None), Some("second")));
        let back = json!({ "network_id": second.id, "config_type_v4": "static", "configured_ipv4": "auto" });
        assert_eq!(configured(&admin.put(&path, &back).await.ok()), (ConfigTypeV4::Static, Some("10.2.0.1")));
        let now: Interface = admin.put(&path, &json!({ "network_id": null })).await.ok();
        assert_eq!((configured(&now), now.network_id), ((ConfigTypeV4::Dynamic, None), None));
        // B2: without a network, dynamic is no error
        admin.put(&path, &json!({ "config_type_v4": "dynamic" })).await.ok::<Interface>();
    }
}

#[tokio::test]
async fn b9_a_mac_that_is_taken_is_refused_and_nothing_kept() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        let (machine, _, _, path) = lab(&admin).await;
        let other = interface(&admin, &machine, "52:54:00:00:00:02", None).await;
        let taken = json!({ "mac": "52:54:00:00:00:02", "identifier": "eth0" });
        assert_eq!(admin.put(&path, &taken).await.error(409).detail, "MAC 52:54:00:00:00:02 already in use");
        assert_eq!(admin.get(&path).await.ok::<Interface>().identifier, "");
        let again = json!({ "mac": "52-54-00-00-00-02" });
        admin.post(&format!("/machine/{}/interface", machine.id), &again).await.error(409);
        admin.delete(&format!("/machine/{}/interface/{}", machine.id, other.id)).await.no_content();
        assert_eq!(admin.put(&path, &taken).await.ok::<Interface>().mac, "52:54:00:00:00:02");
    }
}

#[tokio::test]
async fn changes_are_events_of_the_machine() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        let (machine, _, _, path) = lab(&admin).await;
        let change = json!({ "identifier": "eth0", "config_type_v4": "static", "configured_ipv4": "auto" });
        admin.put(&path, &change).await.ok::<Interface>();
        admin.put(&path, &change).await.ok::<Interface>();
        admin.delete(&path).await.no_content();
        let events: Vec<Event> = admin.get(&format!("/machine/{}/event", machine.id)).await.ok();
        let changed: Vec<_> = events.into_iter().map(|event| event.what).collect();
        let settings = |fields: &[&str]| EventKind::SettingsChange { changed: fields.iter().map(|field| (*field).to_owned()).collect() };
        assert_eq!(
            changed,
            [settings(&["interfaces"]), settings(&["interface.identifier", "interface.configured_ipv4"]), settings(&["interfaces"])]
        );
    }
}

#[tokio::test]
async fn a_hundred_at_once_get_a_hundred_addresses() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        let machine = machine(&admin, "machine").await;
        let new = json!({ "name": "lab", "subnet": "10.0.0.0/16", "static_net": "10.0.4.0/26" });
        let network: Network = admin.post("/network", &new).await.created();
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..70 {
            let made = interface(&admin, &machine, &format!("52:54:00:00:01:{n:02x}"), Some(&network)).await;
            let (admin, path) = (admin.clone(), format!("/machine/{}/interface/{}", machine.id, made.id));
            tasks.spawn(async move { admin.put(&path, &json!({ "config_type_v4": "static", "configured_ipv4": "auto" })).await });
        }
        let answers = tasks.join_all().await;
        let mut given: Vec<String> = Vec::new();
        let mut refused = 0;
        for answer in answers {
            if answer.status.is_success() {
                given.extend(answer.ok::<Interface>().configured_ipv4);
            } else {
                assert_eq!(answer.error(409).detail, "no more IPs available");
                refused += 1;
            }
        }
        given.sort();
        given.dedup();
        // 64 addresses, of which .0 is never given by itself
        assert_eq!((given.len(), refused), (63, 7));
    }
}

#[tokio::test]
async fn a_new_interface_comes_with_its_address_or_not_at_all() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        let (machine, network, _, _) = lab(&admin).await;
        let at = format!("/machine/{}/interface", machine.id);
        let new = |mac: &str, kind: &str, address: Option<&str>| {
            let address = address.map_or(json!({}), |address| json!({ "configured_ipv4": address }));
            let mut body = json!({ "mac": mac, "network_id": network.id, "config_type_v4": kind });
            body.as_object_mut().unwrap().extend(address.as_object().unwrap().clone());
            body
        };
        let mac = "52:54:00:00:00:02";
        for (body, status, words) in [
            (new(mac, "static", Some("10.0.0.99")), 400, "static IP out of range: 10.0.0.99 is not within 10.0.0.8/30"),
            (new(mac, "static", Some("10.0.0.16")), 400, "static IP out of range: 10.0.0.16 is not within 10.0.0.8/30"),
            (new(mac, "dynamic-reserved", None), 400, "dynamic-reserved configuration requires an IPv4"),
            (json!({ "mac": mac, "config_type_v4": "static", "configured_ipv4": "auto" }), 400, "interface has no network"),
            (
                json!({ "mac": mac, "network_id": network.id, "configured_ipv4": "10.0.0.9" }),
                400,
                "an address needs config_type_v4: static or dynamic-reserved",
            ),
        ] {
            assert_eq!(admin.post(&at, &body).await.error(status).detail, words);
            // so that the same MAC can be tried again
            assert_eq!(admin.get(&at).await.ok::<Vec<Interface>>().len(), 1, "{words}");
        }
        let made: Interface = admin.post(&at, &new(mac, "static", Some("10.0.0.9"))).await.created();
        assert_eq!(configured(&made), (ConfigTypeV4::Static, Some("10.0.0.9")));
        let taken = admin.post(&at, &new("52:54:00:00:00:03", "static", Some("10.0.0.9"))).await.error(409);
        assert_eq!(taken.detail, "10.0.0.9 is already in use in network lab");
        let next: Interface = admin.post(&at, &new("52:54:00:00:00:03", "static", Some("auto"))).await.created();
        assert_eq!(configured(&next), (ConfigTypeV4::Static, Some("10.0.0.8")));
        let reserved: Interface = admin.post(&at, &new("52:54:00:00:00:04", "dynamic-reserved", Some("10.0.0.17"))).await.created();
        assert_eq!(configured(&reserved), (ConfigTypeV4::DynamicReserved, Some("10.0.0.17")));
        let plain: Interface = admin.post(&at, &new("52:54:00:00:00:05", "dynamic", None)).await.created();
        assert_eq!(configured(&plain), (ConfigTypeV4::Dynamic, None));
    }
}
