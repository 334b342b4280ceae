/// A one-time key to a machine's console socket; only its hash is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsoleTokenRow {
    pub token_hash: String,
    pub machine_id: i64,
    pub user_id: i64,
    /// The session its maker came with, by the hash of its id.
    pub session_hash: Option<String>,
    /// Or the API token.
    pub token_id: Option<i64>,
    pub expires_at: i64,
}
