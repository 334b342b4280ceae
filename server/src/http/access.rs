//! What is done to every request and answer: a number, the client's address, a line of the log, the headers of safety.

use std::{
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};
use tracing::Instrument;

use crate::{http::client_address::ClientAddress, lab::Lab, secrets};

static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Set where an answer has none of its own. A page brings a policy of its own, with a nonce.
static SAFETY: [(HeaderName, HeaderValue); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
];

/// Tells the requests of this process from those of another in the same log.
static PROCESS: LazyLock<u32> = LazyLock::new(|| secrets::random().map_or_else(|_| std::process::id(), u32::from_le_bytes));

static COUNT: AtomicU64 = AtomicU64::new(0);

/// The outermost middleware.
pub async fn layer(State(lab): State<Lab>, mut request: Request, next: Next) -> Response {
    let start = Instant::now();
    let id = format!("{:08x}-{:x}", *PROCESS, COUNT.fetch_add(1, Ordering::Relaxed));
    let method = request.method().clone();
    // neither the query nor what follows a path's secret: `/preseed/7?k=…`, `/ws?token=…`
    let path = request.uri().path().to_owned();
    let peer = request.extensions().get::<ConnectInfo<std::net::SocketAddr>>();
    let client = ClientAddress::of((request.headers(), peer), &lab.config.http.trusted_proxies);
    request.extensions_mut().insert(client);

    let span = tracing::info_span!("http", request.id = %id);
    let mut response = next.run(request).instrument(span.clone()).await;

    let status = response.status();
    let seconds = start.elapsed().as_secs_f64();
    let _entered = span.enter();
    if status.is_server_error() {
        tracing::warn!(http.method = %method, http.path = path, http.status = status.as_u16(), client.address = %client.0, seconds, "request");
    } else if quiet(&path) {
        tracing::debug!(http.method = %method, http.path = path, http.status = status.as_u16(), client.address = %client.0, seconds, "request");
    } else {
        tracing::info!(http.method = %method, http.path = path, http.status = status.as_u16(), client.address = %client.0, seconds, "request");
    }
    let headers = response.headers_mut();
    for (name, value) in &SAFETY {
        headers.entry(name).or_insert_with(|| value.clone());
    }
    if let Ok(id) = HeaderValue::try_from(id) {
        headers.insert(&REQUEST_ID, id);
    }
    response
}

/// What asks all the time and tells nothing.
fn quiet(path: &str) -> bool {
    path.starts_with("/assets/") || path == "/healthz" || path == "/readyz"
}
