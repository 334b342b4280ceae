//! What the lab is doing now.

use leptos::{html, prelude::*, task::spawn_local};

use super::{
    follow::Newest,
    health::{HealthBadge, HealthNote},
    machine::sentence,
    records::{loaded, rows},
    seldom::Seldom,
    used::found,
};
use crate::{
    api::{
        Api, Failure, HeldMachine, Holder, Instant, MachineState, NamedMachine, Overview as Lab, PowerState, UnwellBmc, query::quoted,
        query_string,
    },
    live::Live,
    ui::{Donut, Empty, PageHead, Panel, Slice, Time, Zone, dom, format::counted},
};

/// Holders that are shown at first.
const ROWS: usize = 12;

/// Counts how often the lab had changed.
#[derive(Clone, Copy)]
struct Changes(RwSignal<u32>);

#[component]
pub(super) fn Overview() -> impl IntoView {
    // from before the first answer: what changes while it is on its way is not in it
    let changes = RwSignal::new(0);
    let seldom = Seldom::new();
    expect_context::<Live>().listen(move |_| seldom.run(move || changes.update(|changes| *changes += 1)));
    provide_context(Changes(changes));
    loaded("Overview", |api| async move { api.overview().await }, |_, lab| view! { <View lab/> }.into_any())
}

/// The newest that is known of the lab: asked for again when it has changed. `area` is where it is shown.
fn followed(lab: Lab, area: NodeRef<html::Div>) -> RwSignal<Lab> {
    let Changes(changes) = expect_context();
    let api = StoredValue::new(expect_context::<Api>());
    let lab = RwSignal::new(lab);
    let newest = Newest::new();
    Effect::new(move |_| {
        if changes.get() == 0 {
            return;
        }
        let Some(question) = newest.ask() else { return };
        let api = api.get_value();
        spawn_local(async move {
            // a failure shows as "connection lost"; the connection after it is a change
            if let Ok(now) = api.overview().await
                && question.is_newest()
            {
                // whoever has more machines than before moves up, and the focus with them
                if let Some(area) = area.try_get_untracked().flatten() {
                    dom::keep_focus(&area);
                }
                lab.try_set(now);
            }
        });
    });
    lab
}

#[component]
fn View(lab: Lab) -> impl IntoView {
    let zone = expect_context::<Zone>();
    let area = NodeRef::<html::Div>::new();
    let lab = followed(lab, area);
    let states = slices(
        ("state", [MachineState::Provisioning, MachineState::Ready, MachineState::Error, MachineState::Unknown].map(MachineState::word)),
        Memo::new(move |_| lab.with(|lab| [lab.states.provisioning, lab.states.ready, lab.states.error, lab.states.unknown])),
        [
            ("Provisioning", "text-info", "provisioning"),
            ("Ready", "text-success", "ready"),
            ("Failed", "text-error", "error"),
            ("No state", "text-base-content/40", "unknown"),
        ],
    );
    let powers = slices(
        ("power", [PowerState::On, PowerState::Off, PowerState::BmcError, PowerState::Unknown].map(PowerState::word)),
        Memo::new(move |_| lab.with(|lab| [lab.powers.on, lab.powers.off, lab.powers.bmc_error, lab.powers.unknown])),
        [
            ("On", "text-success", "on"),
            ("Off", "text-base-content/75", "off"),
            ("BMC error", "text-error", "error"),
            ("Unknown", "text-base-content/40", "unknown"),
        ],
    );
    let none = Memo::new(move |_| lab.with(|lab| lab.machine_count == 0));
    view! {
        <PageHead title="Overview">
            <span class="text-sm opacity-80">{move || format!("Follows the lab by itself. Times in {}.", zone.name())}</span>
        </PageHead>
        <Show
            when=move || !none.get()
            fallback=|| view! { <Empty title="No machines yet">"What they do is shown here once there are some. "<a class="link" href="/machines">"Machines"</a></Empty> }
        >
            <div node_ref=area class="grid grid-cols-1 items-start gap-4 lg:grid-cols-2 min-[137.5rem]:grid-cols-3">
                <Panel id="by-state" title="Machines by state" actions=|| all("/machines?sort=state", "All machines by state")>
                    <Donut caption="Machines by state" slices=states testid="by-state"/>
                </Panel>
                <Panel id="by-power" title="Machines by power" actions=|| all("/machines?sort=power", "All machines by power")>
                    <Donut caption="Machines by power" slices=powers testid="by-power"/>
                </Panel>
                <Panel id="running" title="Running provisions">
                    <Running lab/>
                </Panel>
                <Panel id="sick" title="BMCs out of order" actions=|| all("/bmcs", "All BMCs")>
                    <Sick lab/>
                </Panel>
                <Panel id="failures" title="Failures of the last day">
                    <Failures lab/>
                </Panel>
                <Panel id="holders" title="Who holds what" actions=|| all("/machines?sort=assignees", "All machines by assignee")>
                    <Holders lab/>
                </Panel>
            </div>
        </Show>
    }
}

