//! `/machine/{id}/event`, `/event`

use app::api::{ApiError, Event, EventKind};
use axum::{
    extract::{OriginalUri, State},
    response::Response,
};
use serde::Deserialize;
use store::EventFilter;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    http::{
        extract::{Path, Query},
        lists::log,
    },
    lab::{Actor, Lab, LabError, machines, watch},
};

/// Events of one answer, unless it is said.
const LIMIT: usize = 50;
const MOST: usize = 500;

pub fn router() -> OpenApiRouter<Lab> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(list_all))
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

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Only events of these types, with commas between, e.g. `BMC_ERROR,FETCH_FAILED`.
    event_type: Option<String>,
    /// Only events at this time (RFC 3339) or later.
    since: Option<String>,
    /// Only events before this time.
    until: Option<String>,
}

impl Wanted {
    fn filter(&self) -> Result<EventFilter, LabError> {
        let all = EventFilter::default();
        let types = match self.event_type.as_deref().unwrap_or_default() {
            "" => String::new(),
            types => match types.split(',').find(|name| !EventKind::TYPES.contains(name)) {
                Some(unknown) => {
                    let known = EventKind::TYPES.join(", ");
                    return Err(LabError::invalid(format!("event_type: there is no type {unknown:?}, but {known}")));
                }
                None => format!(",{types},"),
            },
        };
        Ok(EventFilter {
            types,
            since: log::instant("since", self.since.as_deref())?.unwrap_or(all.since),
            until: log::instant("until", self.until.as_deref())?.unwrap_or(all.until),
            ..all
        })
    }
}

/// What happened to all machines, newest first
///
/// Of machines that are not one's own it says what happened, but neither addresses nor files nor messages.
#[utoipa::path(
    get, path = "/event", tag = "event",
    params(
        Wanted,
        ("cursor" = Option<i64>, Query, description = "Only events beyond this one: the last id of the page before. \
            The `Link` header has the whole address."),
        ("limit" = Option<i32>, Query, description = "How many: 50 unless said", minimum = 1, maximum = 500),
    ),
    responses(
        (status = 200, description = "The events", body = Vec<Event>),
        (status = 400, description = "A parameter is wrong", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
    )
)]
async fn list_all(
    State(lab): State<Lab>,
    actor: Actor,
    OriginalUri(address): OriginalUri,
    Query(wanted): Query<Wanted>,
) -> Result<Response, LabError> {
    let filter = wanted.filter()?;
    let asked = log::Asked::of(&address, &log::EVENTS, LIMIT, MOST)?;
    let read = |beyond: Option<i64>, limit| {
        let (lab, actor, mut filter) = (&lab, &actor, filter.clone());
        match asked.upwards {
            true => filter.after_id = beyond.unwrap_or(filter.after_id),
            false => filter.before_id = beyond.unwrap_or(filter.before_id),
        }
        async move { watch::events(lab, actor, &filter, asked.upwards, limit).await }
    };
    Ok(asked.part(read).await?.answer(&address))
}
