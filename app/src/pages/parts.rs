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
use leptos_router::{
    ChooseView,
    SsrMode::Async,
    components::{Route, Routes},
    path,
};
use send_wrapper::SendWrapper;

use super::{
    gone::{Gone, Lost},
    home::Home,
    not_found::NotFound,
};
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

/// Every page, as its address, its module and its component there: the page's part, what [`part_of`] knows, and the route.
///
/// The start page, the first, comes with the application: as a part of its own it and what it shares with others would be an eighth
/// larger, for what is in different files is neither compressed nor optimized together.
macro_rules! pages {
    (start $start:tt $home:ident::$first:ident; $($path:tt $module:ident::$page:ident;)+) => {
        const START: Part = Part {
            name: stringify!($home),
            load: || Box::pin(ready(Ok(()))),
            draw: || Box::pin(ready(Ok(super::$home::$first().into_any()))),
        };

        $(
            #[allow(non_snake_case, reason = "named as the component is: a macro cannot make names")]
            mod $page {
                use super::{AnyView, IntoAny, Part, SplitLoaderError, wasm_split};

                #[wasm_split($module, wasm_split_path = ::leptos::wasm_split, preload(load), fallible)]
                fn $page() -> Result<AnyView, SplitLoaderError> {
                    Ok(crate::pages::$module::$page().into_any())
                }

                pub(super) const PART: Part = Part { name: stringify!($module), load: || Box::pin(load()), draw: || Box::pin($page()) };
            }
        )+

        const PAGES: &[(&str, Part)] = &[($start, START), $(($path, $page::PART)),+];

        /// The page at the address.
        #[component]
        pub(super) fn Pages() -> impl IntoView {
            view! {
                // Async: the whole page is in the first response, with its true status code.
                <Routes fallback=NotFound>
                    <Route path=path!("/") view=Home ssr=Async/>
                    <Route path=path!($start) view=START ssr=Async/>
                    $(<Route path=path!($path) view=$page::PART ssr=Async/>)+
                </Routes>
            }
        }
    };
}

// of two that fit, the first
pages! {
    start "/machines" machines::Machines;
    "/login" login::Login;
    "/overview" overview::Overview;
    "/machines/:id" machine::Machine;
    "/machines/:id/console" console::Console;
    "/images" images::Images;
    "/preseeds" preseeds::Preseeds;
    "/preseeds/new" preseed::NewPreseedPage;
    "/preseeds/:id" preseed::PreseedPage;
    "/leases" leases::Leases;
    "/bmcs" bmcs::Bmcs;
    "/networks" networks::Networks;
    "/archs" archs::Archs;
    "/users" users::Users;
    "/discovery" discovery::Discovery;
    "/audit" audit::Audit;
    "/account" account::Account;
    "/dev/components" dev::Components;
}

/// The part that shows `path`, if one does.
pub(crate) fn part_of(path: &str) -> Option<Part> {
    PAGES.iter().find(|(pattern, _)| fits(pattern, path)).map(|(_, part)| *part)
}

/// Whether a route with this pattern shows the path.
fn fits(pattern: &str, path: &str) -> bool {
    let mut wanted = pattern.split('/').filter(|segment| !segment.is_empty());
    let mut given = path.split('/').filter(|segment| !segment.is_empty());
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(wanted), Some(given)) if wanted.starts_with(':') || wanted == given => {}
            _ => return false,
        }
    }
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
    use super::{PAGES, fits, part_of};

    #[test]
    fn no_page_hides_another() {
        for (index, (pattern, _)) in PAGES.iter().enumerate() {
            let path = pattern.replace(":id", "7");
            assert_eq!(PAGES.iter().position(|(other, _)| fits(other, &path)), Some(index), "{path}");
        }
    }

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