fn all(path: &'static str, label: &'static str) -> AnyView {
    view! { <a class="link link-hover text-xs" href=path aria-label=label>"All"</a> }.into_any()
}

/// Each leads to its machines: by the symbol that queries know the kinds by, and its value for each.
fn slices(
    (symbol, values): (&'static str, [&'static str; 4]),
    counts: Memo<[usize; 4]>,
    kinds: [(&'static str, &'static str, &'static str); 4],
) -> Signal<Vec<Slice>> {
    Signal::derive(move || {
        let kinds = kinds.into_iter().zip(counts.get()).zip(values);
        kinds
            .map(|(((label, colour, word), count), value)| {
                let path = those(&format!("(= {symbol} {})", quoted(value)));
                Slice { label, count, colour, word, path }
            })
            .collect()
    })
}

/// The machines that a query finds.
fn those(q: &str) -> String {
    format!("/machines?{}", query_string(std::iter::once(("q", q))))
}

fn held_by(user: &str) -> String {
    those(&format!("(= assignee {})", quoted(user)))
}

/// A list's end that is only counted.
fn rest(left: usize, one: &'static str, many: &'static str, path: Option<String>) -> Option<AnyView> {
    let words = || format!("and {} more", counted(left, one, many));
    let more = || match path {
        Some(path) => view! { <a class="link link-hover" href=path>{words()}</a> }.into_any(),
        None => words().into_any(),
    };
    (left > 0).then(|| view! { <p class="pt-2 text-sm opacity-80">{more()}</p> }.into_any())
}

/// Machines that are not named for lack of room: all of them are at `path`.
fn unnamed(all: usize, named: usize, path: String) -> Option<AnyView> {
    (all > named).then(|| view! { <a class="link link-hover opacity-80" href=path>{format!("and {} more", all - named)}</a> }.into_any())
}

fn nothing(text: &'static str) -> AnyView {
    view! { <p class="py-2 text-sm opacity-80" data-testid="nothing">{text}</p> }.into_any()
}

fn machine_link(id: i64, name: &str) -> AnyView {
    view! { <a class="link link-hover text-primary font-medium" href=format!("/machines/{id}")>{name.to_owned()}</a> }.into_any()
}

fn named(own: Memo<NamedMachine>) -> AnyView {
    let id = own.with_untracked(|own| own.id);
    view! { <a class="link link-hover text-primary font-medium" href=format!("/machines/{id}")>{move || own.with(|own| own.name.clone())}</a> }
        .into_any()
}

fn held(own: Memo<HeldMachine>) -> AnyView {
    let machine = Memo::new(move |_| own.with(|own| NamedMachine { id: own.id, name: own.name.clone() }));
    view! { <span title=move || own.with(|own| own.reason.clone())>{named(machine)}</span> }.into_any()
}

fn time(at: &Instant) -> AnyView {
    view! { <Time at=at.clone() short=true class="shrink-0 font-mono text-xs leading-5 opacity-80"/> }.into_any()
}

#[component]
fn Running(lab: RwSignal<Lab>) -> impl IntoView {
    let zone = expect_context::<Zone>();
    let running = Memo::new(move |_| lab.with(|lab| lab.provisioning.iter().map(|own| own.machine.clone()).collect::<Vec<_>>()));
    view! {
        <Show when=move || !running.with(Vec::is_empty) fallback=|| nothing("Nothing is being provisioned.")>
            <ul class="flex flex-col gap-3" data-testid="running">
                <For each=move || running.get() key=|own| (own.id, own.name.clone()) let(NamedMachine { id, name })>
                    {
                        let own = Memo::new(move |_| lab.with(|lab| lab.provisioning.iter().find(|own| own.machine.id == id).cloned()));
                        let since = move || own.with(|own| own.as_ref().and_then(|own| own.since.clone()));
                        let last = move || own.with(|own| own.as_ref().and_then(|own| own.last.clone()));
                        view! {
                            <li class="text-sm" data-machine=name.clone()>
                                <p class="flex flex-wrap items-baseline gap-x-2">
                                    {machine_link(id, &name)}
                                    {move || since().map(|since| view! { <span class="opacity-80">"since "{time(&since)}</span> })}
                                    <a class="link link-hover text-xs" href=format!("/machines/{id}/console") aria-label=format!("Console of {name}")>"Console"</a>
                                </p>
                                <p class="break-words opacity-80" data-testid="step">
                                    {move || match last() {
                                        Some(event) => format!("{}: {}", zone.clock(&event.date), sentence(&event).text),
                                        None => "Waiting for its first request.".to_owned(),
                                    }}
                                </p>
                            </li>
                        }
                    }
                </For>
            </ul>
            {move || {
                let left = lab.with(|lab| lab.states.provisioning.saturating_sub(lab.provisioning.len()));
                rest(left, "machine", "machines", Some(those(&format!("(= state {})", quoted(MachineState::Provisioning.word())))))
            }}
        </Show>
    }
}

#[component]
fn Sick(lab: RwSignal<Lab>) -> impl IntoView {
    let sick = Memo::new(move |_| lab.with(|lab| lab.unwell_bmcs.clone()));
    let count = Memo::new(move |_| lab.with(|lab| lab.bmc_count));
    let row = |own: Memo<UnwellBmc>| {
        let name = move || own.with(|bmc| bmc.name.clone());
        let health = Signal::derive(move || own.with(|bmc| bmc.health.clone()));
        let counts = Memo::new(move |_| own.with(|bmc| (bmc.machine_count, bmc.machines.len())));
        let rest = move || {
            let (all, named) = counts.get();
            unnamed(all, named, format!("/machines?{}", query_string(std::iter::once(("search", name().as_str())))))
        };
        view! {
            <li class="text-sm" data-bmc=name>
                <p class="flex flex-wrap items-baseline gap-x-2">
                    <a class="link link-hover text-primary font-medium" href=move || found("/bmcs", &name())>{name}</a>
                    <HealthBadge health/>
                </p>
                <HealthNote health/>
                <p class="flex flex-wrap gap-x-2 text-xs">
                    {rows(move || own.with(|bmc| bmc.machines.clone()), |own| own.id, named)}
                    {rest}
                </p>
            </li>
        }
        .into_any()
    };
    let none = move || match count.get() {
        0 => nothing("There are no BMCs."),
        1 => nothing("The one BMC is well, as far as it was asked."),
        count => {
            let text = format!("All {count} BMCs are well, as far as they were asked.");
            view! { <p class="py-2 text-sm opacity-80" data-testid="nothing">{text}</p> }.into_any()
        }
    };
    view! {
        <Show when=move || !sick.with(Vec::is_empty) fallback=none>
            <ul class="flex flex-col gap-3" data-testid="sick">
                {rows(move || sick.get(), |bmc| bmc.id, row)}
            </ul>
            {move || rest(lab.with(|lab| lab.unwell_count.saturating_sub(lab.unwell_bmcs.len())), "BMC", "BMCs", Some("/bmcs".into()))}
        </Show>
    }
}

#[component]
fn Failures(lab: RwSignal<Lab>) -> impl IntoView {
    let failures = Memo::new(move |_| lab.with(|lab| lab.failures.clone()));
    view! {
        // additions are read out; the list as a whole is not
        <ol class="flex flex-col gap-2" aria-live="polite" aria-relevant="additions" data-testid="failures">
            <For each=move || failures.get() key=|own| own.event.id let(Failure { machine, event })>
                {
                    let said = sentence(&event);
                    view! {
                        <li class="flex flex-wrap gap-x-3 text-sm" data-event=event.what.name()>
                            {time(&event.date)}
                            <div class="min-w-0 flex-1 basis-48">
                                {machine_link(event.machine_id, &machine)}
                                <p class="break-words">{said.text}</p>
                                {said.detail.map(|detail| view! { <p class="font-mono text-xs wrap-anywhere opacity-80">{detail}</p> })}
                            </div>
                        </li>
                    }
                }
            </For>
        </ol>
        <Show when=move || failures.with(Vec::is_empty)>{nothing("None.")}</Show>
        {move || rest(lab.with(|lab| lab.failure_count.saturating_sub(lab.failures.len())), "failure", "failures", None)}
        <Show when=move || lab.with(|lab| lab.failures_cut)>
            <p class="pt-3 text-xs opacity-80">"So much happened that only the newest were looked through. A machine's page tells the rest of its own."</p>
        </Show>
    }
}

#[component]
fn Holders(lab: RwSignal<Lab>) -> impl IntoView {
    let holders = Memo::new(move |_| lab.with(|lab| lab.holders.clone()));
    let whole = RwSignal::new(false);
    let shown = move || {
        let most = if whole.get() { usize::MAX } else { ROWS };
        holders.get().into_iter().take(most).collect()
    };
    let row = |own: Memo<Holder>| {
        let user = own.with_untracked(|holder| holder.user.clone());
        let counts = Memo::new(move |_| own.with(|holder| (holder.machine_count, holder.machines.len())));
        let path = held_by(&user);
        let rest = move || {
            let (all, named) = counts.get();
            unnamed(all, named, path.clone())
        };
        view! {
            <tr data-user=user.clone()>
                <th scope="row" class="font-medium"><a class="link link-hover" href=held_by(&user)>{user.clone()}</a></th>
                <td class="text-right font-semibold">{move || counts.get().0}</td>
                <td>
                    <span class="flex flex-wrap gap-x-3">
                        {rows(move || own.with(|holder| holder.machines.clone()), |own| own.id, held)}
                        {rest}
                    </span>
                </td>
            </tr>
        }
        .into_any()
    };
    view! {
        <p class="mb-2 text-sm" data-testid="free">
            {move || match lab.with(|lab| lab.free_count) {
                0 => "No machine is free.".into_any(),
                free => {
                    let words = if free == 1 { "One machine is free.".to_owned() } else { format!("{free} machines are free.") };
                    view! { <a class="link link-hover" href=those("(= assignee_count 0)")>{words}</a> }.into_any()
                }
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
                    <tbody>{rows(shown, |holder| holder.user.clone(), row)}</tbody>
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
