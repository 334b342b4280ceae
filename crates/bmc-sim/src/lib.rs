//! Simulated BMCs and the machines behind them.
//!
//! A [`Lab`] runs any number of machines in one process. Each has a BMC that speaks IPMI 2.0 (RMCP+, cipher suites 3
//! and 17, Serial over LAN) on a UDP socket of its own, and a pretend firmware that boots from the network the way real
//! ones do: it fetches its loader, the loader's configuration, the kernel and the initrd over TFTP or HTTP, "installs",
//! and ends at a login prompt on the serial console. [`Faults`] make a BMC or its network misbehave at run time.
#![forbid(unsafe_code)]

mod bmc;
mod control;
pub mod faults;
mod lab;
pub mod machine;
mod port;

pub use bmc::{BridgeAnswers, BusAddress, CartridgeAddress, Counters, SessionInfo, StartError, User};
pub use control::Control;
pub use faults::Faults;
pub use ipmi_wire::Privilege;
pub use lab::{CartridgeConfig, ChassisFactory, FruConfig, Lab, LabConfig, LabError, Machine, MachineConfig, SerialTimeout};
pub use port::{Port, PortFactory};
