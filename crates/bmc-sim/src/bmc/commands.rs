//! What a BMC does for each command, and who may ask (IPMI 2.0, appendix G for the privileges).

use std::time::Duration;

use ipmi_wire::{
    CompletionCode, NetFn, Privilege,
    command::{
        ActivatePayload, ActivatePayloadResponse, Body, ChannelAuthCapabilities, ChassisControl, ChassisIdentify, ChassisStatus,
        CipherSuiteRecords, CloseSession, Command, DeactivatePayload, DeviceId, GetBootOption, GetChannelAuthCapabilities,
        GetChannelCipherSuites, GetChassisStatus, GetDeviceId, GetPayloadActivationStatus, GetPayloadInstanceInfo, GetSystemGuid,
        PayloadActivationStatus, PayloadInstanceInfo, SessionPrivilege, SetBootOption, SetSessionPrivilege, SystemGuid,
        encode_suite_records,
    },
    ipmb::Request,
    session::PayloadType,
};
use tokio::time::Instant;

use super::{
    CHANNEL,
    core::Core,
    sol::{ActiveSol, PAYLOAD_SIZE},
};
use crate::{
    faults::SolFault,
    machine::{Power, Refused, boot_options::ParameterError},
};

type Answer = Result<Vec<u8>, CompletionCode>;

/// The channel number that means "the one this came in on".
const PRESENT_CHANNEL: u8 = 0x0e;
/// Locks a chassis light on.
const FOREVER: Duration = Duration::from_secs(365 * 24 * 3600);
/// Payload type number of SOL.
const SOL: u8 = 1;

// Commands the wire crate has no type for.
const COLD_RESET: u8 = 0x02;
const SELF_TEST: u8 = 0x04;
const GET_CHANNEL_ACCESS: u8 = 0x41;
const GET_CHANNEL_INFO: u8 = 0x42;
const GET_USER_ACCESS: u8 = 0x44;
const GET_USER_NAME: u8 = 0x46;
const GET_USER_PAYLOAD_ACCESS: u8 = 0x4d;
const GET_PAYLOAD_SUPPORT: u8 = 0x4e;
const GET_PAYLOAD_VERSION: u8 = 0x4f;
const GET_CHASSIS_CAPABILITIES: u8 = 0x00;
const SET_RESTORE_POLICY: u8 = 0x06;
const GET_RESTART_CAUSE: u8 = 0x07;
const GET_POWER_ON_HOURS: u8 = 0x0f;
const SET_SOL_CONFIGURATION: u8 = 0x21;
const GET_SOL_CONFIGURATION: u8 = 0x22;

const fn number<C: Command>() -> (NetFn, u8) {
    (C::NET_FN, C::CMD)
}

/// Who may execute a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Right {
    /// Also outside a session.
    Anybody,
    /// A session at this level or above.
    At(Privilege),
}

fn right(command: (NetFn, u8)) -> Option<Right> {
    use Privilege::{Administrator, Callback, Operator, User};
    const RIGHTS: [((NetFn, u8), Right); 30] = [
        (number::<GetChannelAuthCapabilities>(), Right::Anybody),
        (number::<GetChannelCipherSuites>(), Right::Anybody),
        (number::<GetSystemGuid>(), Right::Anybody),
        (number::<SetSessionPrivilege>(), Right::At(Callback)),
        (number::<CloseSession>(), Right::At(Callback)),
        (number::<GetDeviceId>(), Right::At(User)),
        ((NetFn::APP, SELF_TEST), Right::At(User)),
        ((NetFn::APP, COLD_RESET), Right::At(Administrator)),
        ((NetFn::APP, GET_CHANNEL_ACCESS), Right::At(User)),
        ((NetFn::APP, GET_CHANNEL_INFO), Right::At(User)),
        ((NetFn::APP, GET_USER_ACCESS), Right::At(Operator)),
        ((NetFn::APP, GET_USER_NAME), Right::At(Operator)),
        (number::<ActivatePayload>(), Right::At(User)),
        (number::<DeactivatePayload>(), Right::At(User)),
        (number::<GetPayloadActivationStatus>(), Right::At(User)),
        (number::<GetPayloadInstanceInfo>(), Right::At(User)),
        ((NetFn::APP, GET_USER_PAYLOAD_ACCESS), Right::At(Operator)),
        ((NetFn::APP, GET_PAYLOAD_SUPPORT), Right::At(User)),
        ((NetFn::APP, GET_PAYLOAD_VERSION), Right::At(User)),
        ((NetFn::CHASSIS, GET_CHASSIS_CAPABILITIES), Right::At(User)),
        (number::<GetChassisStatus>(), Right::At(User)),
        (number::<ChassisControl>(), Right::At(Operator)),
        (number::<ChassisIdentify>(), Right::At(Operator)),
        ((NetFn::CHASSIS, SET_RESTORE_POLICY), Right::At(Operator)),
        ((NetFn::CHASSIS, GET_RESTART_CAUSE), Right::At(User)),
        (number::<SetBootOption>(), Right::At(Operator)),
        (number::<GetBootOption>(), Right::At(Operator)),
        ((NetFn::CHASSIS, GET_POWER_ON_HOURS), Right::At(User)),
        ((NetFn::TRANSPORT, SET_SOL_CONFIGURATION), Right::At(Administrator)),
        ((NetFn::TRANSPORT, GET_SOL_CONFIGURATION), Right::At(User)),
    ];
    RIGHTS.iter().find(|(known, _)| *known == command).map(|(_, right)| *right)
}

