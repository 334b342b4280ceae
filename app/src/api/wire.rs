//! Events as they are read: all members side by side.
//!
//! What serde derives for an enum with its tag among its members reads everything into memory first and from there into each variant,
//! twice over for one enum within the other: 80 kB of the browser's code, on every page.

use serde::Deserialize;

use super::{
    bmc::BmcHealth,
    event::{BmcStatus, BootProtocol, Event, EventKind, FileRole, LabEvent, List, Status},
    fields::Instant,
    machine::{MachineState, PowerState},
};

/// A member that this kind of event must have.
fn must<T>(member: &str, value: Option<T>) -> Result<T, String> {
    value.ok_or_else(|| ["missing field `", member, "`"].concat())
}

/// What the `info` of any event may have.
#[derive(Default, Deserialize)]
struct Info {
    power: Option<String>,
    device: Option<String>,
    efi: Option<bool>,
    persistent: Option<bool>,
    action: Option<String>,
    message: Option<String>,
    client_ip: Option<String>,
    bytes: Option<u64>,
    lineno: Option<u32>,
    state: Option<MachineState>,
    reason: Option<String>,
    discover: Option<bool>,
    filename: Option<String>,
    netboot: Option<bool>,
    role: Option<FileRole>,
    path: Option<String>,
    protocol: Option<BootProtocol>,
    seconds: Option<f64>,
    status: Option<String>,
    changed: Option<Vec<String>>,
}

#[derive(Deserialize)]
pub(super) struct WireKind {
    event_type: String,
    #[serde(default)]
    info: Info,
}

impl TryFrom<WireKind> for EventKind {
    type Error = String;

    fn try_from(WireKind { event_type, info }: WireKind) -> Result<Self, String> {
        let client_ip = |info: Option<String>| must("client_ip", info);
        Ok(match event_type.as_str() {
            "CONSOLE_ACCESS" => Self::ConsoleAccess {},
            "POWER_CHANGE" => Self::PowerChange { power: must("power", info.power)? },
            "BOOT_DEVICE" => Self::BootDevice {
                device: must("device", info.device)?,
                efi: must("efi", info.efi)?,
                persistent: must("persistent", info.persistent)?,
            },
            "BMC_ERROR" => Self::BmcError { action: must("action", info.action)?, message: must("message", info.message)? },
            "PRESEED_ACCESS" => Self::PreseedAccess { client_ip: client_ip(info.client_ip)?, bytes: info.bytes.unwrap_or_default() },
            "PRESEED_ERROR" => Self::PreseedError {
                client_ip: client_ip(info.client_ip)?,
                message: must("message", info.message)?,
                lineno: must("lineno", info.lineno)?,
            },
            "PHONE_HOME" => Self::PhoneHome { client_ip: client_ip(info.client_ip)? },
            "STATE_CHANGE" => Self::StateChange { state: must("state", info.state)?, reason: must("reason", info.reason)? },
            "DHCP_REQ" => Self::DhcpReq { discover: must("discover", info.discover)? },
            "TFTP_REQ" => Self::TftpReq {
                filename: must("filename", info.filename)?,
                client_ip: info.client_ip.unwrap_or_default(),
                netboot: info.netboot.unwrap_or_default(),
                reason: info.reason,
            },
            "FILE_FETCHED" => Self::FileFetched {
                role: must("role", info.role)?,
                path: must("path", info.path)?,
                protocol: must("protocol", info.protocol)?,
                client_ip: client_ip(info.client_ip)?,
                bytes: must("bytes", info.bytes)?,
                seconds: must("seconds", info.seconds)?,
            },
            "FETCH_FAILED" => Self::FetchFailed {
                role: must("role", info.role)?,
                path: must("path", info.path)?,
                protocol: must("protocol", info.protocol)?,
                client_ip: client_ip(info.client_ip)?,
                bytes: must("bytes", info.bytes)?,
                message: must("message", info.message)?,
            },
            "CONSOLE" => Self::Console { status: must("status", info.status)? },
            "SETTINGS_CHANGE" => Self::SettingsChange { changed: must("changed", info.changed)? },
            other => return Err(["unknown event type `", other, "`"].concat()),
        })
    }
}

#[derive(Deserialize)]
pub(super) struct WireEvent {
    id: i64,
    machine_id: i64,
    username: Option<String>,
    date: Instant,
    event_type: String,
    #[serde(default)]
    info: Info,
}

impl TryFrom<WireEvent> for Event {
    type Error = String;

    fn try_from(WireEvent { id, machine_id, username, date, event_type, info }: WireEvent) -> Result<Self, String> {
        Ok(Self { id, machine_id, username, date, what: WireKind { event_type, info }.try_into()? })
    }
}

#[derive(Deserialize)]
pub(super) struct WireLabEvent {
    #[serde(rename = "type")]
    kind: String,
    machine: Option<i64>,
    power: Option<PowerState>,
    error: Option<String>,
    state: Option<MachineState>,
    bmc: Option<i64>,
    health: Option<BmcHealth>,
    machines: Option<Vec<Status>>,
    bmcs: Option<Vec<BmcStatus>>,
    event: Option<Event>,
    list: Option<List>,
}

