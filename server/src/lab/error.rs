//! Why a request was not carried out.

use std::io;

use app::api::InUseBy;
use store::{StoreError, UsedBy};

use crate::secrets::SecretError;

#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// The request makes no sense; one sentence per fault.
    #[error("{}", .0.join("; "))]
    Invalid(Vec<String>),
    #[error("{0}")]
    NotFound(String),
    #[error("not logged in")]
    Unauthenticated,
    #[error("{0}")]
    Forbidden(String),
    /// Somebody or something else has it.
    #[error("{0}")]
    Conflict(String),
    /// It was changed since the actor saw it.
    #[error("it was changed meanwhile: load it anew")]
    Stale,
    /// A thing cannot go while these use it.
    #[error("{what} is in use by {}", .by.join(", "))]
    InUse { what: String, by: Vec<String>, users: Vec<InUseBy> },
    /// The BMC failed or refused; the text names it, the stage and what to check, never a secret.
    #[error("{0}")]
    Bmc(String),
    /// Something could not be read from the BMC: it does not answer, or failed.
    #[error("{text}")]
    BmcRead { silent: bool, text: String },
    #[error("the upload is larger than the limit of {limit} bytes")]
    TooLarge { limit: u64 },
    #[error("too many attempts, try again in {seconds} s")]
    TooMany { seconds: u64 },
    /// The disk is full.
    #[error("no space left to store the upload")]
    NoSpace,
    /// A fault of the server's own, told to the log only.
    #[error("{0}")]
    Internal(String),
    #[error("files: {0}")]
    Files(#[source] io::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Secret(#[from] SecretError),
}

impl LabError {
    pub fn invalid(text: impl Into<String>) -> Self {
        Self::Invalid(vec![text.into()])
    }

    pub fn not_found(text: impl Into<String>) -> Self {
        Self::NotFound(text.into())
    }
}

impl From<io::Error> for LabError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::StorageFull || error.kind() == io::ErrorKind::QuotaExceeded {
            Self::NoSpace
        } else {
            Self::Files(error)
        }
    }
}

/// A MAC that is taken, told with the MAC: there may be several in a request.
pub(super) fn mac_taken(error: StoreError, mac: &str) -> LabError {
    if matches!(error, StoreError::Unique { key: "interfaces.mac" }) {
        LabError::Conflict(format!("MAC {mac} already in use"))
    } else {
        error.into()
    }
}

/// # Errors
/// [`LabError::InUse`] when anything uses it.
pub(super) fn in_use(what: &str, by: Vec<UsedBy>) -> Result<(), LabError> {
    if by.is_empty() {
        return Ok(());
    }
    let told = |user: &UsedBy| match user.role.as_str() {
        "kernel" | "initrd" | "bootloader" => format!("{} {} as {}", user.kind, user.name, user.role),
        _ => format!("{} {}", user.kind, user.name),
    };
    Err(LabError::InUse { what: what.to_owned(), by: by.iter().map(told).collect(), users: by.into_iter().map(user).collect() })
}

/// One that uses a thing, as it is told.
pub(super) fn user(used: UsedBy) -> InUseBy {
    InUseBy { kind: used.kind, role: used.role, id: used.id, name: used.name, addresses: Vec::new() }
}
