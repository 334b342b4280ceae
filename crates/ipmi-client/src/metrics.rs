//! What happened between a client and its BMC, in numbers.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts since a client was made. One may be shared by many clients ([`crate::Client::with_metrics`]): it then counts for
/// all of them.
#[derive(Debug, Default)]
pub struct Metrics {
    requests: AtomicU64,
    retransmissions: AtomicU64,
    sessions_opened: AtomicU64,
    sessions_refused: AtomicU64,
    sessions_lost: AtomicU64,
    timeouts: AtomicU64,
    malformed: AtomicU64,
}

/// [`Metrics`] at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Commands sent in sessions, repetitions left out, keep-alives included.
    pub requests: u64,
    /// Packets sent again because their answer stayed away.
    pub retransmissions: u64,
    /// Sessions opened.
    pub sessions_opened: u64,
    /// Attempts to open a session that failed, for whatever reason.
    pub sessions_refused: u64,
    /// Sessions the BMC forgot or could no longer be reached in.
    pub sessions_lost: u64,
    /// Commands given up without an answer.
    pub timeouts: u64,
    /// Packets from the BMC's address that could not be read, or were not authentic.
    pub malformed: u64,
}

/// What is counted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Event {
    Request,
    Retransmission,
    SessionOpened,
    SessionRefused,
    SessionLost,
    Timeout,
    Malformed,
}

impl Metrics {
    pub(crate) fn count(&self, event: Event) {
        let counter = match event {
            Event::Request => &self.requests,
            Event::Retransmission => &self.retransmissions,
            Event::SessionOpened => &self.sessions_opened,
            Event::SessionRefused => &self.sessions_refused,
            Event::SessionLost => &self.sessions_lost,
            Event::Timeout => &self.timeouts,
            Event::Malformed => &self.malformed,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// The counts now.
    #[must_use]
    pub fn counters(&self) -> Counters {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counters {
            requests: read(&self.requests),
            retransmissions: read(&self.retransmissions),
            sessions_opened: read(&self.sessions_opened),
            sessions_refused: read(&self.sessions_refused),
            sessions_lost: read(&self.sessions_lost),
            timeouts: read(&self.timeouts),
            malformed: read(&self.malformed),
        }
    }
}
