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
mod power;
mod preseed;
mod preseeds;
mod records;
mod relogin;
mod session;
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
use crate::{
    api::Api,
    live::Live,
    ui::{IconSprite, ToastStack, Toasts, dom},
};

#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    Toasts::provide();
    let live = Live::provide();
    let session = session::Session::provide();
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
            <div class="flex min-h-screen flex-col">
                <header::Header/>
                <relogin::Relogin/>
                <main class="flex min-h-0 flex-1 flex-col" id="main" tabindex="-1">
                    // Async: the whole page is in the first response, with its true status code.
                    <Routes fallback=not_found::NotFound>
                        <Route path=path!("/") view=home::Home ssr=Async/>
                        <Route path=path!("/login") view=login::Login ssr=Async/>
                        <Route path=path!("/overview") view=overview::Overview ssr=Async/>
                        <Route path=path!("/machines") view=machines::Machines ssr=Async/>
                        <Route path=path!("/machines/:id") view=machine::Machine ssr=Async/>
                        <Route path=path!("/machines/:id/console") view=console::Console ssr=Async/>
                        <Route path=path!("/images") view=images::Images ssr=Async/>
                        <Route path=path!("/preseeds") view=preseeds::Preseeds ssr=Async/>
                        <Route path=path!("/preseeds/new") view=preseed::NewPreseedPage ssr=Async/>
                        <Route path=path!("/preseeds/:id") view=preseed::PreseedPage ssr=Async/>
                        <Route path=path!("/leases") view=leases::Leases ssr=Async/>
                        <Route path=path!("/bmcs") view=bmcs::Bmcs ssr=Async/>
                        <Route path=path!("/networks") view=networks::Networks ssr=Async/>
                        <Route path=path!("/archs") view=archs::Archs ssr=Async/>
                        <Route path=path!("/users") view=users::Users ssr=Async/>
                        <Route path=path!("/discovery") view=discovery::Discovery ssr=Async/>
                        <Route path=path!("/audit") view=audit::Audit ssr=Async/>
                        <Route path=path!("/account") view=account::Account ssr=Async/>
                        <Route path=path!("/dev/components") view=Components ssr=Async/>
                    </Routes>
                </main>
            </div>
            <ToastStack/>
        </Router>
    }
    // erased here, so that the server, which is compiled often, does not compile every page's rendering again
    .into_any()
}
