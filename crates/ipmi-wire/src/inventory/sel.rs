//! Records of the system event log (IPMI 2.0 §32).

use std::fmt;

use super::event::{self, SENSOR_SPECIFIC, THRESHOLD};
use super::names;
use crate::DecodeError;
use crate::wire::Reader;

/// Octets of every record.
pub const RECORD_SIZE: usize = 16;
/// Times up to here count from the BMC's start, because nobody has set its clock.
pub const SINCE_START: u32 = 0x2000_0000;

const SYSTEM_EVENT: u8 = 0x02;

/// One record of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SelRecord {
    pub id: u16,
    pub content: SelContent,
}

/// What a record says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SelContent {
    Event(SelEvent),
    /// Types 0xC0 to 0xDF: a time and nine octets of a vendor's.
    OemTimestamped {
        kind: u8,
        timestamp: u32,
        data: [u8; 9],
    },
    /// Any other: thirteen octets of a vendor's.
    Oem {
        kind: u8,
        data: [u8; 13],
    },
}

/// Something happened at a sensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SelEvent {
    /// Seconds since 1970, or since the BMC's start up to [`SINCE_START`]; 0xffffffff is "not known".
    pub timestamp: u32,
    /// Slave address or software id, and LUN and channel, of who told.
    pub generator: u16,
    /// 4: IPMI 1.5 and 2.0.
    pub revision: u8,
    pub sensor_type: u8,
    pub sensor: u8,
    /// It has ceased.
    pub deasserted: bool,
    /// 7 bits; see [`event`].
    pub event_type: u8,
    /// The first holds the offset and what the others are.
    pub data: [u8; 3],
}

impl SelEvent {
    /// Which state of the sensor this is about.
    #[must_use]
    pub fn offset(&self) -> u8 {
        let [first, ..] = self.data;
        first & 0x0f
    }

    /// What happened; `None` where the specification has no name for it.
    #[must_use]
    pub fn what(&self) -> Option<&'static str> {
        event::state(self.sensor_type, self.event_type, self.offset())
    }

    /// The value that crossed a threshold, and the threshold, before the sensor's formula; where the record has them.
    #[must_use]
    pub fn trigger(&self) -> (Option<u8>, Option<u8>) {
        let [first, reading, threshold] = self.data;
        let is_threshold = self.event_type == THRESHOLD;
        let present = |bits| is_threshold && bits & 3 == 1;
        (present(first >> 6).then_some(reading), present(first >> 4).then_some(threshold))
    }
}

impl SelRecord {
    /// Reads a record.
    ///
    /// # Errors
    /// Shorter than 16 octets.
    pub fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new("SEL record", data);
        let id = r.u16()?;
        let kind = r.u8()?;
        let content = match kind {
            SYSTEM_EVENT => {
                let timestamp = r.u32()?;
                let generator = r.u16()?;
                let [revision, sensor_type, sensor, event_type] = r.array()?;
                SelContent::Event(SelEvent {
                    timestamp,
                    generator,
                    revision,
                    sensor_type,
                    sensor,
                    deasserted: event_type & 0x80 != 0,
                    event_type: event_type & 0x7f,
                    data: r.array()?,
                })
            }
            0xc0..=0xdf => SelContent::OemTimestamped { kind, timestamp: r.u32()?, data: r.array()? },
            _ => SelContent::Oem { kind, data: r.array()? },
        };
        Ok(Self { id, content })
    }

    /// The record's octets.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(RECORD_SIZE);
        out.extend_from_slice(&self.id.to_le_bytes());
        match &self.content {
            SelContent::Event(e) => {
                out.push(SYSTEM_EVENT);
                out.extend_from_slice(&e.timestamp.to_le_bytes());
                out.extend_from_slice(&e.generator.to_le_bytes());
                out.extend_from_slice(&[e.revision, e.sensor_type, e.sensor, u8::from(e.deasserted) << 7 | e.event_type & 0x7f]);
                out.extend_from_slice(&e.data);
            }
            SelContent::OemTimestamped { kind, timestamp, data } => {
                out.push(*kind);
                out.extend_from_slice(&timestamp.to_le_bytes());
                out.extend_from_slice(data);
            }
            SelContent::Oem { kind, data } => {
                out.push(*kind);
                out.extend_from_slice(data);
            }
        }
        out
    }

    /// When, in seconds since 1970; `None` when the record or the BMC's clock does not tell.
    #[must_use]
    pub fn time(&self) -> Option<u32> {
        let timestamp = match self.content {
            SelContent::Event(SelEvent { timestamp, .. }) | SelContent::OemTimestamped { timestamp, .. } => timestamp,
            SelContent::Oem { .. } => return None,
        };
        (timestamp > SINCE_START && timestamp != u32::MAX).then_some(timestamp)
    }
}

/// In words, without record number and time.
impl fmt::Display for SelRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.content {
            SelContent::Event(e) => {
                match names::sensor_type(e.sensor_type) {
                    Some(name) => f.write_str(name)?,
                    None => write!(f, "Sensor type {:#04x}", e.sensor_type)?,
                }
                write!(f, " #{:#04x}: ", e.sensor)?;
                match e.what() {
                    Some(what) => f.write_str(what)?,
                    None if e.event_type == SENSOR_SPECIFIC => write!(f, "state {}", e.offset())?,
                    None => write!(f, "event type {:#04x}, state {}", e.event_type, e.offset())?,
                }
                f.write_str(if e.deasserted { ", deasserted" } else { ", asserted" })
            }
            SelContent::OemTimestamped { kind, data, .. } => write!(f, "OEM record {kind:#04x}: {data:02x?}"),
            SelContent::Oem { kind, data } => write!(f, "OEM record {kind:#04x}: {data:02x?}"),
        }
    }
}
