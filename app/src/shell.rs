//! The HTML document around the application, and what a page tells the HTTP response it stands in.
//! In use on the server only, harmless in the browser.

use std::{collections::BTreeMap, sync::Arc};

use leptos::{nonce::use_nonce, prelude::*};
use leptos_meta::MetaTags;

use crate::pages::{App, part_of};

/// Content-hashed addresses of what the browser build wrote.
#[derive(Clone, Debug, Default)]
pub struct Assets {
    pub script: Arc<str>,
    pub wasm: Arc<str>,
    pub style: Arc<str>,
    /// What the script begins by importing.
    pub imports: Vec<Arc<str>>,
    /// The parts of the wasm that each page is loaded with, by the page's name.
    pub pages: BTreeMap<String, Vec<Arc<str>>>,
}

/// How a page sets the status of the response it is rendered into. The server provides it as a context of
/// every request; in the browser there is none. Pages are rendered with `SsrMode::Async`, so the status is
/// still open when they know it.
#[derive(Clone)]
pub struct PageResponse {
    status: Arc<dyn Fn(u16) + Send + Sync>,
    redirect: Arc<dyn Fn(&str) + Send + Sync>,
}

impl PageResponse {
    /// `redirect` gets a path on this host, query included.
    pub fn new(status: impl Fn(u16) + Send + Sync + 'static, redirect: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self { status: Arc::new(status), redirect: Arc::new(redirect) }
    }

    pub fn set_status(&self, code: u16) {
        (self.status)(code);
    }

    pub fn redirect(&self, path: &str) {
        (self.redirect)(path);
    }
}

/// The theme the user chose, from the cookie `theme`. A context the server may provide, so that the first
/// painting already has it; without it the system's preference holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageTheme {
    Light,
    Dark,
}

impl PageTheme {
    /// From the cookie's value.
    #[must_use]
    pub fn from_cookie(value: &str) -> Option<Self> {
        match value {
            "light" => Some(Self::Light),
            "dark" => Some(Self::Dark),
            _ => None,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// What the user chose of how pages look, from cookies that the page itself wrote. A context the server provides, so that the
/// first painting is already as it was chosen.
#[derive(Clone, Debug, Default)]
pub struct PageChoices(Arc<str>);

impl PageChoices {
    /// Before the name of every such cookie. No other is passed on to pages.
    pub(crate) const PREFIX: &'static str = "page-";

    /// Of those that came with the request, as `name=value`.
    pub fn from_cookies<'a>(cookies: impl Iterator<Item = &'a str>) -> Self {
        let own: Vec<&str> = cookies.filter(|cookie| cookie.starts_with(Self::PREFIX)).collect();
        Self(own.join(";").into())
    }

    #[must_use]
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.split(';').find_map(|cookie| cookie.strip_prefix(Self::PREFIX)?.strip_prefix(name)?.strip_prefix('='))
    }
}

/// Stands where `<HydrationScripts>` and `<AutoReload>` would in a cargo-leptos project.
/// `path` is that of the page.
pub fn shell(assets: &Assets, path: &str) -> AnyView {
    let Assets { script, wasm, style, imports, pages } = assets.clone();
    // what the page's script will ask for, before it can
    let parts = part_of(path).and_then(|part| pages.get(part.name).cloned()).unwrap_or_default();
    let theme = use_context::<PageTheme>().map(PageTheme::word);
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=theme>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <link rel="stylesheet" href=style/>
                // drawn here: no request for /favicon.ico
                <link rel="icon" href=ICON/>
                <link rel="modulepreload" href=script.clone()/>
                {imports.into_iter().map(|import| view! { <link rel="modulepreload" href=import/> }).collect_view()}
                <link rel="preload" href=wasm r#as="fetch" r#type="application/wasm" crossorigin="anonymous"/>
                {parts
                    .into_iter()
                    .map(|part| view! { <link rel="preload" href=part r#as="fetch" r#type="application/wasm" crossorigin="anonymous"/> })
                    .collect_view()}
                <script type="module" src=script nonce=use_nonce()></script>
                <MetaTags/>
            </head>
            <body class="min-h-screen bg-base-100 text-base-content">
                <App/>
                // shown by the boot script (`xtask/web/boot.js`)
                <div class="alert alert-error fixed inset-x-4 bottom-4 z-50" role="alert" id="not-started" hidden>
                    <span>"This page could not be loaded completely: nothing on it works. The server was updated, or cannot be reached."</span>
                    <a class="btn btn-sm" href="" rel="external">"Reload"</a>
                </div>
            </body>
        </html>
    }
    .into_any()
}

const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24'%3E%3Crect width='24' height='24' rx='5' fill='%23234'/%3E%3Cpath d='M5 7h14M5 12h14M5 17h8' stroke='%237df' stroke-width='2' stroke-linecap='round'/%3E%3Ccircle cx='18' cy='17' r='2' fill='%237f9'/%3E%3C/svg%3E";

#[cfg(test)]
mod tests {
    use super::PageChoices;

    #[test]
    fn pages_see_no_cookies_but_their_own() {
        let choices = PageChoices::from_cookies(["session=secret", "page-machines-rows=250", "page-machines=x"].into_iter());
        assert_eq!(choices.get("machines-rows"), Some("250"));
        assert_eq!(choices.get("machines"), Some("x"));
        assert_eq!(choices.get("mach"), None);
        assert!(!format!("{choices:?}").contains("secret"));
    }
}
