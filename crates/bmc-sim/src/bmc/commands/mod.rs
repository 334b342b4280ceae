//! What a BMC does for each command, and who may ask (IPMI 2.0, appendix G for the privileges).

mod app;
mod chassis;
mod sensor;
mod storage;
mod transport;

use ipmi_wire::{
    CompletionCode, NetFn, Privilege,
    bridge::SEND_MESSAGE,
    command::{
        ActivatePayload, Body, ChassisControl, ChassisIdentify, ClearSel, CloseSession, Command, DeactivatePayload, GetBootOption,
        GetChannelAuthCapabilities, GetChannelCipherSuites, GetChassisStatus, GetDeviceId, GetFruAreaInfo, GetPayloadActivationStatus,
        GetPayloadInstanceInfo, GetReadingFactors, GetSdr, GetSdrInfo, GetSelEntry, GetSelInfo, GetSelTime, GetSensorReading,
        GetSensorThresholds, GetSolConfig, GetSystemGuid, ReadFru, ReserveSdr, ReserveSel, SetBootOption, SetSessionPrivilege,
        SetSolConfig,
    },
    ipmb::Request,
};
use tokio::time::Instant;

use super::{CHANNEL, core::Core};

type Answer = Result<Vec<u8>, CompletionCode>;

/// The channel number that means "the one this came in on".
const PRESENT_CHANNEL: u8 = 0x0e;
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
    const RIGHTS: [((NetFn, u8), Right); 50] = [
        (number::<GetChannelAuthCapabilities>(), Right::Anybody),
        (number::<GetChannelCipherSuites>(), Right::Anybody),
        (number::<GetSystemGuid>(), Right::Anybody),
        (number::<SetSessionPrivilege>(), Right::At(Callback)),
        (number::<CloseSession>(), Right::At(Callback)),
        ((NetFn::APP, SEND_MESSAGE), Right::At(User)),
        (number::<GetDeviceId>(), Right::At(User)),
        ((NetFn::APP, app::SELF_TEST), Right::At(User)),
        ((NetFn::APP, app::COLD_RESET), Right::At(Administrator)),
        ((NetFn::APP, app::GET_CHANNEL_ACCESS), Right::At(User)),
        ((NetFn::APP, app::GET_CHANNEL_INFO), Right::At(User)),
        ((NetFn::APP, app::GET_USER_ACCESS), Right::At(Operator)),
        ((NetFn::APP, app::GET_USER_NAME), Right::At(Operator)),
        (number::<ActivatePayload>(), Right::At(User)),
        (number::<DeactivatePayload>(), Right::At(User)),
        (number::<GetPayloadActivationStatus>(), Right::At(User)),
        (number::<GetPayloadInstanceInfo>(), Right::At(User)),
        ((NetFn::APP, app::GET_USER_PAYLOAD_ACCESS), Right::At(Operator)),
        ((NetFn::APP, app::GET_PAYLOAD_SUPPORT), Right::At(User)),
        ((NetFn::APP, app::GET_PAYLOAD_VERSION), Right::At(User)),
        ((NetFn::CHASSIS, chassis::GET_CHASSIS_CAPABILITIES), Right::At(User)),
        (number::<GetChassisStatus>(), Right::At(User)),
        (number::<ChassisControl>(), Right::At(Operator)),
        (number::<ChassisIdentify>(), Right::At(Operator)),
        ((NetFn::CHASSIS, chassis::SET_RESTORE_POLICY), Right::At(Operator)),
        ((NetFn::CHASSIS, chassis::GET_RESTART_CAUSE), Right::At(User)),
        (number::<SetBootOption>(), Right::At(Operator)),
        (number::<GetBootOption>(), Right::At(Operator)),
        ((NetFn::CHASSIS, chassis::GET_POWER_ON_HOURS), Right::At(User)),
        (number::<SetSolConfig>(), Right::At(Administrator)),
        (number::<GetSolConfig>(), Right::At(User)),
        (number::<GetFruAreaInfo>(), Right::At(User)),
        (number::<ReadFru>(), Right::At(User)),
        (number::<GetSdrInfo>(), Right::At(User)),
        (number::<ReserveSdr>(), Right::At(User)),
        (number::<GetSdr>(), Right::At(User)),
        (number::<GetSelInfo>(), Right::At(User)),
        (number::<ReserveSel>(), Right::At(User)),
        (number::<GetSelEntry>(), Right::At(User)),
        ((NetFn::STORAGE, storage::ADD_SEL_ENTRY), Right::At(Operator)),
        (number::<ClearSel>(), Right::At(Operator)),
        (number::<GetSelTime>(), Right::At(User)),
        ((NetFn::STORAGE, storage::SET_SEL_TIME), Right::At(Operator)),
        ((NetFn::SENSOR_EVENT, sensor::PLATFORM_EVENT), Right::At(Operator)),
        (number::<GetReadingFactors>(), Right::At(User)),
        ((NetFn::SENSOR_EVENT, sensor::GET_HYSTERESIS), Right::At(User)),
        (number::<GetSensorThresholds>(), Right::At(User)),
        ((NetFn::SENSOR_EVENT, sensor::GET_EVENT_ENABLE), Right::At(User)),
        ((NetFn::SENSOR_EVENT, sensor::GET_EVENT_STATUS), Right::At(User)),
        (number::<GetSensorReading>(), Right::At(User)),
    ];
    RIGHTS.iter().find(|(known, _)| *known == command).map(|(_, right)| *right)
}

/// Whether a session at this level may have messages passed on.
pub(super) fn may_bridge(level: Privilege) -> bool {
    right((NetFn::APP, SEND_MESSAGE)).is_some_and(|right| matches!(right, Right::At(least) if level >= least))
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
    /// Executes a request of a session, or of nobody, at one of the controllers.
    pub(super) fn execute(&mut self, session: Option<u32>, node: usize, request: &Request<'_>, now: Instant) -> (CompletionCode, Vec<u8>) {
        match self.try_execute(session, node, request, now) {
            Ok(data) => (CompletionCode::OK, data),
            Err(completion) => (completion, Vec::new()),
        }
    }

    fn try_execute(&mut self, session: Option<u32>, node: usize, request: &Request<'_>, now: Instant) -> Answer {
        let command = (request.net_fn, request.cmd);
        let level = session.and_then(|id| self.sessions.get(&id)).map(|session| session.level);
        match (right(command), level) {
            (None, Some(_)) => return Err(CompletionCode::INVALID_COMMAND),
            (Some(Right::Anybody), _) => {}
            (Some(Right::At(least)), Some(level)) if level >= least => {}
            (None | Some(Right::At(_)), _) => return Err(CompletionCode::INSUFFICIENT_PRIVILEGE),
        }
        match request.net_fn {
            NetFn::APP if node == 0 => self.app(session, request, now),
            // users, channels and sessions are the BMC's alone
            NetFn::APP => self.controller(session, node, request, now),
            NetFn::CHASSIS => self.chassis(node, request, now),
            NetFn::TRANSPORT => self.transport(node, request),
            NetFn::STORAGE => self.storage(node, request),
            NetFn::SENSOR_EVENT => self.sensor(node, request),
            _ => Err(CompletionCode::INVALID_COMMAND),
        }
    }
}

fn check_channel(channel: u8) -> Result<(), CompletionCode> {
    match channel & 0x0f {
        CHANNEL | PRESENT_CHANNEL => Ok(()),
        _ => Err(CompletionCode::INVALID_FIELD),
    }
}
