//! An asynchronous IPMI 2.0 client: power, boot device, raw commands and Serial over LAN.
//!
//! A [`Client`] is a cheap handle to one BMC. Behind it one task owns the UDP socket and the session; requests run
//! concurrently, the session opens when it is first needed, stays alive, and is opened again when the BMC forgot it.
//!
//! ```no_run
//! # async fn example() -> Result<(), ipmi_client::Error> {
//! use ipmi_client::{Client, Secret, Target};
//! let target = Target::new(([192, 0, 2, 7], 623).into(), "admin", Secret::new("…"));
//! let client = Client::new(target);
//! println!("power is {}", if client.chassis_status().await?.power_on() { "on" } else { "off" });
//! # Ok(()) }
//! ```
#![forbid(unsafe_code)]

mod client;
mod driver;
mod error;
mod inventory;
mod metrics;
mod network;
mod sol;
mod target;

pub use client::{BootFlags, Client, RawResponse, SolOptions};
pub use error::{Error, ErrorKind, Stage};
pub use inventory::Sensor;
pub use metrics::{Counters, Metrics};
pub use network::{Network, Socket};
pub use sol::{CloseReason, SolClosed, SolEvent, SolSession, SolWriter};
pub use target::{Quirk, Quirks, Secret, SuitePolicy, Target, Timeouts};

pub use ipmi_wire::bridge::{Hop, Route};
pub use ipmi_wire::command::{
    BootDevice, ChassisControl, ChassisStatus, DeviceId, RestorePolicy, SelInfo, SelTime, SolParameter, SystemGuid,
};
pub use ipmi_wire::inventory::{
    entity,
    fru::{BoardInfo, ChassisInfo, Fru, FruArea, ProductInfo},
    sdr::{Sdr, Severity},
    sel::{SelContent, SelEvent, SelRecord},
    sensor_type,
    unit::Unit,
};
pub use ipmi_wire::{CipherSuite, CompletionCode, NetFn, Privilege};
