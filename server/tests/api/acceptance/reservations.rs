//! Reserving, and the query language that chooses.

use serde_json::{Value, json};

use super::{Case, Script, World, names, path};

pub const CASES: &[Case] = &[
    ("any free machine can be reserved", any),
    ("one is reserved by its name", by_name),
    ("one is reserved by a part of its name", by_part),
    ("and, or and comparisons choose", by_expression),
    ("machines are found by what they are", by_symbols),
    ("what does not fit, or is taken, is 404", none_left),
    ("a query that makes no sense is 400", nonsense),
];

fn reserve(who: &Script, query: &str, status: u16) -> Value {
    who.post("/machine/reservation", &json!({ "query": query, "reason": "ci" }), status)
}

fn any(world: &World) {
    world.machine();
    let got = world.ben.post("/machine/reservation", &json!({ "query": null }), 200);
    assert_eq!(world.ben.get(&path(&got, "/assignee/self"), 200)["reason"], "");
    world.ben.delete(&path(&got, "/assignee/self"), 204);
}

fn by_name(world: &World) {
    let machine = world.machine();
    let name = machine["name"].as_str().unwrap();
    let got = reserve(&world.ben, &format!("(= name \"{name}\")"), 200);
    assert_eq!(got["id"], machine["id"]);
    assert_eq!(world.ben.get(&path(&got, "/assignee/self"), 200)["reason"], "ci");
}

fn by_part(world: &World) {
    world.machine_named("unlike-any-other");
    assert_eq!(reserve(&world.ben, "(=~ name \"like-any\")", 200)["name"], "unlike-any-other");
    // w28: no wildcard
    reserve(&world.ben, "(=~ name \"unl%other\")", 404);
}

fn by_expression(world: &World) {
    let first = world.machine_named("expr-a");
    world.machine_named("expr-b");
    let both = "(and (or (= name \"expr-a\") (= name \"expr-b\")) (= assignee_count 0) (>= interface_count 1) (= arch \"arm64\"))";
    let got = [reserve(&world.ben, both, 200), reserve(&world.ben, both, 200)];
    assert_ne!(got[0]["id"], got[1]["id"]);
    assert!(got.iter().any(|machine| machine["id"] == first["id"]));
    reserve(&world.ben, both, 404);
}

fn by_symbols(world: &World) {
    let bmc = json!({ "name": world.name("bmc"), "type": "plain", "ip": "127.0.0.9", "port": 1 });
    let bmc = world.admin.post("/bmc", &bmc, 201);
    let machine = world.machine_named("symbols");
    let change = json!({ "bmc_id": bmc["id"], "subarch": "uefi", "tags": ["symbolic"] });
    world.admin.put(&path(&machine, ""), &change, 200);
    world.admin.post(&path(&machine, "/assignee"), &json!({ "user": "ann" }), 201);
    let mac = machine["macs"][0].as_str().unwrap();
    for query in [
        "(= bmc_type \"plain\")".to_owned(),
        "(= subarch \"uefi\")".into(),
        "(= state \"unknown\")".into(),
        "(= assignee \"ann\")".into(),
        "(= assignee_count 1)".into(),
        "(< 0 interface_count)".into(),
        format!("(= mac \"{mac}\")"),
        "(= network nil)".into(),
        "(= netboot_enabled nil)".into(),
        "(= tag \"symbolic\")".into(),
        "t ; all of them".into(),
    ] {
        let query = format!("(and (= name \"symbols\") {query}\n)");
        let quoted: String = query.bytes().map(|b| format!("%{b:02X}")).collect();
        assert_eq!(names(&world.ben.get(&format!("/machine?show_all=true&q={quoted}"), 200)), ["symbols"], "{query}");
    }
}

fn none_left(world: &World) {
    let machine = world.anns();
    let error = reserve(&world.ben, &format!("(= name \"{}\")", machine["name"].as_str().unwrap()), 404);
    assert_eq!(error["errors"], json!(["no matching machine"]));
    reserve(&world.ben, "(= name \"no machine has this\")", 404);
}

fn nonsense(world: &World) {
    let error = reserve(&world.ben, "(frob name \"x\")", 400);
    assert!(error["errors"][0].as_str().unwrap().contains("`frob` is not a valid operation"), "{error}");
    // the original failed over these with 500
    for query in ["(= name", "name", "(= name)", "(=~ name 5)"] {
        reserve(&world.ben, query, 400);
    }
    let error = world.ben.post("/machine/reservation", &json!({}), 400);
    assert!(error["errors"][0].as_str().unwrap().contains("query"), "{error}");
    world.ben.get("/machine?q=(frob", 400);
}
