//! The list of machines: the page that stays open all day.

mod new;
mod rows;

use std::{collections::BTreeSet, sync::Arc};

use leptos::{html, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

pub(super) use self::new::Form as NewMachineForm;
use self::{
    new::NewMachineDialog,
    rows::{Column, Row, Rows, view_query},
};
use super::{
    follow::{Listing, follow},
    health::HealthBadge,
    power::{Commander, PowerBadge, StateBadge, command, icon},
    session::{Failed, Session},
};
use crate::{
    api::{self, Api, Me, PowerAction},
    live::{Live, Power},
    ui::{AddButton, Empty, FilterBox, Glyph, Icon, Loading, PageHead, Sort, SortHead, dom, format::counted},
};

#[component]
pub(super) fn Machines() -> impl IntoView {
    let session = expect_context::<Session>();
    let api = expect_context::<Api>();
    let machines = Resource::new(
        || (),
        move |()| {
            let api = api.clone();
            async move { api.machines(true).await }
        },
    );
    view! {
        <Title text="Machines"/>
        <div class="p-4">
            <Suspense fallback=Loading>
                {move || Suspend::new(async move {
                    match session.with(machines).await {
                        Ok((me, machines)) => view! { <List me machines/> }.into_any(),
                        Err(error) => view! { <Failed error retry=move |()| machines.refetch()/> }.into_any(),
                    }
                })}
            </Suspense>
        </div>
    }
}

#[component]
fn List(me: Me, machines: Vec<api::Machine>) -> impl IntoView {
    let query = use_query_map().get_untracked();
    let filter = RwSignal::new(query.get("q").unwrap_or_default());
    let only_mine = RwSignal::new(query.get("mine").is_some());
    let sort = RwSignal::new(Sort {
        column: query.get_str("sort").and_then(Column::parse).unwrap_or(Column::Name),
        descending: query.get("desc").is_some(),
    });
    let rows = Rows::new(machines, expect_context::<Live>());
    follow(Arc::new(rows));
    let username = me.username.clone();
    let shown = Memo::new(move |_| rows.shown(&filter.read(), only_mine.get().then_some(username.as_str()), sort.get()));
    // the address keeps the view; the first run is the view that the address asked for
    Effect::new(move |before: Option<String>| {
        let query = view_query(&filter.read(), only_mine.get(), sort.get());
        if before.is_some_and(|before| before != query) {
            dom::replace_query(&query);
        }
        query
    });
    let adding = RwSignal::new(false);
    let admin = me.admin;
    let total = move || rows.count();
    view! {
        <PageHead title="Machines">
            {admin.then(|| view! { <AddButton label="Add machine" open=adding testid="add-machine"/> })}
        </PageHead>
        <div class="mb-3 flex flex-wrap items-center gap-x-4 gap-y-2">
            <FilterBox value=filter label="Filter machines by anything in their row"/>
            <label class="flex cursor-pointer items-center gap-2 text-sm">
                <input
                    type="checkbox"
                    class="toggle toggle-sm toggle-primary"
                    data-testid="only-mine"
                    checked=only_mine.get_untracked()
                    prop:checked=move || only_mine.get()
                    on:change=move |event| only_mine.set(event_target_checked(&event))
                />
                "Only my machines"
            </label>
            <span class="text-sm opacity-80" role="status" data-testid="machine-count">
                {move || {
                    let (shown, total) = (shown.with(Vec::len), total());
                    if shown == total { counted(total, "machine", "machines") } else { format!("{shown} of {}", counted(total, "machine", "machines")) }
                }}
            </span>
        </div>
        <Show
            when=move || { total() > 0 }
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
            <Table me=me.clone() shown sort/>
            <Show when=move || shown.with(Vec::is_empty)>
                <Empty title="No machine matches">
                    <button type="button" class="link" on:click=move |_| { filter.set(String::new()); only_mine.set(false); }>"Show all"</button>
                </Empty>
            </Show>
        </Show>
        {admin.then(|| view! { <NewMachineDialog open=adding/> })}
    }
}

#[component]
fn Table(me: Me, shown: Memo<Vec<Arc<Row>>>, sort: RwSignal<Sort<Column>>) -> impl IntoView {
    let commander = Commander::new();
    // one menu for all rows: a thousand closed ones would be most of the page
    let menu = NodeRef::<html::Div>::new();
    let target = RwSignal::new(None::<Target>);
    let open_menu = Callback::new(move |(event, chosen): MenuRequest| {
        target.set(Some(chosen));
        if let Some(menu) = menu.get_untracked() {
            dom::open_menu(&menu, &event_target::<web_sys::Element>(&event));
        }
    });
    let choose = move |action| {
        if let Some(menu) = menu.get_untracked() {
            dom::close_menu(&menu);
        }
        if let Some(Target { id, name, .. }) = target.get_untracked() {
            commander.send(id, name, action);
        }
    };
    let me = StoredValue::new(me.username);
    view! {
        <div class="rounded-box border-base-300 overflow-x-auto border">
            <table class="table-sm table [&_:is(td,th)]:py-1" data-testid="machines">
                <caption class="sr-only">"Machines of the lab"</caption>
                <thead class="bg-base-200">
                    <tr>
                        <SortHead label="Name" column=Column::Name sort/>
                        <SortHead label="State" column=Column::State sort/>
                        <SortHead label="Power" column=Column::Power sort/>
                        <SortHead label="Architecture" column=Column::Arch sort class="max-md:hidden"/>
                        <SortHead label="BMC" column=Column::Bmc sort class="max-md:hidden"/>
                        <SortHead label="MAC addresses" column=Column::Mac sort class="max-md:hidden"/>
                        <SortHead label="Netboot" column=Column::Netboot sort class="max-md:hidden"/>
                        <SortHead label="Assignees" column=Column::Assignee sort class="max-md:hidden"/>
                        <th scope="col"><span class="sr-only">"Actions"</span></th>
                    </tr>
                </thead>
                <tbody>
                    <For each=move || shown.get() key=|row| (row.machine.id, row.revision) let:row>
                        {row_view(&row, me, commander, open_menu)}
                    </For>
                </tbody>
            </table>
        </div>
        <div
            node_ref=menu
            popover="auto"
            role="group"
            aria-label="Power"
            class="rounded-box border-base-300 bg-base-100 text-base-content fixed inset-auto m-0 w-max min-w-44 max-w-60 border p-1 shadow-lg"
            data-testid="power-menu"
        >
            <p class="px-2 py-1 text-xs font-semibold opacity-80">{move || target.get().map(|target| target.name)}</p>
            {[PowerAction::On, PowerAction::Off, PowerAction::Reboot, PowerAction::PxeReboot]
                .map(|action| {
                    let (label, title) = command(action);
                    view! {
                        <button
                            type="button"
                            class="btn btn-ghost btn-sm w-full justify-start font-normal"
                            title=title
                            data-testid=format!("power-{}", action.word())
                            on:click=move |_| choose(action)
                        >
                            <Glyph icon=icon(action)/>
                            {label}
                        </button>
                    }
                })
                .collect_view()}
            <Show when=move || target.with(|target| target.as_ref().is_some_and(|target| !target.netboot))>
                <p class="text-warning px-2 py-1 text-xs">"Netboot is off: after a PXE boot the machine is told to boot from its disk."</p>
            </Show>
        </div>
    }
}

/// The machine whose menu is open.
#[derive(Clone)]
struct Target {
    id: i64,
    name: String,
    netboot: bool,
}

/// A click on a row's power button.
type MenuRequest = (leptos::ev::MouseEvent, Target);

fn row_view(row: &Row, me: StoredValue<String>, commander: Commander, open_menu: Callback<MenuRequest>) -> impl IntoView + use<> {
    let machine = &row.machine;
    let live = expect_context::<Live>();
    let id = machine.id;
    let power = live.power(id, Power::of(machine));
    let state = live.state(id, machine.state);
    let health = machine.bmc_id.map(|bmc| live.health(bmc, machine.bmc_health.clone().unwrap_or_default()));
    let mine = me.with_value(|me| machine.assignees.iter().any(|assignee| assignee.user == *me));
    let assignees: Vec<String> = machine
        .assignees
        .iter()
        .map(|assignee| if assignee.reason.is_empty() { assignee.user.clone() } else { format!("{} ({})", assignee.user, assignee.reason) })
        .collect();
    let commandable = machine.may_change && machine.bmc_id.is_some();
    let name = machine.name.clone();
    let menu_name = name.clone();
    let netboot = machine.netboot_enabled;
    let pending = commander.pending();
    view! {
        <tr class="hover:bg-base-200" data-testid="machine-row" data-machine=name.clone()>
            <th scope="row" class="font-medium whitespace-nowrap">
                <a class="link link-hover text-primary" href=format!("/machines/{id}")>{name.clone()}</a>
            </th>
            <td><StateBadge state/></td>
            <td><PowerBadge power/></td>
            <td class="whitespace-nowrap max-md:hidden">
                {machine.arch.clone()}
                {machine.subarch.clone().map(|subarch| view! { <span class="opacity-80">{format!(" / {subarch}")}</span> })}
            </td>
            <td class="whitespace-nowrap max-md:hidden">
                {machine.bmc.clone().unwrap_or_else(|| "–".into())}
                {health.map(|health| view! { " "<HealthBadge health only_faults=true/> })}
            </td>
            <td class="font-mono text-xs whitespace-pre max-md:hidden">{machine.macs.join("\n")}</td>
            <td class="max-md:hidden" data-netboot=if machine.netboot_enabled { "on" } else { "off" }>
                {if machine.netboot_enabled { "On" } else { "Off" }}
            </td>
            <td class=if mine { "font-medium whitespace-pre max-md:hidden" } else { "whitespace-pre max-md:hidden" }>{assignees.join("\n")}</td>
            <td class="w-0 text-right whitespace-nowrap">
                <a
                    class="btn btn-ghost btn-xs btn-square"
                    href=format!("/machines/{id}/console")
                    aria-label=format!("Console of {name}")
                    title="Console"
                >
                    <Glyph icon=Icon::Terminal/>
                </a>
                {commandable
                    .then(|| {
                        let label = format!("Power of {menu_name}");
                        view! {
                            <button
                                type="button"
                                class="btn btn-ghost btn-xs btn-square"
                                aria-label=label
                                aria-haspopup="true"
                                title="Power"
                                data-testid="row-power"
                                disabled=move || pending.get().is_some_and(|(busy, _)| busy == id)
                                on:click=move |event| open_menu.run((event, Target { id, name: menu_name.clone(), netboot }))
                            >
                                <Glyph icon=Icon::Power class="size-4 pointer-events-none"/>
                            </button>
                        }
                    })}
            </td>
        </tr>
    }
}

impl Listing for Rows {
    fn put(&self, machine: api::Machine) {
        Rows::put(*self, machine);
    }

    fn replace(&self, machines: Vec<api::Machine>) {
        Rows::replace(*self, machines);
    }

    fn remove(&self, id: i64) {
        Rows::remove(*self, id);
    }

    fn holds_exactly(&self, ids: &BTreeSet<i64>) -> bool {
        Rows::holds_exactly(*self, ids)
    }
}
