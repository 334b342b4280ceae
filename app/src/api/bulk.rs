//! The same for many machines.

use serde::{Deserialize, Serialize};

use super::{
    ApiError,
    assignee::Assignee,
    fields::{Id, Reason},
    machine::{PowerAction, PowerAnswer},
};

/// A power command to many machines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BulkPower {
    /// Their ids: 1 to 500.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 500))]
    pub machines: Vec<Id>,
    pub state: PowerAction,
}

/// Many machines for one user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BulkAssignment {
    /// Their ids: 1 to 500.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 500))]
    pub machines: Vec<Id>,
    /// User name.
    pub user: String,
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// Many machines from one user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BulkRelease {
    /// Their ids: 1 to 500.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 500))]
    pub machines: Vec<Id>,
    /// User name.
    pub user: String,
}

/// What became of one of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BulkOutcome {
    pub machine: i64,
    /// The status this would have been answered with alone.
    pub status: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power: Option<PowerAnswer>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<Assignee>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ApiError>,
}
