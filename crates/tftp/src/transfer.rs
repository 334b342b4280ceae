//! One read transfer as a state machine without sockets, files or clocks.
//!
//! The driver tells it what arrived and what time it is; it answers with the [`Step`] to take. Blocks are counted from 1
//! without wrapping in here; only their lowest 16 bits are on the wire (rollover from 65535 to 0).

use std::time::Duration;

/// What was agreed for a transfer.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    /// Length of the file in bytes.
    pub(crate) len: u64,
    pub(crate) blksize: u16,
    pub(crate) windowsize: u16,
    /// The request carried options that are acknowledged before the first block.
    pub(crate) oack: bool,
    /// Silence after which is retransmitted for the first time; doubled for each further time.
    pub(crate) timeout: Duration,
    /// Longest silence between two retransmissions.
    pub(crate) max_backoff: Duration,
    /// Retransmissions without any progress before the client counts as dead.
    pub(crate) max_retries: u32,
}

impl Terms {
    /// Number of DATA blocks: the last one is always shorter than `blksize`, empty if need be (RFC 1350 §6).
    pub(crate) fn blocks(&self) -> u64 {
        self.len / u64::from(self.blksize) + 1
    }
}

/// What the driver has to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Send the option acknowledgement.
    Oack,
    /// Send the blocks `first..=last`.
    Data { first: u64, last: u64 },
    /// Nothing: wait for a packet or the deadline.
    Wait,
    /// Everything was acknowledged.
    Done,
    /// The client has been silent through all retransmissions.
    GiveUp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Oack,
    Data,
    Closed,
}

/// State of one transfer. Times are measured from an origin of the driver's choice.
#[derive(Debug)]
pub(crate) struct Transfer {
    terms: Terms,
    blocks: u64,
    phase: Phase,
    /// Highest block acknowledged; all before it are too.
    acked: u64,
    /// Last block of the window in flight.
    sent: u64,
    retries: u32,
    deadline: Duration,
    last_send: Duration,
    /// Smoothed time from sending a window to its acknowledgement.
    rtt: Option<Duration>,
    /// Nothing in the window in flight was sent before, so its acknowledgement measures the round trip.
    fresh: bool,
    /// The deadline of this window was brought forward once already.
    hinted: bool,
    retransmits: u64,
}

impl Transfer {
    pub(crate) fn new(terms: Terms) -> Self {
        Self {
            blocks: terms.blocks(),
            phase: if terms.oack { Phase::Oack } else { Phase::Data },
            terms,
            acked: 0,
            sent: 0,
            retries: 0,
            deadline: Duration::ZERO,
            last_send: Duration::ZERO,
            rtt: None,
            fresh: true,
            hinted: false,
            retransmits: 0,
        }
    }

    /// The first step.
    pub(crate) fn start(&mut self, now: Duration) -> Step {
        match self.phase {
            Phase::Oack => self.oack(now),
            Phase::Data => self.window(now),
            Phase::Closed => Step::Wait,
        }
    }

    /// When [`on_deadline`](Self::on_deadline) is due, unless a packet comes before.
    pub(crate) fn deadline(&self) -> Duration {
        self.deadline
    }

    /// Bytes of the file the client has acknowledged.
    pub(crate) fn acked_bytes(&self) -> u64 {
        self.acked.saturating_mul(u64::from(self.terms.blksize)).min(self.terms.len)
    }

    /// The client has not acknowledged a block yet.
    pub(crate) fn before_data(&self) -> bool {
        self.acked == 0
    }

    /// Packets sent again so far.
    pub(crate) fn retransmits(&self) -> u64 {
        self.retransmits
    }

    /// The client acknowledged the block with these lowest 16 bits (0 also for the OACK).
    pub(crate) fn on_ack(&mut self, wire: u16, now: Duration) -> Step {
        match self.phase {
            Phase::Oack if wire == 0 => {
                self.phase = Phase::Data;
                self.retries = 0;
                self.window(now)
            }
            Phase::Data => self.on_data_ack(wire, now),
            Phase::Oack | Phase::Closed => Step::Wait,
        }
    }

    fn on_data_ack(&mut self, wire: u16, now: Duration) -> Step {
        // The window is far smaller than 65536 blocks, so the distance from the last acknowledged block is unambiguous.
        let ahead = u64::from(wire.wrapping_sub(low_bits(self.acked)));
        if ahead == 0 {
            self.on_repeated_ack(now);
            return Step::Wait;
        }
        if ahead > self.sent - self.acked {
            // Old, or never sent.
            return Step::Wait;
        }
        if self.fresh {
            let sample = now.saturating_sub(self.last_send);
            self.rtt = Some(self.rtt.map_or(sample, |rtt| (rtt * 7 + sample) / 8));
        }
        self.acked += ahead;
        self.retries = 0;
        self.hinted = false;
        if self.acked == self.blocks {
            self.phase = Phase::Closed;
            return Step::Done;
        }
        // Short of the end of the window, the client misses what came after (RFC 7440 §4): go on from there.
        self.window(now)
    }

    /// The same acknowledgement again. In lock step it is never answered: doing so is how the sorcerer's apprentice sends
    /// every block twice for the rest of the file (RFC 1123 §4.2.3.1). Within a window it may also say that the window's
    /// first block was lost. The two are told apart by time: a duplicate is followed by progress within a few round
    /// trips, so only the deadline is brought forward, once for each window.
    fn on_repeated_ack(&mut self, now: Duration) {
        if self.terms.windowsize > 1 && !self.hinted && self.sent > self.acked {
            self.hinted = true;
            let patience = self.rtt.map_or(self.terms.timeout / 4, |rtt| (rtt * 4).max(Duration::from_millis(5)));
            self.deadline = self.deadline.min(now + patience);
        }
    }

    /// Time has passed; retransmits if the deadline is over.
    pub(crate) fn on_deadline(&mut self, now: Duration) -> Step {
        if self.phase == Phase::Closed || now < self.deadline {
            return Step::Wait;
        }
        if self.retries >= self.terms.max_retries {
            self.phase = Phase::Closed;
            return Step::GiveUp;
        }
        self.retries += 1;
        match self.phase {
            Phase::Oack => {
                self.retransmits += 1;
                self.oack(now)
            }
            _ => self.window(now),
        }
    }

    fn oack(&mut self, now: Duration) -> Step {
        self.arm(now);
        Step::Oack
    }

    fn window(&mut self, now: Duration) -> Step {
        let first = self.acked + 1;
        let last = (self.acked + u64::from(self.terms.windowsize)).min(self.blocks);
        let again = (self.sent + 1).saturating_sub(first);
        self.retransmits += again;
        self.fresh = again == 0;
        self.sent = last;
        self.arm(now);
        Step::Data { first, last }
    }

    fn arm(&mut self, now: Duration) {
        let factor = 1u32.checked_shl(self.retries).unwrap_or(u32::MAX);
        let wait = self.terms.timeout.saturating_mul(factor).min(self.terms.max_backoff.max(self.terms.timeout));
        self.last_send = now;
        self.deadline = now + wait;
    }
}

/// The block number as it is on the wire.
pub(crate) fn low_bits(block: u64) -> u16 {
    (block & 0xffff) as u16
}

#[cfg(test)]
mod tests;
