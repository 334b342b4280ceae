//! Keeps the power state of every machine: each BMC is asked once an interval, spread over it, a bounded number at
//! a time; one that does not answer is asked ever less often, and delays no other.

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

use super::{BmcTarget, Fleet, PowerReading};

/// Who is to be asked.
#[async_trait]
pub trait Roster: Send + Sync + 'static {
    /// Every machine that has a BMC; None when the store does not answer just now.
    async fn machines(&self) -> Option<Vec<(i64, BmcTarget)>>;
}

/// How often the schedule is looked at, and how soon a new machine is asked.
const TICK: Duration = Duration::from_millis(250);
/// A change of the roster is seen after this at the latest.
const ROSTER_EVERY: Duration = Duration::from_secs(2);
/// A dead BMC is asked this often at the least.
const LONGEST: Duration = Duration::from_secs(300);

/// Up to so many new machines are asked without delay.
const AT_ONCE: usize = 16;

struct Entry {
    target: BmcTarget,
    due: Instant,
    failures: u32,
    running: bool,
}

/// Runs until cancelled.
pub async fn poll(fleet: Fleet, roster: impl Roster, every: Duration, concurrency: usize, cancel: CancellationToken) {
    let slots = Arc::new(Semaphore::new(concurrency.max(1)));
    let mut entries: HashMap<i64, Entry> = HashMap::new();
    let mut running: JoinSet<(i64, PowerReading)> = JoinSet::new();
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut roster_due = Instant::now();
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            Some(done) = running.join_next() => {
                // a panic in a driver is a fault of the program: end with it
                let (machine, reading) = done.expect("a poll panicked");
                if let Some(entry) = entries.get_mut(&machine) {
                    entry.running = false;
                    entry.failures = if reading.error.is_some() { entry.failures.saturating_add(1) } else { 0 };
                    let backed_off = every * 2u32.saturating_pow(entry.failures.saturating_sub(1).min(8));
                    entry.due = Instant::now() + if entry.failures == 0 { every } else { backed_off.min(LONGEST.max(every)) };
                    fleet.note_power(machine, reading);
                }
                continue;
            }
            _ = ticks.tick() => {}
        }
        let now = Instant::now();
        if now >= roster_due
            && let Some(machines) = roster.machines().await
        {
            roster_due = now + ROSTER_EVERY;
            for gone in update(&mut entries, machines, now, every) {
                // no BMC any more: what it last said is no longer known
                fleet.note_power(gone, PowerReading::default());
            }
        }
        for (machine, entry) in entries.iter_mut().filter(|(_, entry)| !entry.running && entry.due <= now) {
            entry.running = true;
            let (fleet, slots, target, machine) = (fleet.clone(), Arc::clone(&slots), entry.target.clone(), *machine);
            running.spawn(async move {
                // the semaphore is never closed
                let _slot = slots.acquire_owned().await;
                let reading = match fleet.bmc(&target) {
                    Ok(bmc) => bmc.power().await.into(),
                    Err(error) => PowerReading::from(Err(error)),
                };
                (machine, reading)
            });
        }
    }
}

/// Brings the schedule up to the roster; returns the machines that are no longer on it.
fn update(entries: &mut HashMap<i64, Entry>, machines: Vec<(i64, BmcTarget)>, now: Instant, every: Duration) -> Vec<i64> {
    let present: HashSet<i64> = machines.iter().map(|(machine, _)| *machine).collect();
    let gone: Vec<i64> = entries.keys().copied().filter(|machine| !present.contains(machine)).collect();
    entries.retain(|machine, _| present.contains(machine));
    let new = machines.iter().filter(|(machine, _)| !entries.contains_key(machine)).count();
    let mut spread = 0u32;
    for (machine, target) in machines {
        match entries.get_mut(&machine) {
            Some(entry) if entry.target == target => {}
            Some(entry) => {
                entry.target = target;
                entry.due = now;
                entry.failures = 0;
            }
            None => {
                // many at once are spread over an interval, a few are asked at once
                let delay = if new <= AT_ONCE { Duration::ZERO } else { every.mul_f64(f64::from(spread) / new as f64) };
                spread += 1;
                entries.insert(machine, Entry { target, due: now + delay, failures: 0, running: false });
            }
        }
    }
    gone
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(id: i64) -> BmcTarget {
        BmcTarget {
            id,
            name: format!("bmc{id}"),
            address: ([127, 0, 0, 1], 9).into(),
            kind: app::api::BmcType::Plain,
            username: String::new(),
            password: String::new().into(),
            info: String::new(),
        }
    }

    const EVERY: Duration = Duration::from_secs(15);

    #[test]
    fn a_large_fleet_is_spread_over_the_interval() {
        let now = Instant::now();
        let mut entries = HashMap::new();
        let gone = update(&mut entries, (0..1000).map(|id| (id, target(id))).collect(), now, EVERY);
        assert_eq!(gone, [0i64; 0]);
        let first_second = entries.values().filter(|entry| entry.due < now + Duration::from_secs(1)).count();
        assert!((60..=70).contains(&first_second), "{first_second} of 1000 in the first of 15 seconds");
        assert!(entries.values().all(|entry| entry.due < now + EVERY));
    }

    #[test]
    fn a_corrected_password_is_tried_at_once_and_a_gone_machine_forgotten() {
        let now = Instant::now();
        let mut entries = HashMap::new();
        let _ = update(&mut entries, vec![(1, target(1)), (2, target(2))], now, EVERY);
        for entry in entries.values_mut() {
            entry.failures = 5;
            entry.due = now + LONGEST;
        }
        let corrected = BmcTarget { password: "right".to_owned().into(), ..target(1) };
        assert_eq!(update(&mut entries, vec![(1, corrected)], now, EVERY), [2]);
        assert_eq!(entries.len(), 1);
        assert_eq!((entries[&1].failures, entries[&1].due), (0, now));
    }
}
