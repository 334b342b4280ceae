//! The bar above every page.

use leptos::{html, prelude::*, task::spawn_local};
use leptos_router::{components::A, hooks::use_location, location::Location};
use wasm_bindgen::closure::Closure;

use super::{palette::PaletteButton, session::Session};
use crate::{
    api::{Api, StreamStatus},
    gate::SessionGate,
    live::Live,
    ui::{Glyph, Icon, Toasts, dom},
};

#[component]
pub(super) fn Header() -> impl IntoView {
    let session = expect_context::<Session>();
    // Read once before anything is drawn: these are made when they are read first, and who reads them meanwhile, on another of the
    // server's threads, would find nothing.
    let Location { pathname, search, query, hash, .. } = use_location();
    for text in [pathname, search, hash] {
        text.with_untracked(|_| ());
    }
    query.with_untracked(|_| ());
    view! {
        // the browser's own jump: the router's would leave the focus here
        <a href="#main" rel="external" class="btn btn-sm btn-primary sr-only z-50 focus:not-sr-only focus:absolute focus:m-2">"Skip to content"</a>
        <header class="bg-base-200 border-base-300 in-[:fullscreen]:hidden sticky top-0 z-30 flex min-h-12 items-center gap-1 border-b px-3">
            <a href="/machines" class="mr-2 flex items-center gap-2 font-semibold" aria-label="mr-provisioner, start page">
                <Glyph icon=Icon::Machine class="size-5 text-primary"/>
                <span class="hidden sm:inline">"mr-provisioner"</span>
            </a>
            {for_whom(session, |_, admin| view! { <Navigation admin/> }.into_any())}
            <span class="flex-1"></span>
            <LiveStatus/>
            {for_whom(session, |_, admin| view! { <PaletteButton admin/> }.into_any())}
            <button type="button" class="btn btn-ghost btn-sm btn-square" aria-label="Switch between light and dark" title="Switch between light and dark" on:click=|_| dom::toggle_theme()>
                <Glyph icon=Icon::Theme/>
            </button>
            {for_whom(session, |username, admin| view! { <UserMenu username admin/> }.into_any())}
        </header>
    }
}

/// Drawn when it is known who looks, and anew when their name or their rights change.
fn for_whom(session: Session, draw: fn(String, bool) -> AnyView) -> AnyView {
    view! {
        <Transition fallback=|| ()>
            {move || Suspend::new(async move {
                session.me.await.ok().map(|me| {
                    let who = session.who(me);
                    move || {
                        let (username, admin) = who.get();
                        draw(username, admin)
                    }
                })
            })}
        </Transition>
    }
    .into_any()
}

pub(super) const EVERYBODY: [(&str, &str); 5] =
    [("/overview", "Overview"), ("/machines", "Machines"), ("/images", "Images"), ("/preseeds", "Preseeds"), ("/leases", "Leases")];
pub(super) const ADMINS: [(&str, &str); 6] = [
    ("/bmcs", "BMCs"),
    ("/networks", "Networks"),
    ("/archs", "Architectures"),
    ("/users", "Users"),
    ("/discovery", "Discovered MACs"),
    ("/audit", "Audit log"),
];

#[component]
fn Navigation(admin: bool) -> impl IntoView {
    let (menu, admins) = (NodeRef::<html::Details>::new(), NodeRef::<html::Details>::new());
    let close = move |_| {
        for menu in [menu, admins] {
            if let Some(menu) = menu.get_untracked() {
                menu.set_open(false);
            }
        }
    };
    let path = use_location().pathname;
    let at_admins = move || {
        path.with(|path| ADMINS.iter().any(|(own, _)| path.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))))
    };
    let entries = |list: &'static [(&'static str, &'static str)]| {
        list.iter()
            .map(|&(path, label)| view! { <li><A href=path attr:class="aria-[current=page]:bg-base-300 aria-[current=page]:text-base-content">{label}</A></li> })
            .collect_view()
    };
    view! {
        <nav aria-label="Main" class="hidden items-center gap-0.5 lg:flex">
            {EVERYBODY
                .map(|(path, label)| {
                    view! {
                        <A href=path attr:class="btn btn-ghost btn-sm font-medium aria-[current=page]:bg-base-300">{label}</A>
                    }
                })
                .collect_view()}
            {admin
                .then(|| {
                    view! {
                        <details node_ref=admins class="dropdown">
                            <summary class="btn btn-ghost btn-sm font-medium" class=("bg-base-300", at_admins) data-testid="admin-menu">
                                "Administration"
                                <Glyph icon=Icon::Down class="size-3"/>
                            </summary>
                            <ul class="menu dropdown-content bg-base-100 rounded-box border-base-300 z-40 mt-1 w-52 border p-2 shadow-lg" on:click=close>
                                {entries(&ADMINS)}
                            </ul>
                        </details>
                    }
                })}
        </nav>
        <details node_ref=menu class="dropdown lg:hidden">
            <summary class="btn btn-ghost btn-sm btn-square" aria-label="Menu">
                <Glyph icon=Icon::Menu class="size-5"/>
            </summary>
            <ul class="menu dropdown-content bg-base-100 rounded-box border-base-300 z-40 mt-1 w-52 border p-2 shadow-lg" on:click=close>
                {entries(&EVERYBODY)}
                {admin.then(|| view! { <li class="menu-title text-base-content/80 text-xs">"Administration"</li> {entries(&ADMINS)} })}
            </ul>
        </details>
    }
}

