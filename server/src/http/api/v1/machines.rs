//! `/machine`

use app::api::{ApiError, Machine, MachineChange, NewMachine, Reservation};
use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::json;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    http::{
        extract::{Body, Path, Query},
        lists::{Asked, Paged, Place},
        tagged::{Tagged, TaggedAs},
    },
    lab::{
        Actor, Lab, LabError,
        machines::{self, From, Key, Slice, Wanted},
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
    /// symbols: `name arch subarch bmc_type state power assignee assignee_count interface_count mac network netboot_enabled tag`.
    q: Option<String>,
    /// Only machines in whose names, addresses, people, reasons, labels or state every one of these words occurs, in any case.
    search: Option<String>,
}

/// Machines, by name as people count
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
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let wanted = Wanted::parse(super::is_true(search.show_all.as_deref()), &text(&search.q), &text(&search.search))?;
    if let Some(slice) = asked.and_then(|Extension(asked)| slice(&asked)) {
        let part = machines::part(&lab, &actor, &wanted, &slice).await?;
        let next = part.next.map(|place| Place { value: json!([place.value, place.name]), key: place.id.into() });
        return Ok((Extension(Paged { total: part.total, next }), JSON, part.machines).into_response());
    }
    Ok((JSON, machines::list(&lab, &actor, &wanted).await?).into_response())
}

const JSON: [(HeaderName, &str); 1] = [(header::CONTENT_TYPE, "application/json")];

/// Of a large lab the machines on other pages are not even written.
fn slice(asked: &Asked) -> Option<Slice> {
    let by = Key::of_member(asked.plain_order()?)?;
    let from = match &asked.after {
        Some(Place { value, key }) => {
            From::Place(machines::Place { value: value[0].clone(), name: value[1].as_str()?.to_owned(), id: key.as_i64()? })
        }
        None => From::Offset(asked.offset),
    };
    Some(Slice { by, downwards: asked.order.downwards, from, limit: asked.limit })
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
async fn get(State(lab): State<Lab>, actor: Actor, Path(id): Path<i64>) -> Result<TaggedAs<Machine>, LabError> {
    machines::get(&lab, &actor, id).await.map(|(machine, tag)| TaggedAs(machine, tag))
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
