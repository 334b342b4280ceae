//! The browser's side: starts hydration and brings the HTTP `ApiClient`.
// the type of a page is as deep as its markup
#![recursion_limit = "512"]

mod client;
mod stream;
mod upload;

use app::{App, SessionGate, api::Api};
use leptos::{mount::hydrate_body, prelude::*};
use wasm_bindgen::prelude::wasm_bindgen;

/// Called by the boot script once the module is compiled.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    hydrate_body(|| {
        let gate = SessionGate::default();
        provide_context(gate.clone());
        provide_context(Api::new(client::HttpClient(gate)));
        view! { <App/> }
    });
}
