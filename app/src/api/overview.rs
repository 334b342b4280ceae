//! What the lab is doing now, in short.

use serde::{Deserialize, Serialize};

use super::{ApiError, bmc::BmcHealth, client::Api, event::Event, fields::Instant};

/// What is going on in the lab, in numbers, and by name what one would look at first. However large the lab, it stays small.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Overview {
    pub machine_count: usize,
    /// Machines that nobody has.
    pub free_count: usize,
    pub states: StateCounts,
    pub powers: PowerCounts,
    /// Machines being provisioned, by name; at most 12, of as many as `states` says.
    pub provisioning: Vec<Provisioning>,
    pub bmc_count: usize,
    /// BMCs that do not answer, or refuse.
    pub unwell_count: usize,
    /// Those, by name; at most 12.
    pub unwell_bmcs: Vec<UnwellBmc>,
    /// Everybody who has machines, most machines first.
    pub holders: Vec<Holder>,
    /// Failures of the last 24 hours.
    pub failure_count: usize,
    /// Those, newest first; at most 12.
    pub failures: Vec<Failure>,
    /// So much happened in the last 24 hours that only the newest of it was looked through for failures.
    pub failures_cut: bool,
}

/// How many machines are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StateCounts {
    pub provisioning: usize,
    pub ready: usize,
    pub error: usize,
    pub unknown: usize,
}

/// How many machines are on, off, and neither as far as is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PowerCounts {
    pub on: usize,
    pub off: usize,
    /// The BMC did not answer, or refused.
    pub bmc_error: usize,
    /// No BMC, or not asked yet.
    pub unknown: usize,
}

/// A machine, in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NamedMachine {
    pub id: i64,
    pub name: String,
}

/// How far a provisioning is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Provisioning {
    pub machine: NamedMachine,
    /// When it began; `null`: longer ago than the newest entries of the machine's log.
    pub since: Option<Instant>,
    /// The last step of booting, or the last failure; `null`: none yet.
    pub last: Option<Event>,
}

/// A BMC that does not answer, or refuses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UnwellBmc {
    pub id: i64,
    pub name: String,
    pub health: BmcHealth,
    pub machine_count: usize,
    /// Those behind it, by name; at most 10.
    pub machines: Vec<NamedMachine>,
}

/// Somebody who has machines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Holder {
    /// User name.
    pub user: String,
    pub machine_count: usize,
    /// By name; at most 10.
    pub machines: Vec<HeldMachine>,
}

/// A machine that somebody has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HeldMachine {
    pub id: i64,
    pub name: String,
    /// Why.
    pub reason: String,
}

/// Something that went wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Failure {
    /// The machine's name.
    pub machine: String,
    pub event: Event,
}

impl Api {
    pub async fn overview(&self) -> Result<Overview, ApiError> {
        self.get("/overview").await
    }
}
