//! The TFTP side: the `tftp` crate asks, [`Netboot`] answers.

use std::net::IpAddr;

use app::api::BootProtocol;
use async_trait::async_trait;
use tftp::{Content, Event, Failure, FileSource, OpenError, Request};
use tokio::runtime::Handle;

use super::service::{Answer, Fetched, Netboot, Refusal};

/// [`Netboot`] as a TFTP server's files.
pub struct TftpSource {
    netboot: Netboot,
    runtime: Handle,
}

impl TftpSource {
    /// Must be called within the runtime that writes its events.
    #[must_use]
    pub fn new(netboot: Netboot) -> Self {
        Self { netboot, runtime: Handle::current() }
    }
}

/// An IPv4 client of a dual-stack socket is that IPv4 address.
fn plain(ip: IpAddr) -> IpAddr {
    ip.to_canonical()
}

#[async_trait]
impl FileSource for TftpSource {
    async fn open(&self, request: &Request) -> Result<Content, OpenError> {
        match self.netboot.answer(&request.path, plain(request.peer.ip())).await {
            Ok(Answer::Text(text)) => Ok(Content::Bytes(text.into())),
            Ok(Answer::File { path, len }) => match tokio::task::spawn_blocking(move || std::fs::File::open(path)).await {
                Ok(Ok(file)) => Ok(Content::File { file, len }),
                Ok(Err(error)) => Err(OpenError::Other(format!("cannot open the file: {error}"))),
                Err(error) => Err(OpenError::Other(error.to_string())),
            },
            Err(Refusal::NotFound(text)) => Err(OpenError::NotFound(text)),
            Err(Refusal::Denied(text)) => Err(OpenError::Denied(text)),
            Err(other) => Err(OpenError::Other(other.to_string())),
        }
    }

    fn event(&self, event: &Event) {
        let (peer, path, bytes, elapsed, failure) = match event {
            Event::Finished { peer, path, bytes, elapsed, .. } => (peer, path, *bytes, *elapsed, None),
            // firmware asking only for the length
            Event::Failed { reason: Failure::AbortedBeforeData { .. }, .. } => return,
            Event::Failed { peer, path, bytes, elapsed, reason, .. } => (peer, path, *bytes, *elapsed, Some(reason.to_string())),
            Event::Refused { peer, path, code, message } => {
                tracing::debug!(%peer, path, ?code, message, "tftp refused");
                return;
            }
            Event::Started { .. } => return,
        };
        let fetched = Fetched { path, client: plain(peer.ip()), protocol: BootProtocol::Tftp, bytes, elapsed, failure };
        self.runtime.spawn(self.netboot.fetched(fetched));
    }
}
