//! A box that takes a few letters and leads anywhere: a combobox in a dialog.

use std::time::Duration;

use leptos::{ev, leptos_dom::helpers::TimeoutHandle, prelude::*};

use super::{
    dom,
    format::folded,
    icon::{Glyph, Icon},
    table::matches,
};

/// Something that can be chosen.
#[derive(Clone)]
pub(crate) struct Command {
    pub(crate) label: String,
    /// What it is, in small print.
    pub(crate) detail: String,
    pub(crate) icon: Icon,
    pub(crate) run: Callback<()>,
}

/// A pause within a word is shorter.
const PAUSE: Duration = Duration::from_millis(80);

/// The contents of the dialog.
#[component]
pub(crate) fn Palette(
    open: RwSignal<bool>,
    /// Offered when the typed words occur in them. What begins with them stands before what has them elsewhere.
    commands: Signal<Vec<Command>>,
    /// Called with what is typed, to put what it finds elsewhere into `found`.
    find: Callback<String>,
    found: Signal<Vec<Command>>,
    /// Whether it is still looking elsewhere: set here, and taken back by `find`.
    searching: RwSignal<bool>,
) -> impl IntoView {
    let typed = RwSignal::new(String::new());
    let at = RwSignal::new(0_usize);
    let timer = StoredValue::new(None::<TimeoutHandle>);
    let offered = Signal::derive(move || {
        let typed = typed.get();
        let fits = |command: &Command| matches(&format!("{} {}", command.label, command.detail), &typed);
        let mut offered = found.get();
        offered.extend(commands.get().into_iter().filter(fits));
        let begins = folded(typed.trim());
        offered.sort_by_key(|command| !folded(&command.label).starts_with(&begins));
        offered
    });
    let choose = move |index: usize| {
        let chosen = offered.with_untracked(|offered| offered.get(index).cloned());
        if let Some(command) = chosen {
            // in this order: what is offered is gone with the dialog
            command.run.run(());
            open.set(false);
        }
    };
    let typing = move |event| {
        typed.set(event_target_value(&event));
        at.set(0);
        searching.set(true);
        if let Some(timer) = timer.try_update_value(Option::take).flatten() {
            timer.clear();
        }
        let ask = move || {
            if let Some(typed) = typed.try_get_untracked() {
                find.run(typed);
            }
        };
        timer.set_value(set_timeout_with_handle(ask, PAUSE).ok());
    };
    let key = move |event: ev::KeyboardEvent| {
        let count = offered.with_untracked(Vec::len);
        let now = at.get_untracked().min(count.saturating_sub(1));
        let next = match event.key().as_str() {
            "ArrowDown" => wrapped(now, 1, count),
            "ArrowUp" => wrapped(now, -1, count),
            "Enter" if !event.is_composing() => {
                event.prevent_default();
                return choose(now);
            }
            _ => return,
        };
        event.prevent_default();
        at.set(next);
        dom::scroll_to_entry(&option_id(next));
    };
    let active = move || offered.with(|offered| (!offered.is_empty()).then(|| option_id(at.get().min(offered.len() - 1))));
    view! {
        <input
            class="input input-sm w-full"
            type="text"
            role="combobox"
            aria-label="Page, machine or action"
            aria-expanded="true"
            aria-controls="palette-options"
            aria-autocomplete="list"
            aria-activedescendant=active
            data-first=""
            autocomplete="off"
            spellcheck="false"
            placeholder="Page, machine or action"
            data-testid="palette-input"
            on:input=typing
            on:keydown=key
        />
        <ul id="palette-options" role="listbox" aria-label="What fits" class="mt-2 max-h-80 overflow-y-auto">
            {move || {
                let chosen = at.get();
                offered.with(|offered| {
                    let last = offered.len().saturating_sub(1);
                    offered
                        .iter()
                        .enumerate()
                        .map(|(index, command)| {
                            view! {
                                <li
                                    id=option_id(index)
                                    role="option"
                                    class="hover:bg-base-200 aria-selected:bg-primary aria-selected:text-primary-content flex cursor-pointer items-center gap-2 rounded px-2 py-1.5 text-sm"
                                    aria-selected=(index == chosen.min(last)).to_string()
                                    on:click=move |_| choose(index)
                                >
                                    <Glyph icon=command.icon/>
                                    <span class="min-w-0 flex-1 truncate">{command.label.clone()}</span>
                                    <span class="truncate text-xs">{command.detail.clone()}</span>
                                </li>
                            }
                        })
                        .collect_view()
                })
            }}
        </ul>
        <p role="status" class="text-sm opacity-80" data-testid="palette-count">
            // not before it is known: what is read out cannot be taken back
            {move || if offered.with(Vec::is_empty) && !searching.get() { "Nothing fits." } else { "" }}
        </p>
    }
}

fn option_id(index: usize) -> String {
    format!("palette-option-{index}")
}

/// The entry before the first is the last.
fn wrapped(at: usize, by: isize, count: usize) -> usize {
    match count {
        0 => 0,
        count if by < 0 => (at + count - 1) % count,
        count => (at + 1) % count,
    }
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn the_list_is_a_ring() {
        assert_eq!((wrapped(0, -1, 3), wrapped(2, 1, 3), wrapped(1, 1, 3)), (2, 0, 2));
        assert_eq!(wrapped(0, 1, 0), 0);
    }
}
