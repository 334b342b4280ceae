//! What the user of this library provides: the answer to "who asks for this path, and what does he get".

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::packet::{ErrorCode, Options};

/// Decides what each client is sent. Calls run concurrently, one for each request; a slow one delays nobody else.
#[async_trait]
pub trait FileSource: Send + Sync + 'static {
    /// Finds what `request` asks for. The path comes as the client sent it, `../` and all: confining it to a folder is the
    /// duty of this method. It is given up after [`Config::open_timeout`](crate::Config::open_timeout).
    async fn open(&self, request: &Request) -> Result<Content, OpenError>;

    /// Told of what becomes of each request. Called from the transfer itself, so it must not block.
    fn event(&self, event: &Event) {
        let _ = event;
    }
}

/// A read request.
#[derive(Debug, Clone)]
pub struct Request {
    /// Address and port the client sends from.
    pub peer: SocketAddr,
    /// The address of this machine the client sent to, as far as the system tells.
    pub local: Option<IpAddr>,
    /// The path exactly as asked for: UTF-8, not empty, at most [`Config::max_path`](crate::Config::max_path) bytes.
    pub path: String,
    /// The options asked for, before any limit of this server.
    pub options: Options,
}

/// What a client is sent.
#[derive(Debug)]
pub enum Content {
    /// Something made for this request.
    Bytes(Bytes),
    /// A regular file, read from its beginning in pieces while it is sent.
    File {
        /// Opened for reading; must be seekable.
        file: std::fs::File,
        /// Bytes to send. The transfer fails if the file turns out to be shorter.
        len: u64,
    },
}

impl Content {
    pub(crate) fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File { len, .. } => *len,
        }
    }
}

/// Why a client gets nothing. The text is sent to it, and stands on the machine's screen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Sent as error 1.
    #[error("{0}")]
    NotFound(String),
    /// Sent as error 2.
    #[error("{0}")]
    Denied(String),
    /// Sent as error 0.
    #[error("{0}")]
    Other(String),
}

impl OpenError {
    pub(crate) fn code(&self) -> ErrorCode {
        match self {
            Self::NotFound(_) => ErrorCode::NotFound,
            Self::Denied(_) => ErrorCode::AccessViolation,
            Self::Other(_) => ErrorCode::Undefined,
        }
    }
}

/// What became of a request. Each one ends in exactly one of `Finished`, `Failed` and `Refused`.
#[derive(Debug, Clone)]
pub enum Event {
    /// The file was found and the first packet is about to be sent.
    Started {
        peer: SocketAddr,
        /// The address of this machine that is used.
        local: Option<IpAddr>,
        path: String,
        /// Bytes of the file.
        len: u64,
        /// Bytes in a block, as agreed.
        blksize: u16,
        /// Blocks in a window, as agreed.
        windowsize: u16,
    },
    /// The client acknowledged the last block.
    Finished {
        peer: SocketAddr,
        path: String,
        bytes: u64,
        /// From the first packet sent to the last received.
        elapsed: Duration,
        blksize: u16,
        windowsize: u16,
        /// Packets sent more than once.
        retransmits: u64,
    },
    /// A transfer ended before its end.
    Failed {
        peer: SocketAddr,
        path: String,
        /// Bytes the client had acknowledged.
        bytes: u64,
        elapsed: Duration,
        retransmits: u64,
        reason: Failure,
    },
    /// The client was sent an error instead of a file.
    Refused {
        peer: SocketAddr,
        /// The path if the request got that far, not necessarily whole or well-formed.
        path: String,
        code: ErrorCode,
        /// The text sent.
        message: String,
    },
}

/// Why a transfer ended before its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The client sent an error before it acknowledged any data. OVMF and GRUB do so on purpose: they ask once only to learn
    /// `tsize`, then ask again. Nothing to worry about.
    AbortedBeforeData { code: u16, message: String },
    /// The client sent an error in mid-transfer.
    Aborted { code: u16, message: String },
    /// The client no longer answered.
    TimedOut,
    /// The same client and port sent a new request: the machine was reset, or its loader started over.
    Superseded,
    /// The file could not be read to its end.
    Read(String),
    /// The network refused to send.
    Send(String),
    /// The server was shut down.
    Shutdown,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AbortedBeforeData { code, message } => {
                write!(f, "the client only asked for the length, or gave up before the first block (error {code}: {message})")
            }
            Self::Aborted { code, message } => write!(f, "the client gave up (error {code}: {message})"),
            Self::TimedOut => f.write_str("the client no longer answers"),
            Self::Superseded => f.write_str("the client started over"),
            Self::Read(error) => write!(f, "cannot read the file: {error}"),
            Self::Send(error) => write!(f, "cannot send: {error}"),
            Self::Shutdown => f.write_str("the server is shutting down"),
        }
    }
}
