/// An API token. Only its hash is kept; `prefix` is what its owner recognises it by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    pub id: i64,
    pub user_id: i64,
    /// Unique.
    pub token_hash: String,
    pub prefix: String,
    pub description: String,
    pub created_at: i64,
    pub last_used_at: Option<i64>,
    /// None: never.
    pub expires_at: Option<i64>,
    /// Words separated by spaces; None: everything its user may do.
    pub scopes: Option<String>,
}

/// A token to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewToken {
    pub user_id: i64,
    pub token_hash: String,
    pub prefix: String,
    pub description: String,
    pub created_at: i64,
    pub expires_at: Option<i64>,
    pub scopes: Option<String>,
}

/// Whom a presented token stands for: what each API request needs to know, in one read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenOwner {
    pub token_id: i64,
    pub last_used_at: Option<i64>,
    /// None: never. The caller decides whether this has passed.
    pub expires_at: Option<i64>,
    pub scopes: Option<String>,
    pub user_id: i64,
    pub username: String,
    pub admin: bool,
}
