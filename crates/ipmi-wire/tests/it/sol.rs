//! Fact 4: Serial over LAN, packet by packet and through a bad network.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use ipmi_wire::session::ReplayWindow;
use ipmi_wire::sol::{NACK, Role, SolConfig, SolEngine, SolEvent, SolPacket, op, status};

fn console(config: SolConfig) -> SolEngine {
    SolEngine::new(Role::Console, config)
}

fn sent(engine: &mut SolEngine, now: Instant) -> Option<(u8, u8, u8, u8, Vec<u8>)> {
    engine.poll_transmit(now).map(|payload| {
        let p = SolPacket::decode(&payload).unwrap();
        (p.sequence, p.ack, p.accepted, p.flags, p.data.to_vec())
    })
}

fn packet(sequence: u8, ack: u8, accepted: u8, flags: u8, data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    SolPacket { sequence, ack, accepted, flags, data }.encode(&mut out);
    out
}

/// An engine, a clock and the order of arriving packets.
struct Line {
    engine: SolEngine,
    now: Instant,
    order: u32,
}

impl Line {
    fn new(engine: SolEngine) -> Self {
        Self { engine, now: Instant::now(), order: 0 }
    }

    fn hear(&mut self, payload: &[u8]) {
        self.order += 1;
        self.engine.handle(payload, self.order, self.now).unwrap();
    }

    fn sent(&mut self) -> Option<(u8, u8, u8, u8, Vec<u8>)> {
        sent(&mut self.engine, self.now)
    }

    fn later(&mut self) {
        self.now = self.engine.deadline().unwrap();
    }
}

#[test]
fn numbers_run_from_1_to_15_and_never_0() {
    let mut line = Line::new(console(SolConfig { chunk: 1, ..SolConfig::default() }));
    line.engine.push(&[b'x'; 40]);
    let mut numbers = Vec::new();
    for _ in 0..40 {
        let (sequence, ..) = line.sent().unwrap();
        numbers.push(sequence);
        assert_eq!(line.sent(), None, "one packet at a time");
        line.hear(&packet(0, sequence, 1, 0, &[]));
    }
    let expected: Vec<u8> = (0..40).map(|i| i % 15 + 1).collect();
    assert_eq!(numbers, expected);
    assert_eq!(line.engine.pending(), 0);
}

#[test]
fn a_repetition_keeps_its_number_and_its_characters() {
    let mut line = Line::new(console(SolConfig::default()));
    line.engine.push(b"first");
    let first = line.sent().unwrap();
    assert_eq!(first, (1, 0, 0, 0, b"first".to_vec()));
    line.engine.push(b"second");
    assert_eq!(line.sent(), None);
    line.later();
    assert_eq!(line.sent().unwrap(), first);
    line.hear(&packet(0, 1, 5, 0, &[]));
    assert_eq!(line.sent().unwrap().4, b"second");
}

#[test]
fn characters_are_acknowledged_in_a_packet_without_number() {
    let mut line = Line::new(console(SolConfig::default()));
    line.hear(&packet(7, 0, 0, 0, b"login: "));
    assert_eq!(line.sent().unwrap(), (0, 7, 7, 0, vec![]));
    assert_eq!(line.engine.poll_event(), Some(SolEvent::Data(b"login: ".to_vec())));
    assert_eq!(line.sent(), None);
}

#[test]
fn a_duplicate_is_acknowledged_again_but_not_delivered_again() {
    let mut line = Line::new(console(SolConfig::default()));
    for _ in 0..3 {
        line.hear(&packet(7, 0, 0, 0, b"once"));
        assert_eq!(line.sent().unwrap(), (0, 7, 4, 0, vec![]));
    }
    assert_eq!(line.engine.poll_event(), Some(SolEvent::Data(b"once".to_vec())));
    assert_eq!(line.engine.poll_event(), None);
}

#[test]
fn every_sixteenth_packet_arrives_too() {
    let mut line = Line::new(console(SolConfig::default()));
    let mut heard = Vec::new();
    for i in 0..64u8 {
        line.hear(&packet(i % 15 + 1, 0, 0, 0, &[i]));
        while let Some(SolEvent::Data(data)) = line.engine.poll_event() {
            heard.extend(data);
        }
    }
    assert_eq!(heard, (0..64).collect::<Vec<u8>>());
}

#[test]
fn a_straggler_is_dropped_whatever_its_number() {
    let mut line = Line::new(console(SolConfig::default()));
    let now = line.now;
    // Packet 3 (order 10) is held up; its repetition (order 11) and 15 more numbers arrive first.
    line.engine.handle(&packet(3, 0, 0, 0, b"a"), 11, now).unwrap();
    for i in 0..8u8 {
        line.engine.handle(&packet((3 + i) % 15 + 1, 0, 0, 0, b"b"), 12 + u32::from(i), now).unwrap();
    }
    line.engine.handle(&packet(3, 0, 0, 0, b"a"), 10, now).unwrap();
    let events: Vec<_> = std::iter::from_fn(|| line.engine.poll_event()).collect();
    assert_eq!(events.len(), 9, "{events:?}");
}

