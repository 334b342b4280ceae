//! What can be asked of every list.

use app::api::{AuditEntry, Bmc, Event, EventKind, Lease, Machine};
use serde_json::{Value, json};

use crate::{
    fixtures::{arch, assign, interface, machine, network, preseed, upload},
    support::{Answer, Client, TestApp},
};

/// Follows the `Link` headers from a path to the end.
async fn pages(client: &Client, path: &str) -> Vec<Vec<Value>> {
    let (mut path, mut pages) = (path.to_owned(), Vec::new());
    loop {
        let answer = client.get(&path).await;
        pages.push(answer.ok());
        assert!(pages.len() < 50, "{path}");
        let Some(next) = next(&answer) else { return pages };
        path = next;
    }
}

fn next(answer: &Answer) -> Option<String> {
    Some(answer.header("link").strip_prefix("</api/v1")?.strip_suffix(">; rel=\"next\"")?.to_owned())
}

/// A lab with something in every list.
async fn furnished(app: &TestApp) -> (Client, Machine) {
    let admin = app.admin().await;
    let x86 = arch(&admin, "x86_64").await;
    arch(&admin, "arm64").await;
    crate::fixtures::subarch(&admin, &x86, "uefi").await;
    let lab = network(&admin).await;
    let mut first = None;
    for number in 0..7 {
        let made = machine(&admin, &format!("m{number}")).await;
        interface(&admin, &made, &format!("52:54:00:00:00:0{number}"), Some(&lab)).await;
        admin
            .post("/bmc", &json!({ "name": format!("b{number}"), "ip": format!("10.0.9.{number}"), "type": "plain" }))
            .await
            .created::<Bmc>();
        preseed(&admin, &format!("p{number}")).await;
        upload(&admin, "Kernel", "x86_64", "vmlinuz", format!("{number}").as_bytes()).await;
        app.make_user(&format!("u{number}"), false).await;
        admin.post("/self/token", &json!({ "description": format!("t{number}") })).await.created::<Value>();
        first.get_or_insert(made);
    }
    let first = first.unwrap();
    for number in 1..4 {
        interface(&admin, &first, &format!("52:54:00:00:01:0{number}"), None).await;
        assign(&admin, &first, &format!("u{number}")).await;
    }
    for number in 0..3 {
        let mac = format!("52:54:00:00:02:0{number}");
        let mut tx = app.lab.store.begin().await.unwrap();
        store::leases::put(&mut tx, &mac, &format!("10.0.0.3{number}"), number).await.unwrap();
        store::discovered_macs::put(&mut tx, &mac, "{}", number).await.unwrap();
        tx.commit().await.unwrap();
    }
    (admin, first)
}

