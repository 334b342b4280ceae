//! `[ipmi]`

use std::{path::PathBuf, time::Duration};

use serde::Deserialize;

use super::ConfigError;

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Settings {
    poll_interval_seconds: Option<u64>,
    concurrency: Option<usize>,
    ipmitool: Option<PathBuf>,
}

/// Talking to BMCs.
#[derive(Clone, Debug)]
pub struct Ipmi {
    /// How often each BMC is asked for its machines' power.
    pub poll_interval: Duration,
    /// BMCs asked at the same time by the poller.
    pub concurrency: usize,
    /// The program for BMCs whose backend is `ipmitool`; a bare name is looked for in `PATH`.
    pub ipmitool: PathBuf,
}

impl Settings {
    pub(super) fn complete(self) -> Result<Ipmi, ConfigError> {
        let at_least_one = |key: &str, value: u64| {
            if value == 0 { Err(ConfigError::Wrong { place: format!("ipmi.{key}"), text: "must be at least 1".into() }) } else { Ok(value) }
        };
        let seconds = at_least_one("poll_interval_seconds", self.poll_interval_seconds.unwrap_or(15))?;
        let concurrency = self.concurrency.unwrap_or(64);
        at_least_one("concurrency", concurrency as u64)?;
        let ipmitool = self.ipmitool.unwrap_or_else(|| "ipmitool".into());
        Ok(Ipmi { poll_interval: Duration::from_secs(seconds), concurrency, ipmitool })
    }
}
