//! The six messages that open a session (spec 13.17–13.24): codecs for both ends.

use std::fmt;

use super::header::{PayloadType, put_header};
use super::{SecretKey, Username};
use crate::DecodeError;
use crate::message::Privilege;
use crate::suite::Algorithms;
use crate::wire::Reader;

/// RMCP+ status of a set-up message (spec table 13-15).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Status(pub u8);

impl Status {
    pub const OK: Self = Self(0x00);
    pub const NO_RESOURCES: Self = Self(0x01);
    pub const INVALID_SESSION_ID: Self = Self(0x02);
    pub const INVALID_PAYLOAD_TYPE: Self = Self(0x03);
    pub const INVALID_AUTHENTICATION: Self = Self(0x04);
    pub const INVALID_INTEGRITY: Self = Self(0x05);
    pub const NO_MATCHING_AUTHENTICATION: Self = Self(0x06);
    pub const NO_MATCHING_INTEGRITY: Self = Self(0x07);
    pub const INACTIVE_SESSION_ID: Self = Self(0x08);
    pub const INVALID_ROLE: Self = Self(0x09);
    pub const UNAUTHORIZED_ROLE: Self = Self(0x0a);
    pub const NO_RESOURCES_FOR_ROLE: Self = Self(0x0b);
    pub const INVALID_NAME_LENGTH: Self = Self(0x0c);
    pub const UNAUTHORIZED_NAME: Self = Self(0x0d);
    pub const UNAUTHORIZED_GUID: Self = Self(0x0e);
    pub const INVALID_INTEGRITY_CHECK: Self = Self(0x0f);
    pub const INVALID_CONFIDENTIALITY: Self = Self(0x10);
    pub const NO_MATCHING_SUITE: Self = Self(0x11);
    pub const ILLEGAL_PARAMETER: Self = Self(0x12);

    #[must_use]
    pub fn is_ok(self) -> bool {
        self == Self::OK
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.0 {
            0x00 => "no errors",
            0x01 => "insufficient resources to create a session",
            0x02 => "invalid session id",
            0x03 => "invalid payload type",
            0x04 => "invalid authentication algorithm",
            0x05 => "invalid integrity algorithm",
            0x06 => "no matching authentication payload",
            0x07 => "no matching integrity payload",
            0x08 => "inactive session id",
            0x09 => "invalid role",
            0x0a => "unauthorized role or privilege level requested",
            0x0b => "insufficient resources to create a session at the requested role",
            0x0c => "invalid name length",
            0x0d => "unauthorized name",
            0x0e => "unauthorized GUID",
            0x0f => "invalid integrity check value",
            0x10 => "invalid confidentiality algorithm",
            0x11 => "no cipher suite match with the proposed security algorithms",
            0x12 => "illegal or unrecognized parameter",
            _ => "unknown status",
        };
        write!(f, "{text} ({:#04x})", self.0)
    }
}

/// Console → BMC: the suite it wants and its own session id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenSessionRequest {
    pub tag: u8,
    /// Highest level the session shall be able to reach; `None` is "whatever the suite allows".
    pub privilege: Option<Privilege>,
    pub console_id: u32,
    pub algorithms: Algorithms,
}

/// BMC → console: its session id, or why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenSessionResponse {
    pub tag: u8,
    pub status: Status,
    pub privilege: Option<Privilege>,
    pub console_id: u32,
    /// 0 and all-zero algorithms when `status` is not OK: the message then ends early.
    pub bmc_id: u32,
    pub algorithms: Algorithms,
}

/// Console → BMC: who wants in, and the console's random number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rakp1 {
    pub tag: u8,
    pub bmc_id: u32,
    pub random: [u8; 16],
    pub privilege: Option<Privilege>,
    /// Look the user up by name alone; otherwise by name and privilege.
    pub name_only: bool,
    pub username: Username,
}

/// BMC → console: its random number, and proof that it knows the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rakp2<'a> {
    pub tag: u8,
    pub status: Status,
    pub console_id: u32,
    pub random: [u8; 16],
    pub guid: [u8; 16],
    /// 20 octets for suite 3, 32 for suite 17; empty when `status` is not OK.
    pub code: &'a [u8],
}

/// Console → BMC: proof that the console knows the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rakp3<'a> {
    pub tag: u8,
    pub status: Status,
    pub bmc_id: u32,
    /// Empty when `status` is not OK.
    pub code: &'a [u8],
}

/// BMC → console: the session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rakp4<'a> {
    pub tag: u8,
    pub status: Status,
    pub console_id: u32,
    /// 12 octets for suite 3, 16 for suite 17; empty when `status` is not OK.
    pub icv: &'a [u8],
}

