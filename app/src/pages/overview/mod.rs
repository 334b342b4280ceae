//! What the lab is doing now.

mod board;

use leptos::prelude::*;

use self::board::{Board, Loaded, load};
use super::{
    health::{HealthBadge, HealthNote},
    machine::sentence,
    records::loaded,
};
use crate::{
    api::Instant,
    ui::{Donut, Empty, PageHead, Panel, Slice, Time, Zone, format::counted},
};

/// Rows of a list before the rest is only counted.
const ROWS: usize = 12;
/// Machines named beside their holder.
const NAMES: usize = 10;

#[component]
pub(super) fn Overview() -> impl IntoView {
    loaded("Overview", load, |_, loaded| view! { <View loaded/> }.into_any())
}

#[component]
fn View(loaded: Loaded) -> impl IntoView {
    let zone = expect_context::<Zone>();
    let board = Board::new(loaded);
    board.follow();
    let states = slices(
        Memo::new(move |_| board.by_state()),
        [
            ("Provisioning", "text-info", "provisioning"),
            ("Ready", "text-success", "ready"),
            ("Failed", "text-error", "error"),
            ("No state", "text-base-content/40", "unknown"),
        ],
    );
    let powers = slices(
        Memo::new(move |_| board.by_power()),
        [
            ("On", "text-success", "on"),
            ("Off", "text-base-content/75", "off"),
            ("BMC error", "text-error", "error"),
            ("Unknown", "text-base-content/40", "unknown"),
        ],
    );
    let none = Memo::new(move |_| board.machines.with(std::collections::BTreeMap::is_empty));
    view! {
        <PageHead title="Overview">
            <span class="text-sm opacity-80">{move || format!("Follows the lab by itself. Times in {}.", zone.name())}</span>
        </PageHead>
        <Show
            when=move || !none.get()
            fallback=|| view! { <Empty title="No machines yet">"What they do is shown here once there are some. "<a class="link" href="/machines">"Machines"</a></Empty> }
        >
            <div class="grid grid-cols-1 items-start gap-4 lg:grid-cols-2 min-[2200px]:grid-cols-3">
                <Panel id="by-state" title="Machines by state" actions=|| all("/machines?sort=state", "All machines by state")>
                    <Donut caption="Machines by state" slices=states testid="by-state"/>
                </Panel>
                <Panel id="by-power" title="Machines by power" actions=|| all("/machines?sort=power", "All machines by power")>
                    <Donut caption="Machines by power" slices=powers testid="by-power"/>
                </Panel>
                <Panel id="running" title="Running provisions">
                    <Running board/>
                </Panel>
                <Panel id="sick" title="BMCs out of order" actions=|| all("/bmcs", "All BMCs")>
                    <Sick board/>
                </Panel>
                <Panel id="failures" title="Failures of the last day">
                    <Failures board/>
                </Panel>
                <Panel id="holders" title="Who holds what" actions=|| all("/machines?sort=assignees", "All machines by assignee")>
                    <Holders board/>
                </Panel>
            </div>
        </Show>
    }
}

fn all(path: &'static str, label: &'static str) -> AnyView {
    view! { <a class="link link-hover text-xs" href=path aria-label=label>"All"</a> }.into_any()
}

