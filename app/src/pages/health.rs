//! How a BMC is doing, as every page shows it.

use leptos::prelude::*;

use crate::{
    api::{BmcHealth, Instant},
    ui::{Time, Zone},
};

/// What a badge says, how it looks, and what it is for tests and style.
fn look(health: &BmcHealth) -> (&'static str, &'static str, &'static str) {
    match (health.reachable, &health.error) {
        (Some(false), _) => ("Unreachable", "badge-error badge-outline", "unreachable"),
        (_, Some(_)) => ("Refuses", "badge-warning badge-outline", "refuses"),
        (Some(true), None) => ("Answers", "badge-success badge-soft", "answers"),
        (None, None) => ("Not asked yet", "badge-ghost", "unknown"),
    }
}

/// The worse, the less: to sort by.
pub(super) fn gravity(health: &BmcHealth) -> u8 {
    match (health.reachable, &health.error) {
        (Some(false), _) => 0,
        (_, Some(_)) => 1,
        (None, None) => 2,
        (Some(true), None) => 3,
    }
}

/// The fault, and the last answer where that says something: of a BMC that is heard, a fault says it all.
fn parts(health: &BmcHealth) -> (Option<&str>, Option<&Instant>) {
    let error = health.error.as_deref();
    (error, health.last_answer.as_ref().filter(|_| error.is_none() || health.reachable == Some(false)))
}

/// The fault, and since when.
fn words(health: &BmcHealth, zone: Zone) -> Option<String> {
    match parts(health) {
        (Some(error), Some(at)) => Some(format!("{error} (last answer {})", zone.seconds(at))),
        (Some(error), None) => Some(error.to_owned()),
        (None, at) => at.map(|at| format!("last answer {}", zone.seconds(at))),
    }
}

#[component]
pub(super) fn HealthBadge(
    health: Signal<BmcHealth>,
    /// Nothing is shown while the BMC is well: for places where that is taken for granted.
    #[prop(optional)]
    only_faults: bool,
) -> impl IntoView {
    let zone = expect_context::<Zone>();
    view! {
        <Show when=move || !only_faults || health.with(|health| !health.is_well())>
            <span
                class=move || format!("badge badge-sm whitespace-nowrap {}", health.with(|health| look(health).1))
                data-testid="bmc-health"
                data-health=move || health.with(|health| look(health).2)
                title=move || health.with(|health| words(health, zone))
            >
                {move || health.with(|health| look(health).0)}
            </span>
        </Show>
    }
}

/// The fault in small print.
#[component]
pub(super) fn HealthNote(health: Signal<BmcHealth>) -> impl IntoView {
    let note = move || {
        health.with(|health| match parts(health) {
            (Some(error), Some(at)) => view! { {error.to_owned()} " (last answer " <Time at=at.clone()/> ")" }.into_any(),
            (Some(error), None) => error.to_owned().into_any(),
            (None, Some(at)) => view! { "last answer " <Time at=at.clone()/> }.into_any(),
            (None, None) => ().into_any(),
        })
    };
    view! { <span class="block text-xs wrap-anywhere opacity-80" data-testid="bmc-health-note">{note}</span> }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Instant;

    #[test]
    fn a_silent_bmc_says_since_when_and_a_refusal_why() {
        Owner::new().with(|| {
            Zone::provide();
            let zone = expect_context::<Zone>();
            let at = Some(Instant("2026-11-22T11:08:02.000000Z".into()));
            let silent = BmcHealth { reachable: Some(false), last_answer: at.clone(), error: Some("no answer".into()) };
            assert_eq!((look(&silent).0, silent.is_well()), ("Unreachable", false));
            assert_eq!(words(&silent, zone).unwrap(), "no answer (last answer 2026-11-22 11:08:02)");
            let refuses = BmcHealth { reachable: Some(true), last_answer: at.clone(), error: Some("wrong password".into()) };
            assert_eq!((look(&refuses).0, words(&refuses, zone).unwrap().as_str()), ("Refuses", "wrong password"));
            let well = BmcHealth { reachable: Some(true), last_answer: at, error: None };
            assert!(well.is_well() && BmcHealth::default().is_well());
            assert_eq!(words(&BmcHealth::default(), zone), None);
        });
    }
}