#[test]
fn after_a_partial_acceptance_only_the_rest_goes_out_under_a_fresh_number() {
    let mut line = Line::new(console(SolConfig::default()));
    line.engine.push(b"abcdef");
    assert_eq!(line.sent().unwrap().0, 1);
    line.hear(&packet(0, 1, 2, 0, &[]));
    assert_eq!(line.engine.acknowledged(), 2);
    assert_eq!(line.sent().unwrap(), (2, 0, 0, 0, b"cdef".to_vec()));
    line.hear(&packet(0, 2, 4, 0, &[]));
    assert_eq!((line.engine.acknowledged(), line.engine.pending()), (6, 0));
}

#[test]
fn an_acknowledgement_of_another_number_changes_nothing() {
    let mut line = Line::new(console(SolConfig::default()));
    line.engine.push(b"abc");
    line.sent().unwrap();
    line.hear(&packet(0, 2, 3, 0, &[]));
    line.hear(&packet(0, 15, 3, 0, &[]));
    assert_eq!(line.engine.acknowledged(), 0);
}

#[test]
fn a_refusal_pauses_and_everything_is_sent_again() {
    let mut line = Line::new(console(SolConfig::default()));
    line.engine.push(b"abc");
    line.sent().unwrap();
    line.hear(&packet(0, 1, 0, NACK | status::UNAVAILABLE, &[]));
    assert_eq!(line.engine.poll_event(), Some(SolEvent::Unavailable(true)));
    assert_eq!(line.sent(), None, "paused");
    line.later();
    assert_eq!(line.sent().unwrap(), (2, 0, 0, 0, b"abc".to_vec()));
    line.hear(&packet(0, 2, 0, NACK | status::UNAVAILABLE, &[]));
    // Being told that it is over ends the pause at once.
    line.hear(&packet(0, 0, 0, 0, &[]));
    assert_eq!(line.engine.poll_event(), Some(SolEvent::Unavailable(false)));
    assert_eq!(line.sent().unwrap().4, b"abc");
}

#[test]
fn a_refused_copy_does_not_free_the_number_while_another_may_be_accepted() {
    let mut line = Line::new(console(SolConfig::default()));
    line.engine.push(b"abc");
    line.sent().unwrap();
    line.later();
    line.sent().unwrap();
    // The first copy is refused; the second, still under way, is accepted.
    line.hear(&packet(0, 1, 0, NACK, &[]));
    assert_eq!(line.sent(), None);
    line.hear(&packet(0, 1, 3, 0, &[]));
    assert_eq!((line.engine.acknowledged(), line.engine.pending()), (3, 0));
    // Had it been refused too, or lost, the same number would go out once more.
    line.engine.push(b"def");
    line.sent().unwrap();
    line.later();
    line.sent().unwrap();
    line.hear(&packet(0, 2, 0, NACK, &[]));
    line.later();
    assert_eq!(line.sent().unwrap(), (2, 0, 0, 0, b"def".to_vec()));
}

#[test]
fn overrun_break_and_deactivation_are_told() {
    let mut line = Line::new(console(SolConfig::default()));
    line.hear(&packet(1, 0, 0, status::OVERRUN, b"x"));
    line.hear(&packet(0, 0, 0, status::BREAK, &[]));
    line.hear(&packet(0, 0, 0, status::DEACTIVATED, &[]));
    let events: Vec<_> = std::iter::from_fn(|| line.engine.poll_event()).collect();
    assert_eq!(events, [SolEvent::Data(b"x".to_vec()), SolEvent::Overrun, SolEvent::Break, SolEvent::Deactivated]);
}

#[test]
fn output_is_delivered_while_an_answer_is_awaited() {
    let mut line = Line::new(console(SolConfig::default()));
    line.engine.push(b"ls\n");
    line.sent().unwrap();
    line.hear(&packet(4, 0, 0, 0, b"output"));
    assert_eq!(line.engine.poll_event(), Some(SolEvent::Data(b"output".to_vec())));
    assert_eq!(line.sent().unwrap(), (0, 4, 6, 0, vec![]));
    // Characters and acknowledgement in one packet.
    line.hear(&packet(5, 1, 3, 0, b"more"));
    assert_eq!(line.engine.acknowledged(), 3);
    assert_eq!(line.engine.poll_event(), Some(SolEvent::Data(b"more".to_vec())));
}

