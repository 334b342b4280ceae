//! What the overview knows of the lab, and how the stream keeps it up to date.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use futures_util::future::{join, join_all, try_join};
use leptos::{prelude::*, task::spawn_local};
use serde::{Deserialize, Serialize};

use crate::{
    api::{
        Api, ApiError, Bmc, BmcHealth, BmcStatus, Event, EventKind, Instant, LabEvent, Machine, MachineAssignee, MachineState, PowerState,
        Status,
    },
    live::Live,
    pages::{
        follow::{Listing, follow},
        health::is_well,
        machine::{Tone, sentence},
    },
    ui::{clock, natural},
};

/// Types of events that tell, or may tell, of a failure.
const BAD: [&str; 4] = ["BMC_ERROR", "PRESEED_ERROR", "FETCH_FAILED", "STATE_CHANGE"];
/// So many of them at most.
const PAGE: u32 = 500;
/// Machines being provisioned whose logs are asked for when the page opens, at most: each is a call.
const LOGS: usize = 24;
/// Entries of each.
const ENTRIES: u32 = 50;
/// Failures kept.
const FAILURES: usize = 100;

/// A machine as far as this page shows it: of ten thousand, everything would be megabytes of the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Brief {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) state: MachineState,
    pub(super) power: PowerState,
    pub(super) bmc: Option<i64>,
    pub(super) holders: Vec<MachineAssignee>,
}

impl From<Machine> for Brief {
    fn from(machine: Machine) -> Self {
        let Machine { id, name, state, power, bmc_id, assignees, .. } = machine;
        Self { id, name, state, power, bmc: bmc_id, holders: assignees }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct BriefBmc {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) health: BmcHealth,
}

impl From<Bmc> for BriefBmc {
    fn from(bmc: Bmc) -> Self {
        let Bmc { id, name, health, .. } = bmc;
        Self { id, name, health }
    }
}

/// What the page is drawn from at first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Loaded {
    machines: Vec<Brief>,
    bmcs: Vec<BriefBmc>,
    /// What may be a failure, of all machines, and the logs of those being provisioned.
    events: Vec<Event>,
    /// There were more than were asked for.
    more: bool,
    /// A day ago.
    since: Instant,
}

pub(super) async fn load(api: Api) -> Result<Loaded, ApiError> {
    let (machines, bmcs) = try_join(api.machines(true), api.bmcs()).await?;
    let machines: Vec<Brief> = machines.into_iter().map(Brief::from).collect();
    let since = a_day_ago();
    let running = machines.iter().filter(|machine| machine.state == MachineState::Provisioning);
    let logs = running.take(LOGS).map(|machine| api.events(machine.id, None, ENTRIES));
    let (failures, logs) = join(api.lab_events(&BAD, &since, PAGE), join_all(logs)).await;
    // a log that cannot be had, because its machine went meanwhile, is no reason to show nothing
    let failures = failures?;
    let more = failures.len() >= PAGE as usize;
    let events = logs.into_iter().filter_map(Result::ok).flatten().chain(failures).collect();
    Ok(Loaded { machines, bmcs: bmcs.into_iter().map(BriefBmc::from).collect(), events, more, since })
}

fn a_day_ago() -> Instant {
    clock::instant(clock::now() - clock::DAY)
}

/// How far a provisioning is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Step {
    pub(super) since: Option<Instant>,
    pub(super) last: Option<Event>,
}

/// Somebody with machines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Holder {
    pub(super) user: String,
    /// Id, name, and why.
    pub(super) machines: Vec<(i64, String, String)>,
}

#[derive(Clone, Copy)]
pub(super) struct Board {
    pub(super) machines: RwSignal<BTreeMap<i64, Brief>>,
    pub(super) bmcs: RwSignal<BTreeMap<i64, BriefBmc>>,
    steps: RwSignal<BTreeMap<i64, Step>>,
    /// Newest first.
    pub(super) failures: RwSignal<Vec<Event>>,
    /// The day may have had failures before these.
    pub(super) more: StoredValue<bool>,
}

