/// A person who may log in. How they prove who they are is an [`IdentityRow`](crate::IdentityRow).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRow {
    pub id: i64,
    /// Unique.
    pub username: String,
    pub email: String,
    pub admin: bool,
    /// Public keys, several separated by newlines; may be empty.
    pub ssh_key: String,
    pub created_at: i64,
}

/// A user to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUser {
    pub username: String,
    pub email: String,
    pub admin: bool,
    pub ssh_key: String,
    pub created_at: i64,
}
