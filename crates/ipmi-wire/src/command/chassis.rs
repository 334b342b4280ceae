//! Power and identification of the chassis (spec 28.2–28.5).

use super::{Body, Command};
use crate::DecodeError;
use crate::message::NetFn;
use crate::wire::Reader;

/// Get Chassis Status (00/01).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetChassisStatus;

impl Body for GetChassisStatus {
    fn encode(&self, _out: &mut Vec<u8>) {}

    fn decode(_data: &[u8]) -> Result<Self, DecodeError> {
        Ok(Self)
    }
}

impl Command for GetChassisStatus {
    const NET_FN: NetFn = NetFn::CHASSIS;
    const CMD: u8 = 0x01;
    const NAME: &'static str = "Get Chassis Status";
    type Response = ChassisStatus;
}

/// What the chassis does when mains power returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestorePolicy {
    StayOff,
    Previous,
    PowerOn,
    Unknown,
}

/// State of the chassis (spec table 28-3). Bits without a name here are kept in the raw octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChassisStatus {
    /// Octet 1: power state and policy.
    pub power_state: u8,
    /// Octet 2: how the last power-down came about.
    pub last_event: u8,
    /// Octet 3: intrusion, lock-out, drive and fan faults, identify state.
    pub misc: u8,
}

impl ChassisStatus {
    /// A chassis with nothing but its power to report.
    #[must_use]
    pub fn with_power(on: bool) -> Self {
        Self { power_state: u8::from(on), last_event: 0, misc: 0 }
    }

    #[must_use]
    pub fn power_on(&self) -> bool {
        self.power_state & 0x01 != 0
    }

    #[must_use]
    pub fn power_overload(&self) -> bool {
        self.power_state & 0x02 != 0
    }

    #[must_use]
    pub fn power_fault(&self) -> bool {
        self.power_state & 0x08 != 0
    }

    #[must_use]
    pub fn restore_policy(&self) -> RestorePolicy {
        match self.power_state >> 5 & 3 {
            0 => RestorePolicy::StayOff,
            1 => RestorePolicy::Previous,
            2 => RestorePolicy::PowerOn,
            _ => RestorePolicy::Unknown,
        }
    }

    /// The last power-on came from an IPMI command.
    #[must_use]
    pub fn last_on_by_ipmi(&self) -> bool {
        self.last_event & 0x10 != 0
    }

    #[must_use]
    pub fn drive_fault(&self) -> bool {
        self.misc & 0x04 != 0
    }

    #[must_use]
    pub fn cooling_fault(&self) -> bool {
        self.misc & 0x08 != 0
    }
}

impl Body for ChassisStatus {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[self.power_state, self.last_event, self.misc]);
    }

    fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        let [power_state, last_event, misc] = Reader::new("Get Chassis Status response", data).array()?;
        Ok(Self { power_state, last_event, misc })
    }
}

/// Chassis Control (00/02).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChassisControl {
    /// Hard off, at once.
    PowerDown,
    PowerUp,
    /// Off for at least a second, then on. Machines that are off may stay off, or refuse with 0xD5.
    PowerCycle,
    HardReset,
    /// Pulse the diagnostic interrupt (NMI).
    DiagnosticInterrupt,
    /// Ask the operating system to shut down, as a press on the button does.
    SoftShutdown,
}

impl ChassisControl {
    #[must_use]
    pub fn value(self) -> u8 {
        match self {
            Self::PowerDown => 0,
            Self::PowerUp => 1,
            Self::PowerCycle => 2,
            Self::HardReset => 3,
            Self::DiagnosticInterrupt => 4,
            Self::SoftShutdown => 5,
        }
    }
}

impl Body for ChassisControl {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.value());
    }

    fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(Self::NAME, data);
        Ok(match r.u8()? & 0x0f {
            0 => Self::PowerDown,
            1 => Self::PowerUp,
            2 => Self::PowerCycle,
            3 => Self::HardReset,
            4 => Self::DiagnosticInterrupt,
            5 => Self::SoftShutdown,
            n => return Err(r.bad(n)),
        })
    }
}

impl Command for ChassisControl {
    const NET_FN: NetFn = NetFn::CHASSIS;
    const CMD: u8 = 0x02;
    const NAME: &'static str = "Chassis Control";
    type Response = ();

    /// A second cycle, reset, interrupt or press on the button is one too many.
    fn is_idempotent(&self) -> bool {
        matches!(self, Self::PowerDown | Self::PowerUp)
    }
}

/// Chassis Identify (00/04): the locator light.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChassisIdentify {
    /// Seconds; 0 switches the light off.
    pub seconds: u8,
    /// Until told otherwise; `seconds` is then ignored.
    pub forever: bool,
}

impl Body for ChassisIdentify {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.seconds);
        if self.forever {
            out.push(0x01);
        }
    }

    fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(Self::NAME, data);
        // Both octets are optional; without any the light is on for 15 seconds (spec table 28-6).
        let seconds = r.u8().unwrap_or(15);
        Ok(Self { seconds, forever: r.u8().unwrap_or(0) & 1 != 0 })
    }
}

impl Command for ChassisIdentify {
    const NET_FN: NetFn = NetFn::CHASSIS;
    const CMD: u8 = 0x04;
    const NAME: &'static str = "Chassis Identify";
    type Response = ();
}
