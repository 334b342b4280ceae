//! What a user chose of how a page looks, kept in their browser as a cookie: the server's rendering must know it, or the page would
//! jump from one look to the other.

#[cfg(not(target_arch = "wasm32"))]
use leptos::prelude::use_context;

#[cfg(target_arch = "wasm32")]
use super::dom;
use crate::shell::PageChoices;

/// The same at hydration as on the server.
pub(crate) fn kept(name: &str) -> Option<String> {
    choices().get(name).map(str::to_owned)
}

#[cfg(target_arch = "wasm32")]
fn choices() -> PageChoices {
    PageChoices::from_cookies(dom::cookies().split(';').map(str::trim))
}

#[cfg(not(target_arch = "wasm32"))]
fn choices() -> PageChoices {
    use_context().unwrap_or_default()
}

/// From event handlers and effects only. `value` has nothing that ends a cookie: no blank, comma, semicolon, quote or backslash.
pub(crate) fn keep(name: &str, value: &str) {
    super::dom::keep_cookie(&format!("{}{name}", PageChoices::PREFIX), value);
}
