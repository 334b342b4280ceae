//! How a provisioning ended, said by somebody when the machine itself says nothing.

use leptos::prelude::*;

use super::Context;
use crate::{
    api::{Api, ApiError, Machine, MachineChange, Outcome},
    ui::{Confirm, Curl, Submit, SwitchField, Toasts},
};

/// What is asked before somebody says how it ended.
pub(super) fn question(outcome: Outcome) -> (&'static str, &'static str, &'static str) {
    match outcome {
        Outcome::Ready => (
            "Mark ready",
            "The machine has not reported that it is installed: its preseed may not phone home. Is it ready all the same?",
            "Marked ready.",
        ),
        Outcome::Error | Outcome::Unknown => (
            "Mark failed",
            "The provisioning is given up. The machine goes on with what it is doing: this does not touch its power.",
            "Marked failed.",
        ),
    }
}

/// What is to be said of a machine that never says itself that it is installed.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    open: RwSignal<bool>,
    outcome: RwSignal<Outcome>,
    netboot_off: RwSignal<bool>,
}

impl Asked {
    pub(super) fn new() -> Self {
        Self { open: RwSignal::new(false), outcome: RwSignal::new(Outcome::Ready), netboot_off: RwSignal::new(true) }
    }

    pub(super) fn ask(self, outcome: Outcome) {
        self.outcome.set(outcome);
        // an installed machine would be installed once more; one that failed is perhaps to try again
        self.netboot_off.set(outcome == Outcome::Ready);
        self.open.set(true);
    }
}

async fn switch_off(api: &Api, machine: i64) -> Result<Machine, ApiError> {
    api.change_machine(machine, &MachineChange { netboot_enabled: Some(false), ..MachineChange::default() }).await
}

#[component]
pub(super) fn Ending(context: Context, asked: Asked) -> impl IntoView {
    let toasts = expect_context::<Toasts>();
    let Asked { open, outcome: chosen, netboot_off } = asked;
    let submit = Submit::new();
    let netboot = move || context.machine.with(|machine| machine.netboot_enabled);
    // as the switch says, which is there while there is something to switch
    let off = move || untrack(netboot) && netboot_off.get_untracked();
    let mark = move |()| {
        let api = context.api.get_value();
        let outcome = chosen.get_untracked();
        let off = off();
        submit.run(
            async move {
                if off {
                    switch_off(&api, context.id).await?;
                }
                api.set_outcome(context.id, outcome).await
            },
            move |_| {
                open.set(false);
                context.reload();
                toasts.ok(question(outcome).2);
            },
        );
    };
    let curl = Callback::new(move |()| {
        let outcome = chosen.get_untracked();
        let before = if off() { Curl::of("Switch netboot off", async |api| switch_off(&api, context.id).await) } else { None };
        Curl::of(question(outcome).0, async |api| api.set_outcome(context.id, outcome).await).map(|mark| mark.after(before))
    });
    let more = move || {
        view! {
            <Show when=netboot>
                <SwitchField
                    id="mark-netboot"
                    label="Switch netboot off"
                    checked=netboot_off
                    help="While it is on, the machine is installed again whenever it boots from the network."
                />
            </Show>
        }
    };
    view! {
        <Confirm
            open
            title=Signal::derive(move || question(chosen.get()).0.to_owned())
            text=Signal::derive(move || question(chosen.get()).1.to_owned())
            verb="Mark"
            submit
            action=mark
            more
            curl
        />
    }
}
