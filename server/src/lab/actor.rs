//! Who asks.

use crate::{journal::Cause, lab::LabError};

/// How the actor proved who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A browser's session, by the hash of its id.
    Session(String),
    /// An API token, by its id.
    Token(i64),
    /// A console's one-time key.
    Ticket,
    /// The command line on the server itself.
    Local,
}

/// A user, as of this request.
#[derive(Clone, Debug)]
pub struct Actor {
    pub user_id: i64,
    pub username: String,
    pub admin: bool,
    pub origin: Origin,
}

impl Actor {
    /// # Errors
    /// [`LabError::Forbidden`] when the actor is no admin.
    pub fn must_be_admin(&self) -> Result<(), LabError> {
        if self.admin { Ok(()) } else { Err(LabError::Forbidden("only an admin may do this".into())) }
    }

    #[must_use]
    pub fn cause(&self) -> Cause {
        Cause { user_id: self.user_id, username: self.username.clone() }
    }
}
