//! Bytes nobody should send.

use std::time::Duration;

use tftp::{ErrorCode, Event};

use crate::support::{Client, Lab, pattern, read_request};

#[tokio::test]
async fn names_reach_the_source_as_they_were_sent() {
    let lab = Lab::start().await;
    let long = format!("very/{}", "long".repeat(254));
    for name in ["../../etc/passwd", "/etc/passwd", "..\\..\\boot.ini", "a b\n\u{1b}[31m", "höhle/ß", "%2e%2e/%00", long.as_str()] {
        let client = Client::new().await;
        client.send(&read_request(name, &[]), lab.addr).await;
        assert_eq!(client.refusal().await.0, 1, "{name:?}");
        assert_eq!(lab.paths().last().map(String::as_str), Some(name));
    }
}

#[tokio::test]
async fn names_that_cannot_be_right_are_refused_here() {
    let lab = Lab::start().await;
    let mut not_text = b"\0\x01fil\xff\xfee\0octet\0".to_vec();
    let bomb = [b"\0\x01".to_vec(), vec![b'A'; 60_000]].concat();
    for (packet, code, text) in [
        (read_request(&"x".repeat(10_000), &[]), 4, "the file name has 10000 bytes, at most 1024 are allowed"),
        (read_request("", &[]), 4, "the file name is empty"),
        (std::mem::take(&mut not_text), 4, "the file name is not UTF-8"),
        (b"\0\x01pxelinux.0".to_vec(), 4, "the file name has no terminating NUL"),
        (bomb, 4, "the file name has no terminating NUL"),
        (b"\0\x01pxelinux.0\0octet".to_vec(), 4, "the mode has no terminating NUL"),
        (b"\0\x01pxelinux.0\0octet\0tsize\x000".to_vec(), 4, "an option has no terminating NUL"),
        (b"\0\x01pxelinux.0\0mail\0".to_vec(), 4, "mode \"mail\" is not served, use octet (binary)"),
        (b"\0\x02pxelinux.0\0octet\0".to_vec(), 2, "this server is read-only"),
        (read_request("bytes/5", &[("blksize", "512"), ("BlkSize", "1024")]), 8, "option blksize is given twice"),
        (b"\0\x07what\0".to_vec(), 4, "unknown operation 7"),
    ] {
        let client = Client::new().await;
        client.send(&packet, lab.addr).await;
        assert_eq!(client.refusal().await, (code, text.to_owned()));
    }
    assert_eq!(lab.paths(), Vec::<String>::new(), "none of them reached the source");
    let refused: Vec<ErrorCode> =
        lab.events().iter().filter_map(|event| if let Event::Refused { code, .. } = event { Some(*code) } else { None }).collect();
    assert_eq!(refused.len(), 11);
}

#[tokio::test]
async fn unknown_and_senseless_options_are_passed_over() {
    let lab = Lab::start().await;
    let client = Client::new().await;
    let options = [("multicast", ""), ("blksize", "abc"), ("windowsize", "0"), ("timeout", "999"), ("x", &"y".repeat(20_000))];
    client.send(&read_request("bytes/700", &options), lab.addr).await;
    // no option is left to acknowledge, so the file itself comes at once
    assert_eq!(client.fetch_on(1).await, pattern(700));
}

#[tokio::test]
async fn what_is_no_request_is_never_answered() {
    let lab = Lab::start().await;
    let client = Client::new().await;
    for packet in [&b""[..], b"\0", b"\0\x03\0\x01data", b"\0\x04\0\x01", b"\0\x05\0\x01no\0", b"\0\x06tsize\x001\0"] {
        client.send(packet, lab.addr).await;
    }
    assert_eq!(client.recv_within(Duration::from_millis(300)).await, None);
    assert_eq!(client.fetch("bytes/600", lab.addr).await, pattern(600));
}

#[tokio::test]
async fn a_storm_of_random_packets_is_survived() {
    let lab = Lab::start().await;
    let client = Client::new().await;
    let mut seed = 1u64;
    let mut random = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) as usize
    };
    for _ in 0..3000 {
        let len = random() % 120;
        let mut packet: Vec<u8> = (0..len).map(|_| b"\0\0\x01octet\xffa/blksize1"[random() % 19]).collect();
        if packet.len() > 2 && random() % 2 == 0 {
            packet[..2].copy_from_slice(&[0, (random() % 8) as u8]);
        }
        client.send(&packet, lab.addr).await;
    }
    let later = Client::new().await;
    assert_eq!(later.fetch("bytes/2000", lab.addr).await, pattern(2000));
    assert!(!lab.task.is_finished());
}

#[tokio::test]
async fn a_source_that_panics_costs_one_transfer() {
    let lab = Lab::start().await;
    let client = Client::new().await;
    client.send(&read_request("panic/", &[]), lab.addr).await;
    assert_eq!(client.recv_within(Duration::from_millis(300)).await, None);
    // even the same port is free again
    assert_eq!(client.fetch("bytes/600", lab.addr).await, pattern(600));
}
