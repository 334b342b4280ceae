//! What happened to a machine, and the live stream of the lab.

use serde::{Deserialize, Serialize};

use super::{
    ApiError,
    bmc::BmcHealth,
    client::{Api, query},
    fields::Instant,
    machine::{MachineState, PowerState},
    wire::{WireEvent, WireKind, WireLabEvent},
};

/// One entry of a machine's log, newest last in time, newest first in lists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(try_from = "WireEvent")]
pub struct Event {
    pub id: i64,
    pub machine_id: i64,
    /// Who caused it; kept when the user goes.
    pub username: Option<String>,
    pub date: Instant,
    #[serde(flatten)]
    pub what: EventKind,
}

/// How a booting machine asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum BootProtocol {
    Tftp,
    Http,
}

/// What a fetched file is to the machine that fetched it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum FileRole {
    Loader,
    Kernel,
    Initrd,
    /// Anything else, e.g. a module of the loader.
    File,
}

/// Event types and what each carries. On the wire: `{"event_type": "POWER_CHANGE", "info": {"power": "on"}}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "event_type", content = "info", rename_all = "SCREAMING_SNAKE_CASE", try_from = "WireKind")]
pub enum EventKind {
    ConsoleAccess {},
    /// The BMC carried out a power command; `power` is the word that was asked for.
    PowerChange {
        power: String,
    },
    /// The BMC took a boot device for the next boot.
    BootDevice {
        device: String,
        efi: bool,
        persistent: bool,
    },
    /// The BMC failed or refused.
    BmcError {
        action: String,
        message: String,
    },
    PreseedAccess {
        client_ip: String,
        #[serde(default)]
        bytes: u64,
    },
    /// `lineno` 0: not tied to a line, e.g. an undefined variable.
    PreseedError {
        client_ip: String,
        message: String,
        lineno: u32,
    },
    PhoneHome {
        client_ip: String,
    },
    StateChange {
        state: MachineState,
        reason: String,
    },
    DhcpReq {
        discover: bool,
    },
    /// A loader's configuration was asked for and answered; `netboot` false: with "boot from disk", for the given reason.
    TftpReq {
        filename: String,
        #[serde(default)]
        client_ip: String,
        #[serde(default)]
        netboot: bool,
        #[serde(default)]
        reason: Option<String>,
    },
    /// A file was fetched whole.
    FileFetched {
        role: FileRole,
        path: String,
        protocol: BootProtocol,
        client_ip: String,
        bytes: u64,
        seconds: f64,
    },
    /// A transfer ended early.
    FetchFailed {
        role: FileRole,
        path: String,
        protocol: BootProtocol,
        client_ip: String,
        bytes: u64,
        message: String,
    },
    /// What became of the serial console after [`Self::ConsoleAccess`]; `status` is `closed`, `keyboard taken`, or
    /// `taken over` from another session on the BMC.
    Console {
        status: String,
    },
    /// Settings were changed; `changed` names the fields.
    SettingsChange {
        changed: Vec<String>,
    },
}

impl EventKind {
    /// The names of all types, as on the wire.
    pub const TYPES: [&str; 14] = [
        "CONSOLE_ACCESS",
        "POWER_CHANGE",
        "BOOT_DEVICE",
        "BMC_ERROR",
        "PRESEED_ACCESS",
        "PRESEED_ERROR",
        "PHONE_HOME",
        "STATE_CHANGE",
        "DHCP_REQ",
        "TFTP_REQ",
        "FILE_FETCHED",
        "FETCH_FAILED",
        "CONSOLE",
        "SETTINGS_CHANGE",
    ];

    /// Types that tell, or may tell, of a failure.
    pub const FAILURES: [&str; 4] = ["BMC_ERROR", "PRESEED_ERROR", "FETCH_FAILED", "STATE_CHANGE"];

