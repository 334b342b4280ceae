//! All BMCs of the lab: one session each, kept open, and the last known power state of every machine.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use app::api::{BmcType, LabEvent, PowerState};

use super::{Bmc, BmcError, BmcTarget, plain::Plain};
use crate::journal::Journal;

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

/// Cheap to clone.
#[derive(Clone)]
pub struct Fleet(Arc<Inner>);

/// A session, and the settings it was made with.
type Driver = (BmcTarget, Arc<dyn Bmc>);

struct Inner {
    journal: Journal,
    /// By BMC and by which of the machines behind it.
    drivers: Mutex<HashMap<(i64, String), Driver>>,
    power: RwLock<HashMap<i64, PowerReading>>,
    /// Changes of `power`.
    version: AtomicU64,
}

impl Fleet {
    #[must_use]
    pub fn new(journal: Journal) -> Self {
        Self(Arc::new(Inner { journal, drivers: Mutex::default(), power: RwLock::default(), version: AtomicU64::default() }))
    }

    /// The driver of a machine's BMC. The same session serves all who ask, until the BMC's settings change.
    ///
    /// # Errors
    /// [`BmcError::Unsupported`].
    pub fn bmc(&self, target: &BmcTarget) -> Result<Arc<dyn Bmc>, BmcError> {
        let mut drivers = self.0.drivers.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (target.id, target.info.clone());
        if let Some((known, driver)) = drivers.get(&key)
            && known == target
        {
            return Ok(Arc::clone(driver));
        }
        let driver: Arc<dyn Bmc> = match target.kind {
            BmcType::Plain => Arc::new(Plain::new(target)),
            BmcType::Moonshot => return Err(BmcError::Unsupported("Moonshot")),
        };
        drivers.insert(key, (target.clone(), Arc::clone(&driver)));
        Ok(driver)
    }

    /// Ends the session of a BMC that is no longer in the lab.
    pub fn forget_bmc(&self, id: i64) {
        self.0.drivers.lock().unwrap_or_else(PoisonError::into_inner).retain(|(bmc, _), _| *bmc != id);
    }

    /// The last known power of a machine.
    #[must_use]
    pub fn power(&self, machine: i64) -> PowerReading {
        self.0.power.read().unwrap_or_else(PoisonError::into_inner).get(&machine).cloned().unwrap_or_default()
    }

    /// The last known power of all machines that were ever asked.
    #[must_use]
    pub fn powers(&self) -> HashMap<i64, PowerReading> {
        self.0.power.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps a reading, and tells the lab when it is news.
    pub fn note_power(&self, machine: i64, reading: PowerReading) {
        let mut power = self.0.power.write().unwrap_or_else(PoisonError::into_inner);
        let known = power.entry(machine).or_default();
        if *known != reading {
            known.clone_from(&reading);
            self.0.version.fetch_add(1, Ordering::Release);
            // told under the lock, so that readings are told in the order they are kept
            self.0.journal.tell(LabEvent::Power { machine, power: reading.state, error: reading.error });
        }
    }

    /// Forgets a machine that is gone.
    pub fn forget_machine(&self, machine: i64) {
        let mut power = self.0.power.write().unwrap_or_else(PoisonError::into_inner);
        if power.remove(&machine).is_some() {
            self.0.version.fetch_add(1, Ordering::Release);
        }
    }

    /// Grows with every change of any machine's known power.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.0.version.load(Ordering::Acquire)
    }
}
