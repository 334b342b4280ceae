//! `/machine`

use app::api::{ApiError, Machine, MachineChange, NewMachine, Reservation, query::Query as Fitting};
use axum::{
    Extension, Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    http::{
        extract::{Body, Path, Query},
        lists::{Asked, Paged, Place},
        tagged::Tagged,
    },
    lab::{
        Actor, Lab, LabError,
        machines::{self, Slice},
    },
};

pub fn router() -> OpenApiRouter<Lab> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(reserve)).routes(routes!(get, change, delete))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Search {
    /// `true`: all machines, else those assigned to the caller.
    show_all: Option<String>,
    /// Only machines that fit, e.g. `(and (= arch "arm64") (= assignee_count 0))`. Operators: `and or = != > >= < <= =~`;
    /// symbols: `name arch subarch bmc_type state assignee assignee_count interface_count mac network netboot_enabled tag`.
    q: Option<String>,
}

/// Machines, by name
///
/// Those assigned to the caller, or with `show_all=true` all.
#[utoipa::path(
    get, path = "/machine", tag = "machine", params(Search),
    responses(
        (status = 200, description = "The machines", body = Vec<Machine>),
        (status = 400, description = "A parameter is wrong", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
    )
)]
async fn list(
    State(lab): State<Lab>,
    actor: Actor,
    asked: Option<Extension<Asked>>,
    Query(search): Query<Search>,
) -> Result<Response, LabError> {
    let fitting = Fitting::parse(search.q.as_deref().unwrap_or_default()).map_err(|fault| LabError::invalid(fault.to_string()))?;
    let all = super::is_true(search.show_all.as_deref());
    if let Some(slice) = asked.and_then(|Extension(asked)| slice(&asked)) {
        let part = machines::part(&lab, &actor, all, &fitting, &slice).await?;
        let last = part.machines.last().filter(|_| part.more);
        let next = last.map(|machine| Place { value: machine.name.as_str().into(), key: machine.id.into() });
        return Ok((Extension(Paged { total: part.total, next }), Json(part.machines)).into_response());
    }
    if all && fitting.is_all() {
        let list = machines::list_all(&lab, &actor).await?;
        return Ok(([(header::CONTENT_TYPE, "application/json")], list).into_response());
    }
    Ok(Json(machines::list(&lab, &actor, all, &fitting).await?).into_response())
}

/// Pages by name are what is mostly asked for: of a large lab the rest is not even written.
fn slice(asked: &Asked) -> Option<Slice> {
    let after = match &asked.after {
        Some(place) => Some((place.value.as_str()?.to_owned(), place.key.as_i64()?)),
        None => None,
    };
    asked.is_slice_by("name").then_some(Slice { after, downwards: asked.order.downwards, limit: asked.limit })
}

/// Make a machine with its interfaces (admins)
#[utoipa::path(
    post, path = "/machine", tag = "machine", request_body = NewMachine,
    responses(
        (status = 201, description = "The machine", body = Machine),
        (status = 400, description = "A value is wrong, or names nothing", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "No admin", body = ApiError),
        (status = 409, description = "The name or a MAC is taken", body = ApiError),
        (status = 413, description = "The body is too large", body = ApiError),
    )
)]
async fn create(State(lab): State<Lab>, actor: Actor, Body(new): Body<NewMachine>) -> Result<(StatusCode, Json<Machine>), LabError> {
    let machine = machines::create(&lab, &actor, new).await?;
    Ok((StatusCode::CREATED, Json(machine)))
}

/// Reserve a machine that nobody has
///
/// The first one, by name, that fits the query becomes the caller's.
#[utoipa::path(
    post, path = "/machine/reservation", tag = "machine", request_body = Reservation,
    responses(
        (status = 200, description = "The machine, assigned to the caller", body = Machine),
        (status = 400, description = "The query is not understood or missing, or a value is wrong", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 404, description = "No machine that fits is free", body = ApiError),
        (status = 413, description = "The body is too large", body = ApiError),
    )
)]
async fn reserve(State(lab): State<Lab>, actor: Actor, Body(wanted): Body<Reservation>) -> Result<Json<Machine>, LabError> {
    machines::reserve(&lab, &actor, wanted).await.map(Json)
}

/// One machine
#[utoipa::path(
    get, path = "/machine/{id}", tag = "machine", params(("id" = i64, Path, description = "The machine's id")),
    responses(
        (status = 200, description = "The machine", body = Machine),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 404, description = "No such machine", body = ApiError),
    )
)]
async fn get(State(lab): State<Lab>, actor: Actor, Path(id): Path<i64>) -> Result<Tagged<Machine>, LabError> {
    machines::get(&lab, &actor, id).await.map(Tagged)
}

/// Change a machine
///
/// Absent members stay as they are, `null` clears. Everything is checked before anything is written.
#[utoipa::path(
    put, path = "/machine/{id}", tag = "machine", params(("id" = i64, Path, description = "The machine's id")), request_body = MachineChange,
    responses(
        (status = 200, description = "The machine as changed", body = Machine),
        (status = 400, description = "A value is wrong, names nothing, or does not fit the others", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "Neither admin nor assignee, or an image or preseed one may not use", body = ApiError),
        (status = 404, description = "No such machine", body = ApiError),
        (status = 409, description = "The name is taken", body = ApiError),
        (status = 413, description = "The body is too large", body = ApiError),
    )
)]
async fn change(
    State(lab): State<Lab>,
    actor: Actor,
    Path(id): Path<i64>,
    Body(change): Body<MachineChange>,
) -> Result<Tagged<Machine>, LabError> {
    machines::change(&lab, &actor, id, change).await.map(Tagged)
}

/// Delete a machine with its interfaces, assignments and events (admins)
#[utoipa::path(
    delete, path = "/machine/{id}", tag = "machine", params(("id" = i64, Path, description = "The machine's id")),
    responses(
        (status = 204, description = "Deleted"),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "No admin", body = ApiError),
        (status = 404, description = "No such machine", body = ApiError),
    )
)]
async fn delete(State(lab): State<Lab>, actor: Actor, Path(id): Path<i64>) -> Result<StatusCode, LabError> {
    machines::delete(&lab, &actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
