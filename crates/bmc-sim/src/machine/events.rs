//! The event log a BMC keeps about its machine (SEL, IPMI 2.0 §31). It outlives restarts of the BMC.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use ipmi_wire::{
    inventory::{
        event::SENSOR_SPECIFIC,
        sel::{RECORD_SIZE, SelContent, SelEvent, SelRecord},
    },
    ipmb::BMC_ADDRESS,
};

use super::Power;

/// Sensor type "System ACPI Power State" and its states S0 and S5.
pub(crate) const ACPI_STATE: u8 = 0x22;
pub(crate) const WORKING: u8 = 0;
pub(crate) const SOFT_OFF: u8 = 5;
/// Sensor number of the power state in the records of every machine.
pub(crate) const ACPI_SENSOR: u8 = 0xf0;

#[derive(Debug, Default)]
struct State {
    records: Vec<SelRecord>,
    last_id: u16,
    added: u32,
    erased: u32,
    overflow: bool,
    reservation: u16,
    power: Option<Power>,
    /// Seconds the BMC's clock is ahead of ours.
    ahead: i64,
}

/// The log.
#[derive(Debug)]
pub struct EventLog {
    state: Mutex<State>,
    capacity: u16,
}

/// What Get SEL Info says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LogInfo {
    pub(crate) entries: u16,
    pub(crate) free: u16,
    pub(crate) added: u32,
    pub(crate) erased: u32,
    pub(crate) overflow: bool,
}

impl EventLog {
    /// An empty log with room for so many records. When it is full, what happens is lost, and the log says so.
    #[must_use]
    pub fn new(capacity: u16) -> Self {
        Self { state: Mutex::default(), capacity }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Logs an event with the time of the BMC's clock. A sensor's own event has generator 0x20: the BMC.
    pub fn add(&self, event: SelEvent) {
        let mut state = self.lock();
        let timestamp = state.now();
        self.push(&mut state, SelContent::Event(SelEvent { timestamp, ..event }));
    }

    /// The machine's power is so now; a change is logged. Chassis that do not tell are asked when the log is read.
    pub fn power_is(&self, power: Power) {
        let mut state = self.lock();
        let before = state.power.replace(power);
        // a machine that was never on has no story
        if before == Some(power) || (before.is_none() && power == Power::Off) {
            return;
        }
        let offset = if power == Power::On { WORKING } else { SOFT_OFF };
        let event = SelEvent {
            timestamp: state.now(),
            generator: BMC_ADDRESS.into(),
            revision: 4,
            sensor_type: ACPI_STATE,
            sensor: ACPI_SENSOR,
            deasserted: false,
            event_type: SENSOR_SPECIFIC,
            data: [offset, 0xff, 0xff],
        };
        self.push(&mut state, SelContent::Event(event));
    }

    /// Every record, oldest first.
    #[must_use]
    pub fn records(&self) -> Vec<SelRecord> {
        self.lock().records.clone()
    }

    fn push(&self, state: &mut State, content: SelContent) -> Option<u16> {
        if state.records.len() >= usize::from(self.capacity) {
            state.overflow = true;
            return None;
        }
        // 0 and 0xffff mean "first" and "last"
        state.last_id = if state.last_id >= 0xfffe { 1 } else { state.last_id + 1 };
        let id = state.last_id;
        state.added = state.now();
        state.records.push(SelRecord { id, content });
        Some(id)
    }

    // --- the BMC's commands

    pub(crate) fn info(&self) -> LogInfo {
        let state = self.lock();
        let entries = u16::try_from(state.records.len()).unwrap_or(u16::MAX);
        let free = usize::from(self.capacity - entries.min(self.capacity)) * RECORD_SIZE;
        let free = u16::try_from(free).unwrap_or(u16::MAX);
        LogInfo { entries, free, added: state.added, erased: state.erased, overflow: state.overflow }
    }

    /// Adds a record as a console wrote it, with the time of now. Its number, unless the log is full.
    pub(crate) fn add_record(&self, content: SelContent) -> Option<u16> {
        let mut state = self.lock();
        let timestamp = state.now();
        let content = match content {
            SelContent::Event(event) => SelContent::Event(SelEvent { timestamp, ..event }),
            SelContent::OemTimestamped { kind, data, .. } => SelContent::OemTimestamped { kind, timestamp, data },
            oem @ SelContent::Oem { .. } => oem,
        };
        self.push(&mut state, content)
    }

    /// A record, by number or "first" (0) and "last" (0xffff), and the number after it.
    pub(crate) fn record(&self, wanted: u16) -> Option<(SelRecord, u16)> {
        let state = self.lock();
        let at = match wanted {
            0 => 0,
            0xffff => state.records.len().checked_sub(1)?,
            id => state.records.iter().position(|record| record.id == id)?,
        };
        let next = state.records.get(at + 1).map_or(0xffff, |next| next.id);
        state.records.get(at).map(|record| (*record, next))
    }

    pub(crate) fn reserve(&self) -> u16 {
        let mut state = self.lock();
        state.reservation = state.reservation.checked_add(1).unwrap_or(1);
        state.reservation
    }

    pub(crate) fn holds(&self, reservation: u16) -> bool {
        let state = self.lock();
        state.reservation != 0 && state.reservation == reservation
    }

    pub(crate) fn clear(&self) {
        let mut state = self.lock();
        state.records.clear();
        state.overflow = false;
        state.erased = state.now();
        state.reservation = 0;
    }

    pub(crate) fn clock(&self) -> u32 {
        self.lock().now()
    }

    pub(crate) fn set_clock(&self, to: u32) {
        let mut state = self.lock();
        state.ahead += i64::from(to) - i64::from(state.now());
    }
}

impl State {
    fn now(&self) -> u32 {
        let ours = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        u32::try_from(i64::try_from(ours).unwrap_or(0).saturating_add(self.ahead)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_changes_of_power_are_logged() {
        let log = EventLog::new(3);
        for power in [Power::Off, Power::Off, Power::On, Power::On, Power::Off] {
            log.power_is(power);
        }
        let told: Vec<String> = log.records().iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 2);
        assert!(told[0].contains("S0/G0: working") && told[1].contains("S5/G2: soft-off"), "{told:?}");
        assert_eq!((log.record(0).unwrap().1, log.record(2).unwrap().1, log.record(9)), (2, 0xffff, None));
        log.power_is(Power::On);
        assert!(!log.info().overflow);
        log.power_is(Power::Off);
        assert_eq!((log.info().entries, log.info().free, log.info().overflow), (3, 0, true));
        log.clear();
        assert_eq!((log.info().entries, log.info().overflow, log.record(0)), (0, false, None));
        log.set_clock(1_000_000_000);
        assert!((1_000_000_000..1_000_000_100).contains(&log.clock()));
    }
}
