use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use app::api::{BmcBackend, BmcType, Fru, LabEvent, PowerState, SelEntry, Sensor};
use store::testing::TestStore;
use tokio::{sync::broadcast, time::sleep};

use super::*;
use crate::{
    bmc::{Bmc, BootDevice, Console, PowerControl},
    journal::Journal,
};

fn target(id: i64) -> BmcTarget {
    BmcTarget {
        id,
        name: format!("bmc{id}"),
        address: ([127, 0, 0, 1], 9).into(),
        kind: BmcType::Plain,
        backend: BmcBackend::Native,
        quirks: Vec::new(),
        privilege: app::api::BmcPrivilege::Admin,
        key: String::new().into(),
        username: String::new(),
        password: String::new().into(),
        info: String::new(),
        floor: None,
    }
}

const EVERY: Duration = Duration::from_secs(15);

fn schedule() -> Schedule {
    Schedule { every: EVERY, ..Schedule::default() }
}

fn answer(machine: i64, target: BmcTarget, result: Result<PowerState, BmcError>) -> Answer {
    Answer { machine, alone: false, target, result, suite: None }
}

fn silent() -> BmcError {
    BmcError::Unreachable("no answer".into())
}

#[test]
fn a_large_fleet_is_spread_over_the_interval() {
    let now = Instant::now();
    let mut schedule = schedule();
    let gone = schedule.update((0..1000).map(|id| (id, target(id))).collect(), now);
    assert_eq!(gone, [0i64; 0]);
    let first_second = schedule.entries.values().filter(|entry| entry.due < now + Duration::from_secs(1)).count();
    assert!((60..=70).contains(&first_second), "{first_second} of 1000 in the first of 15 seconds");
    assert!(schedule.entries.values().all(|entry| entry.due < now + EVERY));
}

#[test]
fn a_corrected_password_is_tried_at_once_and_a_gone_machine_forgotten() {
    let now = Instant::now();
    let mut schedule = schedule();
    let _ = schedule.update(vec![(1, target(1)), (2, target(2))], now);
    for (machine, target, _) in schedule.due(now) {
        schedule.done(&answer(machine, target, Err(BmcError::Refused("wrong password".into()))), now);
    }
    assert!(schedule.due(now).is_empty());
    let corrected = BmcTarget { password: "right".to_owned().into(), ..target(1) };
    assert_eq!(schedule.update(vec![(1, corrected.clone())], now), [2]);
    let due = schedule.due(now);
    assert_eq!(due.len(), 1);
    assert!(due[0].1 == corrected && !due[0].2, "asked as it is now, and not as one in doubt");
}

#[test]
fn what_was_asked_in_the_old_way_is_no_answer() {
    let now = Instant::now();
    let mut schedule = schedule();
    let _ = schedule.update(vec![(1, target(1))], now);
    let (machine, old, _) = schedule.due(now).remove(0);
    let _ = schedule.update(vec![(1, BmcTarget { address: ([127, 0, 0, 2], 9).into(), ..target(1) })], now);
    assert!(schedule.done(&answer(machine, old, Ok(PowerState::On)), now).is_empty());
    assert_eq!(schedule.due(now).len(), 1);
}

#[test]
fn a_floor_that_rises_is_no_change_one_that_falls_is() {
    let now = Instant::now();
    let mut schedule = schedule();
    let floor = |floor| vec![(1, BmcTarget { floor, ..target(1) })];
    let _ = schedule.update(floor(None), now);
    let (machine, asked, _) = schedule.due(now).remove(0);
    schedule.done(&answer(machine, asked, Ok(PowerState::On)), now);
    let _ = schedule.update(floor(Some(17)), now);
    assert!(schedule.due(now).is_empty());
    let _ = schedule.update(floor(None), now);
    assert_eq!(schedule.due(now).len(), 1);
}

#[test]
fn a_dead_chassis_is_asked_by_one_cartridge_for_all_and_is_back_for_all() {
    let now = Instant::now();
    let mut schedule = schedule();
    let cartridge = |machine: i64| (machine, BmcTarget { info: machine.to_string(), ..target(1) });
    let _ = schedule.update((1..=10).map(cartridge).collect(), now);
    let first = schedule.due(now);
    assert_eq!(first.len(), PER_BMC, "a chassis is not asked by all of its cartridges at once");
    let mut told = BTreeMap::new();
    for (machine, target, _) in first {
        told.extend(schedule.done(&answer(machine, target, Err(silent())), now));
    }
    assert_eq!(told.len(), 10, "what the chassis does not say is unknown of every cartridge");
    assert!(told.values().all(|reading| reading.state == PowerState::BmcError));
    let later = now + LONGEST * 2;
    let (machine, target, doubtful) = {
        let mut one = schedule.due(later);
        assert_eq!(one.len(), 1);
        one.remove(0)
    };
    assert!(doubtful);
    schedule.done(&answer(machine, target, Ok(PowerState::On)), later);
    assert_eq!(schedule.due(later).len(), PER_BMC, "the others are asked at once");
}

