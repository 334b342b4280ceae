//! The browser's side: starts hydration and brings the HTTP `ApiClient`.
// the type of a page is as deep as its markup
#![recursion_limit = "512"]

mod client;
mod stream;
mod upload;

use app::{App, SessionGate, api::Api};
use leptos::{mount::hydrate_body, prelude::*};
use wasm_bindgen::prelude::*;

/// Called by the boot script once the module is compiled. Fails when the code of the page cannot be fetched: the page is then as
/// the server drew it, and dead.
#[wasm_bindgen]
pub async fn hydrate(path: String) -> Result<(), JsValue> {
    console_error_panic_hook::set_once();
    // before, so that hydration need not wait in between
    app::load_page(&path).await.map_err(|error| JsValue::from_str(&error.to_string()))?;
    hydrate_body(|| {
        let gate = SessionGate::default();
        provide_context(gate.clone());
        provide_context(Api::new(client::HttpClient(gate)));
        view! { <App/> }
    });
    Ok(())
}
