//! What BMCs know about their machines, as stored: FRU inventory, event log records, sensor data records.
//!
//! [`crate::command`] fetches the octets; here they get their meaning.

pub mod event;
pub mod fru;
mod names;
pub mod sdr;
pub mod sel;
mod text;
pub mod unit;

pub use names::{entity, sensor_type};
