//! A machine's network interfaces and how each gets its address.

use serde::{Deserialize, Serialize};

use super::{
    ApiError,
    client::{Api, Edit},
    fields::{Id, Identifier, Instant, MacAddr, present},
};

/// How an interface gets its IPv4 address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ConfigTypeV4 {
    /// Any lease of the DHCP server.
    #[default]
    Dynamic,
    /// By DHCP, always the same address, from the network's reserved pool.
    DynamicReserved,
    /// Set in the installed system, from the network's static pool.
    Static,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Interface {
    pub id: i64,
    pub identifier: String,
    pub mac: String,
    pub network_id: Option<i64>,
    pub network_name: Option<String>,
    pub subnetv4: Option<String>,
    pub netmaskv4: Option<String>,
    pub prefixlenv4: Option<u8>,
    pub static_pool_v4: Option<String>,
    pub reserved_pool_v4: Option<String>,
    pub config_type_v4: ConfigTypeV4,
    pub configured_ipv4: Option<String>,
    pub lease_ipv4: Option<String>,
    pub last_seen_date: Option<Instant>,
}

/// A new interface. Admins only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewInterface {
    pub mac: MacAddr,
    #[serde(default)]
    pub identifier: Option<Identifier>,
    #[serde(default)]
    pub network_id: Option<Id>,
    /// Dynamic when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_type_v4: Option<ConfigTypeV4>,
    /// An IPv4 address of the pool, or `auto` for its first free one; of use with `static` and `dynamic-reserved` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configured_ipv4: Option<String>,
}

/// A change of an interface: absent members stay as they are. `mac` and `network_id` are the admins'.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InterfaceChange {
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub identifier: Option<Option<Identifier>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_type_v4: Option<ConfigTypeV4>,
    /// An IPv4 address, or `auto` for the first free one of the pool.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub configured_ipv4: Option<Option<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<MacAddr>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub network_id: Option<Option<Id>>,
}

impl Api {
    pub async fn interfaces(&self, machine: i64) -> Result<Vec<Interface>, ApiError> {
        self.get(&format!("/machine/{machine}/interface")).await
    }
    pub async fn add_interface(&self, machine: i64, new: &NewInterface) -> Result<Interface, ApiError> {
        self.post(&format!("/machine/{machine}/interface"), new).await
    }
    pub async fn change_interface(&self, machine: i64, id: i64, change: &InterfaceChange) -> Result<Interface, ApiError> {
        self.put(&format!("/machine/{machine}/interface/{id}"), change).await
    }
    /// As long as it is as `known`.
    pub async fn edit_interface(&self, machine: i64, known: &Interface, change: &InterfaceChange) -> Result<Edit<Interface>, ApiError> {
        let form = |own: &Interface| Interface { lease_ipv4: None, last_seen_date: None, ..own.clone() };
        self.edit(&format!("/machine/{machine}/interface/{}", known.id), change, |now| form(now) == form(known)).await
    }
    pub async fn delete_interface(&self, machine: i64, id: i64) -> Result<(), ApiError> {
        self.delete(&format!("/machine/{machine}/interface/{id}")).await
    }
}
