/// One way in which a user logs in. `(source, subject)` and `(user_id, source)` are unique.
#[derive(Clone, PartialEq, Eq)]
pub struct IdentityRow {
    pub id: i64,
    pub user_id: i64,
    /// `local` for a password kept here.
    pub source: String,
    /// Who the user is to that source; for `local` the user name.
    pub subject: String,
    /// PHC string; only `local` has one.
    pub password_hash: Option<String>,
    pub updated_at: i64,
}

/// An identity to be created.
#[derive(Clone, PartialEq, Eq)]
pub struct NewIdentity {
    pub user_id: i64,
    pub source: String,
    pub subject: String,
    pub password_hash: Option<String>,
    pub updated_at: i64,
}

// By hand, so that no log shows a password hash.
impl std::fmt::Debug for IdentityRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IdentityRow")
            .field("id", &self.id)
            .field("user_id", &self.user_id)
            .field("source", &self.source)
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for NewIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewIdentity")
            .field("user_id", &self.user_id)
            .field("source", &self.source)
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}
