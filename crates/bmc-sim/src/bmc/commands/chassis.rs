//! Power, identification and boot options (network function Chassis).

use std::time::Duration;

use ipmi_wire::{
    CompletionCode,
    command::{ChassisControl, ChassisIdentify, ChassisStatus, Command, GetBootOption, GetChassisStatus, SetBootOption},
    ipmb::Request,
};
use tokio::time::Instant;

use super::{Answer, body, encoded};
use crate::{
    bmc::{CHANNEL, core::Core},
    machine::{Power, Refused, boot_options::ParameterError},
};

// Commands the wire crate has no type for.
pub(super) const GET_CHASSIS_CAPABILITIES: u8 = 0x00;
pub(super) const SET_RESTORE_POLICY: u8 = 0x06;
pub(super) const GET_RESTART_CAUSE: u8 = 0x07;
pub(super) const GET_POWER_ON_HOURS: u8 = 0x0f;

/// Locks a chassis light on.
const FOREVER: Duration = Duration::from_secs(365 * 24 * 3600);

impl Core {
    pub(super) fn chassis(&mut self, node: usize, request: &Request<'_>, now: Instant) -> Answer {
        let node = &mut self.nodes[node];
        let on = node.chassis.power() == Power::On;
        match request.cmd {
            // no capability flags; FRU, SDR, SEL and system management devices are the BMC itself
            GET_CHASSIS_CAPABILITIES => Ok(vec![0, 0x20, 0x20, 0x20, 0x20]),
            GetChassisStatus::CMD => {
                let mut status = ChassisStatus::with_power(on);
                status.power_state |= node.restore_policy << 5;
                status.last_event = if node.on_by_ipmi { 0x10 } else { 0 };
                // identify state is supported, and temporary or off
                status.misc = 0x40 | if node.identify_until.is_some() { 0x10 } else { 0 };
                Ok(encoded(&status))
            }
            ChassisControl::CMD => {
                let command: ChassisControl = body(request)?;
                if node.refuses_reset && command == ChassisControl::HardReset {
                    return Err(CompletionCode(0x80));
                }
                node.boot.chassis_control_seen();
                node.chassis.control(command).map_err(|refused| match refused {
                    Refused::State => CompletionCode::NOT_IN_THIS_STATE,
                    Refused::Busy => CompletionCode::NODE_BUSY,
                    Refused::Unsupported => CompletionCode::INVALID_FIELD,
                })?;
                if command == ChassisControl::PowerUp {
                    node.on_by_ipmi = true;
                }
                Ok(Vec::new())
            }
            ChassisIdentify::CMD => {
                let wanted: ChassisIdentify = body(request)?;
                let time = if wanted.forever { FOREVER } else { Duration::from_secs(wanted.seconds.into()) };
                node.identify_until = (!time.is_zero()).then(|| now + time);
                Ok(Vec::new())
            }
            SET_RESTORE_POLICY => {
                let &[policy, ..] = request.data else { return Err(CompletionCode::BAD_LENGTH) };
                // 3 only asks what is supported
                if policy & 7 < 3 {
                    node.restore_policy = policy & 7;
                }
                Ok(vec![0x07])
            }
            GET_RESTART_CAUSE => Ok(vec![node.chassis.restart_cause() as u8, CHANNEL]),
            SetBootOption::CMD => {
                let (selector, data) = request.data.split_first().ok_or(CompletionCode::BAD_LENGTH)?;
                node.boot.set(*selector, data).map(|()| Vec::new()).map_err(boot_error)
            }
            GetBootOption::CMD => {
                let asked: GetBootOption = body(request)?;
                node.boot.get(asked.selector).map_err(boot_error)
            }
            // 60 minutes a count, none yet
            GET_POWER_ON_HOURS => Ok(vec![60, 0, 0, 0, 0]),
            _ => Err(CompletionCode::INVALID_COMMAND),
        }
    }
}

fn boot_error(error: ParameterError) -> CompletionCode {
    match error {
        ParameterError::NotSupported => CompletionCode(0x80),
        ParameterError::SetInProgress => CompletionCode(0x81),
        ParameterError::Length => CompletionCode::BAD_LENGTH,
    }
}
