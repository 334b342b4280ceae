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
