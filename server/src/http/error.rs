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
    (status, Json(body(status, error_type, errors))).into_response()
}

fn body(status: StatusCode, error_type: &str, errors: Vec<String>) -> ApiError {
    ApiError::new(status.as_u16(), status.canonical_reason().unwrap_or("Error"), error_type, errors)
}

fn unknown() -> ApiError {
    body(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", vec!["the server failed; its log says why".into()])
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
    (StatusCode::INTERNAL_SERVER_ERROR, Json(unknown())).into_response()
}

impl IntoResponse for LabError {
    fn into_response(self) -> Response {
        let seconds = if let Self::TooMany { seconds } = &self { Some(*seconds) } else { None };
        let error = told(self);
        let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(error)).into_response();
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = seconds {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// An error as it travels. What concerns the server alone goes to its log.
#[must_use]
pub fn told(error: LabError) -> ApiError {
    let text = error.to_string();
    match error {
        LabError::Invalid(errors) => body(StatusCode::BAD_REQUEST, "InvalidUsage", errors),
        LabError::NotFound(_) => body(StatusCode::NOT_FOUND, "NotFound", vec![text]),
        LabError::Unauthenticated => body(StatusCode::UNAUTHORIZED, "Unauthorized", vec![text]),
        LabError::Forbidden(_) => body(StatusCode::FORBIDDEN, "Forbidden", vec![text]),
        LabError::Conflict(_) => body(StatusCode::CONFLICT, "Conflict", vec![text]),
        LabError::Stale => body(StatusCode::PRECONDITION_FAILED, "PreconditionFailed", vec![text]),
        LabError::InUse { users, .. } => ApiError { in_use_by: users, ..body(StatusCode::CONFLICT, "InUse", vec![text]) },
        LabError::Bmc(_) => body(StatusCode::INTERNAL_SERVER_ERROR, "BMCError", vec![text]),
        LabError::BmcRead { silent, .. } => {
            let status = if silent { StatusCode::GATEWAY_TIMEOUT } else { StatusCode::BAD_GATEWAY };
            body(status, "BMCError", vec![text])
        }
        LabError::TooLarge { .. } => body(StatusCode::PAYLOAD_TOO_LARGE, "TooLarge", vec![text]),
        LabError::TooMany { .. } => body(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", vec![text]),
        LabError::NoSpace => body(StatusCode::INSUFFICIENT_STORAGE, "NoSpace", vec![text]),
        LabError::Store(error) => stored(&error),
        LabError::Internal(_) | LabError::Files(_) | LabError::Secret(_) => {
            tracing::error!(error = %text, "request failed");
            unknown()
        }
    }
}

/// The store's failures; never its own words, which may name columns and values.
fn stored(error: &StoreError) -> ApiError {
    match error {
        StoreError::Unique { key } => body(StatusCode::CONFLICT, "IntegrityError", vec![taken(key).into()]),
        StoreError::ForeignKey => {
            let text = "something this refers to is gone, or something still refers to it".into();
            body(StatusCode::CONFLICT, "IntegrityError", vec![text])
        }
        StoreError::Full => body(StatusCode::INSUFFICIENT_STORAGE, "NoSpace", vec!["the database has no space left".into()]),
        StoreError::Busy | StoreError::Unavailable(_) => {
            tracing::warn!(error = %Chain(error), "store not available");
            body(StatusCode::SERVICE_UNAVAILABLE, "Unavailable", vec!["the database does not answer; try again".into()])
        }
        other => {
            tracing::error!(error = %Chain(other), "request failed in the store");
            unknown()
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
