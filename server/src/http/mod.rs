//! Routers and extractors. Holds no rule and no SQL.

mod access;
pub mod api;
mod assets;
mod boot;
mod client_address;
mod companion;
mod connections;
mod dhcp;
mod docs;
pub mod error;
pub mod extract;
mod health;
mod lists;
mod multipart;
mod openapi;
mod pages;
pub mod security;
mod session;
mod stream;
mod tagged;
mod tftp_proxy;

pub use client_address::ClientAddress;
pub use connections::serve;

use axum::{
    Router, middleware,
    routing::{any, get},
};
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::{
        CompressionLayer, DefaultPredicate,
        predicate::{NotForContentType, Predicate},
    },
    csrf::ConfigError,
    timeout::RequestBodyTimeoutLayer,
};

use crate::lab::Lab;

/// Everything the server answers over HTTP.
///
/// # Errors
/// When the configured public address is none a browser could send as its origin.
pub fn router(lab: &Lab) -> Result<Router, ConfigError> {
    let api = api::v1::router();
    // what a browser asks, with its session
    let browser = Router::new()
        .nest("/api/v1", api.clone())
        // else these would be pages
        .route("/api", any(error::unknown_address))
        .route("/api/", any(error::unknown_address))
        .route("/api/v1/", any(error::unknown_address))
        .route("/api/{*path}", any(error::unknown_address))
        .merge(pages::router(lab, api.with_state(lab.clone())))
        .layer(session::layer(lab))
        .layer(security::csrf(lab)?)
        // kernels are compressed already, and a download is to tell its length
        .layer(
            CompressionLayer::new().compress_when(DefaultPredicate::new().and(NotForContentType::const_new("application/octet-stream"))),
        );
    let companions = dhcp::router()
        .merge(tftp_proxy::router())
        .layer(middleware::from_fn_with_state(lab.clone(), companion::must_be_listed))
        // a page of another site must not speak to them through a browser that runs on this machine
        .layer(security::csrf(lab)?);
    Ok(Router::new()
        .merge(browser)
        .merge(companions)
        .merge(assets::router())
        .merge(boot::router())
        // where clients of the original open consoles
        .route("/ws", get(api::v1::console_by_key))
        .merge(health::router())
        .layer(CatchPanicLayer::custom(|_: Box<dyn std::any::Any + Send>| error::internal()))
        .layer(middleware::from_fn_with_state(lab.clone(), access::layer))
        .layer(RequestBodyTimeoutLayer::new(lab.config.http.patience))
        .with_state(lab.clone()))
}
