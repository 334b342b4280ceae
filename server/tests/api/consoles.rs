//! Serial consoles: what viewers see, who types, and what is kept.

use std::time::Duration;

use app::api::{Assignee, ConsoleStatus, ConsoleTail, ConsoleTicket, CreatedToken, Event, EventKind, Line, Machine, Me, Scope};
use axum::http::StatusCode;
use bmc_sim::{
    faults::{Faults, SolFault},
    machine::{Firmware, pretend::InstalledOs},
};
use serde_json::json;
use server::{
    bmc::ConsoleInput,
    console::Output,
    lab::{
        Actor, Origin, Reach,
        consoles::{self, Seat},
    },
};
use tokio::time::timeout;

use crate::{
    simulated::Simulated,
    support::{Auth, Engine},
};

/// A machine that is at its login prompt.
pub async fn running() -> Simulated {
    let lab = Simulated::start(Engine::Sqlite, Firmware::Bios).await;
    lab.sim().set_disk(Some(InstalledOs { hostname: "sim".into() }));
    lab.sim().control(ipmi_client::ChassisControl::PowerUp).unwrap();
    lab.sim().wait_serial(0, "login:", Duration::from_secs(10)).await.unwrap();
    lab
}

pub async fn attach(lab: &Simulated, name: &str) -> Seat {
    let actor = Actor::new(1, name, true, Origin::Local);
    consoles::attach(&lab.app.lab, &actor, lab.machine.id).await.unwrap()
}

/// Reads until the output so far, or a status, satisfies.
pub async fn until(viewer: &mut Seat, wanted: impl Fn(&str, Option<&ConsoleStatus>) -> bool) -> String {
    let mut seen = String::new();
    let mut last = None;
    let reading = async {
        loop {
            match viewer.next().await {
                Output::Bytes(bytes) => seen.push_str(&String::from_utf8_lossy(&bytes)),
                Output::Status(status) => last = Some(status),
            }
            if wanted(&seen, last.as_ref()) {
                return;
            }
        }
    };
    let done = timeout(Duration::from_secs(15), reading).await;
    assert!(done.is_ok(), "seen {seen:?}, status {last:?}");
    seen
}

fn line(status: Option<&ConsoleStatus>, wanted: Line) -> bool {
    matches!(status, Some(ConsoleStatus::Status { line, .. }) if *line == wanted)
}

