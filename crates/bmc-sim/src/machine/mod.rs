//! The machine behind a BMC.
//!
//! [`Chassis`] is all a BMC knows of it: power, boot options and a serial line. [`pretend::PretendMachine`] implements it
//! with a firmware that prints, boots from the network and installs; another implementation may drive a real process.

use std::{fmt, str::FromStr, sync::Arc};

use ipmi_wire::command::ChassisControl;
use serde::Deserialize;
use thiserror::Error;

use boot_options::BootOptions;
use events::EventLog;
use serial::SerialLine;

pub mod boot_options;
mod console;
pub mod events;
mod firmware;
mod linux;
pub mod net;
pub mod pretend;
pub mod qemu;
pub mod sensors;
pub mod serial;
pub mod timing;

/// Whether a chassis is powered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Power {
    /// Off (S4/S5).
    Off,
    /// On.
    On,
}

/// Why a chassis does not obey.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refused {
    /// Not possible in the present power state (completion code 0xD5).
    #[error("not possible in the present power state")]
    State,
    /// Too many commands wait already (0xC0).
    #[error("busy")]
    Busy,
    /// This chassis cannot do that at all (0xCC).
    #[error("not supported by this chassis")]
    Unsupported,
}

/// What started the machine last (Get System Restart Cause, IPMI 2.0 table 28-11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum RestartCause {
    /// Never started.
    Unknown = 0,
    /// A chassis control command.
    ChassisControl = 1,
    /// A reset from the inside (the operating system's reboot).
    Soft = 0x0a,
}

/// The chassis a BMC controls.
pub trait Chassis: Send + Sync + 'static {
    /// The present power state.
    fn power(&self) -> Power;

    /// Accepts a command; the machine follows in its own time.
    ///
    /// # Errors
    /// When the chassis does not obey.
    fn control(&self, command: ChassisControl) -> Result<(), Refused>;

    /// What started the machine last.
    fn restart_cause(&self) -> RestartCause {
        RestartCause::Unknown
    }
}

/// What a chassis is given by the BMC it stands behind: it prints to and reads from `serial`, and when it starts it
/// [takes](BootOptions::take) the boot flags. A backend that runs a process maps the flags to that process' boot order
/// and the serial line to its serial socket.
#[derive(Debug, Clone)]
pub struct Wiring {
    /// The serial line shared with the BMC.
    pub serial: Arc<SerialLine>,
    /// The boot options set through the BMC.
    pub boot: Arc<BootOptions>,
    /// The BMC's event log: a chassis [tells](EventLog::power_is) it when power comes and goes.
    pub events: Arc<EventLog>,
    /// Ends with the lab: tasks and processes of the backend end with it.
    pub cancel: tokio_util::sync::CancellationToken,
}

/// An Ethernet address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MacAddress(pub [u8; 6]);

/// A text that is not an Ethernet address.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is not a MAC address such as 52:54:00:12:34:56")]
pub struct BadMac(String);

impl FromStr for MacAddress {
    type Err = BadMac;

    fn from_str(text: &str) -> Result<Self, BadMac> {
        let bad = || BadMac(text.to_owned());
        let mut mac = [0; 6];
        let mut parts = text.split([':', '-']);
        for byte in &mut mac {
            let part = parts.next().filter(|part| part.len() == 2).ok_or_else(bad)?;
            *byte = u8::from_str_radix(part, 16).map_err(|_| bad())?;
        }
        if parts.next().is_some() { Err(bad()) } else { Ok(Self(mac)) }
    }
}

impl fmt::Display for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl<'de> Deserialize<'de> for MacAddress {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What the machine's firmware is, and so which loaders it can start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Firmware {
    /// A PC BIOS with an iPXE boot ROM.
    Bios,
    /// UEFI on x86-64.
    UefiX64,
    /// UEFI on 64-bit ARM.
    UefiArm64,
}

impl Firmware {
    /// The network boot program such a machine asks for unless told otherwise.
    #[must_use]
    pub fn default_loader(self) -> &'static str {
        match self {
            Self::Bios => "pxelinux.0",
            Self::UefiX64 => "grubnetx64.efi.signed",
            Self::UefiArm64 => "grubnetaa64.efi.signed",
        }
    }

    fn machine(self) -> &'static str {
        match self {
            Self::Bios | Self::UefiX64 => "x86_64",
            Self::UefiArm64 => "aarch64",
        }
    }
}
