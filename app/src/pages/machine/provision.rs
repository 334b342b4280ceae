//! The button that installs a machine, and what is asked before.

use leptos::prelude::*;

use super::{
    Context,
    provisioning::Warnings,
    settings::{Form, store},
};
use crate::{
    api::{Assignee, Edit, EventKind, MachineState},
    ui::{Dialog, FormEnd, Glyph, Icon, Notice, Submit, SubmitForm, Time, Toasts},
};

/// The machine whose question somebody wants to see, wherever they say so: its page asks it as soon as it is there.
#[derive(Clone, Copy)]
pub(in crate::pages) struct Wish(RwSignal<Option<i64>>);

impl Wish {
    pub(in crate::pages) fn provide() {
        provide_context(Self(RwSignal::new(None)));
    }

    pub(in crate::pages) fn set(self, machine: i64) {
        self.0.set(Some(machine));
    }
}

/// The button, and the question behind it: a provisioned machine loses what is on its disk.
#[component]
pub(super) fn ProvisionButton(context: Context, form: Form, state: Signal<MachineState>) -> impl IntoView {
    let open = RwSignal::new(false);
    let refusal = Memo::new(move |_| context.refusal());
    let Wish(wish) = expect_context();
    Effect::new(move |_| {
        if wish.get() == Some(context.id) {
            wish.set(None);
            open.set(refusal.get_untracked().is_none());
        }
    });
    view! {
        <button
            type="button"
            class="btn btn-sm btn-primary disabled:pointer-events-auto disabled:cursor-not-allowed"
            data-testid="provision"
            disabled=move || refusal.get().is_some()
            title=move || refusal.get()
            on:click=move |_| open.set(true)
        >
            <Glyph icon=Icon::Play/>
            "Provision"
        </button>
        <Dialog open title=Signal::derive(move || format!("Provision {}", context.machine.with(|machine| machine.name.clone()))) testid="provision-dialog">
            <Question open context form state/>
        </Dialog>
    }
}

/// Why nothing was started.
const CHANGED: &str = "the settings were changed elsewhere meanwhile. Look at them first.";

/// `bob has it: kernel tests.` None: nobody but oneself has the machine.
fn holders(assignees: &[Assignee], me: &str) -> Option<String> {
    let others = assignees.iter().filter(|own| own.user != me).map(|own| match own.reason.as_str() {
        "" => format!("{} has it", own.user),
        reason => format!("{} has it: {}", own.user, reason.trim_end_matches('.')),
    });
    let text = others.collect::<Vec<_>>().join("; ");
    (!text.is_empty()).then(|| format!("{text}."))
}

/// Whose work this would break off.
#[component]
fn Disturbed(context: Context, state: Signal<MachineState>) -> impl IntoView {
    let others = move || context.username.with_value(|me| context.assignees.with(|all| holders(all, me)));
    let running = Memo::new(move |_| state.get() == MachineState::Provisioning);
    let begun = move || {
        let begins = |what: &EventKind| matches!(what, EventKind::StateChange { state: MachineState::Provisioning, .. });
        context.events.with(|events| events.iter().find(|event| begins(&event.what)).cloned())
    };
    view! {
        {move || others().map(|text| view! { <Notice><span class="wrap-anywhere" data-testid="provision-holders">{text}</span></Notice> })}
        <Show when=move || running.get()>
            <Notice>
                <span data-testid="provision-running">
                    "It is being provisioned"
                    {move || begun().map(|event| {
                        let by = event.username.map(|user| format!(" by {user}"));
                        view! { " since " <Time at=event.date short=true/> {by} }
                    })}
                    ": that would be broken off."
                </span>
            </Notice>
        </Show>
    }
}

#[component]
fn Question(open: RwSignal<bool>, context: Context, form: Form, state: Signal<MachineState>) -> impl IntoView {
    let toasts = expect_context::<Toasts>();
    let submit = Submit::new();
    let found = form.warnings();
    let hopeless = move || found.with(|found| found.iter().any(|warning| warning.fatal));
    let start = move |()| {
        let change = if untrack(|| form.dirty()) {
            let Some(change) = form.change() else {
                // the field says what is wrong with it, behind this dialog
                open.set(false);
                return;
            };
            Some((change, form.base.get_untracked()))
        } else {
            None
        };
        let api = context.api.get_value();
        submit.run_judged(
            async move {
                match store(&api, context.id, change).await? {
                    // the form behind this dialog asks who wins
                    Some(Edit::Overtaken(theirs)) => {
                        context.machine.try_set(theirs);
                        return Ok(false);
                    }
                    Some(Edit::Saved(machine)) => drop(context.machine.try_set(machine)),
                    None => {}
                }
                api.provision(context.id).await.map(|_| true)
            },
            |_| None,
            |provisioned| (!provisioned).then_some(CHANGED),
            move |provisioned| {
                if !provisioned {
                    open.set(false);
                    toasts.warning(format!("Not provisioned: {CHANGED}"));
                    return;
                }
                open.set(false);
                context.reload();
                toasts.ok("Provisioning started. Its steps are shown as they are taken.");
            },
        );
    };
    let would_be = Memo::new(move |_| form.would_be());
    view! {
        <SubmitForm submit send=start>
            <p>
                "Switches netboot on, sets the next boot to the network, and power-cycles the machine. An installer with a preseed usually erases the disk."
            </p>
            <dl class="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1 text-sm">
                <dt class="opacity-80">"Kernel"</dt>
                <dd class="break-all">{move || context.image_name(would_be.read().kernel_id)}</dd>
                <dt class="opacity-80">"Initrd"</dt>
                <dd class="break-all">{move || context.image_name(would_be.read().initrd_id)}</dd>
                <dt class="opacity-80">"Preseed"</dt>
                <dd class="break-all">{move || context.preseed_name(would_be.read().preseed_id)}</dd>
                <dt class="opacity-80">"Options"</dt>
                <dd class="font-mono text-xs leading-5 break-all">{move || form.options.value.get()}</dd>
            </dl>
            <Disturbed context state/>
            <Show when=move || form.dirty()>
                <Notice tone="alert-info">"The changed settings are saved first."</Notice>
            </Show>
            <Warnings found/>
            <FormEnd
                open
                submit
                label=Signal::derive(move || if hopeless() { "Provision anyway".to_owned() } else { "Provision".to_owned() })
                testid="provision-confirm"
            />
        </SubmitForm>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Instant;

    #[test]
    fn whoever_else_has_it_is_named_with_the_reason() {
        let of = |user: &str, reason: &str| Assignee { user: user.into(), reason: reason.into(), ..assignee() };
        let all = [of("ann", "mine"), of("bob", "kernel tests."), of("eve", "")];
        assert_eq!(holders(&all, "ann").unwrap(), "bob has it: kernel tests; eve has it.");
        assert_eq!(holders(&all[..1], "ann"), None);
    }

    fn assignee() -> Assignee {
        Assignee { id: 1, user: String::new(), reason: String::new(), since: Instant(String::new()) }
    }
}
