//! The ten protocol facts that other implementations get wrong, each as the client must keep it. Facts about framing and
//! SOL packets (2, 3, 4, 8, 9, 10 in part) are tested octet by octet in `ipmi-wire`.

use std::time::{Duration, Instant};

use ipmi_client::{BootDevice, BootFlags, ChassisControl, CipherSuite, Client, ErrorKind, Privilege, Quirk, Quirks, SolEvent, SolOptions};
use ipmi_wire::command::{
    ActivatePayload, ChassisControl as Control, DeactivatePayload, GetChassisStatus, GetDeviceId, SetBootOption, SetSessionPrivilege,
};

use crate::fake_bmc::{FakeBmc, Mishap};

#[tokio::test]
async fn fact_1_the_privilege_is_raised_before_the_first_command() {
    let bmc = FakeBmc::start().await;
    bmc.client().chassis_control(ChassisControl::PowerUp).await.unwrap();
    let seen = bmc.log().seen.clone();
    assert!(seen[0].is::<SetSessionPrivilege>() && seen[0].data == [4], "{seen:?}");
    assert!(seen[1].is::<Control>(), "{seen:?}");
}

#[tokio::test]
async fn fact_1_a_user_who_may_not_is_told_so() {
    let bmc = FakeBmc::start().await;
    bmc.script().max_privilege = Privilege::Operator;
    let error = bmc.client().chassis_status().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::PrivilegeRefused { privilege: Privilege::Administrator });
    assert_eq!(
        error.to_string(),
        format!("BMC {}: privilege ADMINISTRATOR not allowed; check the user's and the channel's privilege limit", bmc.addr)
    );
    let mut target = bmc.target();
    target.privilege = Privilege::Operator;
    Client::new(target).chassis_control(ChassisControl::PowerUp).await.unwrap();
}

#[tokio::test]
async fn fact_2_the_strongest_common_suite_is_taken() {
    for (offered, taken) in [
        (vec![CipherSuite::Suite17, CipherSuite::Suite3], CipherSuite::Suite17),
        (vec![CipherSuite::Suite3, CipherSuite::Suite17], CipherSuite::Suite17),
        (vec![CipherSuite::Suite3], CipherSuite::Suite3),
    ] {
        let bmc = FakeBmc::start().await;
        bmc.script().suites = offered;
        let client = bmc.client();
        client.device_id().await.unwrap();
        assert_eq!(client.strongest_suite(), Some(taken));
        assert_eq!(bmc.log().opens, [(taken, None)], "no other suite is even tried");
    }
}

#[tokio::test]
async fn fact_2_never_below_what_was_once_seen() {
    let bmc = FakeBmc::start().await;
    let client = bmc.client();
    client.device_id().await.unwrap();
    client.close().await;
    bmc.script().suites = vec![CipherSuite::Suite3];
    bmc.log().opens.clear();
    let error = client.device_id().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Downgrade { at_least: CipherSuite::Suite17 });
    assert!(bmc.log().opens.iter().all(|(suite, _)| *suite == CipherSuite::Suite17), "{:?}", bmc.log().opens);

    // The same when it was seen by an earlier run of the program.
    let mut target = bmc.target();
    target.suites.at_least = CipherSuite::Suite17;
    let error = Client::new(target).device_id().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Downgrade { at_least: CipherSuite::Suite17 });
}

#[tokio::test]
async fn fact_2_a_list_that_never_comes_costs_one_short_wait_once() {
    let bmc = FakeBmc::start().await;
    bmc.script().lists_suites = false;
    bmc.script().suites = vec![CipherSuite::Suite3];
    let client = bmc.client();
    let start = Instant::now();
    client.device_id().await.unwrap();
    assert!(start.elapsed() < Duration::from_millis(900), "{:?}", start.elapsed());
    let questions = bmc.log().list_questions;
    assert!(questions > 0);
    client.close().await;
    let start = Instant::now();
    client.device_id().await.unwrap();
    assert!(start.elapsed() < Duration::from_millis(300), "{:?}", start.elapsed());
    assert_eq!(bmc.log().list_questions, questions, "not asked again");
}

