//! Preseeds, and what machines are sent of them.

use serde_json::{Value, json};

use super::{Case, World, ids, path};

pub const CASES: &[Case] = &[
    ("a preseed is made", create),
    ("a name is nobody else's", duplicate),
    ("a list has one's own with their content", list),
    ("one preseed is read; a private one only by its owner", get),
    ("any part of a preseed changes", change),
    ("a preseed is deleted by its owner", delete),
    ("a template's variables are the machine's", variables),
    ("what is not set has no value, and a default takes its place", unset),
];

fn create(world: &World) {
    let wanted = json!({
        "name": world.name("full"), "type": "kickstart", "description": "d", "content": "text\n", "known_good": true, "public": true,
    });
    let made = world.ann.post("/preseed", &wanted, 201);
    for (member, expected) in wanted.as_object().unwrap() {
        assert_eq!(&made[member], expected, "{member}");
    }
    assert_eq!(made["user"], "ann");
    let least = world.ann.post("/preseed", &json!({ "name": world.name("least"), "type": "autoyast" }), 201);
    let defaults = [&least["description"], &least["content"], &least["known_good"], &least["public"]];
    assert_eq!(defaults, [&json!(""), &json!(""), &json!(false), &json!(false)]);
    world.ann.post("/preseed", &json!({ "name": world.name("wrong"), "type": "other" }), 400);
}

fn duplicate(world: &World) {
    let made = world.preseed(&world.ann, "x");
    let error = world.ben.post("/preseed", &json!({ "name": made["name"], "type": "preseed" }), 409);
    assert_eq!(error["error_type"], "IntegrityError");
}

fn list(world: &World) {
    let (anns, bens) = (world.preseed(&world.ann, "ann's"), world.preseed(&world.ben, "ben's"));
    let list = world.ann.get("/preseed", 200);
    // scripts take the content out of what was listed
    let listed = list.as_array().unwrap().iter().find(|preseed| preseed["id"] == anns["id"]).unwrap();
    assert_eq!(listed["content"], "ann's");
    let all = ids(&world.ann.get("/preseed?show_all=true", 200));
    assert!(all.contains(&anns["id"].as_i64().unwrap()) && !all.contains(&bens["id"].as_i64().unwrap()));
    assert!(ids(&world.admin.get("/preseed?show_all=true", 200)).contains(&bens["id"].as_i64().unwrap()));
}

fn get(world: &World) {
    let made = world.preseed(&world.ann, "mine");
    let one = format!("/preseed/{}", made["id"]);
    assert_eq!(world.ann.get(&one, 200), made);
    world.ben.get(&one, 403);
    assert_eq!(world.ann.get("/preseed/999999", 404)["errors"], json!(["preseed not found"]));
}

fn change(world: &World) {
    let one = format!("/preseed/{}", world.preseed(&world.ann, "old")["id"]);
    let wanted = json!({ "name": world.name("renamed"), "type": "autoyast", "description": "n", "content": "new", "known_good": true, "public": true });
    let changed = world.ann.put(&one, &wanted, 200);
    for (member, expected) in wanted.as_object().unwrap() {
        assert_eq!(&changed[member], expected, "{member}");
    }
    assert_eq!(world.ann.put(&one, &json!({ "public": false }), 200)["content"], "new", "what is absent stays");
    world.ben.put(&one, &json!({ "content": "mine" }), 403);
}

fn delete(world: &World) {
    let one = format!("/preseed/{}", world.preseed(&world.ann, "x")["id"]);
    world.ben.answered(&["--request", "DELETE"], &one, 403);
    world.ann.delete(&one, 204);
    world.ann.get(&one, 404);
}

/// What the machine would be sent.
fn rendered(world: &World, machine: &Value) -> Value {
    let preview = world.ann.post(&path(machine, "/preseed-preview"), &json!({}), 200);
    assert_eq!(preview["diagnostics"], json!([]), "{preview}");
    preview["text"].clone()
}

fn variables(world: &World) {
    let machine = world.anns();
    let (kernel, initrd) = (world.image(&world.ann, "Kernel", "arm64"), world.image(&world.ann, "Initrd", "arm64"));
    world.ann.put("/self", &json!({ "ssh_key": "ssh-ed25519 AAAA ann" }), 200);
    let template = "{{ hostname }}|{{ ssh_key }}|{{ ssh_keys|length }}|{{ kernel.filename }}|{{ kernel.description }}|{{ kernel.known_good }}|\
                    {{ initrd.filename }}|{{ initrd.description }}|{{ kernel_options }}|{{ interfaces|length }}";
    let preseed = world.preseed(&world.ann, template);
    let change = json!({ "kernel_id": kernel["id"], "initrd_id": initrd["id"], "preseed_id": preseed["id"], "kernel_opts": "quiet" });
    world.ann.put(&path(&machine, ""), &change, 200);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let known_good = if kernel["known_good"] == json!(true) { "true" } else { "false" };
    let expected = [
        text(&machine["hostname"]),
        "ssh-ed25519 AAAA ann".into(),
        "1".into(),
        text(&kernel["name"]),
        text(&kernel["description"]),
        known_good.into(),
        text(&initrd["name"]),
        text(&initrd["description"]),
        "quiet".into(),
        "0".into(),
    ];
    assert_eq!(text(&rendered(world, &machine)).to_lowercase(), expected.join("|").to_lowercase());
}

fn unset(world: &World) {
    let machine = world.anns();
    let template = "{{ kernel.filename|default('no kernel') }}|{{ initrd.description|default('no initrd') }}|{% if kernel %}x{% endif %}|";
    let preseed = world.preseed(&world.ann, template);
    world.ann.put(&path(&machine, ""), &json!({ "preseed_id": preseed["id"] }), 200);
    assert_eq!(rendered(world, &machine), "no kernel|no initrd||");
    // without a default it is nothing, and that is told
    let plain = json!({ "content": "a{{ kernel.filename }}b" });
    let preview = world.ann.post(&path(&machine, "/preseed-preview"), &plain, 200);
    assert_eq!((&preview["text"], preview["diagnostics"].as_array().unwrap().len()), (&json!("ab"), 1));
}
