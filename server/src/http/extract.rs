//! What a handler takes from a request, with refusals in the one error shape.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, OptionalFromRequestParts, Request, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::de::DeserializeOwned;
use tower_sessions::Session;

use crate::{
    http::{ClientAddress, error::problem, session},
    lab::{Actor, Lab, LabError, accounts},
};

/// Most bytes a JSON body may have.
pub const BODY_LIMIT: usize = 4 * 1024 * 1024;

impl FromRequestParts<Lab> for Actor {
    type Rejection = LabError;

    async fn from_request_parts(parts: &mut Parts, lab: &Lab) -> Result<Self, LabError> {
        who(parts, lab).await?.ok_or(LabError::Unauthenticated)
    }
}

impl OptionalFromRequestParts<Lab> for Actor {
    type Rejection = LabError;

    async fn from_request_parts(parts: &mut Parts, lab: &Lab) -> Result<Option<Self>, LabError> {
        who(parts, lab).await
    }
}

/// The actor somebody put into the extensions (a page calling in-process), else the token's, else the session's.
/// A token that is not known is an error, not an anonymous request: the cookie is not asked then.
async fn who(parts: &Parts, lab: &Lab) -> Result<Option<Actor>, LabError> {
    if let Some(actor) = parts.extensions.get::<Actor>() {
        return Ok(Some(actor.clone()));
    }
    let address = parts.extensions.get::<ClientAddress>().map(|address| address.0);
    let actor = proven(parts, lab).await?;
    Ok(actor.map(|actor| Actor { address, known: known(&parts.headers), ..actor }))
}

/// The versions of `If-Match`; what is no text is no version of anything.
fn known(headers: &HeaderMap) -> Option<Arc<str>> {
    let mut tags = headers.get_all(header::IF_MATCH).iter().map(|tags| tags.to_str().unwrap_or_default()).peekable();
    tags.peek()?;
    Some(tags.collect::<Vec<_>>().join(",").into())
}

async fn proven(parts: &Parts, lab: &Lab) -> Result<Option<Actor>, LabError> {
    if let Some(value) = parts.headers.get(header::AUTHORIZATION) {
        let token = bearer(value.to_str().map_err(|_| LabError::Unauthenticated)?);
        return accounts::by_token(lab, token).await.map(Some);
    }
    match parts.extensions.get::<Session>() {
        Some(session) => session::actor(session, lab).await,
        None => Ok(None),
    }
}

/// Clients of the original send the token with or without the word.
fn bearer(value: &str) -> &str {
    match value.split_once(' ') {
        Some((word, token)) if word.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => value.trim(),
    }
}

/// A JSON body, whatever the Content-Type says.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| unread(&rejection))?;
        parse(&bytes).map(Self).map_err(|sentence| LabError::invalid(sentence).into_response())
    }
}

fn unread(rejection: &BytesRejection) -> Response {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        let text = format!("the body is larger than the limit of {BODY_LIMIT} bytes");
        return problem(StatusCode::PAYLOAD_TOO_LARGE, "TooLarge", vec![text]);
    }
    LabError::invalid("the body could not be read whole").into_response()
}

/// Reads JSON; what is wrong with it in one sentence.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    if bytes.is_empty() {
        return Err("the request needs a JSON body".into());
    }
    let text = std::str::from_utf8(bytes).map_err(|error| format!("the body is not UTF-8, from byte {} on", error.valid_up_to()))?;
    // the reader would take a list for a structure, too
    if text.trim_start().starts_with('[') {
        return Err("invalid body: it must be a JSON object, not a list".into());
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        sentence(&path, &error.into_inner())
    })?;
    reader.end().map_err(|error| sentence(".", &error))?;
    Ok(value)
}

/// A checked field's own sentence stays as it is: it is shown beside the field, where its place in the text helps nobody.
/// The reader's general ones get the field's name.
fn sentence(path: &str, error: &serde_json::Error) -> String {
    if !error.is_data() {
        return format!("the body is not valid JSON: {error}");
    }
    let text = error.to_string();
    let text = &text[..text.rfind(" at line ").unwrap_or(text.len())];
    let general = ["invalid ", "unknown variant "].iter().any(|start| text.starts_with(start));
    if general && path != "." { format!("{path}: {text}") } else { text.to_owned() }
}

/// Parameters of the query string.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = LabError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, LabError> {
        axum::extract::Query::try_from_uri(&parts.uri)
            .map(|axum::extract::Query(value)| Self(value))
            .map_err(|rejection| LabError::invalid(rejection.body_text()))
    }
}

/// Parts of the path. What is no id names nothing: 404.
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = LabError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, LabError> {
        <axum::extract::Path<T> as FromRequestParts<S>>::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Path(value)| Self(value))
            .map_err(|_| LabError::not_found("there is nothing at this address"))
    }
}

#[cfg(test)]
mod tests {
    use app::api::NewUser;

    use super::*;

    #[test]
    fn the_word_bearer_is_optional() {
        assert_eq!(bearer("Bearer mrp_1"), "mrp_1");
        assert_eq!(bearer("bearer  mrp_1 "), "mrp_1");
        assert_eq!(bearer("mrp_1"), "mrp_1");
    }

    #[test]
    fn a_field_is_refused_with_its_own_sentence() {
        let refused = parse::<NewUser>(br#"{"username":"a"}"#).unwrap_err();
        assert_eq!(refused, "username must be between 2 and 128 characters long");
    }

    #[test]
    fn a_general_refusal_names_the_field() {
        let refused = parse::<NewUser>(br#"{"username":"ann","admin":"yes"}"#).unwrap_err();
        assert_eq!(refused, "admin: invalid type: string \"yes\", expected a boolean");
        assert_eq!(parse::<NewUser>(b"{}").unwrap_err(), "missing field `username`");
        assert!(parse::<NewUser>(br#"{"username":"ann"} {}"#).unwrap_err().contains("trailing characters"));
    }

    #[test]
    fn what_is_no_json_is_told_where() {
        assert!(parse::<NewUser>(b"{").unwrap_err().contains("line 1"));
        assert_eq!(parse::<NewUser>(b"{\"username\":\"\xff\xfe\"}").unwrap_err(), "the body is not UTF-8, from byte 13 on");
        assert!(parse::<NewUser>(b"").unwrap_err().contains("needs a JSON body"));
    }
}
