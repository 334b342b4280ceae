//! A console's socket over TCP, as a program has it: it ends when the one who holds it may watch no longer.

use std::time::Duration;

use app::api::{Assignee, ConsoleTicket, LabEvent, List, Machine, Me, Token};
use axum::http::header;
use bmc_sim::machine::Firmware;
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{self, Message, client::IntoClientRequest},
};

use crate::{
    simulated::Simulated,
    support::{Auth, Client, Engine},
};

type Socket = WebSocketStream<TcpStream>;

/// Longer than it takes a server that is told, shorter than it takes one that looks by itself.
const AT_ONCE: Duration = Duration::from_secs(3);
const SOON: Duration = Duration::from_secs(10);

async fn connect(lab: &Simulated, path: &str, auth: &Auth) -> Result<Socket, tungstenite::Error> {
    let mut request = format!("ws://{}{path}", lab.http).into_client_request().unwrap();
    match auth {
        Auth::None => {}
        Auth::Cookie(cookie) => drop(request.headers_mut().insert(header::COOKIE, cookie.parse().unwrap())),
        Auth::Token(token) => drop(request.headers_mut().insert(header::AUTHORIZATION, token.parse().unwrap())),
    }
    let stream = TcpStream::connect(lab.http).await.unwrap();
    client_async(request, stream).await.map(|(socket, _)| socket)
}

async fn open(lab: &Simulated, client: &Client) -> Socket {
    connect(lab, &format!("/api/v1{}", lab.path("/console/socket")), &client.auth).await.unwrap()
}

/// Code and reason of the close frame that must come.
async fn closed(socket: &mut Socket, within: Duration) -> (u16, String) {
    let reading = async {
        loop {
            match socket.next().await {
                Some(Ok(Message::Close(Some(frame)))) => return (frame.code.into(), frame.reason.to_string()),
                Some(Ok(_)) => {}
                end => panic!("it ended without a reason: {end:?}"),
            }
        }
    };
    timeout(within, reading).await.expect("it is still open")
}

/// A user to whom the machine is assigned.
async fn assigned(lab: &Simulated, name: &str) -> (Client, String) {
    let client = lab.app.user(name).await;
    let assignee: Assignee = lab.admin.post(&lab.path("/assignee"), &json!({ "user": name })).await.created();
    (client, lab.path(&format!("/assignee/{}", assignee.id)))
}

/// A console opened by a key of theirs, and the address that another one of theirs would open.
async fn with_keys(lab: &Simulated, client: &Client) -> (Socket, String) {
    let key = async || {
        let ticket: ConsoleTicket = client.post(&lab.path("/console"), &json!({})).await.ok();
        format!("/ws?token={}", ticket.token)
    };
    let (used, unused) = (key().await, key().await);
    (connect(lab, &used, &Auth::None).await.unwrap(), unused)
}