#[tokio::test]
async fn every_list_of_the_document_is_paged_without_gap_or_overlap() {
    for app in TestApp::each().await {
        let (admin, first) = furnished(&app).await;
        let document = serde_json::to_value(server::http::api::v1::document()).unwrap();
        let mut walked = Vec::new();
        for (path, operations) in document["paths"].as_object().unwrap() {
            let get = &operations["get"];
            if get["responses"]["200"]["content"]["application/json"]["schema"]["type"] != "array" {
                continue;
            }
            let names: Vec<_> = get["parameters"].as_array().unwrap().iter().filter_map(|parameter| parameter["name"].as_str()).collect();
            assert!(names.contains(&"limit") && names.contains(&"cursor"), "{path}: {names:?}");
            let concrete = path.replace("/user/{id}", "/user/1").replace("{id}", &first.id.to_string());
            let join = if names.contains(&"show_all") { "?show_all=true&" } else { "?" };
            let (log, plain) =
                (["/admin/audit", "/event", "/machine/{id}/event"].contains(&path.as_str()), join.trim_end_matches(['?', '&']));
            if admin.get(&format!("{concrete}{plain}")).await.status != 200 {
                // asks a BMC, which this machine has none of
                assert!(path.ends_with("/sensors") || path.ends_with("/sel"), "{path}");
                continue;
            }
            let whole = admin.get(&format!("{concrete}{join}limit=500")).await;
            let ids = |items: &[Value]| {
                items.iter().map(|item| if item["id"].is_null() { item["mac"].clone() } else { item["id"].clone() }).collect::<Vec<_>>()
            };
            let whole = ids(&whole.ok::<Vec<Value>>());
            let pages = pages(&admin, &format!("{concrete}{join}limit=2")).await;
            let (last, full) = pages.split_last().unwrap();
            assert!(full.iter().all(|page| page.len() == 2) && last.len() <= 2, "{path}");
            assert_eq!(ids(&pages.concat()), whole, "{path}");
            if !log {
                let from_third = admin.get(&format!("{concrete}{join}limit=2&offset=2")).await;
                assert_eq!(ids(&from_third.ok::<Vec<Value>>()), whole.iter().skip(2).take(2).cloned().collect::<Vec<_>>(), "{path}");
                // in the order it has without parameters
                assert_eq!(ids(&admin.get(&format!("{concrete}{plain}")).await.ok::<Vec<Value>>()), whole, "{path}");
            }
            // the other way round
            if whole.iter().all(Value::is_i64) {
                let (mut sorted, order) = (whole.clone(), if log { "id" } else { "-id" });
                sorted.sort_by_key(|id| if log { id.as_i64() } else { id.as_i64().map(|id| -id) });
                assert_eq!(ids(&self::pages(&admin, &format!("{concrete}{join}limit=3&sort={order}")).await.concat()), sorted, "{path}");
            }
            for (wrong, parameter) in [("limit=0", "limit"), ("cursor=%21", "cursor"), ("sort=colour", "sort"), ("filter=colour", "filter")]
            {
                let refused = admin.get(&format!("{concrete}{join}{wrong}")).await.error(400);
                assert!(refused.detail.starts_with(parameter), "{path}?{wrong}: {}", refused.detail);
            }
            walked.push(path.clone());
        }
        for path in [
            "/machine",
            "/image",
            "/preseed",
            "/arch",
            "/bmc",
            "/network",
            "/user",
            "/self/token",
            "/machine/{id}/interface",
            "/event",
            "/machine/{id}/event",
            "/machine/{id}/assignee",
            "/self/session",
            "/discovered",
            "/lease",
            "/admin/audit",
        ] {
            assert!(walked.iter().any(|walked| walked == path), "{path} not among {walked:?}");
        }
    }
}

#[tokio::test]
async fn without_parameters_a_list_is_what_it_always_was() {
    for app in TestApp::each().await {
        let (admin, _) = furnished(&app).await;
        for path in ["/machine?show_all=true", "/image?show_all=true", "/preseed", "/arch", "/bmc", "/network", "/user", "/self/token"] {
            let answer = admin.get(path).await;
            assert!(answer.header("link").is_empty() && answer.header("x-total-count").is_empty(), "{path}");
        }
        assert_eq!(admin.get("/machine?show_all=true").await.ok::<Vec<Machine>>().len(), 7);
        assert_eq!(admin.get("/lease").await.ok::<Vec<Lease>>().len(), 3);
    }
}

