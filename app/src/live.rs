//! Live changes, laid over what the resources loaded.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};

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

impl Overlay {
    fn take(&mut self, news: &Self) {
        self.power = news.power.clone().or(self.power.take());
        self.state = news.state.or(self.state);
    }
}

type Listener = Arc<dyn Fn(&LabEvent) + Send + Sync>;

/// The newest of one thing, and those on the page that show it. Each has a signal of its own, which goes with it: a signal keeps what
/// was subscribed to it and is no more until it is set, and what is well for a month is not set for a month.
struct Followed<T> {
    newest: T,
    readers: BTreeMap<u64, ArcRwSignal<T>>,
}

/// Things that nobody shows any more and that are followed all the same, as rows come back when one pages back.
/// What the lab has besides is not kept: it may be ten thousand machines.
const SPARE: usize = 256;

/// Messages that are remembered whether or not what they are about is shown.
const RECENT: usize = 64;

/// Everything of one kind that the page shows, or has shown lately.
type Follow<T> = StoredValue<HashMap<i64, Followed<T>>>;

#[derive(Clone, Copy)]
pub(crate) struct Live {
    /// One signal per machine: a change of one wakes what shows that one, however many are on the page.
    machines: Follow<Overlay>,
    /// The same for BMCs, of which one may serve many machines.
    bmcs: Follow<Option<BmcHealth>>,
    /// The last that was said of machines, whether shown or not: an answer may be on its way here with what was before.
    recent: StoredValue<VecDeque<(i64, Overlay)>>,
    listeners: StoredValue<(u32, Vec<(u32, Listener)>)>,
    status: RwSignal<Option<StreamStatus>>,
    subscription: StoredValue<Option<Subscription>>,
}

impl Live {
    pub(crate) fn provide() -> Self {
        let live = Self {
            machines: StoredValue::new(HashMap::new()),
            bmcs: StoredValue::new(HashMap::new()),
            recent: StoredValue::new(VecDeque::new()),
            listeners: StoredValue::new((0, Vec::new())),
            status: RwSignal::new(None),
            subscription: StoredValue::new(None),
        };
        provide_context(live);
        live
    }

    /// Opens the stream, once, for as long as the document lives or until it is closed. Not while the page is drawn.
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

    /// Closes the stream before what it was opened with ends. [`Live::connect`] opens another.
    pub(crate) fn close(self) {
        self.subscription.set_value(None);
        self.status.set(None);
    }

    /// None while there is no stream.
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
                self.recent.try_update_value(VecDeque::clear);
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
                self.news(*machine, Overlay { power: Some(power), state: None });
            }
            LabEvent::BmcHealth { bmc, health } => self.set_health(*bmc, health),
            LabEvent::State { machine, state } => self.news(*machine, Overlay { power: None, state: Some(*state) }),
            LabEvent::Changed { .. } | LabEvent::Removed { .. } | LabEvent::Event { .. } | LabEvent::List { .. } | LabEvent::Resync => {}
        }
        let listeners = self.listeners.try_with_value(|(_, list)| list.clone()).unwrap_or_default();
        for (_, listener) in listeners {
            listener(event);
        }
    }

    fn news(self, machine: i64, news: Overlay) {
        self.overlay(machine, |overlay| overlay.take(&news));
        self.recent.try_update_value(|recent| {
            recent.truncate(RECENT - 1);
            recent.push_front((machine, news));
        });
    }

    /// What the stream said of a machine lately.
    fn lately(self, machine: i64) -> Overlay {
        let mut overlay = Overlay::default();
        if self.status.get_untracked() == Some(StreamStatus::Open) {
            self.recent.try_with_value(|recent| {
                recent.iter().rev().filter(|(own, _)| *own == machine).for_each(|(_, news)| overlay.take(news));
            });
        }
        overlay
    }

    fn set_health(self, bmc: i64, health: &BmcHealth) {
        tell(self.bmcs, bmc, |known| *known = Some(health.clone()));
    }

    /// The newest that is known of a BMC's health, starting from what was loaded. Until the calling component goes.
    pub(crate) fn health(self, bmc: i64, loaded: BmcHealth) -> Signal<BmcHealth> {
        let newest = follow(self.bmcs, bmc, || None);
        Signal::derive(move || newest.with(Clone::clone).unwrap_or_else(|| loaded.clone()))
    }

    fn overlay(self, machine: i64, change: impl FnOnce(&mut Overlay)) {
        tell(self.machines, machine, change);
    }

    /// What the stream said last of a machine's power, while it is open.
    pub(crate) fn newest_power(self, machine: i64) -> Option<PowerState> {
        if self.status.get_untracked() != Some(StreamStatus::Open) {
            return None;
        }
        let followed = self.machines.try_with_value(|all| all.get(&machine).map(|one| one.newest.clone())).flatten();
        followed.unwrap_or_else(|| self.lately(machine)).power.map(|power| power.state)
    }

    /// The newest power state known, starting from what was loaded. Until the calling component goes.
    pub(crate) fn power(self, machine: i64, loaded: impl Fn() -> Power + Send + Sync + 'static) -> Signal<Power> {
        let overlay = follow(self.machines, machine, || self.lately(machine));
        Signal::derive(move || overlay.with(|overlay| overlay.power.clone()).unwrap_or_else(&loaded))
    }

    /// The newest provisioning state known, starting from what was loaded. Until the calling component goes.
    pub(crate) fn state(self, machine: i64, loaded: impl Fn() -> MachineState + Send + Sync + 'static) -> Signal<MachineState> {
        let overlay = follow(self.machines, machine, || self.lately(machine));
        Signal::derive(move || overlay.with(|overlay| overlay.state).unwrap_or_else(&loaded))
    }
}

