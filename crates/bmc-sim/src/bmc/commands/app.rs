//! What a controller is, who talks to it, and its payloads (network function App).

use ipmi_wire::{
    CompletionCode, Privilege,
    command::{
        ActivatePayload, ActivatePayloadResponse, ChannelAuthCapabilities, CipherSuiteRecords, CloseSession, Command, DeactivatePayload,
        DeviceId, GetChannelAuthCapabilities, GetChannelCipherSuites, GetDeviceId, GetPayloadActivationStatus, GetPayloadInstanceInfo,
        GetSystemGuid, PayloadActivationStatus, PayloadInstanceInfo, SessionPrivilege, SetSessionPrivilege, SystemGuid,
        encode_suite_records,
    },
    ipmb::Request,
    session::PayloadType,
};
use tokio::time::Instant;

use super::{Answer, body, check_channel, encoded};
use crate::{
    bmc::{
        CHANNEL,
        core::Core,
        sol::{ActiveSol, PAYLOAD_SIZE},
    },
    faults::SolFault,
};

// Commands the wire crate has no type for.
pub(super) const COLD_RESET: u8 = 0x02;
pub(super) const SELF_TEST: u8 = 0x04;
pub(super) const GET_CHANNEL_ACCESS: u8 = 0x41;
pub(super) const GET_CHANNEL_INFO: u8 = 0x42;
pub(super) const GET_USER_ACCESS: u8 = 0x44;
pub(super) const GET_USER_NAME: u8 = 0x46;
pub(super) const GET_USER_PAYLOAD_ACCESS: u8 = 0x4d;
pub(super) const GET_PAYLOAD_SUPPORT: u8 = 0x4e;
pub(super) const GET_PAYLOAD_VERSION: u8 = 0x4f;

/// What every controller is: a chassis device, with inventory, event log, sensor records and sensors.
pub(super) const ADDITIONAL_SUPPORT: u8 = 0x8f;

/// Payload type number of SOL.
const SOL: u8 = 1;

