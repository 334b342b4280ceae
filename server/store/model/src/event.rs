/// Something that happened to a machine. Ids grow with time: they are what paging and catching up go by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    pub id: i64,
    pub machine_id: i64,
    /// None: nobody's doing, or the user is gone.
    pub user_id: Option<i64>,
    /// The user's present name; of a user who is gone, the name at that time.
    pub username: Option<String>,
    pub at: i64,
    pub event_type: String,
    /// JSON object.
    pub info: String,
}

/// Which events of the lab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventFilter {
    /// This instant and later.
    pub since: i64,
    /// Before this instant.
    pub until: i64,
    /// Names of types with a comma before, between and after; empty: of every type.
    pub types: String,
    /// Only ids below.
    pub before_id: i64,
    /// Only ids above.
    pub after_id: i64,
}

impl Default for EventFilter {
    fn default() -> Self {
        Self { since: i64::MIN, until: i64::MAX, types: String::new(), before_id: i64::MAX, after_id: 0 }
    }
}

/// An event to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    pub machine_id: i64,
    pub user_id: Option<i64>,
    pub username: Option<String>,
    pub at: i64,
    pub event_type: String,
    pub info: String,
}