pub async fn connected(viewer: &mut Seat) {
    until(viewer, |_, status| line(status, Line::Connected)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_reaches_the_machine_and_every_viewer_sees_its_answer() {
    let lab = running().await;
    let mut seats = Vec::new();
    for name in ["ann", "bob"] {
        let user: Me = lab.app.user(name).await.get("/self").await.ok();
        let actor = Actor::new(user.id, name, true, Origin::Local);
        seats.push(consoles::attach(&lab.app.lab, &actor, lab.machine.id).await.unwrap());
    }
    let (mut bob, mut ann) = (seats.pop().unwrap(), seats.pop().unwrap());
    connected(&mut ann).await;
    connected(&mut bob).await;
    ann.input(ConsoleInput::Bytes("root\rany password\r".into())).await.unwrap();
    until(&mut ann, |seen, _| seen.contains("sim:~#") || seen.contains("# ")).await;
    ann.input(ConsoleInput::Bytes("echo over-the-wire\r".into())).await.unwrap();
    until(&mut ann, |seen, _| seen.matches("over-the-wire").count() >= 2).await;
    until(&mut bob, |seen, _| seen.matches("over-the-wire").count() >= 2).await;
    // one keyboard: it goes to who takes it
    let refused = bob.input(ConsoleInput::Bytes("x".into())).await.unwrap_err();
    assert!(refused.contains("ann has the keyboard"), "{refused}");
    bob.take_write().await;
    bob.input(ConsoleInput::Bytes("echo from-bob\r".into())).await.unwrap();
    until(&mut ann, |seen, _| seen.matches("from-bob").count() >= 2).await;
    assert!(ann.input(ConsoleInput::Bytes("x".into())).await.is_err());
    // who leaves gives the keyboard back
    drop(bob);
    until(&mut ann, |_, status| matches!(status, Some(ConsoleStatus::Status { you_write: true, viewers: 1, .. }))).await;
    lab.event(|event| matches!(event, EventKind::Console { status } if status == "closed")).await;
    let events: Vec<Event> = lab.admin.get(&lab.path("/event")).await.ok();
    let told: Vec<_> = events
        .iter()
        .rev()
        .filter_map(|event| match &event.what {
            EventKind::ConsoleAccess {} => Some((event.username.as_deref().unwrap(), "opened")),
            EventKind::Console { status } => Some((event.username.as_deref().unwrap(), status.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(told, [("ann", "opened"), ("bob", "opened"), ("bob", "keyboard taken"), ("bob", "closed")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_later_sees_what_was_said_before_and_all_of_it_is_on_disk() {
    let lab = running().await;
    let mut ann = attach(&lab, "ann").await;
    connected(&mut ann).await;
    ann.input(ConsoleInput::Bytes("root\rany password\rseq 500\r".into())).await.unwrap();
    let whole = until(&mut ann, |seen, _| seen.contains("\n500")).await;
    let mut late = attach(&lab, "bob").await;
    let replayed = until(&mut late, |seen, _| seen.contains("\n500")).await;
    assert!(replayed.ends_with(&whole[whole.len() - 200..]) || replayed.contains("\n499\r\n500"), "{replayed:?}");
    let path = lab.app.lab.config.console.log_dir.join(format!("{}.log", lab.machine.id));
    let numbers = (1..=500).map(|n| n.to_string()).collect::<Vec<_>>().join("\r\n");
    // what is shown is on its way to the disk
    let mut log = String::new();
    for _ in 0..200 {
        log = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        if log.contains(&numbers) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(log.contains(&numbers), "a line is missing in the log: {log:?}");
    assert!(whole.contains(&numbers), "a line is missing for the viewer: {whole:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_opens_a_console_that_nobody_watched_for_long_sees_the_end_of_its_log() {
    let lab = Simulated::start_with(Engine::Sqlite, Firmware::Bios, |config| config.console.linger = Duration::ZERO).await;
    lab.sim().set_disk(Some(InstalledOs { hostname: "sim".into() }));
    lab.sim().control(ipmi_client::ChassisControl::PowerUp).unwrap();
    let mut ann = attach(&lab, "ann").await;
    connected(&mut ann).await;
    ann.input(ConsoleInput::Bytes("root\rany password\rseq 500\r".into())).await.unwrap();
    until(&mut ann, |seen, _| seen.contains("\n500")).await;
    drop(ann);
    for _ in 0..300 {
        if lab.app.lab.consoles.open() == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(lab.app.lab.consoles.open(), 0, "the session is still there");
    // also without a BMC that answers
    lab.faults(Faults::unreachable());
    let mut bob = attach(&lab, "bob").await;
    until(&mut bob, |seen, _| seen.contains("\r\n499\r\n500")).await;
    lab.faults(Faults::default());
    connected(&mut bob).await;
    bob.input(ConsoleInput::Bytes("echo go-on\r".into())).await.unwrap();
    until(&mut bob, |seen, _| seen.matches("go-on").count() >= 2).await;
    // what was shown again is not logged again
    let whole = lab.admin.get(&lab.path("/console/log")).await;
    assert_eq!(whole.text().matches("\r\n499\r\n500").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_with_the_machines_bmc_so_that_another_machine_can_have_it() {
    let lab = running().await;
    let seat = async |machine| consoles::attach(&lab.app.lab, &Actor::new(1, "ann", true, Origin::Local), machine).await.unwrap();
    let mut first = seat(lab.machine.id).await;
    connected(&mut first).await;
    let other: Machine = lab.admin.post("/machine", &json!({ "name": "other", "arch": "x86_64" })).await.created();
    lab.admin.put(&lab.path(""), &json!({ "bmc_id": null })).await.ok::<Machine>();
    until(&mut first, |_, status| {
        matches!(status, Some(ConsoleStatus::Status { line: Line::Failed, message: Some(text), .. }) if text.contains("no BMC any more"))
    })
    .await;
    lab.admin.put(&format!("/machine/{}", other.id), &json!({ "bmc_id": lab.bmc_id })).await.ok::<Machine>();
    let mut second = seat(other.id).await;
    connected(&mut second).await;

    // nor does one outlive what it was logged in with; and what is put right is tried at once
    let bmc = format!("/bmc/{}", lab.bmc_id);
    let known: app::api::Bmc = lab.admin.get(&bmc).await.ok();
    let named = |username: &str| json!({ "name": known.name, "ip": known.ip, "username": username });
    lab.admin.put(&bmc, &named("nobody")).await.ok::<app::api::Bmc>();
    until(&mut second, |_, status| line(status, Line::Failed)).await;
    lab.admin.put(&bmc, &named("lab")).await.ok::<app::api::Bmc>();
    connected(&mut second).await;
    // what changes nothing of that ends nothing
    lab.admin.put(&format!("/machine/{}", other.id), &json!({ "name": "renamed" })).await.ok::<Machine>();
    second.input(ConsoleInput::Bytes("root\rany password\recho still-here\r".into())).await.unwrap();
    until(&mut second, |seen, status| {
        assert!(status.is_none(), "{status:?}");
        seen.matches("still-here").count() >= 2
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_survives_a_restart_of_its_bmc() {
    let lab = running().await;
    let mut ann = attach(&lab, "ann").await;
    connected(&mut ann).await;
    lab.sim().deactivate_sol();
    until(&mut ann, |_, status| !line(status, Line::Connected)).await;
    connected(&mut ann).await;
    ann.input(ConsoleInput::Bytes("root\rany password\recho back-again\r".into())).await.unwrap();
    until(&mut ann, |seen, _| seen.matches("back-again").count() >= 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_somebody_else_is_not_ended_unless_asked() {
    let lab = running().await;
    lab.faults(Faults { sol: SolFault::Held, ..Faults::default() });
    let mut ann = attach(&lab, "ann").await;
    until(&mut ann, |_, status| {
        matches!(status, Some(ConsoleStatus::Status { line: Line::Busy, message: Some(text), .. }) if text.contains("held by another session"))
    })
    .await;
    ann.take_over().await;
    connected(&mut ann).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_bmc_is_told_to_the_viewer() {
    let lab = running().await;
    lab.faults(Faults::unreachable());
    let mut ann = attach(&lab, "ann").await;
    until(&mut ann, |_, status| {
        matches!(status, Some(ConsoleStatus::Status { line: Line::Failed, message: Some(text), .. }) if text.contains("no answer"))
    })
    .await;
    assert!(ann.input(ConsoleInput::Bytes("x".into())).await.unwrap_err().contains("not connected"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_opens_one_console_once() {
    let lab = running().await;
    let ticket: ConsoleTicket = lab.admin.post(&lab.path("/console"), &json!({})).await.ok();
    assert_eq!((ticket.host, ticket.port), (None, lab.http.port()));
    let (actor, machine) = consoles::redeem(&lab.app.lab, &ticket.token).await.unwrap();
    assert_eq!((actor.username.as_str(), machine), ("admin", lab.machine.id));
    assert!(consoles::redeem(&lab.app.lab, &ticket.token).await.is_err());
    assert!(consoles::redeem(&lab.app.lab, "made up").await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_goes_no_further_than_the_token_that_made_it() {
    let lab = running().await;
    let password = lab.app.make_user("eve", true).await;
    let eve = lab.app.log_in("eve", &password).await;
    let made: CreatedToken = eve.post("/self/token", &json!({ "description": "CI", "scopes": ["machines"] })).await.created();
    let token = lab.app.anonymous().with(Auth::Token(made.secret));
    // as an admin she may, but the token does not reach so far
    token.post(&lab.path("/console"), &json!({})).await.error(403);
    lab.admin.post(&lab.path("/assignee"), &json!({ "user": "eve" })).await.created::<Assignee>();
    let ticket: ConsoleTicket = token.post(&lab.path("/console"), &json!({})).await.ok();
    let (actor, _) = consoles::redeem(&lab.app.lab, &ticket.token).await.unwrap();
    assert_eq!((actor.username.as_str(), actor.admin, actor.reach), ("eve", false, Reach::only(&[Scope::Machines])));
    let whole: ConsoleTicket = eve.post(&lab.path("/console"), &json!({})).await.ok();
    let (actor, _) = consoles::redeem(&lab.app.lab, &whole.token).await.unwrap();
    assert_eq!((actor.admin, actor.reach), (true, Reach::UNLIMITED));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_install_is_logged_to_its_end_though_somebody_looked_in_and_left() {
    let lab = Simulated::start_with(Engine::Sqlite, Firmware::Bios, |config| config.console.linger = Duration::ZERO).await;
    lab.admin.post(&lab.path("/state"), &json!({ "state": "provision" })).await.body_of::<app::api::StateAnswer>(StatusCode::ACCEPTED);
    lab.sim().wait_serial(0, "Installer main menu", Duration::from_secs(20)).await.unwrap();
    let mut ann = attach(&lab, "ann").await;
    connected(&mut ann).await;
    drop(ann);
    // longer than a session is kept for who is about to join
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert_eq!(lab.app.lab.consoles.open(), 1, "the session that logs the install has ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_starts_again_goes_on_logging_installs() {
    let lab = running().await;
    let (consoles, provision) = (&lab.app.lab.consoles, server::lab::provision::resume);
    provision(&lab.app.lab).await.unwrap();
    assert_eq!(consoles.open(), 0, "nothing is being installed");
    // what a server leaves behind that dies after the click
    let mut tx = lab.app.lab.store.begin().await.unwrap();
    let mut row = store::machines::get(&mut tx, lab.machine.id).await.unwrap().unwrap();
    row.state = "provisioning".into();
    store::machines::update(&mut tx, &row).await.unwrap();
    tx.commit().await.unwrap();
    provision(&lab.app.lab).await.unwrap();
    assert_eq!(consoles.open(), 1);
    let log = lab.app.lab.config.console.log_dir.join(format!("{}.log", lab.machine.id));
    let logged = || std::fs::read_to_string(&log).unwrap_or_default();
    for _ in 0..300 {
        if log.exists() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    lab.sim().control(ipmi_client::ChassisControl::HardReset).unwrap();
    for _ in 0..300 {
        if logged().contains("login:") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{:?}", logged());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_console_and_all_of_it_are_read_from_its_log_by_who_may_open_it() {
    let lab = running().await;
    let (tail, log) = (lab.path("/console/tail"), lab.path("/console/log"));
    // nothing was logged yet: nobody has opened the console
    let empty: ConsoleTail = lab.admin.get(&tail).await.ok();
    assert_eq!((empty.lines.len(), empty.written), (0, None));
    assert_eq!(lab.admin.get(&log).await.text(), "");
    let mut ann = attach(&lab, "ann").await;
    connected(&mut ann).await;
    ann.input(ConsoleInput::Bytes("root\rany password\rseq 500\r".into())).await.unwrap();
    until(&mut ann, |seen, _| seen.contains("\n500")).await;
    // what is shown is on its way to the disk
    let mut end: ConsoleTail = lab.admin.get(&format!("{tail}?lines=4")).await.ok();
    for _ in 0..200 {
        if end.lines.iter().any(|line| line == "500") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        end = lab.admin.get(&format!("{tail}?lines=4")).await.ok();
    }
    assert_eq!(end.lines.len(), 4);
    assert!(end.lines.contains(&"500".to_owned()), "{end:?}");
    assert!(end.written.is_some());
    let whole = lab.admin.get(&log).await;
    assert_eq!((whole.header("content-type"), whole.status.as_u16()), ("application/octet-stream", 200));
    assert!(whole.header("content-disposition").contains("-console.log"), "{}", whole.header("content-disposition"));
    assert!(whole.text().contains("\r\n499\r\n500\r\n"));

    for lines in ["0", "1001", "-1", "many"] {
        lab.admin.get(&format!("{tail}?lines={lines}")).await.error(400);
    }
    lab.admin.get("/machine/999999/console/tail").await.error(404);
    // as the console itself: its log may hold what was typed at a prompt
    let mia = lab.app.user("mia").await;
    for path in [&tail, &log] {
        mia.get(path).await.error(403);
        lab.app.anonymous().get(path).await.error(401);
    }
    lab.admin.post(&lab.path("/assignee"), &json!({ "user": "mia" })).await.created::<app::api::Assignee>();
    mia.get(&tail).await.ok::<ConsoleTail>();
}
