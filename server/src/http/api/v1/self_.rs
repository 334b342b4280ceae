//! `/self`: the logged-in user's own record, password and tokens.

use app::api::{ApiError, CreatedToken, Me, MeChange, NewToken, PasswordChange, Session, Token};
use axum::{Json, extract::State, http::StatusCode};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    http::{
        extract::{Body, Path},
        tagged::Tagged,
    },
    lab::{Actor, Lab, LabError, accounts},
};

pub fn router() -> OpenApiRouter<Lab> {
    OpenApiRouter::new()
        .routes(routes!(show, change))
        .routes(routes!(change_password))
        .routes(routes!(list_tokens, create_token))
        .routes(routes!(delete_token))
        .routes(routes!(list_sessions))
        .routes(routes!(delete_session))
}

/// The user who asks
#[utoipa::path(
    get, path = "/self", tag = "self",
    responses(
        (status = 200, description = "The user", body = Me),
        (status = 401, description = "Not logged in", body = ApiError),
    )
)]
async fn show(State(lab): State<Lab>, actor: Actor) -> Result<Tagged<Me>, LabError> {
    accounts::me(&lab, &actor).await.map(Tagged)
}

/// Change one's own e-mail address or SSH keys
#[utoipa::path(
    put, path = "/self", tag = "self", request_body = MeChange,
    responses(
        (status = 200, description = "The user as changed", body = Me),
        (status = 400, description = "A value is wrong", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "A token with limits", body = ApiError),
        (status = 413, description = "The body is too large", body = ApiError),
    )
)]
async fn change(State(lab): State<Lab>, actor: Actor, Body(change): Body<MeChange>) -> Result<Tagged<Me>, LabError> {
    accounts::change_me(&lab, &actor, change).await.map(Tagged)
}

/// Change one's own password: ends all other sessions
#[utoipa::path(
    put, path = "/self/password", tag = "self", request_body = PasswordChange,
    responses(
        (status = 204, description = "Changed"),
        (status = 400, description = "The new password is too short or too long", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "The old password is wrong, or a token with limits", body = ApiError),
        (status = 409, description = "Changed by somebody else at the same time", body = ApiError),
        (status = 413, description = "The body is too large", body = ApiError),
        (status = 429, description = "Too many attempts: wait `Retry-After` seconds", body = ApiError),
    )
)]
async fn change_password(State(lab): State<Lab>, actor: Actor, Body(change): Body<PasswordChange>) -> Result<StatusCode, LabError> {
    accounts::change_password(&lab, &actor, change).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// One's own API tokens, without their secrets
#[utoipa::path(
    get, path = "/self/token", tag = "self",
    responses(
        (status = 200, description = "The tokens, oldest first", body = Vec<Token>),
        (status = 401, description = "Not logged in", body = ApiError),
    )
)]
async fn list_tokens(State(lab): State<Lab>, actor: Actor) -> Result<Json<Vec<Token>>, LabError> {
    accounts::list_tokens(&lab, &actor, actor.user_id).await.map(Json)
}

/// Make an API token
#[utoipa::path(
    post, path = "/self/token", tag = "self", request_body = NewToken,
    responses(
        (status = 201, description = "The token with its secret, which is shown this once", body = CreatedToken),
        (status = 400, description = "A value is wrong", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "A token with limits", body = ApiError),
        (status = 413, description = "The body is too large", body = ApiError),
    )
)]
async fn create_token(
    State(lab): State<Lab>,
    actor: Actor,
    Body(new): Body<NewToken>,
) -> Result<(StatusCode, Json<CreatedToken>), LabError> {
    let token = accounts::create_token(&lab, &actor, new).await?;
    Ok((StatusCode::CREATED, Json(token)))
}

/// Withdraw an API token: one's own, admins anybody's
#[utoipa::path(
    delete, path = "/self/token/{id}", tag = "self", params(("id" = i64, Path, description = "Id of the token")),
    responses(
        (status = 204, description = "Withdrawn"),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "A token without the scope `admin`", body = ApiError),
        (status = 404, description = "No such token of one's own", body = ApiError),
    )
)]
async fn delete_token(State(lab): State<Lab>, actor: Actor, Path(id): Path<i64>) -> Result<StatusCode, LabError> {
    accounts::delete_token(&lab, &actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// One's own sessions: where one is logged in
#[utoipa::path(
    get, path = "/self/session", tag = "self",
    responses(
        (status = 200, description = "The sessions, oldest first", body = Vec<Session>),
        (status = 401, description = "Not logged in", body = ApiError),
    )
)]
async fn list_sessions(State(lab): State<Lab>, actor: Actor) -> Result<Json<Vec<Session>>, LabError> {
    accounts::list_sessions(&lab, &actor, actor.user_id).await.map(Json)
}

/// End one of one's own sessions
#[utoipa::path(
    delete, path = "/self/session/{id}", tag = "self", params(("id" = String, Path, description = "Id of the session")),
    responses(
        (status = 204, description = "Ended"),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "A token without the scope `admin`", body = ApiError),
        (status = 404, description = "No such session of one's own", body = ApiError),
    )
)]
async fn delete_session(State(lab): State<Lab>, actor: Actor, Path(id): Path<String>) -> Result<StatusCode, LabError> {
    accounts::delete_session(&lab, &actor, actor.user_id, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
