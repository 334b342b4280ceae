//! Power and state of a machine as every page shows and commands them.

use leptos::{prelude::*, task::spawn_local};

use crate::{
    api::{Api, MachineState, PowerAction, PowerState},
    live::Power,
    ui::{Confirm, Glyph, Icon, Submit, Toasts},
};

#[component]
pub(super) fn PowerBadge(power: Signal<Power>) -> impl IntoView {
    view! {
        <span
            class=move || format!("badge badge-sm whitespace-nowrap {}", power.with(|power| look(power.state)))
            data-testid="power"
            data-power=move || power.with(|power| attribute(power.state))
            title=move || power.with(|power| power.error.clone())
        >
            {move || power.with(|power| label(power.state))}
        </span>
    }
}

fn label(power: PowerState) -> &'static str {
    match power {
        PowerState::On => "On",
        PowerState::Off => "Off",
        PowerState::Unknown => "Unknown",
        PowerState::BmcError => "BMC error",
    }
}

fn attribute(power: PowerState) -> &'static str {
    match power {
        PowerState::On => "on",
        PowerState::Off => "off",
        PowerState::Unknown => "unknown",
        PowerState::BmcError => "error",
    }
}

fn look(power: PowerState) -> &'static str {
    match power {
        PowerState::On => "badge-success",
        PowerState::Off => "badge-neutral",
        PowerState::Unknown => "badge-ghost",
        PowerState::BmcError => "badge-error badge-outline",
    }
}

#[component]
pub(super) fn StateBadge(state: Signal<MachineState>) -> impl IntoView {
    view! {
        <span
            class=move || {
                format!(
                    "badge badge-sm badge-soft whitespace-nowrap {}",
                    match state.get() {
                        MachineState::Unknown => "badge-ghost",
                        MachineState::Provisioning => "badge-info",
                        MachineState::Ready => "badge-success",
                        MachineState::Error => "badge-error",
                    },
                )
            }
            data-testid="state"
            data-state=move || state.get().word()
        >
            {move || state_word(state.get())}
        </span>
    }
}

pub(super) fn state_word(state: MachineState) -> &'static str {
    match state {
        MachineState::Unknown => "No state",
        MachineState::Provisioning => "Provisioning",
        MachineState::Ready => "Ready",
        MachineState::Error => "Failed",
    }
}

/// What is wanted every day, in the order of buttons and menus.
pub(super) const POWER_USUAL: &[PowerAction] = POWER_ALL.split_at(4).0;
/// With the disk: for many machines, and the menu of a row.
pub(super) const POWER_MENU: &[PowerAction] = POWER_ALL.split_at(5).0;
/// Also what needs somebody at the console.
const POWER_ALL: &[PowerAction] =
    &[PowerAction::On, PowerAction::Off, PowerAction::Reboot, PowerAction::PxeReboot, PowerAction::DiskReboot, PowerAction::BiosReboot];

/// A command's name on its button, and what it does.
pub(super) fn command(action: PowerAction) -> (&'static str, &'static str) {
    match action {
        PowerAction::On => ("Power on", "Switch the machine on"),
        PowerAction::Off => ("Power off", "Switch the machine off at once, without asking its operating system"),
        PowerAction::Reboot => ("Reset", "Hard reset, without asking its operating system"),
        PowerAction::PxeReboot => ("PXE boot", "Boot from the network once: resets the machine, or switches it on"),
        PowerAction::DiskReboot => ("Disk boot", "Boot from the disk once: resets the machine, or switches it on"),
        PowerAction::BiosReboot => ("Firmware set-up", "Enter the firmware's set-up: resets the machine, or switches it on"),
    }
}

/// Sends power commands, one at a time per page, and says how they went.
#[derive(Clone, Copy)]
pub(super) struct Commander {
    api: StoredValue<Api>,
    toasts: Toasts,
    /// The command on its way, with its machine.
    pending: RwSignal<Option<(i64, PowerAction)>>,
}

impl Commander {
    pub(super) fn new() -> Self {
        Self { api: StoredValue::new(expect_context()), toasts: expect_context(), pending: RwSignal::new(None) }
    }

    pub(super) fn pending(self) -> Signal<Option<(i64, PowerAction)>> {
        self.pending.into()
    }

    pub(super) fn send(self, machine: i64, name: String, action: PowerAction) {
        if self.pending.get_untracked().is_some() {
            self.toasts.warning("One command at a time: the last one is still on its way to the BMC.");
            return;
        }
        self.pending.set(Some((machine, action)));
        let api = self.api.get_value();
        spawn_local(async move {
            let result = api.set_power(machine, action).await;
            self.pending.try_set(None);
            let verb = command(action).0;
            match result {
                Ok(answer) => match answer.error {
                    None => self.toasts.ok(format!("{name}: {verb} sent.")),
                    Some(error) => self.toasts.error(format!("{name}: {verb} failed. {error}")),
                },
                Err(error) => self.toasts.error(format!("{name}: {verb} failed. {}", error.text())),
            }
        });
    }
}

/// The commands as a row of buttons.
#[component]
pub(super) fn PowerButtons(
    machine: i64,
    #[prop(into)] name: Signal<String>,
    power: Signal<Power>,
    /// Whether a PXE boot leads anywhere.
    #[prop(into)]
    netboot: Signal<bool>,
    commander: Commander,
    /// There is no BMC, or it is not the user's machine.
    #[prop(into)]
    disabled: Signal<bool>,
    /// Also what is wanted less often: the disk, and the firmware's set-up.
    #[prop(optional)]
    all: bool,
) -> impl IntoView {
    let busy = commander.pending();
    let asking = RwSignal::new(false);
    let press = move |action| {
        if action == PowerAction::PxeReboot && !netboot.get_untracked() {
            asking.set(true);
        } else {
            commander.send(machine, name.get_untracked(), action);
        }
    };
    let buttons = if all { POWER_ALL } else { POWER_USUAL }
        .iter()
        .map(|&action| {
            let (label, title) = command(action);
            // what the machine is already; any command is possible while the power is not known
            let pointless = move || {
                power.with(|power| {
                    matches!(
                        (action, power.state),
                        (PowerAction::On, PowerState::On) | (PowerAction::Off | PowerAction::Reboot, PowerState::Off)
                    )
                })
            };
            view! {
                <button
                    type="button"
                    class="btn btn-sm"
                    title=title
                    data-testid=format!("power-{}", action.word())
                    disabled=move || disabled.get() || busy.get().is_some() || pointless()
                    on:click=move |_| press(action)
                >
                    <Show when=move || busy.get().is_some_and(|(_, busy)| busy == action) fallback=move || view! { <Glyph icon=icon(action)/> }>
                        <span class="loading loading-spinner loading-xs"></span>
                    </Show>
                    {label}
                </button>
            }
        })
        .collect::<Vec<_>>();
    view! {
        {buttons}
        <Confirm
            open=asking
            title="Netboot is off"
            text="The machine would ask for its configuration and be told to boot from its disk. Switch netboot on first, or press Provision, which does."
            verb="PXE boot anyway"
            submit=Submit::new()
            action=move |()| {
                asking.set(false);
                commander.send(machine, name.get_untracked(), PowerAction::PxeReboot);
            }
        />
    }
}

pub(super) fn icon(action: PowerAction) -> Icon {
    match action {
        PowerAction::On | PowerAction::Off => Icon::Power,
        PowerAction::Reboot | PowerAction::DiskReboot | PowerAction::BiosReboot => Icon::Reset,
        PowerAction::PxeReboot => Icon::Network,
    }
}
