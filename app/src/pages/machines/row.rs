//! A machine's row.

use std::sync::Arc;

use leptos::prelude::*;

use super::{
    columns::{Column, Columns},
    listing::{Listing, Row},
    power_menu::{PowerMenu, Target},
    selection::Selection,
};
use crate::{
    api::Machine,
    live::{Live, Power},
    pages::{
        health::HealthBadge,
        power::{PowerBadge, StateBadge},
    },
    ui::{Glyph, Icon, Time, copyable},
};

/// What can be copied, in words.
pub(super) const MAC: &str = "MAC address";
pub(super) const IP: &str = "IP address";

/// What all rows share.
#[derive(Clone, Copy)]
pub(super) struct Shared {
    pub(super) me: StoredValue<String>,
    pub(super) listing: Listing,
    pub(super) selection: Selection,
    pub(super) menu: PowerMenu,
    /// The row that keys are about.
    pub(super) current: RwSignal<Option<i64>>,
    pub(super) live: Live,
}

pub(super) fn row_view(row: &Arc<Row>, columns: Columns, shared: Shared) -> impl IntoView + use<> {
    let Shared { listing, selection, menu, current, live, .. } = shared;
    let id = row.id;
    let machine = row.machine.clone();
    let name = {
        let machine = machine.clone();
        Signal::derive(move || machine.with(|machine| machine.name.clone()))
    };
    let power = {
        let machine = machine.clone();
        live.power(id, move || machine.with(Power::of))
    };
    let state = {
        let machine = machine.clone();
        live.state(id, move || machine.with(|machine| machine.state))
    };
    let commandable = {
        let machine = machine.clone();
        Signal::derive(move || machine.with(is_commandable))
    };
    let pending = menu.commander.pending();
    let tick = move |event: leptos::ev::MouseEvent| selection.tick(listing, id, event_target_checked(&event), event.shift_key());
    let open_menu = {
        let machine = machine.clone();
        move |event: leptos::ev::MouseEvent| menu.open(target(&machine.get_untracked(), live), &event_target(&event))
    };
    view! {
        <tr
            class="hover:bg-base-200 focus-within:bg-primary/10"
            class=("bg-base-200", move || selection.has(id))
            data-testid="machine-row"
            data-id=id.to_string()
            data-machine=move || name.get()
            aria-current=move || (current.get() == Some(id)).then_some("true")
        >
            <td class="w-0 pr-0">
                <input
                    type="checkbox"
                    class="checkbox checkbox-xs align-middle"
                    aria-label=move || format!("Select {}", name.get())
                    data-testid="tick"
                    prop:checked=move || selection.has(id)
                    on:click=tick
                />
            </td>
            // a name may have 256 letters: the other columns are to be seen too
            <th scope="row" class="font-medium whitespace-nowrap">
                <a class="link link-hover text-primary block w-fit max-w-72 truncate max-md:max-w-40" href=format!("/machines/{id}") title=move || name.get() data-testid="open">{move || name.get()}</a>
            </th>
            {columns.has(Column::State).then(|| view! { <td><StateBadge state/></td> })}
            {columns.has(Column::Power).then(|| view! { <td><PowerBadge power/></td> })}
            {move || machine.with(|machine| cells(machine, columns, shared))}
            <td class="w-0 text-right whitespace-nowrap">
                // as wide without them
                <Show when=move || commandable.get() fallback=|| view! { <span class="inline-block w-12"></span> }>
                    <a
                        class="btn btn-ghost btn-xs btn-square"
                        href=format!("/machines/{id}/console")
                        aria-label=move || format!("Console of {}", name.get())
                        title="Console"
                        data-testid="row-console"
                    >
                        <Glyph icon=Icon::Terminal/>
                    </a>
                    <button
                        type="button"
                        class="btn btn-ghost btn-xs btn-square"
                        aria-label=move || format!("Power of {}", name.get())
                        aria-haspopup="menu"
                        title="Power"
                        data-testid="row-power"
                        disabled=move || pending.get().is_some_and(|(busy, _)| busy == id)
                        on:click=open_menu.clone()
                    >
                        <Glyph icon=Icon::Power class="size-4 pointer-events-none"/>
                    </button>
                </Show>
            </td>
        </tr>
    }
}

