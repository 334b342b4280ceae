//! An open session: sealing what goes out, opening what comes in.

use std::time::Duration;

use ipmi_wire::bridge::Route;
use ipmi_wire::ipmb::{Message, RqSeq};
use ipmi_wire::session::{Datagram, Established, OutgoingSequence, Packet, PayloadType, ReplayWindow, seal};
use ipmi_wire::{DecodeError, NetFn};
use tokio::time::{Instant, timeout_at};

use super::link::Link;
use super::{Patience, random};
use crate::client::RawResponse;
use crate::error::{ErrorKind, Stage};
use crate::metrics::Event;

/// Keys and counters of one session.
#[derive(Debug)]
pub(super) struct Live {
    established: Established,
    outgoing: OutgoingSequence,
    window: ReplayWindow,
}

impl Live {
    pub(super) fn new(established: Established) -> Self {
        Self { established, outgoing: OutgoingSequence::default(), window: ReplayWindow::default() }
    }

    /// The BMC's id of this session.
    pub(super) fn bmc_id(&self) -> u32 {
        self.established.bmc_id
    }

    pub(super) fn seal(&mut self, payload_type: PayloadType, payload: &[u8]) -> Result<Vec<u8>, ErrorKind> {
        let iv = random()?;
        seal(&self.established.keys, payload_type, self.established.bmc_id, self.outgoing.advance(), iv, payload)
            .map_err(|too_long| ErrorKind::TooLong(too_long.0))
    }

    /// The content of a packet of this session; `None` when it belongs to another or was seen before.
    pub(super) fn open(&mut self, packet: &Packet<'_>) -> Result<Option<Vec<u8>>, DecodeError> {
        if packet.session_id != self.established.console_id {
            return Ok(None);
        }
        let payload = packet.open(&self.established.keys)?;
        Ok(self.window.accept(packet.sequence).then_some(payload))
    }

    /// The answer to a request, if that is what arrived.
    fn answer(&mut self, datagram: &[u8], net_fn: NetFn, cmd: u8, seq: RqSeq) -> Result<Option<RawResponse>, DecodeError> {
        let Datagram::V20(packet) = Datagram::decode(datagram)? else { return Ok(None) };
        let Some(payload) = self.open(&packet)? else { return Ok(None) };
        if packet.payload_type != PayloadType::Ipmi {
            return Ok(None);
        }
        Ok(match Message::decode(&payload)? {
            Message::Response(r) if r.answers(net_fn, cmd, seq) => Some(RawResponse { code: r.completion, data: r.data.to_vec() }),
            _ => None,
        })
    }
}

/// One request and its answer while nothing else goes on: set-up and closing of a session.
///
/// # Errors
/// The inner one is the number of attempts when nothing came back; the outer says if what came could not be read.
pub(super) async fn ask(
    link: &mut Link,
    live: &mut Live,
    stage: Stage,
    (net_fn, cmd, data): (NetFn, u8, &[u8]),
    seq: RqSeq,
    retry: Duration,
    deadline: Instant,
) -> Result<Result<RawResponse, u32>, ErrorKind> {
    let mut patience = Patience::new(retry);
    let message = Route::Direct.wrap(net_fn, 0, cmd, seq, data);
    let mut garbage = None;
    loop {
        let datagram = live.seal(PayloadType::Ipmi, &message)?;
        link.send(&datagram).await.map_err(|e| ErrorKind::Network(e.to_string()))?;
        if patience.attempts() > 0 {
            link.count(Event::Retransmission);
        }
        let until = patience.next().min(deadline);
        while let Ok(received) = timeout_at(until, link.recv()).await {
            let (datagram, _) = received.map_err(|e| ErrorKind::Network(e.to_string()))?;
            match live.answer(datagram, net_fn, cmd, seq) {
                Ok(Some(response)) => return Ok(Ok(response)),
                Ok(None) => {}
                Err(error) => {
                    link.count(Event::Malformed);
                    garbage = Some(error);
                }
            }
        }
        if Instant::now() >= deadline {
            return garbage.map_or(Ok(Err(patience.attempts())), |error| Err(ErrorKind::Garbage { stage, error }));
        }
    }
}
