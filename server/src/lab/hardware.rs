//! What a machine's BMC tells of its hardware. Read from the BMC for every request: nothing of it is kept.

use std::sync::Arc;

use app::api::{Fru, SelEntry, Sensor};

use super::{Action, Actor, Lab, LabError, power};
use crate::bmc::{Bmc, BmcError};

/// # Errors
/// Actors who are neither admin nor assignee, machines without BMC, and a BMC that fails or refuses.
pub async fn fru(lab: &Lab, actor: &Actor, id: i64) -> Result<Fru, LabError> {
    bmc(lab, actor, id).await?.fru().await.map_err(|error| failed(&error))
}

/// # Errors
/// As [`fru`].
pub async fn sensors(lab: &Lab, actor: &Actor, id: i64) -> Result<Vec<Sensor>, LabError> {
    bmc(lab, actor, id).await?.sensors().await.map_err(|error| failed(&error))
}

/// Newest first.
///
/// # Errors
/// As [`fru`].
pub async fn sel(lab: &Lab, actor: &Actor, id: i64) -> Result<Vec<SelEntry>, LabError> {
    bmc(lab, actor, id).await?.sel().await.map_err(|error| failed(&error))
}

async fn bmc(lab: &Lab, actor: &Actor, id: i64) -> Result<Arc<dyn Bmc>, LabError> {
    let (machine, bmc) = power::controlled(lab, actor, id, Action::MachineDetails, "hardware information requires a BMC").await?;
    lab.fleet.bmc(&power::target(&lab.secrets, &machine, bmc)).map_err(|error| failed(&error))
}

/// Power commands answer 500 when a BMC fails, as the original did. These are new and say whose fault it is.
fn failed(error: &BmcError) -> LabError {
    LabError::BmcRead { silent: matches!(error, BmcError::Unreachable(_)), text: error.to_string() }
}
