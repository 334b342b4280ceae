/// A change of anything, by anybody: written in the transaction of the change itself, and never again touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    pub id: i64,
    pub at: i64,
    /// Kept when the user goes: no reference.
    pub user_id: Option<i64>,
    pub username: String,
    /// Whence it came; None within the server.
    pub address: Option<String>,
    /// `session`, `token`, `ticket` or `local`.
    pub via: String,
    /// Which session (the beginning of its hash) or token (its id); else empty.
    pub via_id: String,
    /// What was done, e.g. `machine.change`.
    pub action: String,
    /// To what: `machine`, `image`, …
    pub kind: String,
    pub subject_id: i64,
    pub subject: String,
    /// JSON, None when there was nothing before.
    pub before: Option<String>,
    /// JSON, None when there is nothing any more.
    pub after: Option<String>,
}

/// An entry to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAudit {
    pub at: i64,
    pub user_id: Option<i64>,
    pub username: String,
    pub address: Option<String>,
    pub via: String,
    pub via_id: String,
    pub action: String,
    pub kind: String,
    pub subject_id: i64,
    pub subject: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// Which entries are wanted; an empty text, 0 and the widest times want all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditFilter {
    pub username: String,
    pub action: String,
    pub kind: String,
    pub subject_id: i64,
    /// This instant and later.
    pub since: i64,
    /// Before this instant.
    pub until: i64,
    /// Only ids below.
    pub before_id: i64,
    /// Only ids above.
    pub after_id: i64,
}

impl Default for AuditFilter {
    fn default() -> Self {
        Self {
            username: String::new(),
            action: String::new(),
            kind: String::new(),
            subject_id: 0,
            since: i64::MIN,
            until: i64::MAX,
            before_id: i64::MAX,
            after_id: 0,
        }
    }
}
