//! Addresses that DHCP gave out, as the DHCP server told.

use serde::{Deserialize, Serialize};

use super::{ApiError, client::Api, fields::Instant};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Lease {
    pub mac: String,
    pub ipv4: String,
    /// When the DHCP server told of it last.
    pub last_seen_date: Instant,
    /// The machine with this MAC; `null`: nobody's.
    pub machine_id: Option<i64>,
    /// Its name.
    pub machine: Option<String>,
}

/// A lease of a machine, in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MachineLease {
    pub mac: String,
    pub ipv4: String,
}

impl Api {
    /// Last seen first; those of no machine only for admins.
    pub async fn leases(&self) -> Result<Vec<Lease>, ApiError> {
        self.get("/lease").await
    }
}