/// Any message of session set-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setup<'a> {
    OpenRequest(OpenSessionRequest),
    OpenResponse(OpenSessionResponse),
    Rakp1(Rakp1),
    Rakp2(Rakp2<'a>),
    Rakp3(Rakp3<'a>),
    Rakp4(Rakp4<'a>),
}

impl Rakp1 {
    /// The role octet as it stands on the wire and in every authentication code.
    #[must_use]
    pub fn role(&self) -> u8 {
        role(self.privilege, self.name_only)
    }
}

pub(super) fn role(privilege: Option<Privilege>, name_only: bool) -> u8 {
    privilege.map_or(0, Privilege::value) | if name_only { 0x10 } else { 0 }
}

impl<'a> Setup<'a> {
    #[must_use]
    pub fn payload_type(&self) -> PayloadType {
        match self {
            Self::OpenRequest(_) => PayloadType::OpenSessionRequest,
            Self::OpenResponse(_) => PayloadType::OpenSessionResponse,
            Self::Rakp1(_) => PayloadType::Rakp1,
            Self::Rakp2(_) => PayloadType::Rakp2,
            Self::Rakp3(_) => PayloadType::Rakp3,
            Self::Rakp4(_) => PayloadType::Rakp4,
        }
    }

    /// Writes a whole datagram. Authentication codes longer than 32 octets, which no suite has, are cut.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(96);
        match self {
            Self::OpenRequest(m) => {
                body.extend_from_slice(&[m.tag, m.privilege.map_or(0, Privilege::value), 0, 0]);
                body.extend_from_slice(&m.console_id.to_le_bytes());
                put_algorithms(&mut body, m.algorithms);
            }
            Self::OpenResponse(m) => {
                body.extend_from_slice(&[m.tag, m.status.0, m.privilege.map_or(0, Privilege::value), 0]);
                body.extend_from_slice(&m.console_id.to_le_bytes());
                if m.status.is_ok() {
                    body.extend_from_slice(&m.bmc_id.to_le_bytes());
                    put_algorithms(&mut body, m.algorithms);
                }
            }
            Self::Rakp1(m) => {
                body.extend_from_slice(&[m.tag, 0, 0, 0]);
                body.extend_from_slice(&m.bmc_id.to_le_bytes());
                body.extend_from_slice(&m.random);
                body.extend_from_slice(&[m.role(), 0, 0, m.username.len()]);
                body.extend_from_slice(m.username.as_bytes());
            }
            Self::Rakp2(m) => {
                body.extend_from_slice(&[m.tag, m.status.0, 0, 0]);
                body.extend_from_slice(&m.console_id.to_le_bytes());
                if m.status.is_ok() {
                    body.extend_from_slice(&m.random);
                    body.extend_from_slice(&m.guid);
                    body.extend(m.code.iter().take(32));
                }
            }
            Self::Rakp3(m) => {
                body.extend_from_slice(&[m.tag, m.status.0, 0, 0]);
                body.extend_from_slice(&m.bmc_id.to_le_bytes());
                if m.status.is_ok() {
                    body.extend(m.code.iter().take(32));
                }
            }
            Self::Rakp4(m) => {
                body.extend_from_slice(&[m.tag, m.status.0, 0, 0]);
                body.extend_from_slice(&m.console_id.to_le_bytes());
                if m.status.is_ok() {
                    body.extend(m.icv.iter().take(32));
                }
            }
        }
        let mut out = Vec::with_capacity(16 + body.len());
        // At most 72 octets, see above.
        put_header(&mut out, self.payload_type().value(), 0, 0, body.len() as u16);
        out.extend_from_slice(&body);
        out
    }

    /// Reads the payload of a packet of that type.
    ///
    /// # Errors
    /// Too short, or not a set-up payload type.
    pub fn decode(payload_type: PayloadType, payload: &'a [u8]) -> Result<Self, DecodeError> {
        match payload_type {
            PayloadType::OpenSessionRequest => open_request(payload).map(Self::OpenRequest),
            PayloadType::OpenSessionResponse => open_response(payload).map(Self::OpenResponse),
            PayloadType::Rakp1 => rakp1(payload).map(Self::Rakp1),
            PayloadType::Rakp2 => rakp2(payload).map(Self::Rakp2),
            PayloadType::Rakp3 => {
                let mut r = Reader::new("RAKP message 3", payload);
                let [tag, status, _, _] = r.array()?;
                Ok(Self::Rakp3(Rakp3 { tag, status: Status(status), bmc_id: r.u32()?, code: r.rest() }))
            }
            PayloadType::Rakp4 => {
                let mut r = Reader::new("RAKP message 4", payload);
                let [tag, status, _, _] = r.array()?;
                Ok(Self::Rakp4(Rakp4 { tag, status: Status(status), console_id: r.u32()?, icv: r.rest() }))
            }
            other => Err(DecodeError::Value { what: "set-up payload type", value: other.value().into() }),
        }
    }
}

fn open_request(payload: &[u8]) -> Result<OpenSessionRequest, DecodeError> {
    let mut r = Reader::new("Open Session request", payload);
    let [tag, privilege, _, _] = r.array()?;
    let console_id = r.u32()?;
    let algorithms = get_algorithms(&mut r)?;
    Ok(OpenSessionRequest { tag, privilege: Privilege::from_value(privilege), console_id, algorithms })
}

fn open_response(payload: &[u8]) -> Result<OpenSessionResponse, DecodeError> {
    let mut r = Reader::new("Open Session response", payload);
    let [tag, status] = r.array()?;
    let status = Status(status);
    let nothing = Algorithms { authentication: 0, integrity: 0, confidentiality: 0 };
    if !status.is_ok() {
        // Some BMCs stop right after the status.
        let (privilege, console_id) = match (r.array::<2>(), r.u32()) {
            (Ok([privilege, _]), Ok(id)) => (Privilege::from_value(privilege), id),
            _ => (None, 0),
        };
        return Ok(OpenSessionResponse { tag, status, privilege, console_id, bmc_id: 0, algorithms: nothing });
    }
    let [privilege, _] = r.array()?;
    let console_id = r.u32()?;
    let bmc_id = r.u32()?;
    let algorithms = get_algorithms(&mut r)?;
    Ok(OpenSessionResponse { tag, status, privilege: Privilege::from_value(privilege), console_id, bmc_id, algorithms })
}

fn rakp1(payload: &[u8]) -> Result<Rakp1, DecodeError> {
    let mut r = Reader::new("RAKP message 1", payload);
    let [tag, _, _, _] = r.array()?;
    let bmc_id = r.u32()?;
    let random = r.array()?;
    let [role, _, _, len] = r.array()?;
    let name = r.bytes(len.into())?;
    let username = Username::new(name).map_err(|_| r.bad(len))?;
    Ok(Rakp1 { tag, bmc_id, random, privilege: Privilege::from_value(role), name_only: role & 0x10 != 0, username })
}

fn rakp2(payload: &[u8]) -> Result<Rakp2<'_>, DecodeError> {
    let mut r = Reader::new("RAKP message 2", payload);
    let [tag, status, _, _] = r.array()?;
    let status = Status(status);
    let console_id = r.u32()?;
    if !status.is_ok() {
        return Ok(Rakp2 { tag, status, console_id, random: [0; 16], guid: [0; 16], code: &[] });
    }
    Ok(Rakp2 { tag, status, console_id, random: r.array()?, guid: r.array()?, code: r.rest() })
}

