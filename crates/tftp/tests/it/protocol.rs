//! Single rules of the RFCs, packet by packet.

use std::time::Duration;

use tftp::{Config, Event, Failure};

use crate::support::{Client, Lab, Packet, ack, pattern, read_request};

/// Long enough to see that nothing comes, shorter than the server's retransmission.
const SILENCE: Duration = Duration::from_millis(400);

async fn failure(lab: &Lab) -> (Failure, u64) {
    lab.event(|event| if let Event::Failed { reason, bytes, .. } = event { Some((reason.clone(), *bytes)) } else { None }).await
}

#[tokio::test]
async fn options_are_acknowledged_before_the_first_block() {
    let lab = Lab::start().await;
    let client = Client::new().await;
    let options = [("tsize", "0"), ("blksize", "1468"), ("windowsize", "4"), ("timeout", "5")];
    client.send(&read_request("bytes/3000", &options), lab.addr).await;
    let (Packet::Oack(granted), from) = client.recv().await else { panic!("expected an OACK") };
    assert_ne!(from.port(), lab.addr.port(), "a port of its own");
    let wanted = [("tsize", "3000"), ("blksize", "1468"), ("windowsize", "4"), ("timeout", "5")];
    assert_eq!(granted, wanted.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect());
    client.send(&ack(0), from).await;
    for block in 1..=3 {
        client.expect_block(block).await;
    }
    client.send(&ack(3), from).await;
    let (bytes, windowsize) =
        lab.event(|event| if let Event::Finished { bytes, windowsize, .. } = event { Some((*bytes, *windowsize)) } else { None }).await;
    assert_eq!((bytes, windowsize), (3000, 4));
    assert_eq!(lab.asked()[0].options.blksize, Some(1468));
}

#[tokio::test]
async fn a_client_that_only_wanted_the_length() {
    let lab = Lab::start().await;
    let client = Client::new().await;
    client.send(&read_request("bytes/3000", &[("tsize", "0")]), lab.addr).await;
    let (Packet::Oack(_), from) = client.recv().await else { panic!("expected an OACK") };
    client.send(b"\0\x05\0\x08User aborted the transfer\0", from).await;
    let wanted = Failure::AbortedBeforeData { code: 8, message: "User aborted the transfer".into() };
    assert_eq!(failure(&lab).await, (wanted, 0));
}

#[tokio::test]
async fn a_client_that_aborts_in_the_middle() {
    let lab = Lab::start().await;
    let client = Client::new().await;
    client.send(&read_request("bytes/3000", &[]), lab.addr).await;
    let (_, from) = client.expect_block(1).await;
    client.send(&ack(1), from).await;
    client.expect_block(2).await;
    client.send(b"\0\x05\0\x03disk full\0", from).await;
    assert_eq!(failure(&lab).await, (Failure::Aborted { code: 3, message: "disk full".into() }, 512));
}

#[tokio::test]
async fn a_repeated_request_does_not_start_a_second_transfer() {
    let lab = Lab::start().await;
    let client = Client::new().await;
    // the second one comes while the source is still looking for the file, the third in mid-transfer
    let request = read_request("slow/200", &[]);
    client.send(&request, lab.addr).await;
    client.send(&request, lab.addr).await;
    let (data, from) = client.expect_block(1).await;
    client.send(&request, lab.addr).await;
    assert_eq!(client.recv_within(SILENCE).await, None, "nothing is sent twice");
    client.send(&ack(1), from).await;
    lab.event(|event| matches!(event, Event::Finished { .. }).then_some(())).await;
    assert_eq!((data, lab.started(), lab.asked().len()), (pattern(100), 1, 1));
}

#[tokio::test]
async fn another_request_from_the_same_port_replaces_the_first() {
    let lab = Lab::start().await;
    let client = Client::new().await;
    client.send(&read_request("bytes/3000", &[]), lab.addr).await;
    let (_, first) = client.expect_block(1).await;
    // the machine was reset, and its loader starts over
    client.send(&read_request("bytes/700", &[]), lab.addr).await;
    let (data, second) = client.expect_block(1).await;
    assert_ne!(first, second);
    client.send(&ack(1), second).await;
    assert_eq!([data, client.fetch_on(2).await].concat(), pattern(700));
    assert_eq!(failure(&lab).await.0, Failure::Superseded);
}

#[tokio::test]
async fn a_stranger_is_told_so_and_does_not_disturb() {
    let lab = Lab::start().await;
    let (client, stranger) = (Client::new().await, Client::new().await);
    client.send(&read_request("bytes/3000", &[]), lab.addr).await;
    let (mut all, from) = client.expect_block(1).await;
    stranger.send(&ack(1), from).await;
    assert_eq!(stranger.refusal().await, (5, "this port belongs to another transfer".into()));
    // not even by an error of its own, which is not answered either
    stranger.send(b"\0\x05\0\0stop\0", from).await;
    assert_eq!(stranger.recv_within(SILENCE).await, None);
    client.send(&ack(1), from).await;
    all.extend(client.fetch_on(2).await);
    assert_eq!(all, pattern(3000));
}

