//! What happened to the machine, newest first; new events appear by themselves.

use leptos::prelude::*;

use super::{
    Context, EVENTS,
    sentence::{Tone, sentence},
};
use crate::{
    api::{Event, EventKind},
    ui::{Address, Kept, Panel, SearchBox, Submit, SubmitErrors, Time, Zone, matches},
};

/// Kinds of events that one looks at together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Group {
    Booting,
    Power,
    Console,
    Settings,
}

impl Group {
    const ALL: [Self; 4] = [Self::Booting, Self::Power, Self::Console, Self::Settings];

    fn of(kind: &EventKind) -> Self {
        match kind {
            EventKind::PreseedAccess { .. }
            | EventKind::PreseedError { .. }
            | EventKind::PhoneHome { .. }
            | EventKind::StateChange { .. }
            | EventKind::DhcpReq { .. }
            | EventKind::TftpReq { .. }
            | EventKind::FileFetched { .. }
            | EventKind::FetchFailed { .. } => Self::Booting,
            EventKind::PowerChange { .. } | EventKind::BootDevice { .. } | EventKind::BmcError { .. } => Self::Power,
            EventKind::ConsoleAccess {} | EventKind::Console { .. } => Self::Console,
            EventKind::SettingsChange { .. } => Self::Settings,
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Booting => "Booting",
            Self::Power => "Power",
            Self::Console => "Console",
            Self::Settings => "Settings",
        }
    }
}

impl Kept for Option<Group> {
    fn word(&self) -> String {
        self.map(|group| group.label().to_ascii_lowercase()).unwrap_or_default()
    }

    fn of(word: &str) -> Self {
        Group::ALL.into_iter().find(|group| Some(*group).word() == word)
    }
}

/// What of the time line is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Filter {
    group: Option<Group>,
    faults: bool,
    text: String,
}

impl Filter {
    fn shows(&self, event: &Event) -> bool {
        if self.group.is_some_and(|group| group != Group::of(&event.what)) {
            return false;
        }
        if !self.faults && self.text.is_empty() {
            return true;
        }
        let said = sentence(event);
        let words = [Some(said.text.as_str()), said.detail.as_deref(), event.username.as_deref()];
        (!self.faults || said.tone == Tone::Bad) && matches(&words.into_iter().flatten().collect::<Vec<_>>().join(" "), &self.text)
    }
}

/// The same as the user chooses it.
#[derive(Clone, Copy)]
struct Chosen {
    group: RwSignal<Option<Group>>,
    faults: RwSignal<bool>,
    text: RwSignal<String>,
}

impl Chosen {
    fn new() -> Self {
        let address = Address::new();
        Self { group: address.keeps("events"), faults: address.keeps("faults"), text: address.keeps("q") }
    }

    fn filter(self) -> Filter {
        Filter { group: self.group.get(), faults: self.faults.get(), text: self.text.get() }
    }

    fn clear(self) {
        self.group.set(None);
        self.faults.set(false);
        self.text.set(String::new());
    }
}

/// Puts an event in its place; one that is there already stays once.
pub(super) fn insert(events: &mut Vec<Event>, event: Event) {
    let place = events.partition_point(|shown| shown.id > event.id);
    if events.get(place).is_none_or(|shown| shown.id != event.id) {
        events.insert(place, event);
    }
}

#[component]
pub(super) fn Timeline(context: Context) -> impl IntoView {
    let zone = expect_context::<Zone>();
    let events = context.events;
    let submit = Submit::new();
    // a page that was not full was the last one
    let more = RwSignal::new(events.with_untracked(Vec::len) >= EVENTS as usize);
    let chosen = Chosen::new();
    let shown = Memo::new(move |_| {
        let filter = chosen.filter();
        events.with(|events| events.iter().filter(|event| filter.shows(event)).cloned().collect::<Vec<_>>())
    });
    let older = move |_| {
        let api = context.api.get_value();
        let before = events.with_untracked(|events| events.last().map(|event| event.id));
        submit.run(async move { api.events(context.id, before, EVENTS).await }, move |older| {
            more.set(older.len() >= EVENTS as usize);
            events.update(|events| {
                for event in older {
                    insert(events, event);
                }
            });
        });
    };
    view! {
        <Panel id="events" title="Events" actions=move || view! { <span class="text-xs opacity-80">{move || format!("newest first, times in {}", zone.name())}</span> }>
            <Filters chosen/>
            // additions are read out; the list as a whole is not
            <ol class="flex flex-col" aria-live="polite" aria-relevant="additions" data-testid="events">
                <For each=move || shown.get() key=|event| event.id let:event>
                    <Entry event/>
                </For>
            </ol>
            <Show when=move || events.with(Vec::is_empty)>
                <p class="py-4 text-center opacity-80">"Nothing has happened yet."</p>
            </Show>
            <Show when=move || shown.with(Vec::is_empty) && !events.with(Vec::is_empty)>
                <p class="py-4 text-center opacity-80" data-testid="no-event">
                    {move || format!("None of the {} loaded events is of that kind. ", events.with(Vec::len))}
                    <button type="button" class="link" on:click=move |_| chosen.clear()>"Show all"</button>
                </p>
            </Show>
            <SubmitErrors submit/>
            <Show when=move || more.get()>
                // not disabled meanwhile: the focus would be lost
                <button
                    type="button"
                    class="btn btn-sm btn-ghost mt-2 w-full"
                    class=("btn-disabled", move || submit.busy().get())
                    aria-disabled=move || submit.busy().get().then_some("true")
                    on:click=older
                >
                    "Older events"
                </button>
            </Show>
        </Panel>
    }
}

