//! What is told when something is wrong: kinds, texts, and how soon.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use ipmi_client::{ChassisControl, Client, ErrorKind, Secret, Stage, Target};
use ipmi_wire::command::{CloseSession, GetChassisStatus};

use tokio::time::{Instant, pause, resume};

use crate::fake_bmc::{FakeBmc, PASSWORD, USER};

// Where nobody answers the clock is a paused one: how busy this machine is makes no difference.
#[tokio::test(start_paused = true)]
async fn an_unreachable_bmc_is_an_error_within_five_seconds() {
    // Bound, so that nothing else takes the port; never read.
    let silent = tokio::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let addr = silent.local_addr().unwrap();
    let client = Client::new(Target::new(addr, USER, Secret::new(PASSWORD)));
    let start = Instant::now();
    // Whoever asks meanwhile does not wait longer.
    let (first, second) = tokio::join!(client.chassis_status(), async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        client.device_id().await
    });
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    for error in [first.unwrap_err(), second.unwrap_err()] {
        assert!(error.kind.is_unreachable());
        let ErrorKind::NoAnswer { stage: Stage::Discovery, attempts, outcome_unknown: false, .. } = error.kind else { panic!("{error}") };
        assert!(attempts >= 4);
        let text = error.to_string();
        assert!(
            text.starts_with(&format!(
                "BMC {addr}: no answer to Get Channel Authentication Capabilities after {attempts} attempts in 4.5 s; check address"
            )),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_bmc_that_vanishes_is_an_error_within_five_seconds() {
    let bmc = FakeBmc::start().await;
    let client = bmc.client();
    client.chassis_status().await.unwrap();
    bmc.script().dead = true;
    pause();
    let start = Instant::now();
    let error = client.chassis_status().await.unwrap_err();
    assert!(error.kind.is_unreachable(), "{error}");
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    bmc.script().dead = false;
    resume();
    client.chassis_status().await.unwrap();
}

#[tokio::test]
async fn a_bmc_that_restarts_is_found_again_by_the_same_call() {
    let bmc = FakeBmc::start().await;
    let client = bmc.client();
    client.chassis_status().await.unwrap();
    bmc.reboot();
    let start = Instant::now();
    client.chassis_status().await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    assert_eq!(bmc.log().opens.len(), 2);
}

#[tokio::test]
async fn a_command_that_must_run_once_is_not_thrown_into_a_dead_session() {
    let bmc = FakeBmc::start().await;
    let client = bmc.client();
    client.chassis_status().await.unwrap();
    bmc.reboot();
    // Longer than the client trusts a silent session.
    tokio::time::sleep(Duration::from_millis(3200)).await;
    client.chassis_control(ChassisControl::PowerCycle).await.unwrap();
    assert_eq!(bmc.log().power_cycles, 1);
}

#[tokio::test]
async fn wrong_credentials_are_told_apart_and_shown_nowhere() {
    let bmc = FakeBmc::start().await;
    let with = |user: &str, password: &str| {
        let mut target = bmc.target();
        target.username = user.to_owned();
        target.password = Secret::new(password);
        target
    };
    let start = Instant::now();
    let error = Client::new(with(USER, "not the password")).chassis_status().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::WrongPassword);
    assert!(error.to_string().contains("wrong password; check the password"), "{error}");
    assert!(!format!("{error:?} {error}").contains("not the"));
    let error = Client::new(with("nobody", PASSWORD)).chassis_status().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::UnknownUser);
    assert!(error.to_string().contains("refused the user name"), "{error}");
    let error = Client::new(with(USER, "123456789012345678901")).chassis_status().await.unwrap_err();
    assert!(error.to_string().contains("21 octets") && error.kind.is_refusal(), "{error}");
    assert!(start.elapsed() < Duration::from_secs(2), "refusals need no patience");

    bmc.script().kg = Some(b"key");
    let error = bmc.client().chassis_status().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::WrongKg);
    let mut target = bmc.target();
    target.kg = Some(Secret::new("key"));
    Client::new(target).chassis_status().await.unwrap();

    let target = with(USER, PASSWORD);
    let shown = format!("{target:?} {:?}", Client::new(target.clone()));
    assert!(!shown.contains(PASSWORD), "{shown}");
}

