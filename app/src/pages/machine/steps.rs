//! How far the last provisioning came, step by step, and how it is ended when the machine itself says nothing.

use leptos::{prelude::*, task::spawn_local};

use super::{Context, EVENTS};
use crate::{
    api::{Event, EventKind, FileRole, Instant, MachineChange, MachineState, Outcome},
    ui::{Confirm, Curl, Glyph, Icon, Submit, SwitchField, Time, Toasts, format},
};

/// In the order in which they are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
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
    fn label(self) -> &'static str {
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
enum Status {
    Done,
    Failed,
    /// The next one to come.
    Awaited,
    Ahead,
    /// It went on, or ended, without it.
    Passed,
}

impl Status {
    fn word(self) -> &'static str {
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
struct Step {
    stage: Stage,
    status: Status,
    at: Option<Instant>,
    /// Who, how much and how fast, or why not.
    note: String,
}

/// One provisioning.
#[derive(Clone, Debug, PartialEq)]
struct Run {
    begun: Instant,
    /// What the machine is since it ended; none while it runs.
    ended: Option<MachineState>,
    steps: Vec<Step>,
}

/// What the machine is to fetch besides a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Expected {
    initrd: bool,
    preseed: bool,
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
fn run(events: &[Event], expected: Expected) -> Option<Run> {
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
    let phoned = attempt.iter().rev().find_map(|event| match &event.what {
        EventKind::PhoneHome { client_ip } => Some(client_ip.clone()),
        _ => None,
    });
    stages.push(Stage::Installed);
    found.push(end.and_then(|event| {
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
    Some(Run { begun: asked.date.clone(), ended: end.and_then(state_of), steps: steps.collect() })
}

impl Run {
    fn failed(&self) -> Option<&Step> {
        self.steps.iter().find(|step| step.status == Status::Failed)
    }

    /// What became of it, in a few words.
    fn words(&self) -> String {
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

/// Events looked through for the beginning, where it is not among those that the page shows at first.
const DEEPER: u32 = 500;

#[component]
pub(super) fn Steps(context: Context, state: Signal<MachineState>) -> impl IntoView {
    let older = RwSignal::new(Vec::<Event>::new());
    let last = Memo::new(move |_| {
        let expected =
            context.machine.with(|machine| Expected { initrd: machine.initrd_id.is_some(), preseed: machine.preseed_id.is_some() });
        context.events.with(|events| {
            run(events, expected).or_else(|| {
                let oldest = events.last().map_or(i64::MAX, |event| event.id);
                let all =
                    older.with(|older| events.iter().chain(older.iter().filter(|event| event.id < oldest)).cloned().collect::<Vec<_>>());
                run(&all, expected)
            })
        })
    });
    Effect::new(move |_| {
        let (count, oldest) = context.events.with_untracked(|events| (events.len(), events.last().map(|event| event.id)));
        let ever = state.get_untracked() != MachineState::Unknown;
        if !ever || last.with_untracked(Option::is_some) || count < EVENTS as usize {
            return;
        }
        let api = context.api.get_value();
        spawn_local(async move {
            // what is not found is not shown; the events below have it
            if let Ok(events) = api.events(context.id, oldest, DEEPER).await {
                older.try_set(events);
            }
        });
    });
    let running = Memo::new(move |_| state.get() == MachineState::Provisioning);
    // once open, it is folded by the user only
    let open = Memo::new(move |before: Option<&bool>| {
        before == Some(&true) || running.get() || last.with(|last| last.as_ref().is_some_and(|run| run.failed().is_some()))
    });
    let begun = Memo::new(move |_| last.with(|last| last.as_ref().map(|run| run.begun.clone())));
    let words = move || last.with(|last| last.as_ref().map_or_else(|| "began before the events that are kept".to_owned(), Run::words));
    let steps = move || last.with(|last| last.as_ref().map(|run| run.steps.clone()).unwrap_or_default());
    let asked = Asked::new();
    let ends = move || running.get() && context.machine.with(|machine| machine.may_change);
    view! {
        <Show when=move || running.get() || last.with(Option::is_some)>
            <section class="rounded-box border-base-300 bg-base-100 mt-3 border px-4 py-2" aria-label="Steps of the provisioning" data-testid="steps">
                <div class="flex flex-wrap items-start justify-between gap-x-4 gap-y-2">
                    <details class="min-w-0 flex-1 basis-72" open=move || open.get()>
                        <summary class="cursor-pointer text-sm font-medium">
                            "Provisioning" {move || begun.get().map(|at| view! { " of " <Time at/> })} ": "
                            <span data-testid="steps-words">{words}</span>
                        </summary>
                        <ol class="mt-2 flex flex-wrap gap-x-5 gap-y-2 text-sm">
                            <For each=steps key=|step| format!("{step:?}") let:step>
                                <Shown step/>
                            </For>
                        </ol>
                    </details>
                    <Show when=ends>
                        <div class="flex flex-wrap gap-2">
                            {[(Outcome::Ready, "mark-ready"), (Outcome::Error, "mark-failed")]
                                .into_iter()
                                .map(|(outcome, testid)| {
                                    view! {
                                        <button type="button" class="btn btn-sm" data-testid=testid on:click=move |_| asked.ask(outcome)>
                                            {question(outcome).0}
                                        </button>
                                    }
                                })
                                .collect_view()}
                        </div>
                    </Show>
                </div>
            </section>
        </Show>
        // outside of what goes with the state: the news of its success may come before the answer
        <Ending context asked/>
    }
}

#[component]
fn Shown(step: Step) -> impl IntoView {
    let Step { stage, status, at, note } = step;
    let label = match (stage, status) {
        (Stage::Installed, Status::Done) => "Ready",
        (Stage::Installed, Status::Failed) => "Failed",
        _ => stage.label(),
    };
    let mark = match status {
        Status::Done => view! { <Glyph icon=Icon::Check class="size-4 text-success"/> }.into_any(),
        Status::Failed => view! { <Glyph icon=Icon::Warning class="size-4 text-error"/> }.into_any(),
        Status::Awaited => view! { <span class="loading loading-spinner loading-xs" aria-hidden="true"></span> }.into_any(),
        Status::Ahead | Status::Passed => {
            view! { <span class="bg-base-content/40 mx-1 size-2 rounded-full" aria-hidden="true"></span> }.into_any()
        }
    };
    let failed = status == Status::Failed;
    view! {
        <li class="max-w-full min-w-0" data-step=stage.label() data-status=status.word()>
            <span class=if failed { "text-error flex items-center gap-1 font-medium" } else { "flex items-center gap-1" }>
                {mark} {label} <span class="sr-only">{format!(", {}", status.word())}</span>
            </span>
            <span class="block text-xs wrap-anywhere opacity-80">
                {at.map(|at| view! { <Time at clock=true class="font-mono"/> " " })}
                {note}
            </span>
        </li>
    }
}

/// What is asked before somebody says how it ended.
fn question(outcome: Outcome) -> (&'static str, &'static str, &'static str) {
    match outcome {
        Outcome::Ready => (
            "Mark ready",
            "The machine has not reported that it is installed: its preseed may not phone home. Is it ready all the same?",
            "Marked ready.",
        ),
        Outcome::Error | Outcome::Unknown => (
            "Mark failed",
            "The provisioning is given up. The machine goes on with what it is doing: this does not touch its power.",
            "Marked failed.",
        ),
    }
}

/// What is to be said of a machine that never says itself that it is installed.
#[derive(Clone, Copy)]
struct Asked {
    open: RwSignal<bool>,
    outcome: RwSignal<Outcome>,
    netboot_off: RwSignal<bool>,
}

impl Asked {
    fn new() -> Self {
        Self { open: RwSignal::new(false), outcome: RwSignal::new(Outcome::Ready), netboot_off: RwSignal::new(true) }
    }

    fn ask(self, outcome: Outcome) {
        self.outcome.set(outcome);
        // an installed machine would be installed once more; one that failed is perhaps to try again
        self.netboot_off.set(outcome == Outcome::Ready);
        self.open.set(true);
    }
}

#[component]
fn Ending(context: Context, asked: Asked) -> impl IntoView {
    let toasts = expect_context::<Toasts>();
    let Asked { open, outcome: chosen, netboot_off } = asked;
    let submit = Submit::new();
    let netboot = move || context.machine.with(|machine| machine.netboot_enabled);
    let mark = move |()| {
        let api = context.api.get_value();
        let outcome = chosen.get_untracked();
        let off = untrack(netboot) && netboot_off.get_untracked();
        submit.run(
            async move {
                if off {
                    let change = MachineChange { netboot_enabled: Some(false), ..MachineChange::default() };
                    api.change_machine(context.id, &change).await?;
                }
                api.set_outcome(context.id, outcome).await
            },
            move |_| {
                open.set(false);
                context.reload();
                toasts.ok(question(outcome).2);
            },
        );
    };
    let curl = Callback::new(move |()| {
        let outcome = chosen.get_untracked();
        Curl::of(question(outcome).0, async |api| api.set_outcome(context.id, outcome).await)
    });
    let more = move || {
        view! {
            <Show when=netboot>
                <SwitchField
                    id="mark-netboot"
                    label="Switch netboot off"
                    checked=netboot_off
                    help="While it is on, the machine is installed again whenever it boots from the network."
                />
            </Show>
        }
    };
    view! {
        <Confirm
            open
            title=Signal::derive(move || question(chosen.get()).0.to_owned())
            text=Signal::derive(move || question(chosen.get()).1.to_owned())
            verb="Mark"
            submit
            action=mark
            more
            curl
        />
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
    fn only_the_last_one_is_told() {
        assert_eq!(run(&story(vec![power("on")]), ALL), None);
        let mut kinds = begun();
        kinds.extend([fetched(FileRole::Kernel), state(MachineState::Error, "api")]);
        kinds.extend(begun());
        assert_eq!(status(&run(&story(kinds), ALL).unwrap(), Stage::Loader), Some(Status::Awaited));
    }
}
