//! One person's window on a console.

use std::sync::Arc;

use app::api::{ConsoleStatus, Line};
use bytes::Bytes;
use tokio::sync::{broadcast, watch};

use super::broker::{Shared, Status};
use crate::bmc::ConsoleInput;

/// Most bytes handed out at once.
const CHUNK: usize = 16 * 1024;

/// Leaves the console when dropped.
pub struct Viewer {
    shared: Arc<Shared>,
    id: u64,
    position: u64,
    head: watch::Receiver<u64>,
    status: watch::Receiver<Status>,
    notices: broadcast::Receiver<Arc<str>>,
}

/// What a viewer is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    Bytes(Bytes),
    Status(ConsoleStatus),
}

impl Viewer {
    pub(super) fn new(shared: Arc<Shared>, id: u64) -> Self {
        let mut status = shared.status.subscribe();
        status.mark_changed();
        let (head, notices) = (shared.head.subscribe(), shared.notices.subscribe());
        // from the oldest byte kept on: what was skipped before is no loss of this viewer's
        let position = shared.ring().start();
        Self { shared, id, position, head, status, notices }
    }

    /// The next thing to show. The first is the status, then what the console's memory holds. Cancelling it loses nothing.
    pub async fn next(&mut self) -> Output {
        loop {
            if self.status.has_changed().unwrap_or(false) {
                let status = self.status.borrow_and_update().clone();
                return Output::Status(self.told(status));
            }
            let chunk = self.shared.ring().read(&mut self.position, CHUNK);
            if let Some(chunk) = chunk {
                if chunk.skipped > 0 {
                    // this viewer's link was too slow: the bytes are in the log, and it is told
                    let text = format!("{} bytes were skipped: the connection to this browser is too slow", chunk.skipped);
                    let mark = format!("\r\n[{text}]\r\n").into_bytes();
                    return Output::Bytes([mark, chunk.bytes.to_vec()].concat().into());
                }
                return Output::Bytes(chunk.bytes);
            }
            tokio::select! {
                // neither can fail: this viewer holds the console and its senders
                _ = self.head.changed() => {}
                _ = self.status.changed() => self.status.mark_changed(),
                notice = self.notices.recv() => if let Ok(text) = notice {
                    return Output::Status(ConsoleStatus::Notice { text: text.to_string() });
                },
            }
        }
    }

    fn told(&self, status: Status) -> ConsoleStatus {
        let you_write = status.writer.as_ref().is_some_and(|(id, _)| *id == self.id);
        ConsoleStatus::Status {
            line: status.line,
            message: status.message,
            writer: status.writer.map(|(_, name)| name),
            you_write,
            viewers: status.viewers,
        }
    }

    /// Types, or sends a break. Waits while the line is full.
    ///
    /// # Errors
    /// A sentence for the viewer: somebody else types, or the line is not connected.
    pub async fn input(&self, input: ConsoleInput) -> Result<(), String> {
        let status = self.shared.status.borrow().clone();
        match status.writer {
            Some((id, _)) if id == self.id => {}
            Some((_, name)) => return Err(format!("{name} has the keyboard: take it first")),
            None => {
                self.shared.take_write(self.id);
            }
        }
        if status.line != Line::Connected {
            return Err("not connected: what was typed is lost".into());
        }
        self.shared.inputs.send(input).await.map_err(|_| "the console is closed".to_owned())
    }

    /// Becomes the one who types. Answers whether somebody else was.
    pub fn take_write(&self) -> bool {
        self.shared.take_write(self.id)
    }

    /// Ends the session somebody else holds on the BMC.
    pub fn take_over(&self) {
        self.shared.take_over();
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        self.shared.leave(self.id);
    }
}