/// Whether there is a console, and power to command.
pub(super) fn is_commandable(machine: &Machine) -> bool {
    machine.may_change && machine.bmc_id.is_some()
}

pub(super) fn target(machine: &Machine, live: Live) -> Target {
    let power = live.newest_power(machine.id).unwrap_or(machine.power);
    Target { id: machine.id, name: machine.name.clone(), netboot: machine.netboot_enabled, power }
}

/// The cells that nothing but the machine's own data changes, drawn anew together: none of them is given the focus.
fn cells(machine: &Machine, columns: Columns, shared: Shared) -> AnyView {
    let mine = shared.me.with_value(|me| machine.assignees.iter().any(|assignee| assignee.user == *me));
    Column::ALL
        .into_iter()
        .filter(|column| columns.has(*column))
        .filter_map(|column| {
            let class = columns.class(column);
            let cell = match column {
                Column::Name | Column::State | Column::Power => return None,
                Column::Arch => {
                    let subarch = machine.subarch.clone().map(|subarch| view! { <span class="opacity-80">{format!(" / {subarch}")}</span> });
                    view! { <td class=format!("whitespace-nowrap {class}")>{machine.arch.clone()}{subarch}</td> }.into_any()
                }
                Column::Bmc => {
                    let loaded = machine.bmc_health.clone().unwrap_or_default();
                    let health = machine.bmc_id.map(|bmc| shared.live.health(bmc, loaded));
                    view! {
                        <td class=format!("whitespace-nowrap {class}")>
                            {machine.bmc.clone().unwrap_or_else(|| "–".into())}
                            {health.map(|health| view! { " "<HealthBadge health only_faults=true/> })}
                        </td>
                    }
                    .into_any()
                }
                Column::Mac => addresses(class, machine.macs.iter().map(String::as_str), MAC),
                Column::Ip => addresses(class, machine.leases.iter().map(|lease| lease.ipv4.as_str()), IP),
                Column::Netboot => {
                    let (word, label) = if machine.netboot_enabled { ("on", "On") } else { ("off", "Off") };
                    view! { <td class=class data-netboot=word>{label}</td> }.into_any()
                }
                Column::Assignees => {
                    let weight = if mine { "font-medium" } else { "" };
                    let whole = assignees(machine);
                    let title = whole.clone();
                    view! {
                        <td class=format!("{weight} max-w-80 min-w-48 {class}")>
                            <span class="line-clamp-2 wrap-anywhere whitespace-pre-line" title=title>{whole}</span>
                        </td>
                    }
                    .into_any()
                }
                Column::Changed => view! { <td class=format!("text-xs whitespace-nowrap {class}")><Time at=machine.updated_at.clone()/></td> }.into_any(),
                Column::Tags => view! {
                    <td class=class>
                        <span class="flex flex-wrap gap-1">
                            {machine.tags.iter().map(|tag| view! { <span class="badge badge-sm badge-ghost">{tag.clone()}</span> }).collect_view()}
                        </span>
                    </td>
                }
                .into_any(),
            };
            Some(cell)
        })
        .collect_view()
        .into_any()
}

fn addresses<'a>(class: &str, addresses: impl Iterator<Item = &'a str>, what: &str) -> AnyView {
    view! { <td class=format!("font-mono text-xs leading-6 whitespace-pre {class}") inner_html=copyable(addresses, what)></td> }.into_any()
}

/// `alice (kernel work)`, one line each.
fn assignees(machine: &Machine) -> String {
    let line = |assignee: &crate::api::MachineAssignee| {
        if assignee.reason.is_empty() { assignee.user.clone() } else { format!("{} ({})", assignee.user, assignee.reason) }
    };
    machine.assignees.iter().map(line).collect::<Vec<_>>().join("\n")
}
