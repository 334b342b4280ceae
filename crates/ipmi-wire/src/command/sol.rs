//! SOL configuration (spec 26.2–26.3, table 26-5).

use super::boot::ProgressState;
use super::{Body, Command};
use crate::DecodeError;
use crate::message::{CompletionCode, NetFn, Privilege};
use crate::wire::Reader;

/// One parameter of a channel's SOL configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SolParameter {
    SetInProgress(ProgressState),
    /// SOL can be activated at all.
    Enabled(bool),
    Authentication {
        force_encryption: bool,
        force_authentication: bool,
        /// Least level that may activate it.
        privilege: Privilege,
    },
    /// When characters of the machine are sent.
    Accumulate {
        /// Units of 5 ms; 0 is reserved.
        interval: u8,
        /// Characters that are sent at once without waiting for it.
        threshold: u8,
    },
    Retry {
        /// 0..=7.
        count: u8,
        /// Units of 10 ms.
        interval: u8,
    },
    /// Bits 3..0 of the parameter: 6 is 9,600, 7 19,200, 8 38,400, 9 57,600, 10 115,200 bit/s, 0 as the serial port has it.
    BitRate {
        rate: u8,
        /// Used now and forgotten with the BMC's restart; otherwise kept.
        volatile: bool,
    },
    /// The LAN channel SOL goes over; read only.
    PayloadChannel(u8),
    /// UDP port, where it is not the session's.
    PayloadPort(u16),
    /// Any other.
    Other {
        parameter: u8,
        data: Vec<u8>,
    },
}

impl SolParameter {
    /// Numbers of the parameters with a meaning here.
    pub const ALL: [u8; 9] = [0, 1, 2, 3, 4, 5, 6, 7, 8];

    #[must_use]
    pub fn number(&self) -> u8 {
        match self {
            Self::SetInProgress(_) => 0,
            Self::Enabled(_) => 1,
            Self::Authentication { .. } => 2,
            Self::Accumulate { .. } => 3,
            Self::Retry { .. } => 4,
            Self::BitRate { volatile: false, .. } => 5,
            Self::BitRate { volatile: true, .. } => 6,
            Self::PayloadChannel(_) => 7,
            Self::PayloadPort(_) => 8,
            Self::Other { parameter, .. } => *parameter,
        }
    }

    /// The parameter's data.
    #[must_use]
    pub fn data(&self) -> Vec<u8> {
        match self {
            Self::SetInProgress(state) => vec![state.value()],
            Self::Enabled(enabled) => vec![u8::from(*enabled)],
            Self::Authentication { force_encryption, force_authentication, privilege } => {
                vec![u8::from(*force_encryption) << 7 | u8::from(*force_authentication) << 6 | privilege.value()]
            }
            Self::Accumulate { interval, threshold } => vec![*interval, *threshold],
            Self::Retry { count, interval } => vec![*count & 7, *interval],
            Self::BitRate { rate, .. } => vec![*rate & 0x0f],
            Self::PayloadChannel(channel) => vec![*channel & 0x0f],
            Self::PayloadPort(port) => port.to_le_bytes().to_vec(),
            Self::Other { data, .. } => data.clone(),
        }
    }

    /// From its number and data.
    ///
    /// # Errors
    /// Too short, or a privilege level there is not.
    pub fn from_parts(parameter: u8, data: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new("SOL configuration parameter", data);
        Ok(match parameter {
            0 => {
                let value = r.u8()? & 3;
                Self::SetInProgress(ProgressState::from_value(value).ok_or_else(|| r.bad(value))?)
            }
            1 => Self::Enabled(r.u8()? & 1 == 1),
            2 => {
                let value = r.u8()?;
                let privilege = Privilege::from_value(value).ok_or_else(|| r.bad(value))?;
                Self::Authentication { force_encryption: value & 0x80 != 0, force_authentication: value & 0x40 != 0, privilege }
            }
            3 => Self::Accumulate { interval: r.u8()?, threshold: r.u8()? },
            4 => Self::Retry { count: r.u8()? & 7, interval: r.u8()? },
            5 | 6 => Self::BitRate { rate: r.u8()? & 0x0f, volatile: parameter == 6 },
            7 => Self::PayloadChannel(r.u8()? & 0x0f),
            8 => Self::PayloadPort(r.u16()?),
            _ => Self::Other { parameter, data: r.rest().to_vec() },
        })
    }
}

/// Set SOL Configuration Parameters (0C/21).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetSolConfig {
    /// A LAN channel, or [`super::THIS_CHANNEL`].
    pub channel: u8,
    pub parameter: SolParameter,
}

impl Body for SetSolConfig {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[self.channel & 0x0f, self.parameter.number()]);
        out.extend_from_slice(&self.parameter.data());
    }

    fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(Self::NAME, data);
        let [channel, parameter] = r.array()?;
        Ok(Self { channel: channel & 0x0f, parameter: SolParameter::from_parts(parameter, r.rest())? })
    }
}

impl Command for SetSolConfig {
    const NET_FN: NetFn = NetFn::TRANSPORT;
    const CMD: u8 = 0x21;
    const NAME: &'static str = "Set SOL Configuration Parameters";
    type Response = ();

    fn completion_text(code: CompletionCode) -> Option<&'static str> {
        match code.0 {
            0x80 => Some("parameter not supported"),
            0x81 => Some("set in progress by somebody else"),
            0x82 => Some("parameter is read only"),
            0x83 => Some("parameter is write only"),
            _ => None,
        }
    }
}

/// Get SOL Configuration Parameters (0C/22).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetSolConfig {
    /// A LAN channel, or [`super::THIS_CHANNEL`].
    pub channel: u8,
    pub parameter: u8,
}

impl Body for GetSolConfig {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[self.channel & 0x0f, self.parameter, 0, 0]);
    }

    fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(Self::NAME, data);
        let [channel, parameter] = r.array()?;
        Ok(Self { channel: channel & 0x0f, parameter })
    }
}

impl Command for GetSolConfig {
    const NET_FN: NetFn = NetFn::TRANSPORT;
    const CMD: u8 = 0x22;
    const NAME: &'static str = "Get SOL Configuration Parameters";
    type Response = SolConfigData;

    fn completion_text(code: CompletionCode) -> Option<&'static str> {
        (code.0 == 0x80).then_some("parameter not supported")
    }
}

/// A parameter's data; the answer does not say which parameter it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SolConfigData {
    /// 0x11: 1.1.
    pub revision: u8,
    pub data: Vec<u8>,
}

impl Body for SolConfigData {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.revision);
        out.extend_from_slice(&self.data);
    }

    fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new("Get SOL Configuration Parameters response", data);
        Ok(Self { revision: r.u8()?, data: r.rest().to_vec() })
    }
}
