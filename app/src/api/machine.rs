//! Machines, their power and their provisioning state.

use serde::{Deserialize, Serialize};

use super::{
    ApiError,
    bmc::BmcHealth,
    client::{Api, Edit, Page, query},
    fields::{Id, Instant, KernelOpts, MachineName, Tag, present},
    lease::MachineLease,
};

/// What a machine's BMC says of its power.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum PowerState {
    On,
    Off,
    /// No BMC, or not asked yet.
    #[default]
    Unknown,
    /// The BMC did not answer, or refused; the machine's `power_error` says why.
    #[serde(rename = "Unknown (BMC error)")]
    BmcError,
}

impl PowerState {
    /// The word on the wire.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Off => "off",
            Self::Unknown => "unknown",
            Self::BmcError => "Unknown (BMC error)",
        }
    }
}

/// What can be asked of a machine's power.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PowerAction {
    On,
    Off,
    /// Hard reset, whatever the power state.
    Reboot,
    /// Boot from the network once: sets the boot device, then resets, or powers on when off.
    PxeReboot,
    /// Boot from the disk once, likewise.
    DiskReboot,
    /// Enter the firmware's set-up once, likewise.
    BiosReboot,
}

impl PowerAction {
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Off => "off",
            Self::Reboot => "reboot",
            Self::PxeReboot => "pxe_reboot",
            Self::DiskReboot => "disk_reboot",
            Self::BiosReboot => "bios_reboot",
        }
    }
}

/// How far a machine's provisioning is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum MachineState {
    #[default]
    Unknown,
    Provisioning,
    Ready,
    Error,
}

impl MachineState {
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Provisioning => "provisioning",
            Self::Ready => "ready",
            Self::Error => "error",
        }
    }

    /// As pages say it, which is also what people search for.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Unknown => "No state",
            Self::Provisioning => "Provisioning",
            Self::Ready => "Ready",
            Self::Error => "Failed",
        }
    }
}

/// One machine, as listed and as shown. The first ten members are those of the original.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Machine {
    pub id: i64,
    pub name: String,
    /// The name with every character that is not alphanumeric replaced by `-`.
    pub hostname: String,
    pub arch: String,
    pub subarch: Option<String>,
    pub kernel_id: Option<i64>,
    pub kernel_opts: String,
    pub initrd_id: Option<i64>,
    pub preseed_id: Option<i64>,
    pub netboot_enabled: bool,
    pub state: MachineState,
    pub power: PowerState,
    /// Why the power is not known, when the BMC failed.
    pub power_error: Option<String>,
    pub arch_id: i64,
    pub subarch_id: Option<i64>,
    pub bmc_id: Option<i64>,
    /// Name of the BMC.
    pub bmc: Option<String>,
    /// What the BMC needs to know to find the machine, e.g. a Moonshot cartridge's number.
    pub bmc_info: String,
    /// How its BMC is doing; `null` without a BMC. In a list `last_answer` may be as old as the list's last change.
    #[serde(default)]
    pub bmc_health: Option<BmcHealth>,
    pub macs: Vec<String>,
    pub assignees: Vec<MachineAssignee>,
    /// The addresses its interfaces were given by DHCP.
    pub leases: Vec<MachineLease>,
    /// Free labels, in order.
    pub tags: Vec<String>,
    /// When its own settings or its state last changed.
    pub updated_at: Instant,
    /// Whether the asking user may change it: its assignees and admins may.
    pub may_change: bool,
}

/// A machine's name as a host name: every character that is not alphanumeric becomes `-`.
#[must_use]
pub fn hostname(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}

/// Who has a machine, in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MachineAssignee {
    pub user: String,
    pub reason: String,
}

/// A new machine. Admins only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewMachine {
    pub name: MachineName,
    /// Name of the architecture.
    pub arch: String,
    #[serde(default)]
    pub subarch: Option<String>,
    #[serde(default)]
    pub bmc_id: Option<Id>,
    #[serde(default)]
    pub bmc_info: String,
    /// One interface is made for each.
    #[serde(default)]
    pub macs: Vec<super::fields::MacAddr>,
    #[serde(default)]
    pub tags: Vec<Tag>,
}

/// A change of a machine: absent members stay as they are, `null` clears.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MachineChange {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub netboot_enabled: Option<bool>,
    /// Name of a subarchitecture of the machine's architecture.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub subarch: Option<Option<String>>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub kernel_id: Option<Option<Id>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel_opts: Option<KernelOpts>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub initrd_id: Option<Option<Id>>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub preseed_id: Option<Option<Id>>,
    /// All its labels from now on, at most 32.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<Tag>>,
    /// Admins only, as all that follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<MachineName>,
    /// Name of an architecture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arch: Option<String>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub bmc_id: Option<Option<Id>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bmc_info: Option<String>,
}

