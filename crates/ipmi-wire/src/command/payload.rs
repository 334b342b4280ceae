//! Payload commands: switching SOL on and off within a session (spec 24.1–24.5).

use super::{Body, Command};
use crate::DecodeError;
use crate::message::{CompletionCode, NetFn};
use crate::wire::Reader;

/// Activate Payload (06/48).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActivatePayload {
    /// Number of a [`crate::session::PayloadType`]; 1 is SOL.
    pub payload_type: u8,
    /// 1..=15, normally 1.
    pub instance: u8,
    /// Meaning depends on the payload; for SOL see [`Self::sol`].
    pub aux: [u8; 4],
}

impl ActivatePayload {
    /// SOL, encrypted and authenticated, serial alerts deferred while it is active, CTS and DCD asserted towards the
    /// machine: what `ipmitool` asks for.
    #[must_use]
    pub fn sol(instance: u8) -> Self {
        Self { payload_type: 1, instance, aux: [0xc6, 0, 0, 0] }
    }

    /// SOL packets from the console shall be encrypted.
    #[must_use]
    pub fn encrypted(&self) -> bool {
        let [first, ..] = self.aux;
        first & 0x80 != 0
    }
}

impl Body for ActivatePayload {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[self.payload_type & 0x3f, self.instance & 0x0f]);
        out.extend_from_slice(&self.aux);
    }

    fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(Self::NAME, data);
        let [payload_type, instance] = r.array()?;
        Ok(Self { payload_type: payload_type & 0x3f, instance: instance & 0x0f, aux: r.array()? })
    }
}

impl Command for ActivatePayload {
    const NET_FN: NetFn = NetFn::APP;
    const CMD: u8 = 0x48;
    const NAME: &'static str = "Activate Payload";
    type Response = ActivatePayloadResponse;

    /// A second copy would be told "already active", by the same session.
    fn is_idempotent(&self) -> bool {
        false
    }

    fn completion_text(code: CompletionCode) -> Option<&'static str> {
        match code {
            Self::ALREADY_ACTIVE => Some("payload already active on another session"),
            Self::DISABLED => Some("payload type is disabled"),
            Self::LIMIT => Some("payload activation limit reached"),
            Self::CANNOT_ENCRYPT => Some("cannot activate payload with encryption"),
            Self::NEEDS_ENCRYPTION => Some("cannot activate payload without encryption"),
            _ => None,
        }
    }
}

impl ActivatePayload {
    pub const ALREADY_ACTIVE: CompletionCode = CompletionCode(0x80);
    pub const DISABLED: CompletionCode = CompletionCode(0x81);
    pub const LIMIT: CompletionCode = CompletionCode(0x82);
    pub const CANNOT_ENCRYPT: CompletionCode = CompletionCode(0x83);
    pub const NEEDS_ENCRYPTION: CompletionCode = CompletionCode(0x84);
}

/// Sizes and port of the payload that is now active (spec table 24-2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActivatePayloadResponse {
    pub aux: [u8; 4],
    /// Octets of the largest payload the BMC takes.
    pub inbound_size: u16,
    /// Octets of the largest payload the BMC sends.
    pub outbound_size: u16,
    /// UDP port of the payload; some BMCs answer garbage (0, byte-swapped).
    pub port: u16,
    /// 0xffff when no VLAN is used.
    pub vlan: u16,
}

impl Body for ActivatePayloadResponse {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.aux);
        for n in [self.inbound_size, self.outbound_size, self.port, self.vlan] {
            out.extend_from_slice(&n.to_le_bytes());
        }
    }

    fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new("Activate Payload response", data);
        Ok(Self {
            aux: r.array()?,
            inbound_size: r.u16()?,
            outbound_size: r.u16()?,
            port: r.u16()?,
            // Left out by BMCs that follow the earliest revision.
            vlan: r.u16().unwrap_or(0xffff),
        })
    }
}

/// Deactivate Payload (06/49). Any session may deactivate another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeactivatePayload {
    pub payload_type: u8,
    pub instance: u8,
}

impl DeactivatePayload {
    #[must_use]
    pub fn sol(instance: u8) -> Self {
        Self { payload_type: 1, instance }
    }

    pub const ALREADY_INACTIVE: CompletionCode = CompletionCode(0x80);
}

impl Body for DeactivatePayload {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[self.payload_type & 0x3f, self.instance & 0x0f, 0, 0, 0, 0]);
    }

    fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        let [payload_type, instance] = Reader::new(Self::NAME, data).array()?;
        Ok(Self { payload_type: payload_type & 0x3f, instance: instance & 0x0f })
    }
}

impl Command for DeactivatePayload {
    const NET_FN: NetFn = NetFn::APP;
    const CMD: u8 = 0x49;
    const NAME: &'static str = "Deactivate Payload";
    type Response = ();

    fn completion_text(code: CompletionCode) -> Option<&'static str> {
        match code.0 {
            0x80 => Some("payload already deactivated"),
            0x81 => Some("payload type is disabled"),
            _ => None,
        }
    }
}

/// Get Payload Activation Status (06/4A).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetPayloadActivationStatus {
    pub payload_type: u8,
}

impl Body for GetPayloadActivationStatus {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.payload_type);
    }

    fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        Ok(Self { payload_type: Reader::new(Self::NAME, data).u8()? })
    }
}

impl Command for GetPayloadActivationStatus {
    const NET_FN: NetFn = NetFn::APP;
    const CMD: u8 = 0x4a;
    const NAME: &'static str = "Get Payload Activation Status";
    type Response = PayloadActivationStatus;
}

/// Which instances are active.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PayloadActivationStatus {
    /// How many instances there may be, 4 bits.
    pub capacity: u8,
    /// Bit n: instance n + 1 is active.
    pub active: u16,
}

impl PayloadActivationStatus {
    /// Whether instance 1..=16 is active.
    #[must_use]
    pub fn is_active(&self, instance: u8) -> bool {
        instance.checked_sub(1).and_then(|bit| self.active.checked_shr(bit.into())).is_some_and(|bits| bits & 1 == 1)
    }
}

impl Body for PayloadActivationStatus {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.capacity & 0x0f);
        out.extend_from_slice(&self.active.to_le_bytes());
    }

    fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new("Get Payload Activation Status response", data);
        Ok(Self { capacity: r.u8()? & 0x0f, active: r.u16()? })
    }
}

/// Get Payload Instance Info (06/4B).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetPayloadInstanceInfo {
    pub payload_type: u8,
    pub instance: u8,
}

impl Body for GetPayloadInstanceInfo {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[self.payload_type, self.instance]);
    }

    fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        let [payload_type, instance] = Reader::new(Self::NAME, data).array()?;
        Ok(Self { payload_type, instance })
    }
}

impl Command for GetPayloadInstanceInfo {
    const NET_FN: NetFn = NetFn::APP;
    const CMD: u8 = 0x4b;
    const NAME: &'static str = "Get Payload Instance Info";
    type Response = PayloadInstanceInfo;
}

/// Who holds an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PayloadInstanceInfo {
    /// The BMC's id of the session that activated it; 0 when inactive.
    pub session_id: u32,
    /// For SOL: first octet is the serial port, the rest reserved.
    pub info: [u8; 8],
}

impl Body for PayloadInstanceInfo {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.session_id.to_le_bytes());
        out.extend_from_slice(&self.info);
    }

    fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new("Get Payload Instance Info response", data);
        Ok(Self { session_id: r.u32()?, info: r.array().unwrap_or_default() })
    }
}