impl Core {
    /// Commands of the BMC: all there are.
    pub(super) fn app(&mut self, session: Option<u32>, request: &Request<'_>, now: Instant) -> Answer {
        match request.cmd {
            COLD_RESET => {
                self.restart_wanted = true;
                Ok(Vec::new())
            }
            GetChannelAuthCapabilities::CMD => {
                let asked: GetChannelAuthCapabilities = body(request)?;
                check_channel(asked.channel)?;
                Ok(encoded(&ChannelAuthCapabilities {
                    channel: CHANNEL,
                    auth_types: 0,
                    extended: asked.v20,
                    kg_set: self.fixed.kg.is_some(),
                    per_message_disabled: false,
                    user_level_disabled: false,
                    non_null_users: true,
                    null_users: false,
                    anonymous: false,
                    supports_v20: asked.v20,
                    supports_v15: false,
                    oem_iana: [0; 3],
                    oem_data: 0,
                }))
            }
            GetChannelCipherSuites::CMD => {
                let asked: GetChannelCipherSuites = body(request)?;
                check_channel(asked.channel)?;
                let list = encode_suite_records(&self.fixed.suites);
                let from = usize::from(asked.index) * CipherSuiteRecords::PIECE;
                let records = list.iter().skip(from).take(CipherSuiteRecords::PIECE).copied().collect();
                Ok(encoded(&CipherSuiteRecords { channel: CHANNEL, records }))
            }
            SetSessionPrivilege::CMD => self.set_privilege(session, &body(request)?),
            CloseSession::CMD => self.close_session(session, request),
            GET_CHANNEL_ACCESS => {
                check_channel(*request.data.first().ok_or(CompletionCode::BAD_LENGTH)?)?;
                // always available; ADMINISTRATOR
                Ok(vec![0x02, Privilege::Administrator.value()])
            }
            GET_CHANNEL_INFO => {
                check_channel(*request.data.first().ok_or(CompletionCode::BAD_LENGTH)?)?;
                let active = u8::try_from(self.sessions.len()).unwrap_or(0x3f).min(0x3f);
                // 802.3 LAN, IPMB 1.0 framing, multi-session, IPMI's own enterprise number
                Ok(vec![CHANNEL, 0x04, 0x01, 0x80 | active, 0xf2, 0x1b, 0x00, 0, 0])
            }
            GET_USER_ACCESS => {
                let &[channel, id, ..] = request.data else { return Err(CompletionCode::BAD_LENGTH) };
                check_channel(channel)?;
                let (_, level) = self.fixed.users.by_id(id & 0x3f).ok_or(CompletionCode::OUT_OF_RANGE)?;
                let count = self.fixed.users.len();
                // IPMI messaging enabled, up to the user's level; a user without one may do nothing
                let access = level.map_or(0x0f, |level| 0x10 | level.value());
                Ok(vec![(count + 1) & 0x3f, 0x40 | count & 0x3f, 1, access])
            }
            GET_USER_NAME => {
                let &[id, ..] = request.data else { return Err(CompletionCode::BAD_LENGTH) };
                let (name, _) = self.fixed.users.by_id(id & 0x3f).ok_or(CompletionCode::OUT_OF_RANGE)?;
                let mut padded = name.as_bytes().to_vec();
                padded.resize(16, 0);
                Ok(padded)
            }
            GET_USER_PAYLOAD_ACCESS => {
                let &[channel, id, ..] = request.data else { return Err(CompletionCode::BAD_LENGTH) };
                check_channel(channel)?;
                self.fixed.users.by_id(id & 0x3f).ok_or(CompletionCode::OUT_OF_RANGE)?;
                Ok(vec![0x02, 0, 0, 0])
            }
            GET_PAYLOAD_SUPPORT => {
                check_channel(*request.data.first().ok_or(CompletionCode::BAD_LENGTH)?)?;
                // IPMI messages and SOL; the six session set-up payloads
                Ok(vec![0x03, 0, 0x3f, 0, 0, 0, 0, 0])
            }
            GET_PAYLOAD_VERSION => {
                let &[channel, payload_type, ..] = request.data else { return Err(CompletionCode::BAD_LENGTH) };
                check_channel(channel)?;
                let known = !matches!(PayloadType::from_value(payload_type), PayloadType::Other(_));
                // version 1.0
                if known { Ok(vec![0x10]) } else { Err(CompletionCode(0x80)) }
            }
            _ => self.controller(session, 0, request, now),
        }
    }

    /// Commands every controller knows, behind whichever bus it is.
    pub(super) fn controller(&mut self, session: Option<u32>, node: usize, request: &Request<'_>, now: Instant) -> Answer {
        match request.cmd {
            GetDeviceId::CMD => Ok(encoded(&device_id())),
            GetSystemGuid::CMD => Ok(encoded(&SystemGuid(self.nodes[node].guid))),
            // 0x55: no error
            SELF_TEST => Ok(vec![0x55, 0]),
            COLD_RESET => {
                self.deactivate_sol(node, now);
                self.nodes[node].restart();
                Ok(Vec::new())
            }
            ActivatePayload::CMD => self.activate(session, node, &body(request)?),
            DeactivatePayload::CMD => self.deactivate(session, node, &body(request)?, now),
            GetPayloadActivationStatus::CMD => {
                let asked: GetPayloadActivationStatus = body(request)?;
                if asked.payload_type != SOL {
                    return Err(CompletionCode::INVALID_FIELD);
                }
                let active = u16::from(self.nodes[node].sol.is_some() || self.faults.sol == SolFault::Held);
                Ok(encoded(&PayloadActivationStatus { capacity: 1, active }))
            }
            GetPayloadInstanceInfo::CMD => {
                let asked: GetPayloadInstanceInfo = body(request)?;
                if asked.payload_type != SOL || asked.instance != 1 {
                    return Err(CompletionCode::INVALID_FIELD);
                }
                let session_id = self.nodes[node].sol.as_ref().map_or(0, |sol| sol.session);
                Ok(encoded(&PayloadInstanceInfo { session_id, info: [1, 0, 0, 0, 0, 0, 0, 0] }))
            }
            _ => Err(CompletionCode::INVALID_COMMAND),
        }
    }

