//! Reading a form with a file in it, as a stream: never more of it in memory than the connection hands over at a time.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, BodyDataStream},
    http::{HeaderMap, header},
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};

use crate::lab::LabError;

/// Most bytes a part's head, or a part nobody asked for, may have, beyond what the connection hands over at once.
const HEAD: u64 = 256 * 1024;
/// How long the rest of a refused upload is read for.
const DRAIN: Duration = Duration::from_secs(10);

/// A form on its way in.
pub struct Form {
    reader: multer::Multipart<'static>,
    body: Arc<Mutex<BodyDataStream>>,
    allowance: Arc<AtomicU64>,
}

/// One part of it. Its content must be read before the next one is asked for.
pub struct Part<'a> {
    /// `name` of its Content-Disposition.
    pub name: String,
    /// What the client calls the file; None when it is none.
    pub file_name: Option<String>,
    field: multer::Field<'static>,
    form: &'a Form,
}

impl Form {
    /// None when the request is no form.
    pub fn new(headers: &HeaderMap, body: Body) -> Option<Self> {
        let boundary = multer::parse_boundary(headers.get(header::CONTENT_TYPE)?.to_str().ok()?).ok()?;
        let body = Arc::new(Mutex::new(body.into_data_stream()));
        let allowance = Arc::new(AtomicU64::new(HEAD));
        let stream = Metered { body: body.clone(), allowance: allowance.clone(), fed: false };
        Some(Self { reader: multer::Multipart::new(stream, boundary), body, allowance })
    }

    /// The next part.
    ///
    /// # Errors
    /// What is no form, or ends early.
    pub async fn next(&mut self) -> Result<Option<Part<'_>>, LabError> {
        self.allowance.store(HEAD, Ordering::Relaxed);
        let Some(field) = self.reader.next_field().await.map_err(unread)? else { return Ok(None) };
        let name = field.name().unwrap_or_default().to_owned();
        let file_name = field.file_name().map(plain_name).or_else(|| extended_name(field.headers()));
        Ok(Some(Part { name, file_name, field, form: self }))
    }

    /// Reads on for a while without keeping anything: a client that sends everything before it looks at the answer
    /// would otherwise see a broken connection instead of the reason.
    pub async fn drain(self) {
        let Self { reader, body, .. } = self;
        drop(reader);
        let all = async {
            let mut rest = Shared(body);
            while let Some(Ok(_)) = rest.next().await {}
        };
        // whoever is not done by then gets the answer anyway, if it looks
        let _ = tokio::time::timeout(DRAIN, all).await;
    }
}

impl Part<'_> {
    /// The next piece of the content.
    ///
    /// # Errors
    /// When the connection ends before the form does.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, LabError> {
        self.form.allowance.store(u64::MAX, Ordering::Relaxed);
        self.field.chunk().await.map_err(unread)
    }

    /// The content, if it is at most `limit` bytes.
    ///
    /// # Errors
    /// More bytes than that; the connection ends early.
    pub async fn bytes(mut self, limit: usize) -> Result<Vec<u8>, LabError> {
        let mut all = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            if all.len() + chunk.len() > limit {
                return Err(LabError::invalid(format!("multipart `{}` must have at most {limit} bytes", self.name)));
            }
            all.extend_from_slice(&chunk);
        }
        Ok(all)
    }
}

fn unread(error: multer::Error) -> LabError {
    match error {
        multer::Error::StreamReadFailed(cause) => LabError::invalid(format!("the upload ended early: {cause}")),
        multer::Error::IncompleteFieldData { .. } | multer::Error::IncompleteStream => LabError::invalid("the upload ended early"),
        other => LabError::invalid(format!("the multipart body is not understood: {other}")),
    }
}

/// Without what browsers make of the three characters that would end `filename="…"`, and of these only (HTML, multipart/form-data
/// encoding algorithm): a percent sign of the name's own stays as it is.
fn plain_name(text: &str) -> String {
    text.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n")
}

/// `filename*=UTF-8''na%C3%AFve` (RFC 5987), which some clients send alone.
fn extended_name(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_DISPOSITION)?.as_bytes();
    let value = std::str::from_utf8(value).ok()?;
    let (_, encoded) = value.split_once("filename*=")?;
    let encoded = encoded.split(';').next().unwrap_or_default().trim().trim_matches('"');
    let (charset, rest) = encoded.split_once('\'')?;
    let (_, text) = rest.split_once('\'')?;
    if !charset.eq_ignore_ascii_case("utf-8") {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut left = text.as_bytes();
    while let Some((&byte, after)) = left.split_first() {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok()).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match hex {
            Some(decoded) if byte == b'%' => {
                bytes.push(decoded);
                left = &after[2..];
            }
            _ => {
                bytes.push(byte);
                left = after;
            }
        }
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The body, so that it can still be read when the form's reader has given up.
struct Shared(Arc<Mutex<BodyDataStream>>);

impl Stream for Shared {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).poll_next_unpin(context)
    }
}

