//! Serial over LAN at the BMC: who holds it, and its configuration (IPMI 2.0 §15, §26).

use std::{sync::Arc, time::Duration};

use ipmi_wire::{
    CompletionCode, Privilege,
    sol::{Role, SolConfig, SolEngine, SolEvent},
};
use tokio::{sync::Notify, time::Instant};

use crate::machine::serial::{SerialLine, Tap};

/// Payload bytes the BMC takes and sends in one SOL packet.
pub(super) const PAYLOAD_SIZE: u16 = 255;

/// SOL of one BMC while a session holds it.
#[derive(Debug)]
pub(super) struct ActiveSol {
    /// The BMC's id of the holder.
    pub(super) session: u32,
    pub(super) engine: SolEngine,
    tap: Tap,
    line: Arc<SerialLine>,
    /// Characters from the console that the line had no room for.
    stash: Vec<u8>,
}

/// A console that leaves a packet unanswered for so long has lost its link; its session may still live.
const RETRY: (Duration, Duration) = (Duration::from_millis(60), Duration::from_millis(500));

impl ActiveSol {
    pub(super) fn new(session: u32, line: &Arc<SerialLine>, wake: &Arc<Notify>, unavailable: bool) -> Self {
        let config = SolConfig {
            chunk: SolConfig::chunk_for(PAYLOAD_SIZE),
            // little more than a packet: what waits here is lost to the next holder when SOL changes hands
            send_buffer: 1024,
            receive_buffer: 1024,
            retry: RETRY,
            ..SolConfig::default()
        };
        let mut engine = SolEngine::new(Role::Bmc, config);
        engine.set_unavailable(unavailable);
        Self { session, engine, tap: line.attach_waking(Arc::clone(wake)), line: Arc::clone(line), stash: Vec::new() }
    }

    /// Moves characters both ways between the line and the engine. Answers whether the console can no longer be reached.
    pub(super) fn pump(&mut self) -> bool {
        let mut lost = false;
        loop {
            if !self.stash.is_empty() {
                let taken = self.line.type_in(&self.stash);
                self.stash.drain(..taken);
                if !self.stash.is_empty() {
                    break;
                }
            }
            match self.engine.poll_event() {
                Some(SolEvent::Data(data)) => self.stash = data,
                Some(SolEvent::Break) => self.line.send_break(),
                Some(SolEvent::Unanswered) => lost = true,
                // modem lines and flushing: nothing behind them here
                Some(_) => {}
                None => break,
            }
        }
        let room = SEND_AHEAD.saturating_sub(self.engine.pending());
        if room > 0 {
            self.engine.push(&self.tap.take(room));
        }
        lost
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.engine.deadline().map(Instant::from_std)
    }
}

/// Characters taken from the line ahead of what the console has acknowledged: two packets keep it busy.
const SEND_AHEAD: usize = 512;

/// SOL configuration parameters (IPMI 2.0 table 26-5), as far as clients read them.
#[derive(Debug, Clone)]
pub(super) struct SolSettings {
    set_in_progress: u8,
    enabled: bool,
    /// Least level that may activate SOL.
    pub(super) privilege: Privilege,
    accumulate: [u8; 2],
    retry: [u8; 2],
    bit_rate: [u8; 2],
}

/// 115.2 kbps (table 26-5, parameter 5).
const BIT_RATE: u8 = 0x0a;

impl Default for SolSettings {
    fn default() -> Self {
        Self {
            set_in_progress: 0,
            enabled: true,
            privilege: Privilege::Operator,
            // 20 ms, 96 characters; 7 retries, 500 ms apart
            accumulate: [4, 96],
            retry: [7, 50],
            bit_rate: [BIT_RATE; 2],
        }
    }
}

impl SolSettings {
    pub(super) fn enabled(&self) -> bool {
        self.enabled
    }

    /// The data of one parameter.
    pub(super) fn get(&self, parameter: u8, port: u16) -> Option<Vec<u8>> {
        Some(match parameter {
            0 => vec![self.set_in_progress],
            1 => vec![u8::from(self.enabled)],
            // encryption and authentication are always forced
            2 => vec![0xc0 | self.privilege.value()],
            3 => self.accumulate.to_vec(),
            4 => self.retry.to_vec(),
            5 => vec![self.bit_rate[0]],
            6 => vec![self.bit_rate[1]],
            7 => vec![super::CHANNEL],
            8 => port.to_le_bytes().to_vec(),
            _ => return None,
        })
    }

    /// Sets one parameter.
    pub(super) fn set(&mut self, parameter: u8, data: &[u8]) -> CompletionCode {
        match (parameter, data) {
            (0, &[value]) => {
                if value & 3 == 1 && self.set_in_progress == 1 {
                    return CompletionCode(0x81);
                }
                self.set_in_progress = u8::from(value & 3 == 1);
            }
            (1, &[value]) => self.enabled = value & 1 == 1,
            (2, &[value]) => match Privilege::from_value(value) {
                Some(privilege) => self.privilege = privilege,
                None => return CompletionCode::INVALID_FIELD,
            },
            (3, &[interval, threshold]) => self.accumulate = [interval, threshold],
            (4, &[count, interval]) => self.retry = [count & 7, interval],
            (5, &[rate]) => self.bit_rate[0] = rate & 0x0f,
            (6, &[rate]) => self.bit_rate[1] = rate & 0x0f,
            (7 | 8, _) => return CompletionCode(0x82),
            (0..=6, _) => return CompletionCode::BAD_LENGTH,
            _ => return CompletionCode(0x80),
        }
        CompletionCode::OK
    }
}