#[tokio::test]
async fn a_bmc_that_says_nothing_to_a_stranger() {
    let bmc = FakeBmc::start().await;
    bmc.script().silent_to_strangers = true;
    let mut target = bmc.target();
    target.username = "nobody".into();
    let error = Client::new(target).chassis_status().await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::NoAnswer { stage: Stage::Authentication, .. }), "{error}");
    assert!(error.to_string().contains("check the user name"), "{error}");
}

#[tokio::test]
async fn no_session_left_and_no_suite_are_told() {
    let bmc = FakeBmc::start().await;
    bmc.script().no_session_left = true;
    assert_eq!(bmc.client().device_id().await.unwrap_err().kind, ErrorKind::NoFreeSession);
    bmc.script().no_session_left = false;
    bmc.script().suites = vec![];
    let error = bmc.client().device_id().await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::Refused { stage: Stage::OpenSession, .. }), "{error}");
}

#[tokio::test]
async fn garbage_is_reported_or_survived_but_never_believed() {
    let bmc = FakeBmc::start().await;
    let client = bmc.client();
    client.device_id().await.unwrap();
    bmc.script().garbage = true;
    let error = client.chassis_status().await.unwrap_err();
    // to the command, or to the next session's first one: the first is given up as lost meanwhile
    assert!(matches!(error.kind, ErrorKind::Garbage { stage: Stage::Command(_) | Stage::Privilege, .. }), "{error}");
    assert!(error.to_string().contains("answered garbage to"), "{error}");
    // whether it was carried out matters more
    let error = client.chassis_control(ChassisControl::PowerCycle).await.unwrap_err();
    assert!(!matches!(error.kind, ErrorKind::Garbage { stage: Stage::Command("Chassis Control"), .. }), "{error}");
    bmc.script().garbage = false;
    client.chassis_status().await.unwrap();

    // Before a session, what cannot be read is named.
    let socket = tokio::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let addr: SocketAddr = socket.local_addr().unwrap();
    let babble = tokio::spawn(async move {
        let mut buffer = [0; 512];
        while let Ok((_, from)) = socket.recv_from(&mut buffer).await {
            socket.send_to(b"HTTP/1.1 400 Bad Request", from).await.unwrap();
        }
    });
    let mut target = Target::new(addr, USER, Secret::new(PASSWORD));
    target.timeouts.request = Duration::from_millis(800);
    let error = Client::new(target).device_id().await.unwrap_err();
    babble.abort();
    assert!(matches!(error.kind, ErrorKind::Garbage { stage: Stage::Discovery, .. }), "{error}");
    assert!(error.to_string().contains("answered garbage to Get Channel Authentication Capabilities"), "{error}");
}

#[tokio::test]
async fn the_last_handle_closes_the_session_politely_and_so_does_close() {
    let bmc = FakeBmc::start().await;
    let client = bmc.client();
    let other = client.clone();
    client.chassis_status().await.unwrap();
    drop(client);
    other.chassis_status().await.unwrap();
    assert!(bmc.seen::<CloseSession>().is_empty());
    drop(other);
    let deadline = Instant::now() + Duration::from_secs(2);
    while bmc.seen::<CloseSession>().is_empty() {
        assert!(Instant::now() < deadline, "no Close Session");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let client = bmc.client();
    client.chassis_status().await.unwrap();
    client.close().await;
    assert_eq!(bmc.seen::<CloseSession>().len(), 2);
    client.chassis_status().await.unwrap();
    assert_eq!(bmc.log().opens.len(), 3, "a closed client opens again");
}

#[tokio::test]
async fn an_idle_session_is_closed() {
    let bmc = FakeBmc::start().await;
    let mut target = bmc.target();
    target.timeouts.idle = Duration::from_millis(200);
    let client = Client::new(target);
    client.chassis_status().await.unwrap();
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(bmc.seen::<CloseSession>().len(), 1);
    client.chassis_status().await.unwrap();
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_nothing_behind() {
    let bmc = FakeBmc::start().await;
    let client = bmc.client();
    client.device_id().await.unwrap();
    bmc.script().dead = true;
    let impatient = tokio::time::timeout(Duration::from_millis(20), client.chassis_status()).await;
    assert!(impatient.is_err());
    bmc.script().dead = false;
    tokio::time::sleep(Duration::from_millis(700)).await;
    // Nobody waits for it, so it was not repeated.
    assert!(bmc.seen::<GetChassisStatus>().is_empty(), "{:?}", bmc.seen::<GetChassisStatus>());
    client.chassis_status().await.unwrap();
}
