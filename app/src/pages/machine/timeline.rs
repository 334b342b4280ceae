//! What happened to the machine, newest first; new events appear by themselves.

use leptos::prelude::*;

use super::{
    Context, EVENTS,
    sentence::{Tone, sentence, type_word},
};
use crate::{
    api::Event,
    ui::{Panel, Submit, SubmitErrors},
};

/// Puts an event in its place; one that is there already stays once.
pub(super) fn insert(events: &mut Vec<Event>, event: Event) {
    let place = events.partition_point(|shown| shown.id > event.id);
    if events.get(place).is_none_or(|shown| shown.id != event.id) {
        events.insert(place, event);
    }
}

#[component]
pub(super) fn Timeline(context: Context) -> impl IntoView {
    let events = context.events;
    let submit = Submit::new();
    // a page that was not full was the last one
    let more = RwSignal::new(events.with_untracked(Vec::len) >= EVENTS as usize);
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
        <Panel id="events" title="Events" actions=move || view! { <span class="text-xs opacity-80">"newest first, UTC"</span> }>
            // additions are read out; the list as a whole is not
            <ol class="flex flex-col" aria-live="polite" aria-relevant="additions" data-testid="events">
                <For each=move || events.get() key=|event| event.id let:event>
                    <Entry event/>
                </For>
            </ol>
            <Show when=move || events.with(Vec::is_empty)>
                <p class="py-4 text-center opacity-80">"Nothing has happened yet."</p>
            </Show>
            <SubmitErrors submit/>
            <Show when=move || more.get()>
                <button type="button" class="btn btn-sm btn-ghost mt-2 w-full" disabled=move || submit.busy().get() on:click=older>"Older events"</button>
            </Show>
        </Panel>
    }
}

#[component]
fn Entry(event: Event) -> impl IntoView {
    let said = sentence(&event);
    view! {
        <li class="flex gap-3 border-l-2 pb-3 pl-3 text-sm border-base-300 last:pb-0" data-event=type_word(&event.what)>
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
            <time class="shrink-0 font-mono text-xs leading-5 opacity-80" datetime=event.date.0.clone() title=format!("{} UTC", event.date.seconds())>
                // the year is in the title
                {event.date.seconds().get(5..).unwrap_or_default().to_owned()}
            </time>
            <div class="min-w-0">
                <p class=if said.tone == Tone::Bad { "text-error font-medium break-words" } else { "break-words" }>{said.text}</p>
                {said.detail.map(|detail| view! { <p class="font-mono text-xs break-all opacity-80">{detail}</p> })}
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
    fn events_keep_their_order_however_they_arrive() {
        let mut list = Vec::new();
        for id in [3, 5, 4, 5, 1, 3] {
            insert(&mut list, event(id));
        }
        assert_eq!(list.iter().map(|event| event.id).collect::<Vec<_>>(), [5, 4, 3, 1]);
    }
}