    /// Whether something went wrong.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        matches!(
            self,
            Self::BmcError { .. }
                | Self::PreseedError { .. }
                | Self::FetchFailed { .. }
                | Self::StateChange { state: MachineState::Error, .. }
        )
    }

    /// Whether it is a step of booting, and not what somebody did with the machine meanwhile.
    #[must_use]
    pub fn is_step(&self) -> bool {
        matches!(
            self,
            Self::PreseedAccess { .. }
                | Self::PreseedError { .. }
                | Self::PhoneHome { .. }
                | Self::StateChange { .. }
                | Self::DhcpReq { .. }
                | Self::TftpReq { .. }
                | Self::FileFetched { .. }
                | Self::FetchFailed { .. }
        )
    }

    /// The name of the type, as on the wire.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::ConsoleAccess { .. } => "CONSOLE_ACCESS",
            Self::PowerChange { .. } => "POWER_CHANGE",
            Self::BootDevice { .. } => "BOOT_DEVICE",
            Self::BmcError { .. } => "BMC_ERROR",
            Self::PreseedAccess { .. } => "PRESEED_ACCESS",
            Self::PreseedError { .. } => "PRESEED_ERROR",
            Self::PhoneHome { .. } => "PHONE_HOME",
            Self::StateChange { .. } => "STATE_CHANGE",
            Self::DhcpReq { .. } => "DHCP_REQ",
            Self::TftpReq { .. } => "TFTP_REQ",
            Self::FileFetched { .. } => "FILE_FETCHED",
            Self::FetchFailed { .. } => "FETCH_FAILED",
            Self::Console { .. } => "CONSOLE",
            Self::SettingsChange { .. } => "SETTINGS_CHANGE",
        }
    }
}

impl Event {
    /// As somebody sees it who has nothing to do with the machine: without addresses, files and messages, which tell
    /// what its users do with it.
    #[must_use]
    pub fn without_details(mut self) -> Self {
        match &mut self.what {
            EventKind::BmcError { message, .. } => message.clear(),
            EventKind::PreseedAccess { client_ip, .. } | EventKind::PhoneHome { client_ip } => client_ip.clear(),
            EventKind::PreseedError { client_ip, message, .. } => {
                client_ip.clear();
                message.clear();
            }
            EventKind::TftpReq { filename, client_ip, reason, .. } => {
                filename.clear();
                client_ip.clear();
                *reason = None;
            }
            EventKind::FileFetched { path, client_ip, .. } => {
                path.clear();
                client_ip.clear();
            }
            EventKind::FetchFailed { path, client_ip, message, .. } => {
                path.clear();
                client_ip.clear();
                message.clear();
            }
            EventKind::ConsoleAccess {}
            | EventKind::PowerChange { .. }
            | EventKind::BootDevice { .. }
            | EventKind::StateChange { .. }
            | EventKind::DhcpReq { .. }
            | EventKind::Console { .. }
            | EventKind::SettingsChange { .. } => {}
        }
        self
    }
}

/// One message of `GET /api/v1/stream`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case", try_from = "WireLabEvent")]
pub enum LabEvent {
    /// First message of every connection: power and state of every machine and the health of every BMC, so that nothing
    /// between the page's rendering and the stream's opening is lost.
    Snapshot {
        machines: Vec<Status>,
        #[serde(default)]
        bmcs: Vec<BmcStatus>,
    },
    Power {
        machine: i64,
        power: PowerState,
        error: Option<String>,
    },
    State {
        machine: i64,
        state: MachineState,
    },
    /// A BMC began or ceased to answer, or has another fault than before.
    BmcHealth {
        bmc: i64,
        health: BmcHealth,
    },
    /// Something else of the machine changed: ask for it again.
    Changed {
        machine: i64,
    },
    Removed {
        machine: i64,
    },
    /// A new entry of a machine's log.
    Event {
        event: Event,
    },
    /// Something was added to, changed in or removed from a list of other things than machines: ask for it again.
    List {
        list: List,
    },
    /// Messages were lost because the reader was too slow: ask for everything again.
    Resync,
}

/// What is listed beside machines, by the word of its address in the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum List {
    Arch,
    Bmc,
    Discovered,
    Image,
    Lease,
    Network,
    Preseed,
    User,
}

impl List {
    pub const ALL: [Self; 8] =
        [Self::Arch, Self::Bmc, Self::Discovered, Self::Image, Self::Lease, Self::Network, Self::Preseed, Self::User];

    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Arch => "arch",
            Self::Bmc => "bmc",
            Self::Discovered => "discovered",
            Self::Image => "image",
            Self::Lease => "lease",
            Self::Network => "network",
            Self::Preseed => "preseed",
            Self::User => "user",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Status {
    pub machine: i64,
    pub power: PowerState,
    pub error: Option<String>,
    pub state: MachineState,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BmcStatus {
    pub bmc: i64,
    pub health: BmcHealth,
}

impl Api {
    /// The newest events of a machine, newest first; `before` an event id pages back.
    pub async fn events(&self, machine: i64, before: Option<i64>, limit: u32) -> Result<Vec<Event>, ApiError> {
        let limit = limit.to_string();
        let mut pairs = vec![("limit", limit.as_str())];
        let before = before.map(|id| id.to_string());
        if let Some(before) = &before {
            pairs.push(("before", before));
        }
        self.get(&query(&format!("/machine/{machine}/event"), &pairs)).await
    }
}