#[tokio::test]
async fn fact_3_a_repetition_keeps_the_request_number_and_takes_a_new_session_number() {
    let bmc = FakeBmc::start().await;
    let client = bmc.client();
    bmc.mishaps::<GetChassisStatus>([Mishap::Lost, Mishap::AnswerLost]);
    client.chassis_status().await.unwrap();
    let copies = bmc.seen::<GetChassisStatus>();
    assert_eq!(copies.len(), 3);
    assert!(copies.windows(2).all(|pair| pair[0].seq == pair[1].seq && pair[0].order < pair[1].order), "{copies:?}");
    assert!(copies.iter().all(|copy| copy.fresh));
}

#[tokio::test]
async fn fact_3_a_power_cycle_is_executed_once_however_often_its_answer_is_lost() {
    let bmc = FakeBmc::start().await;
    let mut target = bmc.target();
    target.timeouts.slow_request = Duration::from_secs(3);
    let client = Client::new(target);
    // The request is lost: its repetition is executed.
    bmc.mishaps::<Control>([Mishap::Lost]);
    client.chassis_control(ChassisControl::PowerCycle).await.unwrap();
    let copies = bmc.seen::<Control>();
    assert!(copies.len() == 2 && copies[0].order == copies[1].order, "the very same packet: {copies:?}");
    assert_eq!(bmc.log().power_cycles, 1);

    bmc.log().seen.clear();
    bmc.mishaps::<Control>([Mishap::AnswerLost]);
    let error = client.chassis_control(ChassisControl::PowerCycle).await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::NoAnswer { outcome_unknown: true, .. }), "{error}");
    assert!(error.to_string().contains("may have been carried out"), "{error}");
    let copies = bmc.seen::<Control>();
    assert!(copies.len() > 1, "repeated");
    assert_eq!(copies.iter().filter(|copy| copy.fresh).count(), 1, "as the very same packet");
    assert_eq!(bmc.log().power_cycles, 2, "once for each call");
}

#[tokio::test]
async fn fact_3_answers_find_their_request_in_any_order() {
    let bmc = FakeBmc::start().await;
    let client = bmc.client();
    client.device_id().await.unwrap();
    bmc.mishaps::<GetChassisStatus>([Mishap::Late(Duration::from_millis(80))]);
    bmc.mishaps::<GetDeviceId>([Mishap::Late(Duration::from_millis(40))]);
    let boot = BootFlags { device: BootDevice::Pxe, efi: true, persistent: false };
    let (status, id, set) = tokio::join!(client.chassis_status(), client.device_id(), client.set_boot_flags(boot));
    assert!(status.unwrap().power_on());
    assert_eq!(id.unwrap().manufacturer, 42);
    set.unwrap();
}

#[tokio::test]
async fn many_requests_at_once_all_get_their_own_answer() {
    let bmc = FakeBmc::start().await;
    let client = bmc.client();
    // More than there are request numbers, and each unlike the others.
    let requests: Vec<_> = (0..200u8)
        .map(|i| {
            let client = client.clone();
            tokio::spawn(async move {
                if i % 2 == 0 {
                    assert!(client.chassis_status().await.unwrap().power_on());
                } else {
                    assert_eq!(client.device_id().await.unwrap().firmware(), "2.15");
                }
            })
        })
        .collect();
    for request in requests {
        request.await.unwrap();
    }
    assert_eq!(bmc.log().opens.len(), 1, "one session");
}

#[tokio::test]
async fn fact_5_sol_held_elsewhere_is_reported_with_its_holder_and_not_stolen() {
    let bmc = FakeBmc::start().await;
    bmc.script().activate_code = 0x80;
    bmc.script().sol_holder = 0xb1b2_b3b4;
    let client = bmc.client();
    let error = client.open_sol(SolOptions::default()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::SolHeld { holder: Some(0xb1b2_b3b4) });
    assert!(error.to_string().contains("held by another session (0xb1b2b3b4); take it over"), "{error}");
    assert!(bmc.seen::<DeactivatePayload>().is_empty());

    client.open_sol(SolOptions { take_over: true, ..SolOptions::default() }).await.unwrap();
    assert_eq!(bmc.seen::<DeactivatePayload>().len(), 1);
}

#[tokio::test]
async fn fact_5_a_console_left_over_from_our_own_lost_session_is_taken_without_asking() {
    let bmc = FakeBmc::start().await;
    let client = bmc.client();
    client.device_id().await.unwrap();
    client.close().await;
    bmc.script().activate_code = 0x80;
    bmc.script().sol_holder = 0xb000_0001;
    client.open_sol(SolOptions::default()).await.unwrap();
}

