//! `[console]`

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Settings {
    log_dir: Option<PathBuf>,
    linger_seconds: Option<u64>,
}

/// Serial consoles.
#[derive(Clone, Debug)]
pub struct Console {
    /// Folder of what the consoles said.
    pub log_dir: PathBuf,
    /// How long a serial session is kept after its last viewer left.
    pub linger: Duration,
}

impl Settings {
    pub(super) fn complete(self, data_dir: &Path) -> Console {
        Console {
            log_dir: self.log_dir.unwrap_or_else(|| data_dir.join("consoles")),
            linger: Duration::from_secs(self.linger_seconds.unwrap_or(60)),
        }
    }
}
