//! The list of machines: the page that stays open all day.

mod bulk;
mod bulk_forms;
mod columns;
mod failures;
mod filters;
mod go;
mod hindered;
mod keys;
mod listing;
mod new;
mod pager;
mod power_menu;
mod reserve;
mod row;
mod search;
mod selection;
mod view;

use std::collections::BTreeSet;

use leptos::prelude::*;
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_query_map},
};

pub(super) use self::new::new_machine_form;
use self::{
    bulk::{Bulk, BulkBar, BulkDialogs},
    columns::{Column, ColumnMenu, Columns},
    filters::FilterMenu,
    go::Go,
    keys::KeyHelp,
    listing::{Listing, seen_first},
    new::NewMachineDialog,
    pager::Pager,
    power_menu::PowerMenu,
    reserve::ReserveDialog,
    row::{Shared, row_view},
    search::{QueryLine, Search},
    selection::Selection,
    view::{View, chosen_rows, is_mine_by_choice, keep_mine, pages},
};
use super::session::{Failed, Session};
use crate::{
    api::{Api, Machine, Me, Page},
    live::Live,
    shell::PageResponse,
    ui::{AddButton, Empty, Glyph, Icon, Loading, Notice, PageHead, Switch, Title, Toasts, copy_pressed, copy_short, dom, sort_head},
};

#[component]
pub(super) fn Machines() -> impl IntoView {
    let session = expect_context::<Session>();
    let api = expect_context::<Api>();
    let query = use_query_map();
    let view = Memo::new(move |_| View::of(&query.read()));
    let mine = query.with_untracked(is_mine_by_choice);
    if mine {
        lead_to_mine();
    }
    let rows = RwSignal::new(chosen_rows());
    // the first page only: what is asked for afterwards does not put the whole page back into its loading state
    let first = Resource::new(
        || (),
        move |()| {
            let (api, mut view) = (api.clone(), view.get_untracked());
            // the address is about to say so
            view.mine |= mine;
            // as drawn by the server, whatever is remembered until the browser takes over
            let drawn = seen_first();
            async move {
                let page = match search::fault(&view) {
                    // the field says what is wrong
                    Some(_) => Page { items: Vec::new(), total: 0 },
                    None => api.machines_page(&view.asked(rows.get_untracked())).await?,
                };
                Ok((page, drawn))
            }
        },
    );
    view! {
        <Title text="Machines"/>
        <div class="flex flex-1 flex-col p-4">
            <Suspense fallback=Loading>
                {move || Suspend::new(async move {
                    match session.with(first).await {
                        Ok((me, (first, drawn))) => view! { <List me first drawn view rows/> }.into_any(),
                        Err(error) => view! { <Failed error title="Machines" retry=move |()| first.refetch()/> }.into_any(),
                    }
                })}
            </Suspense>
        </div>
    }
}

/// The address says what is shown.
fn lead_to_mine() {
    let address = View { mine: true, ..View::default() }.address();
    if let Some(response) = use_context::<PageResponse>() {
        response.redirect(&address);
    }
    let navigate = use_navigate();
    Effect::new(move |_| navigate(&address, NavigateOptions { replace: true, ..NavigateOptions::default() }));
}

