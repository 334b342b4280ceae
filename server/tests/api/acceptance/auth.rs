//! Who gets in.

use super::{Case, World};

pub const CASES: &[Case] = &[
    ("without a token nothing is answered", without_a_token),
    ("a token nobody has lets nobody in", with_an_unknown_token),
    ("a token lets its owner in, bare or after Bearer", with_a_token),
];

fn without_a_token(world: &World) {
    let error = world.admin.with_token(None).get("/machine", 401);
    // the original's body was empty (w29)
    assert_eq!(error["error_type"], "Unauthorized");
}

fn with_an_unknown_token(world: &World) {
    for token in ["nonsense", "Bearer nonsense", "Bearer", "mrp_0000000000000000"] {
        world.admin.with_token(Some(token)).get("/machine", 401);
    }
}

fn with_a_token(world: &World) {
    let bare = world.ann.token.clone().unwrap();
    for token in [bare.clone(), format!("Bearer {bare}")] {
        assert!(world.ann.with_token(Some(&token)).get("/machine", 200).is_array());
    }
}
