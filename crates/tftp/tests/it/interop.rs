//! Fetches with programs that others wrote, byte for byte.

use std::path::Path;

use tftp::{Config, Event};

use crate::support::{Lab, pattern, run_tool};

/// Lengths around the edges of a block: the last block is always shorter than the others, empty if need be.
fn lengths(blksize: usize) -> Vec<usize> {
    vec![0, 1, blksize - 1, blksize, blksize + 1, 2 * blksize, 10 * blksize, 10 * blksize + 1]
}

/// More than 65,535 blocks of 512 bytes: the block number goes round.
const ROLLOVER: usize = 65_536 * 512 + 700;

/// A fetched file; a client need not create one for nothing.
fn fetched(path: &Path) -> Vec<u8> {
    match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => panic!("{error}"),
    }
}

fn assert_same(got: &[u8], len: usize, what: &str) {
    let want = pattern(len);
    assert_eq!(got.len(), want.len(), "{what}: length");
    if let Some(at) = got.iter().zip(&want).position(|(a, b)| a != b) {
        panic!("{what}: byte {at} differs");
    }
}

async fn tftp_hpa(lab: &Lab, path: &str, out: &Path) {
    let port = lab.addr.port().to_string();
    let output = run_tool("tftp-hpa", "tftp", &["-m", "binary", "127.0.0.1", &port, "-c", "get", path, out.to_str().unwrap()]).await;
    assert!(output.status.success(), "{output:?}");
}

async fn curl(lab: &Lab, path: &str, options: &[&str], out: &Path) {
    let url = format!("tftp://{}/{path}", lab.addr);
    let args = [&["-sS", "--max-time", "150", "-o", out.to_str().unwrap()], options, &[&url]].concat();
    let output = run_tool("curl", "curl", &args).await;
    assert!(output.status.success(), "{output:?}");
}

