//! Baseboard management controllers.

use serde::{Deserialize, Serialize};

use super::{
    ApiError,
    client::Api,
    fields::{BmcName, BmcPassword, BmcUsername, IpAddress},
};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum BmcType {
    /// One BMC, one machine, IPMI 2.0 over LAN.
    #[default]
    Plain,
    /// HP Moonshot: one chassis, many cartridges, reached by double bridging.
    Moonshot,
}

impl BmcType {
    pub const ALL: [Self; 2] = [Self::Plain, Self::Moonshot];

    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Moonshot => "moonshot",
        }
    }

    /// # Errors
    /// Names the word that is none of them.
    pub fn parse(word: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|kind| kind.word() == word).ok_or_else(|| format!("BMC type {word} is not a valid type"))
    }
}

/// Never carries the password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Bmc {
    pub id: i64,
    pub name: String,
    /// Admins see it; empty for others, as the user name.
    pub ip: String,
    pub port: u16,
    #[serde(rename = "type")]
    pub bmc_type: BmcType,
    /// Admins see it; empty for others.
    pub username: String,
    pub has_password: bool,
    /// Names of the machines behind it.
    pub machines: Vec<String>,
}

/// Body of POST and PUT. In a PUT absent optional members stay as they are, the password above all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BmcInput {
    pub name: BmcName,
    pub ip: IpAddress,
    /// UDP port, 623 unless said.
    #[serde(default)]
    pub port: Option<u16>,
    #[serde(rename = "type")]
    pub bmc_type: BmcType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<BmcUsername>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<BmcPassword>,
}

impl Api {
    pub async fn bmcs(&self) -> Result<Vec<Bmc>, ApiError> {
        self.get("/bmc").await
    }
    pub async fn create_bmc(&self, new: &BmcInput) -> Result<Bmc, ApiError> {
        self.post("/bmc", new).await
    }
    pub async fn change_bmc(&self, id: i64, change: &BmcInput) -> Result<Bmc, ApiError> {
        self.put(&format!("/bmc/{id}"), change).await
    }
    pub async fn delete_bmc(&self, id: i64) -> Result<(), ApiError> {
        self.delete(&format!("/bmc/{id}")).await
    }
}
