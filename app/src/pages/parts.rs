//! The pages' code, cut off the application's: the browser loads what it shows.
//!
//! Everything a page's function reaches, and nothing else does, is in that page's part of the wasm (`cargo xtask web` cuts it);
//! what several pages reach is in chunks between them. On the server there are no parts.

use std::{future::Future, pin::Pin};

use leptos::{
    prelude::*,
    wasm_split::{SplitLoaderError, wasm_split},
};
use leptos_router::ChooseView;

use super::gone::Gone;

type Ready<T> = Pin<Box<dyn Future<Output = Result<T, SplitLoaderError>>>>;

/// A page as the router takes it: not there before it is loaded.
#[derive(Clone, Copy)]
pub(crate) struct Part {
    pub(crate) name: &'static str,
    load: fn() -> Ready<()>,
    draw: fn() -> Ready<AnyView>,
}

impl Part {
    /// Fetches its code, or does nothing when it is there. May be tried again after a failure.
    pub(crate) async fn load(self) -> Result<(), SplitLoaderError> {
        (self.load)().await
    }
}

impl ChooseView for Part {
    async fn choose(self) -> AnyView {
        match (self.draw)().await {
            Ok(view) => view,
            Err(_) => Gone().into_any(),
        }
    }

    async fn preload(&self) {
        // `choose` says what is wrong
        let _ = self.load().await;
    }
}

/// `PART from "path" { Page = page; }`
macro_rules! parts {
    ($($part:ident { $($page:ident = $draw:ident, $load:ident, $view:path;)+ })+) => {
        $($(
            #[wasm_split($part, wasm_split_path = ::leptos::wasm_split, preload($load), fallible)]
            fn $draw() -> Result<AnyView, SplitLoaderError> {
                Ok($view().into_any())
            }

            pub(super) const $page: Part = Part { name: stringify!($part), load: || Box::pin($load()), draw: || Box::pin($draw()) };
        )+)+
    };
}

parts! {
    login { LOGIN = draw_login, load_login, super::login::Login; }
    overview { OVERVIEW = draw_overview, load_overview, super::overview::Overview; }
    machines { MACHINES = draw_machines, load_machines, super::machines::Machines; }
    machine { MACHINE = draw_machine, load_machine, super::machine::Machine; }
    console { CONSOLE = draw_console, load_console, super::console::Console; }
    images { IMAGES = draw_images, load_images, super::images::Images; }
    preseeds { PRESEEDS = draw_preseeds, load_preseeds, super::preseeds::Preseeds; }
    preseed {
        NEW_PRESEED = draw_new_preseed, load_new_preseed, super::preseed::NewPreseedPage;
        PRESEED = draw_preseed, load_preseed, super::preseed::PreseedPage;
    }
    leases { LEASES = draw_leases, load_leases, super::leases::Leases; }
    bmcs { BMCS = draw_bmcs, load_bmcs, super::bmcs::Bmcs; }
    networks { NETWORKS = draw_networks, load_networks, super::networks::Networks; }
    archs { ARCHS = draw_archs, load_archs, super::archs::Archs; }
    users { USERS = draw_users, load_users, super::users::Users; }
    discovery { DISCOVERY = draw_discovery, load_discovery, super::discovery::Discovery; }
    audit { AUDIT = draw_audit, load_audit, super::audit::Audit; }
    account { ACCOUNT = draw_account, load_account, super::account::Account; }
    components { COMPONENTS = draw_components, load_components, super::Components; }
}

/// The part that shows `path`, if one does.
pub(crate) fn part_of(path: &str) -> Option<Part> {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    Some(match *segments.as_slice() {
        ["login"] => LOGIN,
        ["overview"] => OVERVIEW,
        ["machines"] => MACHINES,
        ["machines", _] => MACHINE,
        ["machines", _, "console"] => CONSOLE,
        ["images"] => IMAGES,
        ["preseeds"] => PRESEEDS,
        ["preseeds", "new"] => NEW_PRESEED,
        ["preseeds", _] => PRESEED,
        ["leases"] => LEASES,
        ["bmcs"] => BMCS,
        ["networks"] => NETWORKS,
        ["archs"] => ARCHS,
        ["users"] => USERS,
        ["discovery"] => DISCOVERY,
        ["audit"] => AUDIT,
        ["account"] => ACCOUNT,
        ["dev", "components"] => COMPONENTS,
        _ => return None,
    })
}

/// Fetches the code of the page at `path`. Hydration needs it: it draws at once what the server drew.
pub async fn load_page(path: &str) -> Result<(), SplitLoaderError> {
    match part_of(path) {
        Some(part) => part.load().await,
        None => Ok(()),
    }
}
