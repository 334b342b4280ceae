//! Architectures (CPU families) and their boot flavours.

use serde::{Deserialize, Serialize};

use super::{
    ApiError, Removal,
    client::{Api, Edit},
    fields::{ArchName, Description, Id, SubarchName, present},
};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Arch {
    pub id: i64,
    pub name: String,
    pub description: String,
    pub subarchs: Vec<Subarch>,
}

/// A boot flavour of an architecture, with the bootloader that DHCP names for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Subarch {
    pub id: i64,
    pub name: String,
    pub description: String,
    pub bootloader_id: Option<i64>,
    /// Path of the bootloader's image.
    pub bootloader: Option<String>,
    /// Ask the BMC for a UEFI boot.
    pub efiboot: bool,
}

/// Body of POST and PUT.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ArchInput {
    pub name: ArchName,
    #[serde(default)]
    pub description: Option<Description>,
}

/// Body of POST and PUT. In a PUT an absent `bootloader_id` stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SubarchInput {
    pub name: SubarchName,
    #[serde(default)]
    pub description: Option<Description>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub bootloader_id: Option<Option<Id>>,
    #[serde(default)]
    pub efiboot: bool,
}

impl Api {
    pub async fn archs(&self) -> Result<Vec<Arch>, ApiError> {
        self.get("/arch").await
    }
    pub async fn create_arch(&self, new: &ArchInput) -> Result<Arch, ApiError> {
        self.post("/arch", new).await
    }
    /// As long as it is as `known`.
    pub async fn edit_arch(&self, known: &Arch, change: &ArchInput) -> Result<Edit<Arch>, ApiError> {
        // its flavours have forms of their own
        let form = |own: &Arch| (own.name.clone(), own.description.clone());
        self.edit(&format!("/arch/{}", known.id), change, |now| form(now) == form(known)).await
    }
    pub async fn delete_arch(&self, id: i64, removal: Removal) -> Result<(), ApiError> {
        self.delete(&format!("/arch/{id}{}", removal.query())).await
    }
    pub async fn create_subarch(&self, arch: i64, new: &SubarchInput) -> Result<Subarch, ApiError> {
        self.post(&format!("/arch/{arch}/subarch"), new).await
    }
    /// As long as it is as `known`.
    pub async fn edit_subarch(&self, arch: i64, known: &Subarch, change: &SubarchInput) -> Result<Edit<Subarch>, ApiError> {
        self.edit(&format!("/arch/{arch}/subarch/{}", known.id), change, |now| now == known).await
    }
    pub async fn delete_subarch(&self, arch: i64, id: i64, removal: Removal) -> Result<(), ApiError> {
        self.delete(&format!("/arch/{arch}/subarch/{id}{}", removal.query())).await
    }
}
