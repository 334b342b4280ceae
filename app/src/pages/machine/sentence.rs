//! Events in the words of those who read them.

use crate::{
    api::{BootProtocol, Event, EventKind, FileRole, MachineState},
    ui::format,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::pages) enum Tone {
    /// Something a person did.
    Neutral,
    Good,
    /// A step of booting.
    Step,
    Bad,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::pages) struct Sentence {
    pub(in crate::pages) tone: Tone,
    pub(in crate::pages) text: String,
    /// A file name, a message: shown below in small print.
    pub(in crate::pages) detail: Option<String>,
}

pub(in crate::pages) fn sentence(event: &Event) -> Sentence {
    let by = event.username.as_deref().map(|user| format!(" by {user}")).unwrap_or_default();
    let plain = |tone, text: String| Sentence { tone, text, detail: None };
    let with = |tone, text: String, detail: String| Sentence { tone, text, detail: Some(detail).filter(|detail| !detail.is_empty()) };
    match &event.what {
        EventKind::ConsoleAccess {} => plain(Tone::Neutral, format!("Console opened{by}")),
        EventKind::PowerChange { power } => plain(Tone::Good, format!("{}{by}", power_sentence(power))),
        EventKind::BootDevice { device, efi, persistent } => plain(
            Tone::Good,
            format!(
                "Boot device set to {device} {}{}{by}",
                if *persistent { "for every boot" } else { "for the next boot" },
                if *efi { " (UEFI)" } else { "" },
            ),
        ),
        EventKind::BmcError { action, message } => with(Tone::Bad, format!("BMC error during {}{by}", words(action)), message.clone()),
        EventKind::PreseedAccess { client_ip, bytes } => {
            let size = if *bytes > 0 { format!(" ({})", format::bytes(*bytes as f64)) } else { String::new() };
            plain(Tone::Step, format!("Preseed rendered for {client_ip}{size}"))
        }
        EventKind::PreseedError { client_ip, message, lineno } => {
            let line = if *lineno > 0 { format!(", line {lineno}") } else { String::new() };
            with(Tone::Bad, format!("Preseed for {client_ip} could not be rendered{line}"), message.clone())
        }
        EventKind::PhoneHome { client_ip } => plain(Tone::Good, format!("{client_ip} reported that it is installed")),
        EventKind::StateChange { state, reason } => {
            let tone = if *state == MachineState::Error { Tone::Bad } else { Tone::Neutral };
            let because = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
            plain(tone, format!("State: {}{by}{because}", state.label()))
        }
        EventKind::DhcpReq { discover } => plain(Tone::Step, format!("{} seen", if *discover { "DHCPDISCOVER" } else { "DHCPREQUEST" })),
        EventKind::TftpReq { filename, client_ip, netboot, reason } => {
            let from = from(client_ip);
            let text = if *netboot {
                format!("Configuration fetched{from}: boot from the network")
            } else {
                let why = reason.as_deref().map(|reason| format!(" ({reason})")).unwrap_or_default();
                format!("Configuration fetched{from}: boot from disk{why}")
            };
            with(Tone::Step, text, filename.clone())
        }
        EventKind::FileFetched { role, path, protocol, client_ip, bytes, seconds } => {
            let size = *bytes as f64;
            let speed = format::rate(size, *seconds).map(|rate| format!(", {rate}")).unwrap_or_default();
            let how = protocol_word(*protocol);
            let text = format!(
                "{} fetched over {how}{}: {} in {}{speed}",
                role_word(*role),
                from(client_ip),
                format::bytes(size),
                format::seconds(*seconds)
            );
            with(Tone::Step, text, path.clone())
        }
        EventKind::FetchFailed { role, path, protocol, client_ip, bytes, message } => {
            let how = protocol_word(*protocol);
            let text = format!("{} not fetched{}: {how} ended after {}", role_word(*role), from(client_ip), format::bytes(*bytes as f64));
            with(Tone::Bad, text, if message.is_empty() { path.clone() } else { format!("{path}: {message}") })
        }
        EventKind::Console { status } => plain(Tone::Neutral, format!("{}{by}", console_sentence(status))),
        EventKind::SettingsChange { changed } => {
            let what: Vec<String> = changed.iter().map(|field| words(field)).collect();
            plain(Tone::Neutral, format!("Settings changed{by}: {}", what.join(", ")))
        }
    }
}

fn power_sentence(power: &str) -> String {
    match power {
        "on" => "Powered on".into(),
        "off" => "Powered off".into(),
        "reboot" => "Reset".into(),
        "pxe_reboot" => "Power cycled to boot from the network".into(),
        "disk_reboot" => "Power cycled to boot from the disk".into(),
        "bios_reboot" => "Power cycled into the firmware's set-up".into(),
        other => format!("Power: {}", words(other)),
    }
}

fn console_sentence(status: &str) -> String {
    match status {
        "closed" => "Console closed".into(),
        "keyboard taken" => "Keyboard of the console taken".into(),
        "taken over" => "Console taken over from another session".into(),
        other => format!("Console: {other}"),
    }
}

fn role_word(role: FileRole) -> &'static str {
    match role {
        FileRole::Loader => "Bootloader",
        FileRole::Kernel => "Kernel",
        FileRole::Initrd => "Initrd",
        FileRole::File => "File",
    }
}

