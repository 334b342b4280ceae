//! What is told when something was not done with all of the ticked machines.

use leptos::prelude::*;

use super::selection::TickedMachines;
use crate::{
    api::{ApiError, BulkOutcome},
    ui::{Dialog, Toasts, format::counted},
};

/// A reason, and the names of the machines that failed for it.
type Failure = (String, Vec<String>);

/// In the order in which the reasons first occur.
pub(super) fn by_reason(outcomes: &[BulkOutcome], ticked: &TickedMachines) -> Vec<Failure> {
    let mut all = Vec::<Failure>::new();
    for outcome in outcomes {
        let of_bmc = outcome.power.as_ref().and_then(|power| power.error.clone());
        let Some(reason) = outcome.error.as_ref().map(ApiError::text).or(of_bmc) else { continue };
        let name = ticked.get(&outcome.machine).map_or_else(|| format!("machine {}", outcome.machine), |machine| machine.name.clone());
        match all.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, names)) => names.push(name),
            None => all.push((reason, vec![name])),
        }
    }
    all
}

/// The dialog that tells them, and offers the way back for the machines that did not fail.
#[derive(Clone, Copy)]
pub(super) struct Failures {
    open: RwSignal<bool>,
    summary: RwSignal<String>,
    all: RwSignal<Vec<Failure>>,
    undo: RwSignal<Option<Callback<()>>>,
    toasts: Toasts,
}

impl Failures {
    pub(super) fn new(toasts: Toasts) -> Self {
        Self {
            open: RwSignal::new(false),
            summary: RwSignal::new(String::new()),
            all: RwSignal::new(Vec::new()),
            undo: RwSignal::new(None),
            toasts,
        }
    }

    pub(super) fn show(self, summary: String, all: Vec<Failure>, undo: Option<Callback<()>>) {
        self.summary.set(summary);
        self.all.set(all);
        self.undo.set(undo);
        self.open.set(true);
    }

    fn undo(self) {
        let undo = self.undo.try_update(Option::take).flatten();
        self.open.set(false);
        if let Some(undo) = undo {
            undo.run(());
        }
    }

    /// What was not undone in the dialog can be for a while after it: a message below it could not be pressed.
    fn closed(self) {
        if let Some(undo) = self.undo.try_update(Option::take).flatten() {
            self.toasts.undoable_part(self.summary.get_untracked(), undo);
        }
    }
}

#[component]
pub(super) fn FailuresDialog(failures: Failures) -> impl IntoView {
    Effect::new(move |before: Option<bool>| {
        let open = failures.open.get();
        if before == Some(true) && !open {
            failures.closed();
        }
        open
    });
    view! {
        <Dialog open=failures.open title="Not done with all of them" testid="bulk-failures">
            <p class="mb-2">{move || failures.summary.get()}</p>
            <div class="max-h-96 overflow-y-auto" tabindex="0" role="region" aria-label="What failed">
                <table class="table-sm table">
                    <caption class="sr-only">"Why machines failed, and which"</caption>
                    <thead><tr><th scope="col">"Reason"</th><th scope="col">"Machines"</th></tr></thead>
                    <tbody>
                        {move || failures.all.get().into_iter().map(failure_row).collect_view()}
                    </tbody>
                </table>
            </div>
            <Show when=move || failures.undo.with(Option::is_some)>
                <div class="mt-3 flex justify-end">
                    <button type="button" class="btn btn-sm" data-testid="bulk-undo" on:click=move |_| failures.undo()>"Undo for the others"</button>
                </div>
            </Show>
        </Dialog>
    }
}

fn failure_row((reason, names): Failure) -> impl IntoView {
    let count = counted(names.len(), "machine", "machines");
    view! {
        <tr class="align-top" data-testid="bulk-failure">
            <th scope="row" class="font-normal wrap-anywhere">{reason}</th>
            <td class="wrap-anywhere"><span class="font-medium">{count}": "</span>{names.join(", ")}</td>
        </tr>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        api::{PowerAnswer, PowerState},
        pages::machines::selection::Ticked,
    };

    #[test]
    fn a_reason_is_told_once_with_all_its_machines() {
        let outcome = |machine, status| BulkOutcome { machine, status, power: None, assignee: None, state: None, tags: None, error: None };
        let silent = PowerAnswer { state: PowerState::BmcError, error: Some("no answer".into()) };
        let refused = ApiError::new(403, "Forbidden", "Forbidden", vec!["not yours".into()]);
        let outcomes = [
            outcome(1, 202),
            BulkOutcome { error: Some(refused.clone()), ..outcome(2, 403) },
            BulkOutcome { power: Some(silent), ..outcome(3, 202) },
            BulkOutcome { error: Some(refused), ..outcome(4, 403) },
        ];
        let named = Ticked { name: "d03-2".into(), ..Ticked::default() };
        let told = by_reason(&outcomes, &TickedMachines::from([(2, named)]));
        let text = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(told, [("not yours".into(), text(&["d03-2", "machine 4"])), ("no answer".into(), text(&["machine 3"]))]);
    }
}