#[tokio::test]
async fn a_list_is_sorted_and_filtered() {
    for app in TestApp::each().await {
        let (admin, _) = furnished(&app).await;
        let names = async |query: &str| -> String {
            let list: Vec<Value> = admin.get(query).await.ok();
            list.iter().map(|item| item["name"].as_str().unwrap()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names("/machine?show_all=true&sort=-name&limit=3").await, "m6 m5 m4");
        assert_eq!(names("/machine?show_all=true&filter=name~M3").await, "m3");
        assert_eq!(names("/machine?show_all=true&filter=macs%3D52:54:00:00:00:05").await, "m5");
        // together with the query language
        assert_eq!(names("/machine?show_all=true&q=(=~%20name%20%22m%22)&sort=-id&limit=2").await, "m6 m5");
        assert_eq!(names("/preseed?filter=known_good%3Dtrue").await, "");
        assert_eq!(names("/arch?sort=-name").await, "x86_64 arm64");
        let answer = admin.get("/machine?show_all=true&filter=name~m&limit=3").await;
        assert_eq!((answer.ok::<Vec<Machine>>().len(), answer.header("x-total-count")), (3, "7"));
        for (wrong, sentence) in [
            ("sort=colour", "sort: the list's items have no member \"colour\""),
            ("limit=1001", "limit must be a number from 1 to 1000"),
            ("limit=many", "limit must be a number from 1 to 1000"),
            ("cursor=%20", "cursor is none that this list gave"),
            ("filter=name", "filter: \"name\" is not a member, one of = != ~ and a text"),
            ("filter=colour~red", "filter: the list's items have no member \"colour\""),
        ] {
            // an empty list, too
            for list in ["/machine?show_all=true", "/machine?q=(%3D%20name%20%22none%22)", "/machine?show_all=false"] {
                let refused = admin.get(&format!("{list}&{wrong}")).await.error(400);
                assert!(refused.detail.starts_with(sentence), "{wrong}: {}", refused.detail);
            }
        }
        // who may not read the list at all is told that, not what else is wrong
        app.anonymous().get("/machine?limit=0").await.error(401);
        app.user("eve").await.get("/discovered?limit=0").await.error(403);
        // a cursor is of its order
        let answer = admin.get("/machine?show_all=true&sort=id&limit=1").await;
        let elsewhere = next(&answer).unwrap().replace("sort=id", "sort=name");
        assert!(admin.get(&elsewhere).await.error(400).detail.starts_with("cursor is none that this list gave in this order"));
    }
}

#[tokio::test]
async fn machines_are_sorted_as_people_count_and_found_by_anything_in_them() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        for name in ["x86_64", "arm64"] {
            arch(&admin, name).await;
        }
        let lab = network(&admin).await;
        let bmc: Bmc = admin.post("/bmc", &json!({ "name": "rack7", "ip": "10.0.9.1", "type": "plain" })).await.created();
        for (name, arch, tags) in
            [("d03-10", "x86_64", json!([])), ("D03-2", "arm64", json!(["spare"])), ("d03-1", "x86_64", json!(["gpu"]))]
        {
            let new = json!({ "name": name, "arch": arch, "tags": tags, "bmc_id": (name == "d03-1").then_some(bmc.id) });
            let made: Machine = admin.post("/machine", &new).await.created();
            // hexadecimal digits do not count as people do
            let mac = match name {
                "d03-10" => "52:54:00:00:00:01",
                "D03-2" => "52:54:00:00:00:10",
                _ => "52:54:00:00:00:0a",
            };
            interface(&admin, &made, mac, Some(&lab)).await;
            if name == "d03-10" {
                app.make_user("Ann", false).await;
                assign(&admin, &made, "Ann").await;
                let mut tx = app.lab.store.begin().await.unwrap();
                store::leases::put(&mut tx, mac, "10.0.0.77", 1).await.unwrap();
                tx.commit().await.unwrap();
            }
        }
        let names = async |query: &str| -> String {
            let list: Vec<Machine> = admin.get(&format!("/machine?show_all=true&{query}")).await.ok();
            list.into_iter().map(|machine| machine.name).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names("").await, "d03-1 D03-2 d03-10");
        for (query, expected) in [
            ("sort=name", "d03-1 D03-2 d03-10"),
            ("sort=-name", "d03-10 D03-2 d03-1"),
            // what is equal goes by name
            ("sort=state", "d03-1 D03-2 d03-10"),
            ("sort=-arch", "d03-10 d03-1 D03-2"),
            // what has none comes first
            ("sort=bmc", "D03-2 d03-10 d03-1"),
            ("sort=assignees", "d03-1 D03-2 d03-10"),
            ("sort=-tags", "D03-2 d03-1 d03-10"),
            ("sort=leases", "d03-1 D03-2 d03-10"),
            ("sort=macs", "d03-10 d03-1 D03-2"),
            ("sort=power", "d03-1 D03-2 d03-10"),
            ("sort=netboot_enabled", "d03-1 D03-2 d03-10"),
            // as they were made
            ("sort=updated_at", "d03-10 D03-2 d03-1"),
            ("sort=-updated_at", "d03-1 D03-2 d03-10"),
            ("search=RACK7", "d03-1"),
            ("search=10.0.0.77", "d03-10"),
            ("search=ann+x86", "d03-10"),
            ("search=ann+arm", ""),
            ("search=52:54:00+spare", "D03-2"),
            ("search=unknown&limit=2", "d03-1 D03-2"),
            // as rows say it
            ("search=No+State&limit=2", "d03-1 D03-2"),
            ("search=failed", ""),
            // as cells put names together, and as switches print addresses
            ("search=x86_64+/+ann", "d03-10"),
            ("search=52-54-00-00-00-0A", "d03-1"),
            ("search=5254.0000.0010", "D03-2"),
            ("search=525400000001", "d03-10"),
            ("search=0000-0001", ""),
            ("search=unknown+on", ""),
            ("search=gpu&q=(%3D+arch+%22x86_64%22)", "d03-1"),
            ("search=gpu&q=(%3D+arch+%22arm64%22)", ""),
            ("search=+", "d03-1 D03-2 d03-10"),
        ] {
            assert_eq!(names(query).await, expected, "{query}");
            // page by page, either way of saying where a page begins
            let paged: Vec<Value> =
                pages(&admin, &format!("/machine?show_all=true&limit=1&{}", query.replace("limit=2", ""))).await.concat();
            for (offset, one) in paged.iter().enumerate() {
                let answer = admin.get(&format!("/machine?show_all=true&{query}&limit=1&offset={offset}")).await;
                assert_eq!(answer.header("x-total-count"), paged.len().to_string(), "{query}");
                if !query.contains("limit") {
                    assert_eq!(&answer.ok::<Vec<Value>>()[0], one, "{query}");
                }
            }
        }
        assert!(admin.get("/machine?search=x&limit=1&offset=-1").await.error(400).detail.starts_with("offset must be"));
        let ann = app.user("ann2").await;
        assert!(ann.get("/machine?search=d03").await.ok::<Vec<Machine>>().is_empty(), "one's own, unless all are asked for");
    }
}

