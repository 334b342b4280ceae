//! What is known of machines' power and of BMCs' health. Told to the lab when it changes.

use std::{
    collections::HashMap,
    sync::{
        PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU64, Ordering},
    },
};

use app::api::{BmcHealth, LabEvent, PowerState};

use super::BmcError;
use crate::journal::{self, Journal, now_micros};

/// What is known of a machine's power.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PowerReading {
    pub state: PowerState,
    /// Why it is not known, when the BMC failed.
    pub error: Option<String>,
}

impl From<Result<PowerState, BmcError>> for PowerReading {
    fn from(result: Result<PowerState, BmcError>) -> Self {
        match result {
            Ok(state) => Self { state, error: None },
            Err(error) => Self { state: PowerState::BmcError, error: Some(error.to_string()) },
        }
    }
}

pub(super) struct Records {
    journal: Journal,
    power: RwLock<HashMap<i64, PowerReading>>,
    health: RwLock<HashMap<i64, Health>>,
    /// Changes of either.
    version: AtomicU64,
}

#[derive(Clone, Default, PartialEq, Eq)]
struct Health {
    reachable: Option<bool>,
    /// Microseconds since 1970.
    last_answer: Option<i64>,
    error: Option<String>,
}

impl Health {
    fn wire(&self) -> BmcHealth {
        BmcHealth { reachable: self.reachable, last_answer: self.last_answer.map(journal::instant), error: self.error.clone() }
    }
}

impl Records {
    pub(super) fn new(journal: Journal) -> Self {
        Self { journal, power: RwLock::default(), health: RwLock::default(), version: AtomicU64::default() }
    }

    pub(super) fn power(&self, machine: i64) -> PowerReading {
        read(&self.power).get(&machine).cloned().unwrap_or_default()
    }

    pub(super) fn note_power(&self, machine: i64, reading: PowerReading) {
        let mut power = write(&self.power);
        let known = power.entry(machine).or_default();
        if *known != reading {
            known.clone_from(&reading);
            self.version.fetch_add(1, Ordering::Release);
            // told under the lock, so that readings are told in the order they are kept
            self.journal.tell(LabEvent::Power { machine, power: reading.state, error: reading.error });
        }
    }

    pub(super) fn forget_machine(&self, machine: i64) {
        if write(&self.power).remove(&machine).is_some() {
            self.version.fetch_add(1, Ordering::Release);
        }
    }

    pub(super) fn health(&self, bmc: i64) -> BmcHealth {
        read(&self.health).get(&bmc).map(Health::wire).unwrap_or_default()
    }

    /// What an attempt to talk to a BMC says of it.
    pub(super) fn note_attempt(&self, bmc: i64, failure: Option<&BmcError>) {
        let mut all = write(&self.health);
        let known = all.entry(bmc).or_default();
        let before = (known.reachable, known.error.clone());
        known.error = failure.filter(|error| error.is_of_the_bmc()).map(ToString::to_string);
        match failure {
            Some(BmcError::Unreachable(_)) => known.reachable = Some(false),
            // nothing was learnt of the BMC itself
            Some(BmcError::NotAsked(_)) => {}
            _ => {
                known.reachable = Some(true);
                known.last_answer = Some(now_micros());
            }
        }
        if before != (known.reachable, known.error.clone()) {
            self.tell(bmc, known);
        }
    }

    /// What was known belongs to a BMC that is gone, or was reached in another way.
    pub(super) fn forget_health(&self, bmc: i64) {
        let mut all = write(&self.health);
        if all.remove(&bmc).is_some() {
            self.tell(bmc, &Health::default());
        }
    }

    /// Under the lock, so that changes are told in the order they are kept.
    fn tell(&self, bmc: i64, health: &Health) {
        self.version.fetch_add(1, Ordering::Release);
        self.journal.tell(LabEvent::BmcHealth { bmc, health: health.wire() });
    }

    pub(super) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }
}

fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
