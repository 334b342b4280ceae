//! `/machine/{id}/console` and its socket.

use app::api::{ApiError, ConsoleCommand, ConsoleStatus, ConsoleTail, ConsoleTicket};
use axum::{
    Json,
    body::Body,
    extract::{
        State, WebSocketUpgrade,
        ws::{CloseFrame, Message, WebSocket, close_code, rejection::WebSocketUpgradeRejection},
    },
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use serde::Deserialize;
use tokio::time::{Duration, interval, timeout};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::images::disposition;
use crate::{
    bmc::ConsoleInput,
    console::Output,
    http::{
        extract::{Path, Query},
        security,
    },
    lab::{Actor, Lab, LabError, consoles, consoles::Seat},
};

/// Most bytes a viewer may send in one frame: a pasted page, not a file.
const FRAME_LIMIT: usize = 64 * 1024;
/// Proxies close sockets that are silent for a minute.
const PING: Duration = Duration::from_secs(25);
/// How long a viewer may take to hear why the socket is closed.
const FAREWELL: Duration = Duration::from_secs(5);

pub fn router() -> OpenApiRouter<Lab> {
    OpenApiRouter::new().routes(routes!(ticket)).routes(routes!(socket)).routes(routes!(tail)).routes(routes!(log))
}

/// A one-time key for a machine's console
///
/// It opens `/ws?token=…` and `/api/v1/machine/{id}/console/socket?token=…` once, within five minutes. The key, and the console it opened,
/// end with the session or API token by which it was made.
#[utoipa::path(
    post,
    path = "/machine/{id}/console",
    tag = "console",
    params(("id" = i64, Path, description = "The machine's id")),
    responses(
        (status = 200, description = "The key", body = ConsoleTicket),
        (status = 400, description = "The machine has no BMC", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "Neither admin nor assignee", body = ApiError),
        (status = 404, description = "No such machine", body = ApiError),
    )
)]
async fn ticket(State(lab): State<Lab>, actor: Actor, Path(id): Path<i64>) -> Result<Json<ConsoleTicket>, LabError> {
    let token = consoles::ticket(&lab, &actor, id).await?;
    Ok(Json(ConsoleTicket { host: None, port: lab.config.listen.port(), token }))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Lines {
    /// How many at most: 20 unless said
    #[param(minimum = 1, maximum = 1000)]
    lines: Option<u32>,
}

/// The end of what a machine's console wrote
///
/// As text, without what moves a terminal's cursor or colours its letters. Nothing is connected: it is read from the log, which
/// is written while somebody watches and after every provisioning.
#[utoipa::path(
    get,
    path = "/machine/{id}/console/tail",
    tag = "console",
    params(("id" = i64, Path, description = "The machine's id"), Lines),
    responses(
        (status = 200, description = "The last lines", body = ConsoleTail),
        (status = 400, description = "A parameter is wrong", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "Neither admin nor assignee", body = ApiError),
        (status = 404, description = "No such machine", body = ApiError),
    )
)]
async fn tail(
    State(lab): State<Lab>,
    actor: Actor,
    Path(id): Path<i64>,
    Query(Lines { lines }): Query<Lines>,
) -> Result<Json<ConsoleTail>, LabError> {
    let lines = lines.unwrap_or(20);
    if !(1..=1000).contains(&lines) {
        return Err(LabError::invalid("lines must be between 1 and 1000"));
    }
    Ok(Json(consoles::tail(&lab, &actor, id, lines as usize).await?))
}

/// All that is kept of what a machine's console wrote
///
/// The bytes as the machine sent them: at least the last 64 MiB. Empty when nothing was logged yet.
#[utoipa::path(
    get,
    path = "/machine/{id}/console/log",
    tag = "console",
    params(("id" = i64, Path, description = "The machine's id")),
    responses(
        (status = 200, description = "The log", body = String, content_type = "application/octet-stream"),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "Neither admin nor assignee", body = ApiError),
        (status = 404, description = "No such machine", body = ApiError),
    )
)]
async fn log(State(lab): State<Lab>, actor: Actor, Path(id): Path<i64>) -> Result<Response, LabError> {
    let (name, content) = consoles::log(&lab, &actor, id).await?;
    let fixed = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_DISPOSITION, disposition(&format!("{name}-console.log"))),
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
    ];
    Ok((fixed, Body::from_stream(content)).into_response())
}

#[derive(Deserialize)]
pub(in crate::http) struct Key {
    token: Option<String>,
}

