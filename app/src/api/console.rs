//! Text frames of the console's socket. Binary frames are the terminal's bytes, both ways.

use serde::{Deserialize, Serialize};

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
