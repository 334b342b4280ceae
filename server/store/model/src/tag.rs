/// A label on a machine. `(machine_id, tag)` is unique.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagRow {
    pub machine_id: i64,
    pub tag: String,
}