#[tokio::test]
async fn fact_5_the_other_refusals_of_activation() {
    for (code, expected) in [
        (0x81, "offers no SOL"),
        (0xc1, "offers no SOL"),
        (0x83, "cannot activate payload with encryption"),
        (0xd4, "insufficient privilege"),
    ] {
        let bmc = FakeBmc::start().await;
        bmc.script().activate_code = code;
        let error = bmc.client().open_sol(SolOptions::default()).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{code:#x}: {error}");
    }
}

/// Types and reads once; the console works.
async fn console_works(bmc: &FakeBmc, client: &Client) {
    let mut sol = client.open_sol(SolOptions::default()).await.unwrap();
    bmc.print(b"login: ");
    let mut read = Vec::new();
    while read.len() < 7 {
        match tokio::time::timeout(Duration::from_secs(5), sol.recv()).await.unwrap().unwrap() {
            SolEvent::Data(data) => read.extend_from_slice(&data),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(read, b"login: ");
    tokio::time::timeout(Duration::from_secs(5), sol.writer().write("root\r".into())).await.unwrap().unwrap();
    assert_eq!(bmc.log().sol_received, b"root\r");
}

#[tokio::test]
async fn fact_6_a_port_of_nonsense_falls_back_to_the_sessions_port() {
    for port in [|_: &FakeBmc| 0, |bmc: &FakeBmc| bmc.addr.port(), |bmc: &FakeBmc| bmc.addr.port().swap_bytes(), |_: &FakeBmc| 9] {
        let bmc = FakeBmc::start().await;
        let named = port(&bmc);
        bmc.script().sol_port = Some(named);
        console_works(&bmc, &bmc.client()).await;
    }
}

#[tokio::test]
async fn fact_6_typing_first_also_finds_the_way_back_from_a_wrong_port() {
    let bmc = FakeBmc::start().await;
    // A port of this machine where nothing reads.
    bmc.script().sol_port = Some(9);
    let sol = bmc.client().open_sol(SolOptions::default()).await.unwrap();
    tokio::time::timeout(Duration::from_secs(5), sol.writer().write("x".into())).await.unwrap().unwrap();
    assert_eq!(bmc.log().sol_received, b"x");
}

#[tokio::test]
async fn fact_6_a_port_of_its_own_is_used() {
    let bmc = FakeBmc::start().await;
    bmc.script().sol_port = Some(bmc.second_port);
    bmc.script().sol_elsewhere = true;
    console_works(&bmc, &bmc.client()).await;
    assert!(bmc.log().sol_elsewhere > 0);
}

#[tokio::test]
async fn fact_7_the_session_is_kept_alive_also_while_only_sol_flows() {
    let bmc = FakeBmc::start().await;
    let mut target = bmc.target();
    target.timeouts.keep_alive = Duration::from_millis(300);
    let client = Client::new(target);
    let _sol = client.open_sol(SolOptions::default()).await.unwrap();
    for _ in 0..15 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        bmc.print(b"output all the time ");
    }
    let probes = bmc.seen::<GetDeviceId>().len();
    assert!((3..=6).contains(&probes), "{probes} probes in 1.5 s");
}

#[tokio::test]
async fn fact_8_is_kept_by_the_wire_crate_and_set_up_is_never_bridged() {
    use ipmi_client::{Hop, Route};
    let bmc = FakeBmc::start().await;
    let route = Route::Single(Hop { channel: 0, address: 0x30 });
    // The fake knows no Send Message: what counts is what it was sent.
    let error = bmc.client().command(route, &GetChassisStatus).await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::Bridge { .. }), "{error}");
    let seen = bmc.log().seen.clone();
    assert!(seen[0].is::<SetSessionPrivilege>());
    assert_eq!((seen[1].net_fn.value(), seen[1].cmd, seen[1].data[0]), (6, 0x34, 0x40));
}

#[tokio::test]
async fn fact_9_open_session_names_no_level_unless_the_bmc_insists() {
    let bmc = FakeBmc::start().await;
    bmc.client().device_id().await.unwrap();
    assert_eq!(bmc.log().opens, [(CipherSuite::Suite17, None)]);
    assert_eq!(bmc.log().roles, [0x14]);

    bmc.script().wants_open_privilege = true;
    bmc.log().opens.clear();
    let client = bmc.client();
    client.device_id().await.unwrap();
    let both = [(CipherSuite::Suite17, None), (CipherSuite::Suite17, Some(Privilege::Administrator))];
    assert_eq!(bmc.log().opens, both);
    client.close().await;
    client.device_id().await.unwrap();
    assert_eq!(bmc.log().opens[2..], both[1..], "remembered");
}

