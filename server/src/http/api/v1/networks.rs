//! `/network`: everybody reads, admins change.

use app::api::{ApiError, FreeAddresses, Network, NetworkInput};
use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Deletion;
use crate::{
    http::{
        extract::{Body, Path, Query},
        tagged::Tagged,
    },
    lab::{Actor, Lab, LabError, networks},
};

pub fn router() -> OpenApiRouter<Lab> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(get, change, delete)).routes(routes!(free))
}

/// All networks, by name
#[utoipa::path(
    get, path = "/network", tag = "network",
    responses(
        (status = 200, description = "All of them", body = Vec<Network>),
        (status = 401, description = "Not logged in", body = ApiError),
    )
)]
async fn list(State(lab): State<Lab>, actor: Actor) -> Result<Json<Vec<Network>>, LabError> {
    networks::list(&lab, &actor).await.map(Json)
}

/// Make a network (admins)
#[utoipa::path(
    post, path = "/network", tag = "network", request_body = NetworkInput,
    responses(
        (status = 201, description = "Made", body = Network),
        (status = 400, description = "A value is wrong", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "No admin", body = ApiError),
        (status = 409, description = "The name is taken, or the subnet overlaps another", body = ApiError),
        (status = 413, description = "The body is too large", body = ApiError),
    )
)]
async fn create(State(lab): State<Lab>, actor: Actor, Body(new): Body<NetworkInput>) -> Result<(StatusCode, Json<Network>), LabError> {
    let made = networks::create(&lab, &actor, new).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// One network
#[utoipa::path(
    get, path = "/network/{id}", tag = "network", params(("id" = i64, Path, description = "Its id")),
    responses(
        (status = 200, description = "It", body = Network),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 404, description = "No such network", body = ApiError),
    )
)]
async fn get(State(lab): State<Lab>, actor: Actor, Path(id): Path<i64>) -> Result<Tagged<Network>, LabError> {
    networks::get(&lab, &actor, id).await.map(Tagged)
}

/// Change a network (admins)
#[utoipa::path(
    put, path = "/network/{id}", tag = "network", params(("id" = i64, Path, description = "Its id")), request_body = NetworkInput,
    responses(
        (status = 200, description = "As changed", body = Network),
        (status = 400, description = "A value is wrong", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "No admin", body = ApiError),
        (status = 404, description = "No such network", body = ApiError),
        (status = 409, description = "The name is taken, the subnet overlaps another, or an address in use would be outside the pools", body = ApiError),
        (status = 413, description = "The body is too large", body = ApiError),
    )
)]
async fn change(
    State(lab): State<Lab>,
    actor: Actor,
    Path(id): Path<i64>,
    Body(change): Body<NetworkInput>,
) -> Result<Tagged<Network>, LabError> {
    networks::change(&lab, &actor, id, change).await.map(Tagged)
}

/// Delete a network that nothing uses (admins)
#[utoipa::path(
    delete, path = "/network/{id}", tag = "network", params(("id" = i64, Path, description = "Its id"), Deletion),
    responses(
        (status = 204, description = "Deleted"),
        (status = 400, description = "A parameter is wrong, or what is to take its place does not fit", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "No admin", body = ApiError),
        (status = 404, description = "No such network", body = ApiError),
        (status = 409, description = "In use; the text lists by what", body = ApiError),
    )
)]
async fn delete(
    State(lab): State<Lab>,
    actor: Actor,
    Path(id): Path<i64>,
    Query(deletion): Query<Deletion>,
) -> Result<StatusCode, LabError> {
    networks::delete(&lab, &actor, id, deletion.instead()?).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Most {
    /// How many of each pool: 25 unless said, at most 100.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

/// Addresses of a network's pools that nobody has
#[utoipa::path(
    get, path = "/network/{id}/free", tag = "network", params(("id" = i64, Path, description = "Its id"), Most),
    responses(
        (status = 200, description = "The lowest ones", body = FreeAddresses),
        (status = 400, description = "A parameter is wrong", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 404, description = "No such network", body = ApiError),
    )
)]
async fn free(
    State(lab): State<Lab>,
    actor: Actor,
    Path(id): Path<i64>,
    Query(most): Query<Most>,
) -> Result<Json<FreeAddresses>, LabError> {
    let limit = most.limit.unwrap_or(25);
    if !(1..=100).contains(&limit) {
        return Err(LabError::invalid("limit must be a number from 1 to 100"));
    }
    networks::free(&lab, &actor, id, limit as usize).await.map(Json)
}
