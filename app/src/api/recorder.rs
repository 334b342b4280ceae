//! Calls written down instead of made: what a form would send, without sending it.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures_util::FutureExt;
use send_wrapper::SendWrapper;

use super::{Answer, Api, ApiClient, ApiError, LabEvent, Method, Progress, StreamStatus, Subscription, Upload};

/// A call as it would have been made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    pub method: Method,
    /// Below `/api/v1`.
    pub path: String,
    /// JSON; of an upload its part `q`.
    pub body: Option<String>,
    /// Name of the file that goes with it.
    pub file: Option<String>,
}

/// The first call that is asked for. None when there is none.
pub fn record<T>(call: impl AsyncFnOnce(Api) -> T) -> Option<Recorded> {
    let recorder = Recorder::default();
    let written = Arc::clone(&recorder.0);
    // refused at once: there is nothing to wait for
    drop(call(Api::new(recorder)).now_or_never());
    written.lock().unwrap_or_else(PoisonError::into_inner).take()
}

#[derive(Default)]
struct Recorder(Arc<Mutex<Option<Recorded>>>);

impl Recorder {
    fn write(&self, call: Recorded) -> ApiError {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(call);
        ApiError::transport("not sent")
    }
}

#[async_trait]
impl ApiClient for Recorder {
    async fn call(&self, method: Method, path: &str, body: Option<String>, _: Option<String>) -> Result<Answer, ApiError> {
        Err(self.write(Recorded { method, path: path.into(), body, file: None }))
    }

    async fn upload(&self, path: &str, q: String, file: Upload, _: SendWrapper<Progress>) -> Result<String, ApiError> {
        Err(self.write(Recorded { method: Method::Post, path: path.into(), body: Some(q), file: Some(file.0.name()) }))
    }

    fn subscribe(&self, _: Box<dyn Fn(LabEvent) + Send + Sync>, _: Box<dyn Fn(StreamStatus) + Send + Sync>) -> Subscription {
        Subscription::new(())
    }

    fn records(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_form_would_send_is_written_down() {
        let user = crate::api::User { id: 7, username: "ann".into(), email: None, admin: Some(false) };
        let change = crate::api::UserChange { admin: Some(true), ..crate::api::UserChange::default() };
        // without the look at what is there now, which a script does not need
        let written = record(async |api| api.edit_user(&user, &change).await).unwrap();
        assert_eq!((written.method, written.path.as_str()), (Method::Put, "/user/7"));
        assert_eq!(written.body.as_deref(), Some(r#"{"admin":true}"#));
        let written = record(async |api| api.delete_bmc(3, crate::api::Removal::Detach).await).unwrap();
        assert_eq!((written.method, written.path.as_str(), written.body), (Method::Delete, "/bmc/3?detach=true", None));
        assert_eq!(record(async |_| ()), None);
    }
}
