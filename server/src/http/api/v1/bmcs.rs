//! `/bmc`: everybody reads, admins change.

use app::api::{ApiError, Bmc, BmcInput};
use axum::{Json, extract::State, http::StatusCode};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Deletion;
use crate::{
    http::{
        extract::{Body, Path, Query},
        tagged::Tagged,
    },
    lab::{Actor, Lab, LabError, bmcs},
};

pub fn router() -> OpenApiRouter<Lab> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(get, change, delete))
}

/// All BMCs, by name
#[utoipa::path(
    get, path = "/bmc", tag = "bmc",
    responses(
        (status = 200, description = "All of them", body = Vec<Bmc>),
        (status = 401, description = "Not logged in", body = ApiError),
    )
)]
async fn list(State(lab): State<Lab>, actor: Actor) -> Result<Json<Vec<Bmc>>, LabError> {
    bmcs::list(&lab, &actor).await.map(Json)
}

/// Make a BMC (admins)
#[utoipa::path(
    post, path = "/bmc", tag = "bmc", request_body = BmcInput,
    responses(
        (status = 201, description = "Made", body = Bmc),
        (status = 400, description = "A value is wrong", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "No admin", body = ApiError),
        (status = 409, description = "The name or address is taken", body = ApiError),
        (status = 413, description = "The body is too large", body = ApiError),
    )
)]
async fn create(State(lab): State<Lab>, actor: Actor, Body(new): Body<BmcInput>) -> Result<(StatusCode, Json<Bmc>), LabError> {
    let made = bmcs::create(&lab, &actor, new).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// One BMC
#[utoipa::path(
    get, path = "/bmc/{id}", tag = "bmc", params(("id" = i64, Path, description = "Its id")),
    responses(
        (status = 200, description = "It", body = Bmc),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 404, description = "No such BMC", body = ApiError),
    )
)]
async fn get(State(lab): State<Lab>, actor: Actor, Path(id): Path<i64>) -> Result<Tagged<Bmc>, LabError> {
    bmcs::get(&lab, &actor, id).await.map(Tagged)
}

/// Change a BMC (admins)
#[utoipa::path(
    put, path = "/bmc/{id}", tag = "bmc", params(("id" = i64, Path, description = "Its id")), request_body = BmcInput,
    responses(
        (status = 200, description = "As changed", body = Bmc),
        (status = 400, description = "A value is wrong", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "No admin", body = ApiError),
        (status = 404, description = "No such BMC", body = ApiError),
        (status = 409, description = "The name or address is taken, or a machine behind it does not fit the type", body = ApiError),
        (status = 413, description = "The body is too large", body = ApiError),
    )
)]
async fn change(State(lab): State<Lab>, actor: Actor, Path(id): Path<i64>, Body(change): Body<BmcInput>) -> Result<Tagged<Bmc>, LabError> {
    bmcs::change(&lab, &actor, id, change).await.map(Tagged)
}

/// Delete a BMC that nothing uses (admins)
#[utoipa::path(
    delete, path = "/bmc/{id}", tag = "bmc", params(("id" = i64, Path, description = "Its id"), Deletion),
    responses(
        (status = 204, description = "Deleted"),
        (status = 400, description = "A parameter is wrong, or what is to take its place does not fit", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "No admin", body = ApiError),
        (status = 404, description = "No such BMC", body = ApiError),
        (status = 409, description = "In use; the text lists by what", body = ApiError),
    )
)]
async fn delete(
    State(lab): State<Lab>,
    actor: Actor,
    Path(id): Path<i64>,
    Query(deletion): Query<Deletion>,
) -> Result<StatusCode, LabError> {
    bmcs::delete(&lab, &actor, id, deletion.instead()?).await?;
    Ok(StatusCode::NO_CONTENT)
}