#[tokio::test]
async fn fact_10_quirks_are_a_set_with_names_and_have_effect() {
    assert_eq!(Quirks::default().to_string(), "");
    let quirks: Quirks = "nolist, openpriv,userpriv".parse().unwrap();
    assert_eq!(quirks.to_string(), "nolist,openpriv,userpriv");
    assert!(quirks.has(Quirk::NoSuiteList) && !quirks.has(Quirk::IntelPlus));
    assert!("intelplu".parse::<Quirks>().unwrap_err().contains("intelplus"));

    let bmc = FakeBmc::start().await;
    let mut target = bmc.target();
    target.quirks = quirks;
    Client::new(target).device_id().await.unwrap();
    assert_eq!(bmc.log().list_questions, 0);
    assert_eq!(bmc.log().opens, [(CipherSuite::Suite17, Some(Privilege::Administrator))]);
    assert_eq!(bmc.log().roles, [0x04]);
}

#[tokio::test]
async fn boot_flags_are_set_between_begin_and_end_of_a_change() {
    let bmc = FakeBmc::start().await;
    let client = bmc.client();
    client.set_boot_flags(BootFlags { device: BootDevice::Pxe, efi: true, persistent: true }).await.unwrap();
    let sent: Vec<_> = bmc.seen::<SetBootOption>().into_iter().map(|seen| seen.data).collect();
    assert_eq!(sent, [vec![0, 1], vec![4, 1, 1], vec![5, 0xe0, 4, 0, 0, 0], vec![0, 0]]);

    // A BMC that knows neither the lock nor the acknowledge.
    bmc.log().seen.clear();
    bmc.mishaps::<SetBootOption>([Mishap::Code(0x80), Mishap::Code(0x80)]);
    client.set_boot_flags(BootFlags { device: BootDevice::Disk, efi: false, persistent: false }).await.unwrap();
    assert_eq!(bmc.seen::<SetBootOption>().last().unwrap().data, [5, 0x80, 8, 0, 0, 0]);

    // A lock somebody forgot.
    bmc.log().seen.clear();
    bmc.mishaps::<SetBootOption>([Mishap::Code(0x81); 3]);
    client.set_boot_flags(BootFlags { device: BootDevice::Bios, efi: false, persistent: false }).await.unwrap();
    let sent: Vec<_> = bmc.seen::<SetBootOption>().into_iter().map(|seen| seen.data[..2].to_vec()).collect();
    assert_eq!(sent, [[0, 1], [0, 1], [0, 1], [0, 0], [0, 1], [4, 1], [5, 0x80], [0, 0]]);

    // An error of the flags themselves is told, and the change is ended nevertheless.
    bmc.log().seen.clear();
    bmc.mishaps::<SetBootOption>([Mishap::None, Mishap::None, Mishap::Code(0xcc)]);
    let error = client.set_boot_flags(BootFlags { device: BootDevice::Bios, efi: false, persistent: false }).await.unwrap_err();
    assert!(error.to_string().contains("Set System Boot Options failed: invalid data field in request (0xcc)"), "{error}");
    assert_eq!(bmc.seen::<SetBootOption>().last().unwrap().data, [0, 0]);
}

#[tokio::test]
async fn a_busy_bmc_is_asked_again() {
    let bmc = FakeBmc::start().await;
    bmc.mishaps::<Control>([Mishap::Code(0xc0), Mishap::Code(0xc0)]);
    bmc.client().chassis_control(ChassisControl::PowerCycle).await.unwrap();
    assert_eq!(bmc.log().power_cycles, 1);
    assert_eq!(bmc.seen::<Control>().len(), 3);
}

#[tokio::test]
async fn a_slow_command_is_waited_for_while_the_bmc_lives() {
    let bmc = FakeBmc::start().await;
    let client = bmc.client();
    client.device_id().await.unwrap();
    // All copies are slow, and longer than a silent BMC would be given.
    bmc.mishaps::<GetChassisStatus>([Mishap::Late(Duration::from_millis(5500)); 9]);
    let start = Instant::now();
    client.chassis_status().await.unwrap();
    assert!(start.elapsed() > Duration::from_secs(5));
    assert_eq!(bmc.log().opens.len(), 1, "in the same session");
    let activation = bmc.seen::<ActivatePayload>();
    assert!(activation.is_empty());
}
