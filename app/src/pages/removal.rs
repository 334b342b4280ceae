//! What uses the thing that is to be deleted, and what becomes of it.

use leptos::prelude::*;

use super::used::found;
use crate::{
    api::{InUseBy, Removal},
    ui::{Choice, FieldState, SelectField, Submit, dom, format::counted},
};

/// Users named; the others are counted.
const NAMED: usize = 20;
const DETACH: &str = "detach";

/// To stand in the question: once the API has refused because of them, its users, and the choice of what they have instead.
#[component]
pub(super) fn Uses(
    submit: Submit,
    /// What could take its place: the value of each is an id.
    #[prop(into)]
    instead: Signal<Vec<Choice>>,
    /// They cannot be without one.
    #[prop(optional, into)]
    needed: Signal<bool>,
) -> impl IntoView {
    let chosen = FieldState::new("");
    let uses = submit.uses();
    submit.list_uses();
    Effect::new(move |_| {
        if uses.with(Vec::is_empty) {
            chosen.reset("");
        } else {
            // nothing more can be sent before the choice is made
            request_animation_frame(|| drop(dom::focus_within("#removal")));
        }
    });
    Effect::new(move |_| submit.choose(removal(&chosen.value.read())));
    let choices = Signal::derive(move || {
        let without = (!needed.get()).then(|| Choice::new(DETACH, "They go on without it"));
        let mut choices: Vec<Choice> = without.into_iter().collect();
        choices.extend(instead.get().into_iter().map(|choice| Choice::new(choice.value, format!("They get {} instead", choice.label))));
        choices
    });
    // those who lose something come first: they are to be named
    let listed = move || {
        let mut listed = uses.get();
        listed.sort_by_key(|user| user.addresses.is_empty());
        listed
    };
    let rest = move || {
        let rest = listed().split_off(uses.with(Vec::len).min(NAMED));
        let lost = rest.iter().map(|user| user.addresses.len()).sum::<usize>();
        let lost = if lost == 0 { String::new() } else { format!(", who without it lose {}", counted(lost, "address", "addresses")) };
        (!rest.is_empty()).then(|| format!("and {} more{lost}", rest.len()))
    };
    let said = move || format!("It is used by {}", counted(uses.with(Vec::len), "thing", "things"));
    view! {
        // there from the start: it is read out when it gets its text
        <p class="sr-only" aria-live="polite">{move || (!uses.with(Vec::is_empty)).then(said)}</p>
        <Show when=move || !uses.with(Vec::is_empty)>
            <div class="flex flex-col gap-2" data-testid="uses">
                <p>{said}":"</p>
                <ul class="ml-4 max-h-48 list-disc overflow-y-auto text-sm" tabindex="0" aria-label="What uses it">
                    {move || listed().into_iter().take(NAMED).map(|user| view! { <li>{told(user)}</li> }).collect_view()}
                    {move || rest().map(|rest| view! { <li>{rest}</li> })}
                </ul>
                {move || {
                    if choices.with(Vec::is_empty) {
                        view! { <p data-testid="no-other">"They cannot be without it, and there is no other for them yet."</p> }.into_any()
                    } else {
                        view! { <SelectField id="removal" label="What becomes of them" field=chosen choices search=true/> }.into_any()
                    }
                }}
            </div>
        </Show>
    }
}

fn removal(value: &str) -> Removal {
    match value {
        DETACH => Removal::Detach,
        id => id.parse().map_or(Removal::Unused, Removal::ReplaceWith),
    }
}

fn told(user: InUseBy) -> AnyView {
    let InUseBy { kind, role, id, name, addresses } = user;
    let path = match kind.as_str() {
        "machine" => Some(format!("/machines/{id}")),
        "preseed" => Some(format!("/preseeds/{id}")),
        "subarch" => Some(found("/archs", &name)),
        _ => None,
    };
    let name = match path {
        Some(path) => view! { <a class="link" href=path>{name}</a> }.into_any(),
        None => name.into_any(),
    };
    view! { {kind}" "{name}", as "{role}{lost(&addresses)} }.into_any()
}

/// What goes with the thing, unless another takes its place.
fn lost(addresses: &[String]) -> Option<String> {
    (!addresses.is_empty()).then(|| format!(": without it loses {}", addresses.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_is_lost_is_named() {
        assert_eq!(lost(&[]), None);
        assert_eq!(lost(&["10.0.0.7".into(), "10.0.0.8".into()]).unwrap(), ": without it loses 10.0.0.7, 10.0.0.8");
    }

    #[test]
    fn the_choice_is_what_is_asked_for() {
        assert_eq!((removal(""), removal("detach"), removal("7")), (Removal::Unused, Removal::Detach, Removal::ReplaceWith(7)));
        assert_eq!(
            [Removal::Unused, Removal::Detach, Removal::ReplaceWith(7)].map(Removal::query),
            ["", "?detach=true", "?replace_with=7"]
        );
    }
}