/// Wakes readers only when something is different: a snapshot mostly says what is known. What nobody shows is not kept.
fn tell<T: Clone + PartialEq + Send + Sync + 'static>(all: Follow<T>, id: i64, change: impl FnOnce(&mut T)) {
    let told = all.try_update_value(|all| {
        let one = all.get_mut(&id)?;
        let before = one.newest.clone();
        change(&mut one.newest);
        (one.newest != before).then(|| (one.newest.clone(), one.readers.values().cloned().collect::<Vec<_>>()))
    });
    if let Some((newest, readers)) = told.flatten() {
        readers.into_iter().for_each(|reader| reader.set(newest.clone()));
    }
}

/// Keeps the newest of a thing until the calling component goes.
fn follow<T: Clone + Send + Sync + 'static>(all: Follow<T>, id: i64, first: impl Fn() -> T) -> ArcRwSignal<T> {
    let reader = all.try_update_value(|all| {
        let one = all.entry(id).or_insert_with(|| Followed { newest: first(), readers: BTreeMap::new() });
        let own = one.readers.last_key_value().map_or(0, |(last, _)| last + 1);
        let reader = ArcRwSignal::new(one.newest.clone());
        one.readers.insert(own, reader.clone());
        (own, reader)
    });
    let Some((own, reader)) = reader else { return ArcRwSignal::new(first()) };
    on_cleanup(move || {
        all.try_update_value(|all| {
            if let Some(one) = all.get_mut(&id) {
                one.readers.remove(&own);
            }
            let unread = all.values().filter(|one| one.readers.is_empty()).count();
            if unread > SPARE {
                all.retain(|_, one| !one.readers.is_empty());
            }
        });
    });
    reader
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Status;

    fn status(machine: i64) -> Status {
        Status { machine, power: PowerState::On, error: None, state: MachineState::Ready }
    }

    #[test]
    fn what_is_shown_is_followed_and_nothing_else_is_kept() {
        let owner = Owner::new();
        owner.with(|| {
            let live = Live::provide();
            let page = Owner::new();
            let power = page.with(|| live.power(7, Power::default));
            live.apply(&LabEvent::Snapshot { machines: (1..=10_000).map(status).collect(), bmcs: Vec::new() });
            assert_eq!(power.get_untracked().state, PowerState::On);
            assert_eq!(live.machines.with_value(HashMap::len), 1);
            // somebody pages through the lab for hours
            for id in 0..5_000 {
                let row = Owner::new();
                row.with(|| live.state(id, MachineState::default));
                live.apply(&LabEvent::State { machine: id, state: MachineState::Error });
                row.cleanup();
            }
            assert!(live.machines.with_value(HashMap::len) <= SPARE + 1);
            live.apply(&LabEvent::Power { machine: 7, power: PowerState::Off, error: None });
            assert_eq!(power.get_untracked().state, PowerState::Off);
        });
    }

    #[test]
    fn whoever_shows_the_same_thing_is_told_and_leaves_nothing_behind() {
        let owner = Owner::new();
        owner.with(|| {
            let live = Live::provide();
            let (row, badge) = (Owner::new(), Owner::new());
            let first = row.with(|| live.health(7, BmcHealth::default()));
            let unreachable = BmcHealth { reachable: Some(false), ..BmcHealth::default() };
            for _ in 0..1_000 {
                let drawn_anew = Owner::new();
                drawn_anew.with(|| live.health(7, BmcHealth::default()));
                drawn_anew.cleanup();
            }
            assert_eq!(live.bmcs.with_value(|all| all[&7].readers.len()), 1);
            let second = badge.with(|| live.health(7, BmcHealth::default()));
            live.apply(&LabEvent::BmcHealth { bmc: 7, health: unreachable.clone() });
            assert_eq!((first.get_untracked(), second.get_untracked()), (unreachable.clone(), unreachable.clone()));
            row.cleanup();
            // one that comes later starts with what is known
            assert_eq!(badge.with(|| live.health(7, BmcHealth::default())).get_untracked(), unreachable);
        });
    }

    #[test]
    fn what_was_said_while_an_answer_was_on_its_way_is_not_lost() {
        let owner = Owner::new();
        owner.with(|| {
            let live = Live::provide();
            live.status.set(Some(StreamStatus::Open));
            live.apply(&LabEvent::Power { machine: 7, power: PowerState::On, error: None });
            live.apply(&LabEvent::State { machine: 7, state: MachineState::Error });
            live.apply(&LabEvent::Power { machine: 7, power: PowerState::Off, error: None });
            assert_eq!(live.power(7, Power::default).get_untracked().state, PowerState::Off);
            assert_eq!(live.state(7, MachineState::default).get_untracked(), MachineState::Error);
            for id in 0..1_000 {
                live.apply(&LabEvent::State { machine: id, state: MachineState::Ready });
            }
            assert_eq!(live.recent.with_value(VecDeque::len), RECENT);
            // a snapshot says what is so now, and the answer that follows it is newer
            live.apply(&LabEvent::Snapshot { machines: Vec::new(), bmcs: Vec::new() });
            assert_eq!(live.state(999, MachineState::default).get_untracked(), MachineState::Unknown);
        });
    }
}
