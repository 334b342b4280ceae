/// The address a DHCP server gave to a MAC last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseRow {
    pub id: i64,
    /// Unique; lower case, colons. Of a machine's interface or of nobody's.
    pub mac: String,
    pub ipv4: String,
    pub last_seen_at: i64,
}

/// A lease with the machine whose interface has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseView {
    pub id: i64,
    pub mac: String,
    pub ipv4: String,
    pub last_seen_at: i64,
    pub machine_id: Option<i64>,
    pub machine_name: Option<String>,
}
