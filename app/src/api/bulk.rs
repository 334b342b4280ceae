//! The same for many machines.

use serde::{Deserialize, Serialize};

use super::{
    ApiError,
    assignee::Assignee,
    client::Api,
    fields::{Id, Reason, Tag},
    machine::{MachineState, PowerAction, PowerAnswer},
};

/// Most machines of one request.
pub const BULK_MOST: usize = 500;

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

/// Provisions many machines, each with the settings it has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BulkProvision {
    /// Their ids: 1 to 500.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 500))]
    pub machines: Vec<Id>,
}

/// Labels for many machines; those that are neither added nor removed stay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BulkTags {
    /// Their ids: 1 to 500.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 500))]
    pub machines: Vec<Id>,
    /// Labels they all have from now on.
    #[serde(default)]
    pub add: Vec<Tag>,
    /// Labels none of them has any more. What is in both lists is added.
    #[serde(default)]
    pub remove: Vec<Tag>,
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
    pub state: Option<MachineState>,
    /// All its labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ApiError>,
}

impl Api {
    pub async fn bulk_power(&self, wanted: &BulkPower) -> Result<Vec<BulkOutcome>, ApiError> {
        self.post("/bulk/power", wanted).await
    }
    pub async fn bulk_provision(&self, wanted: &BulkProvision) -> Result<Vec<BulkOutcome>, ApiError> {
        self.post("/bulk/provision", wanted).await
    }
    pub async fn bulk_assign(&self, wanted: &BulkAssignment) -> Result<Vec<BulkOutcome>, ApiError> {
        self.post("/bulk/assignee", wanted).await
    }
    pub async fn bulk_release(&self, wanted: &BulkRelease) -> Result<Vec<BulkOutcome>, ApiError> {
        self.post("/bulk/release", wanted).await
    }
    pub async fn bulk_tags(&self, wanted: &BulkTags) -> Result<Vec<BulkOutcome>, ApiError> {
        self.post("/bulk/tag", wanted).await
    }
}
