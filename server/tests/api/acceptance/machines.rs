//! Machines, their interfaces and who has them.

use serde_json::{Value, json};

use super::{Case, World, ids, names, path};

pub const CASES: &[Case] = &[
    ("a list has only one's own machines", list_own),
    ("show_all lists everybody's", list_all),
    ("a quoted name in a query finds one of one's own", list_query),
    ("one machine has the ten members scripts read", get_one),
    ("an unknown machine is 404", get_unknown),
    ("assignees are listed", assignees_list),
    ("an admin assigns a user by name", assignee_add),
    ("others may not assign, and not somebody who does not exist", assignee_add_refused),
    ("one assignee is read by id", assignee_get),
    ("self is one's own assignment", assignee_self),
    ("the reason can be changed", assignee_change),
    ("an assignment can be given back", assignee_delete),
    ("what a machine boots is set at once", set_parameters),
    ("somebody else may not set it", set_parameters_of_others),
    ("netboot needs a bootloader", netboot_without_bootloader),
    ("the subarchitecture is changed by name", change_subarch),
    ("interfaces are listed with the members scripts read", interfaces_list),
    ("one interface is read by id", interface_get),
    ("an unknown interface is 404", interface_unknown),
    ("an interface gets its address", interface_configure),
];

fn list_own(world: &World) {
    let (mine, other) = (world.anns(), world.machine());
    let list = world.ann.get("/machine", 200);
    let ids = ids(&list);
    assert!(ids.contains(&mine["id"].as_i64().unwrap()) && !ids.contains(&other["id"].as_i64().unwrap()));
}

fn list_all(world: &World) {
    let other = world.machine();
    for word in ["true", "True", "TRUE"] {
        let list = world.ann.get(&format!("/machine?show_all={word}"), 200);
        assert!(ids(&list).contains(&other["id"].as_i64().unwrap()), "{word}");
    }
    assert!(!ids(&world.ann.get("/machine?show_all=false", 200)).contains(&other["id"].as_i64().unwrap()));
}

fn list_query(world: &World) {
    let mine = world.anns();
    let name = mine["name"].as_str().unwrap();
    // the scripts quote the name; their HTTP library quotes blanks and quotes, and nothing else
    let found = world.ann.get(&format!("/machine?q=(=%20name%20%22{name}%22)&show_all=false"), 200);
    assert_eq!(names(&found), [name]);
    let spaced = world.machine_named("a machine/with \u{fc}");
    let found = world.ann.get("/machine?q=(=%20name%20%22a%20machine%2Fwith%20%C3%BC%22)&show_all=true", 200);
    assert_eq!(ids(&found), [spaced["id"].as_i64().unwrap()]);
    assert_eq!(world.ben.get(&format!("/machine?q=(=%20name%20%22{name}%22)&show_all=false"), 200), json!([]));
}

fn get_one(world: &World) {
    let name = world.name("d05.x");
    let made = world.machine_named(&name);
    let got = world.ben.get(&path(&made, ""), 200);
    for (member, expected) in [
        ("id", made["id"].clone()),
        ("name", json!(name)),
        ("hostname", json!(name.replace('.', "-"))),
        ("arch", json!("arm64")),
        ("subarch", Value::Null),
        ("kernel_id", Value::Null),
        ("kernel_opts", json!("")),
        ("initrd_id", Value::Null),
        ("preseed_id", Value::Null),
        ("netboot_enabled", json!(false)),
    ] {
        assert_eq!(got[member], expected, "{member}");
    }
}

fn get_unknown(world: &World) {
    let error = world.ann.get("/machine/999999", 404);
    assert_eq!(error["errors"], json!(["machine not found"]));
    world.ann.put("/machine/999999", &json!({}), 404);
}

fn assignees_list(world: &World) {
    let machine = world.anns();
    let list = world.ben.get(&path(&machine, "/assignee"), 200);
    assert_eq!((list[0]["user"].as_str(), list[0]["reason"].as_str()), (Some("ann"), Some("tests")));
    assert_eq!(world.ben.get(&path(&world.machine(), "/assignee"), 200), json!([]));
    world.ben.get("/machine/999999/assignee", 404);
}

fn assignee_add(world: &World) {
    let machine = world.machine();
    let made = world.admin.post(&path(&machine, "/assignee"), &json!({ "user": "ben" }), 201);
    assert_eq!((made["user"].as_str(), made["reason"].as_str()), (Some("ben"), Some("")));
    assert!(made["id"].is_i64());
    // a second time is a conflict
    world.admin.post(&path(&machine, "/assignee"), &json!({ "user": "ben" }), 409);
    world.admin.post(&path(&machine, "/assignee"), &json!({ "user": "ann", "reason": "both" }), 201);
}

