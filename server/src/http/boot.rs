//! What machines ask for over HTTP: the same paths as over TFTP under `/boot/`, and preseeds. No login: machines have
//! none. What they may read is decided by the path alone.

use std::{
    net::IpAddr,
    pin::Pin,
    task::{Context, Poll},
    time::Instant,
};

use app::api::BootProtocol;
use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, Query, Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use http_body::{Body as HttpBody, Frame, SizeHint};
use serde::Deserialize;
use tower::ServiceExt;
use tower_http::services::ServeFile;

use crate::{
    http::client_address::ClientAddress,
    lab::Lab,
    netboot::{Answer, Fetched, Netboot, Refusal},
};

pub fn router() -> Router<Lab> {
    Router::new().route("/boot/{*path}", get(file)).route("/preseed/{id}", get(preseed))
}

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Denied(_) => StatusCode::FORBIDDEN,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Preseed(_) => StatusCode::BAD_REQUEST,
        };
        // an installer shows it on its screen: text, not JSON
        (status, [(header::CONTENT_TYPE, TEXT)], format!("{self}\n")).into_response()
    }
}

async fn file(State(lab): State<Lab>, client: ClientAddress, Path(path): Path<String>, request: Request) -> Response {
    let answer = lab.netboot.answer(&path, client.0).await;
    send(&lab.netboot, answer, path, client.0, BootProtocol::Http, request).await
}

/// Sends what a machine asked for, and has it noted when the machine has it.
pub(super) async fn send(
    netboot: &Netboot,
    answer: Result<Answer, Refusal>,
    path: String,
    client: IpAddr,
    protocol: BootProtocol,
    request: Request,
) -> Response {
    match answer {
        Ok(Answer::Text(text)) => ([(header::CONTENT_TYPE, TEXT), (header::CACHE_CONTROL, NO_STORE)], text).into_response(),
        Ok(Answer::File { path: on_disk, len }) => {
            let counted = request.method() == Method::GET;
            // ranges, conditions and lengths are its work
            let Ok(response) = ServeFile::new(on_disk).oneshot(request).await;
            let whole = response.status() == StatusCode::OK;
            let response = response.map(Body::new);
            if !(counted && whole) {
                return response;
            }
            let fetch = Fetch { netboot: netboot.clone(), path, client, protocol, since: Instant::now(), len, sent: 0 };
            response.map(|body| Body::new(Counted { body, fetch: Some(fetch) }))
        }
        Err(refusal) => refusal.into_response(),
    }
}

#[derive(Deserialize)]
struct Key {
    k: Option<String>,
}

async fn preseed(State(lab): State<Lab>, client: ClientAddress, Path(id): Path<String>, Query(key): Query<Key>) -> Response {
    let rendered = match id.parse() {
        Ok(id) => lab.netboot.preseed(id, &key.k.unwrap_or_default(), client.0).await,
        Err(_) => Err(Refusal::NotFound("no preseed here".into())),
    };
    match rendered {
        Ok(text) => ([(header::CONTENT_TYPE, TEXT), (header::CACHE_CONTROL, NO_STORE)], text).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

/// A file on its way to a machine, and what to note when it is there.
struct Fetch {
    netboot: Netboot,
    path: String,
    client: IpAddr,
    protocol: BootProtocol,
    since: Instant,
    len: u64,
    sent: u64,
}

impl Fetch {
    fn note(self) {
        let failure = (self.sent < self.len).then(|| "the client gave up".to_owned());
        let fetched = Fetched {
            path: &self.path,
            client: self.client,
            protocol: self.protocol,
            bytes: self.sent,
            elapsed: self.since.elapsed(),
            failure,
        };
        tokio::spawn(self.netboot.fetched(fetched));
    }
}

/// A body that counts what was taken of it.
struct Counted {
    body: Body,
    fetch: Option<Fetch>,
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let (Poll::Ready(Some(Ok(frame))), Some(fetch)) = (&polled, &mut self.fetch) {
            fetch.sent += frame.data_ref().map_or(0, |data| data.len() as u64);
        }
        polled
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if let Some(fetch) = self.fetch.take() {
            fetch.note();
        }
    }
}
