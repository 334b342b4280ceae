//! Keeps the power state of every machine: each is asked once an interval, spread over it, a bounded number at a time.
//!
//! A BMC that does not answer is asked ever less often, by one of its machines for all of them, and in slots of its own: it
//! delays no other. BMCs without a machine are asked, too, so that a wrong address or password shows before there is one.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use super::{BmcError, BmcTarget, Fleet, PowerReading};

/// Who is to be asked.
pub struct Asked {
    /// Every machine that has a BMC.
    pub machines: Vec<(i64, BmcTarget)>,
    /// Every BMC that no machine has.
    pub alone: Vec<BmcTarget>,
}

/// Knows who is to be asked.
#[async_trait]
pub trait Roster: Send + Sync + 'static {
    /// None when the store does not answer just now.
    async fn all(&self) -> Option<Asked>;

    /// A stronger cipher suite than the target's floor was agreed on: to be the floor from now on.
    async fn agreed(&self, target: &BmcTarget, suite: u8);
}

/// How often the schedule is looked at, and how soon a new machine is asked.
const TICK: Duration = Duration::from_millis(250);
/// A change of the roster is seen after this at the latest.
const ROSTER_EVERY: Duration = Duration::from_secs(2);
/// A dead BMC is asked this often at the least.
const LONGEST: Duration = Duration::from_secs(300);

/// A BMC without a machine is asked this much less often: only its health is of interest.
const IDLE: u32 = 4;

/// Up to so many new machines are asked without delay.
const AT_ONCE: usize = 16;
/// Questions to one BMC at a time: a chassis has many machines and a small processor.
const PER_BMC: usize = 4;

struct Entry {
    target: BmcTarget,
    due: Instant,
    /// In a row, of this machine alone.
    failures: u32,
    running: bool,
    /// The failures of its BMC when it was last asked.
    asked_after: u32,
    /// Asked with settings that have changed since: to be asked again at once.
    changed: bool,
}

/// What all machines behind a BMC share.
#[derive(Default)]
struct Chassis {
    running: usize,
    /// In a row, of the BMC itself.
    failures: u32,
}

struct Answer {
    /// Or the BMC, of one that no machine has.
    machine: i64,
    alone: bool,
    target: BmcTarget,
    result: Result<app::api::PowerState, BmcError>,
    suite: Option<u8>,
}

/// Runs until cancelled.
pub async fn poll(fleet: Fleet, roster: impl Roster, every: Duration, concurrency: usize, cancel: CancellationToken) {
    // the silent ones, which take seconds each, must not be all that is waited for
    let few = (concurrency / 4).max(1);
    let slots = [Arc::new(Semaphore::new(concurrency.saturating_sub(few).max(1))), Arc::new(Semaphore::new(few))];
    let mut schedule = Schedule { every, ..Schedule::default() };
    // by the BMC itself
    let mut idle = Schedule { every: every * IDLE, ..Schedule::default() };
    let mut running: JoinSet<Answer> = JoinSet::new();
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut roster_due = Instant::now();
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            Some(done) = running.join_next() => {
                // a panic in a driver is a fault of the program: end with it
                let answer = done.expect("a poll panicked");
                if let Err(BmcError::Downgrade(_)) = &answer.result {
                    // a session does not forget what it once used; the next begins with what the store says
                    fleet.hang_up(answer.target.id);
                }
                if let Some(suite) = answer.suite.filter(|suite| Some(*suite) > answer.target.floor) {
                    roster.agreed(&answer.target, suite).await;
                }
                if answer.alone {
                    // its health is noted by whoever asks; there is no machine whose power this is
                    idle.done(&answer, Instant::now());
                    continue;
                }
                for (machine, reading) in schedule.done(&answer, Instant::now()) {
                    fleet.note_power(machine, reading);
                }
                continue;
            }
            _ = ticks.tick() => {}
        }
        let now = Instant::now();
        if now >= roster_due
            && let Some(Asked { machines, alone }) = roster.all().await
        {
            roster_due = now + ROSTER_EVERY;
            for gone in schedule.update(machines, now) {
                // no BMC any more: what it last said is no longer known
                fleet.note_power(gone, PowerReading::default());
            }
            idle.update(alone.into_iter().map(|target| (target.id, target)).collect(), now);
            fleet.keep_only(schedule.entries.values().chain(idle.entries.values()).map(|entry| &entry.target));
        }
        let due = schedule.due(now).into_iter().map(|due| (due, false));
        let due = due.chain(idle.due(now).into_iter().map(|due| (due, true)));
        for ((machine, target, doubtful), alone) in due {
            let (fleet, slots) = (fleet.clone(), Arc::clone(&slots[usize::from(doubtful)]));
            running.spawn(async move {
                // the semaphores are never closed
                let _slot = slots.acquire_owned().await;
                match fleet.bmc(&target) {
                    Ok(bmc) => Answer { machine, alone, result: bmc.power().await, suite: bmc.suite(), target },
                    Err(error) => Answer { machine, alone, result: Err(error), suite: None, target },
                }
            });
        }
    }
}