const NOT_YOURS: &str = "only an admin or somebody the machine is assigned to may do this";

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_when_the_machine_is_given_to_others() {
    let lab = Simulated::start(Engine::Sqlite, Firmware::Bios).await;
    let (ann, her) = assigned(&lab, "ann").await;
    let (ben, _) = assigned(&lab, "ben").await;
    let (mut hers, mut his) = (open(&lab, &ann).await, open(&lab, &ben).await);
    let ticket: ConsoleTicket = ann.post(&lab.path("/console"), &json!({})).await.ok();
    let mut by_key = connect(&lab, &format!("/ws?token={}", ticket.token), &Auth::None).await.unwrap();
    lab.admin.delete(&her).await.no_content();
    assert_eq!(closed(&mut hers, AT_ONCE).await, (1008, NOT_YOURS.into()));
    assert_eq!(closed(&mut by_key, AT_ONCE).await, (1008, NOT_YOURS.into()));
    let again = connect(&lab, &format!("/api/v1{}", lab.path("/console/socket")), &ann.auth).await;
    assert!(matches!(again, Err(tungstenite::Error::Http(answer)) if answer.status().as_u16() == 403));
    // the keyboard was hers, and the other one stays
    let waiting = async {
        while let Some(Ok(message)) = his.next().await {
            if message.to_text().is_ok_and(|text| text.contains(r#""you_write":true"#)) {
                return true;
            }
        }
        false
    };
    assert!(timeout(AT_ONCE, waiting).await.unwrap(), "his was closed, too");

    // an administrator who is none any more
    let password = lab.app.make_user("eve", true).await;
    let eve = lab.app.log_in("eve", &password).await;
    let id = eve.get("/self").await.ok::<Me>().id;
    let mut hers = open(&lab, &eve).await;
    lab.admin.put(&format!("/user/{id}"), &json!({ "admin": false })).await.ok::<Value>();
    assert_eq!(closed(&mut hers, AT_ONCE).await, (1008, NOT_YOURS.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_with_the_login_it_was_opened_with() {
    let lab = Simulated::start(Engine::Sqlite, Firmware::Bios).await;
    let logged_out = (1008, "not logged in".to_owned());
    let (ann, _) = assigned(&lab, "ann").await;
    let token = ann.token().await;
    let (mut by_session, mut by_token) = (open(&lab, &ann).await, open(&lab, &token).await);
    // a key is worth as much as what its maker came with, and so is the console it opened
    let (mut by_key, unused) = with_keys(&lab, &ann).await;
    let (mut by_tokens_key, tokens_unused) = with_keys(&lab, &token).await;
    let tokens: Vec<Token> = ann.get("/self/token").await.ok();
    ann.delete(&format!("/self/token/{}", tokens[0].id)).await.no_content();
    assert_eq!(closed(&mut by_token, SOON).await, logged_out);
    assert_eq!(closed(&mut by_tokens_key, SOON).await, logged_out);
    assert!(matches!(connect(&lab, &tokens_unused, &Auth::None).await, Err(tungstenite::Error::Http(answer)) if answer.status() == 401));
    ann.delete("/session").await.no_content();
    assert_eq!(closed(&mut by_session, SOON).await, logged_out);
    assert_eq!(closed(&mut by_key, SOON).await, logged_out);
    assert!(matches!(connect(&lab, &unused, &Auth::None).await, Err(tungstenite::Error::Http(answer)) if answer.status() == 401));

    let (ben, _) = assigned(&lab, "ben").await;
    let id = ben.get("/self").await.ok::<Me>().id;
    let mut his = open(&lab, &ben).await;
    lab.admin.delete(&format!("/user/{id}?detach=true")).await.no_content();
    assert_eq!(closed(&mut his, AT_ONCE).await, logged_out);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_with_the_machine_or_its_bmc() {
    let lab = Simulated::start(Engine::Sqlite, Firmware::Bios).await;
    let (ann, _) = assigned(&lab, "ann").await;
    let mut socket = open(&lab, &ann).await;
    lab.admin.put(&lab.path(""), &json!({ "bmc_id": null })).await.ok::<Machine>();
    assert_eq!(closed(&mut socket, AT_ONCE).await, (1008, "console requires a BMC".into()));
    lab.admin.put(&lab.path(""), &json!({ "bmc_id": lab.bmc_id })).await.ok::<Machine>();
    let mut socket = open(&lab, &ann).await;
    // what does not concern it
    lab.app.lab.journal.tell(LabEvent::List { list: List::User });
    lab.admin.put(&lab.path(""), &json!({ "kernel_opts": "quiet" })).await.ok::<Machine>();
    let waiting = async { while !matches!(socket.next().await, Some(Ok(Message::Close(_))) | None) {} };
    assert!(timeout(Duration::from_secs(1), waiting).await.is_err(), "it was closed");
    lab.admin.delete(&lab.path("")).await.no_content();
    assert_eq!(closed(&mut socket, AT_ONCE).await, (1008, "machine not found".into()));
}
