//! Who may ask what the original answered anybody (W11): the programs an installation kept from it, by their address.

use std::net::IpAddr;

use axum::{
    extract::{Request, State},
    http::StatusCode,
    middleware::Next,
    response::Response,
};

use crate::{
    config::covers,
    http::{client_address::ClientAddress, error::problem},
    lab::Lab,
};

/// Refuses requests of addresses that `compat.clients` does not list.
pub async fn must_be_listed(State(lab): State<Lab>, client: ClientAddress, request: Request, next: Next) -> Response {
    let clients = &lab.config.compat.clients;
    if covers(clients, client.0) {
        return next.run(request).await;
    }
    refusal(clients.is_empty(), client.0)
}

fn refusal(off: bool, client: IpAddr) -> Response {
    let text = if off {
        "this address answers nobody: the setting compat.clients is empty".to_owned()
    } else {
        format!("this address answers only the clients that the setting compat.clients lists, not {client}")
    };
    problem(StatusCode::FORBIDDEN, "Forbidden", vec![text])
}
