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
use crate::error::ErrorKind;

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
}

/// One request and its answer while nothing else goes on: set-up and closing of a session.
///
/// # Errors
/// `Err` with the number of attempts when nothing came back.
pub(super) async fn ask(
    link: &mut Link,
    live: &mut Live,
    (net_fn, cmd, data): (NetFn, u8, &[u8]),
    seq: RqSeq,
    retry: Duration,
    deadline: Instant,
) -> Result<Result<RawResponse, u32>, ErrorKind> {
    let mut patience = Patience::new(retry);
    let message = Route::Direct.wrap(net_fn, 0, cmd, seq, data);
    loop {
        let datagram = live.seal(PayloadType::Ipmi, &message)?;
        link.send(&datagram).await.map_err(|e| ErrorKind::Network(e.to_string()))?;
        let until = patience.next().min(deadline);
        while let Ok(received) = timeout_at(until, link.recv()).await {
            let (datagram, _) = received.map_err(|e| ErrorKind::Network(e.to_string()))?;
            let Ok(Datagram::V20(packet)) = Datagram::decode(datagram) else { continue };
            let Ok(Some(payload)) = live.open(&packet) else { continue };
            if packet.payload_type != PayloadType::Ipmi {
                continue;
            }
            match Message::decode(&payload) {
                Ok(Message::Response(r)) if r.answers(net_fn, cmd, seq) => {
                    return Ok(Ok(RawResponse { code: r.completion, data: r.data.to_vec() }));
                }
                _ => {}
            }
        }
        if Instant::now() >= deadline {
            return Ok(Err(patience.attempts()));
        }
    }
}
