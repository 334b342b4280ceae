//! `/tftp/`: what the original's TFTP server (tftp-http-proxy) asks for a machine, whose address it names in a header.
//! No login: see [`super::companion`].

use std::net::IpAddr;

use app::api::BootProtocol;
use axum::{
    Router,
    extract::{Request, State},
    http::HeaderMap,
    response::{IntoResponse, Response},
    routing::get,
};

use crate::{
    http::{boot, error},
    lab::{Lab, LabError},
};

pub fn router() -> Router<Lab> {
    Router::new().route("/tftp", get(file)).route("/tftp/", get(file)).method_not_allowed_fallback(error::wrong_method)
}

async fn file(State(lab): State<Lab>, request: Request) -> Response {
    let (path, client) = match asked(request.headers()) {
        Ok(asked) => asked,
        Err(error) => return error.into_response(),
    };
    let answer = lab.netboot.answer_proxy(&path, client).await;
    boot::send(&lab.netboot, answer, path, client, BootProtocol::Tftp, request).await
}

fn asked(headers: &HeaderMap) -> Result<(String, IpAddr), LabError> {
    let text = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok()).filter(|text| !text.is_empty());
        value.ok_or_else(|| LabError::invalid(format!("the header {name} is required")))
    };
    let address = text("X-TFTP-IP")?;
    let client: IpAddr = address.parse().map_err(|_| LabError::invalid(format!("X-TFTP-IP: `{address}` is not an address")))?;
    Ok((text("X-TFTP-File")?.to_owned(), client.to_canonical()))
}
