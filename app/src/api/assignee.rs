//! Who has a machine, and why.

use serde::{Deserialize, Serialize};

use super::{
    ApiError,
    client::{Api, Edit},
    fields::{Instant, Reason},
};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Assignee {
    pub id: i64,
    /// User name.
    pub user: String,
    pub reason: String,
    pub since: Instant,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewAssignee {
    /// User name.
    pub user: String,
    #[serde(default)]
    pub reason: Option<Reason>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AssigneeChange {
    /// Must be there; `null` is an empty one.
    #[serde(deserialize_with = "Option::deserialize")]
    #[cfg_attr(feature = "openapi", schema(required))]
    pub reason: Option<Reason>,
}

impl Api {
    pub async fn assignees(&self, machine: i64) -> Result<Vec<Assignee>, ApiError> {
        self.get(&format!("/machine/{machine}/assignee")).await
    }
    pub async fn add_assignee(&self, machine: i64, new: &NewAssignee) -> Result<Assignee, ApiError> {
        self.post(&format!("/machine/{machine}/assignee"), new).await
    }
    /// As long as it is as `known`.
    pub async fn edit_assignee(&self, machine: i64, known: &Assignee, change: &AssigneeChange) -> Result<Edit<Assignee>, ApiError> {
        self.edit(&format!("/machine/{machine}/assignee/{}", known.id), change, |now| now == known).await
    }
    pub async fn delete_assignee(&self, machine: i64, id: i64) -> Result<(), ApiError> {
        self.delete(&format!("/machine/{machine}/assignee/{id}")).await
    }
}
