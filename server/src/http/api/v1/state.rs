//! `/machine/{id}/state`

use app::api::{ApiError, OutcomeRequest, Provision, ProvisionRequest, StateAnswer};
use axum::{Json, extract::State, http::StatusCode};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    http::extract::{Body, Path},
    lab::{Actor, Lab, LabError, provision},
};

pub fn router() -> OpenApiRouter<Lab> {
    OpenApiRouter::new().routes(routes!(get, start, finish))
}

/// How far a machine's provisioning is
#[utoipa::path(
    get,
    path = "/machine/{id}/state",
    tag = "provisioning",
    operation_id = "get_state",
    params(("id" = i64, Path, description = "The machine's id")),
    responses(
        (status = 200, description = "The state", body = StateAnswer),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 404, description = "No such machine", body = ApiError),
    )
)]
async fn get(State(lab): State<Lab>, actor: Actor, Path(id): Path<i64>) -> Result<Json<StateAnswer>, LabError> {
    let state = provision::state(&lab, &actor, id).await?;
    Ok(Json(StateAnswer { state }))
}

/// Provision a machine
///
/// Switches netboot on, sets the state to `provisioning`, sets the boot device and resets the machine, or powers it on.
#[utoipa::path(
    post,
    path = "/machine/{id}/state",
    tag = "provisioning",
    operation_id = "provision",
    params(("id" = i64, Path, description = "The machine's id")),
    request_body = ProvisionRequest,
    responses(
        (status = 202, description = "The machine is booting from the network", body = StateAnswer),
        (status = 400, description = "A BMC, kernel, subarch or bootloader is missing", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "Neither admin nor assignee", body = ApiError),
        (status = 404, description = "No such machine", body = ApiError),
        (status = 500, description = "The BMC failed or refused; nothing was changed", body = ApiError),
    )
)]
async fn start(
    State(lab): State<Lab>,
    actor: Actor,
    Path(id): Path<i64>,
    Body(request): Body<ProvisionRequest>,
) -> Result<(StatusCode, Json<StateAnswer>), LabError> {
    // the only word there is
    let Provision::Provision = request.state;
    let state = provision::start(&lab, &actor, id).await?;
    Ok((StatusCode::ACCEPTED, Json(StateAnswer { state })))
}

/// Say how a provisioning ended
#[utoipa::path(
    put,
    path = "/machine/{id}/state",
    tag = "provisioning",
    operation_id = "set_state",
    params(("id" = i64, Path, description = "The machine's id")),
    request_body = OutcomeRequest,
    responses(
        (status = 200, description = "The new state", body = StateAnswer),
        (status = 400, description = "A word that is no outcome", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "Neither admin nor assignee", body = ApiError),
        (status = 404, description = "No such machine", body = ApiError),
    )
)]
async fn finish(
    State(lab): State<Lab>,
    actor: Actor,
    Path(id): Path<i64>,
    Body(request): Body<OutcomeRequest>,
) -> Result<Json<StateAnswer>, LabError> {
    let state = provision::finish(&lab, &actor, id, request.state).await?;
    Ok(Json(StateAnswer { state }))
}
