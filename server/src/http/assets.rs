//! What the browser build wrote to `dist/`: embedded in release builds, read from disk in debug builds.

use std::sync::Arc;

use app::Assets;
use axum::{
    Router,
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use rust_embed::RustEmbed;
use serde_json::Value;

use crate::lab::Lab;

#[derive(RustEmbed)]
#[folder = "../dist/"]
struct Dist;

/// Content codings in the order of our liking, with the ending of the files the browser build made for them.
const CODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

pub fn router() -> Router<Lab> {
    Router::new().route("/assets/{*path}", get(serve))
}

/// What the page of the API's description loads.
pub struct DocsAssets {
    pub script: Arc<str>,
    pub style: Arc<str>,
}

/// The current addresses. Read per page: a debug build then follows a rebuild without a restart.
pub fn current() -> Option<Assets> {
    let manifest = manifest()?;
    let parts = |list: &Value| list.as_array().into_iter().flatten().filter_map(Value::as_str).map(Arc::from).collect();
    Some(Assets {
        script: address(&manifest, "script")?,
        wasm: address(&manifest, "wasm")?,
        style: address(&manifest, "style")?,
        imports: parts(&manifest["imports"]),
        pages: manifest["pages"].as_object()?.iter().map(|(page, list)| (page.clone(), parts(list))).collect(),
    })
}

/// Those of `/api/v1/docs`.
pub fn docs() -> Option<DocsAssets> {
    let manifest = manifest()?;
    Some(DocsAssets { script: address(&manifest, "docs_script")?, style: address(&manifest, "docs_style")? })
}

fn manifest() -> Option<Value> {
    serde_json::from_slice(&Dist::get("manifest.json")?.data).ok()
}

fn address(manifest: &Value, key: &str) -> Option<Arc<str>> {
    manifest[key].as_str().map(Into::into)
}

/// A name holds a hash of the content: what a name means never changes.
async fn serve(Path(path): Path<String>, headers: HeaderMap) -> Response {
    // a page as the answer to a missing module would hide the fault
    let missing = || (StatusCode::NOT_FOUND, "no such file\n").into_response();
    if CODINGS.iter().any(|(_, ending)| path.ends_with(ending)) {
        return missing();
    }
    let name = format!("assets/{path}");
    let encoded = CODINGS
        .iter()
        .filter(|(coding, _)| accepts(&headers, coding))
        .find_map(|(coding, ending)| Some((Some(*coding), Dist::get(&format!("{name}{ending}"))?)));
    let Some((coding, file)) = encoded.or_else(|| Some((None, Dist::get(&name)?))) else { return missing() };
    let fixed = [
        (header::CONTENT_TYPE, content_type(&path)),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (header::VARY, "accept-encoding"),
    ];
    let mut response = (fixed, file.data).into_response();
    if let Some(coding) = coding {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    response
}

/// RFC 9110 §12.5.3, as far as browsers go: the coding is named, and not with the weight 0.
fn accepts(headers: &HeaderMap, coding: &str) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|item| {
        let (name, weight) = item.split_once(';').unwrap_or((item, "q=1"));
        let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.trim().parse::<f32>().ok());
        name.trim().eq_ignore_ascii_case(coding) && weight.is_none_or(|weight| weight > 0.0)
    })
}

/// The kinds of files that the browser build makes. Module scripts and streaming wasm compilation insist on theirs.
fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("map" | "json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coding_is_used_only_when_the_client_takes_it() {
        let headers = |value: &'static str| HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(value))]);
        assert!(accepts(&headers("gzip, deflate, br, zstd"), "br"));
        assert!(accepts(&headers("gzip;q=0.5"), "gzip"));
        assert!(!accepts(&headers("gzip, br;q=0"), "br"));
        assert!(!accepts(&headers("gzip"), "br"));
        assert!(!accepts(&HeaderMap::new(), "gzip"));
    }
}
