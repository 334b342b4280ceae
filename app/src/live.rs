//! Live changes, laid over what the resources loaded.

use std::{collections::HashMap, sync::Arc};

use leptos::prelude::*;

use crate::api::{Api, BmcHealth, LabEvent, Machine, MachineState, PowerState, StreamStatus, Subscription};

/// Power as the newest message has it, with the BMC's complaint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Power {
    pub(crate) state: PowerState,
    pub(crate) error: Option<String>,
}

impl Power {
    pub(crate) fn of(machine: &Machine) -> Self {
        Self { state: machine.power, error: machine.power_error.clone() }
    }
}

/// What the stream said of one machine since the page was rendered. Empty on the server and at hydration,
/// so both draw the same thing; filled by effects only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Overlay {
    power: Option<Power>,
    state: Option<MachineState>,
}

type Listener = Arc<dyn Fn(&LabEvent) + Send + Sync>;

#[derive(Clone, Copy)]
pub(crate) struct Live {
    /// One signal per machine: a change of one wakes what shows that one, however many are on the page.
    machines: StoredValue<HashMap<i64, ArcRwSignal<Overlay>>>,
    /// The same for BMCs, of which one may serve many machines.
    bmcs: StoredValue<HashMap<i64, ArcRwSignal<Option<BmcHealth>>>>,
    listeners: StoredValue<(u32, Vec<(u32, Listener)>)>,
    status: RwSignal<Option<StreamStatus>>,
    subscription: StoredValue<Option<Subscription>>,
}

impl Live {
    pub(crate) fn provide() -> Self {
        let live = Self {
            machines: StoredValue::new(HashMap::new()),
            bmcs: StoredValue::new(HashMap::new()),
            listeners: StoredValue::new((0, Vec::new())),
            status: RwSignal::new(None),
            subscription: StoredValue::new(None),
        };
        provide_context(live);
        live
    }

    /// Opens the stream, once, for as long as the document lives. From an effect only.
    pub(crate) fn connect(self, api: &Api) {
        if self.subscription.with_value(Option::is_some) {
            return;
        }
        let stream = api.subscribe(
            Box::new(move |event| self.apply(&event)),
            Box::new(move |status| {
                self.status.try_set(Some(status));
            }),
        );
        self.subscription.set_value(Some(stream));
    }

    /// None before the stream is opened.
    pub(crate) fn status(self) -> Signal<Option<StreamStatus>> {
        self.status.into()
    }

    /// Calls back for every message until the calling component goes.
    pub(crate) fn listen(self, listener: impl Fn(&LabEvent) + Send + Sync + 'static) {
        let id = self.listeners.try_update_value(|(next, list)| {
            *next += 1;
            list.push((*next, Arc::new(listener) as Listener));
            *next
        });
        on_cleanup(move || {
            self.listeners.try_update_value(|(_, list)| list.retain(|(own, _)| Some(*own) != id));
        });
    }

    fn apply(self, event: &LabEvent) {
        match event {
            LabEvent::Snapshot { machines, bmcs } => {
                for status in bmcs {
                    self.set_health(status.bmc, &status.health);
                }
                for status in machines {
                    let power = Power { state: status.power, error: status.error.clone() };
                    self.overlay(status.machine, |overlay| *overlay = Overlay { power: Some(power), state: Some(status.state) });
                }
            }
            LabEvent::Power { machine, power, error } => {
                let power = Power { state: *power, error: error.clone() };
                self.overlay(*machine, |overlay| overlay.power = Some(power));
            }
            LabEvent::BmcHealth { bmc, health } => self.set_health(*bmc, health),
            LabEvent::State { machine, state } => self.overlay(*machine, |overlay| overlay.state = Some(*state)),
            LabEvent::Changed { .. } | LabEvent::Removed { .. } | LabEvent::Event { .. } | LabEvent::Resync => {}
        }
        let listeners = self.listeners.try_with_value(|(_, list)| list.clone()).unwrap_or_default();
        for (_, listener) in listeners {
            listener(event);
        }
    }

    fn signal(self, machine: i64) -> ArcRwSignal<Overlay> {
        self.machines
            .try_update_value(|machines| machines.entry(machine).or_insert_with(|| ArcRwSignal::new(Overlay::default())).clone())
            .unwrap_or_else(|| ArcRwSignal::new(Overlay::default()))
    }

    fn health_signal(self, bmc: i64) -> ArcRwSignal<Option<BmcHealth>> {
        self.bmcs
            .try_update_value(|bmcs| bmcs.entry(bmc).or_insert_with(|| ArcRwSignal::new(None)).clone())
            .unwrap_or_else(|| ArcRwSignal::new(None))
    }

    fn set_health(self, bmc: i64, health: &BmcHealth) {
        self.health_signal(bmc).maybe_update(|known| {
            let news = known.as_ref() != Some(health);
            *known = Some(health.clone());
            news
        });
    }

    /// The newest that is known of a BMC's health, starting from what was loaded.
    pub(crate) fn health(self, bmc: i64, loaded: BmcHealth) -> Signal<BmcHealth> {
        let newest = self.health_signal(bmc);
        Signal::derive(move || newest.with(Clone::clone).unwrap_or_else(|| loaded.clone()))
    }

    /// Wakes readers only when something is different: a snapshot mostly says what is known.
    fn overlay(self, machine: i64, change: impl FnOnce(&mut Overlay)) {
        self.signal(machine).maybe_update(|overlay| {
            let before = overlay.clone();
            change(overlay);
            *overlay != before
        });
    }

    /// What the stream said last of a machine's power and state, while it is open.
    pub(crate) fn newest(self, machine: i64) -> (Option<PowerState>, Option<MachineState>) {
        if self.status.get_untracked() != Some(StreamStatus::Open) {
            return (None, None);
        }
        let overlay = self.machines.try_with_value(|machines| machines.get(&machine).map(ArcRwSignal::get_untracked)).flatten();
        overlay.map(|overlay| (overlay.power.map(|power| power.state), overlay.state)).unwrap_or_default()
    }

    /// The newest power state known, starting from what was loaded.
    pub(crate) fn power(self, machine: i64, loaded: Power) -> Signal<Power> {
        let overlay = self.signal(machine);
        Signal::derive(move || overlay.with(|overlay| overlay.power.clone()).unwrap_or_else(|| loaded.clone()))
    }

    /// The newest provisioning state known, starting from what was loaded.
    pub(crate) fn state(self, machine: i64, loaded: MachineState) -> Signal<MachineState> {
        let overlay = self.signal(machine);
        Signal::derive(move || overlay.with(|overlay| overlay.state).unwrap_or(loaded))
    }
}
