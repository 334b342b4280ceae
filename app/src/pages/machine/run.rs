//! How far a provisioning came, as its machine's events tell.

use crate::{
    api::{Event, EventKind, FileRole, Instant, MachineState},
    ui::format,
};

/// In the order in which they are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Asked,
    BootDevice,
    Reset,
    Loader,
    Configuration,
    Kernel,
    Initrd,
    Preseed,
    Installed,
}

impl Stage {
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Asked => "Asked for",
            Self::BootDevice => "PXE set",
            Self::Reset => "Reset",
            Self::Loader => "Bootloader",
            Self::Configuration => "Configuration",
            Self::Kernel => "Kernel",
            Self::Initrd => "Initrd",
            Self::Preseed => "Preseed",
            Self::Installed => "Phone home",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Done,
    Failed,
    /// The next one to come.
    Awaited,
    Ahead,
    /// It went on, or ended, without it.
    Passed,
}

impl Status {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Awaited => "waited for",
            Self::Ahead => "to come",
            Self::Passed => "not seen",
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Step {
    pub(super) stage: Stage,
    pub(super) status: Status,
    pub(super) at: Option<Instant>,
    /// Who, how much and how fast, or why not.
    pub(super) note: String,
}

/// One provisioning.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Run {
    pub(super) begun: Instant,
    /// What the machine is since it ended; none while it runs.
    ended: Option<MachineState>,
    pub(super) steps: Vec<Step>,
}

/// What the machine is to fetch besides a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Expected {
    pub(super) initrd: bool,
    pub(super) preseed: bool,
}

/// What an event says of a stage: whether it was taken, and how, or why not.
type Said = Option<Result<String, String>>;

fn said(stage: Stage, event: &Event) -> Said {
    let of_role = |role: FileRole| {
        matches!((role, stage), (FileRole::Loader, Stage::Loader) | (FileRole::Kernel, Stage::Kernel) | (FileRole::Initrd, Stage::Initrd))
    };
    match (&event.what, stage) {
        (EventKind::TftpReq { netboot: true, .. }, Stage::Configuration) => Some(Ok(String::new())),
        (EventKind::TftpReq { netboot: false, reason, .. }, Stage::Configuration) => {
            Some(Err(format!("told to boot from disk: {}", reason.as_deref().unwrap_or("netboot is off"))))
        }
        (EventKind::FileFetched { role, bytes, seconds, .. }, _) if of_role(*role) => {
            Some(Ok(format!("{} in {}", format::bytes(*bytes as f64), format::seconds(*seconds))))
        }
        (EventKind::FetchFailed { role, bytes, message, .. }, _) if of_role(*role) => {
            let because = if message.is_empty() { String::new() } else { format!(": {message}") };
            Some(Err(format!("ended after {}{because}", format::bytes(*bytes as f64))))
        }
        (EventKind::PreseedAccess { bytes, .. }, Stage::Preseed) => {
            Some(Ok(if *bytes > 0 { format::bytes(*bytes as f64) } else { String::new() }))
        }
        (EventKind::PreseedError { message, lineno, .. }, Stage::Preseed) => {
            Some(Err(if *lineno > 0 { format!("line {lineno}: {message}") } else { message.clone() }))
        }
        (EventKind::BmcError { message, .. }, Stage::Reset) => Some(Err(message.clone())),
        _ => None,
    }
}

/// Taken at the first event that says so; failed at the last that says why not.
fn taken(stage: Stage, events: &[&Event]) -> Option<Step> {
    let step = |status, event: &Event, note| Step { stage, status, at: Some(event.date.clone()), note };
    let mut failed = None;
    for event in events {
        match said(stage, event) {
            Some(Ok(note)) => return Some(step(Status::Done, event, note)),
            Some(Err(why)) => failed = Some(step(Status::Failed, event, why)),
            None => {}
        }
    }
    failed
}

fn by(event: &Event) -> String {
    event.username.as_deref().map(|user| format!("by {user}")).unwrap_or_default()
}