impl Board {
    pub(super) fn new(loaded: Loaded) -> Self {
        let Loaded { machines, bmcs, mut events, more, since } = loaded;
        let live = expect_context::<Live>();
        let machines = machines.into_iter().map(|mut machine| {
            // the stream may have been quicker than the answer
            let (power, state) = live.newest(machine.id);
            machine.power = power.unwrap_or(machine.power);
            machine.state = state.unwrap_or(machine.state);
            (machine.id, machine)
        });
        let board = Self {
            machines: RwSignal::new(machines.collect()),
            bmcs: RwSignal::new(bmcs.into_iter().map(|bmc| (bmc.id, bmc)).collect()),
            steps: RwSignal::new(BTreeMap::new()),
            failures: RwSignal::new(Vec::new()),
            more: StoredValue::new(more),
        };
        events.sort_by_key(|event| event.id);
        for event in events {
            board.note(&event, &since);
        }
        board
    }

    /// Follows the stream until the calling component goes.
    pub(super) fn follow(self) {
        follow(Arc::new(self));
        let live = expect_context::<Live>();
        let api = expect_context::<Api>();
        live.listen(move |event| match event {
            LabEvent::Snapshot { machines, bmcs } => {
                self.statuses(machines);
                if !self.healths(bmcs) {
                    let api = api.clone();
                    spawn_local(async move {
                        // the next snapshot brings the next try
                        if let Ok(bmcs) = api.bmcs().await {
                            self.bmcs.try_set(bmcs.into_iter().map(|bmc| (bmc.id, bmc.into())).collect());
                        }
                    });
                }
            }
            LabEvent::Power { machine, power, .. } => self.change(*machine, |brief| brief.power = *power),
            LabEvent::State { machine, state } => self.change(*machine, |brief| brief.state = *state),
            LabEvent::BmcHealth { bmc, health } => {
                self.healths(&[BmcStatus { bmc: *bmc, health: health.clone() }]);
            }
            LabEvent::Event { event } => self.note(event, &a_day_ago()),
            LabEvent::Changed { .. } | LabEvent::Removed { .. } | LabEvent::Resync => {}
        });
    }

    fn change(self, machine: i64, change: impl FnOnce(&mut Brief)) {
        self.machines.try_maybe_update(|machines| {
            let Some(brief) = machines.get_mut(&machine) else { return (false, ()) };
            let before = (brief.state, brief.power);
            change(brief);
            ((brief.state, brief.power) != before, ())
        });
    }

    fn statuses(self, statuses: &[Status]) {
        self.machines.try_maybe_update(|machines| {
            let mut news = false;
            for status in statuses {
                if let Some(brief) = machines.get_mut(&status.machine) {
                    news |= (brief.state, brief.power) != (status.state, status.power);
                    (brief.state, brief.power) = (status.state, status.power);
                }
            }
            (news, ())
        });
    }

    /// Whether all of them were known.
    fn healths(self, statuses: &[BmcStatus]) -> bool {
        let known = self.bmcs.try_maybe_update(|bmcs| {
            let (mut news, mut known) = (false, true);
            for status in statuses {
                match bmcs.get_mut(&status.bmc) {
                    Some(bmc) if bmc.health != status.health => {
                        bmc.health = status.health.clone();
                        news = true;
                    }
                    Some(_) => {}
                    None => known = false,
                }
            }
            (news, known)
        });
        known.unwrap_or(true)
    }

    /// Takes an entry of a machine's log, newer than those before.
    fn note(self, event: &Event, since: &Instant) {
        self.steps.try_update(|steps| {
            let step = steps.entry(event.machine_id).or_default();
            match &event.what {
                EventKind::StateChange { state: MachineState::Provisioning, .. } => {
                    *step = Step { since: Some(event.date.clone()), last: None }
                }
                _ => step.last = Some(event.clone()),
            }
        });
        if sentence(event).tone == Tone::Bad && event.date >= *since {
            self.failures.try_update(|failures| {
                if failures.iter().all(|known| known.id != event.id) {
                    failures.insert(0, event.clone());
                }
                failures.retain(|failure| failure.date >= *since);
                failures.truncate(FAILURES);
            });
        }
    }

    pub(super) fn by_state(self) -> [usize; 4] {
        use MachineState::{Error, Provisioning, Ready, Unknown};
        let machines = self.machines.read();
        [Provisioning, Ready, Error, Unknown].map(|state| machines.values().filter(|machine| machine.state == state).count())
    }