#[test]
fn a_break_keeps_its_place_between_characters() {
    let mut line = Line::new(console(SolConfig::default()));
    line.engine.push(b"ab");
    line.engine.send_break();
    line.engine.push(b"c");
    assert_eq!(line.sent().unwrap(), (1, 0, 0, 0, b"ab".to_vec()));
    line.hear(&packet(0, 1, 2, 0, &[]));
    assert_eq!(line.sent().unwrap(), (2, 0, 0, op::BREAK, vec![]));
    line.hear(&packet(0, 2, 0, 0, &[]));
    assert_eq!(line.engine.signals_acknowledged(), 1);
    assert_eq!(line.sent().unwrap(), (3, 0, 0, 0, b"c".to_vec()));
}

#[test]
fn packets_are_cut_to_what_the_bmc_takes() {
    for (size, characters) in [(0, 64), (4, 64), (5, 1), (100, 96), (256, 252), (260, 255), (0xffff, 255)] {
        let mut line = Line::new(console(SolConfig { chunk: SolConfig::chunk_for(size), ..SolConfig::default() }));
        line.engine.push(&[b'x'; 600]);
        assert_eq!(line.sent().unwrap().4.len(), characters, "payload size {size}");
    }
}

#[test]
fn a_slow_reader_makes_the_engine_accept_in_part_then_refuse() {
    let mut line = Line::new(console(SolConfig { receive_buffer: 6, ..SolConfig::default() }));
    line.hear(&packet(1, 0, 0, 0, b"abcd"));
    assert_eq!(line.sent().unwrap(), (0, 1, 4, 0, vec![]));
    line.hear(&packet(2, 0, 0, 0, b"efgh"));
    assert_eq!(line.sent().unwrap(), (0, 2, 2, 0, vec![]));
    line.hear(&packet(3, 0, 0, 0, b"gh"));
    assert_eq!(line.sent().unwrap(), (0, 3, 0, NACK, vec![]));
    while line.engine.poll_event().is_some() {}
    // The same number again is no duplicate: nothing of it was taken.
    line.hear(&packet(3, 0, 0, 0, b"gh"));
    assert_eq!(line.sent().unwrap(), (0, 3, 2, 0, vec![]));
    assert_eq!(line.engine.poll_event(), Some(SolEvent::Data(b"gh".to_vec())));
}

#[test]
fn fact_10_the_zero_accepts_all_quirk() {
    let mut plain = Line::new(console(SolConfig::default()));
    let mut quirky = Line::new(console(SolConfig { zero_accepts_all: true, ..SolConfig::default() }));
    for line in [&mut plain, &mut quirky] {
        line.engine.push(b"abc");
        line.sent().unwrap();
        line.hear(&packet(0, 1, 0, 0, &[]));
    }
    assert_eq!((plain.engine.acknowledged(), quirky.engine.acknowledged()), (0, 3));
}

#[test]
fn a_silent_peer_is_given_up() {
    let mut line = Line::new(console(SolConfig::default()));
    line.engine.push(b"abc");
    let start = line.now;
    let mut copies = 0;
    loop {
        copies += usize::from(line.sent().is_some());
        match line.engine.deadline() {
            Some(at) => line.now = at,
            None => break,
        }
    }
    assert_eq!(copies, 12);
    assert_eq!(line.engine.poll_event(), Some(SolEvent::Unanswered));
    assert!(line.now - start < Duration::from_secs(15));
}

#[test]
fn a_bmc_can_pause_resume_and_deactivate() {
    let now = Instant::now();
    let mut bmc = SolEngine::new(Role::Bmc, SolConfig::default());
    bmc.set_unavailable(true);
    assert_eq!(sent(&mut bmc, now).unwrap(), (0, 0, 0, status::UNAVAILABLE, vec![]));
    bmc.handle(&packet(1, 0, 0, 0, b"abc"), 1, now).unwrap();
    assert_eq!(sent(&mut bmc, now).unwrap(), (0, 1, 0, NACK | status::UNAVAILABLE, vec![]));
    bmc.set_unavailable(false);
    assert_eq!(sent(&mut bmc, now).unwrap(), (0, 0, 0, 0, vec![]));
    bmc.handle(&packet(2, 0, 0, op::BREAK, &[]), 2, now).unwrap();
    bmc.handle(&packet(3, 0, 0, op::RING | op::FLUSH_OUTBOUND, &[]), 3, now).unwrap();
    let events: Vec<_> = std::iter::from_fn(|| bmc.poll_event()).collect();
    assert_eq!(events, [SolEvent::Break, SolEvent::Control(op::RING | op::FLUSH_OUTBOUND)]);
    while sent(&mut bmc, now).is_some() {}
    bmc.deactivate();
    assert_eq!(sent(&mut bmc, now).unwrap(), (0, 0, 0, status::DEACTIVATED, vec![]));
}

