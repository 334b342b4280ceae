//! Text frames of the console's socket. Binary frames are the terminal's bytes, both ways.

use serde::{Deserialize, Serialize};

use super::{
    ApiError,
    client::{Api, query},
    fields::Instant,
};

/// Server to viewer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ConsoleStatus {
    /// The serial line, and who types on it.
    Status {
        line: Line,
        /// What is wrong, when the line is not connected.
        message: Option<String>,
        /// Who may type now.
        writer: Option<String>,
        /// Whether that is this viewer.
        you_write: bool,
        viewers: u32,
    },
    /// Something on the line that is no byte: a break from the machine, an overrun, lost characters.
    Notice { text: String },
}

/// State of the Serial-over-LAN session behind a console.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    Connecting,
    Connected,
    /// Somebody outside this program holds the BMC's only session: a viewer may take it over.
    Busy,
    /// Failed; tried again by itself.
    Failed,
}

/// The end of a console's log, as text without control sequences.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConsoleTail {
    /// Oldest first; none when nothing was logged yet.
    pub lines: Vec<String>,
    /// When the console last said something.
    pub written: Option<Instant>,
}

impl Api {
    /// The last lines of a machine's console.
    pub async fn console_tail(&self, machine: i64, lines: u32) -> Result<ConsoleTail, ApiError> {
        self.get(&query(&format!("/machine/{machine}/console/tail"), &[("lines", &lines.to_string())])).await
    }
}

/// Where a browser finds all that is kept of a machine's console.
#[must_use]
pub fn console_log_path(machine: i64) -> String {
    format!("/api/v1/machine/{machine}/console/log")
}

/// Viewer to server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ConsoleCommand {
    /// Become the one who types.
    TakeWrite,
    /// Send a serial break.
    Break,
    /// Deactivate the session somebody else holds on the BMC and connect.
    TakeOver,
}
