//! How far the last provisioning came, step by step.

use leptos::{prelude::*, task::spawn_local};

use super::{
    Context, EVENTS,
    outcome::{Asked, Ending, question},
    run::{Expected, Run, Stage, Status, Step, run},
};
use crate::{
    api::{Event, MachineState, Outcome},
    ui::{Glyph, Icon, Time},
};

/// Events looked through for the beginning, where it is not among those that the page shows at first.
const DEEPER: u32 = 500;

#[component]
pub(super) fn Steps(context: Context, state: Signal<MachineState>) -> impl IntoView {
    let older = RwSignal::new(Vec::<Event>::new());
    let last = Memo::new(move |_| {
        let expected =
            context.machine.with(|machine| Expected { initrd: machine.initrd_id.is_some(), preseed: machine.preseed_id.is_some() });
        context.events.with(|events| {
            run(events, expected).or_else(|| {
                let oldest = events.last().map_or(i64::MAX, |event| event.id);
                let all =
                    older.with(|older| events.iter().chain(older.iter().filter(|event| event.id < oldest)).cloned().collect::<Vec<_>>());
                run(&all, expected)
            })
        })
    });
    Effect::new(move |_| {
        let (count, oldest) = context.events.with_untracked(|events| (events.len(), events.last().map(|event| event.id)));
        let ever = state.get_untracked() != MachineState::Unknown;
        if !ever || last.with_untracked(Option::is_some) || count < EVENTS as usize {
            return;
        }
        let api = context.api.get_value();
        spawn_local(async move {
            // what is not found is not shown; the events below have it
            if let Ok(events) = api.events(context.id, oldest, DEEPER).await {
                older.try_set(events);
            }
        });
    });
    let running = Memo::new(move |_| state.get() == MachineState::Provisioning);
    // once open, it is folded by the user only
    let open = Memo::new(move |before: Option<&bool>| {
        before == Some(&true) || running.get() || last.with(|last| last.as_ref().is_some_and(|run| run.failed().is_some()))
    });
    let begun = Memo::new(move |_| last.with(|last| last.as_ref().map(|run| run.begun.clone())));
    let words = move || last.with(|last| last.as_ref().map_or_else(|| "began before the events that are kept".to_owned(), Run::words));
    let steps = move || last.with(|last| last.as_ref().map(|run| run.steps.clone()).unwrap_or_default());
    let asked = Asked::new();
    let ends = move || running.get() && context.machine.with(|machine| machine.may_change);
    view! {
        <Show when=move || running.get() || last.with(Option::is_some)>
            <section class="rounded-box border-base-300 bg-base-100 mt-3 border px-4 py-2" aria-label="Steps of the provisioning" data-testid="steps">
                <div class="flex flex-wrap items-start justify-between gap-x-4 gap-y-2">
                    <details class="min-w-0 flex-1 basis-72" open=move || open.get()>
                        <summary class="cursor-pointer text-sm font-medium">
                            "Provisioning" {move || begun.get().map(|at| view! { " of " <Time at/> })} ": "
                            <span data-testid="steps-words">{words}</span>
                        </summary>
                        <ol class="mt-2 flex flex-wrap gap-x-5 gap-y-2 text-sm">
                            <For each=steps key=|step| format!("{step:?}") let:step>
                                <Shown step/>
                            </For>
                        </ol>
                    </details>
                    <Show when=ends>
                        <div class="flex flex-wrap gap-2">
                            {[(Outcome::Ready, "mark-ready"), (Outcome::Error, "mark-failed")]
                                .into_iter()
                                .map(|(outcome, testid)| {
                                    view! {
                                        <button type="button" class="btn btn-sm" data-testid=testid on:click=move |_| asked.ask(outcome)>
                                            {question(outcome).0}
                                        </button>
                                    }
                                })
                                .collect_view()}
                        </div>
                    </Show>
                </div>
            </section>
        </Show>
        // outside of what goes with the state: the news of its success may come before the answer
        <Ending context asked/>
    }
}

#[component]
fn Shown(step: Step) -> impl IntoView {
    let Step { stage, status, at, note } = step;
    let label = match (stage, status) {
        (Stage::Installed, Status::Done) => "Ready",
        (Stage::Installed, Status::Failed) => "Failed",
        _ => stage.label(),
    };
    let mark = match status {
        Status::Done => view! { <Glyph icon=Icon::Check class="size-4 text-success"/> }.into_any(),
        Status::Failed => view! { <Glyph icon=Icon::Warning class="size-4 text-error"/> }.into_any(),
        Status::Awaited => view! { <span class="loading loading-spinner loading-xs" aria-hidden="true"></span> }.into_any(),
        Status::Ahead | Status::Passed => {
            view! { <span class="bg-base-content/40 mx-1 size-2 rounded-full" aria-hidden="true"></span> }.into_any()
        }
    };
    let failed = status == Status::Failed;
    view! {
        <li class="max-w-full min-w-0" data-step=stage.label() data-status=status.word()>
            <span class=if failed { "text-error flex items-center gap-1 font-medium" } else { "flex items-center gap-1" }>
                {mark} {label} <span class="sr-only">{format!(", {}", status.word())}</span>
            </span>
            <span class="block text-xs wrap-anywhere opacity-80">
                {at.map(|at| view! { <Time at clock=true class="font-mono"/> " " })}
                {note}
            </span>
        </li>
    }
}