#[component]
fn List(me: Me, first: Page<Machine>, drawn: usize, view: Memo<View>, rows: RwSignal<usize>) -> impl IntoView {
    let listing = Listing::new(first, view.get_untracked(), rows.get_untracked(), drawn);
    let live = expect_context::<Live>();
    listing.follow(live);
    let go = Go::new(view);
    Effect::new(move |before: Option<(View, usize)>| {
        let now = (view.get(), rows.get());
        if before.is_some_and(|before| before != now) && search::fault(&now.0).is_none() {
            listing.show(now.0.clone(), now.1);
        }
        now
    });
    // a page beyond the last one: machines have gone, or the address was written by hand
    Effect::new(move |_| {
        let beyond = listing.rows.with(Vec::is_empty) && listing.total.get() > 0;
        let (shown, rows) = listing.shown.get();
        if beyond && shown.page > 0 && shown == view.get_untracked() {
            go.replace(shown.on_page(pages(listing.total.get_untracked(), rows) - 1));
        }
    });
    let selection = Selection::new();
    live.listen(move |event| selection.hear(event));
    let shared = Shared {
        me: StoredValue::new(me.username.clone()),
        listing,
        selection,
        menu: PowerMenu::new(),
        current: RwSignal::new(None),
        live,
    };
    let bulk = Bulk::new(listing, selection, me.clone());
    let columns = RwSignal::new(Columns::chosen());
    let querying = RwSignal::new(view.with_untracked(|view| !view.q.is_empty()));
    let (adding, reserving, help) = (RwSignal::new(false), RwSignal::new(false), RwSignal::new(false));
    Effect::new(move |_| keys::listen(shared, help));
    let admin = me.admin;
    // the original's link from a MAC nobody knows
    let macs = RwSignal::new(String::new());
    let query = use_query_map();
    Effect::new(move |_| {
        let Some(mac) = query.read().get("addWithMac").filter(|_| admin) else { return };
        macs.set(mac);
        adding.set(true);
        go.tidy();
    });
    Effect::new(move |before: Option<bool>| {
        let now = adding.get();
        if before == Some(true) && !now {
            macs.set(String::new());
        }
        now
    });
    keep_place(shared);
    let empty = move || listing.rows.with(Vec::is_empty) && listing.total.get() == 0;
    view! {
        <PageHead title="Machines">
            <button type="button" class="btn btn-ghost btn-sm btn-square max-md:hidden" aria-label="Keyboard shortcuts" title="Keyboard shortcuts (?)" on:click=move |_| help.set(true)>
                <Glyph icon=Icon::Keyboard/>
            </button>
            <button type="button" class="btn btn-sm" on:click=move |_| reserving.set(true) data-testid="reserve-machine">"Reserve one"</button>
            {admin.then(|| view! { <AddButton label="Add machine" open=adding testid="add-machine"/> })}
        </PageHead>
        <div class="mb-3 flex flex-wrap items-center gap-2">
            <Search view go querying/>
            <FilterMenu view/>
            <Switch
                id="only-mine"
                label="Only my machines"
                class="px-1"
                checked=Signal::derive(move || view.with(|view| view.mine))
                change=move |mine| {
                    keep_mine(mine);
                    go.to(view.get_untracked().changed(|view| view.mine = mine));
                }
            />
            <span class="flex-1"></span>
            <ColumnMenu columns/>
        </div>
        <QueryLine view go querying/>
        <div role="alert" class="empty:hidden">
            <Show when=move || listing.fault.with(Option::is_some)>
                <Notice tone="alert-error">
                    <span data-testid="list-error">{move || listing.fault.get()}</span>
                    <button type="button" class="btn btn-xs ml-2" on:click=move |_| listing.try_again()>"Try again"</button>
                </Notice>
            </Show>
        </div>
        <Table shared columns view go/>
        <Show when=empty>
            <Show
                when=move || view.with(View::is_filtered)
                fallback=move || {
                    view! {
                        <Empty title="No machines yet">
                            {if admin {
                                "Add the first one: its architecture, the BMC that switches it, and the MAC address it boots from."
                            } else {
                                "An administrator adds the lab's machines."
                            }}
                        </Empty>
                    }
                }
            >
                <Show
                    when=move || listing.is_unasked()
                    fallback=|| view! { <Empty title="No machine matches"><a class="link" href=ALL>"Show all"</a></Empty> }
                >
                    <Empty title="The query is not understood">
                        "No machine was looked for. Correct the query above, or " <a class="link" href=ALL>"show all"</a> "."
                    </Empty>
                </Show>
            </Show>
        </Show>
        <span class="flex-1"></span>
        <div class="bg-base-100 sticky bottom-0 z-20 -mx-4 -mb-4 px-4 py-2" data-testid="foot">
            <BulkBar bulk/>
            <Pager listing view rows go/>
        </div>
        {shared.menu.view()}
        <BulkDialogs bulk/>
        <KeyHelp open=help/>
        <ReserveDialog open=reserving view/>
        {admin.then(|| view! { <NewMachineDialog open=adding macs/> })}
    }
}

/// All machines, whatever is remembered.
const ALL: &str = "/machines?mine=0";

/// Who comes back from a machine finds the list as it was left: as far down, with the same row for the keys, and what was ticked.
fn keep_place(shared: Shared) {
    let Shared { listing, selection, current, .. } = shared;
    Effect::new(move |before: Option<()>| {
        let address = listing.shown.with(|(view, _)| view.address());
        if before.is_none()
            && let Some(mark) = dom::place_back(&address)
        {
            listing.draw_all();
            let (row, ticked) = left(&mark);
            current.set(row);
            selection.bring_back(listing, ticked);
        }
        dom::note_place(&address, &mark(current.get(), &selection.left()));
    });
}

