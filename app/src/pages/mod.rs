//! The pages, one file or folder each.

mod account;
mod archs;
mod audit;
mod bmcs;
mod console;
#[cfg(debug_assertions)]
mod dev;
/// A release knows nothing of them, not even that they could be there.
#[cfg(not(debug_assertions))]
mod dev {
    pub(super) use super::not_found::NotFound as Components;
}
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
mod seldom;
mod session;
mod used;
mod users;

use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::components::Router;

pub(crate) use self::parts::part_of;
pub use self::{login::safe_next, parts::load_page};
use crate::{
    api::Api,
    live::Live,
    ui::{IconSprite, PageChange, PageTitle, ToastStack, Toasts, Zone, dom},
};

#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    let title = PageTitle::provide();
    Toasts::provide();
    Zone::provide();
    machine::Wish::provide();
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
    session.follow(live);
    view! {
        <Title text=move || title.text()/>
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
                    <parts::Pages/>
                </main>
            </div>
            <ToastStack/>
            <PageChange/>
        </Router>
    }
    // erased here, so that the server, which is compiled often, does not compile every page's rendering again
    .into_any()
}
