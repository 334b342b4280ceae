/// An IPv4 network machines stand in. Name, subnet and both pools are unique.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkRow {
    pub id: i64,
    pub name: String,
    /// CIDR.
    pub subnet: String,
    /// CIDR of the addresses given out for static configuration.
    pub static_net: Option<String>,
    /// CIDR of the addresses reserved through DHCP.
    pub reserved_net: Option<String>,
}

/// A network to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewNetwork {
    pub name: String,
    pub subnet: String,
    pub static_net: Option<String>,
    pub reserved_net: Option<String>,
}
