//! Takes requests, decides on what terms they are served, and keeps the transfers.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::blocks::Blocks;
use crate::busy_poll::{BusyPoll, Running};
use crate::config::Config;
use crate::driver::Driver;
use crate::net::{Listener, TransferSocket};
use crate::packet::{self, ErrorCode, Options, ReadRequest, RequestError};
use crate::slots::{Admission, Slot, Slots};
use crate::source::{Content, Event, FileSource, OpenError, Request};
use crate::transfer::{Terms, Transfer};

/// A UDP datagram is not longer.
const MAX_DATAGRAM: usize = 65_536;

/// RFC 1350 §2: the size of a block when nothing else was agreed.
const DEFAULT_BLKSIZE: u16 = 512;

/// Time the transfers have to tell their clients that the server ends.
const PARTING: Duration = Duration::from_secs(1);

/// A read-only TFTP server on one address.
pub struct Server {
    listener: Listener,
    shared: Arc<Shared>,
}

struct Shared {
    config: Config,
    source: Arc<dyn FileSource>,
    slots: Arc<Slots>,
    permits: Semaphore,
    running: Running,
    /// Cancelled when running transfers have to end.
    shutdown: CancellationToken,
    /// The address bound to, unless it is "any".
    bound: Option<IpAddr>,
}

impl Server {
    /// Binds to `addr`; port 0 takes any free port. `[::]` also serves IPv4 where the system is set up so.
    ///
    /// # Errors
    /// The address cannot be bound to, or this is not called within a tokio runtime.
    #[expect(clippy::unused_async, reason = "needs a runtime, and an async fn cannot be called by accident without one")]
    pub async fn bind(addr: SocketAddr, config: Config, source: Arc<dyn FileSource>) -> io::Result<Self> {
        let listener = Listener::bind(addr)?;
        let shared = Shared {
            slots: Slots::new(config.max_transfers.saturating_add(config.max_queued), config.max_transfers_per_ip),
            permits: Semaphore::new(config.max_transfers.min(Semaphore::MAX_PERMITS)),
            running: Running::new(),
            shutdown: CancellationToken::new(),
            bound: Some(listener.local_addr().ip()).filter(|ip| !ip.is_unspecified()),
            config,
            source,
        };
        Ok(Self { listener, shared: Arc::new(shared) })
    }

    /// The address bound to, with the port chosen by the system if 0 was asked for.
    pub fn local_addr(&self) -> SocketAddr {
        self.listener.local_addr()
    }

    /// Serves until `stop` is cancelled, then lets running transfers come to their end for at most
    /// [`Config::drain`]; those still running are told and ended.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut tasks = JoinSet::new();
        let mut buf = vec![0; MAX_DATAGRAM];
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(done) = tasks.join_next() => note_panic(done),
                arrival = self.listener.recv(&mut buf) => match arrival {
                    Ok(arrival) if arrival.broadcast || arrival.peer.port() == 0 => debug!(peer = %arrival.peer, "passed over"),
                    Ok(arrival) => {
                        let local = arrival.local.or(self.shared.bound);
                        self.shared.take(&buf[..arrival.len], arrival.peer, local, &mut tasks);
                    }
                    Err(error) => {
                        // Out of memory or of file descriptors: nothing that does not pass, and nothing to spin on.
                        warn!(%error, "cannot receive requests");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                },
            }
        }
        drop(self.listener);
        let drained = tokio::time::timeout(self.shared.config.drain, finish(&mut tasks)).await;
        if drained.is_err() {
            self.shared.shutdown.cancel();
            let _ = tokio::time::timeout(PARTING, finish(&mut tasks)).await;
        }
    }
}

async fn finish(tasks: &mut JoinSet<()>) {
    while let Some(done) = tasks.join_next().await {
        note_panic(done);
    }
}

/// A panic comes from the user's [`FileSource`]; it costs one transfer.
fn note_panic(done: Result<(), tokio::task::JoinError>) {
    if let Err(error) = done {
        warn!(%error, "a transfer ended abnormally");
    }
}

