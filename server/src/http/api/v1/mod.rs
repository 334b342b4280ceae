//! `/api/v1`: one file per resource, each with a `router()`.

mod archs;
mod assignees;
mod audit;
mod bmcs;
mod bulk;
mod console;
mod discovered;
mod events;
mod hardware;
mod images;
mod interfaces;
mod leases;
mod machines;
mod networks;
mod overview;
mod power;
mod preseeds;
mod self_;
mod session;
mod state;
mod users;

pub(in crate::http) use console::by_key as console_by_key;

use axum::{Router, extract::DefaultBodyLimit, middleware};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;

use crate::{
    http::{docs, error, extract::BODY_LIMIT, lists, openapi, stream},
    lab::{Instead, Lab, LabError},
};

/// Every resource, with its part of the OpenAPI document. Paths are relative to `/api/v1`.
fn resources() -> OpenApiRouter<Lab> {
    OpenApiRouter::with_openapi(openapi::base())
        .merge(session::router())
        .merge(self_::router())
        .merge(users::router())
        .merge(audit::router())
        .merge(bulk::router())
        .merge(machines::router())
        .merge(interfaces::router())
        .merge(assignees::router())
        .merge(power::router())
        .merge(state::router())
        .merge(console::router())
        .merge(events::router())
        .merge(hardware::router())
        .merge(images::router())
        .merge(preseeds::router())
        .merge(archs::router())
        .merge(bmcs::router())
        .merge(networks::router())
        .merge(overview::router())
        .merge(leases::router())
        .merge(discovered::router())
        .merge(stream::router())
}

/// What of a list is asked for.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Listing {
    /// `true`: all one may see, else one's own.
    show_all: Option<String>,
}

impl Listing {
    fn all(&self) -> bool {
        is_true(self.show_all.as_deref())
    }
}

/// What becomes of those who use what is deleted (admins).
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Deletion {
    /// `true`: they go on without it.
    detach: Option<String>,
    /// They get the one with this id.
    replace_with: Option<i64>,
}

impl Deletion {
    fn instead(&self) -> Result<Instead, LabError> {
        match (is_true(self.detach.as_deref()), self.replace_with) {
            (false, None) => Ok(Instead::Refuse),
            (true, None) => Ok(Instead::Detach),
            (false, Some(id)) => Ok(Instead::Replace(id)),
            (true, Some(_)) => Err(LabError::invalid("detach and replace_with exclude each other")),
        }
    }
}

/// `true` in any case, as clients of the original write it.
fn is_true(text: Option<&str>) -> bool {
    text.is_some_and(|text| text.eq_ignore_ascii_case("true"))
}

/// The OpenAPI document, made from the handlers.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    openapi::finish(resources().into_openapi())
}

/// The API as pages call it in-process: no session, no cross-site check; whoever calls says who acts.
pub fn router() -> Router<Lab> {
    let (router, document) = resources().split_for_parts();
    let document = openapi::finish(document);
    router
        .merge(openapi::router(&document))
        .merge(docs::router())
        .fallback(error::unknown_address)
        .method_not_allowed_fallback(error::wrong_method)
        .layer(middleware::from_fn_with_state(lists::of(&document), lists::layer))
        // an upload's route sets a limit of its own
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
}
