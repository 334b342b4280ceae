//! The console: in order, exactly once, held back when nobody reads, ended by whoever ends it.

use std::time::{Duration, Instant};

use ipmi_client::{CloseReason, ErrorKind, SolEvent, SolOptions, SolSession};
use ipmi_wire::command::DeactivatePayload;
use ipmi_wire::sol::status;
use tokio::time::timeout;

use crate::fake_bmc::FakeBmc;

const PATIENCE: Duration = Duration::from_secs(10);

pub async fn next(sol: &mut SolSession) -> SolEvent {
    timeout(PATIENCE, sol.recv()).await.expect("an event in time").expect("an open console")
}

/// Reads until so many characters have come.
pub async fn read(sol: &mut SolSession, len: usize) -> Vec<u8> {
    let mut all = Vec::new();
    while all.len() < len {
        let Ok(event) = timeout(PATIENCE, sol.recv()).await else {
            panic!("{} of {len} characters, then nothing", all.len());
        };
        match event.expect("an open console") {
            SolEvent::Data(data) => all.extend_from_slice(&data),
            other => panic!("{other:?} after {} characters", all.len()),
        }
    }
    all
}

async fn until(mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "in vain");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn dropping_the_console_deactivates_it() {
    let bmc = FakeBmc::start().await;
    let client = bmc.client();
    let sol = client.open_sol(SolOptions::default()).await.unwrap();
    let writer = sol.writer();
    assert!(bmc.sol_active());
    drop(sol);
    until(|| !bmc.sol_active()).await;
    until(|| writer.is_closed()).await;
    assert!(writer.write("x".into()).await.is_err());
    // The session goes on.
    client.chassis_status().await.unwrap();
    client.open_sol(SolOptions::default()).await.unwrap();
    assert_eq!(bmc.log().opens.len(), 1);
}

#[tokio::test]
async fn the_console_keeps_the_session_when_all_other_handles_are_gone_and_ends_it_with_itself() {
    let bmc = FakeBmc::start().await;
    let client = bmc.client();
    let mut sol = client.open_sol(SolOptions::default()).await.unwrap();
    drop(client);
    bmc.print(b"still here");
    assert_eq!(read(&mut sol, 10).await, b"still here");
    drop(sol);
    until(|| !bmc.sol_active()).await;
    until(|| !bmc.seen::<ipmi_wire::command::CloseSession>().is_empty()).await;
}

#[tokio::test]
async fn what_the_bmc_reports_becomes_events() {
    let bmc = FakeBmc::start().await;
    let mut sol = bmc.client().open_sol(SolOptions::default()).await.unwrap();
    bmc.with_engine(|engine| engine.signal(status::OVERRUN));
    assert_eq!(next(&mut sol).await, SolEvent::Overrun);
    bmc.with_engine(ipmi_wire::sol::SolEngine::send_break);
    assert_eq!(next(&mut sol).await, SolEvent::Break);
    bmc.with_engine(|engine| engine.set_unavailable(true));
    assert_eq!(next(&mut sol).await, SolEvent::Unavailable(true));
    bmc.with_engine(|engine| engine.set_unavailable(false));
    assert_eq!(next(&mut sol).await, SolEvent::Unavailable(false));
    bmc.print(b"last words");
    tokio::time::sleep(Duration::from_millis(50)).await;
    bmc.with_engine(ipmi_wire::sol::SolEngine::deactivate);
    assert_eq!(next(&mut sol).await, SolEvent::Data("last words".into()));
    assert_eq!(next(&mut sol).await, SolEvent::Closed(CloseReason::Deactivated));
    assert_eq!(timeout(PATIENCE, sol.recv()).await.unwrap(), None);
    // Whoever took it over keeps it.
    assert!(bmc.seen::<DeactivatePayload>().is_empty());
}

#[tokio::test]
async fn a_break_arrives_in_its_place() {
    let bmc = FakeBmc::start().await;
    let sol = bmc.client().open_sol(SolOptions::default()).await.unwrap();
    let writer = sol.writer();
    timeout(PATIENCE, async {
        writer.write("a".into()).await.unwrap();
        writer.send_break().await.unwrap();
        assert_eq!(bmc.log().sol_breaks, 1);
        writer.write("b".into()).await.unwrap();
    })
    .await
    .unwrap();
    assert_eq!(bmc.log().sol_received, b"ab");
    assert_eq!(bmc.log().sol_breaks, 1);
}

