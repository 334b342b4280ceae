/// A browser's session. The key is the hash of the session's id, so that reading the table lets nobody in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    pub id_hash: String,
    /// None until login.
    pub user_id: Option<i64>,
    /// JSON.
    pub data: String,
    pub created_at: i64,
    pub last_seen_at: i64,
    pub expires_at: i64,
}
