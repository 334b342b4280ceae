//! Commands about channels and sessions (spec 22.13–22.19).

use super::{Body, Command};
use crate::message::{CompletionCode, NetFn, Privilege};
use crate::wire::Reader;
use crate::{CipherSuite, DecodeError};

/// The channel a request arrives on.
pub const THIS_CHANNEL: u8 = 0x0e;

/// Asks what kinds of session the channel allows; needs none itself (06/38).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetChannelAuthCapabilities {
    /// Ask for RMCP+ information too.
    pub v20: bool,
    pub channel: u8,
    pub privilege: Privilege,
}

impl GetChannelAuthCapabilities {
    /// The question every session starts with.
    #[must_use]
    pub fn current(privilege: Privilege) -> Self {
        Self { v20: true, channel: THIS_CHANNEL, privilege }
    }
}

impl Body for GetChannelAuthCapabilities {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[if self.v20 { 0x80 } else { 0 } | self.channel & 0x0f, self.privilege.value()]);
    }

    fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(Self::NAME, data);
        let [channel, privilege] = r.array()?;
        let privilege = Privilege::from_value(privilege).ok_or_else(|| r.bad(privilege))?;
        Ok(Self { v20: channel & 0x80 != 0, channel: channel & 0x0f, privilege })
    }
}

impl Command for GetChannelAuthCapabilities {
    const NET_FN: NetFn = NetFn::APP;
    const CMD: u8 = 0x38;
    const NAME: &'static str = "Get Channel Authentication Capabilities";
    type Response = ChannelAuthCapabilities;
}

/// What the channel allows (spec table 22-15).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChannelAuthCapabilities {
    pub channel: u8,
    /// IPMI 1.5 authentication types, as the bit field of the wire without its "extended" bit 7.
    pub auth_types: u8,
    /// The extended fields are there: bit 7 of `auth_types`.
    pub extended: bool,
    /// K_g is set to something other than all zeros: log-in needs it.
    pub kg_set: bool,
    pub per_message_disabled: bool,
    pub user_level_disabled: bool,
    /// Users with a name, users without a name, and the all-null user may log in.
    pub non_null_users: bool,
    pub null_users: bool,
    pub anonymous: bool,
    pub supports_v20: bool,
    pub supports_v15: bool,
    pub oem_iana: [u8; 3],
    pub oem_data: u8,
}

impl Body for ChannelAuthCapabilities {
    fn encode(&self, out: &mut Vec<u8>) {
        let bit = |set: bool, n: u8| u8::from(set) << n;
        out.push(self.channel);
        out.push(self.auth_types & 0x3f | bit(self.extended, 7));
        out.push(
            bit(self.kg_set, 5)
                | bit(self.per_message_disabled, 4)
                | bit(self.user_level_disabled, 3)
                | bit(self.non_null_users, 2)
                | bit(self.null_users, 1)
                | bit(self.anonymous, 0),
        );
        out.push(bit(self.supports_v20, 1) | bit(self.supports_v15, 0));
        out.extend_from_slice(&self.oem_iana);
        out.push(self.oem_data);
    }

    fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new("Get Channel Authentication Capabilities response", data);
        let [channel, types, status, extended] = r.array()?;
        let bit = |octet: u8, n: u8| octet >> n & 1 == 1;
        Ok(Self {
            channel: channel & 0x0f,
            auth_types: types & 0x3f,
            extended: bit(types, 7),
            kg_set: bit(status, 5),
            per_message_disabled: bit(status, 4),
            user_level_disabled: bit(status, 3),
            non_null_users: bit(status, 2),
            null_users: bit(status, 1),
            anonymous: bit(status, 0),
            supports_v20: bit(extended, 1),
            supports_v15: bit(extended, 0),
            oem_iana: r.array().unwrap_or_default(),
            oem_data: r.u8().unwrap_or_default(),
        })
    }
}

/// Asks for the cipher suites of the channel, 16 octets at a time; needs no session (06/54).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetChannelCipherSuites {
    pub channel: u8,
    /// 0 is IPMI.
    pub payload_type: u8,
    /// 0, 1, 2 …: which 16 octets of the list.
    pub index: u8,
}

impl GetChannelCipherSuites {
    /// The `index`-th piece of the list for this channel.
    #[must_use]
    pub fn current(index: u8) -> Self {
        Self { channel: THIS_CHANNEL, payload_type: 0, index }
    }

    /// Pieces a list can have.
    pub const MAX_INDEX: u8 = 0x3f;
}

