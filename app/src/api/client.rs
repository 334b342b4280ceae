//! The way a page reaches data: `/api/v1`, whichever side it is drawn on.

use std::sync::Arc;

use async_trait::async_trait;
use send_wrapper::SendWrapper;
use serde::{Serialize, de::DeserializeOwned};

use super::{ApiError, LabEvent};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Put,
    Delete,
}

/// Keeps an event subscription alive; dropping it ends the subscription.
pub struct Subscription(#[expect(dead_code, reason = "held for its Drop")] Box<dyn Send + Sync>);

impl Subscription {
    pub fn new(guard: impl Send + Sync + 'static) -> Self {
        Self(Box::new(guard))
    }
}

/// What a successful call brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    pub body: String,
    /// With a page of a list: how many items all pages have (`X-Total-Count`).
    pub total: Option<usize>,
    /// Which version of the thing this is (`ETag`).
    pub version: Option<String>,
}

/// What came of saving a form that others may have had open as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit<T> {
    Saved(T),
    /// Nothing was saved: somebody else was quicker, and this is what they made of it.
    Overtaken(T),
}

impl<T> Edit<T> {
    /// # Errors
    /// The sentence for where nobody can be asked who wins.
    pub fn saved(self) -> Result<T, ApiError> {
        match self {
            Self::Saved(thing) => Ok(thing),
            Self::Overtaken(_) => Err(ApiError::new(412, "Precondition Failed", "PreconditionFailed", vec![OVERTAKEN.into()])),
        }
    }
}

const OVERTAKEN: &str = "It was changed elsewhere meanwhile";

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// On all pages.
    pub total: usize,
}

/// Bytes sent and bytes in all, told while an upload runs.
pub type Progress = Box<dyn Fn(f64, f64)>;

/// A file the user chose. Only ever touched on the browser's one thread.
#[derive(Clone)]
pub struct Upload(pub SendWrapper<web_sys::File>);

/// How the stream of the lab's events is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamStatus {
    Open,
    /// The browser is trying again by itself.
    Lost,
    /// The session has ended: it goes on when somebody has logged in.
    LoggedOut,
}

/// What carries a call. Two implementations: in-process (`server`, the very handlers of `/api/v1`) and
/// HTTP (`frontend`). Paths are relative to `/api/v1`; bodies and answers are JSON texts.
///
/// The futures are `Send` for both: axum needs that, and `Resource::new` asks it of the browser's too,
/// which wraps its `!Send` fetch futures in `SendWrapper` (sound there: one thread).
#[async_trait]
pub trait ApiClient: Send + Sync + 'static {
    /// The answer when its status is a success. With a version (`If-Match`) the call is refused unless the thing still is that one.
    async fn call(&self, method: Method, path: &str, body: Option<String>, version: Option<String>) -> Result<Answer, ApiError>;

    /// Multipart upload of part `q` (JSON) and part `file`, in the browser.
    async fn upload(&self, path: &str, q: String, file: Upload, progress: SendWrapper<Progress>) -> Result<String, ApiError>;

    /// Calls `on_event` for every event of the lab until the subscription is dropped.
    /// Called only from effects, which never run on the server.
    fn subscribe(&self, on_event: Box<dyn Fn(LabEvent) + Send + Sync>, on_status: Box<dyn Fn(StreamStatus) + Send + Sync>) -> Subscription;

    /// Whether calls are written down rather than made.
    fn records(&self) -> bool {
        false
    }
}

/// The `ApiClient` in Leptos' context, with one method per operation (in the file of its resource).
#[derive(Clone)]
pub struct Api(Arc<dyn ApiClient>);

impl Api {
    pub fn new(client: impl ApiClient) -> Self {
        Self(Arc::new(client))
    }

    pub fn subscribe(
        &self,
        on_event: Box<dyn Fn(LabEvent) + Send + Sync>,
        on_status: Box<dyn Fn(StreamStatus) + Send + Sync>,
    ) -> Subscription {
        self.0.subscribe(on_event, on_status)
    }

    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ApiError> {
        decode(&self.0.call(Method::Get, path, None, None).await?.body)
    }

    /// A list that was asked for in part.
    pub(super) async fn get_page<T: DeserializeOwned>(&self, path: &str) -> Result<Page<T>, ApiError> {
        let answer = self.0.call(Method::Get, path, None, None).await?;
        let items: Vec<T> = decode(&answer.body)?;
        Ok(Page { total: answer.total.unwrap_or(items.len()), items })
    }

    pub(super) async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, ApiError> {
        decode(&self.0.call(Method::Post, path, Some(encode(body)?), None).await?.body)
    }

    pub(super) async fn put<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, ApiError> {
        decode(&self.0.call(Method::Put, path, Some(encode(body)?), None).await?.body)
    }

    /// A PUT of a form's values. Nothing is sent when the thing is not, or no longer, what `same` takes for that with which the form
    /// was opened; and nobody can come between this look and the change, which names the version seen.
    pub(super) async fn edit<T: DeserializeOwned>(
        &self,
        path: &str,
        change: &impl Serialize,
        same: impl Fn(&T) -> bool,
    ) -> Result<Edit<T>, ApiError> {
        let mut version = None;
        if !self.0.records() {
            let seen = self.0.call(Method::Get, path, None, None).await?;
            let now: T = decode(&seen.body)?;
            if !same(&now) {
                return Ok(Edit::Overtaken(now));
            }
            version = seen.version;
        }
        match self.0.call(Method::Put, path, Some(encode(change)?), version).await {
            Ok(answer) => decode(&answer.body).map(Edit::Saved),
            Err(error) if error.status == 412 => self.get(path).await.map(Edit::Overtaken),
            Err(error) => Err(error),
        }
    }

    /// A PUT that is answered with 204.
    pub(super) async fn put_empty(&self, path: &str, body: &impl Serialize) -> Result<(), ApiError> {
        self.0.call(Method::Put, path, Some(encode(body)?), None).await.map(drop)
    }

    pub(super) async fn delete(&self, path: &str) -> Result<(), ApiError> {
        self.0.call(Method::Delete, path, None, None).await.map(drop)
    }

    pub(super) async fn upload<T: DeserializeOwned>(&self, path: &str, q: String, file: Upload, progress: Progress) -> Result<T, ApiError> {
        // `Progress` is !Send: this runs in the browser only, on its one thread
        decode(&self.0.upload(path, q, file, SendWrapper::new(progress)).await?)
    }
}

fn encode(body: &impl Serialize) -> Result<String, ApiError> {
    serde_json::to_string(body).map_err(|error| ApiError::transport(error.to_string()))
}

fn decode<T: DeserializeOwned>(text: &str) -> Result<T, ApiError> {
    serde_json::from_str(text).map_err(|error| ApiError::transport(format!("the server's answer was not understood: {error}")))
}

/// A path with query parameters, percent-encoded.
pub(super) fn query(path: &str, pairs: &[(&str, &str)]) -> String {
    format!("{path}?{}", query_string(pairs.iter().copied()))
}

/// Parameters as they stand behind the `?` of an address, percent-encoded.
pub fn query_string<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut out = String::new();
    for (key, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        out.push_str(key);
        out.push('=');
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                out.push(char::from(byte));
            } else {
                out.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    out
}
