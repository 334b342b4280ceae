/// A file of the image store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageRow {
    pub id: i64,
    /// Path below the image store, unique; what TFTP and DHCP hand out.
    pub filename: String,
    /// What the uploader called it.
    pub name: String,
    pub description: String,
    /// `Kernel`, `Initrd` or `bootloader`.
    pub file_type: String,
    pub arch_id: i64,
    /// None: the lab's own.
    pub user_id: Option<i64>,
    pub known_good: bool,
    pub public: bool,
    /// Bytes.
    pub size: i64,
    /// Lower-case hex.
    pub sha256: String,
    pub created_at: i64,
}

/// An image to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewImage {
    pub filename: String,
    pub name: String,
    pub description: String,
    pub file_type: String,
    pub arch_id: i64,
    pub user_id: Option<i64>,
    pub known_good: bool,
    pub public: bool,
    pub size: i64,
    pub sha256: String,
    pub created_at: i64,
}

/// An image with its architecture's and owner's names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageView {
    pub id: i64,
    pub filename: String,
    pub name: String,
    pub description: String,
    pub file_type: String,
    pub arch_id: i64,
    pub arch_name: String,
    pub user_id: Option<i64>,
    pub username: Option<String>,
    pub known_good: bool,
    pub public: bool,
    pub size: i64,
    pub sha256: String,
    pub created_at: i64,
}