#[tokio::test]
async fn logs_are_sorted_and_filtered() {
    for app in TestApp::each().await {
        let (admin, first) = furnished(&app).await;
        let events = format!("/machine/{}/event", first.id);
        let all: Vec<Event> = admin.get(&format!("{events}?limit=500")).await.ok();
        let mut upwards: Vec<Event> = admin.get(&format!("{events}?sort=id&limit=500")).await.ok();
        upwards.reverse();
        assert_eq!(upwards, all);
        let changes: Vec<Value> = admin.get(&format!("{events}?filter=event_type%3DSETTINGS_CHANGE")).await.ok();
        assert!(!changes.is_empty() && changes.iter().all(|event| event["event_type"] == "SETTINGS_CHANGE"));
        let others: Vec<Value> = admin.get(&format!("{events}?filter=event_type!%3DSETTINGS_CHANGE")).await.ok();
        assert_eq!(changes.len() + others.len(), all.len());
        // as it was called before other lists had cursors
        let before: Vec<Event> = admin.get(&format!("{events}?before={}", all[0].id)).await.ok();
        assert_eq!(before, all[1..]);

        let audit = "/admin/audit?kind=machine&filter=subject~m3";
        let entries: Vec<AuditEntry> = admin.get(audit).await.ok();
        assert!(!entries.is_empty() && entries.iter().all(|entry| entry.subject == "m3"));
        let lines = admin.get(&format!("{audit}&format=jsonl&sort=id")).await;
        let mut lines: Vec<AuditEntry> = lines.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        lines.reverse();
        assert_eq!(lines, entries);
    }
}