/// A machine's serial console
///
/// A WebSocket. Binary frames are the line's bytes, both ways; text frames are JSON: what the server says of the line,
/// and what the viewer asks for (`take_write`, `break`, `take_over`). A viewer who may watch no longer is told why in the reason of
/// a close frame with code 1008: the machine is not the viewer's any more, it or its BMC is gone, or the login has ended.
#[utoipa::path(
    get,
    path = "/machine/{id}/console/socket",
    tag = "console",
    params(("id" = i64, Path, description = "The machine's id"), ("token" = Option<String>, Query, description = "A one-time key, instead of a login")),
    responses(
        (status = 101, description = "The console"),
        (status = 400, description = "The machine has no BMC, or no WebSocket was asked for", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "Neither admin nor assignee, or another site's page", body = ApiError),
        (status = 404, description = "No such machine, or the key is not good any more", body = ApiError),
    )
)]
async fn socket(
    State(lab): State<Lab>,
    actor: Option<Actor>,
    Path(id): Path<i64>,
    Query(key): Query<Key>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, LabError> {
    let upgrade = upgrade.map_err(|rejection| LabError::invalid(format!("this address is a WebSocket: {rejection}")))?;
    let viewer = match key.token {
        Some(token) => join_by_key(&lab, &token, Some(id)).await?,
        None => {
            // a WebSocket is no request to which browsers apply the same-origin policy
            security::must_be_same_origin(&headers, &lab)?;
            consoles::attach(&lab, &actor.ok_or(LabError::Unauthenticated)?, id).await?
        }
    };
    Ok(upgraded(lab, upgrade, viewer))
}

/// `/ws?token=…`, where clients of the original connect.
pub(in crate::http) async fn by_key(
    State(lab): State<Lab>,
    Query(key): Query<Key>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, LabError> {
    let upgrade = upgrade.map_err(|rejection| LabError::invalid(format!("this address is a WebSocket: {rejection}")))?;
    let token = key.token.ok_or_else(|| LabError::invalid("no token"))?;
    let viewer = join_by_key(&lab, &token, None).await?;
    Ok(upgraded(lab, upgrade, viewer))
}

async fn join_by_key(lab: &Lab, token: &str, wanted: Option<i64>) -> Result<Seat, LabError> {
    let (actor, machine) = consoles::redeem(lab, token).await?;
    if wanted.is_some_and(|wanted| wanted != machine) {
        return Err(LabError::not_found("this console key is another machine's"));
    }
    consoles::attach(lab, &actor, machine).await
}

fn upgraded(lab: Lab, upgrade: WebSocketUpgrade, viewer: Seat) -> Response {
    upgrade.max_message_size(FRAME_LIMIT).max_frame_size(FRAME_LIMIT).on_upgrade(move |socket| serve(lab, socket, viewer))
}

async fn serve(lab: Lab, socket: WebSocket, seat: Seat) {
    let (mut out, mut from) = socket.split();
    // beside the exchange, not within: a line that takes no input must not keep anybody at it
    let (code, reason) = tokio::select! {
        () = lab.shutdown.cancelled() => (close_code::AWAY, "the server is stopping".to_owned()),
        error = seat.lost() => (close_code::POLICY, error.to_string()),
        () = exchange(&mut out, &mut from, seat) => return,
    };
    let close = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
    // a viewer who does not listen is left
    let _ = timeout(FAREWELL, out.send(close)).await;
}

/// Until the viewer leaves.
async fn exchange(out: &mut SplitSink<WebSocket, Message>, from: &mut SplitStream<WebSocket>, mut seat: Seat) {
    let mut pings = interval(PING);
    loop {
        let message = tokio::select! {
            output = seat.next() => match output {
                Output::Bytes(bytes) => Message::Binary(bytes),
                Output::Status(status) => text(&status),
            },
            received = from.next() => match received {
                Some(Ok(message)) => match handle(&seat, message).await {
                    Ok(()) => continue,
                    Err(notice) => text(&ConsoleStatus::Notice { text: notice }),
                },
                Some(Err(_)) | None => return,
            },
            _ = pings.tick() => Message::Ping(Default::default()),
        };
        if out.send(message).await.is_err() {
            return;
        }
    }
}

fn text(status: &ConsoleStatus) -> Message {
    // plain data: it always has a JSON form
    Message::Text(serde_json::to_string(status).unwrap_or_default().into())
}

/// What the viewer sent; an error is a sentence for that viewer.
async fn handle(seat: &Seat, message: Message) -> Result<(), String> {
    match message {
        Message::Binary(bytes) if !bytes.is_empty() => seat.input(ConsoleInput::Bytes(bytes)).await,
        Message::Text(text) => match serde_json::from_str(&text) {
            Ok(ConsoleCommand::TakeWrite) => {
                seat.take_write().await;
                Ok(())
            }
            Ok(ConsoleCommand::TakeOver) => {
                seat.take_over().await;
                Ok(())
            }
            Ok(ConsoleCommand::Break) => seat.input(ConsoleInput::Break).await,
            Err(error) => Err(format!("not understood: {error}")),
        },
        _ => Ok(()),
    }
}
