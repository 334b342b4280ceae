//! People: how they prove who they are, what they may change of themselves and of each other.

mod cache;
mod limit;
mod login;
mod own;
mod password;
mod pbkdf2;
mod sessions;
mod tokens;
mod users;

pub use login::{as_now, by_session, first_admin, login, new_admin, reset_password, sweep};
pub use own::{change_me, change_password, me, wire};
pub use sessions::{delete_session, list_sessions};
pub use tokens::{by_token, create_token, delete_token, list_tokens};
pub use users::{change, create, delete, get, list};

use std::time::Duration;

use cache::Cache;
use limit::LoginLimit;
use password::Hasher;

use crate::lab::LabError;

/// How soon somebody who has been logged out is told nothing any more by answers that go on for hours.
pub const CHECK_INTERVAL: Duration = Duration::from_secs(5);

/// Name of the identities whose password is kept here.
const LOCAL: &str = "local";

/// What the accounts' rules keep in memory.
pub struct Accounts {
    hasher: Hasher,
    limit: LoginLimit,
    cache: Cache,
}

impl Accounts {
    /// # Errors
    /// When the operating system gives no random numbers.
    pub fn new() -> Result<Self, LabError> {
        Ok(Self { hasher: Hasher::new()?, limit: LoginLimit::default(), cache: Cache::default() })
    }
}