#[tokio::test]
async fn a_repeated_acknowledgement_is_not_answered() {
    let lab = Lab::start().await;
    let client = Client::new().await;
    client.send(&read_request("bytes/3000", &[]), lab.addr).await;
    let (mut all, from) = client.expect_block(1).await;
    for _ in 0..5 {
        client.send(&ack(1), from).await;
    }
    let (data, _) = client.expect_block(2).await;
    assert_eq!(client.recv_within(SILENCE).await, None, "block 2 is sent once");
    all.extend(data);
    client.send(&ack(2), from).await;
    all.extend(client.fetch_on(3).await);
    assert_eq!(all, pattern(3000));
}

#[tokio::test]
async fn a_gap_in_a_window_is_filled_from_there() {
    let lab = Lab::start().await;
    let client = Client::new().await;
    client.send(&read_request("file/5000", &[("windowsize", "4")]), lab.addr).await;
    let (Packet::Oack(_), from) = client.recv().await else { panic!("expected an OACK") };
    client.send(&ack(0), from).await;
    for block in 1..=4 {
        client.expect_block(block).await;
    }
    // as if block 3 had been lost
    client.send(&ack(2), from).await;
    for block in 3..=6 {
        let (data, _) = client.expect_block(block).await;
        let start = (usize::from(block) - 1) * 512;
        assert_eq!(data, pattern(5000)[start..start + 512]);
    }
    client.send(&ack(6), from).await;
    for block in 7..=10 {
        client.expect_block(block).await;
    }
    client.send(&ack(10), from).await;
    let resent = lab.event(|event| if let Event::Finished { retransmits, .. } = event { Some(*retransmits) } else { None }).await;
    assert_eq!(resent, 2);
}

#[tokio::test]
async fn silence_is_answered_by_sending_again() {
    let config = Config { timeout: Duration::from_millis(100), ..Config::default() };
    let lab = Lab::with("127.0.0.1:0", config).await;
    let client = Client::new().await;
    client.send(&read_request("bytes/100", &[]), lab.addr).await;
    let (first, from) = client.expect_block(1).await;
    let (again, _) = client.expect_block(1).await;
    assert_eq!(first, again);
    client.send(&ack(1), from).await;
    let resent = lab.event(|event| if let Event::Finished { retransmits, .. } = event { Some(*retransmits) } else { None }).await;
    assert!(resent >= 1);
}

#[tokio::test]
async fn the_timeout_of_the_client_is_kept() {
    let lab = Lab::with("127.0.0.1:0", Config { timeout: Duration::from_millis(50), ..Config::default() }).await;
    let client = Client::new().await;
    client.send(&read_request("bytes/100", &[("timeout", "2")]), lab.addr).await;
    let (Packet::Oack(_), _) = client.recv().await else { panic!("expected an OACK") };
    assert_eq!(client.recv_within(Duration::from_millis(1500)).await, None, "not after 50 ms");
    assert!(matches!(client.recv().await.0, Packet::Oack(_)));
}

/// A server on all addresses answers from the one it was asked at: a client, and every firewall between, expects that.
#[tokio::test]
async fn the_answer_comes_from_the_address_that_was_asked() {
    for bind in ["0.0.0.0:0", "[::]:0"] {
        let lab = Lab::with(bind, Config::default()).await;
        for ip in ["127.0.0.1", "127.0.0.5", "127.1.2.3"] {
            let client = Client::new().await;
            let asked = (ip.parse::<std::net::IpAddr>().unwrap(), lab.addr.port()).into();
            client.send(&read_request("bytes/10", &[]), asked).await;
            let (_, from) = client.expect_block(1).await;
            assert_eq!(from.ip(), asked.ip(), "bound to {bind}");
            client.send(&ack(1), from).await;
            client.send(&read_request("nothing", &[]), asked).await;
            assert_eq!(client.recv().await.1.ip(), asked.ip(), "also for an error");
            let seen = lab.asked().pop().unwrap();
            assert_eq!((seen.local, seen.peer), (Some(asked.ip()), client.socket.local_addr().unwrap()));
        }
    }
}

#[tokio::test]
async fn a_file_that_shrinks_ends_with_an_error() {
    let lab = Lab::start().await;
    let client = Client::new().await;
    client.send(&read_request("shrunken/3000", &[]), lab.addr).await;
    let (code, message) = client.refusal().await;
    assert_eq!(code, 0);
    assert!(message.contains("the file became shorter"), "{message}");
    assert!(matches!(failure(&lab).await.0, Failure::Read(_)));
}

#[tokio::test]
async fn the_source_decides_what_a_client_is_told() {
    let lab = Lab::start().await;
    for (path, code, message) in
        [("nothing", 1, "there is no nothing"), ("denied/x", 2, "not for you"), ("broken/x", 0, "the store is broken")]
    {
        let client = Client::new().await;
        client.send(&read_request(path, &[]), lab.addr).await;
        assert_eq!(client.refusal().await, (code, message.to_owned()));
    }
}
