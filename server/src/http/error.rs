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
            Self::BmcRead { silent, .. } => {
                let status = if silent { StatusCode::GATEWAY_TIMEOUT } else { StatusCode::BAD_GATEWAY };
                problem(status, "BMCError", vec![text])
            }
            Self::TooLarge { .. } => problem(StatusCode::PAYLOAD_TOO_LARGE, "TooLarge", vec![text]),
            Self::TooMany { seconds } => {
                let mut response = problem(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", vec![text]);
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
                response
            }
            Self::NoSpace => problem(StatusCode::INSUFFICIENT_STORAGE, "NoSpace", vec![text]),
            Self::Store(error) => stored(&error),
            Self::Internal(_) | Self::Files(_) | Self::Secret(_) => {
                tracing::error!(error = %text, "request failed");
                internal()
            }
        }
    }
}

/// The store's failures; never its own words, which may name columns and values.
fn stored(error: &StoreError) -> Response {
    match error {
        StoreError::Unique { key } => problem(StatusCode::CONFLICT, "IntegrityError", vec![taken(key).into()]),
        StoreError::ForeignKey => {
            let text = "something this refers to is gone, or something still refers to it".into();
            problem(StatusCode::CONFLICT, "IntegrityError", vec![text])
        }
        StoreError::Full => problem(StatusCode::INSUFFICIENT_STORAGE, "NoSpace", vec!["the database has no space left".into()]),
        StoreError::Busy | StoreError::Unavailable(_) => {
            tracing::warn!(error = %Chain(error), "store not available");
            problem(StatusCode::SERVICE_UNAVAILABLE, "Unavailable", vec!["the database does not answer; try again".into()])
        }
        other => {
            tracing::error!(error = %Chain(other), "request failed in the store");
            internal()
        }
    }
}

/// What exists already, by the key that must be unique.
fn taken(key: &str) -> &'static str {
    match key {
        "archs.name" => "an architecture with this name exists already",
        "assignments.machine_id,user_id" => "this user has the machine already",
        "bmcs.ip,port" => "a BMC with this address exists already",
        "bmcs.name" => "a BMC with this name exists already",
        "identities.source,subject" | "users.username" => "a user with this name exists already",
        "images.filename" => "an image with this name exists already",
        "interfaces.mac" => "an interface with this MAC exists already",
        "interfaces.network_id,reserved_ipv4" | "interfaces.network_id,static_ipv4" => "this address is in use in the network already",
        "machines.name" => "a machine with this name exists already",
        "networks.name" => "a network with this name exists already",
        "networks.reserved_net" | "networks.static_net" | "networks.subnet" => "a network with this subnet or pool exists already",
        "preseeds.filename" => "a preseed with this name exists already",
        "subarchs.arch_id,name" => "the architecture has a subarchitecture with this name already",
        _ => "something with this name or address exists already",
    }
}

/// An error with its causes, for the log.
struct Chain<'a>(&'a dyn std::error::Error);

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
