//! What pages are made of: heading, empty state, loading state, panel.

use leptos::prelude::*;

use super::icon::{Glyph, Icon};

/// The page's heading, with its buttons at the right.
#[component]
pub(crate) fn PageHead(#[prop(into)] title: Signal<String>, #[prop(optional)] children: Option<Children>) -> impl IntoView {
    view! {
        <div class="mb-4 flex flex-wrap items-center justify-between gap-3">
            <h1 class="text-2xl font-semibold">{move || title.get()}</h1>
            <div class="flex flex-wrap items-center gap-2">{children.map(|children| children())}</div>
        </div>
    }
}

/// A part of a page with a heading of its own.
#[component]
pub(crate) fn Panel(
    /// For links to this part, and the heading's name.
    id: &'static str,
    title: &'static str,
    /// Buttons beside the heading.
    #[prop(optional, into)]
    actions: ViewFn,
    children: Children,
) -> impl IntoView {
    view! {
        <section class="rounded-box border-base-300 bg-base-100 border" aria-labelledby=id>
            <div class="border-base-300 flex min-h-11 flex-wrap items-center justify-between gap-2 border-b px-4 py-1.5">
                <h2 id=id class="font-semibold">{title}</h2>
                <div class="flex items-center gap-2">{actions.run()}</div>
            </div>
            <div class="p-4">{children()}</div>
        </section>
    }
}

/// Nothing to show, and what to do about it.
#[component]
pub(crate) fn Empty(title: &'static str, #[prop(optional)] children: Option<Children>) -> impl IntoView {
    view! {
        <div class="flex flex-col items-center gap-2 px-4 py-10 text-center" data-testid="empty">
            <p class="text-lg font-medium">{title}</p>
            <div class="max-w-prose opacity-80">{children.map(|children| children())}</div>
        </div>
    }
}

#[component]
pub(crate) fn Loading() -> impl IntoView {
    view! {
        <div class="flex items-center gap-2 p-6 opacity-80" role="status">
            <span class="loading loading-spinner loading-sm"></span>
            "Loading…"
        </div>
    }
}

/// A sentence that wants attention.
#[component]
pub(crate) fn Notice(#[prop(default = "alert-warning")] tone: &'static str, children: Children) -> impl IntoView {
    view! {
        <div class=format!("alert alert-soft {tone} items-start py-2 text-sm")>
            <Glyph icon=Icon::Warning class="mt-0.5 size-4"/>
            <div>{children()}</div>
        </div>
    }
}

/// The button that opens a form for a new thing.
#[component]
pub(crate) fn AddButton(label: &'static str, open: RwSignal<bool>, #[prop(optional)] testid: Option<&'static str>) -> impl IntoView {
    view! {
        <button type="button" class="btn btn-sm btn-primary" on:click=move |_| open.set(true) data-testid=testid>
            <Glyph icon=Icon::Plus/>
            {label}
        </button>
    }
}

/// A small button with an icon, in a row of a table.
#[component]
pub(crate) fn RowButton(icon: Icon, #[prop(into)] label: Signal<String>, #[prop(into)] action: Callback<()>) -> impl IntoView {
    view! {
        <button
            type="button"
            class="btn btn-ghost btn-xs btn-square"
            aria-label=move || label.get()
            title=move || label.get()
            on:click=move |_| action.run(())
        >
            <Glyph icon/>
        </button>
    }
}
