//! The one shape of every answer that is not a success.

use app::api::ApiError;
use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use store::StoreError;

use crate::lab::LabError;

/// An answer with the error body. `error_type` is the word for programs, `errors` the sentences for people.
pub fn problem(status: StatusCode, error_type: &str, errors: Vec<String>) -> Response {
    let title = status.canonical_reason().unwrap_or("Error");
    (status, Json(ApiError::new(status.as_u16(), title, error_type, errors))).into_response()
}

/// 404 for an address under `/api` that does not exist.
pub async fn unknown_address() -> Response {
    problem(StatusCode::NOT_FOUND, "NotFound", vec!["there is nothing at this address".into()])
}

/// 405 for an address that exists, with another method.
pub async fn wrong_method() -> Response {
    problem(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", vec!["this address does not take that method".into()])
}

/// 500 that says nothing of its cause, which belongs in the log.
pub fn internal() -> Response {
    problem(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", vec!["the server failed; its log says why".into()])
}

impl IntoResponse for LabError {
    fn into_response(self) -> Response {
        let text = self.to_string();
        match self {
            Self::Invalid(errors) => problem(StatusCode::BAD_REQUEST, "InvalidUsage", errors),
            Self::NotFound(_) => problem(StatusCode::NOT_FOUND, "NotFound", vec![text]),
            Self::Unauthenticated => {
                let mut response = problem(StatusCode::UNAUTHORIZED, "Unauthorized", vec![text]);
                response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
                response
            }
            Self::Forbidden(_) => problem(StatusCode::FORBIDDEN, "Forbidden", vec![text]),
            Self::Conflict(_) => problem(StatusCode::CONFLICT, "Conflict", vec![text]),
            Self::InUse { .. } => problem(StatusCode::CONFLICT, "InUse", vec![text]),
            Self::Bmc(_) => problem(StatusCode::INTERNAL_SERVER_ERROR, "BMCError", vec![text]),
            Self::TooLarge { .. } => problem(StatusCode::PAYLOAD_TOO_LARGE, "TooLarge", vec![text]),
            Self::TooMany { seconds } => {
                let mut response = problem(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", vec![text]);
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
                response
            }
            Self::NoSpace => problem(StatusCode::INSUFFICIENT_STORAGE, "NoSpace", vec![text]),
            Self::Store(error) => stored(&error),
            Self::Files(_) | Self::Secret(_) => {
                tracing::error!(error = %text, "request failed");
                internal()
            }
        }
    }
}

/// The store's failures; never its own words, which may name columns and values.
fn stored(error: &StoreError) -> Response {
    match error {
        StoreError::Unique { .. } => {
            problem(StatusCode::CONFLICT, "IntegrityError", vec!["something with this name or address exists already".into()])
        }
        StoreError::Busy { .. } | StoreError::Unavailable { .. } => {
            tracing::warn!(%error, "store not available");
            problem(StatusCode::SERVICE_UNAVAILABLE, "Unavailable", vec!["the database does not answer; try again".into()])
        }
        other => {
            tracing::error!(error = %other, "request failed in the store");
            internal()
        }
    }
}