/// The body, one chunk at a time, and refused when a part's head does not come to its end: the reader would otherwise
/// gather all that a fast connection hands over, before it looks at it.
struct Metered {
    body: Arc<Mutex<BodyDataStream>>,
    allowance: Arc<AtomicU64>,
    /// The reader has a chunk it has not looked at yet.
    fed: bool,
}

impl Stream for Metered {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.fed {
            // "nothing more for now" makes the reader look at what it has; it comes back at once if that is too little
            self.fed = false;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let polled = self.body.lock().unwrap_or_else(PoisonError::into_inner).poll_next_unpin(context);
        if let Poll::Ready(Some(Ok(chunk))) = &polled {
            let left = self.allowance.load(Ordering::Relaxed);
            if left == 0 {
                return Poll::Ready(Some(Err(io::Error::other("a part of the form has no end"))));
            }
            self.allowance.store(left.saturating_sub(chunk.len() as u64), Ordering::Relaxed);
            self.fed = true;
        }
        polled.map(|item| item.map(|chunk| chunk.map_err(io::Error::other)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(body: impl Into<Body>) -> Form {
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, "multipart/form-data; boundary=b".parse().unwrap())]);
        Form::new(&headers, body.into()).unwrap()
    }

    fn part(disposition: &str, content: &str) -> String {
        format!("--b\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{content}\r\n")
    }

    #[tokio::test]
    async fn parts_are_read_in_their_order() {
        let body = part("name=\"q\"", "{}") + &part("name=\"file\"; filename=\"a.b\"", "content") + "--b--\r\n";
        let mut form = form(body);
        let q = form.next().await.unwrap().unwrap();
        assert_eq!((q.name.as_str(), &q.file_name), ("q", &None));
        assert_eq!(q.bytes(2).await.unwrap(), b"{}");
        let file = form.next().await.unwrap().unwrap();
        assert_eq!(file.file_name.as_deref(), Some("a.b"));
        assert!(file.bytes(6).await.is_err());
        assert!(form.next().await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_name_in_the_extended_form_is_understood() {
        let mut form = form(part("name=\"file\"; filename*=utf-8''na%C3%AFve%00.efi", "x") + "--b--\r\n");
        assert_eq!(form.next().await.unwrap().unwrap().file_name.as_deref(), Some("naïve\0.efi"));
    }

    #[tokio::test]
    async fn what_browsers_encode_in_a_name_is_decoded_and_nothing_else() {
        for (sent, name) in
            [("%22q%22.txt", "\"q\".txt"), ("a%0D%0Ab", "a\r\nb"), ("100%25 na%C3%AFve%0a", "100%25 na%C3%AFve%0a"), ("%%220A", "%\"0A")]
        {
            let mut form = form(part(&format!("name=\"file\"; filename=\"{sent}\""), "x") + "--b--\r\n");
            assert_eq!(form.next().await.unwrap().unwrap().file_name.as_deref(), Some(name));
        }
    }

    #[tokio::test]
    async fn a_head_without_end_is_not_gathered() {
        let chunk = Bytes::from(vec![b'x'; 64 * 1024]);
        let sent = Arc::new(AtomicU64::new(0));
        let counter = sent.clone();
        let head = futures_util::stream::iter([Ok::<_, io::Error>(Bytes::from("--b\r\nContent-Disposition: "))]);
        let endless = head.chain(futures_util::stream::repeat_with(move || {
            counter.fetch_add(chunk.len() as u64, Ordering::Relaxed);
            Ok(chunk.clone())
        }));
        let mut form = form(Body::from_stream(endless));
        assert!(form.next().await.err().unwrap().to_string().contains("no end"));
        assert!(sent.load(Ordering::Relaxed) <= HEAD + 64 * 1024);
    }

    #[tokio::test]
    async fn a_body_that_is_there_at_once_is_not_gathered_either() {
        let sent = Arc::new(AtomicU64::new(0));
        let counter = sent.clone();
        let content = Bytes::from(vec![b'x'; 64 * 1024]);
        let pieces = futures_util::stream::iter(0..160).map(move |_| {
            counter.fetch_add(content.len() as u64, Ordering::Relaxed);
            Ok::<_, io::Error>(content.clone())
        });
        let text = |text: &'static str| futures_util::stream::iter([Ok(Bytes::from(text))]);
        let head = text("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n");
        let mut form = form(Body::from_stream(head.chain(pieces).chain(text("\r\n--b--\r\n"))));
        let mut file = form.next().await.unwrap().unwrap();
        let mut read = 0;
        while let Some(chunk) = file.chunk().await.unwrap() {
            read += chunk.len() as u64;
            assert!(sent.load(Ordering::Relaxed) - read <= 128 * 1024);
        }
        assert_eq!(read, 160 * 64 * 1024);
        drop(file);
        assert!(form.next().await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_form_cut_in_a_part_is_an_error() {
        let mut form = form(part("name=\"file\"; filename=\"a\"", "half"));
        let mut file = form.next().await.unwrap().unwrap();
        let outcome = loop {
            match file.chunk().await {
                Ok(Some(_)) => {}
                end => break end,
            }
        };
        assert!(outcome.unwrap_err().to_string().contains("ended early"));
    }
}