    pub(super) fn by_power(self) -> [usize; 4] {
        use PowerState::{BmcError, Off, On, Unknown};
        let machines = self.machines.read();
        [On, Off, BmcError, Unknown].map(|power| machines.values().filter(|machine| machine.power == power).count())
    }

    /// Most machines first.
    pub(super) fn holders(self) -> Vec<Holder> {
        let mut held: BTreeMap<String, Vec<(i64, String, String)>> = BTreeMap::new();
        for machine in self.machines.read().values() {
            for MachineAssignee { user, reason } in &machine.holders {
                held.entry(user.clone()).or_default().push((machine.id, machine.name.clone(), reason.clone()));
            }
        }
        let mut holders: Vec<Holder> = held.into_iter().map(|(user, machines)| Holder { user, machines }).collect();
        for holder in &mut holders {
            holder.machines.sort_by(|(_, a, _), (_, b, _)| natural(a, b));
        }
        holders.sort_by(|a, b| b.machines.len().cmp(&a.machines.len()).then_with(|| natural(&a.user, &b.user)));
        holders
    }

    /// Machines that nobody has.
    pub(super) fn free(self) -> usize {
        self.machines.read().values().filter(|machine| machine.holders.is_empty()).count()
    }

    /// Ids and names of the machines being provisioned.
    pub(super) fn running(self) -> Vec<(i64, String)> {
        let machines = self.machines.read();
        let running = machines.values().filter(|machine| machine.state == MachineState::Provisioning);
        let mut running: Vec<_> = running.map(|machine| (machine.id, machine.name.clone())).collect();
        running.sort_by(|(_, a), (_, b)| natural(a, b));
        running
    }

    pub(super) fn step(self, machine: i64) -> Step {
        self.steps.with(|steps| steps.get(&machine).cloned()).unwrap_or_default()
    }

    /// BMCs that do not answer or refuse, each with the machines behind it.
    pub(super) fn sick(self) -> Vec<(BriefBmc, Vec<(i64, String)>)> {
        let bmcs = self.bmcs.read();
        let machines = self.machines.read();
        let behind = |bmc: i64| {
            let own = machines.values().filter(|machine| machine.bmc == Some(bmc));
            own.map(|machine| (machine.id, machine.name.clone())).collect()
        };
        let mut sick: Vec<_> = bmcs.values().filter(|bmc| !is_well(&bmc.health)).map(|bmc| (bmc.clone(), behind(bmc.id))).collect();
        sick.sort_by(|(a, _), (b, _)| natural(&a.name, &b.name));
        sick
    }

    pub(super) fn name(self, machine: i64) -> Option<String> {
        self.machines.with(|machines| machines.get(&machine).map(|machine| machine.name.clone()))
    }
}

impl Listing for Board {
    fn put(&self, machine: Machine) {
        self.machines.try_maybe_update(|machines| {
            let brief = Brief::from(machine);
            let news = machines.get(&brief.id) != Some(&brief);
            machines.insert(brief.id, brief);
            (news, ())
        });
    }

    fn replace(&self, machines: Vec<Machine>) {
        self.machines.try_set(machines.into_iter().map(|machine| (machine.id, machine.into())).collect());
    }

    fn remove(&self, id: i64) {
        self.machines.try_update(|machines| machines.remove(&id));
        self.steps.try_update(|steps| steps.remove(&id));
        self.failures.try_update(|failures| failures.retain(|failure| failure.machine_id != id));
    }

