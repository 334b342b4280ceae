//! `/session`: logging in and out with a browser.

use app::api::{ApiError, Credentials, Me};
use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
};
use tower_sessions::Session;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    http::{ClientAddress, extract::Body, session},
    lab::{Actor, Lab, LabError, accounts},
};

pub fn router() -> OpenApiRouter<Lab> {
    OpenApiRouter::new().routes(routes!(login, show, logout))
}

/// Log in: sets the session's cookie
#[utoipa::path(
    post, path = "/session", tag = "session", request_body = Credentials, security(()),
    responses(
        (status = 200, description = "Logged in", body = Me),
        (status = 400, description = "The body makes no sense", body = ApiError),
        (status = 403, description = "Wrong user name or password, or a request from another site", body = ApiError),
        (status = 413, description = "The body is too large", body = ApiError),
        (status = 429, description = "Too many attempts for this account or from this address: wait `Retry-After` seconds", body = ApiError),
    )
)]
async fn login(
    State(lab): State<Lab>,
    address: ClientAddress,
    headers: HeaderMap,
    Extension(session): Extension<Session>,
    Body(credentials): Body<Credentials>,
) -> Result<Json<Me>, LabError> {
    let user = accounts::login(&lab, &credentials, Some(address.0)).await?;
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    session::begin(&session, user.id, address.0, agent).await?;
    Ok(Json(accounts::wire(user)))
}

/// Who is logged in
#[utoipa::path(
    get, path = "/session", tag = "session",
    responses(
        (status = 200, description = "The user", body = Me),
        (status = 401, description = "Nobody is logged in", body = ApiError),
    )
)]
async fn show(State(lab): State<Lab>, actor: Actor) -> Result<Json<Me>, LabError> {
    accounts::me(&lab, &actor).await.map(Json)
}

/// Log out: ends the session on the server, too
#[utoipa::path(
    delete, path = "/session", tag = "session", security(()),
    responses(
        (status = 204, description = "Nobody is logged in any more"),
        (status = 403, description = "A request from another site", body = ApiError),
    )
)]
async fn logout(Extension(session): Extension<Session>) -> Result<StatusCode, LabError> {
    session::end(&session).await?;
    Ok(StatusCode::NO_CONTENT)
}
