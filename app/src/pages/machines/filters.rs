//! Views that somebody gave a name, kept in their browser.

use leptos::{html, prelude::*};
use serde::{Deserialize, Serialize};

use super::view::View;
use crate::ui::{Glyph, Icon, RowButton, Toasts, dom, format::folded};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Saved {
    name: String,
    /// Of the page's address.
    address: String,
}

const STORED: &str = "machine-filters";
/// More would not be found again.
const MOST: usize = 50;
const LONGEST: usize = 60;

/// Gives the view a name; another view with that name gives way, which is answered. By name.
fn put(list: &mut Vec<Saved>, name: &str, view: &View) -> Result<bool, String> {
    let name = name.trim();
    if name.is_empty() {
        return Err("Give it a name.".into());
    }
    if name.chars().count() > LONGEST {
        return Err(format!("At most {LONGEST} characters."));
    }
    let before = list.len();
    list.retain(|saved| saved.name != name);
    let replaced = list.len() < before;
    if list.len() >= MOST {
        return Err(format!("There are {MOST} already: delete one first."));
    }
    let at = list.iter().position(|saved| folded(&saved.name) > folded(name)).unwrap_or(list.len());
    list.insert(at, Saved { name: name.to_owned(), address: view.on_page(0).address() });
    Ok(replaced)
}

/// What is not understood, or leads elsewhere, is left out.
fn parse(text: &str) -> Vec<Saved> {
    let list: Vec<Saved> = serde_json::from_str(text).unwrap_or_default();
    list.into_iter().filter(|saved| saved.address == "/machines" || saved.address.starts_with("/machines?")).collect()
}

#[component]
pub(super) fn FilterMenu(view: Memo<View>) -> impl IntoView {
    let toasts = expect_context::<Toasts>();
    let list = RwSignal::new(Vec::<Saved>::new());
    let name = RwSignal::new(String::new());
    let error = RwSignal::new(None::<String>);
    let menu = NodeRef::<html::Details>::new();
    // another window may have changed them; nothing there: nothing is kept in this browser but what this page remembers
    let read = move || {
        if let Some(text) = dom::stored(STORED) {
            list.set(parse(&text));
        }
    };
    // there is none on the server: the first drawing has an empty menu, and it is closed
    Effect::new(move |_| {
        read();
        let handle = window_event_listener_untyped("storage", move |_| read());
        on_cleanup(move || handle.remove());
    });
    let keep = move || dom::store(STORED, &list.with_untracked(|list| serde_json::to_string(list).unwrap_or_default()));
    let close = move || {
        if let Some(menu) = menu.get_untracked() {
            menu.set_open(false);
        }
    };
    let save = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        read();
        let put = list.try_update(|list| put(list, &name.get_untracked(), &view.get_untracked()));
        match put {
            Some(Err(text)) => error.set(Some(text)),
            put => {
                keep();
                let said = if put == Some(Ok(true)) { "Replaced" } else { "Saved as" };
                toasts.ok(format!("{said} {}.", name.get_untracked().trim()));
                name.set(String::new());
                error.set(None);
                close();
            }
        }
    };
    let delete = move |saved: &Saved| {
        let gone = saved.name.clone();
        move |()| {
            read();
            list.update(|list| list.retain(|saved| saved.name != gone));
            keep();
        }
    };
    view! {
        <details class="dropdown" node_ref=menu>
            <summary class="btn btn-sm" data-testid="filters">"Filters"<Glyph icon=Icon::Down class="size-3"/></summary>
            <div class="dropdown-content bg-base-100 rounded-box border-base-300 z-40 mt-1 w-72 border p-2 shadow-lg" data-testid="filter-menu">
                <ul class="max-h-72 overflow-y-auto">
                    <For each=move || list.get() key=|saved| (saved.name.clone(), saved.address.clone()) let:saved>
                        <li class="hover:bg-base-200 flex items-center justify-between gap-2 rounded">
                            <a
                                class="min-w-0 flex-1 truncate p-1.5 text-sm"
                                href=saved.address.clone()
                                on:click=move |_| close()
                            >{saved.name.clone()}</a>
                            <RowButton icon=Icon::Trash label=format!("Delete filter {}", saved.name) action=delete(&saved)/>
                        </li>
                    </For>
                </ul>
                <Show when=move || list.with(Vec::is_empty)>
                    <p class="p-1.5 text-sm opacity-80">"No filter is saved yet."</p>
                </Show>
                <form class="border-base-300 mt-1 flex gap-2 border-t pt-2" on:submit=save>
                    <input
                        class="input input-sm min-w-0 flex-1"
                        aria-label="Name for the present view"
                        placeholder="Save this view as…"
                        data-testid="filter-name"
                        prop:value=move || name.get()
                        on:input=move |event| { name.set(event_target_value(&event)); error.set(None); }
                        aria-describedby="filter-error"
                        autocomplete="off"
                    />
                    <button type="submit" class="btn btn-sm btn-primary">"Save"</button>
                </form>
                <p id="filter-error" class="text-error mt-1 text-xs empty:hidden" role="alert">{move || error.get()}</p>
            </div>
        </details>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_is_saved_under_its_name_once() {
        let mut list = Vec::new();
        let view = |search: &str| View { search: search.into(), page: 3, ..View::default() };
        assert_eq!(put(&mut list, " free arm ", &view("arm")), Ok(false));
        assert_eq!(put(&mut list, "Broken", &view("error")), Ok(false));
        assert_eq!(put(&mut list, "free arm", &view("arm64")), Ok(true));
        let told: Vec<_> = list.iter().map(|saved| (saved.name.as_str(), saved.address.as_str())).collect();
        assert_eq!(told, [("Broken", "/machines?search=error"), ("free arm", "/machines?search=arm64")]);
        assert!(put(&mut list, " ", &view("x")).is_err());
        assert!(put(&mut list, &"x".repeat(LONGEST + 1), &view("x")).is_err());
        assert_eq!(parse(&serde_json::to_string(&list).unwrap()), list);
    }

    #[test]
    fn what_leads_elsewhere_is_no_filter() {
        let text =
            r#"[{"name":"a","address":"https://example.com"},{"name":"b","address":"/machines?mine=1"},{"name":"c","address":"//x"}]"#;
        assert_eq!(parse(text).len(), 1);
        assert!(parse("{").is_empty());
    }
}