impl Body for GetChannelCipherSuites {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[self.channel & 0x0f, self.payload_type & 0x3f, 0x80 | self.index & 0x3f]);
    }

    fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        let [channel, payload_type, index] = Reader::new(Self::NAME, data).array()?;
        Ok(Self { channel: channel & 0x0f, payload_type: payload_type & 0x3f, index: index & 0x3f })
    }
}

impl Command for GetChannelCipherSuites {
    const NET_FN: NetFn = NetFn::APP;
    const CMD: u8 = 0x54;
    const NAME: &'static str = "Get Channel Cipher Suites";
    type Response = CipherSuiteRecords;
}

/// One piece of the list. A piece shorter than 16 octets is the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CipherSuiteRecords {
    pub channel: u8,
    pub records: Vec<u8>,
}

impl CipherSuiteRecords {
    /// Octets of a full piece.
    pub const PIECE: usize = 16;
}

impl Body for CipherSuiteRecords {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.channel);
        out.extend(self.records.iter().take(Self::PIECE));
    }

    fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new("Get Channel Cipher Suites response", data);
        let channel = r.u8()? & 0x0f;
        Ok(Self { channel, records: r.rest().iter().take(Self::PIECE).copied().collect() })
    }
}

/// One suite as the BMC lists it (spec table 22-18).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SuiteRecord {
    pub id: u8,
    /// An OEM's own suite, whose ids mean nothing to us.
    pub oem: bool,
}

impl SuiteRecord {
    /// The suite this stack would use for it.
    #[must_use]
    pub fn suite(&self) -> Option<CipherSuite> {
        if self.oem { None } else { CipherSuite::from_id(self.id) }
    }
}

/// Reads the joined pieces; algorithm octets and anything unknown between records are skipped.
pub fn parse_suite_records(mut list: &[u8]) -> impl Iterator<Item = SuiteRecord> {
    std::iter::from_fn(move || {
        loop {
            let (start, rest) = list.split_first()?;
            list = rest;
            let skip = match start {
                0xc0 => 0,
                0xc1 => 3,
                _ => continue,
            };
            let (id, rest) = list.split_first()?;
            list = rest.get(skip..).unwrap_or_default();
            return Some(SuiteRecord { id: *id, oem: skip != 0 });
        }
    })
}

/// The whole list a BMC with these suites has; the answer cuts it into pieces of 16.
#[must_use]
pub fn encode_suite_records(suites: &[CipherSuite]) -> Vec<u8> {
    suites
        .iter()
        .flat_map(|suite| {
            let a = suite.algorithms();
            [0xc0, suite.id(), a.authentication, 0x40 | a.integrity, 0x80 | a.confidentiality]
        })
        .collect()
}

/// Raises or lowers what the session may do (06/3B). RAKP leaves it at USER.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetSessionPrivilege {
    /// `None` only asks for the present level.
    pub level: Option<Privilege>,
}

impl Body for SetSessionPrivilege {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.level.map_or(0, Privilege::value));
    }

    fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(Self::NAME, data);
        match r.u8()? & 0x0f {
            0 => Ok(Self { level: None }),
            n => Privilege::from_value(n).map(|level| Self { level: Some(level) }).ok_or_else(|| r.bad(n)),
        }
    }
}

impl Command for SetSessionPrivilege {
    const NET_FN: NetFn = NetFn::APP;
    const CMD: u8 = 0x3b;
    const NAME: &'static str = "Set Session Privilege Level";
    type Response = SessionPrivilege;

    fn completion_text(code: CompletionCode) -> Option<&'static str> {
        match code.0 {
            0x80 => Some("requested level not available for this user"),
            0x81 => Some("requested level exceeds the channel's or user's limit"),
            0x82 => Some("cannot disable user level authentication"),
            _ => None,
        }
    }
}

/// The level the session has now; `None` when the BMC says something without meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionPrivilege {
    pub level: Option<Privilege>,
}

impl Body for SessionPrivilege {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.level.map_or(0, Privilege::value));
    }

    fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        Ok(Self { level: Privilege::from_value(Reader::new("Set Session Privilege Level response", data).u8()?) })
    }
}

/// Ends a session (06/3C).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CloseSession {
    /// The BMC's id of the session.
    pub session_id: u32,
}

impl Body for CloseSession {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.session_id.to_le_bytes());
    }

    fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        Ok(Self { session_id: Reader::new(Self::NAME, data).u32()? })
    }
}

impl Command for CloseSession {
    const NET_FN: NetFn = NetFn::APP;
    const CMD: u8 = 0x3c;
    const NAME: &'static str = "Close Session";
    type Response = ();

    fn completion_text(code: CompletionCode) -> Option<&'static str> {
        match code.0 {
            0x87 => Some("invalid session id"),
            0x88 => Some("invalid session handle"),
            _ => None,
        }
    }
}
