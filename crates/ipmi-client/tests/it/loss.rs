//! A console through a bad network: every character arrives, in order and once, whatever the network does to datagrams.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bmc_sim::machine::serial::{Input, SerialLine};
use bmc_sim::machine::timing::Timing;
use bmc_sim::machine::{Chassis, Firmware, MacAddress, Power, Refused, Wiring};
use bmc_sim::{ChassisFactory, Faults, Lab, LabConfig, MachineConfig, PortFactory, User};
use ipmi_client::{ChassisControl, Client, Network, Privilege, Secret, SolEvent, SolOptions, SolSession, Target};
use tokio::time::{Instant, timeout};

use crate::air::Air;

const MEGABYTE: usize = 1_000_000;

/// Each counts for either direction by itself. A datagram that is overtaken comes 20 ms late, so up to several later ones
/// come before it.
fn bad_network() -> Faults {
    Faults { loss: 0.05, duplication: 0.05, reordering: 0.05, ..Faults::default() }
}

/// A chassis without a machine: the test has the line to itself.
#[derive(Debug)]
struct AlwaysOn;

impl Chassis for AlwaysOn {
    fn power(&self) -> Power {
        Power::On
    }

    fn control(&self, _command: ChassisControl) -> Result<(), Refused> {
        Err(Refused::Unsupported)
    }
}

fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed;
    let mut step = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..len).map(|_| step()).collect()
}

async fn collect(serial: &SerialLine, got: &Mutex<Vec<u8>>) {
    loop {
        if let Input::Bytes(bytes) = serial.read().await {
            got.lock().unwrap().extend(bytes);
        }
    }
}

/// Reads until so many characters have come.
async fn read(sol: &mut SolSession, len: usize) -> Vec<u8> {
    let mut all = Vec::with_capacity(len);
    while all.len() < len {
        match sol.recv().await.expect("an open console") {
            SolEvent::Data(data) => all.extend_from_slice(&data),
            other => panic!("{other:?} after {} characters", all.len()),
        }
    }
    all
}

/// Prints and types `len` characters at once and compares what came out at either end. Answers how long it took.
async fn both_ways(len: usize, network: Option<Arc<dyn Network>>, port: Option<PortFactory>, limit: Duration) -> Duration {
    let (printed, typed) = (noise(1, len), noise(2, len));
    let got = Arc::new(Mutex::new(Vec::with_capacity(len)));
    let line = Arc::new(Mutex::new(None));
    let users = vec![User::new("admin", "secret", Privilege::Administrator)];
    let mac = MacAddress([0x52, 0x54, 0, 0, 0, 2]);
    let mut machine = MachineConfig::new("node", mac, Firmware::Bios, (Ipv4Addr::LOCALHOST, 9).into(), users);
    machine.timing = Timing::instant();
    machine.port = port;
    let (made_got, made_line) = (Arc::clone(&got), Arc::clone(&line));
    machine.chassis = Some(ChassisFactory(Arc::new(move |wiring: Wiring| {
        let (serial, got) = (Arc::clone(&wiring.serial), Arc::clone(&made_got));
        *made_line.lock().unwrap() = Some(Arc::clone(&wiring.serial));
        tokio::spawn(wiring.cancel.run_until_cancelled_owned(async move { collect(&serial, &got).await }));
        Arc::new(AlwaysOn)
    })));
    let lab = Lab::start(LabConfig { machines: vec![machine] }).await.unwrap();
    let target = Target::new(lab.machines()[0].bmc_addr(), "admin", Secret::new("secret"));
    let client = match network {
        Some(network) => Client::over(network, target),
        None => Client::new(target),
    };
    let mut sol = client.open_sol(SolOptions::default()).await.unwrap();
    lab.machines()[0].set_faults(bad_network());

    let start = Instant::now();
    let serial: Arc<SerialLine> = line.lock().unwrap().take().unwrap();
    let text = printed.clone();
    let printing = tokio::spawn(async move { serial.write(&text).await });
    let (writer, keys) = (sol.writer(), typed.clone());
    let typing = tokio::spawn(async move {
        for piece in keys.chunks(4000) {
            writer.write(piece.to_vec().into()).await.unwrap();
        }
    });
    let seen = timeout(limit, read(&mut sol, len)).await.expect("everything printed comes in time");
    assert!(seen == printed, "machine to console");
    timeout(limit, typing).await.expect("everything typed goes in time").unwrap();
    printing.await.unwrap();
    // The BMC has taken it; the machine reads in its own time.
    let deadline = Instant::now() + Duration::from_secs(20);
    while got.lock().unwrap().len() < len && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(*got.lock().unwrap() == typed, "console to machine");
    let took = start.elapsed();
    lab.machines()[0].set_faults(Faults::default());
    drop(sol);
    client.close().await;
    lab.shutdown().await;
    took
}

#[tokio::test(start_paused = true)]
async fn sol_1_mb_each_way_through_loss_duplication_and_reordering_in_simulated_time() {
    let air = Air::default();
    let took = both_ways(MEGABYTE, Some(Arc::new(air.clone())), Some(air.ports()), Duration::from_secs(3600)).await;
    println!("{took:?} of simulated time");
    // Without a fault it takes no simulated time at all: each lost datagram costs a wait of 60 ms or more.
    assert!(took > Duration::from_secs(10), "the network was not bad: {took:?}");
}

#[tokio::test]
async fn sol_1_mb_each_way_through_loss_duplication_and_reordering_on_real_sockets() {
    let took = both_ways(MEGABYTE, None, None, Duration::from_secs(600)).await;
    println!("{took:?}");
}