fn assignee_add_refused(world: &World) {
    let machine = world.machine();
    world.ann.post(&path(&machine, "/assignee"), &json!({ "user": "ann" }), 403);
    let error = world.admin.post(&path(&machine, "/assignee"), &json!({ "user": "nobody" }), 400);
    assert_eq!(error["errors"], json!(["no such user"]));
    assert_eq!(world.admin.get(&path(&machine, "/assignee"), 200), json!([]));
}

fn assignee_get(world: &World) {
    let machine = world.anns();
    let id = &world.ann.get(&path(&machine, "/assignee"), 200)[0]["id"];
    assert_eq!(world.ben.get(&path(&machine, &format!("/assignee/{id}")), 200)["user"], "ann");
    let error = world.ben.get(&path(&machine, "/assignee/999999"), 404);
    assert_eq!(error["errors"], json!(["assignee not found"]));
}

fn assignee_self(world: &World) {
    let machine = world.anns();
    assert_eq!(world.ann.get(&path(&machine, "/assignee/self"), 200)["user"], "ann");
    world.ben.get(&path(&machine, "/assignee/self"), 404);
}

fn assignee_change(world: &World) {
    let machine = world.anns();
    let changed = world.ann.put(&path(&machine, "/assignee/self"), &json!({ "reason": "longer" }), 200);
    assert_eq!(changed["reason"], "longer");
    let one = path(&machine, &format!("/assignee/{}", changed["id"]));
    world.ben.put(&one, &json!({ "reason": "mine" }), 403);
    world.ann.put(&one, &json!({}), 400);
    // b12: null is no reason
    assert_eq!(world.admin.put(&one, &json!({ "reason": null }), 200)["reason"], "");
}

fn assignee_delete(world: &World) {
    let machine = world.anns();
    let id = &world.ann.get(&path(&machine, "/assignee/self"), 200)["id"];
    world.ben.answered(&["--request", "DELETE"], &path(&machine, &format!("/assignee/{id}")), 403);
    world.ann.delete(&path(&machine, "/assignee/self"), 204);
    world.ann.answered(&["--request", "DELETE"], &path(&machine, "/assignee/self"), 404);
    assert!(!ids(&world.ann.get("/machine", 200)).contains(&machine["id"].as_i64().unwrap()));
}

fn set_parameters(world: &World) {
    let machine = world.anns();
    let (kernel, initrd) = (world.image(&world.ann, "Kernel", "arm64"), world.image(&world.ann, "Initrd", "arm64"));
    let preseed = world.preseed(&world.ann, "d-i");
    let wanted = json!({
        "kernel_id": kernel["id"], "initrd_id": initrd["id"], "preseed_id": preseed["id"],
        "kernel_opts": "console=ttyAMA0", "subarch": "uefi", "netboot_enabled": true,
    });
    let set = world.ann.put(&path(&machine, ""), &wanted, 200);
    let got = world.ben.get(&path(&machine, ""), 200);
    for (member, value) in wanted.as_object().unwrap() {
        assert_eq!((&set[member], &got[member]), (value, value), "{member}");
    }
    // ids come as texts, too; absent members stay; null takes away
    let ids = json!({ "kernel_id": kernel["id"].to_string(), "initrd_id": null });
    let set = world.ann.put(&path(&machine, ""), &ids, 200);
    assert_eq!((&set["kernel_id"], &set["initrd_id"], &set["preseed_id"]), (&kernel["id"], &Value::Null, &preseed["id"]));
    for (wrong, sentence) in [
        (json!({ "kernel_id": initrd["id"] }), "kernel is not a kernel"),
        (json!({ "initrd_id": kernel["id"] }), "initrd is not an initrd"),
        (json!({ "kernel_id": 999_999 }), "no such kernel"),
        (json!({ "preseed_id": 999_999 }), "no such preseed"),
        (json!({ "subarch": "none" }), "no such subarch for architecture arm64"),
    ] {
        assert_eq!(world.ann.put(&path(&machine, ""), &wrong, 400)["errors"], json!([sentence]));
    }
    let private = world.image(&world.ben, "Kernel", "arm64");
    let error = world.ann.put(&path(&machine, ""), &json!({ "kernel_id": private["id"] }), 403);
    assert_eq!(error["errors"], json!(["not allowed to use kernel"]));
}

/// The original's own test expects 200 here: any token could change any machine (x1, w2).
fn set_parameters_of_others(world: &World) {
    let machine = world.anns();
    world.ben.put(&path(&machine, ""), &json!({ "kernel_opts": "init=/bin/sh" }), 403);
    assert_eq!(world.ann.get(&path(&machine, ""), 200)["kernel_opts"], "");
}

fn netboot_without_bootloader(world: &World) {
    let machine = world.anns();
    for change in [json!({ "netboot_enabled": true }), json!({ "netboot_enabled": true, "subarch": "bare" })] {
        let error = world.ann.put(&path(&machine, ""), &change, 400);
        assert_eq!(error["errors"], json!(["Enabled netboot requires a subarch with a valid bootloader"]));
    }
    // b32: nothing of it was kept
    let got = world.ann.get(&path(&machine, ""), 200);
    assert_eq!((&got["netboot_enabled"], &got["subarch"]), (&json!(false), &Value::Null));
}

