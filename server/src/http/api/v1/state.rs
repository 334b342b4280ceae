//! `/machine/{id}/state`

use app::api::{ApiError, OutcomeRequest, Provision, ProvisionRequest, StateAnswer};
use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    http::{
        client_address::ClientAddress,
        extract::{Body, Path, Query},
    },
    lab::{Actor, Lab, LabError, provision},
};

pub fn router() -> OpenApiRouter<Lab> {
    OpenApiRouter::new().routes(routes!(get, start, finish)).routes(routes!(phone_home, phone_home_by_get))
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

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Key {
    /// The key in the machine's preseed address; templates have all of it as `phone_home_url`.
    k: Option<String>,
}

/// The installed system says that it is up
///
/// A provisioning ends with it: the state becomes `ready`, and netboot is switched off. A body is not read.
#[utoipa::path(
    post,
    path = "/machine/{id}/phone-home",
    tag = "provisioning",
    operation_id = "phone_home",
    params(("id" = i64, Path, description = "The machine's id"), Key),
    security(()),
    responses(
        (status = 200, description = "The state", body = StateAnswer),
        (status = 403, description = "The key is not the machine's, or there is no such machine", body = ApiError),
    )
)]
async fn phone_home(
    State(lab): State<Lab>,
    client: ClientAddress,
    Path(id): Path<i64>,
    Query(key): Query<Key>,
) -> Result<Json<StateAnswer>, LabError> {
    let state = provision::phone_home(&lab, id, &key.k.unwrap_or_default(), client.0).await?;
    Ok(Json(StateAnswer { state }))
}

/// The same, for installers that can only fetch
#[utoipa::path(
    get,
    path = "/machine/{id}/phone-home",
    tag = "provisioning",
    operation_id = "phone_home_by_get",
    params(("id" = i64, Path, description = "The machine's id"), Key),
    security(()),
    responses(
        (status = 200, description = "The state", body = StateAnswer),
        (status = 403, description = "The key is not the machine's, or there is no such machine", body = ApiError),
    )
)]
async fn phone_home_by_get(
    State(lab): State<Lab>,
    client: ClientAddress,
    Path(id): Path<i64>,
    Query(key): Query<Key>,
) -> Result<Json<StateAnswer>, LabError> {
    let state = provision::phone_home(&lab, id, &key.k.unwrap_or_default(), client.0).await?;
    Ok(Json(StateAnswer { state }))
}
