/// A template that answers an installer's questions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreseedRow {
    pub id: i64,
    /// Unique; what people call it.
    pub filename: String,
    pub description: String,
    /// `preseed`, `kickstart` or `autoyast`.
    pub file_type: String,
    pub content: String,
    /// None: the lab's own.
    pub user_id: Option<i64>,
    pub known_good: bool,
    pub public: bool,
    pub created_at: i64,
    pub updated_at: i64,
}

/// A preseed to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPreseed {
    pub filename: String,
    pub description: String,
    pub file_type: String,
    pub content: String,
    pub user_id: Option<i64>,
    pub known_good: bool,
    pub public: bool,
    /// Also the first `updated_at`.
    pub created_at: i64,
}

/// A preseed with its owner's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreseedView {
    pub id: i64,
    pub filename: String,
    pub description: String,
    pub file_type: String,
    pub content: String,
    pub user_id: Option<i64>,
    pub username: Option<String>,
    pub known_good: bool,
    pub public: bool,
    pub created_at: i64,
    pub updated_at: i64,
}
