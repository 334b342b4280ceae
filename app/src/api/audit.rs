//! The audit log: who changed what.

use serde::{Deserialize, Serialize};

use super::fields::Instant;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditEntry {
    /// Grows with time.
    pub id: i64,
    pub date: Instant,
    /// Who, by the name of then.
    pub user: String,
    /// `null` for the server itself.
    pub user_id: Option<i64>,
    /// Whence; `null` on the server itself.
    pub address: Option<String>,
    /// `session`, `token`, `ticket` (a console's key) or `local` (the command line).
    pub via: String,
    /// The token's id, or the first 16 characters of the session's.
    pub via_id: String,
    /// `<kind>.create`, `.change`, `.delete`, or what was done, e.g. `machine.power`.
    pub action: String,
    /// `machine`, `interface`, `assignee`, `image`, `preseed`, `arch`, `subarch`, `network`, `bmc`, `user`, `token` or `session`.
    pub kind: String,
    pub subject_id: i64,
    /// What it was called.
    pub subject: String,
    /// In a change only what differs. Never a secret: passwords and tokens are left out, contents are told by their hash.
    pub before: Option<serde_json::Value>,
    pub after: Option<serde_json::Value>,
}