fn change_subarch(world: &World) {
    let machine = world.anns();
    assert_eq!(world.ann.put(&path(&machine, ""), &json!({ "subarch": "bare" }), 200)["subarch"], "bare");
    assert_eq!(world.ann.put(&path(&machine, ""), &json!({ "subarch": "uefi" }), 200)["subarch"], "uefi");
    assert_eq!(world.ann.get(&path(&machine, ""), 200)["subarch"], "uefi");
}

/// An interface in a network of its own: `10.n.0.0/24`, with pools.
fn interface(world: &World, machine: &Value) -> (String, String) {
    let name = world.name("net");
    let n: u32 = name.trim_start_matches("net-").parse().unwrap();
    let base = format!("10.{}.{}", n / 256, n % 256);
    let network = json!({
        "name": name, "subnet": format!("{base}.0/24"), "static_net": format!("{base}.64/26"), "reserved_net": format!("{base}.128/26"),
    });
    let network = world.admin.post("/network", &network, 201);
    let id = world.admin.get(&path(machine, "/interface"), 200)[0]["id"].clone();
    let one = path(machine, &format!("/interface/{id}"));
    world.admin.put(&one, &json!({ "network_id": network["id"], "identifier": "eth0" }), 200);
    (one, base)
}

fn interfaces_list(world: &World) {
    let machine = world.anns();
    let (_, base) = interface(world, &machine);
    let list = world.ben.get(&path(&machine, "/interface"), 200);
    let eth0 = &list[0];
    for (member, expected) in [
        ("identifier", json!("eth0")),
        ("mac", machine["macs"][0].clone()),
        ("subnetv4", json!(format!("{base}.0/24"))),
        ("netmaskv4", json!("255.255.255.0")),
        ("prefixlenv4", json!(24)),
        ("static_pool_v4", json!(format!("{base}.64/26"))),
        ("reserved_pool_v4", json!(format!("{base}.128/26"))),
        ("config_type_v4", json!("dynamic")),
        ("configured_ipv4", Value::Null),
        ("lease_ipv4", Value::Null),
        ("last_seen_date", Value::Null),
    ] {
        assert_eq!(eth0[member], expected, "{member}");
    }
    assert!(eth0["network_name"].as_str().unwrap().starts_with("net-") && eth0["id"].is_i64());
    // what the DHCP server tells is there for the scripts that wait for a machine to come up
    let lease = json!({ "mac": eth0["mac"], "ipv4": format!("{base}.200"), "duration": 3600 });
    world.admin.with_token(None).post("//dhcp/ipv4/lease", &lease, 201);
    let list = world.ben.get(&path(&machine, "/interface"), 200);
    assert_eq!(list[0]["lease_ipv4"], format!("{base}.200"));
    assert!(list[0]["last_seen_date"].is_string());
}

fn interface_get(world: &World) {
    let machine = world.anns();
    let (one, _) = interface(world, &machine);
    assert_eq!(world.ben.get(&one, 200), world.ben.get(&path(&machine, "/interface"), 200)[0]);
}

fn interface_unknown(world: &World) {
    let (machine, other) = (world.anns(), world.machine());
    let error = world.ann.get(&path(&machine, "/interface/999999"), 404);
    assert_eq!(error["errors"], json!(["interface not found"]));
    // nor another machine's
    let others = &world.ann.get(&path(&other, "/interface"), 200)[0]["id"];
    world.ann.get(&path(&machine, &format!("/interface/{others}")), 404);
}

fn interface_configure(world: &World) {
    let machine = world.anns();
    let (one, base) = interface(world, &machine);
    let set = |change: Value| {
        let set = world.ann.put(&one, &change, 200);
        (set["config_type_v4"].as_str().unwrap().to_owned(), set["configured_ipv4"].as_str().map(str::to_owned))
    };
    let address = |n: u8| Some(format!("{base}.{n}"));
    assert_eq!(set(json!({ "config_type_v4": "static", "configured_ipv4": address(65) })), ("static".into(), address(65)));
    assert_eq!(set(json!({ "identifier": "uplink" })), ("static".into(), address(65)), "what is absent stays");
    assert_eq!(set(json!({ "config_type_v4": "dynamic-reserved", "configured_ipv4": "auto" })), ("dynamic-reserved".into(), address(128)));
    assert_eq!(set(json!({ "config_type_v4": "dynamic" })), ("dynamic".into(), None));
    for wrong in [
        json!({ "config_type_v4": "static", "configured_ipv4": format!("{base}.1") }),
        json!({ "config_type_v4": "static" }),
        json!({ "config_type_v4": "other" }),
    ] {
        world.ann.put(&one, &wrong, 400);
    }
    world.ben.put(&one, &json!({ "identifier": "mine" }), 403);
}
