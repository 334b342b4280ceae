//! The audit log: who changed what.

use serde::{Deserialize, Serialize};

use super::{
    ApiError,
    client::{Api, query, query_string},
    fields::Instant,
};

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

/// Which entries are asked for: each member by its parameter's name, empty for any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditWanted {
    pub user: String,
    pub kind: String,
    /// Needs `kind`.
    pub subject_id: String,
    pub action: String,
    pub since: String,
}

impl AuditWanted {
    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = [
            ("user", &self.user),
            ("kind", &self.kind),
            ("subject_id", &self.subject_id),
            ("action", &self.action),
            ("since", &self.since),
        ];
        all.into_iter().map(|(name, value)| (name, value.as_str())).filter(|(_, value)| !value.is_empty())
    }

    /// As parameters of an address.
    #[must_use]
    pub fn query(&self) -> String {
        query_string(self.pairs())
    }

    /// Where every entry that fits can be had, one JSON object per line.
    #[must_use]
    pub fn export(&self) -> String {
        format!("/api/v1/admin/audit?{}", query_string([("format", "jsonl")].into_iter().chain(self.pairs())))
    }
}

impl Api {
    /// The newest entries that fit, newest first; `before` an entry's id pages back. Admins only.
    pub async fn audit(&self, wanted: &AuditWanted, before: Option<i64>, limit: u32) -> Result<Vec<AuditEntry>, ApiError> {
        let (before, limit) = (before.map(|id| id.to_string()), limit.to_string());
        let mut pairs: Vec<(&str, &str)> = wanted.pairs().collect();
        pairs.extend(before.as_deref().map(|id| ("cursor", id)));
        pairs.push(("limit", &limit));
        self.get(&query("/admin/audit", &pairs)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_is_of_what_is_shown() {
        let wanted = AuditWanted { user: "alice b".into(), action: "machine.power".into(), ..AuditWanted::default() };
        assert_eq!(wanted.query(), "user=alice%20b&action=machine.power");
        assert_eq!(wanted.export(), "/api/v1/admin/audit?format=jsonl&user=alice%20b&action=machine.power");
        assert_eq!(AuditWanted::default().query(), "");
    }
}
