//! How many, how long, and what happens then.

use std::time::{Duration, Instant};

use tftp::{Config, Event, Failure};
use tokio::net::UdpSocket;

use crate::support::{Client, Lab, PATIENCE, ack, pattern, read_request};

const BUSY: (u16, &str) = (0, "the server is busy, try again later");

fn one_at_a_time() -> Config {
    Config { max_transfers: 1, max_queued: 1, queue_wait: Duration::from_millis(500), ..Config::default() }
}

/// A client that has its first block and lets the server wait.
async fn holder(lab: &Lab) -> (Client, std::net::SocketAddr) {
    let client = Client::new().await;
    client.send(&read_request("bytes/100", &[]), lab.addr).await;
    let (_, from) = client.expect_block(1).await;
    (client, from)
}

#[tokio::test]
async fn over_the_limit_requests_wait_and_then_are_told() {
    let lab = Lab::with("127.0.0.1:0", one_at_a_time()).await;
    let (_first, _) = holder(&lab).await;
    let (waiting, refused) = (Client::new().await, Client::new().await);
    let start = Instant::now();
    waiting.send(&read_request("bytes/100", &[]), lab.addr).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    refused.send(&read_request("bytes/100", &[]), lab.addr).await;
    assert_eq!(refused.refusal().await, (BUSY.0, BUSY.1.to_owned()));
    assert!(start.elapsed() < Duration::from_millis(450), "the queue is full: told at once");
    assert_eq!(waiting.refusal().await, (BUSY.0, BUSY.1.to_owned()));
    assert!(start.elapsed() >= Duration::from_millis(450), "told after its wait");
}

#[tokio::test]
async fn a_waiting_request_is_served_when_its_turn_comes() {
    let lab = Lab::with("127.0.0.1:0", Config { queue_wait: PATIENCE, ..one_at_a_time() }).await;
    let (first, from) = holder(&lab).await;
    let waiting = Client::new().await;
    waiting.send(&read_request("bytes/100", &[]), lab.addr).await;
    assert!(waiting.recv_within(Duration::from_millis(200)).await.is_none());
    first.send(&ack(1), from).await;
    assert_eq!(waiting.expect_block(1).await.0, pattern(100));
}

#[tokio::test]
async fn one_address_does_not_take_all() {
    let lab = Lab::with("127.0.0.1:0", Config { max_transfers_per_ip: 2, ..Config::default() }).await;
    let (_a, _b) = (holder(&lab).await, holder(&lab).await);
    let third = Client::new().await;
    third.send(&read_request("bytes/100", &[]), lab.addr).await;
    assert_eq!(third.refusal().await.1, "too many transfers to this address, try again later");
    let elsewhere = Client::at("127.0.0.2".parse().unwrap()).await;
    assert_eq!(elsewhere.fetch("bytes/700", lab.addr).await, pattern(700));
}

#[tokio::test]
async fn a_slow_source_delays_only_its_own_client() {
    let lab = Lab::start().await;
    let slow: Vec<Client> = futures(20).await;
    for client in &slow {
        client.send(&read_request("slow/2000", &[]), lab.addr).await;
    }
    let start = Instant::now();
    assert_eq!(Client::new().await.fetch("bytes/20000", lab.addr).await, pattern(20_000));
    assert!(start.elapsed() < Duration::from_millis(1500), "{:?}", start.elapsed());
    for client in &slow {
        let (data, from) = client.expect_block(1).await;
        assert_eq!(data, pattern(100));
        client.send(&ack(1), from).await;
    }
}

async fn futures(count: usize) -> Vec<Client> {
    let mut clients = Vec::new();
    for _ in 0..count {
        clients.push(Client::new().await);
    }
    clients
}

#[tokio::test]
async fn a_source_that_hangs_is_given_up() {
    let lab = Lab::with("127.0.0.1:0", Config { open_timeout: Duration::from_millis(100), ..one_at_a_time() }).await;
    let client = Client::new().await;
    client.send(&read_request("slow/600000", &[]), lab.addr).await;
    assert_eq!(client.refusal().await, (0, "the server took too long to find the file".into()));
    assert_eq!(Client::new().await.fetch("bytes/5", lab.addr).await, pattern(5));
}

#[tokio::test]
async fn a_dead_client_leaves_nothing_behind() {
    let config = Config { timeout: Duration::from_millis(20), max_retries: 3, max_transfers: 1, max_queued: 0, ..Config::default() };
    let lab = Lab::with("127.0.0.1:0", config).await;
    let (client, from) = holder(&lab).await;
    let (reason, retransmits, elapsed) = lab
        .event(|event| match event {
            Event::Failed { reason, retransmits, elapsed, .. } => Some((reason.clone(), *retransmits, *elapsed)),
            _ => None,
        })
        .await;
    assert_eq!((reason, retransmits), (Failure::TimedOut, 3));
    assert!(elapsed >= Duration::from_millis(20 + 40 + 80 + 160), "with back-off: {elapsed:?}");
    // its socket is closed and its place is free
    UdpSocket::bind(from).await.expect("the port of the transfer is free again");
    assert_eq!(Client::new().await.fetch("bytes/600", lab.addr).await, pattern(600));
    drop(client);
}

#[tokio::test]
async fn stopping_lets_transfers_finish() {
    let mut lab = Lab::start().await;
    let (client, from) = holder(&lab).await;
    lab.stop.cancel();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!lab.task.is_finished(), "waits for the transfer");
    let late = Client::new().await;
    late.send(&read_request("bytes/100", &[]), lab.addr).await;
    assert!(late.recv_within(Duration::from_millis(200)).await.is_none(), "takes no more requests");
    client.send(&ack(1), from).await;
    tokio::time::timeout(PATIENCE, &mut lab.task).await.expect("ends").unwrap();
    assert!(matches!(lab.events().last(), Some(Event::Finished { bytes: 100, .. })));
}

#[tokio::test]
async fn stopping_waits_only_so_long() {
    let mut lab = Lab::with("127.0.0.1:0", Config { drain: Duration::from_millis(100), ..Config::default() }).await;
    let (client, _) = holder(&lab).await;
    lab.stop.cancel();
    assert_eq!(client.refusal().await, (0, "the server is shutting down".into()));
    tokio::time::timeout(PATIENCE, &mut lab.task).await.expect("ends").unwrap();
    assert!(matches!(lab.events().last(), Some(Event::Failed { reason: Failure::Shutdown, .. })));
}
