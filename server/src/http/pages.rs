//! The pages, rendered on the server. Everything that touches `leptos_axum`.
//!
//! A page being rendered asks the very router of `/api/v1` that a browser would ask, within this process and as the
//! user of the page's request: there is no second way to the data.

use app::{
    App, PageChoices, PageResponse, PageTheme,
    api::{Answer, Api, ApiClient, ApiError, LabEvent, Method, Progress, StreamStatus, Subscription, Upload, query_string},
    safe_next, shell,
};
use async_trait::async_trait;
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{FromRef, Query, Request, State},
    http::{self, HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    middleware::{self, Next},
    response::{IntoResponse, Redirect, Response},
};
use leptos::{config::LeptosOptions, nonce::use_nonce, prelude::*};
use leptos_axum::{LeptosRoutes, ResponseOptions, generate_route_list};
use serde::Deserialize;
use tower::ServiceExt;

use crate::{
    http::assets,
    lab::{Actor, Lab, LabError, accounts, archs, bmcs, images, networks},
};

/// Most bytes of an answer that a page takes from the API.
const ANSWER_LIMIT: usize = 64 * 1024 * 1024;

impl FromRef<Lab> for LeptosOptions {
    fn from_ref(_: &Lab) -> Self {
        // `leptos_routes` asks for it; with our own document and assets nothing in it is used but the name
        Self::builder().output_name("app").build()
    }
}

/// `api` is the API's router, without the address it is nested under.
pub fn router(lab: &Lab, api: Router) -> Router<Lab> {
    let routes = generate_route_list(App);
    let context = move || request_context(&api);
    let unknown = context.clone();
    Router::new()
        .leptos_routes_with_context(lab, routes, context, document)
        .fallback(async move |State(lab): State<Lab>, request: Request| render_unknown(lab, unknown, request).await)
        .layer(middleware::from_fn_with_state(lab.clone(), identify))
}

/// Of the login page's address.
#[derive(Deserialize)]
struct Onward {
    #[serde(default)]
    next: String,
}

/// Finds out once who asks; the page's calls then act as that user. Who is logged in is led on from the login page.
async fn identify(State(lab): State<Lab>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let actor = <Actor as axum::extract::OptionalFromRequestParts<Lab>>::from_request_parts(&mut parts, &lab).await;
    match actor {
        Ok(Some(_)) if parts.uri.path() == "/login" => {
            let next = Query::<Onward>::try_from_uri(&parts.uri).map(|Query(Onward { next })| next).unwrap_or_default();
            return Redirect::to(safe_next(&next)).into_response();
        }
        Ok(Some(actor)) => drop(parts.extensions.insert(actor)),
        Ok(None) | Err(LabError::Unauthenticated) => {}
        Err(error) => return error.into_response(),
    }
    next.run(Request::from_parts(parts, body)).await
}

/// Runs once per request, before the view is built.
fn request_context(api: &Router) {
    let parts = expect_context::<Parts>();
    provide_context(Api::new(InProcess { api: api.clone(), actor: parts.extensions.get().cloned() }));
    if let Some(theme) = theme(&parts.headers) {
        provide_context(theme);
    }
    provide_context(PageChoices::from_cookies(cookies(&parts.headers)));
    let response = expect_context::<ResponseOptions>();
    let nonce = use_nonce().map(|nonce| nonce.to_string()).unwrap_or_default();
    let policy = format!(
        "default-src 'self'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self' 'nonce-{nonce}'; \
         img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    );
    if let Ok(policy) = HeaderValue::try_from(policy) {
        response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
    }
    // a page names hashed files, carries a nonce and shows what its user may see
    response.insert_header(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let set_status = response.clone();
    provide_context(PageResponse::new(
        move |code| {
            if let Ok(status) = StatusCode::from_u16(code) {
                set_status.set_status(status);
            }
        },
        move |path| redirect(&response, path),
    ));
}

/// Only ever to this host.
fn redirect(response: &ResponseOptions, path: &str) {
    let local = path.starts_with('/') && !path.starts_with("//") && !path.contains('\\');
    let Ok(location) = HeaderValue::from_str(if local { path } else { "/" }) else { return };
    response.insert_header(header::LOCATION, location);
    response.set_status(StatusCode::FOUND);
}

fn theme(headers: &HeaderMap) -> Option<PageTheme> {
    cookies(headers).find_map(|cookie| PageTheme::from_cookie(cookie.strip_prefix("theme=")?))
}

/// `name=value`
fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let values = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(';')).map(str::trim)
}

fn document() -> impl IntoView {
    let path = use_context::<Parts>().map(|parts| parts.uri.path().to_owned()).unwrap_or_default();
    shell(&assets::current().unwrap_or_default(), &path)
}

