//! The user's end of a console.

use bytes::Bytes;
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};

use crate::{Client, Error};

/// What came from the console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SolEvent {
    /// Characters, in order and exactly once.
    Data(Bytes),
    /// The BMC's buffer ran over: characters of the machine are missing here.
    Overrun,
    /// The machine sent a break.
    Break,
    /// The BMC cannot pass characters for now (`true`), or again can (`false`).
    Unavailable(bool),
    /// Nothing follows.
    Closed(CloseReason),
}

/// Why a console ended.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CloseReason {
    /// Another session deactivated SOL, or the BMC did.
    #[error("the BMC ended SOL; another session may have taken it over")]
    Deactivated,
    /// The session with the BMC is gone.
    #[error("connection to the BMC lost: {0}")]
    Lost(Error),
    /// This client opened SOL again with `take_over`, or was closed.
    #[error("closed by this side")]
    Local,
}

/// Writing is no longer possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the console is closed")]
pub struct SolClosed;

#[derive(Debug)]
pub(crate) enum SolInput {
    Write(Bytes, oneshot::Sender<()>),
    Break(oneshot::Sender<()>),
}

/// An active console. Dropping it deactivates SOL on the BMC.
#[derive(Debug)]
pub struct SolSession {
    pub(crate) events: mpsc::Receiver<SolEvent>,
    pub(crate) writer: SolWriter,
    /// Keeps the session's task running while only the console is used.
    pub(crate) _client: Client,
}

impl SolSession {
    /// The next event; `None` after [`SolEvent::Closed`]. Not reading holds the BMC back, it loses nothing by itself.
    /// Cancel safe.
    pub async fn recv(&mut self) -> Option<SolEvent> {
        self.events.recv().await
    }

    /// The writing half, which may be cloned.
    #[must_use]
    pub fn writer(&self) -> SolWriter {
        self.writer.clone()
    }
}

/// Writes to a console.
#[derive(Debug, Clone)]
pub struct SolWriter {
    pub(crate) input: mpsc::Sender<SolInput>,
}

impl SolWriter {
    /// Whether the console has ended, so that writing will fail.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.input.is_closed()
    }

    /// Sends characters to the machine and returns once the BMC has taken all of them.
    ///
    /// Dropping the future does not take back what was already handed over.
    ///
    /// # Errors
    /// The console ended; how much was taken is then not known.
    pub async fn write(&self, data: Bytes) -> Result<(), SolClosed> {
        if data.is_empty() {
            return if self.is_closed() { Err(SolClosed) } else { Ok(()) };
        }
        let (done, taken) = oneshot::channel();
        self.input.send(SolInput::Write(data, done)).await.map_err(|_| SolClosed)?;
        taken.await.map_err(|_| SolClosed)
    }

    /// Sends a break, in order with what was written, and returns once the BMC has it.
    ///
    /// # Errors
    /// The console ended.
    pub async fn send_break(&self) -> Result<(), SolClosed> {
        let (done, taken) = oneshot::channel();
        self.input.send(SolInput::Break(done)).await.map_err(|_| SolClosed)?;
        taken.await.map_err(|_| SolClosed)
    }
}