/// How the list was left, as a text.
fn mark(row: Option<i64>, ticked: &[i64]) -> String {
    let ids: Vec<String> = std::iter::once(row.unwrap_or_default()).chain(ticked.iter().copied()).map(|id| id.to_string()).collect();
    ids.join(",")
}

fn left(mark: &str) -> (Option<i64>, BTreeSet<i64>) {
    let mut ids = mark.split(',').map(|id| id.parse().unwrap_or_default());
    (ids.next().filter(|id| *id != 0), ids.filter(|id| *id != 0).collect())
}

#[component]
fn Table(shared: Shared, columns: RwSignal<Columns>, view: Memo<View>, go: Go) -> impl IntoView {
    let Shared { listing, selection, current, .. } = shared;
    let on_page = move || listing.rows.with(|rows| rows.iter().filter(|row| selection.has(row.id)).count());
    let all = move || on_page() > 0 && on_page() == listing.rows.with(Vec::len);
    let some = move || on_page() > 0 && !all();
    let toasts = expect_context::<Toasts>();
    let follow = move |event: &web_sys::Event| {
        let row = event_target::<web_sys::Element>(event).closest("tr").ok().flatten();
        if let Some(id) = row.and_then(|row| row.get_attribute("data-id")?.parse().ok()) {
            current.set(Some(id));
        }
    };
    let copy = move |event: leptos::ev::MouseEvent| {
        if let Some(text) = copy_pressed(&event) {
            follow(&event);
            copy_short(toasts, &text, "");
        }
    };
    // the focus stays where it is: it would be lost with the button when the row's cells are drawn anew
    let keep_focus = move |event: leptos::ev::MouseEvent| {
        if copy_pressed(&event).is_some() {
            event.prevent_default();
        }
    };
    Effect::new(move |_| {
        if let Some(area) = listing.table.get() {
            dom::stick_head(&area);
            listing.complete(area);
        }
    });
    view! {
        <div
            node_ref=listing.table
            class="rounded-box border-base-300 overflow-x-auto border transition-opacity data-fits:overflow-x-clip"
            class=("opacity-60", move || listing.slow.get())
            class:hidden=move || listing.rows.with(Vec::is_empty)
            aria-busy=move || listing.is_busy().to_string()
        >
            <table class="table-sm table max-md:[&_:is(td,th)]:px-1 [&_:is(td,th)]:py-1" data-testid="machines">
                <caption class="sr-only">"Machines of the lab"</caption>
                // below the bar of all pages; a box that scrolls would put it as far below its own edge, over the rows
                <thead class="bg-base-200 z-10 in-data-fits:sticky in-data-fits:top-12">
                    <tr>
                        <td class="w-0 pr-0">
                            <input
                                type="checkbox"
                                class="checkbox checkbox-xs align-middle"
                                aria-label="Select all machines of this page"
                                data-testid="tick-all"
                                prop:checked=all
                                prop:indeterminate=some
                                on:change=move |event| selection.set(listing, &listing.ids(), event_target_checked(&event))
                            />
                        </td>
                        {move || {
                            let columns = columns.get();
                            Column::ALL
                                .into_iter()
                                .filter(|column| columns.has(*column))
                                .map(|column| {
                                    // of the rows that are shown: with their own, nothing else is to be painted
                                    let direction = move || listing.shown.with(|(shown, _)| shown.sort.direction_of(column));
                                    let click = move || go.to(view.get_untracked().changed(|view| view.sort = view.sort.clicked(column)));
                                    sort_head(column.label(), columns.class(column), direction, click)
                                })
                                .collect_view()
                        }}
                        <th scope="col"><span class="sr-only">"Actions"</span></th>
                    </tr>
                </thead>
                <tbody on:focusin=move |event| follow(&event) on:mousedown=keep_focus on:click=copy>
                    // other columns: other rows
                    <For
                        each=move || {
                            let columns = columns.get();
                            listing.drawn().into_iter().map(move |row| (row, columns))
                        }
                        key=|(row, columns)| (row.id, *columns)
                        let((row, columns))
                    >
                        {row_view(&row, columns, shared)}
                    </For>
                </tbody>
            </table>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_the_list_was_left_survives_as_a_text() {
        for (row, ticked) in [(None, vec![]), (Some(7), vec![]), (None, vec![3, 9]), (Some(3), vec![3])] {
            assert_eq!(left(&mark(row, &ticked)), (row, ticked.into_iter().collect()));
        }
        assert_eq!(left(""), (None, BTreeSet::new()));
    }
}
