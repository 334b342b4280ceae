//! The SOL packet, an engine given anything, and two engines over a network the input commands.

#![no_main]

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use fuzz::metered;
use ipmi_wire::sol::{Role, SolConfig, SolEngine, SolEvent, SolPacket};
use libfuzzer_sys::fuzz_target;

/// One engine, hostile packets.
fn alone(role: Role, mut input: &[u8]) {
    let config = SolConfig { receive_buffer: 300, ..SolConfig::default() };
    let mut engine = SolEngine::new(role, config);
    let mut now = Instant::now();
    let mut order = 0u32;
    while let Some((&[what, len], rest)) = input.split_first_chunk::<2>() {
        let (piece, rest) = rest.split_at_checked(usize::from(len)).unwrap_or((rest, &[]));
        input = rest;
        match what % 8 {
            0..=2 => {
                order = order.wrapping_add(u32::from(what >> 3));
                let _ = engine.handle(piece, order, now);
            }
            3 => drop(engine.push(piece)),
            4 => engine.send_break(),
            5 => now = engine.deadline().unwrap_or(now).max(now) + Duration::from_millis(len.into()),
            6 => drop(engine.poll_event()),
            _ => engine.set_unavailable(len & 1 == 1),
        }
        while engine.poll_transmit(now).is_some() {}
        assert!(engine.acknowledged() <= engine.pushed());
    }
}

/// Two engines: whatever the network loses, doubles and turns around, what arrives is a prefix of what was sent.
fn together(input: &[u8]) {
    let config = SolConfig { chunk: 7, attempts: u32::MAX, ..SolConfig::default() };
    let (mut console, mut bmc) = (SolEngine::new(Role::Console, config), SolEngine::new(Role::Bmc, config));
    let text: Vec<u8> = (0..=255).collect();
    console.push(&text);
    bmc.push(&text);
    let mut now = Instant::now();
    let mut wires: [VecDeque<(u32, Vec<u8>)>; 2] = Default::default();
    let (mut orders, mut heard) = ([0u32; 2], [Vec::new(), Vec::new()]);
    for what in input.iter().take(400) {
        for (side, engine) in [&mut console, &mut bmc].into_iter().enumerate() {
            while let Some(payload) = engine.poll_transmit(now) {
                orders[side] += 1;
                wires[side].push_back((orders[side], payload));
            }
        }
        let side = usize::from(what & 1);
        let index = usize::from(what >> 4) % wires[side].len().max(1);
        match what >> 1 & 7 {
            0 => drop(wires[side].pop_front()),
            1 => now += Duration::from_millis(200),
            kind => {
                // the session's window lets nothing in twice, so a packet that arrives is gone
                let packet = wires[side].remove(if kind & 1 == 0 { index } else { 0 });
                if let Some((order, payload)) = packet {
                    let engine = if side == 0 { &mut bmc } else { &mut console };
                    engine.handle(&payload, order, now).expect("made by the other end");
                    while let Some(event) = engine.poll_event() {
                        if let SolEvent::Data(data) = event {
                            heard[side].extend(data);
                        }
                    }
                }
            }
        }
        assert!(heard.iter().all(|heard| text.starts_with(heard)));
        assert!(console.acknowledged() <= heard[0].len() as u64 && bmc.acknowledged() <= heard[1].len() as u64);
    }
}

fuzz_target!(|data: &[u8]| {
    if let Ok(packet) = metered(data.len(), 0, || SolPacket::decode(data)) {
        let mut encoded = Vec::new();
        packet.encode(&mut encoded);
        assert_eq!(SolPacket::decode(&encoded), Ok(packet));
    }
    alone(Role::Console, data);
    alone(Role::Bmc, data);
    together(data);
});