    fn set_privilege(&mut self, session: Option<u32>, wanted: &SetSessionPrivilege) -> Answer {
        let session = session.and_then(|id| self.sessions.get_mut(&id)).ok_or(CompletionCode::NOT_IN_THIS_STATE)?;
        if let Some(level) = wanted.level {
            if level > session.limit {
                return Err(CompletionCode(0x81));
            }
            session.level = level;
        }
        Ok(encoded(&SessionPrivilege { level: Some(session.level) }))
    }

    fn close_session(&mut self, session: Option<u32>, request: &Request<'_>) -> Answer {
        let wanted: CloseSession = body(request)?;
        let own = session.ok_or(CompletionCode::NOT_IN_THIS_STATE)?;
        let level = self.sessions.get(&own).map(|session| session.level);
        if !self.sessions.contains_key(&wanted.session_id) {
            return Err(CompletionCode(0x87));
        }
        if wanted.session_id != own && level < Some(Privilege::Administrator) {
            return Err(CompletionCode::INSUFFICIENT_PRIVILEGE);
        }
        self.close(wanted.session_id, Some((own, request)));
        Ok(Vec::new())
    }

    fn activate(&mut self, session: Option<u32>, node: usize, wanted: &ActivatePayload) -> Answer {
        let id = session.ok_or(CompletionCode::NOT_IN_THIS_STATE)?;
        if wanted.payload_type != SOL || wanted.instance != 1 {
            return Err(CompletionCode::INVALID_FIELD);
        }
        let level = self.sessions.get(&id).map(|session| session.level);
        if level < Some(self.nodes[node].sol_settings.privilege) {
            return Err(CompletionCode::INSUFFICIENT_PRIVILEGE);
        }
        match self.faults.sol {
            SolFault::Held => return Err(ActivatePayload::ALREADY_ACTIVE),
            SolFault::Disabled => return Err(ActivatePayload::DISABLED),
            SolFault::Limit => return Err(ActivatePayload::LIMIT),
            SolFault::None | SolFault::Unavailable => {}
        }
        if !self.nodes[node].sol_settings.enabled() {
            return Err(ActivatePayload::DISABLED);
        }
        if self.nodes[node].sol.is_some() {
            return Err(ActivatePayload::ALREADY_ACTIVE);
        }
        // SOL packets are not bridged and do not say whose they are: a session has one console
        if self.sol_of(id).is_some() {
            return Err(ActivatePayload::LIMIT);
        }
        if !wanted.encrypted() {
            return Err(ActivatePayload::NEEDS_ENCRYPTION);
        }
        let unavailable = self.faults.sol == SolFault::Unavailable;
        let at = &mut self.nodes[node];
        at.sol = Some(ActiveSol::new(id, &at.serial, &self.wake, unavailable));
        let sizes = ActivatePayloadResponse {
            aux: [0; 4],
            inbound_size: PAYLOAD_SIZE,
            outbound_size: PAYLOAD_SIZE,
            port: self.fixed.port,
            vlan: 0xffff,
        };
        Ok(encoded(&sizes))
    }

    fn deactivate(&mut self, session: Option<u32>, node: usize, wanted: &DeactivatePayload, now: Instant) -> Answer {
        if wanted.payload_type != SOL || wanted.instance != 1 {
            return Err(CompletionCode::INVALID_FIELD);
        }
        let level = session.and_then(|id| self.sessions.get(&id)).map(|session| session.level);
        if level < Some(self.nodes[node].sol_settings.privilege) {
            return Err(CompletionCode::INSUFFICIENT_PRIVILEGE);
        }
        if self.faults.sol == SolFault::Held {
            self.faults.sol = SolFault::None;
            return Ok(Vec::new());
        }
        if self.deactivate_sol(node, now) { Ok(Vec::new()) } else { Err(DeactivatePayload::ALREADY_INACTIVE) }
    }
}

fn device_id() -> DeviceId {
    DeviceId {
        device_id: 0x20,
        device_revision: 1,
        firmware_major: 1,
        firmware_minor: 0,
        available: true,
        ipmi_version: (2, 0),
        additional_support: ADDITIONAL_SUPPORT,
        // "unspecified" (IPMI 2.0 table 20-2)
        manufacturer: 0,
        product: 0,
        aux_revision: [0; 4],
    }
}
