//! `/machine/{id}/event`

use app::api::{ApiError, Event};
use axum::{Json, extract::State};
use serde::Deserialize;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    http::extract::{Path, Query},
    lab::{Actor, Lab, LabError, machines},
};

/// Events of one answer, unless it is said.
const LIMIT: u32 = 50;
const MOST: u32 = 500;

pub fn router() -> OpenApiRouter<Lab> {
    OpenApiRouter::new().routes(routes!(list))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Page {
    /// Only events before this one: the last id of the page before.
    before: Option<i64>,
    /// How many: 50 unless said, at most 500.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// What happened to a machine, newest first
#[utoipa::path(
    get, path = "/machine/{id}/event", tag = "event",
    params(("id" = i64, Path, description = "The machine's id"), Page),
    responses(
        (status = 200, description = "The events", body = Vec<Event>),
        (status = 400, description = "A parameter is wrong", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 404, description = "No such machine", body = ApiError),
    )
)]
async fn list(State(lab): State<Lab>, actor: Actor, Path(id): Path<i64>, Query(page): Query<Page>) -> Result<Json<Vec<Event>>, LabError> {
    let limit = page.limit.unwrap_or(LIMIT).clamp(1, MOST);
    machines::events(&lab, &actor, id, page.before, limit).await.map(Json)
}
