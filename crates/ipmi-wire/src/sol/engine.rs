//! One end of a SOL conversation, without socket or clock.
//!
//! Each direction is stop-and-wait: one packet with characters is under way at a time, numbered 1..=15, repeated with
//! the same number until it is answered. Feed packets to [`SolEngine::handle`], then call [`SolEngine::poll_transmit`]
//! until it returns `None`, and again when [`SolEngine::deadline`] has passed.
//!
//! Four bits of sequence cannot tell an old packet from a new one when the network reorders, so the session sequence
//! number of every packet is taken in as `order`: because the sender waits for each answer, a packet with characters
//! that is older than the newest such packet can only be a belated repetition.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::{HEADER_LEN, MAX_CHARACTERS, NACK, Role, SolPacket, op, status};
use crate::DecodeError;

/// Sizes and times of an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SolConfig {
    /// Characters per packet, 1..=255.
    pub chunk: usize,
    /// Characters that may wait to be sent before [`SolEngine::push`] takes no more.
    pub send_buffer: usize,
    /// Characters that may wait for [`SolEngine::poll_event`] before packets are accepted in part or refused.
    pub receive_buffer: usize,
    /// Bounds of the wait for an answer before a packet is repeated. In between, measured round trips decide.
    pub retry: (Duration, Duration),
    /// Repetitions without any answer until [`SolEvent::Unanswered`].
    pub attempts: u32,
    /// How long to leave a peer alone that refused a packet.
    pub pause: Duration,
    /// The peer answers "0 characters accepted" and means all (ipmitool: `intelplus`).
    pub zero_accepts_all: bool,
}

impl Default for SolConfig {
    fn default() -> Self {
        Self {
            chunk: 200,
            send_buffer: 16 * 1024,
            receive_buffer: 64 * 1024,
            retry: (Duration::from_millis(60), Duration::from_secs(1)),
            attempts: 12,
            pause: Duration::from_millis(250),
            zero_accepts_all: false,
        }
    }
}

impl SolConfig {
    /// Characters per packet for a peer that takes payloads of `size` octets, as Activate Payload states it.
    /// Sizes that make no sense are replaced by one every BMC takes.
    #[must_use]
    pub fn chunk_for(size: u16) -> usize {
        match usize::from(size) {
            n if n <= HEADER_LEN => 64,
            n => (n - HEADER_LEN).min(MAX_CHARACTERS),
        }
    }
}

/// What the peer did, in the order it did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SolEvent {
    /// Characters, exactly once and in order.
    Data(Vec<u8>),
    /// The BMC lost characters of the machine (console only).
    Overrun,
    /// Console: the machine sent a break. BMC: the console wants one on the line.
    Break,
    /// The BMC cannot pass characters for now (`true`), or again can (`false`) (console only).
    Unavailable(bool),
    /// The BMC ended SOL (console only).
    Deactivated,
    /// Other operation bits the console set: ring, CTS, DCD, flush (BMC only).
    Control(u8),
    /// The peer has answered nothing for all repetitions; nothing more will be sent.
    Unanswered,
}

#[derive(Debug)]
struct Outstanding {
    sequence: u8,
    data: Vec<u8>,
    flags: u8,
    /// Copies sent.
    attempts: u32,
    /// Copies the peer is known to have refused.
    refused: u32,
    /// Copies since the peer was last heard about this packet.
    unheard: u32,
    first_sent: Instant,
    next_try: Instant,
    /// Newest `order` when it was first sent: an answer to it must be newer still.
    sent_after: Option<u32>,
}

/// The last packet with a number that was taken, to recognize its repetitions.
#[derive(Debug, Clone, Copy)]
struct Taken {
    sequence: u8,
    accepted: u8,
}

/// See the module documentation.
#[derive(Debug)]
pub struct SolEngine {
    role: Role,
    config: SolConfig,

    queue: VecDeque<u8>,
    /// Characters that ever left `queue` for good or are under way: the stream position of its front.
    position: u64,
    /// Flags to be sent once the stream has reached a position, e.g. a break between two characters.
    marks: VecDeque<(u64, u8)>,
    signals_acknowledged: u64,
    outstanding: Option<Outstanding>,
    last_sequence: u8,
    paused_until: Option<Instant>,
    round_trip: RoundTrip,
    dead: bool,

