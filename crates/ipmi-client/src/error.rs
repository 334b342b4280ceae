//! What can go wrong, told so that an operator knows where to look.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use ipmi_wire::command::{ActivatePayload, Command};
use ipmi_wire::session::{KeyTooLong, Status};
use ipmi_wire::{CipherSuite, CompletionCode, DecodeError, Privilege};
use thiserror::Error;

/// An operation on one BMC failed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("BMC {bmc}{}: {kind}", attempt_text(*.attempt, .kind))]
pub struct Error {
    pub bmc: SocketAddr,
    /// How often what failed was sent, counted from 1.
    pub attempt: u32,
    #[source]
    pub kind: ErrorKind,
}

impl Error {
    pub(crate) fn new(bmc: SocketAddr, kind: ErrorKind) -> Self {
        let attempt = match kind {
            ErrorKind::NoAnswer { attempts, .. } => attempts,
            _ => 1,
        };
        Self { bmc, attempt, kind }
    }

    /// What was being done; `None` when it does not matter: nothing was sent, or it never will be.
    #[must_use]
    pub fn stage(&self) -> Option<Stage> {
        self.kind.stage()
    }
}

fn attempt_text(attempt: u32, kind: &ErrorKind) -> String {
    match kind {
        // says it itself
        ErrorKind::NoAnswer { .. } => String::new(),
        _ if attempt > 1 => format!(", attempt {attempt}"),
        _ => String::new(),
    }
}

/// What was being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// The questions before a session: authentication capabilities, cipher suites.
    Discovery,
    OpenSession,
    /// RAKP 1, the user name, to RAKP 2.
    Authentication,
    /// RAKP 3, the proof, to RAKP 4.
    Confirmation,
    /// Set Session Privilege Level.
    Privilege,
    /// A command in the session, by its name.
    Command(&'static str),
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Discovery => "Get Channel Authentication Capabilities",
            Self::OpenSession => "Open Session",
            Self::Authentication => "RAKP message 1 (user name)",
            Self::Confirmation => "RAKP message 3 (password)",
            Self::Privilege => "Set Session Privilege Level",
            Self::Command(name) => name,
        })
    }
}

/// The kinds of failure.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ErrorKind {
    /// Nothing came back.
    #[error("no answer to {stage} after {attempts} attempts in {:.1} s{}; check {}", waited.as_secs_f32(),
        if *outcome_unknown { " (it may have been carried out)" } else { "" }, advice(*stage))]
    NoAnswer {
        stage: Stage,
        attempts: u32,
        waited: Duration,
        /// The command changes something, was sent, and may have been executed.
        outcome_unknown: bool,
    },
    #[error("the BMC refused the user name; check the user name, and that the user is enabled for IPMI over LAN")]
    UnknownUser,
    #[error("wrong password; check the password, and that the BMC stores all of it (some cut it at 16 characters)")]
    WrongPassword,
    #[error("the session keys do not match; check the BMC key (K_g)")]
    WrongKg,
    #[error("privilege {privilege} not allowed; check the user's and the channel's privilege limit")]
    PrivilegeRefused { privilege: Privilege },
    #[error("the BMC has no free session; close others or wait about a minute until it drops dead ones")]
    NoFreeSession,
    /// The BMC has neither suite.
    #[error("the BMC offers cipher suites {offered:?}, none of which is allowed here (17 or 3)")]
    NoSuite { offered: Vec<u8> },
    /// Weaker than this BMC was once seen to use: an attack, or its configuration was changed.
    #[error("the BMC accepts nothing as strong as cipher suite {}, which is demanded here or was used with it before; check its configuration",
        at_least.id())]
    Downgrade { at_least: CipherSuite },
    #[error("the BMC speaks IPMI 1.5 only; IPMI 2.0 is needed")]
    NotV20,
    #[error("the BMC refused {stage}: {status}")]
    Refused { stage: Stage, status: Status },
    /// The command was executed and failed.
    #[error("{command} failed: {text}")]
    Completion { command: &'static str, code: CompletionCode, text: String },
    /// A hop on the way to a bridged controller refused.
    #[error("the message could not be passed on to the controller behind the BMC: {code}; check transit and target addresses")]
    Bridge { code: CompletionCode },
    #[error("SOL is held by another session{}; take it over, or end the other", holder_text(*.holder))]
    SolHeld {
        /// The BMC's id of the session that holds it, where it tells.
        holder: Option<u32>,
    },
    #[error("this client already has SOL open")]
    SolOpenHere,
    #[error("the BMC offers no SOL ({code}); check that SOL is enabled for the channel and the user")]
    NoSol { code: CompletionCode },
    /// Something arrived that should have been the answer, but is not readable.
    #[error("the BMC answered garbage to {stage}: {error}")]
    Garbage { stage: Stage, error: DecodeError },
    #[error("{0}")]
    Credentials(KeyTooLong),
    #[error("request of {0} octets is too long")]
    TooLong(usize),
    /// The socket could not be used; the text is the operating system's.
    #[error("network: {0}")]
    Network(String),
    #[error("the client was closed")]
    Closed,
}

impl ErrorKind {
    /// What was being done when this happened.
    #[must_use]
    pub fn stage(&self) -> Option<Stage> {
        Some(match self {
            Self::NoAnswer { stage, .. } | Self::Refused { stage, .. } | Self::Garbage { stage, .. } => *stage,
            Self::UnknownUser => Stage::Authentication,
            Self::WrongPassword | Self::WrongKg => Stage::Confirmation,
            Self::PrivilegeRefused { .. } => Stage::Privilege,
            Self::NoFreeSession | Self::NoSuite { .. } | Self::Downgrade { .. } => Stage::OpenSession,
            Self::NotV20 => Stage::Discovery,
            Self::Completion { command, .. } => Stage::Command(command),
            Self::Bridge { .. } => Stage::Command("Send Message"),
            Self::SolHeld { .. } | Self::SolOpenHere | Self::NoSol { .. } => Stage::Command(ActivatePayload::NAME),
            Self::Credentials(_) | Self::TooLong(_) | Self::Network(_) | Self::Closed => return None,
        })
    }

    /// Nobody answered: the BMC is off the network, or everything sent to it is lost.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::NoAnswer { .. } | Self::Network(_))
    }

    /// The credentials or rights are wrong; trying again does not help.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::UnknownUser | Self::WrongPassword | Self::WrongKg | Self::PrivilegeRefused { .. } | Self::Credentials(_))
    }
}

fn advice(stage: Stage) -> &'static str {
    match stage {
        Stage::Discovery => "address, cable, and that IPMI over LAN is enabled",
        Stage::OpenSession => "whether the BMC was restarted, left the network, or has no session left",
        Stage::Authentication => "the user name (some BMCs answer nothing to an unknown one)",
        Stage::Confirmation => "the password (some BMCs answer nothing to a wrong one)",
        Stage::Privilege | Stage::Command(_) => "whether the BMC was restarted or left the network",
    }
}

fn holder_text(holder: Option<u32>) -> String {
    holder.map_or_else(String::new, |id| format!(" ({id:#010x})"))
}
