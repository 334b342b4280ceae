//! `[retention]`

use std::time::Duration;

use serde::Deserialize;

/// As the original forgot events.
const DAYS: u64 = 30;

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Settings {
    events_days: Option<u64>,
    leases_days: Option<u64>,
    discovered_days: Option<u64>,
}

/// How long what grows by itself is kept; none: for ever.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// What happened to machines.
    pub events: Option<Duration>,
    /// Leases, after the DHCP server told of them last.
    pub leases: Option<Duration>,
    /// MACs nobody registered, after they were seen last.
    pub discovered: Option<Duration>,
}

impl Settings {
    pub(super) fn complete(self) -> Retention {
        // 0 is "for ever"; ten thousand years are, too
        let days = |days: Option<u64>| {
            Some(days.unwrap_or(DAYS)).filter(|days| *days > 0).map(|days| Duration::from_secs(days.min(3_650_000) * 86_400))
        };
        Retention { events: days(self.events_days), leases: days(self.leases_days), discovered: days(self.discovered_days) }
    }
}