fn body<C: Body>(request: &Request<'_>) -> Result<C, CompletionCode> {
    use ipmi_wire::DecodeError;
    C::decode(request.data).map_err(|error| match error {
        DecodeError::Truncated { .. } => CompletionCode::BAD_LENGTH,
        _ => CompletionCode::INVALID_FIELD,
    })
}

fn encoded(body: &impl Body) -> Vec<u8> {
    let mut out = Vec::new();
    body.encode(&mut out);
    out
}

impl Core {
    /// Executes a request of a session, or of nobody.
    pub(super) fn execute(&mut self, session: Option<u32>, request: &Request<'_>, now: Instant) -> (CompletionCode, Vec<u8>) {
        match self.try_execute(session, request, now) {
            Ok(data) => (CompletionCode::OK, data),
            Err(completion) => (completion, Vec::new()),
        }
    }

    fn try_execute(&mut self, session: Option<u32>, request: &Request<'_>, now: Instant) -> Answer {
        let command = (request.net_fn, request.cmd);
        let level = session.and_then(|id| self.sessions.get(&id)).map(|session| session.level);
        match (right(command), level) {
            (None, Some(_)) => return Err(CompletionCode::INVALID_COMMAND),
            (Some(Right::Anybody), _) => {}
            (Some(Right::At(least)), Some(level)) if level >= least => {}
            (None | Some(Right::At(_)), _) => return Err(CompletionCode::INSUFFICIENT_PRIVILEGE),
        }
        match request.net_fn {
            NetFn::APP => self.app(session, request, now),
            NetFn::CHASSIS => self.chassis(request, now),
            NetFn::TRANSPORT => self.transport(request),
            _ => Err(CompletionCode::INVALID_COMMAND),
        }
    }

