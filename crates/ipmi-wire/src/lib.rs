//! IPMI 2.0 over LAN (RMCP+) as pure functions and state machines.
//!
//! No I/O, no clock, no randomness of its own, no panics on any input, no allocation larger than the
//! packet at hand. Every message can be written and read from both ends, so the same crate serves a
//! console (`ipmi-client`) and a BMC (`bmc-sim`).
//!
//! "Spec" in the documentation is *IPMI Specification, v2.0, rev. 1.1*; ASF is DSP0136.
#![forbid(unsafe_code)]

pub mod bridge;
pub mod command;
mod error;
pub mod inventory;
pub mod ipmb;
pub mod message;
pub mod rmcp;
pub mod session;
pub mod sol;
pub mod suite;
mod wire;

pub use error::DecodeError;
pub use message::{CompletionCode, NetFn, Privilege};
pub use suite::CipherSuite;
