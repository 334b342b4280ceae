//! Serial over LAN (spec 15): the packet, and an engine either end can run.

mod engine;

pub use engine::{SolConfig, SolEngine, SolEvent};

use crate::DecodeError;
use crate::wire::Reader;

/// Octets in front of the characters.
pub const HEADER_LEN: usize = 4;
/// Characters one packet can acknowledge, hence carry.
pub const MAX_CHARACTERS: usize = 255;

/// Which end of the line we are. The fourth octet means different things in the two directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Console,
    Bmc,
}

/// A SOL payload, either direction (spec tables 15-2, 15-3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SolPacket<'a> {
    /// 1..=15; 0 when the packet only acknowledges.
    pub sequence: u8,
    /// Number of the packet being answered; 0 when none is.
    pub ack: u8,
    /// Characters of that packet that were taken.
    pub accepted: u8,
    /// Operation (console → BMC) or status (BMC → console), see [`op`] and [`status`].
    pub flags: u8,
    pub data: &'a [u8],
}

/// The answer is a refusal; same bit in both directions.
pub const NACK: u8 = 0x40;

/// Bits from the console to the BMC.
pub mod op {
    /// Pulse ring indication.
    pub const RING: u8 = 0x20;
    /// Generate a break on the serial line.
    pub const BREAK: u8 = 0x10;
    /// Hold CTS off.
    pub const CTS_PAUSE: u8 = 0x08;
    /// Drop DCD and DSR.
    pub const DROP_DCD: u8 = 0x04;
    /// Discard what the BMC holds for the console.
    pub const FLUSH_INBOUND: u8 = 0x02;
    /// Discard what the BMC holds for the serial line.
    pub const FLUSH_OUTBOUND: u8 = 0x01;
}

/// Bits from the BMC to the console.
pub mod status {
    /// The BMC cannot pass characters at present.
    pub const UNAVAILABLE: u8 = 0x20;
    /// SOL was or is being deactivated.
    pub const DEACTIVATED: u8 = 0x10;
    /// Characters from the machine were lost before the BMC could send them.
    pub const OVERRUN: u8 = 0x08;
    /// The machine sent a break.
    pub const BREAK: u8 = 0x04;
}

impl<'a> SolPacket<'a> {
    /// Appends the payload.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.reserve(HEADER_LEN + self.data.len());
        out.extend_from_slice(&[self.sequence & 0x0f, self.ack & 0x0f, self.accepted, self.flags]);
        out.extend_from_slice(self.data);
    }

    /// Reads a payload.
    ///
    /// # Errors
    /// Shorter than its header.
    pub fn decode(payload: &'a [u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new("SOL packet", payload);
        let [sequence, ack, accepted, flags] = r.array()?;
        Ok(Self { sequence: sequence & 0x0f, ack: ack & 0x0f, accepted, flags, data: r.rest() })
    }
}
