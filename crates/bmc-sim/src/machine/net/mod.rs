//! How the pretend firmware, its bootloader and its installer fetch files.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use thiserror::Error;

pub mod http;
pub mod tftp;

/// What is kept of a fetched file, and its measure.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// Bytes of the whole file.
    pub bytes: u64,
    /// From the request to the last byte.
    pub took: Duration,
    /// The first bytes, as many as the caller asked to keep.
    pub head: Vec<u8>,
    /// Size the server announced before sending (TFTP tsize, HTTP Content-Length).
    pub announced: Option<u64>,
}

impl Fetched {
    /// What was kept, as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.head).into_owned()
    }

    /// `1234 bytes in 0.52 s (2.4 kB/s)`.
    #[must_use]
    pub fn measure(&self) -> String {
        let seconds = self.took.as_secs_f64().max(0.000_001);
        #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
        let rate = self.bytes as f64 / seconds;
        let rate = if rate >= 1e6 { format!("{:.1} MB/s", rate / 1e6) } else { format!("{:.1} kB/s", rate / 1e3) };
        format!("{} bytes in {seconds:.2} s ({rate})", self.bytes)
    }
}

/// Why a file did not come.
#[derive(Debug, Error)]
pub enum FetchError {
    /// Nobody answered.
    #[error("timed out")]
    Timeout,
    /// The server sent a TFTP error packet.
    #[error("TFTP error {code}: {message}")]
    Tftp {
        /// RFC 1350 error code.
        code: u16,
        /// The server's words.
        message: String,
    },
    /// The server's packets make no sense.
    #[error("protocol error: {0}")]
    Protocol(String),
    /// An HTTP status other than success.
    #[error("HTTP status {status} {reason}")]
    Http {
        /// Three digits.
        status: u16,
        /// The server's words.
        reason: String,
    },
    /// The URL cannot be fetched by this machine.
    #[error("bad URL: {0}")]
    Url(String),
    /// The network stack refused.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl FetchError {
    /// Whether the server was there and said that it has no such file.
    #[must_use]
    pub fn not_found(&self) -> bool {
        matches!(self, Self::Tftp { code: 1, .. } | Self::Http { status: 404 | 410, .. })
    }
}

/// The machine's network: whom to ask and from where.
#[derive(Debug, Clone)]
pub struct Net {
    /// The boot server, as DHCP's next-server would name it.
    pub tftp: SocketAddr,
    /// Where GRUB's `(http)` device points; the boot server's port 80 if not given.
    pub http: Option<SocketAddr>,
    /// The machine's own address; requests leave from it.
    pub source: IpAddr,
    /// How long to wait for the first answer before asking again.
    pub patience: Duration,
}

/// Where a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// On the boot server, exactly this name.
    Tftp(String),
    /// An absolute `http://` URL.
    Url(String),
}

impl Net {
    /// Fetches a file and keeps its first `keep` bytes.
    ///
    /// # Errors
    /// See [`FetchError`].
    pub async fn fetch(&self, location: &Location, options: &tftp::Options, keep: usize) -> Result<Fetched, FetchError> {
        let start = Instant::now();
        let mut fetched = match location {
            Location::Tftp(name) => tftp::get(self, name, options, keep).await?,
            Location::Url(url) => http::get(self, url, keep).await?,
        };
        fetched.took = start.elapsed();
        Ok(fetched)
    }

    /// The base URL of GRUB's `(http)` device.
    #[must_use]
    pub fn http_base(&self) -> String {
        let address = self.http.unwrap_or_else(|| SocketAddr::new(self.tftp.ip(), 80));
        format!("http://{address}")
    }
}

/// Keeps the first `keep` bytes of what passes and counts the rest.
#[derive(Debug)]
struct Sink {
    bytes: u64,
    head: Vec<u8>,
    keep: usize,
}

impl Sink {
    fn new(keep: usize) -> Self {
        Self { bytes: 0, head: Vec::new(), keep }
    }

    fn take(&mut self, data: &[u8]) {
        let wanted = self.keep.saturating_sub(self.head.len()).min(data.len());
        self.head.extend_from_slice(&data[..wanted]);
        self.bytes += data.len() as u64;
    }

    fn done(self, announced: Option<u64>) -> Fetched {
        Fetched { bytes: self.bytes, took: Duration::ZERO, head: self.head, announced }
    }
}