/// The last provisioning among these events, the newest of which is first. None: it is not among them.
pub(super) fn run(events: &[Event], expected: Expected) -> Option<Run> {
    let state_of = |event: &Event| match event.what {
        EventKind::StateChange { state, .. } => Some(state),
        _ => None,
    };
    let begin = events.iter().position(|event| state_of(event) == Some(MachineState::Provisioning))?;
    let asked = &events[begin];
    let plain = |stage, event: &Event, note| Step { stage, status: Status::Done, at: Some(event.date.clone()), note };
    let mut found = vec![Some(plain(Stage::Asked, asked, by(asked)))];
    // the BMC is asked for it before anything is stored, so that one that is silent leaves the machine as it was
    let before = events[begin + 1..].iter().take_while(|event| state_of(event).is_none());
    let device = before.filter(|event| matches!(&event.what, EventKind::BootDevice { device, .. } if device == "pxe")).take(1);
    found.extend(device.map(|event| Some(plain(Stage::BootDevice, event, String::new()))));

    let since: Vec<&Event> = events[..begin].iter().rev().collect();
    let end = since.iter().position(|event| state_of(event).is_some());
    let (within, end) = match end {
        Some(at) => (&since[..at], Some(since[at])),
        None => (&since[..], None),
    };
    let starts = |event: &&Event| matches!(&event.what, EventKind::PowerChange { power } if power != "off");
    let first = within.iter().position(starts);
    let last = within.iter().rposition(starts);
    // Who resets it once more begins anew. The first reset is told after it was done, perhaps after what the machine did at once.
    let attempt = match last {
        Some(last) if Some(last) != first => &within[last + 1..],
        _ => within,
    };
    found.push(last.map(|last| plain(Stage::Reset, within[last], String::new())).or_else(|| taken(Stage::Reset, within)));
    let mut stages = vec![Stage::Reset];
    for stage in [Stage::Loader, Stage::Configuration, Stage::Kernel, Stage::Initrd, Stage::Preseed] {
        let step = taken(stage, attempt);
        let wanted = match stage {
            Stage::Initrd => expected.initrd,
            Stage::Preseed => expected.preseed,
            _ => true,
        };
        if wanted || step.is_some() {
            stages.push(stage);
            found.push(step);
        }
    }
    // how it ended was perhaps said again, otherwise: the last word holds, as on the badge
    let (newest, until) = match since.iter().rposition(|event| state_of(event).is_some()) {
        Some(at) => (Some(since[at]), at),
        None => (None, since.len()),
    };
    let phoned = since[..until].iter().rev().find_map(|event| match &event.what {
        EventKind::PhoneHome { client_ip } => Some(client_ip.clone()),
        _ => None,
    });
    stages.push(Stage::Installed);
    found.push(newest.and_then(|event| {
        let EventKind::StateChange { state, reason } = &event.what else { return None };
        let note = match (reason.as_str(), phoned) {
            ("phone_home", Some(client)) if !client.is_empty() => format!("by {client}"),
            ("phone_home", _) => String::new(),
            _ => format!("marked {}", by(event)),
        };
        match state {
            // the state before, back again because the reset failed
            _ if reason == "the power cycle failed" => None,
            MachineState::Ready => Some(plain(Stage::Installed, event, note)),
            MachineState::Error => Some(Step { status: Status::Failed, ..plain(Stage::Installed, event, note) }),
            MachineState::Unknown | MachineState::Provisioning => None,
        }
    }));

    let reached = found.iter().rposition(Option::is_some).unwrap_or_default();
    let stuck = found[reached].as_ref().is_some_and(|step| step.status == Status::Failed);
    let known = found.len() - stages.len();
    let missing = |at: usize| match at {
        at if at < reached || end.is_some() => Status::Passed,
        at if at == reached + 1 && !stuck => Status::Awaited,
        _ => Status::Ahead,
    };
    let steps = found
        .into_iter()
        .enumerate()
        .map(|(at, step)| step.unwrap_or_else(|| Step { stage: stages[at - known], status: missing(at), at: None, note: String::new() }));
    Some(Run { begun: asked.date.clone(), ended: newest.and_then(state_of), steps: steps.collect() })
}

impl Run {
    pub(super) fn failed(&self) -> Option<&Step> {
        self.steps.iter().find(|step| step.status == Status::Failed)
    }