impl TryFrom<WireLabEvent> for LabEvent {
    type Error = String;

    fn try_from(wire: WireLabEvent) -> Result<Self, String> {
        let machine = |wire: Option<i64>| must("machine", wire);
        Ok(match wire.kind.as_str() {
            "snapshot" => Self::Snapshot { machines: must("machines", wire.machines)?, bmcs: wire.bmcs.unwrap_or_default() },
            "power" => Self::Power { machine: machine(wire.machine)?, power: must("power", wire.power)?, error: wire.error },
            "state" => Self::State { machine: machine(wire.machine)?, state: must("state", wire.state)? },
            "bmc_health" => Self::BmcHealth { bmc: must("bmc", wire.bmc)?, health: must("health", wire.health)? },
            "changed" => Self::Changed { machine: machine(wire.machine)? },
            "removed" => Self::Removed { machine: machine(wire.machine)? },
            "event" => Self::Event { event: must("event", wire.event)? },
            "list" => Self::List { list: must("list", wire.list)? },
            "resync" => Self::Resync,
            other => return Err(["unknown event type `", other, "`"].concat()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_kind() -> Vec<EventKind> {
        let text = || "x".to_owned();
        vec![
            EventKind::ConsoleAccess {},
            EventKind::PowerChange { power: text() },
            EventKind::BootDevice { device: text(), efi: true, persistent: false },
            EventKind::BmcError { action: text(), message: text() },
            EventKind::PreseedAccess { client_ip: text(), bytes: 7 },
            EventKind::PreseedError { client_ip: text(), message: text(), lineno: 3 },
            EventKind::PhoneHome { client_ip: text() },
            EventKind::StateChange { state: MachineState::Ready, reason: text() },
            EventKind::DhcpReq { discover: true },
            EventKind::TftpReq { filename: text(), client_ip: text(), netboot: true, reason: Some(text()) },
            EventKind::FileFetched {
                role: FileRole::Kernel,
                path: text(),
                protocol: BootProtocol::Http,
                client_ip: text(),
                bytes: 9,
                seconds: 1.5,
            },
            EventKind::FetchFailed {
                role: FileRole::Loader,
                path: text(),
                protocol: BootProtocol::Tftp,
                client_ip: text(),
                bytes: 9,
                message: text(),
            },
            EventKind::Console { status: text() },
            EventKind::SettingsChange { changed: vec![text()] },
        ]
    }

    fn there_and_back<T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug>(value: &T) {
        let text = serde_json::to_string(value).expect("written");
        assert_eq!(&serde_json::from_str::<T>(&text).unwrap_or_else(|error| panic!("{text}: {error}")), value);
    }

    #[test]
    fn every_event_is_read_as_it_was_written() {
        let date = serde_json::from_str::<Instant>("\"2026-01-02T03:04:05Z\"").expect("an instant");
        let mut events = vec![
            LabEvent::Power { machine: 1, power: PowerState::On, error: None },
            LabEvent::Power { machine: 1, power: PowerState::Off, error: Some("no answer".to_owned()) },
            LabEvent::State { machine: 1, state: MachineState::Ready },
            LabEvent::Changed { machine: 1 },
            LabEvent::Removed { machine: 1 },
            LabEvent::Resync,
            LabEvent::Snapshot {
                machines: vec![Status { machine: 1, power: PowerState::On, error: None, state: MachineState::Ready }],
                bmcs: Vec::new(),
            },
        ];
        assert_eq!(every_kind().iter().map(EventKind::name).collect::<Vec<_>>(), EventKind::TYPES);
        for what in every_kind() {
            there_and_back(&what);
            let event = Event { id: 1, machine_id: 2, username: None, date: date.clone(), what };
            there_and_back(&event);
            events.push(LabEvent::Event { event });
        }
        for list in List::ALL {
            assert_eq!(serde_json::to_value(list).expect("written"), list.word());
            events.push(LabEvent::List { list });
        }
        for event in &events {
            there_and_back(event);
        }
    }

    #[test]
    fn what_is_missing_or_unknown_is_named() {
        let error = |text: &str| serde_json::from_str::<LabEvent>(text).expect_err(text).to_string();
        assert!(error(r#"{"type": "power", "machine": 1}"#).contains("missing field `power`"));
        assert!(error(r#"{"type": "novelty"}"#).contains("unknown event type `novelty`"));
        assert!(serde_json::from_str::<EventKind>(r#"{"event_type": "POWER_CHANGE", "info": {}}"#).is_err());
        assert!(serde_json::from_str::<EventKind>(r#"{"event_type": "NOVELTY"}"#).is_err());
    }

    #[test]
    fn events_of_older_versions_lack_what_came_later() {
        let read = serde_json::from_str::<EventKind>(r#"{"event_type": "TFTP_REQ", "info": {"filename": "a"}}"#).expect("read");
        assert_eq!(read, EventKind::TftpReq { filename: "a".to_owned(), client_ip: String::new(), netboot: false, reason: None });
    }
}
