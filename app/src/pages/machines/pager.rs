//! The way from page to page. Links: they can be opened elsewhere, and work before the application has loaded.

use leptos::prelude::*;

use super::{
    go::Go,
    listing::Listing,
    view::{ROWS, View, keep_rows, pages, place},
};

#[component]
pub(super) fn Pager(listing: Listing, view: Memo<View>, rows: RwSignal<usize>, go: Go) -> impl IntoView {
    let last = move || pages(listing.total.get(), rows.get()) - 1;
    let link = move |label: &'static str, sign: &'static str, testid: &'static str, to: fn(usize, usize) -> Option<usize>| {
        view! {
            {move || {
                let view = view.get();
                match to(view.page, last()) {
                    Some(page) => view! {
                        <a class="btn btn-ghost btn-sm btn-square" href=view.on_page(page).address() aria-label=label title=label data-testid=testid>{sign}</a>
                    }.into_any(),
                    None => view! {
                        <span class="btn btn-ghost btn-sm btn-square btn-disabled" role="link" aria-disabled="true" aria-label=label data-testid=testid>{sign}</span>
                    }.into_any(),
                }
            }}
        }
    };
    view! {
        <nav aria-label="Pages" class="flex flex-wrap items-center gap-x-3 gap-y-1 text-sm">
            <span class="tabular-nums" role="status" data-testid="machine-count">
                {move || {
                    if listing.is_unasked() {
                        return String::new();
                    }
                    listing.shown.with(|(view, rows)| place(view.page, *rows, listing.total.get()))
                }}
            </span>
            <span class="join">
                {link("First page", "«", "page-first", |page, _| (page > 0).then_some(0))}
                {link("Previous page", "‹", "page-previous", |page, last| page.checked_sub(1).map(|page| page.min(last)))}
                {link("Next page", "›", "page-next", |page, last| (page < last).then_some(page + 1))}
                {link("Last page", "»", "page-last", |page, last| (page != last).then_some(last))}
            </span>
            <label class="flex items-center gap-1.5">
                "Rows"
                <select
                    class="select select-sm w-18"
                    data-testid="rows"
                    on:change=move |event| {
                        if let Ok(wanted) = event_target_value(&event).parse::<usize>() {
                            let view = view.get_untracked();
                            keep_rows(wanted);
                            // to the page that has the first row of this one
                            let page = view.page * rows.get_untracked() / wanted.max(1);
                            rows.set(wanted);
                            go.replace(view.on_page(page));
                        }
                    }
                >
                    {ROWS
                        .map(|choice| {
                            view! {
                                <option value=choice.to_string() selected=choice == rows.get_untracked() prop:selected=move || rows.get() == choice>{choice}</option>
                            }
                        })
                        .collect_view()}
                </select>
            </label>
        </nav>
    }
}
