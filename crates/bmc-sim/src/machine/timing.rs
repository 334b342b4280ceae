//! How long things take.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

/// Durations of a machine and its BMC. In a configuration file each is a number of seconds.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Timing {
    /// From the command to "power is on".
    #[serde(deserialize_with = "seconds")]
    pub power_on: Duration,
    /// From the command to "power is off", by force.
    #[serde(deserialize_with = "seconds")]
    pub power_off: Duration,
    /// How long a power cycle stays off.
    #[serde(deserialize_with = "seconds")]
    pub cycle_off: Duration,
    /// Power-on self test.
    #[serde(deserialize_with = "seconds")]
    pub post: Duration,
    /// From the kernel's first line to the installer, or to the login prompt.
    #[serde(deserialize_with = "seconds")]
    pub os_start: Duration,
    /// An operating system's orderly shutdown.
    #[serde(deserialize_with = "seconds")]
    pub os_stop: Duration,
    /// The pretend installation.
    #[serde(deserialize_with = "seconds")]
    pub install: Duration,
    /// How long a loader waits for a first answer before it asks again.
    #[serde(deserialize_with = "seconds")]
    pub patience: Duration,
    /// How long a restarting BMC is silent.
    #[serde(deserialize_with = "seconds")]
    pub bmc_restart: Duration,
    /// Idle time after which a BMC forgets a session (IPMI: 60 s ± 3 s).
    #[serde(deserialize_with = "seconds")]
    pub session_timeout: Duration,
    /// Boot flags that no chassis control command follows expire after this (IPMI: 60 s); 0 keeps them.
    #[serde(deserialize_with = "seconds")]
    pub boot_flags: Duration,
}

impl Timing {
    /// Quick enough to watch, slow enough to see.
    #[must_use]
    pub fn demo() -> Self {
        Self {
            power_on: Duration::from_millis(400),
            power_off: Duration::from_millis(400),
            cycle_off: Duration::from_secs(1),
            post: Duration::from_millis(1500),
            os_start: Duration::from_millis(1500),
            os_stop: Duration::from_secs(1),
            install: Duration::from_secs(8),
            patience: Duration::from_secs(1),
            bmc_restart: Duration::from_secs(5),
            session_timeout: Duration::from_secs(60),
            boot_flags: Duration::from_secs(60),
        }
    }

    /// As short as the order of events allows; BMC time-outs as in the standard.
    #[must_use]
    pub fn instant() -> Self {
        let moment = Duration::from_millis(5);
        Self {
            power_on: moment,
            power_off: moment,
            cycle_off: moment,
            post: moment,
            os_start: moment,
            os_stop: moment,
            install: moment,
            patience: Duration::from_millis(500),
            bmc_restart: Duration::from_millis(300),
            ..Self::demo()
        }
    }
}

impl Default for Timing {
    fn default() -> Self {
        Self::demo()
    }
}

fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let seconds = f64::deserialize(deserializer)?;
    Duration::try_from_secs_f64(seconds).map_err(serde::de::Error::custom)
}