    fn holds_exactly(&self, ids: &BTreeSet<i64>) -> bool {
        self.machines.try_with_untracked(|machines| machines.keys().eq(ids.iter())).unwrap_or(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::machine::sample;

    fn event(id: i64, date: &str, what: EventKind) -> Event {
        Event { id, machine_id: 1, username: None, date: Instant(date.into()), what }
    }

    fn failed(id: i64, date: &str) -> Event {
        event(id, date, EventKind::BmcError { action: "on".into(), message: "no answer".into() })
    }

    fn board() -> Board {
        Live::provide();
        let assignee = |user: &str| MachineAssignee { user: user.into(), reason: "tests".into() };
        let machine = |id, name: &str, users: &[&str], state, power| {
            Brief::from(Machine {
                id,
                name: name.into(),
                state,
                power,
                bmc_id: Some(id),
                assignees: users.iter().map(|user| assignee(user)).collect(),
                ..sample()
            })
        };
        let provisioning = EventKind::StateChange { state: MachineState::Provisioning, reason: String::new() };
        Board::new(Loaded {
            machines: vec![
                machine(1, "d03-10", &["alice", "bob"], MachineState::Provisioning, PowerState::On),
                machine(2, "d03-2", &["bob"], MachineState::Error, PowerState::BmcError),
                machine(3, "x86-1", &[], MachineState::Ready, PowerState::On),
            ],
            bmcs: vec![
                BriefBmc { id: 1, name: "b1".into(), health: BmcHealth::default() },
                BriefBmc { id: 2, name: "b2".into(), health: BmcHealth { reachable: Some(false), ..BmcHealth::default() } },
            ],
            events: vec![
                event(9, "2026-11-22T11:00:09.000000Z", EventKind::DhcpReq { discover: true }),
                event(8, "2026-11-22T11:00:08.000000Z", provisioning),
                failed(7, "2026-11-21T09:00:00.000000Z"),
                failed(6, "2026-11-20T09:00:00.000000Z"),
            ],
            more: false,
            since: Instant("2026-11-21T08:00:00.000000Z".into()),
        })
    }

    #[test]
    fn machines_are_counted_by_state_and_power() {
        Owner::new().with(|| {
            let board = board();
            assert_eq!(board.by_state(), [1, 1, 1, 0]);
            assert_eq!(board.by_power(), [2, 0, 1, 0]);
            board.change(3, |machine| machine.power = PowerState::Off);
            board.statuses(&[Status { machine: 2, power: PowerState::Off, error: None, state: MachineState::Ready }]);
            assert_eq!(board.by_state(), [1, 2, 0, 0]);
            assert_eq!(board.by_power(), [1, 2, 0, 0]);
            board.remove(1);
            assert_eq!(board.by_state(), [0, 2, 0, 0]);
        });
    }

    #[test]
    fn whoever_has_most_comes_first() {
        Owner::new().with(|| {
            let board = board();
            let held: Vec<_> = board.holders().into_iter().map(|holder| (holder.user, holder.machines.len())).collect();
            assert_eq!(held, [("bob".to_owned(), 2), ("alice".to_owned(), 1)]);
            assert_eq!(board.holders()[0].machines[0].1, "d03-2");
            assert_eq!(board.free(), 1);
        });
    }

    #[test]
    fn a_provisioning_tells_since_when_and_its_last_step() {
        Owner::new().with(|| {
            let board = board();
            assert_eq!(board.running(), [(1, "d03-10".to_owned())]);
            let step = board.step(1);
            assert_eq!(step.since.unwrap().0, "2026-11-22T11:00:08.000000Z");
            assert_eq!(step.last.unwrap().id, 9);
        });
    }

    #[test]
    fn failures_are_of_the_last_day_and_told_once() {
        Owner::new().with(|| {
            let board = board();
            let ids = || board.failures.with_untracked(|list| list.iter().map(|failure| failure.id).collect::<Vec<_>>());
            assert_eq!(ids(), [7]);
            let next_day = Instant("2026-11-21T10:00:00.000000Z".into());
            for _ in 0..2 {
                board.note(&failed(11, "2026-11-22T09:00:00.000000Z"), &next_day);
            }
            assert_eq!(ids(), [11]);
        });
    }

    #[test]
    fn only_bmcs_that_are_not_well_are_listed_with_their_machines() {
        Owner::new().with(|| {
            let board = board();
            let sick = board.sick();
            assert_eq!(sick.len(), 1);
            assert_eq!(sick[0].1, [(2, "d03-2".to_owned())]);
            assert!(board.healths(&[BmcStatus { bmc: 2, health: BmcHealth { reachable: Some(true), ..BmcHealth::default() } }]));
            assert!(board.sick().is_empty());
            assert!(!board.healths(&[BmcStatus { bmc: 3, health: BmcHealth::default() }]));
        });
    }
}