/// The page of the original's at this address, where ours shows the same. None: there was none, or it showed what is not there.
async fn moved(lab: &Lab, actor: Option<&Actor>, method: &http::Method, path: &str) -> Option<Response> {
    let mut segments = path.strip_prefix('/')?.split('/');
    let (kind, id, rest) = (segments.next()?, segments.next(), segments.next());
    let number = id.and_then(|id| id.parse::<i64>().ok());
    if rest.is_some() || !matches!(*method, http::Method::GET | http::Method::HEAD) {
        return None;
    }
    // the address is made of words that are known here, and of a number
    let (list, here) = match (kind, id, number) {
        ("self", None, _) => ("/account", "/self".to_owned()),
        ("self", Some("tokens"), _) => ("/account#tokens", "/self/tokens".to_owned()),
        ("images", _, Some(id)) => ("/images", format!("/images/{id}")),
        ("networks", _, Some(id)) => ("/networks", format!("/networks/{id}")),
        ("archs", _, Some(id)) => ("/archs", format!("/archs/{id}")),
        ("bmcs", _, Some(id)) => ("/bmcs", format!("/bmcs/{id}")),
        ("users", _, Some(id)) => ("/users", format!("/users/{id}")),
        _ => return None,
    };
    let Some(actor) = actor else {
        return Some(Redirect::to(&format!("/login?next={here}")).into_response());
    };
    let Some(id) = number else { return Some(Redirect::to(list).into_response()) };
    let name = match list {
        // its path: others have the same file's name
        "/images" => images::get(lab, actor, id).await.map(|image| image.name),
        "/networks" => networks::get(lab, actor, id).await.map(|network| network.name),
        "/archs" => archs::get(lab, actor, id).await.map(|arch| arch.name),
        "/bmcs" => bmcs::get(lab, actor, id).await.map(|bmc| bmc.name),
        _ => accounts::get(lab, actor, id).await.map(|user| user.username),
    };
    match name {
        Ok(name) => Some(Redirect::to(&format!("{list}?{}", query_string(std::iter::once(("q", name.as_str()))))).into_response()),
        // who may not see it is not told that it is there
        Err(LabError::NotFound(_) | LabError::Forbidden(_)) => None,
        Err(error) => Some(error.into_response()),
    }
}

/// The application's own page for an address it does not know, with status 404.
async fn render_unknown(lab: Lab, context: impl Fn() + Clone + Send + Sync + 'static, request: Request) -> Response {
    if let Some(response) = moved(&lab, request.extensions().get(), request.method(), request.uri().path()).await {
        return response;
    }
    let path = request.uri().path();
    let trimmed = path.trim_end_matches('/');
    // the application ignores a slash at the end; one page has one address
    if trimmed.len() < path.len() && trimmed.starts_with('/') && !trimmed.starts_with("//") && !trimmed.contains('\\') {
        return Redirect::permanent(trimmed).into_response();
    }
    leptos_axum::render_app_async_with_context(context, document)(request).await.into_response()
}

/// The API without a network between.
struct InProcess {
    api: Router,
    actor: Option<Actor>,
}

#[async_trait]
impl ApiClient for InProcess {
    async fn call(&self, method: Method, path: &str, body: Option<String>, _: Option<String>) -> Result<Answer, ApiError> {
        let failed = |error: &dyn std::fmt::Display| ApiError::transport(error.to_string());
        let method = match method {
            Method::Get => http::Method::GET,
            Method::Post => http::Method::POST,
            Method::Put => http::Method::PUT,
            Method::Delete => http::Method::DELETE,
        };
        let mut request =
            Request::builder().method(method).uri(path).body(body.map_or_else(Body::empty, Body::from)).map_err(|error| failed(&error))?;
        if let Some(actor) = &self.actor {
            request.extensions_mut().insert(actor.clone());
        }
        let Ok(response) = self.api.clone().oneshot(request).await;
        let status = response.status();
        let total = response.headers().get("x-total-count").and_then(|total| total.to_str().ok()?.parse().ok());
        let bytes = to_bytes(response.into_body(), ANSWER_LIMIT).await.map_err(|error| failed(&error))?;
        if status.is_success() {
            let body = String::from_utf8(bytes.into()).map_err(|error| failed(&error))?;
            // pages are drawn here, not changed: nobody asks for a version
            return Ok(Answer { body, total, version: None });
        }
        Err(serde_json::from_slice(&bytes).unwrap_or_else(|_| ApiError::transport(format!("the server answered {status}"))))
    }

    async fn upload(&self, _: &str, _: String, _: Upload, _: send_wrapper::SendWrapper<Progress>) -> Result<String, ApiError> {
        Err(ApiError::transport("files are uploaded by browsers"))
    }

    fn subscribe(&self, _: Box<dyn Fn(LabEvent) + Send + Sync>, _: Box<dyn Fn(StreamStatus) + Send + Sync>) -> Subscription {
        // called from effects only, which do not run here
        Subscription::new(())
    }
}
