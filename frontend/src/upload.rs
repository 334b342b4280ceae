//! Multipart uploads. By XMLHttpRequest: `fetch` tells nothing of how far it is.

use app::api::{ApiError, Progress, Upload};
use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{FormData, ProgressEvent, XmlHttpRequest};

use crate::client::{refusal, unreachable};

const CHANGED: &str = "The file was changed or deleted since it was chosen. Choose it again.";

/// Whether the file can still be read as it was when it was chosen. The request does not tell: it fails as if there were no server.
async fn is_there(file: &web_sys::File) -> bool {
    let Ok(start) = file.slice_with_f64_and_f64(0.0, 1.0) else { return false };
    JsFuture::from(start.array_buffer()).await.is_ok()
}

/// Ends the request when the caller is no longer interested.
struct Abort(XmlHttpRequest);

impl Drop for Abort {
    fn drop(&mut self) {
        // of no effect on a request that is complete
        let _ = self.0.abort();
    }
}

/// Sends part `q` before part `file`: the server knows what the file is before it arrives.
pub(crate) async fn send(address: String, q: String, file: Upload, progress: Progress) -> Result<String, ApiError> {
    let broken = |error: JsValue| ApiError::transport(format!("The upload could not be made: {error:?}"));
    let form = FormData::new().map_err(broken)?;
    form.append_with_str("q", &q).map_err(broken)?;
    form.append_with_blob_and_filename("file", &file.0, &file.0.name()).map_err(broken)?;
    let request = XmlHttpRequest::new().map_err(broken)?;
    request.open("POST", &address).map_err(broken)?;
    let target = request.upload().map_err(broken)?;

    // declared before the guard: the request must be at rest before the closure is freed
    let on_progress = Closure::<dyn Fn(ProgressEvent)>::new(move |event: ProgressEvent| {
        if event.length_computable() {
            progress(event.loaded(), event.total());
        }
    });
    let request = Abort(request);
    target.set_onprogress(Some(on_progress.as_ref().unchecked_ref()));
    // settles on every end: answered, refused, cut
    let ended = Promise::new(&mut |resolve: Function, _reject: Function| request.0.set_onloadend(Some(&resolve)));
    request.0.send_with_opt_form_data(Some(&form)).map_err(broken)?;
    let outcome = JsFuture::from(ended).await;
    target.set_onprogress(None);
    outcome.map_err(broken)?;

    let text = request.0.response_text().ok().flatten().unwrap_or_default();
    match request.0.status().unwrap_or(0) {
        0 if !is_there(&file.0).await => Err(ApiError::transport(CHANGED)),
        0 => Err(unreachable()),
        200..=299 => Ok(text),
        status => Err(refusal(status, &text)),
    }
}
