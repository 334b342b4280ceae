//! What the machine said last on its console, without opening it.

use std::time::Duration;

use leptos::{leptos_dom::helpers::IntervalHandle, prelude::*, task::spawn_local};

use super::Context;
use crate::{
    api::{ConsoleTail, LabEvent, MachineState, console_log_path},
    live::Live,
    ui::{Glyph, Icon, Panel, Time},
};

/// Lines shown.
const LINES: u32 = 12;
/// How long events are gathered before the log is read again.
const GATHER: Duration = Duration::from_secs(1);
/// How often it is read while something is being installed, which says much between two events.
const OFTEN: Duration = Duration::from_secs(3);

#[component]
pub(super) fn Tail(context: Context) -> impl IntoView {
    let live = expect_context::<Live>();
    let loaded = context.machine.with_untracked(|machine| machine.state);
    let state = live.state(context.id, move || loaded);
    // read by effects only: the page is not to wait for it
    let tail = RwSignal::new(None::<ConsoleTail>);
    let waiting = StoredValue::new(false);
    let read = move || {
        let api = context.api.get_value();
        spawn_local(async move {
            // what failed is asked for again with the next event
            if let Ok(read) = api.console_tail(context.id, LINES).await {
                tail.try_maybe_update(|shown| {
                    let news = shown.as_ref() != Some(&read);
                    *shown = Some(read);
                    (news, ())
                });
            }
        });
    };
    let soon = move || {
        if waiting.try_update_value(|waiting| std::mem::replace(waiting, true)) == Some(false) {
            set_timeout(
                move || {
                    if waiting.try_set_value(false).is_none() {
                        read();
                    }
                },
                GATHER,
            );
        }
    };
    Effect::new(move |_| read());
    live.listen(move |event| match event {
        LabEvent::Snapshot { .. } | LabEvent::Resync => soon(),
        LabEvent::Event { event } if event.machine_id == context.id => soon(),
        LabEvent::Power { machine, .. } | LabEvent::State { machine, .. } if *machine == context.id => soon(),
        _ => {}
    });
    Effect::new(move |before: Option<Option<IntervalHandle>>| {
        if let Some(before) = before.flatten() {
            before.clear();
        }
        let running = state.get() == MachineState::Provisioning;
        let timer = if running { set_interval_with_handle(read, OFTEN).ok() } else { None };
        on_cleanup(move || {
            if let Some(timer) = timer {
                timer.clear();
            }
        });
        timer
    });
    let open = move || format!("/machines/{}/console", context.id);
    let words = move || {
        tail.with(|tail| match tail {
            None => String::new(),
            Some(tail) => tail.lines.join("\n"),
        })
    };
    let written = Memo::new(move |_| tail.with(|tail| tail.as_ref().and_then(|tail| tail.written.clone())));
    let nothing = move || tail.with(|tail| tail.as_ref().is_some_and(|tail| tail.lines.is_empty()));
    view! {
        <Panel
            id="console-tail"
            title="Console"
            actions=move || view! {
                <span class="text-xs opacity-80">
                    {move || written.get().map(|at| view! { "last output " <Time at/> })}
                </span>
                <a class="btn btn-ghost btn-xs btn-square" href=console_log_path(context.id) download="" rel="external" aria-label="Download the console's log" title="Download the console's log">
                    <Glyph icon=Icon::Download/>
                </a>
                <a class="btn btn-xs" href=open data-testid="tail-open">
                    <Glyph icon=Icon::Terminal/>
                    "Open"
                </a>
            }
        >
            <Show when=nothing>
                <p class="py-2 text-sm opacity-80">
                    {move || match written.get() {
                        None => "Nothing was logged yet: the console is logged while somebody has it open, and after Provision.",
                        // an empty line, a screen that was cleared
                        Some(_) => "What was logged last has no text in it.",
                    }}
                </p>
            </Show>
            <pre
                class="min-h-52 overflow-x-auto rounded bg-black p-3 font-mono text-xs leading-4 whitespace-pre text-gray-200"
                class:hidden=nothing
                // can be scrolled with the keyboard
                tabindex="0"
                role="region"
                aria-label="End of the console's log"
                data-testid="console-tail"
            >
                {words}
            </pre>
        </Panel>
    }
}
