//! `/machine/{id}/fru`, `/machine/{id}/sensors`, `/machine/{id}/sel`

use app::api::{ApiError, Fru, SelEntry, Sensor};
use axum::{Json, extract::State};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    http::extract::Path,
    lab::{Actor, Lab, LabError, hardware},
};

pub fn router() -> OpenApiRouter<Lab> {
    OpenApiRouter::new().routes(routes!(fru)).routes(routes!(sensors)).routes(routes!(sel))
}

/// A machine's inventory, read from its BMC now
#[utoipa::path(
    get,
    path = "/machine/{id}/fru",
    tag = "hardware",
    params(("id" = i64, Path, description = "The machine's id")),
    responses(
        (status = 200, description = "What the makers wrote into it", body = Fru),
        (status = 400, description = "No BMC", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "Neither admin nor assignee", body = ApiError),
        (status = 404, description = "No such machine", body = ApiError),
        (status = 502, description = "The BMC failed or refused", body = ApiError),
        (status = 504, description = "The BMC does not answer", body = ApiError),
    )
)]
async fn fru(State(lab): State<Lab>, actor: Actor, Path(id): Path<i64>) -> Result<Json<Fru>, LabError> {
    hardware::fru(&lab, &actor, id).await.map(Json)
}

/// A machine's sensors, read from its BMC now
#[utoipa::path(
    get,
    path = "/machine/{id}/sensors",
    tag = "hardware",
    params(("id" = i64, Path, description = "The machine's id")),
    responses(
        (status = 200, description = "The sensors with their readings", body = Vec<Sensor>),
        (status = 400, description = "No BMC", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "Neither admin nor assignee", body = ApiError),
        (status = 404, description = "No such machine", body = ApiError),
        (status = 502, description = "The BMC failed or refused", body = ApiError),
        (status = 504, description = "The BMC does not answer", body = ApiError),
    )
)]
async fn sensors(State(lab): State<Lab>, actor: Actor, Path(id): Path<i64>) -> Result<Json<Vec<Sensor>>, LabError> {
    hardware::sensors(&lab, &actor, id).await.map(Json)
}

/// The event log that a machine's BMC keeps, newest first
#[utoipa::path(
    get,
    path = "/machine/{id}/sel",
    tag = "hardware",
    params(("id" = i64, Path, description = "The machine's id")),
    responses(
        (status = 200, description = "The entries", body = Vec<SelEntry>),
        (status = 400, description = "No BMC", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "Neither admin nor assignee", body = ApiError),
        (status = 404, description = "No such machine", body = ApiError),
        (status = 502, description = "The BMC failed or refused", body = ApiError),
        (status = 504, description = "The BMC does not answer", body = ApiError),
    )
)]
async fn sel(State(lab): State<Lab>, actor: Actor, Path(id): Path<i64>) -> Result<Json<Vec<SelEntry>>, LabError> {
    hardware::sel(&lab, &actor, id).await.map(Json)
}
