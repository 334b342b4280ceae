//! The machine's labels, added and taken away where they stand.

use leptos::{html, prelude::*};

use super::Context;
use crate::{
    api::{Api, ApiError, BulkTags, Id, Tag},
    ui::{Curl, CurlButton, Glyph, Icon, Toasts, dom},
};

/// Separated by commas; blanks within are part of a tag.
pub(in crate::pages) fn parse_tags(text: &str) -> Result<Vec<Tag>, String> {
    text.split(',').filter(|part| !part.trim().is_empty()).map(Tag::parse).collect()
}

/// Only what is added and removed is sent: what somebody else labels meanwhile stays.
async fn relabel(api: Api, machine: i64, add: Vec<Tag>, remove: Vec<Tag>) -> Result<Vec<String>, ApiError> {
    let outcomes = api.bulk_tags(&BulkTags { machines: vec![Id(machine)], add, remove }).await?;
    match outcomes.into_iter().next() {
        Some(outcome) => outcome.error.map_or_else(|| Ok(outcome.tags.unwrap_or_default()), Err),
        None => Err(super::not_found()),
    }
}

/// `Tags 10g, rack 4 added.`
fn words(tags: &[Tag], what: &str) -> String {
    let named = tags.iter().map(Tag::as_str).collect::<Vec<_>>().join(", ");
    format!("{} {named} {what}.", if tags.len() == 1 { "Tag" } else { "Tags" })
}

fn change(context: Context, toasts: Toasts, add: Vec<Tag>, remove: Vec<Tag>, failed: String) {
    let text = |tags: &[Tag]| tags.iter().map(|tag| tag.as_str().to_owned()).collect::<Vec<_>>();
    let (added, removed) = (text(&add), text(&remove));
    // what the machine had already is not taken from it again
    let before = untrack(|| context.shown().tags);
    let new: Vec<Tag> = add.iter().filter(|tag| !before.iter().any(|own| own == tag.as_str())).cloned().collect();
    let old = remove.clone();
    context.switched.run(
        move |machine| {
            machine.tags.retain(|tag| !removed.contains(tag));
            for tag in &added {
                if !machine.tags.contains(tag) {
                    machine.tags.push(tag.clone());
                }
            }
            machine.tags.sort();
        },
        relabel(context.api.get_value(), context.id, add, remove),
        move |tags| {
            context.machine.update(|machine| machine.tags = tags);
            let said = match (new.is_empty(), old.is_empty()) {
                (false, _) => words(&new, "added"),
                (true, false) => words(&old, "removed"),
                (true, true) => return,
            };
            // the message outlives the page
            let api = context.api.get_value();
            let inverse = move || relabel(api.clone(), context.id, old.clone(), new.clone());
            toasts.undoable(said, inverse, move |tags| {
                context.machine.try_update(|machine| machine.tags = tags);
            });
        },
        failed,
    );
}

#[component]
pub(super) fn Tags(context: Context) -> impl IntoView {
    let tags = Memo::new(move |_| context.shown().tags);
    let may_change = Memo::new(move |_| context.machine.with(|machine| machine.may_change));
    let toasts = expect_context::<Toasts>();
    let list = NodeRef::<html::Ul>::new();
    let typed = context.tag;
    // what is half typed goes with the field
    Effect::new(move |_| {
        if !may_change.get() {
            typed.set(String::new());
        }
    });
    let fault = RwSignal::new(None::<String>);
    let add = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let parsed = typed.with_untracked(|text| parse_tags(text));
        match parsed {
            Ok(new) if new.is_empty() => {}
            Ok(new) => {
                let named = new.iter().map(Tag::as_str).collect::<Vec<_>>().join(", ");
                typed.set(String::new());
                change(context, toasts, new, Vec::new(), format!("{named} is not added"));
            }
            Err(text) => fault.set(Some(text)),
        }
    };
    let curl = Callback::new(move |()| match typed.with_untracked(|text| parse_tags(text)) {
        Ok(new) => Curl::of("Add a tag", async |api| relabel(api, context.id, new, Vec::new()).await),
        Err(text) => {
            fault.set(Some(text));
            None
        }
    });
    let remove = move |tag: &str| {
        // the server had it: it is within its rule
        if let Ok(old) = Tag::parse(tag) {
            let place = tags.with_untracked(|all| all.iter().position(|own| own == tag)).unwrap_or_default();
            change(context, toasts, Vec::new(), vec![old], format!("{tag} is not removed"));
            // the button goes with its tag; its neighbour is there once it has been drawn
            request_animation_frame(move || {
                if let Some(list) = list.try_get_untracked().flatten() {
                    dom::focus_entry(&list, place, "[data-testid=new-tag]");
                }
            });
        }
    };
    view! {
        <div class="mt-1" data-testid="tags">
            <div class="flex flex-wrap items-center gap-1">
                <ul node_ref=list class="contents" aria-label="Tags">
                    <For each=move || tags.get() key=Clone::clone let:tag>
                        {
                            let (label, removed) = (format!("Remove tag {tag}"), tag.clone());
                            view! {
                                <li class="badge badge-ghost gap-0.5 pr-0.5" data-tag=tag.clone()>
                                    <span class="break-all">{tag.clone()}</span>
                                    <Show when=move || may_change.get()>
                                        {
                                            let (label, removed) = (label.clone(), removed.clone());
                                            view! {
                                                <button type="button" class="btn btn-ghost btn-xs btn-circle" aria-label=label.clone() title=label on:click=move |_| remove(&removed)>
                                                    <Glyph icon=Icon::Close class="size-3"/>
                                                </button>
                                            }
                                        }
                                    </Show>
                                </li>
                            }
                        }
                    </For>
                </ul>
                <Show when=move || may_change.get()>
                    <form class="flex items-center gap-1" on:submit=add>
                        <input
                            type="text"
                            class="input input-xs w-28"
                            class=("input-error", move || fault.with(Option::is_some))
                            aria-label="Add a tag"
                            aria-describedby="tag-note"
                            aria-invalid=move || fault.with(Option::is_some).then_some("true")
                            placeholder="Add a tag"
                            data-testid="new-tag"
                            autocomplete="off"
                            prop:value=move || typed.get()
                            on:input=move |event| {
                                typed.set(event_target_value(&event));
                                fault.set(None);
                            }
                        />
                        // its place is kept: nothing moves when somebody begins to type
                        <span class=move || if typed.with(|text| text.trim().is_empty()) { "invisible" } else { "" }>
                            <CurlButton call=curl size="btn-xs"/>
                        </span>
                    </form>
                </Show>
            </div>
            <Show when=move || may_change.get()>
                // a line that is there already, and makes nothing wider
                <p id="tag-note" class="text-error -mb-3 min-h-4 w-0 min-w-full text-xs" aria-live="polite">{move || fault.get()}</p>
            </Show>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::{parse_tags, words};
    use crate::api::Tag;

    #[test]
    fn tags_are_separated_by_commas() {
        let read = |text| parse_tags(text).unwrap().iter().map(Tag::as_str).collect::<Vec<_>>().join("|");
        assert_eq!(read(" 10g, rack 4,,"), "10g|rack 4");
        assert_eq!(read(""), "");
        assert!(parse_tags(&"x".repeat(65)).is_err());
    }

    #[test]
    fn a_message_names_the_tags() {
        assert_eq!(words(&parse_tags("10g, rack 4").unwrap(), "added"), "Tags 10g, rack 4 added.");
        assert_eq!(words(&parse_tags("10g").unwrap(), "removed"), "Tag 10g removed.");
    }
}
