//! `/overview`

use app::api::{ApiError, Overview};
use axum::{Json, extract::State};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::lab::{Actor, Lab, LabError, overview};

pub fn router() -> OpenApiRouter<Lab> {
    OpenApiRouter::new().routes(routes!(get))
}

/// What the lab is doing now, in short
///
/// Of machines that are not one's own it tells what failed, but neither addresses nor files nor messages.
#[utoipa::path(
    get, path = "/overview", tag = "machine",
    responses(
        (status = 200, description = "The lab in numbers, and by name what one would look at first", body = Overview),
        (status = 401, description = "Not logged in", body = ApiError),
    )
)]
async fn get(State(lab): State<Lab>, actor: Actor) -> Result<Json<Overview>, LabError> {
    overview::overview(&lab, &actor).await.map(Json)
}