/// The three algorithm records of Open Session: type, 2 reserved, length 8, algorithm, 3 reserved.
fn put_algorithms(out: &mut Vec<u8>, a: Algorithms) {
    for (kind, algorithm) in (0u8..).zip([a.authentication, a.integrity, a.confidentiality]) {
        out.extend_from_slice(&[kind, 0, 0, 8, algorithm, 0, 0, 0]);
    }
}

fn get_algorithms(r: &mut Reader<'_>) -> Result<Algorithms, DecodeError> {
    let mut found = [0u8; 3];
    for (kind, slot) in (0u8..).zip(&mut found) {
        let [got, _, _, _len, algorithm, _, _, _] = r.array()?;
        if got != kind {
            return Err(r.bad(got));
        }
        *slot = algorithm & 0x3f;
    }
    let [authentication, integrity, confidentiality] = found;
    Ok(Algorithms { authentication, integrity, confidentiality })
}

/// Everything an authentication code of the handshake covers, collected as both ends learn it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Transcript {
    pub console_id: u32,
    pub bmc_id: u32,
    pub console_random: [u8; 16],
    pub bmc_random: [u8; 16],
    pub guid: [u8; 16],
    pub role: u8,
    pub username: Username,
}

impl Transcript {
    pub(super) fn rakp2_code(&self, suite: crate::CipherSuite, password: &SecretKey) -> crate::suite::Code {
        suite.hmac(
            password.as_bytes(),
            &[
                &self.console_id.to_le_bytes(),
                &self.bmc_id.to_le_bytes(),
                &self.console_random,
                &self.bmc_random,
                &self.guid,
                &[self.role, self.username.len()],
                self.username.as_bytes(),
            ],
        )
    }

    /// `role` is a parameter because some BMCs leave the lookup bit out here (quirk).
    pub(super) fn rakp3_code(&self, suite: crate::CipherSuite, password: &SecretKey, role: u8) -> crate::suite::Code {
        suite.hmac(
            password.as_bytes(),
            &[&self.bmc_random, &self.console_id.to_le_bytes(), &[role, self.username.len()], self.username.as_bytes()],
        )
    }

    /// The session integrity key. K_g replaces the password where the BMC has one.
    pub(super) fn sik(&self, suite: crate::CipherSuite, key: &SecretKey) -> crate::suite::Code {
        suite.hmac(key.as_bytes(), &[&self.console_random, &self.bmc_random, &[self.role, self.username.len()], self.username.as_bytes()])
    }

    pub(super) fn rakp4_icv(&self, suite: crate::CipherSuite, sik: &crate::suite::Code) -> crate::suite::Code {
        suite.hmac(sik.as_bytes(), &[&self.console_random, &self.bmc_id.to_le_bytes(), &self.guid])
    }
}
