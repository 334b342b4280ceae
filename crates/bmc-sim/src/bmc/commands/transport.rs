//! SOL configuration (network function Transport).

use ipmi_wire::{CompletionCode, ipmb::Request};

use super::{Answer, check_channel};
use crate::bmc::core::Core;

pub(super) const SET_SOL_CONFIGURATION: u8 = 0x21;
pub(super) const GET_SOL_CONFIGURATION: u8 = 0x22;

impl Core {
    pub(super) fn transport(&mut self, node: usize, request: &Request<'_>) -> Answer {
        match (request.cmd, request.data) {
            (SET_SOL_CONFIGURATION, &[channel, parameter, ref data @ ..]) => {
                check_channel(channel)?;
                match self.nodes[node].sol_settings.set(parameter, data) {
                    CompletionCode::OK => Ok(Vec::new()),
                    refused => Err(refused),
                }
            }
            (GET_SOL_CONFIGURATION, &[channel, parameter, _set, _block, ..]) => {
                check_channel(channel)?;
                // parameter revision 1.1
                let mut answer = vec![0x11];
                if channel & 0x80 == 0 {
                    answer.extend(self.nodes[node].sol_settings.get(parameter, self.fixed.port).ok_or(CompletionCode(0x80))?);
                }
                Ok(answer)
            }
            _ => Err(CompletionCode::BAD_LENGTH),
        }
    }
}
