//! `/machine/{id}/assignee`

use app::api::{ApiError, Assignee, AssigneeChange, NewAssignee};
use axum::{Json, extract::State, http::StatusCode};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    http::{
        extract::{Body, Path},
        tagged::Tagged,
    },
    lab::{
        Actor, Lab, LabError,
        assignments::{self, Which},
    },
};

pub fn router() -> OpenApiRouter<Lab> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(get, change, delete))
}

/// Who has a machine
#[utoipa::path(
    get, path = "/machine/{id}/assignee", tag = "assignee", params(("id" = i64, Path, description = "The machine's id")),
    responses(
        (status = 200, description = "The assignees", body = Vec<Assignee>),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 404, description = "No such machine", body = ApiError),
    )
)]
async fn list(State(lab): State<Lab>, actor: Actor, Path(id): Path<i64>) -> Result<Json<Vec<Assignee>>, LabError> {
    assignments::list(&lab, &actor, id).await.map(Json)
}

/// Give somebody a machine (admins)
#[utoipa::path(
    post, path = "/machine/{id}/assignee", tag = "assignee",
    params(("id" = i64, Path, description = "The machine's id")), request_body = NewAssignee,
    responses(
        (status = 201, description = "The assignee", body = Assignee),
        (status = 400, description = "No such user, or a value is wrong", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "No admin", body = ApiError),
        (status = 404, description = "No such machine", body = ApiError),
        (status = 409, description = "The user has it already", body = ApiError),
        (status = 413, description = "The body is too large", body = ApiError),
    )
)]
async fn create(
    State(lab): State<Lab>,
    actor: Actor,
    Path(id): Path<i64>,
    Body(new): Body<NewAssignee>,
) -> Result<(StatusCode, Json<Assignee>), LabError> {
    let assignee = assignments::create(&lab, &actor, id, new).await?;
    Ok((StatusCode::CREATED, Json(assignee)))
}

/// One assignee
#[utoipa::path(
    get, path = "/machine/{id}/assignee/{assignee}", tag = "assignee",
    params(("id" = i64, Path, description = "The machine's id"), ("assignee" = String, Path, description = "The assignee's id, or `self`")),
    responses(
        (status = 200, description = "The assignee", body = Assignee),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 404, description = "No such assignee", body = ApiError),
    )
)]
async fn get(State(lab): State<Lab>, actor: Actor, Path((id, which)): Path<(i64, String)>) -> Result<Tagged<Assignee>, LabError> {
    assignments::get(&lab, &actor, id, parse(&which)?).await.map(Tagged)
}

/// Change the reason (admins and that assignee)
#[utoipa::path(
    put, path = "/machine/{id}/assignee/{assignee}", tag = "assignee",
    params(("id" = i64, Path, description = "The machine's id"), ("assignee" = String, Path, description = "The assignee's id, or `self`")),
    request_body = AssigneeChange,
    responses(
        (status = 200, description = "The assignee as changed", body = Assignee),
        (status = 400, description = "A value is wrong or missing", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "Neither admin nor that assignee", body = ApiError),
        (status = 404, description = "No such assignee", body = ApiError),
        (status = 413, description = "The body is too large", body = ApiError),
    )
)]
async fn change(
    State(lab): State<Lab>,
    actor: Actor,
    Path((id, which)): Path<(i64, String)>,
    Body(change): Body<AssigneeChange>,
) -> Result<Tagged<Assignee>, LabError> {
    assignments::change(&lab, &actor, id, parse(&which)?, change).await.map(Tagged)
}

/// Take a machine back (admins), or give it back (that assignee)
#[utoipa::path(
    delete, path = "/machine/{id}/assignee/{assignee}", tag = "assignee",
    params(("id" = i64, Path, description = "The machine's id"), ("assignee" = String, Path, description = "The assignee's id, or `self`")),
    responses(
        (status = 204, description = "Deleted"),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "Neither admin nor that assignee", body = ApiError),
        (status = 404, description = "No such assignee", body = ApiError),
    )
)]
async fn delete(State(lab): State<Lab>, actor: Actor, Path((id, which)): Path<(i64, String)>) -> Result<StatusCode, LabError> {
    assignments::delete(&lab, &actor, id, parse(&which)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Any other word names nobody.
fn parse(which: &str) -> Result<Which, LabError> {
    match which {
        "self" => Ok(Which::Own),
        id => id.parse().map(Which::Id).map_err(|_| LabError::not_found("assignee not found")),
    }
}
