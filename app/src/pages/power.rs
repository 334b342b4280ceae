//! Power and state of a machine as every page shows and commands them.

use leptos::{prelude::*, task::spawn_local};

use crate::{
    api::{Api, MachineState, PowerAction, PowerState},
    live::Power,
    ui::{Dialog, FormEnd, Glyph, Icon, Off, Submit, Toasts},
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
            {move || state.get().label()}
        </span>
    }
}

/// What is wanted every day, in the order of buttons and menus.
pub(super) const POWER_MENU: &[PowerAction] = POWER_ALL.split_at(5).0;
/// Also what needs somebody at the console.
pub(super) const POWER_ALL: &[PowerAction] =
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

/// What a PXE boot comes to while netboot is off.
pub(super) const NETBOOT_OFF: &str = "The machine would ask for its configuration and be told to boot from its disk. Switch netboot on first, or press Provision, which does.";

/// Whether the machine is already what it would be made. Any command is possible while the power is not known.
pub(super) fn pointless(action: PowerAction, power: PowerState) -> bool {
    matches!((action, power), (PowerAction::On, PowerState::On) | (PowerAction::Off | PowerAction::Reboot, PowerState::Off))
}

/// A command to a machine, and what has to be known to ask before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) machine: i64,
    pub(super) name: String,
    /// Whether a PXE boot leads anywhere.
    pub(super) netboot: bool,
    pub(super) action: PowerAction,
}

impl Order {
    fn leads_nowhere(&self) -> bool {
        self.action == PowerAction::PxeReboot && !self.netboot
    }

    /// Heading, text and button of the question.
    fn question(&self) -> [String; 3] {
        let (verb, does) = command(self.action);
        if self.leads_nowhere() {
            return [format!("Netboot of {} is off", self.name), NETBOOT_OFF.into(), format!("{verb} anyway")];
        }
        [format!("{verb}: {}", self.name), format!("{does}."), verb.into()]
    }
}

/// Sends power commands, one at a time per page, and says how they went.
#[derive(Clone, Copy)]
pub(super) struct Commander {
    api: StoredValue<Api>,
    toasts: Toasts,
    /// The command on its way, with its machine.
    pending: RwSignal<Option<(i64, PowerAction)>>,
    /// What is asked about, also while the question goes away.
    asked: RwSignal<Option<Order>>,
    asking: RwSignal<bool>,
    /// Done as soon as a command is on its way.
    after: Option<Callback<()>>,
}

impl Commander {
    pub(super) fn new() -> Self {
        Self {
            api: StoredValue::new(expect_context()),
            toasts: expect_context(),
            pending: RwSignal::new(None),
            asked: RwSignal::new(None),
            asking: RwSignal::new(false),
            after: None,
        }
    }

    pub(super) fn after(self, after: Callback<()>) -> Self {
        Self { after: Some(after), ..self }
    }

    pub(super) fn pending(self) -> Signal<Option<(i64, PowerAction)>> {
        self.pending.into()
    }

    /// A press of the command's own button: asks first only when it would lead nowhere.
    pub(super) fn press(self, order: Order) {
        if order.leads_nowhere() { self.ask(order) } else { self.send(order) }
    }

    /// For where a command is easily chosen by mistake: asks before all but switching on.
    pub(super) fn choose(self, order: Order) {
        if order.action == PowerAction::On { self.send(order) } else { self.ask(order) }
    }

    fn ask(self, order: Order) {
        self.asked.set(Some(order));
        self.asking.set(true);
    }

    /// The question, which is to be drawn once wherever commands are given.
    pub(super) fn question(self) -> AnyView {
        let part = move |part: usize| {
            Signal::derive(move || self.asked.with(|order| order.as_ref().map(|order| order.question()[part].clone())).unwrap_or_default())
        };
        let agree = move |event: leptos::ev::SubmitEvent| {
            event.prevent_default();
            self.asking.set(false);
            if let Some(order) = self.asked.get_untracked() {
                self.send(order);
            }
        };
        view! {
            <Dialog open=self.asking title=part(0) testid="confirm">
                <form class="flex flex-col gap-3" on:submit=agree>
                    <p>{part(1)}</p>
                    <FormEnd open=self.asking submit=Submit::new() label=part(2) class="btn-error" testid="confirm-action"/>
                </form>
            </Dialog>
        }
        .into_any()
    }

    fn send(self, order: Order) {
        let Order { machine, name, action, .. } = order;
        if self.pending.get_untracked().is_some() {
            self.toasts.warning("One command at a time: the last one is still on its way to the BMC.");
            return;
        }
        self.pending.set(Some((machine, action)));
        if let Some(after) = self.after {
            after.run(());
        }
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

/// The commands as a row of buttons. The commander's question is drawn by the page.
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
    /// Also what is wanted less often: the firmware's set-up.
    #[prop(optional)]
    all: bool,
) -> impl IntoView {
    let busy = commander.pending();
    let press = move |action| commander.press(Order { machine, name: name.get_untracked(), netboot: netboot.get_untracked(), action });
    let buttons = if all { POWER_ALL } else { POWER_MENU }
        .iter()
        .map(|&action| {
            let (label, title) = command(action);
            let pointless = move || power.with(|power| pointless(action, power.state));
            let off = Off::new(
                Signal::derive(move || busy.get().is_some()),
                Signal::derive(move || disabled.get() || pointless()),
            );
            view! {
                <button
                    type="button"
                    class="btn btn-sm"
                    title=title
                    data-testid=format!("power-{}", action.word())
                    disabled=move || off.hard()
                    aria-disabled=move || off.soft()
                    on:focus=move |_| off.focus(true)
                    on:blur=move |_| off.focus(false)
                    on:click=move |_| if !off.is() { press(action) }
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
    }
}

pub(super) fn icon(action: PowerAction) -> Icon {
    match action {
        PowerAction::On | PowerAction::Off => Icon::Power,
        PowerAction::Reboot | PowerAction::DiskReboot | PowerAction::BiosReboot => Icon::Reset,
        PowerAction::PxeReboot => Icon::Network,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_names_the_machine_and_what_would_come_of_it() {
        let order = |action, netboot| Order { machine: 7, name: "d03".into(), netboot, action };
        let [title, text, verb] = order(PowerAction::PxeReboot, false).question();
        assert_eq!((title.as_str(), verb.as_str()), ("Netboot of d03 is off", "PXE boot anyway"));
        assert!(text.contains("boot from its disk"));
        let [title, text, verb] = order(PowerAction::Off, false).question();
        assert_eq!((title.as_str(), verb.as_str()), ("Power off: d03", "Power off"));
        assert_eq!(text, "Switch the machine off at once, without asking its operating system.");
        assert!(!order(PowerAction::PxeReboot, true).leads_nowhere() && !order(PowerAction::Reboot, false).leads_nowhere());
    }

    #[test]
    fn what_is_so_already_is_not_offered() {
        assert!(pointless(PowerAction::On, PowerState::On) && pointless(PowerAction::Reboot, PowerState::Off));
        assert!(!pointless(PowerAction::On, PowerState::BmcError) && !pointless(PowerAction::PxeReboot, PowerState::Off));
    }
}
