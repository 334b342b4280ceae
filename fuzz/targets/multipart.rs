//! The reader of uploads: a form in pieces of any size.

#![no_main]

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, header},
};
use bytes::Bytes;
use futures_util::stream;
use libfuzzer_sys::fuzz_target;

/// The only thing the reader needs of the server around it.
mod lab {
    #[derive(Debug)]
    pub struct LabError(pub String);

    impl LabError {
        pub fn invalid(message: impl Into<String>) -> Self {
            Self(message.into())
        }
    }
}

// not the server itself, which brings everything
#[allow(dead_code)]
#[path = "../../server/src/http/multipart.rs"]
mod multipart;

const LIMIT: usize = 200;

async fn read(body: Body) -> Result<(), lab::LabError> {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("multipart/form-data; boundary=b"));
    let mut form = multipart::Form::new(&headers, body).expect("a form");
    while let Some(part) = form.next().await? {
        let content = part.bytes(LIMIT).await?;
        assert!(content.len() <= LIMIT);
    }
    form.drain().await;
    Ok(())
}

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else { return };
    let pieces: Vec<_> = rest.chunks(usize::from(*first) + 1).map(|piece| Ok::<_, std::io::Error>(Bytes::copy_from_slice(piece))).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    if let Err(error) = runtime.block_on(read(Body::from_stream(stream::iter(pieces)))) {
        assert!(!error.0.is_empty());
    }
    // any header at all
    if let Ok(value) = HeaderValue::from_bytes(rest) {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, value);
        let _ = multipart::Form::new(&headers, Body::empty());
    }
});
