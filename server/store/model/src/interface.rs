/// A machine's network port. The MAC is unique in the lab, an address within its network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterfaceRow {
    pub id: i64,
    pub machine_id: i64,
    /// Lower case, colons.
    pub mac: String,
    pub identifier: String,
    pub network_id: Option<i64>,
    pub static_ipv4: Option<String>,
    pub reserved_ipv4: Option<String>,
}

/// An interface to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewInterface {
    pub machine_id: i64,
    pub mac: String,
    pub identifier: String,
    pub network_id: Option<i64>,
    pub static_ipv4: Option<String>,
    pub reserved_ipv4: Option<String>,
}

/// An interface with its network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterfaceView {
    pub id: i64,
    pub machine_id: i64,
    pub mac: String,
    pub identifier: String,
    pub network_id: Option<i64>,
    pub network_name: Option<String>,
    /// CIDR, like the two pools.
    pub subnet: Option<String>,
    pub static_net: Option<String>,
    pub reserved_net: Option<String>,
    pub static_ipv4: Option<String>,
    pub reserved_ipv4: Option<String>,
    /// What the DHCP server gave it last, and when that was told.
    pub lease_ipv4: Option<String>,
    pub lease_seen_at: Option<i64>,
}
