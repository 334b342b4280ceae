use std::rc::Rc;

use app::{
    SessionGate,
    api::{Answer, ApiClient, ApiError, LabEvent, Method, Progress, StreamStatus, Subscription, Upload},
};
use async_trait::async_trait;
use gloo_net::http::{Request, RequestBuilder};
use send_wrapper::SendWrapper;
use web_sys::RequestCredentials;

use crate::{stream, upload};

/// Where all paths start, on the host the page came from.
const BASE: &str = "/api/v1";

/// `/api/v1` of the server the page came from.
pub(crate) struct HttpClient(pub(crate) SessionGate);

/// Logging in and out: refused they do not mean that a session has ended.
const SESSION: &str = "/session";

#[async_trait]
impl ApiClient for HttpClient {
    async fn call(&self, method: Method, path: &str, body: Option<String>, version: Option<String>) -> Result<Answer, ApiError> {
        SendWrapper::new(async {
            if path != SESSION {
                self.0.staying().await;
            }
            match call(method, address(path), body.clone(), version.clone()).await {
                // sent once more, as if the session had never ended
                Err(error) if error.is_unauthenticated() && path != SESSION && self.0.pass(method != Method::Get).await => {
                    call(method, address(path), body, version).await
                }
                result => result,
            }
        })
        .await
    }

    async fn upload(&self, path: &str, q: String, file: Upload, progress: SendWrapper<Progress>) -> Result<String, ApiError> {
        SendWrapper::new(async {
            let progress = SendWrapper::new(Rc::new(progress.take()));
            let told = |progress: Rc<Progress>| -> Progress { Box::new(move |sent, all| progress(sent, all)) };
            match upload::send(address(path), q.clone(), file.clone(), told(Rc::clone(&progress))).await {
                Err(error) if error.is_unauthenticated() && self.0.pass(true).await => {
                    upload::send(address(path), q, file, told(progress.take())).await
                }
                result => result,
            }
        })
        .await
    }

    fn subscribe(&self, on_event: Box<dyn Fn(LabEvent) + Send + Sync>, on_status: Box<dyn Fn(StreamStatus) + Send + Sync>) -> Subscription {
        // a stream ends and is refused without a reason: ask in a way that has one
        let has_ended = || async { call(Method::Get, address("/self"), None, None).await.is_err_and(|error| error.is_unauthenticated()) };
        let gate = self.0.clone();
        let login = move || {
            let gate = gate.clone();
            async move {
                if !gate.pass(false).await {
                    gate.logged_in().await;
                }
            }
        };
        Subscription::new(SendWrapper::new(stream::open(address("/stream"), on_event, on_status, has_ended, login)))
    }
}

fn address(path: &str) -> String {
    format!("{BASE}{path}")
}

async fn call(method: Method, address: String, body: Option<String>, version: Option<String>) -> Result<Answer, ApiError> {
    let mut request = request(method, &address);
    if let Some(version) = version {
        request = request.header("If-Match", &version);
    }
    let unsent = |error: gloo_net::Error| ApiError::transport(format!("The request could not be made: {error}"));
    let request = match body {
        Some(body) => request.header("Content-Type", "application/json").body(body),
        None => request.build(),
    }
    .map_err(unsent)?;
    // the browser says no more than "failed to fetch"
    let response = request.send().await.map_err(|_| unreachable())?;
    let total = response.headers().get("x-total-count").and_then(|total| total.parse().ok());
    let version = response.headers().get("ETag");
    let text = response.text().await.map_err(|_| unreachable())?;
    if response.ok() { Ok(Answer { body: text, total, version }) } else { Err(refusal(response.status(), &text)) }
}

fn request(method: Method, address: &str) -> RequestBuilder {
    match method {
        Method::Get => Request::get(address),
        Method::Post => Request::post(address),
        Method::Put => Request::put(address),
        Method::Delete => Request::delete(address),
    }
    .credentials(RequestCredentials::SameOrigin)
    .header("Accept", "application/json")
}

/// No answer at all.
pub(crate) fn unreachable() -> ApiError {
    ApiError::transport("The server could not be reached. Check your connection and try again.")
}

/// The error of an answer that is no success: ours, or what something between us and the server made.
pub(crate) fn refusal(status: u16, body: &str) -> ApiError {
    if let Ok(error) = serde_json::from_str::<ApiError>(body) {
        return ApiError { status, ..error };
    }
    let text = match status {
        413 => "The file is larger than the server accepts.".to_owned(),
        429 => "Too many attempts. Wait a moment and try again.".to_owned(),
        502..=504 => format!("The server is not available right now (status {status})."),
        _ => format!("The server answered with status {status}."),
    };
    ApiError::new(status, "", "Transport", vec![text])
}

#[cfg(test)]
mod tests {
    use super::refusal;

    #[test]
    fn an_error_of_ours_keeps_its_words() {
        let error = refusal(409, r#"{"error_type": "Conflict", "errors": ["A machine with that name already exists"]}"#);
        assert_eq!(error.status, 409);
        assert_eq!(error.text(), "A machine with that name already exists");
    }

    #[test]
    fn a_proxys_page_becomes_a_sentence() {
        let error = refusal(502, "<html>Bad Gateway</html>");
        assert_eq!(error.text(), "The server is not available right now (status 502).");
        assert_eq!(error.status, 502);
        assert!(refusal(401, "").is_unauthenticated());
    }
}
