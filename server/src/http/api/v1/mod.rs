//! `/api/v1`: one file per resource, each with a `router()`.

mod self_;
mod session;
mod users;

use axum::{Router, extract::DefaultBodyLimit};
use utoipa_axum::router::OpenApiRouter;

use crate::{
    http::{error, extract::BODY_LIMIT, openapi, stream},
    lab::Lab,
};

/// Every resource, with its part of the OpenAPI document. Paths are relative to `/api/v1`.
fn resources() -> OpenApiRouter<Lab> {
    OpenApiRouter::with_openapi(openapi::base())
        .merge(session::router())
        .merge(self_::router())
        .merge(users::router())
        .merge(stream::router())
}

/// The OpenAPI document, made from the handlers.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    openapi::finish(resources().into_openapi())
}

/// The API as pages call it in-process: no session, no cross-site check; whoever calls says who acts.
pub fn router(lab: &Lab) -> Router<Lab> {
    let (router, document) = resources().split_for_parts();
    router
        .merge(openapi::router(openapi::finish(document)))
        .fallback(error::unknown_address)
        .method_not_allowed_fallback(error::wrong_method)
        // an upload's route sets a limit of its own
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(lab.clone())
}
