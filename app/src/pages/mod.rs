//! The pages, one file or folder each.

mod account;
mod archs;
mod audit;
mod bmcs;
mod console;
#[cfg(debug_assertions)]
mod dev;
mod discovery;
mod flags;
mod follow;
mod gone;
mod header;
mod health;
mod home;
mod images;
mod leases;
mod login;
mod machine;
mod machines;
mod networks;
mod not_found;
mod overview;
mod palette;
mod parts;
mod power;
mod preseed;
mod preseeds;
mod preview;
mod records;
mod relogin;
mod removal;
mod session;
mod used;
mod users;

use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::{
    SsrMode::Async,
    components::{Route, Router, Routes},
    path,
};

// a release knows nothing of them, not even that they could be there
#[cfg(debug_assertions)]
use self::dev::Components;
#[cfg(not(debug_assertions))]
use self::not_found::NotFound as Components;
pub use self::parts::load_page;
pub(crate) use self::parts::part_of;
use crate::{
    api::Api,
    live::Live,
    ui::{IconSprite, ToastStack, Toasts, Zone, dom},
};

#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    Toasts::provide();
    Zone::provide();
    let live = Live::provide();
    let session = session::Session::provide();
    let fetching = RwSignal::new(0);
    provide_context(parts::Fetching(fetching));
    let api = use_context::<Api>();
    Effect::new(move |_| {
        dom::restore_theme();
        dom::dismiss_menus();
    });
    Effect::new(move |_| {
        if let (Some(Ok(_)), Some(api)) = (session.me.get(), api.as_ref()) {
            live.connect(api);
        }
    });
    view! {
        <Title formatter=|text: String| if text.is_empty() { "mr-provisioner".to_owned() } else { format!("{text} · mr-provisioner") }/>
        <IconSprite/>
        <Router>
            // not for a page that is there at once
            <progress
                class="progress progress-primary fixed inset-x-0 top-0 z-50 h-1 rounded-none transition-[visibility]"
                class=("invisible", move || fetching.get() == 0)
                class=("delay-150", move || fetching.get() > 0)
                aria-label="Loading the page"
            ></progress>
            <div class="flex min-h-screen flex-col">
                <header::Header/>
                <relogin::Relogin/>
                <main class="flex min-h-0 flex-1 flex-col" id="main" tabindex="-1">
                    // Async: the whole page is in the first response, with its true status code.
                    <Routes fallback=not_found::NotFound>
                        <Route path=path!("/") view=home::Home ssr=Async/>
                        <Route path=path!("/login") view=parts::LOGIN ssr=Async/>
                        <Route path=path!("/overview") view=parts::OVERVIEW ssr=Async/>
                        <Route path=path!("/machines") view=parts::MACHINES ssr=Async/>
                        <Route path=path!("/machines/:id") view=parts::MACHINE ssr=Async/>
                        <Route path=path!("/machines/:id/console") view=parts::CONSOLE ssr=Async/>
                        <Route path=path!("/images") view=parts::IMAGES ssr=Async/>
                        <Route path=path!("/preseeds") view=parts::PRESEEDS ssr=Async/>
                        <Route path=path!("/preseeds/new") view=parts::NEW_PRESEED ssr=Async/>
                        <Route path=path!("/preseeds/:id") view=parts::PRESEED ssr=Async/>
                        <Route path=path!("/leases") view=parts::LEASES ssr=Async/>
                        <Route path=path!("/bmcs") view=parts::BMCS ssr=Async/>
                        <Route path=path!("/networks") view=parts::NETWORKS ssr=Async/>
                        <Route path=path!("/archs") view=parts::ARCHS ssr=Async/>
                        <Route path=path!("/users") view=parts::USERS ssr=Async/>
                        <Route path=path!("/discovery") view=parts::DISCOVERY ssr=Async/>
                        <Route path=path!("/audit") view=parts::AUDIT ssr=Async/>
                        <Route path=path!("/account") view=parts::ACCOUNT ssr=Async/>
                        <Route path=path!("/dev/components") view=parts::COMPONENTS ssr=Async/>
                    </Routes>
                </main>
            </div>
            <ToastStack/>
        </Router>
    }
    // erased here, so that the server, which is compiled often, does not compile every page's rendering again
    .into_any()
}