#[tokio::test]
async fn a_restarting_bmc_ends_the_console_and_says_why() {
    let bmc = FakeBmc::start().await;
    let mut target = bmc.target();
    target.timeouts.keep_alive = Duration::from_millis(300);
    let client = ipmi_client::Client::new(target);
    let mut sol = client.open_sol(SolOptions::default()).await.unwrap();
    let writer = sol.writer();
    bmc.reboot();
    let start = Instant::now();
    let SolEvent::Closed(CloseReason::Lost(error)) = next(&mut sol).await else { panic!("not lost") };
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert!(matches!(error.kind, ErrorKind::NoAnswer { .. }) && error.bmc == bmc.addr, "{error}");
    assert!(timeout(PATIENCE, writer.write("x".into())).await.unwrap().is_err());
    let mut sol = client.open_sol(SolOptions::default()).await.unwrap();
    bmc.print(b"again");
    assert_eq!(read(&mut sol, 5).await, b"again");
}

#[tokio::test]
async fn writing_to_a_dead_bmc_fails_before_long_even_without_keep_alive() {
    let bmc = FakeBmc::start().await;
    let sol = bmc.client().open_sol(SolOptions::default()).await.unwrap();
    bmc.script().dead = true;
    let start = Instant::now();
    assert!(timeout(PATIENCE, sol.writer().write("x".into())).await.unwrap().is_err());
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
}

#[tokio::test]
async fn closing_the_client_ends_the_console() {
    let bmc = FakeBmc::start().await;
    let client = bmc.client();
    let mut sol = client.open_sol(SolOptions::default()).await.unwrap();
    client.close().await;
    assert_eq!(next(&mut sol).await, SolEvent::Closed(CloseReason::Local));
    assert!(!bmc.sol_active());
}

#[tokio::test]
async fn one_console_per_client_unless_it_is_taken_over() {
    let bmc = FakeBmc::start().await;
    let client = bmc.client();
    let mut first = client.open_sol(SolOptions::default()).await.unwrap();
    assert_eq!(client.open_sol(SolOptions::default()).await.unwrap_err().kind, ErrorKind::SolOpenHere);
    let mut second = client.open_sol(SolOptions { take_over: true, ..SolOptions::default() }).await.unwrap();
    assert_eq!(next(&mut first).await, SolEvent::Closed(CloseReason::Local));
    bmc.print(b"to the second");
    assert_eq!(read(&mut second, 13).await, b"to the second");
}

#[tokio::test]
async fn deactivating_by_command_ends_our_own_console_too() {
    let bmc = FakeBmc::start().await;
    let client = bmc.client();
    let mut sol = client.open_sol(SolOptions::default()).await.unwrap();
    client.deactivate_sol().await.unwrap();
    assert_eq!(next(&mut sol).await, SolEvent::Closed(CloseReason::Deactivated));
    client.deactivate_sol().await.unwrap();
}

#[tokio::test]
async fn a_reader_that_stalls_holds_the_bmc_back_and_loses_nothing() {
    let bmc = FakeBmc::start().await;
    let client = bmc.client();
    let mut sol = client.open_sol(SolOptions::default()).await.unwrap();
    let text: Vec<u8> = (0..200 * 1024u32).map(|i| (i % 251) as u8).collect();
    let mut given = 0;
    let feeding = Instant::now();
    // More than all buffers on the way hold; nobody reads.
    while given < text.len() && feeding.elapsed() < Duration::from_secs(2) {
        bmc.with_engine(|engine| given += engine.push(&text[given..]));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let held_back = given;
    assert!(held_back < text.len(), "the BMC was not held back");
    client.chassis_status().await.expect("requests go on meanwhile");
    let mut all = Vec::new();
    let deadline = Instant::now() + Duration::from_secs(30);
    while all.len() < text.len() {
        assert!(Instant::now() < deadline, "{} of {} after {given}", all.len(), text.len());
        bmc.with_engine(|engine| given += engine.push(&text[given..]));
        match timeout(Duration::from_millis(20), sol.recv()).await {
            Ok(Some(SolEvent::Data(data))) => all.extend_from_slice(&data),
            Ok(other) => panic!("{other:?}"),
            Err(_) => {}
        }
    }
    assert!(all == text);
}