#[component]
fn Filters(chosen: Chosen) -> impl IntoView {
    let Chosen { group: only, faults, text } = chosen;
    let chip = move |label: &'static str, on: Signal<bool>, press: Callback<()>| {
        view! {
            <button
                type="button"
                class="btn btn-xs aria-pressed:btn-primary"
                aria-pressed=move || on.get().to_string()
                on:click=move |_| press.run(())
            >
                {label}
            </button>
        }
    };
    let groups = Group::ALL.map(|group| {
        let press = Callback::new(move |()| only.update(|only| *only = if *only == Some(group) { None } else { Some(group) }));
        chip(group.label(), Signal::derive(move || only.get() == Some(group)), press)
    });
    let faults = chip("Faults only", faults.into(), Callback::new(move |()| faults.update(|faults| *faults = !*faults)));
    view! {
        <div class="mb-3 flex flex-wrap items-center gap-1.5" role="group" aria-label="Filter events" data-testid="event-filters">
            {groups.into_iter().collect_view()}
            {faults}
            <SearchBox value=text label="Search events" placeholder="Search" testid="event-search" class="input-xs min-w-24 flex-1"/>
        </div>
    }
}

#[component]
fn Entry(event: Event) -> impl IntoView {
    let said = sentence(&event);
    view! {
        <li class="flex gap-3 border-l-2 pb-3 pl-3 text-sm border-base-300 last:pb-0" data-event=event.what.name()>
            <span
                class=format!(
                    "-ml-[1.05rem] mt-1.5 size-2 shrink-0 rounded-full {}",
                    match said.tone {
                        Tone::Neutral => "bg-base-content/40",
                        Tone::Good => "bg-primary",
                        Tone::Step => "bg-success",
                        Tone::Bad => "bg-error",
                    },
                )
                aria-hidden="true"
            ></span>
            <Time at=event.date.clone() short=true class="shrink-0 font-mono text-xs leading-5 opacity-80"/>
            <div class="min-w-0">
                <p class=if said.tone == Tone::Bad { "text-error font-medium break-words" } else { "break-words" }>{said.text}</p>
                {said.detail.map(|detail| view! { <p class="font-mono text-xs wrap-anywhere opacity-80">{detail}</p> })}
            </div>
        </li>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{EventKind, Instant};

    fn event(id: i64) -> Event {
        Event { id, machine_id: 1, username: None, date: Instant(String::new()), what: EventKind::ConsoleAccess {} }
    }

    #[test]
    fn filters_work_together() {
        let of = |what| Event { what, username: Some("Alice".into()), ..event(1) };
        let (console, power, fault) = (
            of(EventKind::ConsoleAccess {}),
            of(EventKind::PowerChange { power: "on".into() }),
            of(EventKind::BmcError { action: "power".into(), message: "wrong password".into() }),
        );
        let shown = |filter: &Filter| [&console, &power, &fault].map(|event| filter.shows(event));
        assert_eq!(shown(&Filter::default()), [true, true, true]);
        assert_eq!(shown(&Filter { group: Some(Group::Power), ..Filter::default() }), [false, true, true]);
        assert_eq!(shown(&Filter { group: Some(Group::Power), faults: true, ..Filter::default() }), [false, false, true]);
        assert_eq!(shown(&Filter { text: "PASSWORD alice".into(), ..Filter::default() }), [false, false, true]);
    }

    #[test]
    fn events_keep_their_order_however_they_arrive() {
        let mut list = Vec::new();
        for id in [3, 5, 4, 5, 1, 3] {
            insert(&mut list, event(id));
        }
        assert_eq!(list.iter().map(|event| event.id).collect::<Vec<_>>(), [5, 4, 3, 1]);
    }
}