    /// Newest `order` of any packet, and of any packet with a number.
    newest: Option<u32>,
    newest_numbered: Option<u32>,
    taken: Option<Taken>,
    events: VecDeque<SolEvent>,
    /// Characters in `events`.
    waiting: usize,
    /// Packets without a number that are due: acknowledgements and status.
    due: VecDeque<(u8, u8, u8)>,
    peer_unavailable: bool,
    /// We cannot pass characters (BMC only).
    unavailable: bool,
}

impl SolEngine {
    #[must_use]
    pub fn new(role: Role, config: SolConfig) -> Self {
        let config = SolConfig { chunk: config.chunk.clamp(1, MAX_CHARACTERS), ..config };
        Self {
            role,
            config,
            queue: VecDeque::new(),
            position: 0,
            marks: VecDeque::new(),
            signals_acknowledged: 0,
            outstanding: None,
            last_sequence: 0,
            paused_until: None,
            round_trip: RoundTrip::default(),
            dead: false,
            newest: None,
            newest_numbered: None,
            taken: None,
            events: VecDeque::new(),
            waiting: 0,
            due: VecDeque::new(),
            peer_unavailable: false,
            unavailable: false,
        }
    }

    /// Queues characters and says how many were taken; the rest has no room before something is acknowledged.
    pub fn push(&mut self, characters: &[u8]) -> usize {
        let room = self.config.send_buffer.saturating_sub(self.queue.len());
        let taken = characters.get(..room).unwrap_or(characters);
        self.queue.extend(taken);
        taken.len()
    }

    /// Queues flags ([`op`] for a console, [`status`] for a BMC) behind the characters pushed so far. They travel in a
    /// numbered packet of their own, so they arrive, and once only.
    pub fn signal(&mut self, flags: u8) {
        self.marks.push_back((self.pushed(), flags & !NACK));
    }

    /// Queues a break.
    pub fn send_break(&mut self) {
        self.signal(match self.role {
            Role::Console => op::BREAK,
            Role::Bmc => status::BREAK,
        });
    }

    /// BMC: whether characters can be passed on at present. While not, the console's packets are refused.
    pub fn set_unavailable(&mut self, unavailable: bool) {
        if self.unavailable != unavailable {
            self.unavailable = unavailable;
            self.due.push_back((0, 0, 0));
        }
    }

    /// BMC: tells the console that SOL ends. Not repeated.
    pub fn deactivate(&mut self) {
        self.due.push_back((0, 0, status::DEACTIVATED));
    }