async fn atftp(lab: &Lab, path: &str, options: &[String], out: &Path) {
    let port = lab.addr.port().to_string();
    let mut args: Vec<&str> = options.iter().flat_map(|option| ["--option", option]).collect();
    args.extend(["-g", "-r", path, "-l", out.to_str().unwrap(), "127.0.0.1", &port]);
    let output = run_tool("atftp", "atftp", &args).await;
    assert!(output.status.success(), "{output:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_client_of_tftp_hpa() {
    let (lab, dir) = (Lab::start().await, tempfile::tempdir().unwrap());
    for len in lengths(512) {
        for kind in ["bytes", "file"] {
            let out = dir.path().join(format!("{kind}{len}"));
            tftp_hpa(&lab, &format!("{kind}/{len}"), &out).await;
            assert_same(&fetched(&out), len, &format!("tftp-hpa, {kind}, {len}"));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn curl_with_and_without_options() {
    let (lab, dir) = (Lab::start().await, tempfile::tempdir().unwrap());
    let none: &[&str] = &["--tftp-no-options"];
    for (blksize, options) in
        [(512, none), (8, &["--tftp-blksize", "8"]), (1428, &["--tftp-blksize", "1428"]), (65464, &["--tftp-blksize", "65464"])]
    {
        for len in lengths(blksize) {
            if len == 0 && options != none {
                // curl 7.88 fails with "getpeername()" here, whoever the server is
                continue;
            }
            let out = dir.path().join(format!("{blksize}-{len}"));
            curl(&lab, &format!("file/{len}"), options, &out).await;
            assert_same(&fetched(&out), len, &format!("curl, blksize {blksize}, {len}"));
        }
    }
    let granted: Vec<u16> =
        lab.events().iter().filter_map(|event| if let Event::Started { blksize, .. } = event { Some(*blksize) } else { None }).collect();
    assert!(granted.contains(&65464) && granted.contains(&8), "the sizes asked for were granted: {granted:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn atftp_with_windows() {
    let (lab, dir) = (Lab::start().await, tempfile::tempdir().unwrap());
    for windowsize in [1, 4, 16, 64] {
        for blksize in [512, 1468] {
            let options = [format!("windowsize {windowsize}"), format!("blksize {blksize}")];
            let mut lens = lengths(blksize);
            // whole windows and one block more or less, and several stretches read from the file
            lens.extend([windowsize * blksize, windowsize * blksize - 1, (2 * windowsize + 1) * blksize, 1_500_000]);
            for len in lens {
                let out = dir.path().join("out");
                atftp(&lab, &format!("file/{len}"), &options, &out).await;
                assert_same(&fetched(&out), len, &format!("atftp, {options:?}, {len}"));
                let _ = std::fs::remove_file(&out);
            }
        }
    }
    let resent: u64 = lab.events().iter().map(|event| if let Event::Finished { retransmits, .. } = event { *retransmits } else { 0 }).sum();
    let windows: Vec<u16> = lab
        .events()
        .iter()
        .filter_map(|event| if let Event::Finished { windowsize, .. } = event { Some(*windowsize) } else { None })
        .collect();
    assert!(windows.contains(&64) && windows.contains(&16), "the windows asked for were granted");
    assert!(resent < 1000, "windows do not overrun the client: {resent} packets sent again");
}

/// The block size whose window once overran the client's buffer, and the largest.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn windows_of_large_blocks_fit_the_clients_buffer() {
    let (lab, dir) = (Lab::start().await, tempfile::tempdir().unwrap());
    for blksize in [1600, 4096, 8192, 16_000, 65464] {
        let out = dir.path().join("out");
        atftp(&lab, "file/8000000", &["windowsize 64".into(), format!("blksize {blksize}")], &out).await;
        assert_same(&fetched(&out), 8_000_000, &format!("atftp, blksize {blksize}"));
        let (blocks, resent) = lab
            .event(|event| match event {
                Event::Finished { blksize: b, retransmits, .. } if *b == blksize => Some((8_000_000 / u64::from(*b), *retransmits)),
                _ => None,
            })
            .await;
        assert!(resent <= blocks / 4, "blksize {blksize}: {resent} of {blocks} sent again");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_65535_blocks_with_tftp_hpa() {
    let (lab, dir) = (Lab::start().await, tempfile::tempdir().unwrap());
    let out = dir.path().join("out");
    tftp_hpa(&lab, &format!("file/{ROLLOVER}"), &out).await;
    assert_same(&fetched(&out), ROLLOVER, "tftp-hpa");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_65535_blocks_with_curl() {
    let (lab, dir) = (Lab::start().await, tempfile::tempdir().unwrap());
    let out = dir.path().join("out");
    curl(&lab, &format!("bytes/{ROLLOVER}"), &["--tftp-blksize", "512"], &out).await;
    assert_same(&fetched(&out), ROLLOVER, "curl");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_65535_blocks_in_windows_with_atftp() {
    let (lab, dir) = (Lab::start().await, tempfile::tempdir().unwrap());
    let out = dir.path().join("out");
    atftp(&lab, &format!("file/{ROLLOVER}"), &["windowsize 64".into(), "blksize 512".into()], &out).await;
    assert_same(&fetched(&out), ROLLOVER, "atftp");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ipv6() {
    let lab = Lab::with("[::1]:0", Config::default()).await;
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    curl(&lab, "file/100000", &["--tftp-blksize", "1428"], &out).await;
    assert_same(&fetched(&out), 100_000, "curl over IPv6");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once() {
    let (lab, dir) = (Lab::start().await, tempfile::tempdir().unwrap());
    let lab = std::sync::Arc::new(lab);
    let mut fetches = tokio::task::JoinSet::new();
    for n in 0..40 {
        let (lab, out) = (lab.clone(), dir.path().join(n.to_string()));
        fetches.spawn(async move {
            curl(&lab, &format!("file/{}", 300_000 + n), &["--tftp-blksize", "1428"], &out).await;
            assert_same(&fetched(&out), 300_000 + n, "curl");
        });
    }
    while let Some(done) = fetches.join_next().await {
        done.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn foreign_clients_are_told_why_not() {
    let (lab, dir) = (Lab::start().await, tempfile::tempdir().unwrap());
    let port = lab.addr.port().to_string();
    let local = dir.path().join("local");
    std::fs::write(&local, "x").unwrap();
    let local = local.to_str().unwrap();

    let put = run_tool("tftp-hpa", "tftp", &["-m", "binary", "127.0.0.1", &port, "-c", "put", local, "bytes/5"]).await;
    let said = String::from_utf8_lossy(&[put.stdout, put.stderr].concat()).into_owned();
    assert!(said.contains("Error code 2") && said.contains("this server is read-only"), "{said}");

    let netascii = run_tool("tftp-hpa", "tftp", &["-m", "netascii", "127.0.0.1", &port, "-c", "get", "bytes/5", local]).await;
    let said = String::from_utf8_lossy(&[netascii.stdout, netascii.stderr].concat()).into_owned();
    assert!(said.contains("Error code 4") && said.contains("use octet"), "{said}");

    let missing = run_tool("curl", "curl", &["-sS", &format!("tftp://{}/nothing", lab.addr)]).await;
    assert_eq!(missing.status.code(), Some(68), "curl's code for error 1: {missing:?}");
    let denied = run_tool("curl", "curl", &["-sS", &format!("tftp://{}/denied/x", lab.addr)]).await;
    assert_eq!(denied.status.code(), Some(69), "curl's code for error 2: {denied:?}");
    assert_eq!(lab.started(), 0);
}
