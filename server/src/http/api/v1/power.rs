//! `/machine/{id}/power`

use app::api::{ApiError, PowerAnswer, PowerRequest};
use axum::{Json, extract::State, http::StatusCode};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    http::extract::{Body, Path},
    lab::{Actor, Lab, LabError, power},
};

pub fn router() -> OpenApiRouter<Lab> {
    OpenApiRouter::new().routes(routes!(ask, act))
}

/// A machine's power, asked of its BMC now
#[utoipa::path(
    get,
    path = "/machine/{id}/power",
    tag = "power",
    params(("id" = i64, Path, description = "The machine's id")),
    responses(
        (status = 200, description = "The power; `Unknown (BMC error)` when the BMC does not answer", body = PowerAnswer),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 404, description = "No such machine", body = ApiError),
    )
)]
async fn ask(State(lab): State<Lab>, actor: Actor, Path(id): Path<i64>) -> Result<Json<PowerAnswer>, LabError> {
    power::ask(&lab, &actor, id).await.map(Json)
}

/// Change a machine's power
#[utoipa::path(
    post,
    path = "/machine/{id}/power",
    tag = "power",
    params(("id" = i64, Path, description = "The machine's id")),
    request_body = PowerRequest,
    responses(
        (status = 202, description = "Done; the power right after it", body = PowerAnswer),
        (status = 400, description = "No BMC, or a word that is no power command", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "Neither admin nor assignee", body = ApiError),
        (status = 404, description = "No such machine", body = ApiError),
        (status = 500, description = "The BMC failed or refused; the text says at which stage", body = ApiError),
    )
)]
async fn act(
    State(lab): State<Lab>,
    actor: Actor,
    Path(id): Path<i64>,
    Body(request): Body<PowerRequest>,
) -> Result<(StatusCode, Json<PowerAnswer>), LabError> {
    let answer = power::act(&lab, &actor, id, request.state).await?;
    Ok((StatusCode::ACCEPTED, Json(answer)))
}
