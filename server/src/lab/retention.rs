//! What grows by itself is forgotten: the original never forgot leases and discovered MACs, and events at every event (K1, W26).

use std::time::Duration;

use app::api::List;

use super::{Lab, LabError, audit, discovery};
use crate::journal::now_micros;

/// What was forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    pub events: u64,
    pub leases: u64,
    pub discovered: u64,
}

/// Forgets what is older than the settings say.
///
/// # Errors
/// The store's.
pub async fn sweep(lab: &Lab) -> Result<Forgotten, LabError> {
    let now = now_micros();
    let before = |kept: Duration| now.saturating_sub(i64::try_from(kept.as_micros()).unwrap_or(i64::MAX));
    let settings = &lab.config.retention;
    let mut forgotten = Forgotten::default();
    let mut tx = lab.store.begin().await?;
    if let Some(kept) = settings.events {
        forgotten.events = store::events::delete_older_than(&mut tx, before(kept)).await?;
    }
    if let Some(kept) = settings.leases {
        forgotten.leases = store::leases::delete_older_than(&mut tx, before(kept)).await?;
    }
    if let Some(kept) = settings.discovered {
        forgotten.discovered = store::discovered_macs::delete_older_than(&mut tx, before(kept)).await?;
    }
    forgotten.discovered += store::discovered_macs::trim(&mut tx, discovery::MOST).await?;
    if forgotten.discovered > 0 {
        audit::tell(&mut tx, &[List::Discovered]);
    }
    if forgotten.leases > 0 {
        audit::tell(&mut tx, &[List::Lease]);
    }
    tx.commit().await?;
    Ok(forgotten)
}
