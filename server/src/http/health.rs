//! For supervisors and load balancers: no login, no details.

use axum::{Router, extract::State, http::StatusCode, routing::get};

use crate::lab::Lab;

pub fn router() -> Router<Lab> {
    Router::new().route("/healthz", get(async || "ok\n")).route("/readyz", get(ready))
}

/// The process lives and its database answers.
async fn ready(State(lab): State<Lab>) -> (StatusCode, &'static str) {
    if lab.shutdown.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "shutting down\n");
    }
    match lab.store.ping().await {
        Ok(()) => (StatusCode::OK, "ok\n"),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n")
        }
    }
}