impl Shared {
    /// One datagram on the well-known port.
    fn take(self: &Arc<Self>, packet: &[u8], peer: SocketAddr, local: Option<IpAddr>, tasks: &mut JoinSet<()>) {
        let read = match packet::decode_request(packet, self.config.max_path) {
            Ok(read) => read,
            Err(RequestError::NotARequest) => return debug!(%peer, "not a request"),
            Err(RequestError::Refused { code, path, message }) => return self.refuse(peer, local, path, code, message),
        };
        match self.slots.admit(peer, packet, &self.shutdown) {
            Admission::Serve(slot) => {
                let shared = Arc::clone(self);
                tasks.spawn(async move { shared.serve(read, peer, local, slot).await });
            }
            Admission::Duplicate => debug!(%peer, path = read.path, "request repeated"),
            Admission::PeerFull => {
                let message = "too many transfers to this address, try again later";
                self.refuse(peer, local, read.path, ErrorCode::Undefined, message.to_owned());
            }
            Admission::Full => self.refuse_busy(peer, local, read.path),
        }
    }

    fn refuse_busy(&self, peer: SocketAddr, local: Option<IpAddr>, path: String) {
        self.refuse(peer, local, path, ErrorCode::Undefined, "the server is busy, try again later".to_owned());
    }

    /// Tells the client why not. An error comes from a new port, like any first answer (RFC 1350 §4).
    fn refuse(&self, peer: SocketAddr, local: Option<IpAddr>, path: String, code: ErrorCode, message: String) {
        match TransferSocket::bind(local, peer) {
            Ok(socket) => socket.send_aside(&packet::encode_error(code, &message), peer),
            Err(error) => debug!(%peer, %error, "cannot answer"),
        }
        debug!(%peer, path, ?code, message, "refused");
        self.source.event(&Event::Refused { peer, path, code, message });
    }

    async fn serve(&self, read: ReadRequest, peer: SocketAddr, local: Option<IpAddr>, slot: Slot) {
        // Waiting in line; meanwhile the client's repeated requests are recognized as duplicates.
        let permit = tokio::select! {
            permit = tokio::time::timeout(self.config.queue_wait, self.permits.acquire()) => permit,
            () = slot.cancel.cancelled() => return self.refuse_busy(peer, local, read.path),
        };
        let Ok(Ok(_permit)) = permit else {
            return self.refuse_busy(peer, local, read.path);
        };
        let request = Request { peer, local, path: read.path, options: read.options };
        let opened = tokio::select! {
            opened = tokio::time::timeout(self.config.open_timeout, self.source.open(&request)) => opened,
            () = slot.cancel.cancelled() => return self.refuse_busy(peer, local, request.path),
        };
        let content = match opened.unwrap_or_else(|_| Err(OpenError::Other("the server took too long to find the file".to_owned()))) {
            Ok(content) => content,
            Err(error) => return self.refuse(peer, local, request.path, error.code(), error.to_string()),
        };
        let socket = match TransferSocket::bind(local, peer) {
            Ok(socket) => socket,
            Err(error) => {
                warn!(%peer, %error, "cannot open a socket for a transfer");
                return self.refuse(peer, local, request.path, ErrorCode::Undefined, format!("no socket for this transfer: {error}"));
            }
        };
        let (terms, oack) = self.config.agree(&request.options, &content);
        let Terms { len, blksize, windowsize, .. } = terms;
        let event = Event::Started { peer, local, path: request.path.clone(), len, blksize, windowsize };
        self.source.event(&event);
        let driver = Driver {
            socket,
            peer,
            blocks: Blocks::new(content, &terms),
            transfer: Transfer::new(terms),
            oack,
            busy_poll: BusyPoll::new(self.config.busy_poll, &self.running),
            cancel: slot.cancel.clone(),
            shutdown: self.shutdown.clone(),
        };
        let outcome = driver.run(&slot).await;
        drop(slot);
        let (path, bytes, elapsed, retransmits) = (request.path, outcome.bytes, outcome.elapsed, outcome.retransmits);
        let event = match outcome.result {
            Ok(()) => Event::Finished { peer, path, bytes, elapsed, blksize, windowsize, retransmits },
            Err(reason) => Event::Failed { peer, path, bytes, elapsed, retransmits, reason },
        };
        debug!(?event, "transfer ended");
        self.source.event(&event);
    }
}

