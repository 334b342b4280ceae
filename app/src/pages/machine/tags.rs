//! The machine's labels, added and taken away where they stand.

use leptos::prelude::*;

use super::Context;
use crate::{
    api::{Api, ApiError, BulkTags, Id, Tag},
    ui::{Curl, CurlButton, Glyph, Icon},
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

fn change(context: Context, add: Vec<Tag>, remove: Vec<Tag>, failed: String) {
    let text = |tags: &[Tag]| tags.iter().map(|tag| tag.as_str().to_owned()).collect::<Vec<_>>();
    let (added, removed) = (text(&add), text(&remove));
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
        move |tags| context.machine.update(|machine| machine.tags = tags),
        failed,
    );
}

#[component]
pub(super) fn Tags(context: Context) -> impl IntoView {
    let tags = Memo::new(move |_| context.shown().tags);
    let may_change = Memo::new(move |_| context.machine.with(|machine| machine.may_change));
    let typed = RwSignal::new(String::new());
    let fault = RwSignal::new(None::<String>);
    let add = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let parsed = typed.with_untracked(|text| parse_tags(text));
        match parsed {
            Ok(new) if new.is_empty() => {}
            Ok(new) => {
                let named = new.iter().map(Tag::as_str).collect::<Vec<_>>().join(", ");
                typed.set(String::new());
                change(context, new, Vec::new(), format!("{named} is not added"));
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
            change(context, Vec::new(), vec![old], format!("{tag} is not removed"));
        }
    };
    view! {
        <div class="mt-1" data-testid="tags">
            <div class="flex flex-wrap items-center gap-1">
                <ul class="contents" aria-label="Tags">
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
    use super::parse_tags;
    use crate::api::Tag;

    #[test]
    fn tags_are_separated_by_commas() {
        let read = |text| parse_tags(text).unwrap().iter().map(Tag::as_str).collect::<Vec<_>>().join("|");
        assert_eq!(read(" 10g, rack 4,,"), "10g|rack 4");
        assert_eq!(read(""), "");
        assert!(parse_tags(&"x".repeat(65)).is_err());
    }
}