#[derive(Default)]
struct Schedule {
    every: Duration,
    entries: HashMap<i64, Entry>,
    chassis: HashMap<i64, Chassis>,
}

impl Schedule {
    /// Machines to be asked now, which are then taken to be asked, and whether their BMC failed the last time.
    fn due(&mut self, now: Instant) -> Vec<(i64, BmcTarget, bool)> {
        let mut list = Vec::new();
        for (machine, entry) in self.entries.iter_mut().filter(|(_, entry)| !entry.running && entry.due <= now) {
            let chassis = self.chassis.entry(entry.target.id).or_default();
            let failing = chassis.failures > 0;
            if chassis.running < if failing { 1 } else { PER_BMC } {
                chassis.running += 1;
                entry.running = true;
                entry.asked_after = chassis.failures;
                entry.changed = false;
                list.push((*machine, entry.target.clone(), failing || entry.failures > 0));
            }
        }
        list
    }

    /// Takes an answer in; returns the readings it means. A BMC that fails fails for all of its machines.
    fn done(&mut self, answer: &Answer, now: Instant) -> Vec<(i64, PowerReading)> {
        let bmc = answer.target.id;
        let chassis = self.chassis.entry(bmc).or_default();
        chassis.running = chassis.running.saturating_sub(1);
        let Some(entry) = self.entries.get_mut(&answer.machine) else { return Vec::new() };
        entry.running = false;
        if entry.changed {
            // it was asked as it no longer is
            entry.due = now;
            return Vec::new();
        }
        let reading = PowerReading::from(answer.result.clone());
        match &answer.result {
            Err(error) if error.is_of_the_bmc() => {
                // several that were asked at the same time are one failure
                if entry.asked_after == chassis.failures {
                    chassis.failures = chassis.failures.saturating_add(1);
                }
                let pause = backed_off(self.every, chassis.failures);
                let behind = self.entries.iter_mut().filter(|(_, entry)| entry.target.id == bmc && !entry.running);
                behind
                    .map(|(machine, entry)| {
                        entry.due = now + pause + stagger(bmc, self.every);
                        (*machine, reading.clone())
                    })
                    .collect()
            }
            result => {
                entry.failures = if result.is_err() { entry.failures.saturating_add(1) } else { 0 };
                let pause =
                    if entry.failures == 0 { self.every } else { backed_off(self.every, entry.failures) + stagger(bmc, self.every) };
                entry.due = now + pause;
                if std::mem::take(&mut chassis.failures) > 0 {
                    // it is back: nobody behind it waits any longer
                    let behind = self.entries.iter_mut().filter(|(machine, entry)| entry.target.id == bmc && **machine != answer.machine);
                    behind.for_each(|(_, entry)| entry.due = entry.due.min(now));
                }
                vec![(answer.machine, reading)]
            }
        }
    }

    /// Brings the schedule up to the roster; returns the machines that are no longer on it.
    fn update(&mut self, machines: Vec<(i64, BmcTarget)>, now: Instant) -> Vec<i64> {
        let present: HashSet<i64> = machines.iter().map(|(machine, _)| *machine).collect();
        let gone: Vec<i64> = self.entries.keys().copied().filter(|machine| !present.contains(machine)).collect();
        self.entries.retain(|machine, _| present.contains(machine));
        let bmcs: HashSet<i64> = machines.iter().map(|(_, target)| target.id).collect();
        self.chassis.retain(|bmc, chassis| chassis.running > 0 || bmcs.contains(bmc));
        let new = machines.iter().filter(|(machine, _)| !self.entries.contains_key(machine)).count();
        let mut spread = 0u32;
        for (machine, target) in machines {
            match self.entries.get_mut(&machine) {
                Some(entry) => {
                    // a floor that was lowered may be what lets it in again
                    if !target.is_still(&entry.target) || target.floor < entry.target.floor {
                        entry.due = now;
                        entry.failures = 0;
                        entry.changed = entry.running;
                        self.chassis.entry(target.id).or_default().failures = 0;
                    }
                    entry.target = target;
                }
                None => {
                    // many at once are spread over an interval, a few are asked at once
                    let delay = if new <= AT_ONCE { Duration::ZERO } else { self.every.mul_f64(f64::from(spread) / new as f64) };
                    spread += 1;
                    self.entries
                        .insert(machine, Entry { target, due: now + delay, failures: 0, running: false, asked_after: 0, changed: false });
                }
            }
        }
        gone
    }
}

/// Doubles with every failure.
fn backed_off(every: Duration, failures: u32) -> Duration {
    (every * 2u32.saturating_pow(failures.saturating_sub(1).min(8))).min(LONGEST.max(every))
}

/// Up to a tenth of the interval, always the same for one BMC: those that died together must not be asked together for ever.
fn stagger(bmc: i64, every: Duration) -> Duration {
    // multiplicative hashing: neighbours in number end up far from each other
    let part = bmc.wrapping_mul(0x9E37_79B9).rem_euclid(1000) as f64 / 1000.0;
    every.mul_f64(part / 10.0)
}

#[cfg(test)]
mod tests;