    /// Characters and signals not yet acknowledged.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.queue.len() + self.marks.len() + self.outstanding.as_ref().map_or(0, |o| o.data.len().max(1))
    }

    /// Stream position behind the characters pushed so far, counted from the start.
    #[must_use]
    pub fn pushed(&self) -> u64 {
        self.position + self.queue.len() as u64
    }

    /// How many of the signals queued so far the peer has taken.
    #[must_use]
    pub fn signals_acknowledged(&self) -> u64 {
        self.signals_acknowledged
    }

    /// Stream position up to which the peer has taken our characters, counted from the start.
    #[must_use]
    pub fn acknowledged(&self) -> u64 {
        self.position - self.outstanding.as_ref().map_or(0, |o| o.data.len() as u64)
    }

    /// Since when the present packet waits for its answer, repetitions included.
    #[must_use]
    pub fn unanswered_since(&self) -> Option<Instant> {
        self.outstanding.as_ref().map(|o| o.first_sent)
    }

    /// The next thing the peer did.
    pub fn poll_event(&mut self) -> Option<SolEvent> {
        let event = self.events.pop_front();
        if let Some(SolEvent::Data(data)) = &event {
            self.waiting -= data.len();
        }
        event
    }

    /// When [`Self::poll_transmit`] must be called again even if nothing arrives.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        if self.dead {
            return None;
        }
        match &self.outstanding {
            Some(outstanding) => Some(outstanding.next_try),
            None => self.paused_until.filter(|_| !self.queue.is_empty() || !self.marks.is_empty()),
        }
    }

    /// Takes a payload that arrived. `order` is the session sequence number of its packet, which the session layer has
    /// authenticated and found fresh.
    ///
    /// # Errors
    /// Not a SOL packet; the engine is as before.
    pub fn handle(&mut self, payload: &[u8], order: u32, now: Instant) -> Result<(), DecodeError> {
        let packet = SolPacket::decode(payload)?;
        let newest = self.newest.is_none_or(|newest| is_newer(order, newest));
        if newest {
            self.newest = Some(order);
        }
        self.answered(&packet, order, now);
        if packet.sequence == 0 {
            if newest {
                self.flags_arrived(packet.flags);
            }
        } else if self.newest_numbered.is_none_or(|newest| is_newer(order, newest)) {
            self.newest_numbered = Some(order);
            self.numbered(&packet);
        }
        Ok(())
    }

    /// The next payload to send now.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<Vec<u8>> {
        if let Some((ack, accepted, flags)) = self.due.pop_front() {
            let flags = flags | self.level();
            return Some(payload(&SolPacket { sequence: 0, ack, accepted, flags, data: &[] }));
        }
        if self.dead {
            return None;
        }
        if let Some(outstanding) = &mut self.outstanding {
            if now < outstanding.next_try {
                return None;
            }
            if outstanding.unheard >= self.config.attempts {
                self.dead = true;
                self.events.push_back(SolEvent::Unanswered);
                return None;
            }
            outstanding.next_try = now + self.round_trip.wait(self.config.retry, outstanding.unheard);
            outstanding.attempts += 1;
            outstanding.unheard += 1;
        } else {
            if self.paused_until.is_some_and(|until| now < until) {
                return None;
            }
            self.paused_until = None;
            self.outstanding = Some(self.next_packet(now)?);
        }
        let level = self.level();
        self.outstanding
            .as_ref()
            .map(|o| payload(&SolPacket { sequence: o.sequence, ack: 0, accepted: 0, flags: o.flags | level, data: &o.data }))
    }

    fn next_packet(&mut self, now: Instant) -> Option<Outstanding> {
        let until_mark = self.marks.front().map(|(at, _)| at.saturating_sub(self.position));
        let (data, flags) = match until_mark {
            Some(0) => (Vec::new(), self.marks.pop_front().map_or(0, |(_, flags)| flags)),
            _ if self.queue.is_empty() => return None,
            _ => {
                let limit = until_mark.and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX);
                let len = self.queue.len().min(self.config.chunk).min(limit);
                (self.queue.drain(..len).collect::<Vec<u8>>(), 0)
            }
        };
        self.position += data.len() as u64;
        self.last_sequence = self.last_sequence % 15 + 1;
        Some(Outstanding {
            sequence: self.last_sequence,
            data,
            flags,
            attempts: 1,
            refused: 0,
            unheard: 1,
            first_sent: now,
            next_try: now + self.round_trip.wait(self.config.retry, 0),
            sent_after: self.newest,
        })
    }

    /// Deals with the acknowledgement in a packet.
    fn answered(&mut self, packet: &SolPacket<'_>, order: u32, now: Instant) {
        let fits = |o: &mut Outstanding| o.sequence == packet.ack && o.sent_after.is_none_or(|sent| is_newer(order, sent));
        let Some(mut outstanding) = self.outstanding.take_if(fits) else {
            return;
        };
        if outstanding.attempts == 1 {
            self.round_trip.measured(now.saturating_duration_since(outstanding.first_sent));
        }
        let nack = packet.flags & NACK != 0;
        let mut accepted = usize::from(packet.accepted).min(outstanding.data.len());
        if accepted == 0 && !nack && self.config.zero_accepts_all {
            accepted = outstanding.data.len();
        }
        if accepted == 0 && (nack || !outstanding.data.is_empty()) {
            outstanding.refused += 1;
            if outstanding.refused < outstanding.attempts {
                // Another copy is under way and may yet be accepted, so its number must stay.
                outstanding.unheard = 0;
                outstanding.next_try = now + self.config.pause;
                self.outstanding = Some(outstanding);
                return;
            }
            self.paused_until = Some(now + self.config.pause);
        }
        let rest = outstanding.data.get(accepted..).unwrap_or_default();
        // The rest goes out again under a fresh number: the peer has judged every copy of the old one, and may count one
        // more as a repetition.
        for octet in rest.iter().rev() {
            self.queue.push_front(*octet);
        }
        self.position -= rest.len() as u64;
        if outstanding.flags != 0 {
            if nack && accepted == 0 {
                self.marks.push_front((self.position, outstanding.flags));
            } else {
                self.signals_acknowledged += 1;
            }
        }
    }

    /// Deals with a numbered packet that is no straggler: new characters, or a repetition because our answer got lost.
    fn numbered(&mut self, packet: &SolPacket<'_>) {
        if let Some(taken) = self.taken.filter(|taken| taken.sequence == packet.sequence) {
            self.due.push_back((taken.sequence, taken.accepted, 0));
            return;
        }
        let room = self.config.receive_buffer.saturating_sub(self.waiting).min(MAX_CHARACTERS);
        let data = packet.data.get(..room).unwrap_or(packet.data);
        if self.unavailable || (data.is_empty() && !packet.data.is_empty()) {
            self.due.push_back((packet.sequence, 0, NACK));
            return;
        }
        // `room` is at most 255.
        let accepted = data.len() as u8;
        self.taken = Some(Taken { sequence: packet.sequence, accepted });
        self.due.push_back((packet.sequence, accepted, 0));
        if !data.is_empty() {
            self.waiting += data.len();
            self.events.push_back(SolEvent::Data(data.to_vec()));
        }
        self.flags_arrived(packet.flags);
    }

    fn flags_arrived(&mut self, flags: u8) {
        match self.role {
            Role::Console => {
                let unavailable = flags & status::UNAVAILABLE != 0;
                if unavailable != self.peer_unavailable {
                    self.peer_unavailable = unavailable;
                    self.events.push_back(SolEvent::Unavailable(unavailable));
                    if !unavailable {
                        self.resume();
                    }
                }
                for (bit, event) in
                    [(status::OVERRUN, SolEvent::Overrun), (status::BREAK, SolEvent::Break), (status::DEACTIVATED, SolEvent::Deactivated)]
                {
                    if flags & bit != 0 {
                        self.events.push_back(event);
                    }
                }
            }
            Role::Bmc => {
                if flags & op::BREAK != 0 {
                    self.events.push_back(SolEvent::Break);
                }
                let others = flags & (op::RING | op::CTS_PAUSE | op::DROP_DCD | op::FLUSH_INBOUND | op::FLUSH_OUTBOUND);
                if others != 0 {
                    self.events.push_back(SolEvent::Control(others));
                }
            }
        }
    }

    /// The peer takes characters again.
    fn resume(&mut self) {
        self.paused_until = None;
        if let Some(outstanding) = self.outstanding.as_mut().filter(|o| o.unheard == 0) {
            outstanding.next_try = outstanding.first_sent;
        }
    }

    /// Status that goes with every packet we send.
    fn level(&self) -> u8 {
        if self.unavailable { status::UNAVAILABLE } else { 0 }
    }
}

fn payload(packet: &SolPacket<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    packet.encode(&mut out);
    out
}

fn is_newer(a: u32, b: u32) -> bool {
    let ahead = a.wrapping_sub(b);
    ahead != 0 && ahead < 1 << 31
}

/// Smoothed round trip and its deviation, as TCP keeps them (RFC 6298).
#[derive(Debug, Default)]
struct RoundTrip(Option<(Duration, Duration)>);

impl RoundTrip {
    fn measured(&mut self, sample: Duration) {
        self.0 = Some(match self.0 {
            None => (sample, sample / 2),
            Some((mean, deviation)) => ((mean * 7 + sample) / 8, (deviation * 3 + mean.abs_diff(sample)) / 4),
        });
    }

    /// How long to wait for an answer after `repeats` repetitions.
    fn wait(&self, (least, most): (Duration, Duration), repeats: u32) -> Duration {
        let first = self.0.map_or(least * 2, |(mean, deviation)| mean + deviation * 4).max(least);
        first.saturating_mul(1 << repeats.min(10)).min(most.max(least))
    }
}
