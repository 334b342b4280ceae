//! `/machine/{id}/interface`

use app::api::{ApiError, Interface, InterfaceChange, NewInterface};
use axum::{Json, extract::State, http::StatusCode};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    http::{
        extract::{Body, Path},
        tagged::Tagged,
    },
    lab::{Actor, Lab, LabError, interfaces},
};

pub fn router() -> OpenApiRouter<Lab> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(get, change, delete))
}

/// A machine's interfaces
#[utoipa::path(
    get, path = "/machine/{id}/interface", tag = "interface", params(("id" = i64, Path, description = "The machine's id")),
    responses(
        (status = 200, description = "The interfaces", body = Vec<Interface>),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 404, description = "No such machine", body = ApiError),
    )
)]
async fn list(State(lab): State<Lab>, actor: Actor, Path(id): Path<i64>) -> Result<Json<Vec<Interface>>, LabError> {
    interfaces::list(&lab, &actor, id).await.map(Json)
}

/// Give a machine an interface (admins)
///
/// With its address, or without one: `configured_ipv4` may be `auto`, the first free address of the pool. What is refused leaves no
/// interface behind.
#[utoipa::path(
    post, path = "/machine/{id}/interface", tag = "interface",
    params(("id" = i64, Path, description = "The machine's id")), request_body = NewInterface,
    responses(
        (status = 201, description = "The interface", body = Interface),
        (status = 400, description = "A value is wrong, there is no such network, or the address is outside its pool", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "No admin", body = ApiError),
        (status = 404, description = "No such machine", body = ApiError),
        (status = 409, description = "The MAC or the address is taken, or no address is free", body = ApiError),
        (status = 413, description = "The body is too large", body = ApiError),
    )
)]
async fn create(
    State(lab): State<Lab>,
    actor: Actor,
    Path(id): Path<i64>,
    Body(new): Body<NewInterface>,
) -> Result<(StatusCode, Json<Interface>), LabError> {
    let interface = interfaces::create(&lab, &actor, id, new).await?;
    Ok((StatusCode::CREATED, Json(interface)))
}

/// One interface
#[utoipa::path(
    get, path = "/machine/{id}/interface/{interface}", tag = "interface",
    params(("id" = i64, Path, description = "The machine's id"), ("interface" = i64, Path, description = "The interface's id")),
    responses(
        (status = 200, description = "The interface", body = Interface),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 404, description = "No such interface", body = ApiError),
    )
)]
async fn get(State(lab): State<Lab>, actor: Actor, Path((id, interface)): Path<(i64, i64)>) -> Result<Tagged<Interface>, LabError> {
    interfaces::get(&lab, &actor, id, interface).await.map(Tagged)
}

/// Change an interface
///
/// Absent members stay as they are. `configured_ipv4` may be `auto`: the first free address of the pool.
#[utoipa::path(
    put, path = "/machine/{id}/interface/{interface}", tag = "interface",
    params(("id" = i64, Path, description = "The machine's id"), ("interface" = i64, Path, description = "The interface's id")),
    request_body = InterfaceChange,
    responses(
        (status = 200, description = "The interface as changed", body = Interface),
        (status = 400, description = "A value is wrong, outside its pool or missing", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "Neither admin nor assignee; MAC and network are the admins'", body = ApiError),
        (status = 404, description = "No such interface", body = ApiError),
        (status = 409, description = "The MAC or address is taken, or no address is free", body = ApiError),
        (status = 413, description = "The body is too large", body = ApiError),
    )
)]
async fn change(
    State(lab): State<Lab>,
    actor: Actor,
    Path((id, interface)): Path<(i64, i64)>,
    Body(change): Body<InterfaceChange>,
) -> Result<Tagged<Interface>, LabError> {
    interfaces::change(&lab, &actor, id, interface, change).await.map(Tagged)
}

/// Delete an interface (admins)
#[utoipa::path(
    delete, path = "/machine/{id}/interface/{interface}", tag = "interface",
    params(("id" = i64, Path, description = "The machine's id"), ("interface" = i64, Path, description = "The interface's id")),
    responses(
        (status = 204, description = "Deleted"),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "No admin", body = ApiError),
        (status = 404, description = "No such interface", body = ApiError),
    )
)]
async fn delete(State(lab): State<Lab>, actor: Actor, Path((id, interface)): Path<(i64, i64)>) -> Result<StatusCode, LabError> {
    interfaces::delete(&lab, &actor, id, interface).await?;
    Ok(StatusCode::NO_CONTENT)
}
