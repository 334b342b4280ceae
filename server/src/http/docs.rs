//! `/api/v1/docs`: the API's description to read and to try, offline. What draws it is bundled by the browser build.

use axum::{
    Router,
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};

use crate::{
    http::{assets, error::problem},
    lab::Lab,
};

/// Stricter than the other pages': no nonce, since nothing stands in the page itself. The images are those of the style,
/// drawn in it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

/// As those of the pages: the addresses in it change with the next version.
const HEADERS: [(HeaderName, &str); 2] = [(header::CONTENT_SECURITY_POLICY, POLICY), (header::CACHE_CONTROL, "no-store")];

/// It needs no login, as the document it shows; what is tried from it does.
pub fn router() -> Router<Lab> {
    Router::new().route("/docs", get(page)).route("/swagger.yaml", get(moved))
}

/// Where the original had its description.
async fn moved() -> Redirect {
    Redirect::permanent("/api/v1/openapi.json")
}

async fn page() -> Response {
    let Some(files) = assets::docs() else {
        return problem(StatusCode::NOT_FOUND, "NotFound", vec!["this server was built without what browsers download".into()]);
    };
    let html = format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API · mr-provisioner</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{}">
<script type="module" src="{}"></script>
</head>
<body>
<nav id="back" aria-label="Back"><a href="/">mr-provisioner</a></nav>
<main id="docs"></main>
<noscript>This page needs JavaScript. The description itself is at <a href="/api/v1/openapi.json">/api/v1/openapi.json</a>.</noscript>
</body>
</html>
"#,
        files.style, files.script
    );
    (HEADERS, axum::response::Html(html)).into_response()
}
