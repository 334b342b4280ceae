//! `/discovered`: MACs that asked for an address and that no machine has (admins).

use app::api::{ApiError, DiscoveredChange, DiscoveredInterface, DiscoveredMac, Interface, Machine, NewMachine};
use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    http::{
        extract::{Body, Path, Query},
        tagged::Tagged,
    },
    lab::{Actor, Lab, LabError, discovery},
};

pub fn router() -> OpenApiRouter<Lab> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get, change, delete))
        .routes(routes!(into_machine))
        .routes(routes!(into_interface))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Which {
    /// `true`: dismissed ones, too.
    dismissed: Option<String>,
}

/// MACs nobody registered, last seen first (admins)
#[utoipa::path(
    get, path = "/discovered", tag = "dhcp", params(Which),
    responses(
        (status = 200, description = "The MACs", body = Vec<DiscoveredMac>),
        (status = 400, description = "A parameter is wrong", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "No admin", body = ApiError),
    )
)]
async fn list(State(lab): State<Lab>, actor: Actor, Query(which): Query<Which>) -> Result<Json<Vec<DiscoveredMac>>, LabError> {
    discovery::list(&lab, &actor, super::is_true(which.dismissed.as_deref())).await.map(Json)
}

/// One MAC nobody registered (admins)
#[utoipa::path(
    get, path = "/discovered/{id}", tag = "dhcp", operation_id = "get_discovered", params(("id" = i64, Path, description = "Its id")),
    responses(
        (status = 200, description = "The MAC", body = DiscoveredMac),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "No admin", body = ApiError),
        (status = 404, description = "No such MAC", body = ApiError),
    )
)]
async fn get(State(lab): State<Lab>, actor: Actor, Path(id): Path<i64>) -> Result<Tagged<DiscoveredMac>, LabError> {
    discovery::get(&lab, &actor, id).await.map(Tagged)
}

/// Dismiss a MAC, or take that back (admins)
#[utoipa::path(
    put, path = "/discovered/{id}", tag = "dhcp", operation_id = "dismiss_discovered",
    params(("id" = i64, Path, description = "Its id")), request_body = DiscoveredChange,
    responses(
        (status = 200, description = "As changed", body = DiscoveredMac),
        (status = 400, description = "A value is wrong", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "No admin", body = ApiError),
        (status = 404, description = "No such MAC", body = ApiError),
        (status = 413, description = "The body is too large", body = ApiError),
    )
)]
async fn change(
    State(lab): State<Lab>,
    actor: Actor,
    Path(id): Path<i64>,
    Body(change): Body<DiscoveredChange>,
) -> Result<Tagged<DiscoveredMac>, LabError> {
    discovery::change(&lab, &actor, id, change).await.map(Tagged)
}

/// Forget a MAC until it asks again (admins)
#[utoipa::path(
    delete, path = "/discovered/{id}", tag = "dhcp", operation_id = "forget_discovered",
    params(("id" = i64, Path, description = "Its id")),
    responses(
        (status = 204, description = "Forgotten"),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "No admin", body = ApiError),
        (status = 404, description = "No such MAC", body = ApiError),
    )
)]
async fn delete(State(lab): State<Lab>, actor: Actor, Path(id): Path<i64>) -> Result<StatusCode, LabError> {
    discovery::delete(&lab, &actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Make a machine of a MAC (admins)
///
/// As `POST /machine`, with this MAC before those of the body.
#[utoipa::path(
    post, path = "/discovered/{id}/machine", tag = "dhcp", operation_id = "discovered_machine",
    params(("id" = i64, Path, description = "Its id")), request_body = NewMachine,
    responses(
        (status = 201, description = "The machine", body = Machine),
        (status = 400, description = "A value is wrong, or names nothing", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "No admin", body = ApiError),
        (status = 404, description = "No such MAC", body = ApiError),
        (status = 409, description = "The name or another MAC is taken", body = ApiError),
        (status = 413, description = "The body is too large", body = ApiError),
    )
)]
async fn into_machine(
    State(lab): State<Lab>,
    actor: Actor,
    Path(id): Path<i64>,
    Body(new): Body<NewMachine>,
) -> Result<(StatusCode, Json<Machine>), LabError> {
    let machine = discovery::into_machine(&lab, &actor, id, new).await?;
    Ok((StatusCode::CREATED, Json(machine)))
}

/// Give a machine an interface with a MAC (admins)
#[utoipa::path(
    post, path = "/discovered/{id}/interface", tag = "dhcp", operation_id = "discovered_interface",
    params(("id" = i64, Path, description = "Its id")), request_body = DiscoveredInterface,
    responses(
        (status = 201, description = "The interface", body = Interface),
        (status = 400, description = "A value is wrong, or there is no such network", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "No admin", body = ApiError),
        (status = 404, description = "No such MAC, or no such machine", body = ApiError),
        (status = 409, description = "The MAC was taken meanwhile", body = ApiError),
        (status = 413, description = "The body is too large", body = ApiError),
    )
)]
async fn into_interface(
    State(lab): State<Lab>,
    actor: Actor,
    Path(id): Path<i64>,
    Body(new): Body<DiscoveredInterface>,
) -> Result<(StatusCode, Json<Interface>), LabError> {
    let interface = discovery::into_interface(&lab, &actor, id, new).await?;
    Ok((StatusCode::CREATED, Json(interface)))
}