/// Ends the session, after what is not saved was asked about.
pub(super) fn logging_out() -> Callback<()> {
    let api = expect_context::<Api>();
    let toasts = expect_context::<Toasts>();
    let live = expect_context::<Live>();
    // none on the server
    let gate = use_context::<SessionGate>().unwrap_or_default();
    Callback::new(move |()| {
        let (api, gate) = (api.clone(), gate.clone());
        let end = move || {
            // what is open learns of the end of the session, too, and would ask for the password before the page has gone
            gate.leave();
            live.close();
            spawn_local(async move {
                match api.logout().await {
                    Ok(()) => dom::leave_for("/login"),
                    // it had ended already
                    Err(error) if error.is_unauthenticated() => dom::leave_for("/login"),
                    Err(error) => {
                        gate.stay();
                        live.connect(&api);
                        toasts.error(format!("Not logged out: {}", error.text()));
                    }
                }
            });
        };
        dom::leave_by(&Closure::once_into_js(end));
    })
}

#[component]
fn UserMenu(username: String, admin: bool) -> impl IntoView {
    let menu = NodeRef::<html::Details>::new();
    let close = move |_| {
        if let Some(menu) = menu.get_untracked() {
            menu.set_open(false);
        }
    };
    let logout = logging_out();
    view! {
        <details node_ref=menu class="dropdown dropdown-end">
            <summary class="btn btn-ghost btn-sm" data-testid="user-menu">
                <Glyph icon=Icon::User/>
                <span class="max-w-32 truncate">{username}</span>
                <Glyph icon=Icon::Down class="size-3"/>
            </summary>
            <ul class="menu dropdown-content bg-base-100 rounded-box border-base-300 z-40 mt-1 w-52 border p-2 shadow-lg" on:click=close>
                {admin.then(|| view! { <li class="menu-title text-base-content/80 text-xs">"Administrator"</li> })}
                <li><a href="/account">"Account & tokens"</a></li>
                <li><a href="/api/v1/docs" rel="external">"API documentation"</a></li>
                <li><button type="button" on:click=move |_| logout.run(()) data-testid="logout">"Log out"</button></li>
            </ul>
        </details>
    }
}

/// Whether what the page shows is live.
#[component]
fn LiveStatus() -> impl IntoView {
    let status = expect_context::<Live>().status();
    let word = move || match status.get() {
        Some(StreamStatus::Open) => "open",
        Some(StreamStatus::Lost) => "lost",
        Some(StreamStatus::LoggedOut) => "logged-out",
        None => "none",
    };
    view! {
        <span role="status" class="flex items-center gap-1.5 px-2 text-xs" data-testid="live-status" data-status=word>
            {move || {
                status
                    .get()
                    .map(|status| match status {
                        StreamStatus::Open => view! {
                            <span class="status status-success" aria-hidden="true"></span>
                            <span class="hidden opacity-80 sm:inline" title="Changes in the lab appear on this page by themselves">"Live"</span>
                        }.into_any(),
                        StreamStatus::Lost => view! {
                            <span class="status status-error animate-pulse" aria-hidden="true"></span>
                            <span class="font-medium">"Connection lost, reconnecting…"</span>
                        }.into_any(),
                        StreamStatus::LoggedOut => view! {
                            <span class="status status-warning" aria-hidden="true"></span>
                            <span class="font-medium">"Logged out"</span>
                        }.into_any(),
                    })
            }}
        </span>
    }
}
