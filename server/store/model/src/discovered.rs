/// A MAC seen by the DHCP server that no interface has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiscoveredRow {
    pub id: i64,
    /// Unique; lower case, colons.
    pub mac: String,
    /// JSON object.
    pub info: String,
    pub first_seen_at: i64,
    pub last_seen_at: i64,
    pub dismissed: bool,
}
