//! The state machine against a client model over a channel that loses, duplicates, delays and reorders.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use proptest::prelude::*;

use super::*;

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn terms(blocks: u64, windowsize: u16) -> Terms {
    Terms {
        len: (blocks - 1) * 8 + 3,
        blksize: 8,
        windowsize,
        oack: windowsize > 1,
        timeout: ms(1000),
        max_backoff: ms(8000),
        max_retries: 5,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Wire {
    Oack,
    /// What the packet says, and (for checking only) which block's bytes it really carries.
    Data {
        wire: u16,
        content: u64,
    },
    Ack(u16),
}

/// How bad the network is. Chances are out of 1000.
#[derive(Debug, Clone, Copy, Default)]
struct Weather {
    loss: u64,
    duplicate_data: u64,
    duplicate_ack: u64,
    jitter_ms: u64,
    seed: u64,
}

/// A client as RFC 1350 and RFC 7440 describe it: acknowledges each full window, the last block, and the last block in
/// order whenever something out of order comes; says its last acknowledgement again after `patience` of silence.
struct Client {
    terms: Terms,
    expected: u64,
    in_window: u16,
    last_ack: Option<u16>,
    deadline: Duration,
    patience: Duration,
}

impl Client {
    fn done(&self) -> bool {
        self.expected > self.terms.blocks()
    }

    fn on_packet(&mut self, packet: Wire) -> Option<Wire> {
        match packet {
            Wire::Oack => (self.expected == 1).then(|| self.ack(0)),
            Wire::Data { wire, content } if wire == low_bits(self.expected) && !self.done() => {
                assert_eq!(content, self.expected, "the bytes under number {wire} are those of another block");
                self.expected += 1;
                self.in_window += 1;
                (self.done() || self.in_window == self.terms.windowsize).then(|| self.ack(low_bits(content)))
            }
            Wire::Data { .. } => Some(self.ack(low_bits(self.expected - 1))),
            Wire::Ack(_) => None,
        }
    }

    fn ack(&mut self, block: u16) -> Wire {
        self.in_window = 0;
        self.last_ack = Some(block);
        Wire::Ack(block)
    }
}

struct World {
    weather: Weather,
    now: Duration,
    serial: u64,
    /// Packets under way: arrival, order of sending, packet.
    air: BinaryHeap<Reverse<(Duration, u64, Wire)>>,
    data_sent: u64,
    /// DATA packets (counted from 1) to lose on purpose.
    lose_data: Vec<u64>,
}

impl World {
    fn chance(&mut self, per_mille: u64) -> bool {
        self.random() % 1000 < per_mille
    }

    /// splitmix64
    fn random(&mut self) -> u64 {
        self.weather.seed = self.weather.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.weather.seed;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn send(&mut self, packet: Wire) {
        let duplicate = match packet {
            Wire::Data { .. } => {
                self.data_sent += 1;
                if self.lose_data.contains(&self.data_sent) {
                    return;
                }
                self.weather.duplicate_data
            }
            _ => self.weather.duplicate_ack,
        };
        let copies = if self.chance(duplicate) { 2 } else { 1 };
        for _ in 0..copies {
            if !self.chance(self.weather.loss) {
                let delay = ms(1 + self.random() % (self.weather.jitter_ms + 1));
                self.serial += 1;
                self.air.push(Reverse((self.now + delay, self.serial, packet)));
            }
        }
    }
}

struct Outcome {
    complete: bool,
    gave_up: bool,
    server_done: bool,
    elapsed: Duration,
    data_sent: u64,
    retransmits: u64,
}

fn simulate(terms: Terms, weather: Weather, lose_data: Vec<u64>) -> Outcome {
    let mut world = World { weather, now: Duration::ZERO, serial: 0, air: BinaryHeap::new(), data_sent: 0, lose_data };
    let patience = ms(1700);
    let mut client = Client { terms: terms.clone(), expected: 1, in_window: 0, last_ack: None, deadline: patience, patience };
    let mut server = Transfer::new(terms);
    let mut step = server.start(world.now);
    let mut elapsed = None;
    for _ in 0..2_000_000 {
        match step {
            Step::Oack => world.send(Wire::Oack),
            Step::Data { first, last } => {
                assert!(first <= last && last - first < u64::from(client.terms.windowsize), "window respected");
                for block in first..=last {
                    world.send(Wire::Data { wire: low_bits(block), content: block });
                }
            }
            Step::Wait => {}
            Step::Done | Step::GiveUp => {
                assert_eq!(server.acked_bytes() == client.terms.len && step == Step::Done, step == Step::Done);
                return Outcome {
                    complete: client.done(),
                    gave_up: step == Step::GiveUp,
                    server_done: step == Step::Done,
                    elapsed: elapsed.unwrap_or(world.now),
                    data_sent: world.data_sent,
                    retransmits: server.retransmits(),
                };
            }
        }
        if client.done() && elapsed.is_none() {
            elapsed = Some(world.now);
        }
        // what happens next: a packet arrives, or one of the two loses patience
        let arrival = world.air.peek().map(|Reverse((at, ..))| *at);
        let client_deadline = if client.done() { Duration::MAX } else { client.deadline };
        let next = arrival.unwrap_or(Duration::MAX).min(client_deadline).min(server.deadline());
        world.now = world.now.max(next);
        step = Step::Wait;
        if arrival == Some(next) {
            let Some(Reverse((_, _, packet))) = world.air.pop() else { unreachable!() };
            if let Wire::Ack(block) = packet {
                step = server.on_ack(block, world.now);
            } else {
                client.deadline = world.now + client.patience;
                if let Some(ack) = client.on_packet(packet) {
                    world.send(ack);
                }
            }
        } else if client_deadline == next {
            client.deadline = world.now + client.patience;
            if let Some(block) = client.last_ack {
                world.send(Wire::Ack(block));
            }
        } else {
            step = server.on_deadline(world.now);
        }
    }
    panic!("the transfer does not end");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Whatever the network does, the client ends up with each block once and in order, or the server gives up; and with
    /// the number of retries used here it does not give up.
    #[test]
    fn a_lossy_channel_delivers_the_file(
        blocks in 1u64..600,
        windowsize in prop_oneof![Just(1u16), 2u16..=8, Just(64u16)],
        oack: bool,
        loss in 0u64..250,
        duplicate_data in 0u64..250,
        duplicate_ack in 0u64..250,
        jitter_ms in 0u64..30,
        seed: u64,
    ) {
        let mut terms = terms(blocks, windowsize);
        terms.oack |= oack;
        terms.max_retries = 60;
        let outcome = simulate(terms, Weather { loss, duplicate_data, duplicate_ack, jitter_ms, seed }, vec![]);
        // A finished client of this model still answers (RFC 1350 calls it dallying), so the server hears of the end.
        prop_assert!(outcome.complete && outcome.server_done && !outcome.gave_up);
    }

    /// Sorcerer's apprentice: with every single packet doubled and none lost, lock step sends each block exactly once.
    #[test]
    fn duplicates_do_not_breed_in_lock_step(blocks in 1u64..400, jitter_ms in 0u64..30, seed: u64) {
        let weather = Weather { duplicate_data: 1000, duplicate_ack: 1000, jitter_ms, seed, ..Weather::default() };
        let outcome = simulate(terms(blocks, 1), weather, vec![]);
        prop_assert!(outcome.complete);
        prop_assert_eq!((outcome.data_sent, outcome.retransmits), (blocks, 0));
    }

    /// The same within windows, where a repeated acknowledgement may also be the report of a gap.
    #[test]
    fn duplicated_acknowledgements_do_not_breed_in_windows(blocks in 1u64..400, windowsize in 2u16..=64, seed: u64) {
        let weather = Weather { duplicate_ack: 1000, seed, ..Weather::default() };
        let outcome = simulate(terms(blocks, windowsize), weather, vec![]);
        prop_assert!(outcome.complete);
        prop_assert_eq!((outcome.data_sent, outcome.retransmits), (blocks, 0));
    }

    /// No sequence of acknowledgements and times, however mad, breaks the bounds of the machine.
    #[test]
    fn any_acknowledgement_is_survived(
        blocks in 1u64..200_000,
        windowsize in 1u16..=64,
        script in proptest::collection::vec((any::<bool>(), any::<u16>(), 0u64..3000), 0..300),
    ) {
        let mut server = Transfer::new(terms(blocks, windowsize));
        let mut now = Duration::ZERO;
        server.start(now);
        for (is_ack, block, wait) in script {
            now += ms(wait);
            // half of the numbers are near enough to count
            let block = if block % 2 == 0 { low_bits(server.acked).wrapping_add(block % 130) } else { block };
            let step = if is_ack { server.on_ack(block, now) } else { server.on_deadline(now) };
            if let Step::Data { first, last } = step {
                prop_assert!(first >= 1 && first <= last && last <= blocks && last - first < u64::from(windowsize));
                prop_assert_eq!(first, server.acked + 1);
            }
            prop_assert!(server.acked <= server.sent && server.sent <= blocks);
        }
    }
}

#[test]
fn block_numbers_roll_over_to_zero() {
    for windowsize in [1, 3, 64] {
        let outcome = simulate(terms(140_000, windowsize), Weather::default(), vec![]);
        assert!(outcome.complete);
        assert_eq!(outcome.data_sent, 140_000);
        // and with trouble right at the edge
        let outcome = simulate(terms(70_000, windowsize), Weather { loss: 3, seed: 5, ..Weather::default() }, vec![65_535, 65_536, 65_537]);
        assert!(outcome.complete);
    }
}

#[test]
fn an_earlier_block_of_the_window_restarts_behind_it() {
    let mut server = Transfer::new(terms(10, 4));
    assert_eq!(server.start(ms(0)), Step::Oack);
    assert_eq!(server.on_ack(0, ms(1)), Step::Data { first: 1, last: 4 });
    assert_eq!(server.on_ack(2, ms(2)), Step::Data { first: 3, last: 6 });
    assert_eq!(server.retransmits(), 2);
    assert_eq!(server.on_ack(1, ms(3)), Step::Wait, "older than what is acknowledged");
    assert_eq!(server.on_ack(7, ms(3)), Step::Wait, "never sent");
    assert_eq!(server.on_ack(6, ms(4)), Step::Data { first: 7, last: 10 });
    assert_eq!(server.on_ack(10, ms(5)), Step::Done);
    assert_eq!(server.acked_bytes(), 75);
    assert_eq!(server.on_ack(10, ms(6)), Step::Wait);
}

#[test]
fn a_window_that_loses_its_first_block_does_not_wait_for_the_timeout() {
    // block 9 is the first of the third window of four
    let outcome = simulate(terms(40, 4), Weather::default(), vec![9]);
    assert!(outcome.complete);
    assert!(outcome.elapsed < ms(200), "{:?}", outcome.elapsed);
    assert_eq!(outcome.retransmits, 4);
}

#[test]
fn a_dead_client_is_given_up_after_bounded_retries_with_back_off() {
    let mut server = Transfer::new(terms(10, 1));
    assert_eq!(server.start(ms(0)), Step::Data { first: 1, last: 1 });
    let mut waits = Vec::new();
    let mut now = ms(0);
    loop {
        assert_eq!(server.on_deadline(now), Step::Wait, "not before the deadline");
        waits.push((server.deadline() - now).as_millis());
        now = server.deadline();
        match server.on_deadline(now) {
            Step::Data { first: 1, last: 1 } => {}
            Step::GiveUp => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(waits, [1000, 2000, 4000, 8000, 8000, 8000]);
    assert_eq!(server.retransmits(), 5);
    assert!(server.before_data());
    assert_eq!(server.on_deadline(now + ms(100_000)), Step::Wait);
    assert_eq!(server.on_ack(1, now), Step::Wait);
}

#[test]
fn the_acknowledgement_of_the_options_is_retransmitted_too() {
    let mut server = Transfer::new(terms(2, 4));
    assert_eq!(server.start(ms(0)), Step::Oack);
    assert_eq!(server.on_ack(1, ms(5)), Step::Wait, "only 0 acknowledges it");
    assert_eq!(server.on_deadline(ms(1000)), Step::Oack);
    assert_eq!(server.on_ack(0, ms(1001)), Step::Data { first: 1, last: 2 });
    assert_eq!(server.deadline(), ms(2001), "progress ends the back-off");
}

#[test]
fn the_last_block_is_always_short() {
    for (len, blocks) in [(0, 1), (7, 1), (8, 2), (9, 2), (16, 3)] {
        assert_eq!(Terms { len, ..terms(1, 1) }.blocks(), blocks);
    }
}
