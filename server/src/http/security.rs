//! Requests that another site made a user's browser send.

use axum::{
    http::{HeaderMap, StatusCode, header},
    response::Response,
};
use tower_http::csrf::{ConfigError, CsrfLayer, ProtectionError};

use crate::{
    http::error::problem,
    lab::{Lab, LabError},
};

type Refuse = fn(ProtectionError) -> Response;

/// Refuses changes that a browser says come from another site (`Sec-Fetch-Site`, else `Origin` against `Host`).
/// What is no browser sends neither header and passes: it has no cookie of anybody's to abuse.
pub fn csrf(lab: &Lab) -> Result<CsrfLayer<Refuse>, ConfigError> {
    let mut layer = CsrfLayer::new();
    // a proxy may have put another name into `Host`
    if let Some(origin) = public_origin(lab) {
        layer = layer.add_trusted_origin(origin)?;
    }
    Ok(layer.with_rejection_response(refused as Refuse))
}

fn refused(_: ProtectionError) -> Response {
    problem(StatusCode::FORBIDDEN, "Forbidden", vec!["the request comes from another site".into()])
}

/// For WebSockets, which are opened by GET and so pass [`csrf`]: any site may try to open one with the user's cookie.
///
/// # Errors
/// [`LabError::Forbidden`] when the browser names another origin than this server's.
pub fn must_be_same_origin(headers: &HeaderMap, lab: &Lab) -> Result<(), LabError> {
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let origin = origin.to_str().unwrap_or_default();
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let authority = origin.split_once("://").map(|(_, authority)| authority);
    let same = authority.is_some_and(|authority| !authority.is_empty() && authority == host)
        || public_origin(lab).is_some_and(|public| public == origin);
    if same { Ok(()) } else { Err(LabError::Forbidden("the request comes from another site".into())) }
}

/// Scheme, host and port of the configured address.
fn public_origin(lab: &Lab) -> Option<&str> {
    let url = lab.config.public_url.as_deref()?;
    let host = url.find("://")? + 3;
    Some(url[host..].find('/').map_or(url, |end| &url[..host + end]))
}
