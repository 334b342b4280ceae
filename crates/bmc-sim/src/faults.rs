//! What can be made to go wrong between a BMC and its clients, at run time.

use std::{cmp::Reverse, collections::BinaryHeap, net::SocketAddr, time::Duration};

use ipmi_wire::{NetFn, session::PayloadType};
use serde::{Deserialize, Deserializer};
use tokio::time::Instant;

/// Faults of one BMC. The default is none. Probabilities are 0.0 to 1.0 and count for each direction by itself.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// Probability that a datagram is lost.
    pub loss: f64,
    /// Probability that a datagram arrives twice.
    pub duplication: f64,
    /// Probability that a datagram is overtaken: it arrives [`Faults::OVERTAKEN_BY`] late.
    pub reordering: f64,
    /// Every datagram takes so long. In a file: seconds.
    #[serde(deserialize_with = "seconds")]
    pub delay: Duration,
    /// Up to so much is added to `delay`, evenly distributed. In a file: seconds.
    #[serde(deserialize_with = "seconds")]
    pub jitter: Duration,
    /// What is never answered.
    #[serde(skip)]
    pub mute: Vec<Mute>,
    /// How SOL misbehaves.
    pub sol: SolFault,
}

impl Faults {
    /// How late an overtaken datagram is.
    pub const OVERTAKEN_BY: Duration = Duration::from_millis(20);

    /// Nothing gets through in either direction: the BMC cannot be reached.
    #[must_use]
    pub fn unreachable() -> Self {
        Self { loss: 1.0, ..Self::default() }
    }

    /// These commands are executed as ever but never answered.
    #[must_use]
    pub fn muting(mute: impl IntoIterator<Item = Mute>) -> Self {
        Self { mute: mute.into_iter().collect(), ..Self::default() }
    }

    pub(crate) fn mutes(&self, what: Mute) -> bool {
        self.mute.contains(&what)
    }
}

/// Something a BMC may leave unanswered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mute {
    /// A command, in or outside a session.
    Command {
        /// Network function of the request.
        net_fn: NetFn,
        /// Command number.
        cmd: u8,
    },
    /// A step of session set-up, by the payload type of the question.
    Setup(PayloadType),
    /// SOL packets: neither acknowledged nor sent.
    Sol,
    /// The presence ping.
    Ping,
}

/// How SOL misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SolFault {
    /// Not at all.
    #[default]
    None,
    /// Activate Payload answers 0x80, as if a session elsewhere held it; Deactivate Payload cures it, as a take-over does.
    Held,
    /// Activate Payload answers 0x81: SOL is disabled.
    Disabled,
    /// Activate Payload answers 0x82: the limit is reached.
    Limit,
    /// SOL activates, but every packet of characters is refused with "character transfer unavailable".
    Unavailable,
}

fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    Duration::try_from_secs_f64(f64::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}

/// Which way a datagram goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Direction {
    In,
    Out,
}

/// A datagram under way.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Datagram {
    pub(crate) direction: Direction,
    pub(crate) peer: SocketAddr,
    pub(crate) bytes: Vec<u8>,
}

/// The bad wire: decides for every datagram whether, when and how often it arrives.
#[derive(Debug)]
pub(crate) struct Wire {
    random: Random,
    /// Ordered by due time, then by number, so that equal delays keep the order.
    queue: BinaryHeap<Reverse<(Instant, u64, Datagram)>>,
    count: u64,
}

impl Wire {
    pub(crate) fn new(seed: u64) -> Self {
        Self { random: Random(seed), queue: BinaryHeap::new(), count: 0 }
    }

    /// Puts a datagram on the wire; what arrives at once comes back.
    pub(crate) fn send(&mut self, faults: &Faults, now: Instant, datagram: Datagram) -> Option<Datagram> {
        if self.random.happens(faults.loss) {
            return None;
        }
        if self.random.happens(faults.duplication) {
            let Datagram { direction, peer, bytes } = &datagram;
            let copy = Datagram { direction: *direction, peer: *peer, bytes: bytes.clone() };
            let late = self.lateness(faults) + Duration::from_millis(1);
            self.enqueue(now + late, copy);
        }
        let late = self.lateness(faults);
        if late.is_zero() {
            return Some(datagram);
        }
        self.enqueue(now + late, datagram);
        None
    }

    fn enqueue(&mut self, due: Instant, datagram: Datagram) {
        self.count += 1;
        self.queue.push(Reverse((due, self.count, datagram)));
    }

    fn lateness(&mut self, faults: &Faults) -> Duration {
        let overtaken = if self.random.happens(faults.reordering) { Faults::OVERTAKEN_BY } else { Duration::ZERO };
        let jitter = if faults.jitter.is_zero() { Duration::ZERO } else { faults.jitter.mul_f64(self.random.fraction()) };
        faults.delay + jitter + overtaken
    }

    /// The next datagram whose time has come.
    pub(crate) fn due(&mut self, now: Instant) -> Option<Datagram> {
        if self.deadline()? > now {
            return None;
        }
        self.queue.pop().map(|Reverse((_, _, datagram))| datagram)
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.queue.peek().map(|Reverse((due, _, _))| *due)
    }
}

/// SplitMix64: small, seedable, good enough for dice.
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// In 0.0..1.0.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn happens(&mut self, probability: f64) -> bool {
        // no die is cast for what cannot happen, so that one fault does not change another's sequence
        probability > 0.0 && self.fraction() < probability
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn datagram(byte: u8) -> Datagram {
        Datagram { direction: Direction::Out, peer: ([127, 0, 0, 1], 623).into(), bytes: vec![byte] }
    }

    /// How many of 1000 datagrams arrive, in which order.
    fn arrivals(faults: &Faults, seed: u64) -> Vec<u8> {
        let mut wire = Wire::new(seed);
        let start = Instant::now();
        let mut arrived = Vec::new();
        for i in 0..1000u32 {
            let now = start + Duration::from_millis(u64::from(i) * 10);
            while let Some(datagram) = wire.due(now) {
                arrived.push(datagram.bytes[0]);
            }
            arrived.extend(wire.send(faults, now, datagram(i.to_le_bytes()[0])).map(|datagram| datagram.bytes[0]));
        }
        arrived
    }

    #[test]
    fn a_good_wire_changes_nothing() {
        let expected: Vec<u8> = (0..1000u32).map(|i| i.to_le_bytes()[0]).collect();
        assert_eq!(arrivals(&Faults::default(), 1), expected);
    }

    #[test]
    fn loss_duplication_and_reordering_are_as_frequent_as_asked_for_and_repeatable() {
        let lossy = Faults { loss: 0.2, ..Faults::default() };
        let count = arrivals(&lossy, 7).len();
        assert!((720..880).contains(&count), "{count}");
        assert_eq!(arrivals(&lossy, 7), arrivals(&lossy, 7));
        assert_ne!(arrivals(&lossy, 7), arrivals(&lossy, 8));
        let doubled = arrivals(&Faults { duplication: 0.2, ..Faults::default() }, 7).len();
        assert!((1120..1280).contains(&doubled), "{doubled}");
        let reordered = arrivals(&Faults { reordering: 0.1, ..Faults::default() }, 7);
        let inversions = reordered.windows(2).filter(|pair| pair[1] != pair[0].wrapping_add(1)).count();
        assert!(inversions > 50, "{inversions}");
        assert_eq!(arrivals(&Faults::unreachable(), 7).len(), 0);
    }
}