/// Random numbers that come out the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// One direction of the network with the session layer's replay window at its end.
struct Network {
    dice: Dice,
    under_way: BTreeMap<(Instant, u64), (u32, Vec<u8>)>,
    sequence: u32,
    window: ReplayWindow,
    count: u64,
    lost: u64,
}

impl Network {
    fn new(seed: u64) -> Self {
        Self { dice: Dice(seed), under_way: BTreeMap::new(), sequence: 0, window: ReplayWindow::default(), count: 0, lost: 0 }
    }

    /// 5 % lost, 5 % twice, 10 % late by up to 300 ms, which is far more than a retry takes.
    fn send(&mut self, payload: &[u8], now: Instant) {
        self.sequence += 1;
        let copies = match self.dice.roll(100) {
            0..5 => 0,
            5..10 => 2,
            _ => 1,
        };
        self.lost += u64::from(copies == 0);
        for _ in 0..copies {
            let late = if self.dice.roll(100) < 10 { self.dice.roll(300_000) } else { 500 + self.dice.roll(500) };
            self.count += 1;
            self.under_way.insert((now + Duration::from_micros(late), self.count), (self.sequence, payload.to_vec()));
        }
    }

    fn arrived(&mut self, now: Instant) -> Vec<(u32, Vec<u8>)> {
        let later = self.under_way.split_off(&(now, u64::MAX));
        let arrived = std::mem::replace(&mut self.under_way, later);
        arrived.into_values().filter(|(sequence, _)| self.window.accept(*sequence)).collect()
    }

    fn next(&self) -> Option<Instant> {
        self.under_way.keys().next().map(|(at, _)| *at)
    }
}

struct End {
    engine: SolEngine,
    unsent: VecDeque<u8>,
    received: Vec<u8>,
}

impl End {
    fn new(role: Role, characters: &[u8]) -> Self {
        // A small receive buffer, emptied now and then, so that partial acceptance and refusals happen too.
        let config = SolConfig { receive_buffer: 700, chunk: 200, ..SolConfig::default() };
        Self { engine: SolEngine::new(role, config), unsent: characters.iter().copied().collect(), received: Vec::new() }
    }

    fn work(&mut self, out: &mut Network, now: Instant, reads: bool) {
        let taken = self.engine.push(self.unsent.make_contiguous());
        self.unsent.drain(..taken);
        while let Some(payload) = self.engine.poll_transmit(now) {
            out.send(&payload, now);
        }
        while reads && let Some(event) = self.engine.poll_event() {
            match event {
                SolEvent::Data(data) => self.received.extend(data),
                other => panic!("{other:?}"),
            }
        }
    }

    fn done(&self, expected: usize) -> bool {
        self.unsent.is_empty() && self.engine.pending() == 0 && self.received.len() >= expected
    }
}

/// 256 KB each way at once.
fn through_a_bad_network(seed: u64) {
    let mut dice = Dice(seed * 7 + 1);
    let text = |dice: &mut Dice| (0..256 * 1024).map(|_| dice.roll(256) as u8).collect::<Vec<u8>>();
    let (typed, printed) = (text(&mut dice), text(&mut dice));
    let (mut console, mut bmc) = (End::new(Role::Console, &typed), End::new(Role::Bmc, &printed));
    let (mut up, mut down) = (Network::new(seed * 3 + 1), Network::new(seed * 5 + 2));
    let mut now = Instant::now();
    let start = now;
    while !(console.done(printed.len()) && bmc.done(typed.len())) {
        for (order, payload) in up.arrived(now) {
            bmc.engine.handle(&payload, order, now).unwrap();
        }
        for (order, payload) in down.arrived(now) {
            console.engine.handle(&payload, order, now).unwrap();
        }
        let reads = dice.roll(4) == 0;
        console.work(&mut up, now, reads);
        bmc.work(&mut down, now, reads);
        // A reader that looks only now and then must be woken by the clock.
        let reader = now + Duration::from_millis(3);
        let next = [up.next(), down.next(), console.engine.deadline(), bmc.engine.deadline(), Some(reader)];
        now = next.into_iter().flatten().min().unwrap().max(now + Duration::from_micros(1));
        assert!(now - start < Duration::from_secs(3600), "stuck with {} and {}", bmc.received.len(), console.received.len());
    }
    assert!(up.lost > 50 && down.lost > 50, "the network was bad: {} {}", up.lost, down.lost);
    assert!(bmc.received == typed, "console to machine, seed {seed}");
    assert!(console.received == printed, "machine to console, seed {seed}");
}

#[test]
fn fact_4_256_kb_each_way_arrive_exactly_through_loss_duplication_and_reordering() {
    for seed in 1..=8 {
        through_a_bad_network(seed);
    }
}