impl Config {
    /// What is granted of the options asked for, and the packet that says so (empty: none was granted, RFC 2347 then has
    /// the first block follow at once).
    fn agree(&self, options: &Options, content: &Content) -> (Terms, Vec<u8>) {
        let len = content.len();
        let mut granted: Vec<(&str, u64)> = Vec::new();
        let mut blksize = DEFAULT_BLKSIZE;
        if let Some(asked) = options.blksize {
            blksize = asked.min(self.max_blksize.clamp(8, packet::MAX_BLKSIZE));
            granted.push(("blksize", blksize.into()));
        }
        if options.tsize {
            granted.push(("tsize", len));
        }
        let mut timeout = self.timeout;
        // RFC 2349: a timeout is granted as it is or not at all.
        if let Some(seconds) = options.timeout.filter(|&seconds| Duration::from_secs(seconds.into()) <= self.max_timeout) {
            timeout = Duration::from_secs(seconds.into());
            granted.push(("timeout", seconds.into()));
        }
        let mut windowsize = 1;
        if let Some(asked) = options.windowsize {
            let fitting = u16::try_from(self.max_window_bytes / buffer_use(blksize)).unwrap_or(u16::MAX);
            // RFC 7440 has no 0
            windowsize = asked.min(self.max_windowsize).min(fitting).max(1);
            granted.push(("windowsize", windowsize.into()));
        }
        let oack = if granted.is_empty() { Vec::new() } else { packet::encode_oack(granted) };
        let (max_backoff, max_retries) = (self.max_backoff, self.max_retries);
        let terms = Terms { len, blksize, windowsize, oack: !oack.is_empty(), timeout, max_backoff, max_retries };
        (terms, oack)
    }
}

/// Bytes of a Linux client's receive buffer that one packet takes up: the kernel counts the memory it lies in, a power of two
/// up to 16 KiB and pages beyond, and its own bookkeeping.
fn buffer_use(blksize: u16) -> usize {
    const BOOKKEEPING: usize = 256;
    let with_headers = usize::from(blksize) + 512;
    BOOKKEEPING + if with_headers <= 16 * 1024 { with_headers.next_power_of_two() } else { with_headers + 512 }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn agree(options: Options) -> (Terms, String) {
        let content = Content::Bytes(Bytes::from_static(&[0; 1000]));
        let (terms, oack) = Config::default().agree(&options, &content);
        (terms, String::from_utf8(oack).unwrap().replace('\0', " "))
    }

    #[test]
    fn only_what_was_asked_for_is_granted() {
        let (terms, oack) = agree(Options::default());
        assert_eq!((terms.blksize, terms.windowsize, terms.oack, oack.as_str()), (512, 1, false, ""));

        let asked = Options { blksize: Some(1468), tsize: true, timeout: Some(3), windowsize: Some(4) };
        let (terms, oack) = agree(asked);
        assert_eq!((terms.blksize, terms.windowsize, terms.timeout), (1468, 4, Duration::from_secs(3)));
        assert_eq!(oack, " \u{6}blksize 1468 tsize 1000 timeout 3 windowsize 4 ");
    }

    #[test]
    fn more_than_the_limits_is_cut() {
        let (terms, oack) = agree(Options { windowsize: Some(65_535), timeout: Some(255), ..Options::default() });
        assert_eq!(terms.windowsize, 64);
        assert_eq!(terms.timeout, Config::default().timeout, "a timeout that long is not granted");
        assert_eq!(oack, " \u{6}windowsize 64 ");

        // a window no client's socket buffer holds is made smaller
        for (blksize, windowsize) in [(512, 64), (1468, 64), (4096, 24), (8192, 12), (65_464, 3)] {
            let (terms, _) = agree(Options { blksize: Some(blksize), windowsize: Some(64), ..Options::default() });
            assert_eq!((terms.blksize, terms.windowsize), (blksize, windowsize));
        }
    }
}
