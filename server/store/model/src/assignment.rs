/// A user's hold on a machine. `(machine_id, user_id)` is unique.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssignmentRow {
    pub id: i64,
    pub machine_id: i64,
    pub user_id: i64,
    pub reason: String,
    pub started_at: i64,
}

/// An assignment to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAssignment {
    pub machine_id: i64,
    pub user_id: i64,
    pub reason: String,
    pub started_at: i64,
}

/// An assignment with its user's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssignmentView {
    pub id: i64,
    pub machine_id: i64,
    pub user_id: i64,
    pub username: String,
    pub reason: String,
    pub started_at: i64,
}
