//! The pages' code, cut off the application's: the browser loads what it shows. The start page's is with the application.
//!
//! Everything another page's function reaches, and nothing else does, is in that page's part of the wasm (`cargo xtask web` cuts it);
//! what several pages reach is in chunks between them. On the server there are no parts.

use std::{
    future::{Future, ready},
    pin::Pin,
};

use leptos::{
    prelude::*,
    wasm_split::{SplitLoaderError, wasm_split},
};
use leptos_router::ChooseView;
use send_wrapper::SendWrapper;

use super::gone::{Gone, Lost};
use crate::ui::Loading;

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

/// How many pages are being fetched, for the bar that says so.
#[derive(Clone, Copy)]
pub(super) struct Fetching(pub(super) RwSignal<u32>);

/// One page being fetched; the router drops it when the user goes elsewhere meanwhile.
struct Bar(Fetching);

impl Bar {
    fn shown(fetching: Fetching) -> Self {
        fetching.0.update(|count| *count += 1);
        Self(fetching)
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        // the application may have gone first
        self.0.0.try_update(|count| *count = count.saturating_sub(1));
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
        let _bar = use_context::<Fetching>().map(Bar::shown);
        // `choose` says what is wrong
        let _ = self.load().await;
    }
}

/// What a dialog shows, in a part that is fetched when the dialog is opened for the first time. A refusal can be tried again by opening it
/// again.
pub(super) fn later<Drawn>(draw: impl Fn() -> Drawn + Send + Sync + 'static) -> AnyView
where
    Drawn: Future<Output = Result<AnyView, SplitLoaderError>> + 'static,
{
    view! {
        // its own: the page's would put the whole page back into its loading state
        <Suspense fallback=Loading>
            {move || {
                let drawn = SendWrapper::new(draw());
                Suspend::new(async move { drawn.await.unwrap_or_else(|_| Lost().into_any()) })
            }}
        </Suspense>
    }
    .into_any()
}

/// `part { PAGE = the function that draws it, the one that loads its code, its component; }`: two functions a page, for a macro can make no names.
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
    // in debug builds
    components { COMPONENTS = draw_components, load_components, super::Components; }
}

/// The start page comes with the application: as a part of its own it and what it shares with others would be a fifteenth larger, for
/// what is in different files is neither compressed nor optimized together.
pub(super) const MACHINES: Part =
    Part { name: "machines", load: || Box::pin(ready(Ok(()))), draw: || Box::pin(ready(Ok(super::machines::Machines().into_any()))) };

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

#[cfg(test)]
mod tests {
    use super::part_of;

    #[test]
    fn a_path_leads_to_the_part_that_its_route_shows() {
        let expected = [
            ("/machines", "machines"),
            ("/machines/7", "machine"),
            ("/machines/7/console", "console"),
            ("/preseeds/new", "preseed"),
            ("/preseeds/7", "preseed"),
            ("/login/", "login"),
        ];
        for (path, part) in expected {
            assert_eq!(part_of(path).map(|part| part.name), Some(part), "{path}");
        }
        for path in ["/", "/nope", "/machines/7/console/x"] {
            assert!(part_of(path).is_none(), "{path}");
        }
    }
}
