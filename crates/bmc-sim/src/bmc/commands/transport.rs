//! SOL configuration (network function Transport).

use ipmi_wire::{
    CompletionCode,
    command::{Command, GetSolConfig, SetSolConfig},
    ipmb::Request,
};

use super::{Answer, check_channel};
use crate::bmc::core::Core;

impl Core {
    pub(super) fn transport(&mut self, node: usize, request: &Request<'_>) -> Answer {
        match (request.cmd, request.data) {
            (SetSolConfig::CMD, &[channel, parameter, ref data @ ..]) => {
                check_channel(channel)?;
                match self.nodes[node].sol_settings.set(parameter, data) {
                    CompletionCode::OK => Ok(Vec::new()),
                    refused => Err(refused),
                }
            }
            (GetSolConfig::CMD, &[channel, parameter, _set, _block, ..]) => {
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
