//! What finds machines: the box that searches everything, and the query language.

use std::time::Duration;

use leptos::{html, prelude::*};

use super::{go::Go, view::View};
use crate::{
    api::query::{Query, QueryError},
    ui::{Glyph, Icon, SearchBox},
};

/// Keys that come quicker are asked for together.
const SEARCH_PAUSE: Duration = Duration::from_millis(80);
/// A half-written query is wrong: it is not to be told so with every key.
const QUERY_PAUSE: Duration = Duration::from_millis(350);

/// The element that the key `/` leads to.
pub(super) const SEARCH_ID: &str = "machine-search";

/// What is wrong with a view's query, if it is.
pub(super) fn fault(view: &View) -> Option<QueryError> {
    Query::parse(view.q.trim()).err()
}

#[component]
pub(super) fn Search(view: Memo<View>, go: Go, querying: RwSignal<bool>) -> impl IntoView {
    let search = go.field(SEARCH_PAUSE, true, |view| &view.search, |view, text| view.search = text);
    view! {
        <SearchBox
            id=SEARCH_ID
            value=search
            label="Search machines by anything in their row"
            placeholder="Name, MAC, IP, user, tag, …"
            testid="search"
        />
        <button
            type="button"
            class="btn btn-sm"
            class=("btn-active", move || querying.get())
            aria-expanded=move || querying.get().to_string()
            aria-controls="machine-query-line"
            data-testid="query-toggle"
            on:click=move |_| {
                querying.update(|open| *open = !*open);
                // a query that is not seen would leave machines out unseen
                if !querying.get_untracked() {
                    go.to(view.get_untracked().changed(|view| view.q.clear()));
                }
            }
        >
            "Query"
        </button>
    }
}

/// The field for a query, with what is wrong with it and where.
#[component]
pub(super) fn QueryLine(view: Memo<View>, go: Go, querying: RwSignal<bool>) -> impl IntoView {
    let text = go.field(QUERY_PAUSE, false, |view| &view.q, |view, text| view.q = text);
    let wrong = Memo::new(move |_| view.with(fault));
    let node = NodeRef::<html::Input>::new();
    // a view with a query, e.g. a saved one, shows it
    Effect::new(move |_| {
        if view.with(|view| !view.q.is_empty()) {
            querying.set(true);
        }
    });
    Effect::new(move |before: Option<bool>| {
        let open = querying.get();
        if let Some(input) = node.get_untracked().filter(|_| open && before == Some(false)) {
            drop(input.focus());
        }
        open
    });
    view! {
        <div id="machine-query-line" class="mb-3" class:hidden=move || !querying.get()>
            <label class="input input-sm w-full" class=("input-error", move || wrong.with(Option::is_some))>
                <span class="text-xs opacity-80">"Query"</span>
                <input
                    node_ref=node
                    id="machine-query"
                    class="font-mono"
                    placeholder="(and (= arch \"arm64\") (= assignee_count 0))"
                    data-testid="query"
                    value=text.get_untracked()
                    prop:value=move || text.get()
                    on:input=move |event| text.set(event_target_value(&event))
                    autocomplete="off"
                    spellcheck="false"
                    aria-label="Query"
                    aria-describedby="machine-query-note"
                    aria-invalid=move || wrong.with(Option::is_some).then_some("true")
                />
            </label>
            <div class="mt-1 flex min-h-5 flex-wrap items-start justify-between gap-x-4 gap-y-1 text-xs">
                <div id="machine-query-note" role="status" data-testid="query-fault" class="min-w-0 flex-1">
                    {move || {
                        let fault = wrong.get()?;
                        let (before, at, after) = marked(view.with(|view| view.q.trim().to_owned()).as_str(), fault.position);
                        Some(view! {
                            <p class="text-error font-medium">{format!("{}, at character {}.", capital(&fault.message), fault.position)}</p>
                            <p class="overflow-x-auto font-mono whitespace-pre" aria-hidden="true">
                                {before}<mark class="bg-error text-error-content rounded-sm" data-testid="query-mark">{at}</mark>{after}
                            </p>
                        })
                    }}
                </div>
                <Help/>
            </div>
        </div>
    }
}

/// The query around its fault: what stands before it, the character itself (a blank at the end), and the rest.
fn marked(text: &str, position: usize) -> (String, String, String) {
    let mut chars = text.chars();
    let before: String = chars.by_ref().take(position.saturating_sub(1)).collect();
    let at = chars.next().map_or_else(|| " ".to_owned(), String::from);
    (before, at, chars.collect())
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| std::iter::once(first.to_ascii_uppercase()).chain(chars).collect()).unwrap_or_default()
}

/// What can be asked of a machine, with an example of each.
const SYMBOLS: [(&str, &str); 13] = [
    ("name", "(=~ name \"d05\")"),
    ("arch", "(= arch \"arm64\")"),
    ("subarch", "(= subarch nil)"),
    ("bmc_type", "(= bmc_type \"moonshot\")"),
    ("state", "(= state \"error\")"),
    ("power", "(!= power \"off\")"),
    ("assignee", "(= assignee \"alice\")"),
    ("assignee_count", "(= assignee_count 0)"),
    ("interface_count", "(>= interface_count 2)"),
    ("mac", "(=~ mac \"52:54:00\")"),
    ("network", "(= network \"lab\")"),
    ("netboot_enabled", "(= netboot_enabled t)"),
    ("tag", "(= tag \"10g\")"),
];

#[component]
fn Help() -> impl IntoView {
    view! {
        <details class="dropdown dropdown-end">
            <summary class="link link-hover flex cursor-pointer items-center gap-1" data-testid="query-help">
                "Symbols and operators"
                <Glyph icon=Icon::Down class="size-3"/>
            </summary>
            <div class="dropdown-content bg-base-100 rounded-box border-base-300 z-40 mt-1 w-96 max-w-[calc(100vw-2rem)] border p-3 shadow-lg">
                <p class="mb-2">
                    "Comparisons " <code>"= != > >= < <="</code> " and " <code>"=~"</code> " (contains), joined by " <code>"(and …)"</code> " and "
                    <code>"(or …)"</code> "; " <code>"nil"</code> " is nothing, " <code>"t"</code> " is yes."
                </p>
                <table class="table-xs table">
                    <caption class="sr-only">"Symbols of the query language"</caption>
                    <thead><tr><th scope="col">"Symbol"</th><th scope="col">"Example"</th></tr></thead>
                    <tbody>
                        {SYMBOLS
                            .map(|(symbol, example)| {
                                view! { <tr><th scope="row" class="font-mono font-normal">{symbol}</th><td class="font-mono">{example}</td></tr> }
                            })
                            .collect_view()}
                    </tbody>
                </table>
            </div>
        </details>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::query::Symbol;

    #[test]
    fn the_help_names_every_symbol_and_its_examples_are_queries() {
        assert!(Symbol::names().eq(SYMBOLS.iter().map(|(symbol, _)| *symbol)));
        for (symbol, example) in SYMBOLS {
            assert!(example.contains(symbol) && Query::parse(example).is_ok(), "{example}");
        }
    }

    #[test]
    fn the_place_of_a_fault_is_marked() {
        let fault = fault(&View { q: " (= \"é\" nome)".into(), ..View::default() }).unwrap();
        assert_eq!(capital(&fault.message), "`nome` is not a valid symbol");
        assert_eq!(marked("(= \"é\" nome)", fault.position), ("(= \"é\" ".into(), "n".into(), "ome)".into()));
        assert_eq!(marked("(=", 3), ("(=".into(), " ".into(), String::new()));
    }
}
