//! Characters between consoles and machines: SOL packets of sessions, and whose console they are.

use ipmi_wire::{
    session::PayloadType,
    sol::{NACK, SolPacket, status},
};
use tokio::time::Instant;

use super::{core::Core, sol::ActiveSol};
use crate::faults::{Mute, SolFault};

impl Core {
    pub(super) fn sol_packet(&mut self, id: u32, order: u32, payload: &[u8], now: Instant) -> bool {
        if self.faults.mutes(Mute::Sol) {
            return true;
        }
        match self.sol_of(id) {
            Some(sol) => sol.engine.handle(payload, order, now.into_std()).is_ok(),
            None => {
                let Ok(packet) = SolPacket::decode(payload) else { return false };
                // the holder that missed being told so is told again
                if packet.sequence != 0 {
                    let flags = NACK | status::DEACTIVATED;
                    let mut answer = Vec::new();
                    SolPacket { sequence: 0, ack: packet.sequence, accepted: 0, flags, data: &[] }.encode(&mut answer);
                    self.send(id, PayloadType::Sol, &answer);
                }
                true
            }
        }
    }

    /// SOL that a session holds. Its packets do not say whose console they are, so there is one per session at most.
    pub(super) fn sol_of(&mut self, session: u32) -> Option<&mut ActiveSol> {
        self.nodes.iter_mut().filter_map(|node| node.sol.as_mut()).find(|sol| sol.session == session)
    }

    /// Ends SOL and tells its holder. Answers whether it was active.
    pub(super) fn deactivate_sol(&mut self, node: usize, now: Instant) -> bool {
        let Some(mut sol) = self.nodes.get_mut(node).and_then(|node| node.sol.take()) else { return false };
        // what was typed and acknowledged still reaches the machine
        sol.pump();
        sol.engine.deactivate();
        self.transmit_sol(&mut sol, now);
        true
    }

    fn transmit_sol(&mut self, sol: &mut ActiveSol, now: Instant) {
        while let Some(payload) = sol.engine.poll_transmit(now.into_std()) {
            if !self.faults.mutes(Mute::Sol) {
                self.send(sol.session, PayloadType::Sol, &payload);
            }
        }
    }

    /// SOL of one node, if it is active, goes as far as it can.
    pub(super) fn move_characters(&mut self, node: usize, now: Instant) {
        let Some(mut sol) = self.nodes[node].sol.take() else { return };
        sol.engine.set_unavailable(self.faults.sol == SolFault::Unavailable);
        let lost = sol.pump();
        if lost {
            // SOL is free for others. The session ends with it: a console that comes back learns from its next
            // command, whatever that is, that it has to start anew.
            sol.engine.deactivate();
            self.transmit_sol(&mut sol, now);
            self.close(sol.session, None);
        } else {
            self.transmit_sol(&mut sol, now);
            self.nodes[node].sol = Some(sol);
        }
    }
}