/// Body and answer of `/machine/{id}/power`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PowerAnswer {
    pub state: PowerState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PowerRequest {
    pub state: PowerAction,
}

/// Answer of `/machine/{id}/state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StateAnswer {
    pub state: MachineState,
}

/// The only thing that can be POSTed to `/machine/{id}/state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Provision {
    Provision,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ProvisionRequest {
    pub state: Provision,
}

/// What a client may say of the state: the outcome of a provisioning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Ready,
    Error,
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct OutcomeRequest {
    pub state: Outcome,
}

/// Which machines, in which order, and how many of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MachineView {
    /// Only the asking user's.
    pub mine: bool,
    /// Words that must all occur in something of the machine, in any case of letters.
    pub search: String,
    /// In the query language: see [`super::query`].
    pub q: String,
    /// A member of the machine, `-` before it for downwards; empty: by name.
    pub sort: String,
    /// 1 to 1000.
    pub limit: usize,
    /// How many come before them.
    pub offset: usize,
}

/// Answer of `POST /machine/{id}/console`: a one-time key for the console's socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConsoleTicket {
    /// `null`: the host that was asked.
    pub host: Option<String>,
    pub port: u16,
    /// Good once, for five minutes, as `/ws?token=…` and `/api/v1/machine/{id}/console/socket?token=…`.
    pub token: String,
}

impl Api {
    /// All machines, or with `show_all` false those assigned to the caller.
    pub async fn machines(&self, show_all: bool) -> Result<Vec<Machine>, ApiError> {
        self.get(&query("/machine", &[("show_all", if show_all { "true" } else { "false" })])).await
    }
    /// Some of them.
    pub async fn machines_page(&self, view: &MachineView) -> Result<Page<Machine>, ApiError> {
        let (limit, offset) = (view.limit.to_string(), view.offset.to_string());
        let pairs = [
            ("show_all", if view.mine { "false" } else { "true" }),
            ("search", &view.search),
            ("q", &view.q),
            ("sort", if view.sort.is_empty() { "name" } else { &view.sort }),
            ("limit", &limit),
            ("offset", if view.offset == 0 { "" } else { &offset }),
        ];
        let asked: Vec<_> = pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        self.get_page(&query("/machine", &asked)).await
    }
    /// The first of which `member` is this id, and how many there are.
    pub async fn machines_with(&self, member: &str, id: i64, limit: usize) -> Result<Page<Machine>, ApiError> {
        let (filter, limit) = (format!("{member}={id}"), limit.to_string());
        self.get_page(&query("/machine", &[("show_all", "true"), ("filter", &filter), ("sort", "name"), ("limit", &limit)])).await
    }
    pub async fn machine(&self, id: i64) -> Result<Machine, ApiError> {
        self.get(&format!("/machine/{id}")).await
    }
    pub async fn create_machine(&self, new: &NewMachine) -> Result<Machine, ApiError> {
        self.post("/machine", new).await
    }
    pub async fn change_machine(&self, id: i64, change: &MachineChange) -> Result<Machine, ApiError> {
        self.put(&format!("/machine/{id}"), change).await
    }
    /// As long as the machine is the `same` as the form knew it: others may have changed what is not in the form.
    pub async fn edit_machine(&self, id: i64, change: &MachineChange, same: impl Fn(&Machine) -> bool) -> Result<Edit<Machine>, ApiError> {
        self.edit(&format!("/machine/{id}"), change, same).await
    }
    pub async fn delete_machine(&self, id: i64) -> Result<(), ApiError> {
        self.delete(&format!("/machine/{id}")).await
    }
    /// Asks the BMC now.
    pub async fn power(&self, id: i64) -> Result<PowerAnswer, ApiError> {
        self.get(&format!("/machine/{id}/power")).await
    }
    pub async fn set_power(&self, id: i64, state: PowerAction) -> Result<PowerAnswer, ApiError> {
        self.post(&format!("/machine/{id}/power"), &PowerRequest { state }).await
    }
    /// Switches netboot on, marks the machine as provisioning and boots it from the network.
    pub async fn provision(&self, id: i64) -> Result<StateAnswer, ApiError> {
        self.post(&format!("/machine/{id}/state"), &ProvisionRequest { state: Provision::Provision }).await
    }
    pub async fn set_outcome(&self, id: i64, state: Outcome) -> Result<StateAnswer, ApiError> {
        self.put(&format!("/machine/{id}/state"), &OutcomeRequest { state }).await
    }
}
