//! `[log]`

use serde::Deserialize;

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Settings {
    format: Format,
    level: Option<String>,
}

/// How a line of the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    #[default]
    Text,
    Json,
}

/// The log, written to standard error.
#[derive(Clone, Debug)]
pub struct Log {
    pub format: Format,
    /// `error`, `warn`, `info`, `debug`, `trace`, or directives of tracing's `EnvFilter`, e.g. `info,server::bmc=debug`.
    pub level: String,
}

impl Settings {
    pub(super) fn complete(self) -> Log {
        Log { format: self.format, level: self.level.unwrap_or_else(|| "info".into()) }
    }
}