    fn app(&mut self, session: Option<u32>, request: &Request<'_>, now: Instant) -> Answer {
        match request.cmd {
            GetDeviceId::CMD => Ok(encoded(&device_id())),
            COLD_RESET => {
                self.restart_wanted = true;
                Ok(Vec::new())
            }
            // 0x55: no error
            SELF_TEST => Ok(vec![0x55, 0]),
            GetSystemGuid::CMD => Ok(encoded(&SystemGuid(self.fixed.guid))),
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
            ActivatePayload::CMD => self.activate(session, &body(request)?),
            DeactivatePayload::CMD => self.deactivate(session, &body(request)?, now),
            GetPayloadActivationStatus::CMD => {
                let asked: GetPayloadActivationStatus = body(request)?;
                if asked.payload_type != SOL {
                    return Err(CompletionCode::INVALID_FIELD);
                }
                let active = u16::from(self.sol.is_some() || self.faults.sol == SolFault::Held);
                Ok(encoded(&PayloadActivationStatus { capacity: 1, active }))
            }
            GetPayloadInstanceInfo::CMD => {
                let asked: GetPayloadInstanceInfo = body(request)?;
                if asked.payload_type != SOL || asked.instance != 1 {
                    return Err(CompletionCode::INVALID_FIELD);
                }
                let session_id = self.sol.as_ref().map_or(0, |sol| sol.session);
                Ok(encoded(&PayloadInstanceInfo { session_id, info: [1, 0, 0, 0, 0, 0, 0, 0] }))
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

    fn activate(&mut self, session: Option<u32>, wanted: &ActivatePayload) -> Answer {
        let id = session.ok_or(CompletionCode::NOT_IN_THIS_STATE)?;
        if wanted.payload_type != SOL || wanted.instance != 1 {
            return Err(CompletionCode::INVALID_FIELD);
        }
        let level = self.sessions.get(&id).map(|session| session.level);
        if level < Some(self.sol_settings.privilege) {
            return Err(CompletionCode::INSUFFICIENT_PRIVILEGE);
        }
        match self.faults.sol {
            SolFault::Held => return Err(ActivatePayload::ALREADY_ACTIVE),
            SolFault::Disabled => return Err(ActivatePayload::DISABLED),
            SolFault::Limit => return Err(ActivatePayload::LIMIT),
            SolFault::None | SolFault::Unavailable => {}
        }
        if !self.sol_settings.enabled() {
            return Err(ActivatePayload::DISABLED);
        }
        if self.sol.is_some() {
            return Err(ActivatePayload::ALREADY_ACTIVE);
        }
        if !wanted.encrypted() {
            return Err(ActivatePayload::NEEDS_ENCRYPTION);
        }
        self.sol = Some(ActiveSol::new(id, &self.serial, self.faults.sol == SolFault::Unavailable));
        let sizes = ActivatePayloadResponse {
            aux: [0; 4],
            inbound_size: PAYLOAD_SIZE,
            outbound_size: PAYLOAD_SIZE,
            port: self.fixed.port,
            vlan: 0xffff,
        };
        Ok(encoded(&sizes))
    }

    fn deactivate(&mut self, session: Option<u32>, wanted: &DeactivatePayload, now: Instant) -> Answer {
        if wanted.payload_type != SOL || wanted.instance != 1 {
            return Err(CompletionCode::INVALID_FIELD);
        }
        let level = session.and_then(|id| self.sessions.get(&id)).map(|session| session.level);
        if level < Some(self.sol_settings.privilege) {
            return Err(CompletionCode::INSUFFICIENT_PRIVILEGE);
        }
        if self.faults.sol == SolFault::Held {
            self.faults.sol = SolFault::None;
            return Ok(Vec::new());
        }
        if self.deactivate_sol(now) { Ok(Vec::new()) } else { Err(DeactivatePayload::ALREADY_INACTIVE) }
    }

    fn chassis(&mut self, request: &Request<'_>, now: Instant) -> Answer {
        let on = self.chassis.power() == Power::On;
        match request.cmd {
            // no capability flags; FRU, SDR, SEL and system management devices are the BMC itself
            GET_CHASSIS_CAPABILITIES => Ok(vec![0, 0x20, 0x20, 0x20, 0x20]),
            GetChassisStatus::CMD => {
                let mut status = ChassisStatus::with_power(on);
                status.power_state |= self.restore_policy << 5;
                status.last_event = if self.on_by_ipmi { 0x10 } else { 0 };
                // identify state is supported, and temporary or off
                status.misc = 0x40 | if self.identify_until.is_some() { 0x10 } else { 0 };
                Ok(encoded(&status))
            }
            ChassisControl::CMD => {
                let command: ChassisControl = body(request)?;
                self.boot.chassis_control_seen();
                self.chassis.control(command).map_err(|refused| match refused {
                    Refused::State => CompletionCode::NOT_IN_THIS_STATE,
                    Refused::Busy => CompletionCode::NODE_BUSY,
                    Refused::Unsupported => CompletionCode::INVALID_FIELD,
                })?;
                if command == ChassisControl::PowerUp {
                    self.on_by_ipmi = true;
                }
                Ok(Vec::new())
            }
            ChassisIdentify::CMD => {
                let wanted: ChassisIdentify = body(request)?;
                let time = if wanted.forever { FOREVER } else { Duration::from_secs(wanted.seconds.into()) };
                self.identify_until = (!time.is_zero()).then(|| now + time);
                Ok(Vec::new())
            }
            SET_RESTORE_POLICY => {
                let &[policy, ..] = request.data else { return Err(CompletionCode::BAD_LENGTH) };
                // 3 only asks what is supported
                if policy & 7 < 3 {
                    self.restore_policy = policy & 7;
                }
                Ok(vec![0x07])
            }
            GET_RESTART_CAUSE => Ok(vec![self.chassis.restart_cause() as u8, CHANNEL]),
            SetBootOption::CMD => {
                let (selector, data) = request.data.split_first().ok_or(CompletionCode::BAD_LENGTH)?;
                self.boot.set(*selector, data).map(|()| Vec::new()).map_err(boot_error)
            }
            GetBootOption::CMD => {
                let asked: GetBootOption = body(request)?;
                self.boot.get(asked.selector).map_err(boot_error)
            }
            // 60 minutes a count, none yet
            GET_POWER_ON_HOURS => Ok(vec![60, 0, 0, 0, 0]),
            _ => Err(CompletionCode::INVALID_COMMAND),
        }
    }

    fn transport(&mut self, request: &Request<'_>) -> Answer {
        match (request.cmd, request.data) {
            (SET_SOL_CONFIGURATION, &[channel, parameter, ref data @ ..]) => {
                check_channel(channel)?;
                match self.sol_settings.set(parameter, data) {
                    CompletionCode::OK => Ok(Vec::new()),
                    refused => Err(refused),
                }
            }
            (GET_SOL_CONFIGURATION, &[channel, parameter, _set, _block, ..]) => {
                check_channel(channel)?;
                // parameter revision 1.1
                let mut answer = vec![0x11];
                if channel & 0x80 == 0 {
                    answer.extend(self.sol_settings.get(parameter, self.fixed.port).ok_or(CompletionCode(0x80))?);
                }
                Ok(answer)
            }
            _ => Err(CompletionCode::BAD_LENGTH),
        }
    }
}

fn check_channel(channel: u8) -> Result<(), CompletionCode> {
    match channel & 0x0f {
        CHANNEL | PRESENT_CHANNEL => Ok(()),
        _ => Err(CompletionCode::INVALID_FIELD),
    }
}

fn boot_error(error: ParameterError) -> CompletionCode {
    match error {
        ParameterError::NotSupported => CompletionCode(0x80),
        ParameterError::SetInProgress => CompletionCode(0x81),
        ParameterError::Length => CompletionCode::BAD_LENGTH,
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
        // a chassis device and nothing else
        additional_support: 0x80,
        // "unspecified" (IPMI 2.0 table 20-2)
        manufacturer: 0,
        product: 0,
        aux_revision: [0; 4],
    }
}
