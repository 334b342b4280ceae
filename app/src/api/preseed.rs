//! Answer files for installers, as templates.

use serde::{Deserialize, Serialize};

use super::{
    ApiError, Removal,
    client::{Api, Edit, query},
    fields::{Description, Id, PreseedName},
};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum PreseedType {
    /// Debian installer.
    #[default]
    Preseed,
    /// Anaconda.
    Kickstart,
    /// YaST.
    Autoyast,
}

impl PreseedType {
    pub const ALL: [Self; 3] = [Self::Preseed, Self::Kickstart, Self::Autoyast];

    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Preseed => "preseed",
            Self::Kickstart => "kickstart",
            Self::Autoyast => "autoyast",
        }
    }

    /// # Errors
    /// Names the word that is none of the three.
    pub fn parse(word: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|kind| kind.word() == word).ok_or_else(|| format!("Preseed type {word} is not a valid type"))
    }
}

/// Most characters a preseed's content may have.
pub const CONTENT_LIMIT: usize = 2 * 1024 * 1024;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Preseed {
    pub id: i64,
    pub name: String,
    pub content: String,
    pub description: String,
    #[serde(rename = "type")]
    pub file_type: PreseedType,
    pub user: Option<String>,
    pub known_good: bool,
    pub public: bool,
    pub may_change: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewPreseed {
    pub name: PreseedName,
    #[serde(rename = "type")]
    pub file_type: PreseedType,
    #[serde(default)]
    pub description: Option<Description>,
    #[serde(default)]
    pub content: Option<String>,
    #[serde(default)]
    pub known_good: bool,
    #[serde(default)]
    pub public: bool,
}

/// A change of a preseed: absent members stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PreseedChange {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<PreseedName>,
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub file_type: Option<PreseedType>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_good: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<bool>,
}

/// Which template to render for a machine; neither: the machine's own preseed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PreviewRequest {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preseed_id: Option<Id>,
    /// A draft that is not stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
}

/// A text that is not stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Draft {
    pub content: String,
}

/// What a machine would be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PreseedPreview {
    /// `null`: it cannot be rendered.
    pub text: Option<String>,
    pub diagnostics: Vec<Diagnostic>,
}

/// Something about a line of a template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Diagnostic {
    /// Counted from 1; 0: tied to none.
    pub line: u32,
    pub severity: Severity,
    pub message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The machine gets nothing.
    Error,
    /// Rendered as nothing.
    Warning,
}

impl Api {
    pub async fn preview_preseed(&self, machine: i64, wanted: &PreviewRequest) -> Result<PreseedPreview, ApiError> {
        self.post(&format!("/machine/{machine}/preseed-preview"), wanted).await
    }
    /// What keeps a text from being rendered for any machine.
    pub async fn check_preseed(&self, content: String) -> Result<Vec<Diagnostic>, ApiError> {
        self.post("/preseed/check", &Draft { content }).await
    }
    /// All preseeds the caller may see, or with `show_all` false only its own.
    pub async fn preseeds(&self, show_all: bool) -> Result<Vec<Preseed>, ApiError> {
        self.get(&query("/preseed", &[("show_all", if show_all { "true" } else { "false" })])).await
    }
    pub async fn preseed(&self, id: i64) -> Result<Preseed, ApiError> {
        self.get(&format!("/preseed/{id}")).await
    }
    pub async fn create_preseed(&self, new: &NewPreseed) -> Result<Preseed, ApiError> {
        self.post("/preseed", new).await
    }
    /// As long as it is as `known`.
    pub async fn edit_preseed(&self, known: &Preseed, change: &PreseedChange) -> Result<Edit<Preseed>, ApiError> {
        let form = |own: &Preseed| Preseed { may_change: true, ..own.clone() };
        self.edit(&format!("/preseed/{}", known.id), change, |now| form(now) == form(known)).await
    }
    pub async fn delete_preseed(&self, id: i64, removal: Removal) -> Result<(), ApiError> {
        self.delete(&format!("/preseed/{id}{}", removal.query())).await
    }
}
