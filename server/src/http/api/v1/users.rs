//! `/user`: everybody; admins change them.

use app::api::{ApiError, CreatedUser, NewUser, Session, Token, User, UserChange};
use axum::{Json, extract::State, http::StatusCode};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Deletion;
use crate::{
    http::{
        extract::{Body, Path, Query},
        tagged::Tagged,
    },
    lab::{Actor, Lab, LabError, accounts},
};

pub fn router() -> OpenApiRouter<Lab> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, change, delete))
        .routes(routes!(list_tokens))
        .routes(routes!(list_sessions))
        .routes(routes!(delete_session))
}

/// All users, by name
#[utoipa::path(
    get, path = "/user", tag = "user",
    responses(
        (status = 200, description = "The users", body = Vec<User>),
        (status = 401, description = "Not logged in", body = ApiError),
    )
)]
async fn list(State(lab): State<Lab>, actor: Actor) -> Result<Json<Vec<User>>, LabError> {
    accounts::list(&lab, &actor).await.map(Json)
}

/// Make a user (admins)
#[utoipa::path(
    post, path = "/user", tag = "user", request_body = NewUser,
    responses(
        (status = 201, description = "The user with a generated password, which is shown this once", body = CreatedUser),
        (status = 400, description = "A value is wrong", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "No admin", body = ApiError),
        (status = 409, description = "The name is taken", body = ApiError),
        (status = 413, description = "The body is too large", body = ApiError),
    )
)]
async fn create(State(lab): State<Lab>, actor: Actor, Body(new): Body<NewUser>) -> Result<(StatusCode, Json<CreatedUser>), LabError> {
    let user = accounts::create(&lab, &actor, new).await?;
    Ok((StatusCode::CREATED, Json(user)))
}

/// Change a user (admins): a new password ends all of the user's sessions
#[utoipa::path(
    put, path = "/user/{id}", tag = "user", params(("id" = i64, Path, description = "Id of the user")), request_body = UserChange,
    responses(
        (status = 200, description = "The user as changed", body = User),
        (status = 400, description = "A value is wrong", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "No admin", body = ApiError),
        (status = 404, description = "No such user", body = ApiError),
        (status = 409, description = "The name is taken, or no admin would be left", body = ApiError),
        (status = 413, description = "The body is too large", body = ApiError),
    )
)]
async fn change(
    State(lab): State<Lab>,
    actor: Actor,
    Path(id): Path<i64>,
    Body(change): Body<UserChange>,
) -> Result<Tagged<User>, LabError> {
    accounts::change(&lab, &actor, id, change).await.map(Tagged)
}

/// Delete a user who has no images, preseeds or machines (admins)
#[utoipa::path(
    delete, path = "/user/{id}", tag = "user", params(("id" = i64, Path, description = "Id of the user"), Deletion),
    responses(
        (status = 204, description = "Deleted, with sessions and tokens; events keep the name"),
        (status = 400, description = "A parameter is wrong, or what is to take its place does not fit", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "No admin", body = ApiError),
        (status = 404, description = "No such user", body = ApiError),
        (status = 409, description = "Oneself, the last admin, or somebody who still has something", body = ApiError),
    )
)]
async fn delete(
    State(lab): State<Lab>,
    actor: Actor,
    Path(id): Path<i64>,
    Query(deletion): Query<Deletion>,
) -> Result<StatusCode, LabError> {
    accounts::delete(&lab, &actor, id, deletion.instead()?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// One user
#[utoipa::path(
    get, path = "/user/{id}", tag = "user", params(("id" = i64, Path, description = "Id of the user")),
    responses(
        (status = 200, description = "The user", body = User),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 404, description = "No such user", body = ApiError),
    )
)]
async fn get(State(lab): State<Lab>, actor: Actor, Path(id): Path<i64>) -> Result<Tagged<User>, LabError> {
    accounts::get(&lab, &actor, id).await.map(Tagged)
}

/// A user's API tokens, without their secrets (that user, admins); `DELETE /self/token/{id}` withdraws one
#[utoipa::path(
    get, path = "/user/{id}/token", tag = "user", operation_id = "list_user_tokens", params(("id" = i64, Path, description = "Id of the user")),
    responses(
        (status = 200, description = "The tokens, oldest first", body = Vec<Token>),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "Neither admin nor that user", body = ApiError),
        (status = 404, description = "No such user", body = ApiError),
    )
)]
async fn list_tokens(State(lab): State<Lab>, actor: Actor, Path(id): Path<i64>) -> Result<Json<Vec<Token>>, LabError> {
    accounts::list_tokens(&lab, &actor, id).await.map(Json)
}

/// Where a user is logged in (that user, admins)
#[utoipa::path(
    get, path = "/user/{id}/session", tag = "user", operation_id = "list_user_sessions", params(("id" = i64, Path, description = "Id of the user")),
    responses(
        (status = 200, description = "The sessions, oldest first", body = Vec<Session>),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "Neither admin nor that user", body = ApiError),
        (status = 404, description = "No such user", body = ApiError),
    )
)]
async fn list_sessions(State(lab): State<Lab>, actor: Actor, Path(id): Path<i64>) -> Result<Json<Vec<Session>>, LabError> {
    accounts::list_sessions(&lab, &actor, id).await.map(Json)
}

/// End one of a user's sessions (that user, admins)
#[utoipa::path(
    delete, path = "/user/{id}/session/{session}", tag = "user", operation_id = "delete_user_session",
    params(("id" = i64, Path, description = "Id of the user"), ("session" = String, Path, description = "Id of the session")),
    responses(
        (status = 204, description = "Ended"),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "Neither admin nor that user", body = ApiError),
        (status = 404, description = "No such session", body = ApiError),
    )
)]
async fn delete_session(State(lab): State<Lab>, actor: Actor, Path((id, session)): Path<(i64, String)>) -> Result<StatusCode, LabError> {
    accounts::delete_session(&lab, &actor, id, &session).await?;
    Ok(StatusCode::NO_CONTENT)
}
