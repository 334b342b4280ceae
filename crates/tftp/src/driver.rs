//! Drives one [`Transfer`] over its socket.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::blocks::Blocks;
use crate::busy_poll::BusyPoll;
use crate::net::TransferSocket;
use crate::packet::{self, ErrorCode, Reply};
use crate::slots::Slot;
use crate::source::Failure;
use crate::transfer::{Step, Transfer};

/// Packets of strangers that are answered during one transfer; more than that is not a stray packet but an attack.
const MAX_ASIDES: u32 = 8;

/// Large enough for an ACK and for the text of an ERROR; what is longer is cut.
const REPLY_BUFFER: usize = 600;

/// Everything one transfer needs.
pub(crate) struct Driver {
    pub(crate) socket: TransferSocket,
    pub(crate) peer: SocketAddr,
    pub(crate) blocks: Blocks,
    pub(crate) transfer: Transfer,
    /// The encoded option acknowledgement, if the request had options that are granted.
    pub(crate) oack: Vec<u8>,
    pub(crate) busy_poll: BusyPoll,
    /// Cancelled when the transfer is to end early.
    pub(crate) cancel: CancellationToken,
    /// Cancelled when the whole server ends: tells why `cancel` is.
    pub(crate) shutdown: CancellationToken,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) result: Result<(), Failure>,
    pub(crate) bytes: u64,
    pub(crate) retransmits: u64,
    pub(crate) elapsed: Duration,
}

impl Driver {
    /// Sends the file; `slot` is told of signs of life from the client.
    pub(crate) async fn run(mut self, slot: &Slot) -> Outcome {
        let started = Instant::now();
        let result = self.exchange(started, slot).await;
        if let Err(failure) = &result
            && let Some((code, text)) = parting(failure)
        {
            // The transfer is over either way; this only spares the client its timeouts.
            let _ = self.socket.send(&packet::encode_error(code, &text)).await;
        }
        Outcome { result, bytes: self.transfer.acked_bytes(), retransmits: self.transfer.retransmits(), elapsed: started.elapsed() }
    }

    async fn exchange(&mut self, started: Instant, slot: &Slot) -> Result<(), Failure> {
        let cancel = self.cancel.clone();
        let cancelled = cancel.cancelled();
        tokio::pin!(cancelled);
        // One timer for the whole transfer: it is moved when it fires too early, not with every packet.
        let timer = sleep_until(started);
        tokio::pin!(timer);
        let mut asides = 0;
        let mut buf = [0; REPLY_BUFFER];

        let mut step = self.transfer.start(started.elapsed());
        loop {
            match step {
                Step::Oack => self.socket.send(&self.oack).await.map_err(|e| send_failure(&e))?,
                Step::Data { first, last } => self.send_blocks(first, last).await?,
                Step::Wait => {}
                Step::Done => return Ok(()),
                Step::GiveUp => return Err(Failure::TimedOut),
            }
            if cancel.is_cancelled() {
                return Err(if self.shutdown.is_cancelled() { Failure::Shutdown } else { Failure::Superseded });
            }
            let received = match self.busy_poll.look(|| self.socket.try_recv(&mut buf)).await.transpose() {
                Some(at_once) => at_once,
                None => {
                    tokio::select! {
                        biased;
                        received = self.socket.recv(&mut buf) => received,
                        () = &mut timer => {
                            step = self.transfer.on_deadline(started.elapsed());
                            timer.as_mut().reset(started + self.transfer.deadline());
                            continue;
                        }
                        () = &mut cancelled => {
                            step = Step::Wait;
                            continue;
                        }
                    }
                }
            };
            step = Step::Wait;
            let (len, from) = received.map_err(|e| send_failure(&e))?;
            let reply = packet::decode_reply(&buf[..len]);
            if from != self.peer {
                if asides < MAX_ASIDES && !matches!(reply, Reply::Error { .. }) {
                    asides += 1;
                    let text = "this port belongs to another transfer";
                    self.socket.send_aside(&packet::encode_error(ErrorCode::UnknownTransferId, text), from);
                }
                continue;
            }
            slot.heard();
            match reply {
                Reply::Ack(block) => {
                    step = self.transfer.on_ack(block, started.elapsed());
                    if self.transfer.deadline() < timer.deadline().saturating_duration_since(started) {
                        timer.as_mut().reset(started + self.transfer.deadline());
                    }
                }
                Reply::Error { code, message } => {
                    let message = String::from_utf8_lossy(message).into_owned();
                    let early = self.transfer.before_data();
                    return Err(if early { Failure::AbortedBeforeData { code, message } } else { Failure::Aborted { code, message } });
                }
                Reply::Noise => {}
            }
        }
    }

    async fn send_blocks(&mut self, first: u64, last: u64) -> Result<(), Failure> {
        let stride = self.blocks.stride();
        let mut next = first;
        while next <= last {
            self.blocks.load(next).await.map_err(|e| read_failure(&e))?;
            let packets = self.blocks.packets(next, last, usize::MAX);
            let count = packets.len().div_ceil(stride) as u64;
            if count == 0 {
                return Err(Failure::Read("nothing to send".to_owned()));
            }
            self.socket.send_packets(packets, stride).await.map_err(|e| send_failure(&e))?;
            next += count;
        }
        // While the client digests this window: read on, so that its acknowledgement is answered at once.
        self.blocks.read_ahead(last).await.map_err(|e| read_failure(&e))
    }
}

fn send_failure(error: &io::Error) -> Failure {
    Failure::Send(error.to_string())
}

fn read_failure(error: &io::Error) -> Failure {
    Failure::Read(error.to_string())
}

/// The error a client is told when the server ends the transfer. One that is gone, or has started over on the same port, is
/// told nothing.
fn parting(failure: &Failure) -> Option<(ErrorCode, String)> {
    match failure {
        Failure::Read(_) | Failure::Send(_) | Failure::Shutdown => Some((ErrorCode::Undefined, failure.to_string())),
        Failure::AbortedBeforeData { .. } | Failure::Aborted { .. } | Failure::TimedOut | Failure::Superseded => None,
    }
}
