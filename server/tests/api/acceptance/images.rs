//! Images.

use serde_json::{Value, json};

use super::{Case, World, ids};

pub const CASES: &[Case] = &[
    ("an image is uploaded, q before file", upload),
    ("an image is uploaded, file before q", upload_turned),
    ("an upload needs its file", upload_without_file),
    ("an upload needs an architecture that exists", upload_without_arch),
    ("a list has one's own, show_all what is public, too", list),
    ("one image is read; a private one only by its owner", get),
    ("what is said of an image changes", change),
    ("an image is deleted by its owner", delete),
];

fn upload(world: &World) {
    let q = json!({ "type": "Kernel", "arch": "arm64", "description": "next-1122", "known_good": true, "public": true });
    let made = world.ann.form("/image", &[("q", &q.to_string()), ("file", "MZ kernel")], 201);
    for (member, expected) in q.as_object().unwrap() {
        assert_eq!(&made[member], expected, "{member}");
    }
    assert_eq!(made["user"], "ann");
    assert!(made["name"].as_str().unwrap().starts_with("ann/vmlinuz."), "{made}");
    assert!(made["upload_date"].is_string());
    // the scripts' key is the description
    let list = world.ann.get("/image", 200);
    let same: Vec<&Value> = list.as_array().unwrap().iter().filter(|image| image["description"] == "next-1122").collect();
    assert_eq!(same, [&made]);
}

fn upload_turned(world: &World) {
    let q = json!({ "type": "Initrd", "arch": "arm64", "description": "turned" });
    let made = world.ann.form("/image", &[("file", "an initrd"), ("q", &q.to_string())], 201);
    assert_eq!((&made["type"], &made["known_good"], &made["public"]), (&json!("Initrd"), &json!(false), &json!(false)));
}

fn upload_without_file(world: &World) {
    let q = json!({ "type": "Kernel", "arch": "arm64" }).to_string();
    assert_eq!(world.ann.form("/image", &[("q", &q)], 400)["errors"], json!(["multipart `file` is required"]));
    // b: a missing q was 500
    world.ann.form("/image", &[("file", "x")], 400);
    world.ann.post("/image", &json!({}), 400);
}

fn upload_without_arch(world: &World) {
    for (q, sentence) in
        [(json!({ "type": "Kernel" }), "arch is required"), (json!({ "type": "Kernel", "arch": "mips" }), "no such architecture")]
    {
        assert_eq!(world.ann.form("/image", &[("q", &q.to_string()), ("file", "x")], 400)["errors"], json!([sentence]));
    }
    let q = json!({ "type": "Disk", "arch": "arm64" }).to_string();
    world.ann.form("/image", &[("q", &q), ("file", "x")], 400);
}

fn list(world: &World) {
    let (anns, bens) = (world.image(&world.ann, "Kernel", "arm64"), world.image(&world.ben, "Kernel", "arm64"));
    let public = world.image(&world.ben, "Kernel", "arm64");
    world.ben.put(&format!("/image/{}", public["id"]), &json!({ "public": true }), 200);
    let id = |image: &Value| image["id"].as_i64().unwrap();
    let own = ids(&world.ann.get("/image", 200));
    assert!(own.contains(&id(&anns)) && !own.contains(&id(&public)));
    let all = ids(&world.ann.get("/image?show_all=true", 200));
    assert!(all.contains(&id(&anns)) && all.contains(&id(&public)) && !all.contains(&id(&bens)));
    assert!(ids(&world.admin.get("/image?show_all=true", 200)).contains(&id(&bens)));
}

fn get(world: &World) {
    let image = world.image(&world.ann, "Kernel", "arm64");
    let one = format!("/image/{}", image["id"]);
    assert_eq!(world.ann.get(&one, 200), image);
    assert_eq!(world.ben.get(&one, 403)["error_type"], "Forbidden");
    assert_eq!(world.admin.get(&one, 200)["description"], image["description"]);
    assert_eq!(world.ann.get("/image/999999", 404)["errors"], json!(["image not found"]));
}

fn change(world: &World) {
    let one = format!("/image/{}", world.image(&world.ann, "Kernel", "arm64")["id"]);
    let wanted = json!({ "type": "Initrd", "description": "changed", "known_good": true, "public": true, "arch": "arm64" });
    let changed = world.ann.put(&one, &wanted, 200);
    for (member, expected) in wanted.as_object().unwrap() {
        assert_eq!(&changed[member], expected, "{member}");
    }
    assert_eq!(world.ann.put(&one, &json!({ "description": "again" }), 200)["known_good"], true, "what is absent stays");
    world.ben.put(&one, &json!({ "description": "mine" }), 403);
    assert_eq!(world.ann.put(&one, &json!({ "arch": "mips" }), 400)["errors"], json!(["no such architecture"]));
}

fn delete(world: &World) {
    let one = format!("/image/{}", world.image(&world.ann, "Kernel", "arm64")["id"]);
    world.ben.answered(&["--request", "DELETE"], &one, 403);
    world.ann.delete(&one, 204);
    world.ann.get(&one, 404);
}