    /// What became of it, in a few words.
    pub(super) fn words(&self) -> String {
        let awaited = self.steps.iter().find(|step| step.status == Status::Awaited).map(|step| step.stage);
        let installed = self.steps.last().is_some_and(|step| step.status == Status::Done);
        match (self.ended, self.failed(), awaited) {
            _ if installed => "ready".into(),
            (_, Some(_), None) => "failed".into(),
            (Some(state), ..) => format!("ended, state: {}", state.label()),
            (None, _, Some(Stage::Installed)) => "waiting for the installed system to phone home".into(),
            (None, _, Some(stage)) => format!("waiting for: {}", stage.label()),
            (None, None, None) => "running".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::BootProtocol;

    const ALL: Expected = Expected { initrd: true, preseed: true };

    /// Oldest first, as it happens; given back newest first, as the page has them.
    fn story(kinds: Vec<EventKind>) -> Vec<Event> {
        let event = |(at, what): (usize, EventKind)| Event {
            id: i64::try_from(at).unwrap() + 1,
            machine_id: 1,
            username: matches!(what, EventKind::StateChange { .. }).then(|| "alice".to_owned()),
            date: Instant(format!("2026-11-22T11:00:{at:02}.000000Z")),
            what,
        };
        let mut events: Vec<Event> = kinds.into_iter().enumerate().map(event).collect();
        events.reverse();
        events
    }

    fn state(state: MachineState, reason: &str) -> EventKind {
        EventKind::StateChange { state, reason: reason.into() }
    }

    fn pxe() -> EventKind {
        EventKind::BootDevice { device: "pxe".into(), efi: true, persistent: false }
    }

    fn power(power: &str) -> EventKind {
        EventKind::PowerChange { power: power.into() }
    }

    fn fetched(role: FileRole) -> EventKind {
        EventKind::FileFetched {
            role,
            path: String::new(),
            protocol: BootProtocol::Tftp,
            client_ip: "10.0.0.7".into(),
            bytes: 3_000_000,
            seconds: 1.5,
        }
    }

    fn not_fetched(role: FileRole) -> EventKind {
        EventKind::FetchFailed {
            role,
            path: String::new(),
            protocol: BootProtocol::Tftp,
            client_ip: "10.0.0.7".into(),
            bytes: 5_000,
            message: "the client gave up".into(),
        }
    }

    fn configuration(netboot: bool) -> EventKind {
        EventKind::TftpReq { filename: "grub.cfg".into(), client_ip: String::new(), netboot, reason: None }
    }

    fn preseed() -> EventKind {
        EventKind::PreseedAccess { client_ip: "10.0.0.7".into(), bytes: 900 }
    }

    fn begun() -> Vec<EventKind> {
        vec![pxe(), state(MachineState::Provisioning, "provision"), power("pxe_reboot")]
    }

    fn told(run: &Run) -> Vec<(&'static str, &'static str)> {
        run.steps.iter().map(|step| (step.stage.label(), step.status.word())).collect()
    }

    fn status(run: &Run, stage: Stage) -> Option<Status> {
        run.steps.iter().find(|step| step.stage == stage).map(|step| step.status)
    }

    #[test]
    fn one_that_runs_says_what_it_waits_for() {
        let mut kinds = begun();
        kinds.extend([fetched(FileRole::Loader), configuration(true), fetched(FileRole::Kernel)]);
        let run = run(&story(kinds), ALL).unwrap();
        assert_eq!(
            told(&run),
            [
                ("Asked for", "done"),
                ("PXE set", "done"),
                ("Reset", "done"),
                ("Bootloader", "done"),
                ("Configuration", "done"),
                ("Kernel", "done"),
                ("Initrd", "waited for"),
                ("Preseed", "to come"),
                ("Phone home", "to come"),
            ]
        );
        assert_eq!((run.steps[0].note.as_str(), run.steps[5].note.as_str()), ("by alice", "3.0 MB in 1.50 s"));
        assert_eq!(run.words(), "waiting for: Initrd");
    }

    #[test]
    fn one_that_ended_is_told_without_what_came_later() {
        let mut kinds = begun();
        // told in any order, as the transfers end
        kinds.extend([fetched(FileRole::Loader), configuration(true), fetched(FileRole::Initrd), fetched(FileRole::Kernel), preseed()]);
        kinds.extend([EventKind::PhoneHome { client_ip: "10.0.0.7".into() }, state(MachineState::Ready, "phone_home")]);
        kinds.extend([power("reboot"), configuration(false), not_fetched(FileRole::Kernel)]);
        let run = run(&story(kinds), ALL).unwrap();
        assert!(run.steps.iter().all(|step| step.status == Status::Done), "{run:?}");
        assert_eq!((run.words().as_str(), run.steps[8].note.as_str()), ("ready", "by 10.0.0.7"));
    }

    #[test]
    fn what_failed_says_why_until_it_works() {
        let mut kinds = begun();
        kinds.extend([fetched(FileRole::Loader), configuration(true), not_fetched(FileRole::Kernel)]);
        let failed = run(&story(kinds.clone()), ALL).unwrap();
        let step = failed.failed().unwrap();
        assert_eq!((step.stage, step.note.as_str()), (Stage::Kernel, "ended after 5.0 kB: the client gave up"));
        assert_eq!((failed.words().as_str(), status(&failed, Stage::Initrd)), ("failed", Some(Status::Ahead)));
        kinds.push(fetched(FileRole::Kernel));
        assert_eq!(status(&run(&story(kinds), ALL).unwrap(), Stage::Kernel), Some(Status::Done));
    }

    #[test]
    fn a_reset_that_fails_ends_it() {
        let bmc = EventKind::BmcError { action: "power cycle".into(), message: "no answer within 5 s".into() };
        let kinds = vec![pxe(), state(MachineState::Provisioning, "provision"), bmc, state(MachineState::Ready, "the power cycle failed")];
        let run = run(&story(kinds), ALL).unwrap();
        assert_eq!(run.failed().map(|step| (step.stage, step.note.as_str())), Some((Stage::Reset, "no answer within 5 s")));
        assert_eq!((status(&run, Stage::Installed), run.words().as_str()), (Some(Status::Passed), "failed"));
    }

    #[test]
    fn another_reset_begins_anew() {
        let mut kinds = begun();
        kinds.extend([fetched(FileRole::Loader), configuration(true), fetched(FileRole::Kernel), power("off"), power("on")]);
        kinds.push(fetched(FileRole::Loader));
        let run = run(&story(kinds), ALL).unwrap();
        assert_eq!(status(&run, Stage::Configuration), Some(Status::Awaited));
        assert_eq!(status(&run, Stage::Kernel), Some(Status::Ahead));
    }

    #[test]
    fn a_machine_without_initrd_and_preseed_waits_for_neither() {
        let mut kinds = begun();
        // the loader came from elsewhere
        kinds.extend([configuration(true), fetched(FileRole::Kernel)]);
        let run = run(&story(kinds), Expected { initrd: false, preseed: false }).unwrap();
        assert_eq!((status(&run, Stage::Initrd), status(&run, Stage::Preseed)), (None, None));
        assert_eq!((status(&run, Stage::Loader), status(&run, Stage::Installed)), (Some(Status::Passed), Some(Status::Awaited)));
        assert_eq!(run.words(), "waiting for the installed system to phone home");
    }

    #[test]
    fn somebody_says_how_it_ended() {
        let mut kinds = begun();
        kinds.push(state(MachineState::Error, "api"));
        let run = run(&story(kinds), ALL).unwrap();
        let end = run.steps.last().unwrap();
        assert_eq!((end.status, end.note.as_str(), run.words().as_str()), (Status::Failed, "marked by alice", "failed"));
        assert_eq!(status(&run, Stage::Kernel), Some(Status::Passed));
    }

    #[test]
    fn the_last_word_on_how_it_ended_holds() {
        let mut kinds = begun();
        kinds.extend([fetched(FileRole::Kernel), EventKind::PhoneHome { client_ip: "10.0.0.7".into() }]);
        kinds.extend([state(MachineState::Ready, "phone_home"), power("reboot"), state(MachineState::Error, "api")]);
        let failed = run(&story(kinds.clone()), ALL).unwrap();
        let end = failed.steps.last().unwrap();
        assert_eq!((end.status, end.note.as_str(), failed.words().as_str()), (Status::Failed, "marked by alice", "failed"));
        assert_eq!(status(&failed, Stage::Kernel), Some(Status::Done));
        kinds.push(state(MachineState::Ready, "api"));
        assert_eq!(run(&story(kinds.clone()), ALL).unwrap().words(), "ready");
        kinds.push(state(MachineState::Unknown, "api"));
        assert_eq!(run(&story(kinds), ALL).unwrap().words(), "ended, state: No state");
    }

    #[test]
    fn only_the_last_one_is_told() {
        assert_eq!(run(&story(vec![power("on")]), ALL), None);
        let mut kinds = begun();
        kinds.extend([fetched(FileRole::Kernel), state(MachineState::Error, "api")]);
        kinds.extend(begun());
        assert_eq!(status(&run(&story(kinds), ALL).unwrap(), Stage::Loader), Some(Status::Awaited));
    }
}
