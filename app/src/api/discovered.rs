//! MACs that asked for an address and that no machine has.

use serde::{Deserialize, Serialize};

use super::{
    ApiError,
    client::{Api, query},
    fields::{Id, Identifier, Instant},
    interface::Interface,
    machine::{Machine, NewMachine},
};

/// What is known of a MAC nobody registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DiscoveredMac {
    pub id: i64,
    pub mac: String,
    pub first_seen: Instant,
    pub last_seen: Instant,
    /// An admin said that it is none of the lab's.
    pub dismissed: bool,
    pub info: DiscoveredInfo,
}

/// What it said of itself, and what its MAC says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct DiscoveredInfo {
    /// Who made the card; `unknown` when no registry says.
    pub mac_vendor: String,
    /// DHCP option 12.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// DHCP option 93: what kind of firmware asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arch_code: Option<i64>,
    /// Its name (RFC 4578, IANA's table of processor architecture types).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arch: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DiscoveredChange {
    /// `true`: it is not listed any more, however often it asks.
    pub dismissed: bool,
}

/// The machine that gets an interface with a discovered MAC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DiscoveredInterface {
    pub machine_id: Id,
    #[serde(default)]
    pub identifier: Option<Identifier>,
    #[serde(default)]
    pub network_id: Option<Id>,
}

impl Api {
    /// Last seen first; with `dismissed` those, too. Admins only, as all here.
    pub async fn discovered(&self, dismissed: bool) -> Result<Vec<DiscoveredMac>, ApiError> {
        self.get(&query("/discovered", &[("dismissed", if dismissed { "true" } else { "false" })])).await
    }
    pub async fn change_discovered(&self, id: i64, change: &DiscoveredChange) -> Result<DiscoveredMac, ApiError> {
        self.put(&format!("/discovered/{id}"), change).await
    }
    pub async fn forget_discovered(&self, id: i64) -> Result<(), ApiError> {
        self.delete(&format!("/discovered/{id}")).await
    }
    /// A machine with this MAC first, then those of `new`.
    pub async fn discovered_machine(&self, id: i64, new: &NewMachine) -> Result<Machine, ApiError> {
        self.post(&format!("/discovered/{id}/machine"), new).await
    }
    pub async fn discovered_interface(&self, id: i64, new: &DiscoveredInterface) -> Result<Interface, ApiError> {
        self.post(&format!("/discovered/{id}/interface"), new).await
    }
}
