/// A one-time key to a machine's console socket; only its hash is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsoleTokenRow {
    pub token_hash: String,
    pub machine_id: i64,
    pub user_id: i64,
    pub expires_at: i64,
}
