//! What browser and server share: wire types, the `ApiClient` port, and the pages.
#![recursion_limit = "512"]

// With it on one side only, hydration fails in the browser.
#[cfg(not(erase_components))]
compile_error!("build with `--cfg erase_components`, as .cargo/config.toml says: RUSTFLAGS in the environment replaces it");

pub mod api;
mod gate;
mod live;
// The `component` macro makes the builders of a component's props `pub`, however private the component;
// and a component owns its props, whether it keeps them or not.
#[allow(unreachable_pub, clippy::needless_pass_by_value)]
mod pages;
mod shell;
#[allow(unreachable_pub, clippy::needless_pass_by_value)]
mod ui;

pub use gate::SessionGate;
pub use pages::{App, load_page, safe_next};
pub use shell::{Assets, PageChoices, PageResponse, PageTheme, shell};
