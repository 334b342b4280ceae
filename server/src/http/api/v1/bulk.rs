//! `/bulk`: the same for many machines.

use app::api::{ApiError, BULK_MOST, BulkAssignment, BulkOutcome, BulkPower, BulkProvision, BulkRelease, BulkTags, Id, NewAssignee};
use axum::{Json, extract::State};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    http::{error, extract::Body},
    lab::{Actor, Lab, LabError, bulk},
};

pub fn router() -> OpenApiRouter<Lab> {
    OpenApiRouter::new()
        .routes(routes!(power))
        .routes(routes!(provision))
        .routes(routes!(assign))
        .routes(routes!(release))
        .routes(routes!(tag))
}

/// Change the power of many machines
///
/// Each has its own outcome, in the order asked; one that fails holds up no other.
#[utoipa::path(
    post, path = "/bulk/power", tag = "bulk", request_body = BulkPower,
    responses(
        (status = 200, description = "What became of each", body = Vec<BulkOutcome>),
        (status = 400, description = "No machines, or more than 500", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 413, description = "The body is too large", body = ApiError),
    )
)]
async fn power(State(lab): State<Lab>, actor: Actor, Body(wanted): Body<BulkPower>) -> Result<Json<Vec<BulkOutcome>>, LabError> {
    let done = bulk::power(&lab, &actor, ids(wanted.machines)?, wanted.state).await;
    Ok(Json(done.into_iter().map(|(machine, done)| outcome(machine, 202, done, |power, told| told.power = Some(power))).collect()))
}

/// Provision many machines
///
/// Each as `POST /machine/{id}/state` would, with its own settings and its own outcome, in the order asked.
#[utoipa::path(
    post, path = "/bulk/provision", tag = "bulk", request_body = BulkProvision,
    responses(
        (status = 200, description = "What became of each", body = Vec<BulkOutcome>),
        (status = 400, description = "No machines, or more than 500", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 413, description = "The body is too large", body = ApiError),
    )
)]
async fn provision(State(lab): State<Lab>, actor: Actor, Body(wanted): Body<BulkProvision>) -> Result<Json<Vec<BulkOutcome>>, LabError> {
    let done = bulk::provision(&lab, &actor, ids(wanted.machines)?).await;
    Ok(Json(done.into_iter().map(|(machine, done)| outcome(machine, 202, done, |state, told| told.state = Some(state))).collect()))
}

/// Give many machines to a user (admins)
#[utoipa::path(
    post, path = "/bulk/assignee", tag = "bulk", request_body = BulkAssignment,
    responses(
        (status = 200, description = "What became of each", body = Vec<BulkOutcome>),
        (status = 400, description = "No machines, or more than 500", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 413, description = "The body is too large", body = ApiError),
    )
)]
async fn assign(State(lab): State<Lab>, actor: Actor, Body(wanted): Body<BulkAssignment>) -> Result<Json<Vec<BulkOutcome>>, LabError> {
    let new = NewAssignee { user: wanted.user, reason: wanted.reason };
    let done = bulk::assign(&lab, &actor, ids(wanted.machines)?, &new).await;
    let told = |(machine, done)| outcome(machine, 201, done, |assignee, told| told.assignee = Some(assignee));
    Ok(Json(done.into_iter().map(told).collect()))
}

/// Take many machines from a user (that user, admins)
#[utoipa::path(
    post, path = "/bulk/release", tag = "bulk", request_body = BulkRelease,
    responses(
        (status = 200, description = "What became of each", body = Vec<BulkOutcome>),
        (status = 400, description = "No machines, or more than 500", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 413, description = "The body is too large", body = ApiError),
    )
)]
async fn release(State(lab): State<Lab>, actor: Actor, Body(wanted): Body<BulkRelease>) -> Result<Json<Vec<BulkOutcome>>, LabError> {
    let done = bulk::release(&lab, &actor, ids(wanted.machines)?, &wanted.user).await;
    Ok(Json(done.into_iter().map(|(machine, done)| outcome(machine, 204, done, |(), _| {})).collect()))
}

/// Label many machines
///
/// Each keeps the labels that are neither added nor removed.
#[utoipa::path(
    post, path = "/bulk/tag", tag = "bulk", request_body = BulkTags,
    responses(
        (status = 200, description = "What became of each", body = Vec<BulkOutcome>),
        (status = 400, description = "No machines, more than 500, or a label that is none", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 413, description = "The body is too large", body = ApiError),
    )
)]
async fn tag(State(lab): State<Lab>, actor: Actor, Body(wanted): Body<BulkTags>) -> Result<Json<Vec<BulkOutcome>>, LabError> {
    let done = bulk::tag(&lab, &actor, ids(wanted.machines)?, &wanted.add, &wanted.remove).await;
    Ok(Json(done.into_iter().map(|(machine, done)| outcome(machine, 200, done, |tags, told| told.tags = Some(tags))).collect()))
}

/// Each once, in the order asked.
fn ids(machines: Vec<Id>) -> Result<Vec<i64>, LabError> {
    // as they were sent, which is what the description says of it
    if machines.is_empty() || machines.len() > BULK_MOST {
        return Err(LabError::invalid(format!("machines must be 1 to {BULK_MOST} ids")));
    }
    let mut ids = Vec::new();
    for Id(id) in machines {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(ids)
}

fn outcome<T>(machine: i64, status: u16, done: Result<T, LabError>, put: impl FnOnce(T, &mut BulkOutcome)) -> BulkOutcome {
    let mut told = BulkOutcome { machine, status, power: None, assignee: None, state: None, tags: None, error: None };
    match done {
        Ok(answer) => put(answer, &mut told),
        Err(refused) => {
            let error = error::told(refused);
            told.status = error.status;
            told.error = Some(error);
        }
    }
    told
}
