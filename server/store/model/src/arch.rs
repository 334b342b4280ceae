/// A CPU family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchRow {
    pub id: i64,
    /// Unique.
    pub name: String,
    pub description: String,
}

/// An architecture to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewArch {
    pub name: String,
    pub description: String,
}
