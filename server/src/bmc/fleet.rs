//! All BMCs of the lab: how each is reached, and what is known of it.

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use app::api::{BmcBackend, BmcHealth};

use super::{
    Bmc, BmcError, BmcTarget,
    ipmitool::Ipmitool,
    native::{Native, Sessions},
    records::{PowerReading, Records},
    watched::Watched,
};
use crate::journal::Journal;

/// Cheap to clone.
#[derive(Clone)]
pub struct Fleet(Arc<Inner>);

/// Makes the driver of a machine.
type Maker = Box<dyn Fn(&BmcTarget) -> Result<Box<dyn Bmc>, BmcError> + Send + Sync>;

/// By BMC and by which of the machines behind it, with the settings each was made with.
type Drivers = HashMap<(i64, String), (BmcTarget, Arc<Watched>)>;

struct Inner {
    make: Maker,
    sessions: Arc<Sessions>,
    drivers: Mutex<Drivers>,
    records: Arc<Records>,
}

impl Fleet {
    /// `ipmitool` is the program for BMCs with that backend.
    #[must_use]
    pub fn new(journal: Journal, ipmitool: PathBuf) -> Self {
        let sessions = Arc::new(Sessions::default());
        let own = Arc::clone(&sessions);
        let make = move |target: &BmcTarget| -> Result<Box<dyn Bmc>, BmcError> {
            Ok(match target.backend {
                BmcBackend::Native => Box::new(Native::new(target, &own)?),
                BmcBackend::Ipmitool => Box::new(Ipmitool::new(target, ipmitool.clone())?),
            })
        };
        Self::of(journal, sessions, Box::new(make))
    }

    fn of(journal: Journal, sessions: Arc<Sessions>, make: Maker) -> Self {
        Self(Arc::new(Inner { make, sessions, drivers: Mutex::default(), records: Arc::new(Records::new(journal)) }))
    }

    /// With drivers of a test's own.
    #[cfg(test)]
    pub(super) fn made_by(journal: Journal, make: Maker) -> Self {
        Self::of(journal, Arc::default(), make)
    }

    /// The driver of a machine's BMC. The same serves all who ask, until the BMC's settings change.
    ///
    /// # Errors
    /// [`BmcError::NotAsked`] when the target does not say which machine it means.
    pub fn bmc(&self, target: &BmcTarget) -> Result<Arc<dyn Bmc>, BmcError> {
        let mut drivers = self.drivers();
        let key = (target.id, target.info.clone());
        if let Some((known, driver)) = drivers.get(&key) {
            if target.is_still(known) {
                return Ok(Arc::clone(driver) as Arc<dyn Bmc>);
            }
            driver.retire();
            // what it said belongs to another place, or another log-in
            self.0.records.forget_health(target.id);
        }
        let driver = (self.0.make)(target)?;
        let driver = Arc::new(Watched::new(target.id, driver, Arc::clone(&self.0.records)));
        drivers.insert(key, (target.clone(), Arc::clone(&driver)));
        Ok(driver)
    }

    fn drivers(&self) -> MutexGuard<'_, Drivers> {
        self.0.drivers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the sessions of a BMC. The next request opens another, with what the settings then say; a session does not forget the
    /// cipher suite it once used.
    pub fn hang_up(&self, bmc: i64) {
        for (_, (_, driver)) in self.drivers().extract_if(|(id, _), _| *id == bmc) {
            driver.retire();
        }
        self.0.sessions.forget(bmc);
    }

    /// Forgets a BMC that is no longer in the lab, or no longer where it was.
    pub fn forget_bmc(&self, bmc: i64) {
        self.hang_up(bmc);
        self.0.records.forget_health(bmc);
    }

    /// Ends the sessions that no machine needs any more.
    pub(super) fn keep_only<'a>(&self, targets: impl Iterator<Item = &'a BmcTarget>) {
        let wanted: HashSet<(i64, &str)> = targets.map(|target| (target.id, target.info.as_str())).collect();
        self.drivers().retain(|(bmc, info), _| wanted.contains(&(*bmc, info.as_str())));
    }

    /// The last known power of a machine.
    #[must_use]
    pub fn power(&self, machine: i64) -> PowerReading {
        self.0.records.power(machine)
    }

    /// Keeps a reading, and tells the lab when it is news.
    pub fn note_power(&self, machine: i64, reading: PowerReading) {
        self.0.records.note_power(machine, reading);
    }

    /// Forgets a machine that is gone.
    pub fn forget_machine(&self, machine: i64) {
        self.0.records.forget_machine(machine);
    }

    /// How a BMC is doing.
    #[must_use]
    pub fn health(&self, bmc: i64) -> BmcHealth {
        self.0.records.health(bmc)
    }

    /// Grows with every change of any machine's known power or any BMC's health.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.0.records.version()
    }
}
