//! `/lease`

use app::api::{ApiError, Lease};
use axum::{Json, extract::State};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::lab::{Actor, Lab, LabError, leases};

pub fn router() -> OpenApiRouter<Lab> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Addresses that DHCP gave out, last seen first
///
/// Of machines; admins are told of those of unknown MACs, too.
#[utoipa::path(
    get, path = "/lease", tag = "dhcp",
    responses(
        (status = 200, description = "The leases", body = Vec<Lease>),
        (status = 401, description = "Not logged in", body = ApiError),
    )
)]
async fn list(State(lab): State<Lab>, actor: Actor) -> Result<Json<Vec<Lease>>, LabError> {
    leases::list(&lab, &actor).await.map(Json)
}
