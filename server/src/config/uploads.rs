//! `[uploads]`

use serde::Deserialize;

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Settings {
    limit: Option<u64>,
}

/// Uploaded images.
#[derive(Clone, Debug)]
pub struct Uploads {
    /// Most bytes of one file.
    pub limit: u64,
}

impl Settings {
    pub(super) fn complete(self) -> Uploads {
        Uploads { limit: self.limit.unwrap_or(4 * 1024 * 1024 * 1024) }
    }
}