#[test]
fn an_empty_slot_is_not_the_chassis_fault() {
    let now = Instant::now();
    let mut schedule = schedule();
    let _ = schedule.update(vec![(1, target(1)), (2, target(1))], now);
    for (machine, target, _) in schedule.due(now) {
        let result = if machine == 1 { Err(BmcError::Behind("no cartridge".into())) } else { Ok(PowerState::On) };
        assert_eq!(schedule.done(&answer(machine, target, result), now).len(), 1);
    }
    let soon = now + EVERY + EVERY / 5;
    let due: Vec<i64> = schedule.due(soon).into_iter().map(|(machine, ..)| machine).collect();
    assert!(due.contains(&2));
}

/// What became of a fleet that was polled for a while on a clock that only the test moves.
#[derive(Default)]
struct World {
    asked: Mutex<HashMap<i64, Vec<Instant>>>,
    at_once: AtomicUsize,
    most: AtomicUsize,
    stored: Mutex<Vec<(i64, u8)>>,
}

impl World {
    /// The suites that were stored, once each.
    fn suites(&self) -> Vec<(i64, u8)> {
        let mut stored = self.stored.lock().unwrap().clone();
        stored.sort_unstable();
        stored.dedup();
        stored
    }
}

struct FakeBmc {
    id: i64,
    dead: bool,
    world: Arc<World>,
}

#[async_trait]
impl Bmc for FakeBmc {
    async fn power(&self) -> Result<PowerState, BmcError> {
        self.world.asked.lock().unwrap().entry(self.id).or_default().push(Instant::now());
        let at_once = self.world.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        self.world.most.fetch_max(at_once, Ordering::SeqCst);
        sleep(Duration::from_millis(if self.dead { 4500 } else { 20 })).await;
        self.world.at_once.fetch_sub(1, Ordering::SeqCst);
        if self.dead { Err(silent()) } else { Ok(PowerState::On) }
    }

    async fn control(&self, _: PowerControl) -> Result<(), BmcError> {
        unreachable!("a poller only asks")
    }

    async fn set_boot_device(&self, _: BootDevice, _: bool, _: bool) -> Result<(), BmcError> {
        unreachable!("a poller only asks")
    }

    async fn open_console(&self, _: bool) -> Result<Console, BmcError> {
        unreachable!("a poller only asks")
    }

    async fn fru(&self) -> Result<Fru, BmcError> {
        unreachable!("a poller only asks for the power")
    }

    async fn sensors(&self) -> Result<Vec<Sensor>, BmcError> {
        unreachable!("a poller only asks for the power")
    }

    async fn sel(&self) -> Result<Vec<SelEntry>, BmcError> {
        unreachable!("a poller only asks for the power")
    }

    fn suite(&self) -> Option<u8> {
        (!self.dead).then_some(17)
    }
}

struct FakeRoster {
    machines: Vec<(i64, BmcTarget)>,
    alone: Vec<BmcTarget>,
    world: Arc<World>,
}

#[async_trait]
impl Roster for FakeRoster {
    async fn all(&self) -> Option<Asked> {
        let stored = self.world.stored.lock().unwrap();
        let floor = |id| stored.iter().find(|(bmc, _)| *bmc == id).map(|(_, suite)| *suite);
        let now = |target: &BmcTarget| BmcTarget { floor: floor(target.id), ..target.clone() };
        let machines = self.machines.iter().map(|(id, target)| (*id, now(target))).collect();
        Some(Asked { machines, alone: self.alone.iter().map(now).collect() })
    }

    async fn agreed(&self, target: &BmcTarget, suite: u8) {
        self.world.stored.lock().unwrap().push((target.id, suite));
    }
}

/// A fleet whose time only passes when nothing else is to be done, and what it tells.
struct Paused {
    fleet: Fleet,
    news: broadcast::Receiver<LabEvent>,
    world: Arc<World>,
    /// Its file goes with it.
    _store: TestStore,
}