fn protocol_word(protocol: BootProtocol) -> &'static str {
    match protocol {
        BootProtocol::Tftp => "TFTP",
        BootProtocol::Http => "HTTP",
    }
}

fn from(client_ip: &str) -> String {
    if client_ip.is_empty() { String::new() } else { format!(" by {client_ip}") }
}

/// `kernel_opts` → `kernel options`; an id's name without its `_id`.
fn words(identifier: &str) -> String {
    identifier.strip_suffix("_id").unwrap_or(identifier).replace("kernel_opts", "kernel options").replace(['_', '.'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Instant;

    fn said(what: EventKind) -> Sentence {
        sentence(&Event { id: 1, machine_id: 1, username: Some("alice".into()), date: Instant(String::new()), what })
    }

    #[test]
    fn a_transfer_tells_size_time_and_rate() {
        let event = said(EventKind::FileFetched {
            role: FileRole::Initrd,
            path: "alice/initrd.gz.0a1b2c3d".into(),
            protocol: BootProtocol::Tftp,
            client_ip: "10.0.0.7".into(),
            bytes: 61_400_000,
            seconds: 4.2,
        });
        assert_eq!(event.text, "Initrd fetched over TFTP by 10.0.0.7: 61.4 MB in 4.20 s, 14.6 MB/s");
        assert_eq!(event.detail.as_deref(), Some("alice/initrd.gz.0a1b2c3d"));
        assert_eq!(event.tone, Tone::Step);
    }

    #[test]
    fn a_command_names_who_gave_it() {
        let event = said(EventKind::BootDevice { device: "pxe".into(), efi: true, persistent: false });
        assert_eq!(event.text, "Boot device set to pxe for the next boot (UEFI) by alice");
        assert_eq!(said(EventKind::PowerChange { power: "pxe_reboot".into() }).text, "Power cycled to boot from the network by alice");
        assert_eq!(said(EventKind::Console { status: "keyboard taken".into() }).text, "Keyboard of the console taken by alice");
        assert_eq!(said(EventKind::PowerChange { power: "odd_word".into() }).text, "Power: odd word by alice");
    }

    #[test]
    fn faults_say_what_and_where() {
        let event = said(EventKind::BmcError { action: "pxe_reboot".into(), message: "no answer within 5 s".into() });
        assert_eq!((event.tone, event.text.as_str()), (Tone::Bad, "BMC error during pxe reboot by alice"));
        assert_eq!(event.detail.as_deref(), Some("no answer within 5 s"));
        let event = said(EventKind::PreseedError { client_ip: "10.0.0.7".into(), message: "undefined: x".into(), lineno: 0 });
        assert_eq!(event.text, "Preseed for 10.0.0.7 could not be rendered");
        let event = said(EventKind::PreseedError { client_ip: "10.0.0.7".into(), message: "syntax".into(), lineno: 3 });
        assert_eq!(event.text, "Preseed for 10.0.0.7 could not be rendered, line 3");
    }

    #[test]
    fn what_looks_like_a_failure_is_counted_as_one() {
        let kinds = [
            EventKind::BmcError { action: "on".into(), message: String::new() },
            EventKind::PreseedError { client_ip: String::new(), message: String::new(), lineno: 0 },
            EventKind::FetchFailed {
                role: FileRole::Kernel,
                path: String::new(),
                protocol: BootProtocol::Tftp,
                client_ip: String::new(),
                bytes: 0,
                message: String::new(),
            },
            EventKind::StateChange { state: MachineState::Error, reason: String::new() },
            EventKind::StateChange { state: MachineState::Ready, reason: String::new() },
            EventKind::PhoneHome { client_ip: String::new() },
        ];
        let failed = |what: &EventKind| (what.is_failure(), EventKind::FAILURES.contains(&what.name()));
        let told: Vec<_> = kinds.iter().map(|what| (said(what.clone()).tone == Tone::Bad, failed(what))).collect();
        let bad = (true, (true, true));
        assert_eq!(told, [bad, bad, bad, bad, (false, (false, true)), (false, (false, false))]);
    }

    #[test]
    fn a_local_boot_gives_its_reason() {
        let config = |netboot, reason: Option<&str>| EventKind::TftpReq {
            filename: "grub/grub.cfg".into(),
            client_ip: "10.0.0.7".into(),
            netboot,
            reason: reason.map(str::to_owned),
        };
        assert_eq!(said(config(true, None)).text, "Configuration fetched by 10.0.0.7: boot from the network");
        assert_eq!(said(config(false, Some("netboot is off"))).text, "Configuration fetched by 10.0.0.7: boot from disk (netboot is off)");
    }

    #[test]
    fn a_state_has_its_badges_word() {
        let state = |state, reason: &str| said(EventKind::StateChange { state, reason: reason.into() }).text;
        assert_eq!(state(MachineState::Error, "api"), "State: Failed by alice (api)");
        assert_eq!(state(MachineState::Unknown, ""), "State: No state by alice");
    }

    #[test]
    fn changed_settings_are_named_in_words() {
        assert_eq!(
            said(EventKind::SettingsChange { changed: vec!["kernel_id".into(), "kernel_opts".into()] }).text,
            "Settings changed by alice: kernel, kernel options"
        );
    }
}
