//! `/machine/{id}/event`

use app::api::{ApiError, Event};
use axum::{
    extract::{OriginalUri, State},
    response::Response,
};
use serde::Deserialize;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    http::{
        extract::{Path, Query},
        lists::log,
    },
    lab::{Actor, Lab, LabError, machines},
};

/// Events of one answer, unless it is said.
const LIMIT: usize = 50;
const MOST: usize = 500;

pub fn router() -> OpenApiRouter<Lab> {
    OpenApiRouter::new().routes(routes!(list))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Before {
    /// As `cursor`, which it was called before other lists had one.
    before: Option<i64>,
}

/// What happened to a machine, newest first
#[utoipa::path(
    get, path = "/machine/{id}/event", tag = "event",
    params(
        ("id" = i64, Path, description = "The machine's id"),
        ("cursor" = Option<i64>, Query, description = "Only events beyond this one: the last id of the page before. \
            The `Link` header has the whole address."),
        ("limit" = Option<i32>, Query, description = "How many: 50 unless said", minimum = 1, maximum = 500),
        Before,
    ),
    responses(
        (status = 200, description = "The events", body = Vec<Event>),
        (status = 400, description = "A parameter is wrong", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 404, description = "No such machine", body = ApiError),
    )
)]
async fn list(
    State(lab): State<Lab>,
    actor: Actor,
    Path(id): Path<i64>,
    OriginalUri(address): OriginalUri,
    Query(Before { before }): Query<Before>,
) -> Result<Response, LabError> {
    let mut asked = log::Asked::of(&address, &log::EVENTS, LIMIT, MOST)?;
    asked.cursor = asked.cursor.or(before);
    let part = asked.part(|beyond, limit| machines::events(&lab, &actor, id, beyond, asked.upwards, limit)).await?;
    Ok(part.answer(&address))
}
