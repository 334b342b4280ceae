//! The OpenAPI document: what the handlers do not say themselves.

mod examples;
mod names;
mod refusals;

use axum::{Router, http::header, routing::get};
use bytes::Bytes;
use utoipa::openapi::{
    Components, Info, OpenApi, OpenApiBuilder, SecurityRequirement, Server,
    security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
};

use crate::{
    http::{lists, tagged},
    lab::Lab,
};

/// The document before the resources are merged into it.
pub fn base() -> OpenApi {
    let mut info = Info::new("mr-provisioner", env!("CARGO_PKG_VERSION"));
    info.description = Some(
        "A lab's bare-metal machines: power, network boot, images, preseeds and serial consoles. \
         Every answer that is not a success has an `ApiError` body. Times are RFC 3339, UTC."
            .into(),
    );
    OpenApiBuilder::new().info(info).build()
}

/// What concerns all resources: where they are, and how one proves who one is.
pub fn finish(mut document: OpenApi) -> OpenApi {
    document.servers = Some(vec![Server::new("/api/v1")]);
    let components = document.components.get_or_insert_with(Components::new);
    let mut bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    bearer.description = Some("An API token. The word `Bearer` may be left out.".into());
    components.add_security_scheme("token", SecurityScheme::Http(bearer));
    let cookie = ApiKeyValue::with_description("session", "The session of a browser; named `__Host-session` over TLS.");
    components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    let none: [&str; 0] = [];
    lists::describe(&mut document);
    tagged::describe(&mut document);
    document.security = Some(vec![SecurityRequirement::new("token", none), SecurityRequirement::new("session", none)]);
    names::complete(&mut document);
    refusals::complete(&mut document);
    examples::complete(&mut document);
    document
}

/// Serves the document; it needs no login.
pub fn router(document: &OpenApi) -> Router<Lab> {
    // plain data: writing it cannot fail
    let json = Bytes::from(serde_json::to_vec(document).unwrap_or_default());
    Router::new().route("/openapi.json", get(async move || ([(header::CONTENT_TYPE, "application/json")], json)))
}
