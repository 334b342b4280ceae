//! IPv4 networks and their address pools.

use serde::{Deserialize, Serialize};

use super::{
    ApiError, Removal,
    client::{Api, Edit, query},
    fields::{Cidr, NetworkName},
};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Network {
    pub id: i64,
    pub name: String,
    pub subnet: String,
    pub static_net: Option<String>,
    pub reserved_net: Option<String>,
    /// Names of the machines with an interface in it.
    pub machines: Vec<String>,
    /// Their ids, in the same order.
    pub machine_ids: Vec<i64>,
}

/// Body of POST and PUT; a pool that is `null` or absent is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NetworkInput {
    pub name: NetworkName,
    pub subnet: Cidr,
    #[serde(default)]
    pub static_net: Option<Cidr>,
    #[serde(default)]
    pub reserved_net: Option<Cidr>,
}

/// Addresses nobody has, lowest first; empty for a pool that is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FreeAddresses {
    pub static_ips: Vec<String>,
    pub reserved_ips: Vec<String>,
}

impl Api {
    /// At most `limit` of each pool, up to 100.
    pub async fn free_addresses(&self, network: i64, limit: u32) -> Result<FreeAddresses, ApiError> {
        self.get(&query(&format!("/network/{network}/free"), &[("limit", &limit.to_string())])).await
    }
    pub async fn networks(&self) -> Result<Vec<Network>, ApiError> {
        self.get("/network").await
    }
    pub async fn create_network(&self, new: &NetworkInput) -> Result<Network, ApiError> {
        self.post("/network", new).await
    }
    /// As long as it is as `known`.
    pub async fn edit_network(&self, known: &Network, change: &NetworkInput) -> Result<Edit<Network>, ApiError> {
        let form = |own: &Network| Network { machines: Vec::new(), machine_ids: Vec::new(), ..own.clone() };
        self.edit(&format!("/network/{}", known.id), change, |now| form(now) == form(known)).await
    }
    pub async fn delete_network(&self, id: i64, removal: Removal) -> Result<(), ApiError> {
        self.delete(&format!("/network/{id}{}", removal.query())).await
    }
}
