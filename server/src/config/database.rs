//! `[database]`

use std::{fmt, path::Path};

use serde::Deserialize;

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Settings {
    url: Option<String>,
}

/// Which database.
#[derive(Clone)]
pub struct Database {
    /// `sqlite://<path>` or `postgres://…`. May hold a password.
    pub url: String,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").finish_non_exhaustive()
    }
}

impl Settings {
    pub(super) fn complete(self, data_dir: &Path) -> Database {
        let url = self.url.unwrap_or_else(|| format!("sqlite://{}", data_dir.join("mr-provisioner.db").display()));
        Database { url }
    }
}
