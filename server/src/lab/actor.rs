//! Who asks.

use std::{net::IpAddr, sync::Arc};

use app::api::Scope;

use crate::journal::Cause;

/// How the actor proved who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A browser's session, by the hash of its id.
    Session(String),
    /// An API token, by its id.
    Token(i64),
    /// A console's one-time key, made by somebody who came in this way.
    Ticket(Box<Origin>),
    /// The command line on the server itself.
    Local,
}

impl Origin {
    /// What ends when the actor is logged out: a key is worth as much as what its maker came with.
    #[must_use]
    pub fn login(&self) -> &Self {
        match self {
            Self::Ticket(maker) => maker.login(),
            own => own,
        }
    }
}

/// How far a token goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reach(Option<u8>);

impl Reach {
    /// Everything the user may do.
    pub const UNLIMITED: Self = Self(None);

    /// Limited to these. Each of them can read: a token that changes what it cannot see helps nobody.
    #[must_use]
    pub fn only(scopes: &[Scope]) -> Self {
        Self(Some(scopes.iter().chain(&[Scope::Read]).fold(0, |bits, scope| bits | 1 << *scope as u8)))
    }

    #[must_use]
    pub fn is_limited(self) -> bool {
        self.0.is_some()
    }

    #[must_use]
    pub fn has(self, scope: Scope) -> bool {
        self.0.is_none_or(|bits| bits & 1 << scope as u8 != 0)
    }
}

/// A user, as of this request. What it may is in [`policy`](super::policy).
#[derive(Clone, Debug)]
pub struct Actor {
    pub user_id: i64,
    pub username: String,
    /// Acts as an admin: is one, and came with a login or with a token that reaches as far.
    pub admin: bool,
    pub origin: Origin,
    pub reach: Reach,
    /// Whence the request came; None within the server.
    pub address: Option<IpAddr>,
    /// The versions the actor knows of what it changes (`If-Match`); None: it does not care.
    pub known: Option<Arc<str>>,
}

impl Actor {
    /// Somebody with all the rights of the user.
    #[must_use]
    pub fn new(user_id: i64, username: &str, admin: bool, origin: Origin) -> Self {
        Self { user_id, username: username.to_owned(), admin, origin, reach: Reach::UNLIMITED, address: None, known: None }
    }

    /// With a token's limits.
    #[must_use]
    pub fn within(self, reach: Reach) -> Self {
        Self { admin: self.admin && reach.has(Scope::Admin), reach, ..self }
    }

    #[must_use]
    pub fn cause(&self) -> Cause {
        Cause { user_id: self.user_id, username: self.username.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_admins_token_acts_as_admin_only_with_that_scope() {
        let admin = || Actor::new(1, "root", true, Origin::Token(1));
        assert!(admin().within(Reach::UNLIMITED).admin);
        assert!(!admin().within(Reach::only(&[Scope::Machines, Scope::Images])).admin);
        assert!(admin().within(Reach::only(&[Scope::Admin])).admin);
        assert!(!Actor::new(2, "ann", false, Origin::Token(2)).within(Reach::only(&[Scope::Admin])).admin);
    }

    #[test]
    fn every_scope_can_read() {
        for scope in Scope::ALL {
            assert!(Reach::only(&[scope]).has(Scope::Read), "{scope:?}");
        }
        assert!(!Reach::only(&[Scope::Images]).has(Scope::Machines));
    }
}
