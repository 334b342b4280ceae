use serde::{Deserialize, Serialize};

/// The body of every answer that is not a success, and what a page sees of a failed call.
///
/// `error_type` and `errors` are what clients of the original read; the others are RFC 9457's members.
/// Serializable because a `Resource` carries it from the server's rendering to the browser's hydration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[error("{}", self.text())]
pub struct ApiError {
    /// A word for programs: `InvalidUsage`, `NotFound`, `Forbidden`, …
    pub error_type: String,
    /// Sentences for people, one per fault found.
    pub errors: Vec<String>,
    /// RFC 9457: identifies the kind of problem; `about:blank` when the status says it all.
    #[serde(rename = "type", default)]
    pub problem_type: String,
    /// RFC 9457: the status in words.
    #[serde(default)]
    pub title: String,
    /// RFC 9457: the HTTP status. 0 when the server could not be reached.
    #[serde(default)]
    pub status: u16,
    /// RFC 9457: all of `errors` in one text.
    #[serde(default)]
    pub detail: String,
    /// With `InUse`: what keeps the thing from being deleted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_use_by: Vec<InUseBy>,
}

/// Something that uses what was to be deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InUseBy {
    /// `machine`, `subarch`, `image` or `preseed`.
    pub kind: String,
    /// As what: `kernel`, `initrd`, `preseed`, `arch`, `subarch`, `bmc`, `bootloader`, `owner`, `assignee` or `interface`.
    pub role: String,
    pub id: i64,
    pub name: String,
    /// Of a network that is to be deleted: the addresses of its pools that the machine has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
}

/// What becomes of those that use a thing that is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Removal {
    /// There are none, else it is refused.
    #[default]
    Unused,
    Detach,
    ReplaceWith(i64),
}

impl Removal {
    /// The end of the address.
    #[must_use]
    pub fn query(self) -> String {
        match self {
            Self::Unused => String::new(),
            Self::Detach => "?detach=true".to_owned(),
            Self::ReplaceWith(id) => format!("?replace_with={id}"),
        }
    }
}

impl ApiError {
    pub fn new(status: u16, title: &str, error_type: &str, errors: Vec<String>) -> Self {
        let detail = errors.join("; ");
        Self {
            error_type: error_type.into(),
            errors,
            problem_type: "about:blank".into(),
            title: title.into(),
            status,
            detail,
            in_use_by: Vec::new(),
        }
    }

    /// The call never got an answer, or one that is not ours.
    pub fn transport(text: impl Into<String>) -> Self {
        Self::new(0, "No answer", "Transport", vec![text.into()])
    }

    #[must_use]
    pub fn text(&self) -> String {
        if self.errors.is_empty() { self.title.clone() } else { self.errors.join("; ") }
    }

    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.status == 404
    }

    /// A refused password is an answer, not the end of a session.
    #[must_use]
    pub fn of_login(self) -> Self {
        Self { status: if self.status == 401 { 403 } else { self.status }, ..self }
    }

    /// Not logged in, or no longer.
    #[must_use]
    pub fn is_unauthenticated(&self) -> bool {
        self.status == 401
    }
}
