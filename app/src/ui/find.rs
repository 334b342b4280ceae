//! Searching what a terminal has printed.

use leptos::{html, prelude::*};

use super::{
    icon::{Glyph, Icon},
    terminal::TerminalHandle,
};

/// What a search came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Which one is shown, from 0; none when there are more than are counted.
    pub(super) place: Option<usize>,
    pub(super) count: u32,
}

impl Found {
    fn words(self, query: &str) -> String {
        match (self.place, self.count) {
            _ if query.is_empty() => String::new(),
            (_, 0) => "Not found".into(),
            (Some(place), count) => format!("{} of {count}", place + 1),
            (None, count) => format!("{count} or more"),
        }
    }
}

/// The bar over a corner of a terminal (which would lose its selection were it resized), while its search is open. Newest first: one looks for what was said last.
#[component]
pub(crate) fn TerminalSearch(handle: TerminalHandle) -> impl IntoView {
    let open = handle.searching;
    view! {
        <Show when=move || open.get()>
            <Bar handle/>
        </Show>
    }
}

#[component]
fn Bar(handle: TerminalHandle) -> impl IntoView {
    let query = RwSignal::new(String::new());
    let field = NodeRef::<html::Input>::new();
    let go = move |direction| handle.find(&query.read_untracked(), direction);
    let close = move || {
        handle.find("", 0);
        handle.searching.set(false);
        handle.focus();
    };
    // opened, or asked for again
    Effect::new(move |_| {
        handle.searching.track();
        if let Some(field) = field.get() {
            let _ = field.focus();
            field.select();
        }
    });
    let on_key = move |event: leptos::ev::KeyboardEvent| match event.key().as_str() {
        "Enter" => {
            event.prevent_default();
            go(if event.shift_key() { 1 } else { -1 });
        }
        "Escape" => {
            event.prevent_default();
            close();
        }
        _ => {}
    };
    view! {
        <div role="search" class="bg-base-200 border-base-300 absolute top-2 right-4 left-4 z-10 flex flex-wrap items-center gap-1 rounded border p-1 shadow-lg sm:left-auto" data-testid="terminal-search">
            <input
                node_ref=field
                type="search"
                class="input input-sm w-36 font-mono sm:w-56"
                aria-label="Search what the console printed"
                placeholder="Search what was printed"
                autocomplete="off"
                spellcheck="false"
                on:input=move |event| {
                    query.set(event_target_value(&event));
                    go(0);
                }
                on:keydown=on_key
            />
            <button type="button" class="btn btn-sm btn-ghost btn-square" title="Further up (Enter)" aria-label="Further up" on:click=move |_| go(-1)>
                <Glyph icon=Icon::Up/>
            </button>
            <button type="button" class="btn btn-sm btn-ghost btn-square" title="Further down (Shift+Enter)" aria-label="Further down" on:click=move |_| go(1)>
                <Glyph icon=Icon::Down/>
            </button>
            <span role="status" class="min-w-16 text-xs tabular-nums" data-testid="terminal-found">{move || handle.found.get().words(&query.read())}</span>
            <button type="button" class="btn btn-sm btn-ghost btn-square" title="Close (Escape)" aria-label="Close search" on:click=move |_| close()>
                <Glyph icon=Icon::Close/>
            </button>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_says_where_one_is() {
        let found = |place, count| Found { place, count };
        assert_eq!(found(Some(2), 7).words("x"), "3 of 7");
        assert_eq!(found(None, 0).words("x"), "Not found");
        assert_eq!(found(None, 0).words(""), "");
        assert_eq!(found(None, 1000).words("x"), "1000 or more");
    }
}
