//! What a machine's BMC tells of its hardware: inventory (FRU), sensors and event log (SEL).

use serde::{Deserialize, Serialize};

use super::{ApiError, client::Api, fields::Instant};

/// The inventory that the makers wrote into the machine (IPMI Platform Management FRU Information Storage Definition).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Fru {
    pub chassis: Option<FruChassis>,
    pub board: Option<FruBoard>,
    pub product: Option<FruProduct>,
    /// Parts that did not arrive whole, or whose checksum is wrong: `header`, `chassis`, `board`, `product`.
    pub damaged: Vec<String>,
}

/// Empty texts were not filled in by the maker; here and in the others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FruChassis {
    /// E.g. `Rack Mount Chassis`.
    pub kind: String,
    pub part_number: String,
    pub serial: String,
    /// The maker's own fields.
    pub extra: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FruBoard {
    pub manufactured: Option<Instant>,
    pub manufacturer: String,
    pub name: String,
    pub serial: String,
    pub part_number: String,
    pub extra: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FruProduct {
    pub manufacturer: String,
    pub name: String,
    pub part_number: String,
    pub version: String,
    pub serial: String,
    pub asset_tag: String,
    pub extra: Vec<String>,
}

/// How serious a sensor's reading is, by its own thresholds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum SensorState {
    Ok,
    /// IPMI's "non-critical".
    Warning,
    Critical,
    /// IPMI's "non-recoverable".
    Fatal,
    /// It does not tell just now, e.g. because the machine is off.
    Unavailable,
}

impl SensorState {
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Critical => "critical",
            Self::Fatal => "fatal",
            Self::Unavailable => "unavailable",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Sensor {
    pub number: u8,
    pub name: String,
    /// What it measures, e.g. `Temperature`.
    pub kind: String,
    /// `null`: it does not tell, or tells states only.
    pub reading: Option<f64>,
    /// E.g. `°C`, `V`, `RPM`; empty without one.
    pub unit: String,
    pub state: SensorState,
    /// Of a sensor that tells states instead of a reading: those that hold, in words.
    pub conditions: Vec<String>,
    pub thresholds: Thresholds,
}

/// Readings at which the state becomes worse, in the sensor's unit; `null`: not set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Thresholds {
    pub lower_fatal: Option<f64>,
    pub lower_critical: Option<f64>,
    pub lower_warning: Option<f64>,
    pub upper_warning: Option<f64>,
    pub upper_critical: Option<f64>,
    pub upper_fatal: Option<f64>,
}

/// One entry of the event log that the BMC keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SelEntry {
    /// The BMC's number of it.
    pub id: u16,
    /// By the BMC's clock, which may be wrong; `null`: it had none yet.
    pub time: Option<Instant>,
    /// What reported, e.g. `Temperature 0x30`, or the sensor's name where it is known.
    pub sensor: String,
    /// What happened, in words.
    pub event: String,
    /// Whether it began; else it ended.
    pub asserted: bool,
}

impl Api {
    pub async fn fru(&self, machine: i64) -> Result<Fru, ApiError> {
        self.get(&format!("/machine/{machine}/fru")).await
    }
    pub async fn sensors(&self, machine: i64) -> Result<Vec<Sensor>, ApiError> {
        self.get(&format!("/machine/{machine}/sensors")).await
    }
    /// Newest first.
    pub async fn sel(&self, machine: i64) -> Result<Vec<SelEntry>, ApiError> {
        self.get(&format!("/machine/{machine}/sel")).await
    }
}