#[tokio::test]
async fn the_lab_has_one_log_of_all_machines() {
    for app in TestApp::each().await {
        let (admin, first) = furnished(&app).await;
        let other = machine(&admin, "x9").await;
        for (id, state) in [(other.id, "ready"), (first.id, "ready"), (other.id, "unknown")] {
            admin.put(&format!("/machine/{id}/state"), &json!({ "state": state })).await.ok::<Value>();
        }
        let bmc: Bmc = admin.post("/bmc", &json!({ "name": "dead", "ip": "127.0.0.1", "port": 1, "type": "plain" })).await.created();
        admin.put(&format!("/machine/{}", other.id), &json!({ "bmc_id": bmc.id })).await.ok::<Machine>();
        // nobody answers there
        admin.post(&format!("/machine/{}/power", other.id), &json!({ "state": "on" })).await.error(500);

        let all: Vec<Event> = admin.get("/event?limit=500").await.ok();
        let mut parts = Vec::new();
        for machine in [&first, &other] {
            parts.extend(admin.get(&format!("/machine/{}/event?limit=500", machine.id)).await.ok::<Vec<Event>>());
        }
        parts.sort_by_key(|event| -event.id);
        let of_both = |event: &&Event| [first.id, other.id].contains(&event.machine_id);
        assert_eq!(all.iter().filter(of_both).cloned().collect::<Vec<_>>(), parts);

        let failures: Vec<Event> = admin.get("/event?event_type=BMC_ERROR,FETCH_FAILED").await.ok();
        assert_eq!(failures, all.iter().filter(|event| event.what.name() == "BMC_ERROR").cloned().collect::<Vec<_>>());
        let changes: Vec<Event> = admin.get("/event?event_type=STATE_CHANGE&sort=id").await.ok();
        assert_eq!(changes.iter().map(|event| event.machine_id).collect::<Vec<_>>(), [other.id, first.id, other.id]);
        let (middle, newest) = (&changes[1], &changes[2]);
        let since: Vec<Event> = admin.get(&format!("/event?event_type=STATE_CHANGE&since={}", middle.date.0)).await.ok();
        assert_eq!(since, [newest.clone(), middle.clone()]);
        let between: Vec<Event> =
            admin.get(&format!("/event?event_type=STATE_CHANGE&since={}&until={}", middle.date.0, newest.date.0)).await.ok();
        assert_eq!(between, std::slice::from_ref(middle));
        // what was said to whoever has the machine
        let EventKind::BmcError { message, .. } = &failures[0].what else { panic!("{failures:?}") };
        assert!(message.contains("no answer"), "{message}");
        let eve = app.user("eve").await;
        let told: Vec<Event> = eve.get("/event?event_type=BMC_ERROR").await.ok();
        assert_eq!(told, [failures[0].clone().without_details()]);

        for (wrong, sentence) in [
            ("event_type=BMC_ERRORS", "event_type: there is no type \"BMC_ERRORS\", but CONSOLE_ACCESS, "),
            ("event_type=,", "event_type: there is no type \"\", but"),
            ("since=yesterday", "since must be a time such as"),
            ("until=1", "until must be a time such as"),
        ] {
            let refused = admin.get(&format!("/event?{wrong}")).await.error(400);
            assert!(refused.detail.starts_with(sentence), "{wrong}: {}", refused.detail);
        }
        app.anonymous().get("/event").await.error(401);
    }
}

#[tokio::test]
async fn pages_miss_nothing_while_machines_come_and_go() {
    for app in TestApp::each().await {
        let (admin, _) = furnished(&app).await;
        let answer = admin.get("/machine?show_all=true&limit=3").await;
        let seen: Vec<Machine> = answer.ok();
        // the one the cursor names goes, one comes before it and one after it
        admin.delete(&format!("/machine/{}", seen[2].id)).await.no_content();
        machine(&admin, "m00").await;
        machine(&admin, "m3x").await;
        let rest: Vec<Machine> = admin.get(&next(&answer).unwrap()).await.ok();
        assert_eq!(rest.iter().map(|machine| machine.name.as_str()).collect::<Vec<_>>(), ["m3", "m3x", "m4"]);
    }
}
