//! What can be made to go wrong between a BMC and its clients, at run time.

use std::{cmp::Reverse, collections::BinaryHeap, fmt, net::SocketAddr, str::FromStr, time::Duration};

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
    /// Probability that an answer's message has a wrong checksum (the packet around it is sound).
    pub bad_checksum: f64,
    /// Probability that a packet of a session has a wrong authentication code.
    pub bad_integrity: f64,
    /// Nobody new gets a session: "insufficient resources".
    pub no_sessions: bool,
    /// Probability that a log-in ends half-way: the BMC has opened the session and the console is never told.
    pub half_open: f64,
    /// What is never answered. In a file: see [`Mute`]'s texts.
    #[serde(deserialize_with = "mutes")]
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

    /// Changes some: `loss=0.05 delay=0.01 mute=ping,06:01 sol=held`, or `none` for no fault at all. Times are seconds.
    ///
    /// # Errors
    /// What is wrong with the text; nothing is changed then.
    pub fn change(&mut self, changes: &str) -> Result<(), String> {
        let mut faults = self.clone();
        for change in changes.split_whitespace() {
            if change == "none" {
                faults = Self::default();
                continue;
            }
            let (key, value) = change.split_once('=').ok_or_else(|| format!("{change:?}: KEY=VALUE or none"))?;
            faults.set(key, value)?;
        }
        *self = faults;
        Ok(())
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        let number =
            || value.parse::<f64>().ok().filter(|n| (0.0..=86_400.0).contains(n)).ok_or_else(|| format!("{key}={value}: no number"));
        let probability = || number().and_then(|n| if n <= 1.0 { Ok(n) } else { Err(format!("{key}={value}: between 0 and 1")) });
        match key {
            "loss" => self.loss = probability()?,
            "duplication" => self.duplication = probability()?,
            "reordering" => self.reordering = probability()?,
            "bad_checksum" => self.bad_checksum = probability()?,
            "bad_integrity" => self.bad_integrity = probability()?,
            "half_open" => self.half_open = probability()?,
            "delay" => self.delay = Duration::from_secs_f64(number()?),
            "jitter" => self.jitter = Duration::from_secs_f64(number()?),
            "no_sessions" => self.no_sessions = value.parse().map_err(|_| format!("{key}={value}: true or false"))?,
            "mute" => self.mute = value.split(',').filter(|text| !text.is_empty()).map(str::parse).collect::<Result<_, _>>()?,
            "sol" => self.sol = value.parse()?,
            _ => return Err(format!("there is no fault {key:?}")),
        }
        Ok(())
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

const SETUP: [(&str, PayloadType); 3] =
    [("open-session", PayloadType::OpenSessionRequest), ("rakp1", PayloadType::Rakp1), ("rakp3", PayloadType::Rakp3)];

/// `ping`, `sol`, `open-session`, `rakp1`, `rakp3`, or a command as NETFN:CMD in hexadecimal, such as `06:01`.
impl FromStr for Mute {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((_, step)) = SETUP.iter().find(|(name, _)| *name == text) {
            return Ok(Self::Setup(*step));
        }
        let hex = |digits| u8::from_str_radix(digits, 16).ok();
        match text {
            "ping" => Ok(Self::Ping),
            "sol" => Ok(Self::Sol),
            _ => text
                .split_once(':')
                .and_then(|(net_fn, cmd)| Some(Self::Command { net_fn: NetFn::new(hex(net_fn)?), cmd: hex(cmd)? }))
                .ok_or_else(|| format!("{text:?}: ping, sol, open-session, rakp1, rakp3 or NETFN:CMD")),
        }
    }
}

impl fmt::Display for Mute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ping => f.write_str("ping"),
            Self::Sol => f.write_str("sol"),
            Self::Command { net_fn, cmd } => write!(f, "{:02x}:{cmd:02x}", net_fn.value()),
            Self::Setup(step) => match SETUP.iter().find(|(_, known)| known == step) {
                Some((name, _)) => f.write_str(name),
                None => write!(f, "{step:?}"),
            },
        }
    }
}

/// As [`Faults::change`] reads it.
impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers = [
            ("loss", self.loss),
            ("duplication", self.duplication),
            ("reordering", self.reordering),
            ("delay", self.delay.as_secs_f64()),
            ("jitter", self.jitter.as_secs_f64()),
            ("bad_checksum", self.bad_checksum),
            ("bad_integrity", self.bad_integrity),
            ("half_open", self.half_open),
        ];
        let mut words: Vec<String> = numbers.iter().filter(|(_, n)| *n > 0.0).map(|(key, n)| format!("{key}={n}")).collect();
        if self.no_sessions {
            words.push("no_sessions=true".to_owned());
        }
        if !self.mute.is_empty() {
            words.push(format!("mute={}", self.mute.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")));
        }
        if self.sol != SolFault::None {
            words.push(format!("sol={}", self.sol.name()));
        }
        f.write_str(&if words.is_empty() { "none".to_owned() } else { words.join(" ") })
    }
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

impl SolFault {
    const ALL: [Self; 5] = [Self::None, Self::Held, Self::Disabled, Self::Limit, Self::Unavailable];

    fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Held => "held",
            Self::Disabled => "disabled",
            Self::Limit => "limit",
            Self::Unavailable => "unavailable",
        }
    }
}

impl FromStr for SolFault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|fault| fault.name() == text);
        known.ok_or_else(|| format!("sol={text}: none, held, disabled, limit or unavailable"))
    }
}

fn mutes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Mute>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| text.parse().map_err(serde::de::Error::custom)).collect()
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
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

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

    pub(crate) fn happens(&mut self, probability: f64) -> bool {
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
    fn faults_are_written_as_they_are_read() {
        let mut faults = Faults::default();
        assert_eq!(faults.to_string(), "none");
        let text = "loss=0.05 delay=0.25 bad_integrity=1 no_sessions=true mute=ping,06:01,rakp3 sol=held";
        faults.change(text).unwrap();
        assert_eq!(faults.to_string(), text);
        let before = faults.clone();
        for wrong in ["loss=2", "loss", "delay=-1", "mute=nobody", "sol=often", "weather=bad", "loss=0.1 jitter=x"] {
            assert!(faults.change(wrong).is_err(), "{wrong}");
        }
        assert_eq!(faults, before, "all or nothing");
        faults.change("none loss=0.5").unwrap();
        assert_eq!(faults, Faults { loss: 0.5, ..Faults::default() });
        let file: Faults = toml::from_str("mute = ['sol', '0c:22']\nhalf_open = 0.5").unwrap();
        assert_eq!(file.to_string(), "half_open=0.5 mute=sol,0c:22");
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