async fn paused(dead: fn(i64) -> bool) -> Paused {
    let store = store::testing::sqlite().await;
    let journal = Journal::new(store.store.clone());
    let news = journal.listen();
    tokio::time::pause();
    let world = Arc::new(World::default());
    let own = Arc::clone(&world);
    let fleet = Fleet::made_by(
        journal,
        Box::new(move |target| Ok(Box::new(FakeBmc { id: target.id, dead: dead(target.id), world: Arc::clone(&own) }))),
    );
    Paused { fleet, news, world, _store: store }
}

#[tokio::test]
async fn dead_bmcs_are_asked_less_and_less_and_delay_nobody() {
    // of 400 BMCs every second is silent
    let Paused { fleet, mut news, world, _store } = paused(|id| id % 2 == 0).await;
    let machines: Vec<_> = (1..=400).map(|id| (id, target(id))).collect();
    let roster = FakeRoster { machines, alone: Vec::new(), world: Arc::clone(&world) };
    let cancel = CancellationToken::new();
    let poller = tokio::spawn(poll(fleet.clone(), roster, EVERY, 32, cancel.clone()));
    sleep(Duration::from_secs(1800)).await;
    cancel.cancel();
    poller.await.unwrap();

    assert!(world.most.load(Ordering::SeqCst) <= 32, "{} at once", world.most.load(Ordering::SeqCst));
    let asked = world.asked.lock().unwrap();
    for id in 1..=400 {
        let times = asked[&id].len();
        if id % 2 == 0 {
            assert!((6..=20).contains(&times), "dead BMC {id} was asked {times} times in half an hour");
        } else {
            assert!((100..=121).contains(&times), "BMC {id} was asked {times} times in half an hour, every 15 s");
        }
    }
    // once all that is dead is known, each living one is asked every interval and a little
    for (id, times) in asked.iter().filter(|(id, _)| *id % 2 == 1) {
        let settled = times.iter().skip(10).collect::<Vec<_>>();
        let longest = settled.windows(2).map(|pair| *pair[1] - *pair[0]).max().unwrap();
        assert!(longest < EVERY + Duration::from_secs(2), "BMC {id} waited {longest:?}");
    }
    drop(asked);

    assert_eq!(fleet.power(1), PowerReading { state: PowerState::On, error: None });
    assert_eq!((fleet.health(1).reachable, fleet.health(1).error), (Some(true), None));
    assert_eq!(
        (fleet.health(2).reachable, fleet.health(2).last_answer, fleet.health(2).error),
        (Some(false), None, Some("no answer".into()))
    );
    let mut told = [0; 2];
    while let Ok(message) = news.try_recv() {
        match message {
            LabEvent::Power { .. } => told[0] += 1,
            LabEvent::BmcHealth { .. } => told[1] += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(told, [400, 400], "each told once: nothing changed after");
    assert_eq!(world.suites(), (1..=400).filter(|id| id % 2 == 1).map(|id| (id, 17)).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_bmc_without_a_machine_is_asked_soon_and_then_seldom() {
    let Paused { fleet, mut news, world, _store } = paused(|id| id == 2).await;
    // a machine's number says nothing of a BMC's
    let roster = FakeRoster { machines: vec![(1, target(3))], alone: vec![target(1), target(2)], world: Arc::clone(&world) };
    let cancel = CancellationToken::new();
    let poller = tokio::spawn(poll(fleet.clone(), roster, EVERY, 8, cancel.clone()));
    sleep(Duration::from_secs(8)).await;
    assert_eq!((fleet.health(1).reachable, fleet.health(1).error), (Some(true), None));
    assert_eq!((fleet.health(2).reachable, fleet.health(2).error), (Some(false), Some("no answer".into())));
    sleep(Duration::from_secs(1800)).await;
    cancel.cancel();
    poller.await.unwrap();
    let asked = world.asked.lock().unwrap();
    let times = |id: i64| asked[&id].len();
    assert!((28..=32).contains(&times(1)), "once a minute, not {} times in half an hour", times(1));
    assert!((6..=12).contains(&times(2)), "{} times in half an hour", times(2));
    assert!((100..=122).contains(&times(3)), "{} times in half an hour", times(3));
    drop(asked);
    let mut powers = Vec::new();
    while let Ok(message) = news.try_recv() {
        if let LabEvent::Power { machine, .. } = message {
            powers.push(machine);
        }
    }
    assert_eq!(powers, [1], "there is no machine whose power the others could tell");
    assert_eq!(world.suites(), [(1, 17), (3, 17)]);
}