fn slices(counts: Memo<[usize; 4]>, kinds: [(&'static str, &'static str, &'static str); 4]) -> Signal<Vec<Slice>> {
    Signal::derive(move || {
        let kinds = kinds.into_iter().zip(counts.get());
        kinds.map(|((label, colour, word), count)| Slice { label, count, colour, word }).collect()
    })
}

/// A list's end that is only counted.
fn rest(left: usize, one: &'static str, many: &'static str) -> Option<AnyView> {
    (left > 0).then(|| view! { <p class="pt-2 text-sm opacity-80">{format!("and {} more", counted(left, one, many))}</p> }.into_any())
}

fn nothing(text: &'static str) -> AnyView {
    view! { <p class="py-2 text-sm opacity-80" data-testid="nothing">{text}</p> }.into_any()
}

fn machine_link(id: i64, name: String) -> AnyView {
    view! { <a class="link link-hover text-primary font-medium" href=format!("/machines/{id}")>{name}</a> }.into_any()
}

fn time(at: &Instant) -> AnyView {
    view! { <Time at=at.clone() short=true class="shrink-0 font-mono text-xs leading-5 opacity-80"/> }.into_any()
}

#[component]
fn Running(board: Board) -> impl IntoView {
    let zone = expect_context::<Zone>();
    let running = Memo::new(move |_| board.running());
    view! {
        <Show when=move || !running.with(Vec::is_empty) fallback=|| nothing("Nothing is being provisioned.")>
            <ul class="flex flex-col gap-3" data-testid="running">
                <For each=move || running.get().into_iter().take(ROWS) key=Clone::clone let((id, name))>
                    {
                        let step = Memo::new(move |_| board.step(id));
                        view! {
                            <li class="text-sm" data-machine=name.clone()>
                                <p class="flex flex-wrap items-baseline gap-x-2">
                                    {machine_link(id, name.clone())}
                                    {move || step.with(|step| step.since.as_ref().map(|since| view! { <span class="opacity-80">"since "{time(since)}</span> }))}
                                    <a class="link link-hover text-xs" href=format!("/machines/{id}/console") aria-label=format!("Console of {name}")>"Console"</a>
                                </p>
                                <p class="break-words opacity-80" data-testid="step">
                                    {move || step.with(|step| match &step.last {
                                        Some(event) => format!("{}: {}", zone.clock(&event.date), sentence(event).text),
                                        None => "Waiting for its first request.".to_owned(),
                                    })}
                                </p>
                            </li>
                        }
                    }
                </For>
            </ul>
            {move || rest(running.with(Vec::len).saturating_sub(ROWS), "machine", "machines")}
        </Show>
    }
}

#[component]
fn Sick(board: Board) -> impl IntoView {
    let sick = Memo::new(move |_| board.sick());
    let count = Memo::new(move |_| board.bmcs.with(std::collections::BTreeMap::len));
    let none = move || {
        match count.get() {
        0 => nothing("There are no BMCs."),
        1 => nothing("The one BMC is well, as far as it was asked."),
        count => view! { <p class="py-2 text-sm opacity-80" data-testid="nothing">{format!("All {count} BMCs are well, as far as they were asked.")}</p> }.into_any(),
    }
    };
    view! {
        <Show when=move || !sick.with(Vec::is_empty) fallback=none>
            <ul class="flex flex-col gap-3" data-testid="sick">
                <For each=move || sick.get().into_iter().take(ROWS) key=|sick| serde_json::to_string(sick).unwrap_or_default() let((bmc, machines))>
                    <li class="text-sm" data-bmc=bmc.name.clone()>
                        <p class="flex flex-wrap items-baseline gap-x-2">
                            <span class="font-medium">{bmc.name.clone()}</span>
                            <HealthBadge health=Signal::stored(bmc.health.clone())/>
                        </p>
                        <HealthNote health=Signal::stored(bmc.health)/>
                        <p class="flex flex-wrap gap-x-2 text-xs">{machines.into_iter().take(NAMES).map(|(id, name)| machine_link(id, name)).collect_view()}</p>
                    </li>
                </For>
            </ul>
            {move || rest(sick.with(Vec::len).saturating_sub(ROWS), "BMC", "BMCs")}
        </Show>
    }
}

#[component]
fn Failures(board: Board) -> impl IntoView {
    let failures = board.failures;
    view! {
        // additions are read out; the list as a whole is not
        <ol class="flex flex-col gap-2" aria-live="polite" aria-relevant="additions" data-testid="failures">
            <For each=move || failures.get().into_iter().take(ROWS) key=|event| event.id let:event>
                {
                    let said = sentence(&event);
                    let id = event.machine_id;
                    let name = board.name(id).unwrap_or_else(|| format!("machine {id}"));
                    view! {
                        <li class="flex flex-wrap gap-x-3 text-sm" data-event=event.what.name()>
                            {time(&event.date)}
                            <div class="min-w-0 flex-1 basis-48">
                                {machine_link(id, name)}
                                <p class="break-words">{said.text}</p>
                                {said.detail.map(|detail| view! { <p class="font-mono text-xs break-all opacity-80">{detail}</p> })}
                            </div>
                        </li>
                    }
                }
            </For>
        </ol>
        <Show when=move || failures.with(Vec::is_empty)>{nothing("None.")}</Show>
        {move || rest(failures.with(Vec::len).saturating_sub(ROWS), "failure", "failures")}
        {board
            .more
            .get_value()
            .then(|| view! { <p class="pt-3 text-xs opacity-80">"So much happened that only the newest were looked through. A machine's page tells the rest of its own."</p> })}
    }
}

#[component]
fn Holders(board: Board) -> impl IntoView {
    let holders = Memo::new(move |_| board.holders());
    let whole = RwSignal::new(false);
    let shown = move || {
        let most = if whole.get() { usize::MAX } else { ROWS };
        holders.get().into_iter().take(most)
    };
    view! {
        <p class="mb-2 text-sm" data-testid="free">
            {move || match board.free() {
                0 => "No machine is free.".to_owned(),
                1 => "One machine is free.".to_owned(),
                free => format!("{free} machines are free."),
            }}
        </p>
        <Show when=move || !holders.with(Vec::is_empty)>
            <div class="overflow-x-auto">
                <table class="table-sm table" data-testid="holders">
                    <caption class="sr-only">"Who holds which machines"</caption>
                    <thead>
                        <tr>
                            <th scope="col">"User"</th>
                            <th scope="col" class="text-right">"Machines"</th>
                            <th scope="col">"Which"</th>
                        </tr>
                    </thead>
                    <tbody>
                        <For each=shown key=|holder| (holder.user.clone(), holder.machines.clone()) let:holder>
                            {
                                let count = holder.machines.len();
                                view! {
                                    <tr data-user=holder.user.clone()>
                                        <th scope="row" class="font-medium">{holder.user.clone()}</th>
                                        <td class="text-right font-semibold">{count}</td>
                                        <td>
                                            <span class="flex flex-wrap gap-x-3">
                                                {holder
                                                    .machines
                                                    .into_iter()
                                                    .take(NAMES)
                                                    .map(|(id, name, why)| view! { <span title=why>{machine_link(id, name)}</span> })
                                                    .collect_view()}
                                                {(count > NAMES).then(|| view! { <span class="opacity-80">{format!("and {} more", count - NAMES)}</span> })}
                                            </span>
                                        </td>
                                    </tr>
                                }
                            }
                        </For>
                    </tbody>
                </table>
            </div>
            <Show when=move || { !whole.get() && holders.with(Vec::len) > ROWS }>
                <button type="button" class="btn btn-sm btn-ghost mt-2 w-full" on:click=move |_| whole.set(true)>
                    {move || format!("Show all {} users", holders.with(Vec::len))}
                </button>
            </Show>
        </Show>
    }
}
