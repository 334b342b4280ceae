//! The RMCP envelope of every datagram on UDP port 623, and the ASF presence ping (spec 13.1–13.2, ASF 3.2).

use crate::DecodeError;
use crate::wire::Reader;

/// UDP port of a BMC that was not told otherwise.
pub const PORT: u16 = 623;
/// Sequence number of messages that want no RMCP acknowledgement, which is all of IPMI (spec 13.1.3).
pub const NO_ACK_SEQUENCE: u8 = 0xff;
/// Octets of the RMCP header.
pub const HEADER_LEN: usize = 4;

const VERSION: u8 = 0x06;
const ASF_IANA: u32 = 4542;

/// What the datagram carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Alert Standard Format, used only for presence ping and pong.
    Asf,
    /// IPMI 1.5 or 2.0.
    Ipmi,
}

/// The four-octet RMCP header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// 0..=254 asks for an RMCP acknowledgement, 255 does not.
    pub sequence: u8,
    pub class: Class,
    /// The datagram is an RMCP acknowledgement and has no data.
    pub ack: bool,
}

impl Header {
    /// The header in front of every IPMI packet.
    pub const IPMI: Self = Self { sequence: NO_ACK_SEQUENCE, class: Class::Ipmi, ack: false };

    /// Appends the header.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let class = match self.class {
            Class::Asf => 0x06,
            Class::Ipmi => 0x07,
        };
        out.extend_from_slice(&[VERSION, 0x00, self.sequence, class | if self.ack { 0x80 } else { 0 }]);
    }

    /// Splits a datagram into header and data.
    ///
    /// # Errors
    /// Too short, another RMCP version, or a class other than ASF and IPMI.
    pub fn decode(datagram: &[u8]) -> Result<(Self, &[u8]), DecodeError> {
        let mut r = Reader::new("RMCP header", datagram);
        let [version, _reserved, sequence, class] = r.array()?;
        if version != VERSION {
            return Err(r.bad(version));
        }
        let ack = class & 0x80 != 0;
        let class = match class & 0x1f {
            0x06 => Class::Asf,
            0x07 => Class::Ipmi,
            _ => return Err(r.bad(class)),
        };
        Ok((Self { sequence, class, ack }, r.rest()))
    }
}

/// The two ASF messages a BMC knows (ASF 3.2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asf {
    /// "Is anybody there?"; needs no session.
    Ping { tag: u8 },
    /// The answer to the ping with the same tag.
    Pong {
        tag: u8,
        /// Enterprise number of who defined `oem`; 4542 when there is nothing special.
        iana: u32,
        oem: u32,
        /// Bit 7: IPMI supported. Bits 3:0: ASF version, 1 = 1.0.
        entities: u8,
        interactions: u8,
    },
}

impl Asf {
    /// The pong of a BMC that speaks IPMI and has nothing else to say.
    #[must_use]
    pub fn pong(tag: u8) -> Self {
        Self::Pong { tag, iana: ASF_IANA, oem: 0, entities: 0x81, interactions: 0 }
    }

    /// Writes a whole datagram, RMCP header included.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(28);
        Header { sequence: NO_ACK_SEQUENCE, class: Class::Asf, ack: false }.encode(&mut out);
        out.extend_from_slice(&ASF_IANA.to_be_bytes());
        match *self {
            Self::Ping { tag } => out.extend_from_slice(&[0x80, tag, 0, 0]),
            Self::Pong { tag, iana, oem, entities, interactions } => {
                out.extend_from_slice(&[0x40, tag, 0, 16]);
                out.extend_from_slice(&iana.to_be_bytes());
                out.extend_from_slice(&oem.to_be_bytes());
                out.extend_from_slice(&[entities, interactions, 0, 0, 0, 0, 0, 0]);
            }
        }
        out
    }

    /// Reads what follows the RMCP header.
    ///
    /// # Errors
    /// Truncated, not ASF's enterprise number, or a message that is neither ping nor pong.
    pub fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new("ASF message", data);
        let iana = u32::from_be_bytes(r.array()?);
        if iana != ASF_IANA {
            return Err(r.bad(iana));
        }
        let [kind, tag, _reserved, _len] = r.array()?;
        match kind {
            0x80 => Ok(Self::Ping { tag }),
            0x40 => {
                let iana = u32::from_be_bytes(r.array()?);
                let oem = u32::from_be_bytes(r.array()?);
                let [entities, interactions] = r.array()?;
                Ok(Self::Pong { tag, iana, oem, entities, interactions })
            }
            _ => Err(r.bad(kind)),
        }
    }
}
