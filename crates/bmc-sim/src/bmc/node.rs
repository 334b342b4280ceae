//! A management controller and the machine behind it: the BMC itself, or a cartridge it reaches over a bus.

use std::{fmt, sync::Arc};

use ipmi_wire::bridge::{Hop, Route};
use serde::Deserialize;
use tokio::time::Instant;

use super::sol::{ActiveSol, SolSettings};
use crate::machine::{Chassis, boot_options::BootOptions, events::EventLog, sensors::Sensors, serial::SerialLine};

/// What belongs to one controller. Sessions, users and keys belong to the BMC and are not here.
pub(crate) struct Node {
    /// How it is reached; [`Route::Direct`] is the BMC itself.
    pub(super) route: Route,
    pub(super) chassis: Arc<dyn Chassis>,
    pub(super) boot: Arc<BootOptions>,
    pub(super) serial: Arc<SerialLine>,
    pub(super) events: Arc<EventLog>,
    pub(super) sensors: Sensors,
    /// The inventory as stored.
    pub(super) fru: Box<[u8]>,
    pub(super) guid: [u8; 16],
    /// Chassis Control's "hard reset" is refused with 0x80, as by the cartridges of HP's Moonshot.
    pub(super) refuses_reset: bool,
    pub(super) sdr_reservation: u16,
    pub(super) sol: Option<ActiveSol>,
    pub(super) sol_settings: SolSettings,
    pub(super) restore_policy: u8,
    /// Last chassis control came by IPMI and switched on.
    pub(super) on_by_ipmi: bool,
    pub(super) identify_until: Option<Instant>,
}

/// What stands behind a controller.
pub(crate) struct Behind {
    pub(crate) chassis: Arc<dyn Chassis>,
    pub(crate) boot: Arc<BootOptions>,
    pub(crate) serial: Arc<SerialLine>,
    pub(crate) events: Arc<EventLog>,
    pub(crate) sensors: Sensors,
    pub(crate) fru: Box<[u8]>,
    pub(crate) guid: [u8; 16],
    pub(crate) refuses_reset: bool,
}

impl Node {
    pub(crate) fn new(route: Route, behind: Behind) -> Self {
        let Behind { chassis, boot, serial, events, sensors, fru, guid, refuses_reset } = behind;
        Self {
            route,
            chassis,
            boot,
            serial,
            events,
            sensors,
            fru,
            guid,
            refuses_reset,
            sdr_reservation: 0,
            sol: None,
            sol_settings: SolSettings::default(),
            restore_policy: 0,
            on_by_ipmi: false,
            identify_until: None,
        }
    }

    /// What a restart of the controller makes it forget.
    pub(super) fn restart(&mut self) {
        self.sol = None;
        self.identify_until = None;
        self.sdr_reservation = 0;
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").field("route", &self.route).finish_non_exhaustive()
    }
}

/// A bus behind a controller and an address on it, as a configuration file names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BusAddress {
    /// Channel of the bus, 0 to 15 (`ipmitool -b`, for the transit `-B`).
    pub channel: u8,
    /// Slave address on it (`ipmitool -t`, for the transit `-T`).
    pub address: u8,
}

impl From<BusAddress> for Hop {
    fn from(at: BusAddress) -> Self {
        Self { channel: at.channel & 0x0f, address: at.address }
    }
}

/// How a cartridge is reached through its chassis' BMC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CartridgeAddress {
    /// Where the cartridge's controller is.
    pub target: BusAddress,
    /// The controller in between, if the BMC does not reach it itself.
    #[serde(default)]
    pub transit: Option<BusAddress>,
}

impl CartridgeAddress {
    /// Where HP's Moonshot has its cartridges: behind a controller of their own on channel 0, at 0x80 plus twice their
    /// number, at address 0x72 of channel 7 (`ipmitool -B 0 -T 0x82 -b 7 -t 0x72` for the first).
    #[must_use]
    pub fn moonshot(number: u8) -> Self {
        let transit = BusAddress { channel: 0, address: 0x80u8.wrapping_add(number.wrapping_mul(2)) };
        Self { target: BusAddress { channel: 7, address: 0x72 }, transit: Some(transit) }
    }

    /// As `ipmi-wire` has it.
    #[must_use]
    pub fn route(self) -> Route {
        match self.transit {
            None => Route::Single(self.target.into()),
            Some(transit) => Route::Double { transit: transit.into(), target: self.target.into() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moonshots_first_cartridge_is_where_ipmitool_is_told_to_look() {
        let route = Route::Double { transit: Hop { channel: 0, address: 0x82 }, target: Hop { channel: 7, address: 0x72 } };
        assert_eq!(CartridgeAddress::moonshot(1).route(), route);
    }
}
