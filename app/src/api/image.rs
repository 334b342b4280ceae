//! Kernels, initrds and bootloaders, uploaded by users.

use serde::{Deserialize, Serialize};

use super::{
    ApiError, Removal,
    client::{Api, Edit, Progress, Upload, query},
    fields::{Description, Instant},
};

/// Spelled as the original spells them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ImageType {
    Kernel,
    Initrd,
    #[serde(rename = "bootloader")]
    Bootloader,
}

impl ImageType {
    pub const ALL: [Self; 3] = [Self::Kernel, Self::Initrd, Self::Bootloader];

    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Kernel => "Kernel",
            Self::Initrd => "Initrd",
            Self::Bootloader => "bootloader",
        }
    }

    /// # Errors
    /// Names the word that is none of the three.
    pub fn parse(word: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|kind| kind.word() == word).ok_or_else(|| format!("Image type {word} is not a valid type"))
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Image {
    pub id: i64,
    /// The path under which TFTP and HTTP boot serve it: `<user>/<file>.<8 hex>`.
    pub name: String,
    pub description: String,
    #[serde(rename = "type")]
    pub file_type: ImageType,
    /// Name of the architecture.
    pub arch: String,
    pub upload_date: Instant,
    /// Who uploaded it; `null` for the lab's own.
    pub user: Option<String>,
    pub known_good: bool,
    pub public: bool,
    /// Name of the uploaded file.
    pub filename: String,
    /// Bytes.
    pub size: i64,
    /// Lower-case hex.
    pub sha256: String,
    /// Whether the asking user may change or delete it: its owner and admins may.
    pub may_change: bool,
}

/// The `q` part of an upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewImage {
    #[serde(rename = "type")]
    pub file_type: ImageType,
    /// Name of the architecture. Empty when absent, so that its lack is told in the original's words.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required))]
    pub arch: String,
    #[serde(default)]
    pub description: Option<Description>,
    #[serde(default)]
    pub known_good: bool,
    #[serde(default)]
    pub public: bool,
}

/// A change of an image: absent members stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImageChange {
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub file_type: Option<ImageType>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arch: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_good: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<bool>,
}

impl Api {
    /// All images the caller may see, or with `show_all` false only its own.
    pub async fn images(&self, show_all: bool) -> Result<Vec<Image>, ApiError> {
        self.get(&query("/image", &[("show_all", if show_all { "true" } else { "false" })])).await
    }
    pub async fn image(&self, id: i64) -> Result<Image, ApiError> {
        self.get(&format!("/image/{id}")).await
    }
    /// Browser only: streams the file, telling how far it is.
    pub async fn upload_image(&self, new: &NewImage, file: Upload, progress: Progress) -> Result<Image, ApiError> {
        let q = serde_json::to_string(new).map_err(|error| ApiError::transport(error.to_string()))?;
        self.upload("/image", q, file, progress).await
    }
    /// As long as it is as `known`.
    pub async fn edit_image(&self, known: &Image, change: &ImageChange) -> Result<Edit<Image>, ApiError> {
        let form = |own: &Image| Image { may_change: true, ..own.clone() };
        self.edit(&format!("/image/{}", known.id), change, |now| form(now) == form(known)).await
    }
    pub async fn delete_image(&self, id: i64, removal: Removal) -> Result<(), ApiError> {
        self.delete(&format!("/image/{id}{}", removal.query())).await
    }
}
