//! `/arch`: everybody reads, admins change.

use app::api::{ApiError, Arch, ArchInput, Subarch, SubarchInput};
use axum::{Json, extract::State, http::StatusCode};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Deletion;
use crate::{
    http::{
        extract::{Body, Path, Query},
        tagged::Tagged,
    },
    lab::{Actor, Lab, LabError, archs},
};

pub fn router() -> OpenApiRouter<Lab> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(get, change, delete)).routes(routes!(create_subarch)).routes(routes!(
        get_subarch,
        change_subarch,
        delete_subarch
    ))
}

/// All architectures with their flavours, by name
#[utoipa::path(
    get, path = "/arch", tag = "arch",
    responses(
        (status = 200, description = "All of them", body = Vec<Arch>),
        (status = 401, description = "Not logged in", body = ApiError),
    )
)]
async fn list(State(lab): State<Lab>, actor: Actor) -> Result<Json<Vec<Arch>>, LabError> {
    archs::list(&lab, &actor).await.map(Json)
}

/// Make an architecture (admins)
#[utoipa::path(
    post, path = "/arch", tag = "arch", request_body = ArchInput,
    responses(
        (status = 201, description = "Made", body = Arch),
        (status = 400, description = "A value is wrong", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "No admin", body = ApiError),
        (status = 409, description = "The name is taken", body = ApiError),
        (status = 413, description = "The body is too large", body = ApiError),
    )
)]
async fn create(State(lab): State<Lab>, actor: Actor, Body(new): Body<ArchInput>) -> Result<(StatusCode, Json<Arch>), LabError> {
    let made = archs::create(&lab, &actor, new).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// One architecture
#[utoipa::path(
    get, path = "/arch/{id}", tag = "arch", params(("id" = i64, Path, description = "Its id")),
    responses(
        (status = 200, description = "It", body = Arch),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 404, description = "No such architecture", body = ApiError),
    )
)]
async fn get(State(lab): State<Lab>, actor: Actor, Path(id): Path<i64>) -> Result<Tagged<Arch>, LabError> {
    archs::get(&lab, &actor, id).await.map(Tagged)
}

/// Change an architecture (admins)
#[utoipa::path(
    put, path = "/arch/{id}", tag = "arch", params(("id" = i64, Path, description = "Its id")), request_body = ArchInput,
    responses(
        (status = 200, description = "As changed", body = Arch),
        (status = 400, description = "A value is wrong", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "No admin", body = ApiError),
        (status = 404, description = "No such architecture", body = ApiError),
        (status = 409, description = "The name is taken", body = ApiError),
        (status = 413, description = "The body is too large", body = ApiError),
    )
)]
async fn change(
    State(lab): State<Lab>,
    actor: Actor,
    Path(id): Path<i64>,
    Body(change): Body<ArchInput>,
) -> Result<Tagged<Arch>, LabError> {
    archs::change(&lab, &actor, id, change).await.map(Tagged)
}

/// Delete an architecture that nothing uses (admins)
#[utoipa::path(
    delete, path = "/arch/{id}", tag = "arch", params(("id" = i64, Path, description = "Its id"), Deletion),
    responses(
        (status = 204, description = "Deleted"),
        (status = 400, description = "A parameter is wrong, or what is to take its place does not fit", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "No admin", body = ApiError),
        (status = 404, description = "No such architecture", body = ApiError),
        (status = 409, description = "In use; the text lists by what", body = ApiError),
    )
)]
async fn delete(
    State(lab): State<Lab>,
    actor: Actor,
    Path(id): Path<i64>,
    Query(deletion): Query<Deletion>,
) -> Result<StatusCode, LabError> {
    archs::delete(&lab, &actor, id, deletion.instead()?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Make a flavour of an architecture (admins)
#[utoipa::path(
    post, path = "/arch/{id}/subarch", tag = "arch",
    params(("id" = i64, Path, description = "The architecture's id")), request_body = SubarchInput,
    responses(
        (status = 201, description = "Made", body = Subarch),
        (status = 400, description = "A value is wrong, or the bootloader does not fit", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "No admin", body = ApiError),
        (status = 404, description = "No such architecture", body = ApiError),
        (status = 409, description = "The name is taken", body = ApiError),
        (status = 413, description = "The body is too large", body = ApiError),
    )
)]
async fn create_subarch(
    State(lab): State<Lab>,
    actor: Actor,
    Path(id): Path<i64>,
    Body(new): Body<SubarchInput>,
) -> Result<(StatusCode, Json<Subarch>), LabError> {
    let made = archs::create_subarch(&lab, &actor, id, new).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// Change a flavour (admins)
#[utoipa::path(
    put, path = "/arch/{id}/subarch/{subarch}", tag = "arch",
    params(("id" = i64, Path, description = "The architecture's id"), ("subarch" = i64, Path, description = "The flavour's id")),
    request_body = SubarchInput,
    responses(
        (status = 200, description = "As changed", body = Subarch),
        (status = 400, description = "A value is wrong, or the bootloader does not fit", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "No admin", body = ApiError),
        (status = 404, description = "No such flavour", body = ApiError),
        (status = 409, description = "The name is taken, or machines boot with the bootloader", body = ApiError),
        (status = 413, description = "The body is too large", body = ApiError),
    )
)]
async fn change_subarch(
    State(lab): State<Lab>,
    actor: Actor,
    Path((id, subarch)): Path<(i64, i64)>,
    Body(change): Body<SubarchInput>,
) -> Result<Tagged<Subarch>, LabError> {
    archs::change_subarch(&lab, &actor, id, subarch, change).await.map(Tagged)
}

/// A flavour
#[utoipa::path(
    get, path = "/arch/{id}/subarch/{subarch}", tag = "arch",
    params(("id" = i64, Path, description = "The architecture's id"), ("subarch" = i64, Path, description = "The flavour's id")),
    responses(
        (status = 200, description = "The flavour", body = Subarch),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 404, description = "No such flavour", body = ApiError),
    )
)]
async fn get_subarch(State(lab): State<Lab>, actor: Actor, Path((id, subarch)): Path<(i64, i64)>) -> Result<Tagged<Subarch>, LabError> {
    archs::get_subarch(&lab, &actor, id, subarch).await.map(Tagged)
}

/// Delete a flavour that no machine has (admins)
#[utoipa::path(
    delete, path = "/arch/{id}/subarch/{subarch}", tag = "arch",
    params(("id" = i64, Path, description = "The architecture's id"), ("subarch" = i64, Path, description = "The flavour's id"), Deletion),
    responses(
        (status = 204, description = "Deleted"),
        (status = 400, description = "A parameter is wrong, or what is to take its place does not fit", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "No admin", body = ApiError),
        (status = 404, description = "No such flavour", body = ApiError),
        (status = 409, description = "In use; the text lists by what", body = ApiError),
    )
)]
async fn delete_subarch(
    State(lab): State<Lab>,
    actor: Actor,
    Path((id, subarch)): Path<(i64, i64)>,
    Query(deletion): Query<Deletion>,
) -> Result<StatusCode, LabError> {
    archs::delete_subarch(&lab, &actor, id, subarch, deletion.instead()?).await?;
    Ok(StatusCode::NO_CONTENT)
}
