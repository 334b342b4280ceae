//! What is done with all the ticked machines at once.

use std::{future::Future, pin::Pin};

use leptos::{
    prelude::*,
    task::spawn_local,
    wasm_split::{SplitLoaderError, wasm_split},
};

use super::{
    bulk_forms::{AssignForm, Question, ReleaseForm, TagForm},
    failures::{Failures, FailuresDialog, by_reason},
    listing::Listing,
    selection::{Selection, TickedMachines},
    view::grouped,
};
use crate::{
    api::{Api, ApiError, BULK_MOST, BulkOutcome, Id, Me, PowerAction},
    pages::{
        parts::later,
        power::{POWER_MENU, command, icon},
    },
    ui::{Dialog, Glyph, Icon, Loading, Notice, Submit, Toasts, dom, format::counted},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Power(PowerAction),
    Provision,
    Assign,
    Release,
    Tag,
}

impl Action {
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Power(action) => command(action).0,
            Self::Provision => "Provision",
            Self::Assign => "Assign",
            Self::Release => "Release",
            Self::Tag => "Tags",
        }
    }

    /// What it means for those who work on the machines.
    pub(super) fn consequence(self) -> &'static str {
        match self {
            Self::Power(PowerAction::On) => "The machines that are off are switched on.",
            Self::Power(PowerAction::Off) => "The machines are switched off at once, without asking their operating systems.",
            Self::Power(PowerAction::PxeReboot) => {
                "The machines are reset at once, without asking their operating systems, and boot from the network once; those that are off are switched on."
            }
            Self::Power(_) => "The machines are reset at once, without asking their operating systems.",
            Self::Provision => {
                "Each is reset and boots from the network with its own settings: what is on their disks may be overwritten. Netboot is switched on."
            }
            Self::Assign => "They all get the user, beside those who have them already.",
            Self::Release => "The user can then no longer change them or open their consoles.",
            Self::Tag => "Tags that are neither added nor removed stay.",
        }
    }
}

/// What the bar and its dialogs share.
#[derive(Clone, Copy)]
pub(super) struct Bulk {
    pub(super) selection: Selection,
    pub(super) me: StoredValue<Me>,
    pub(super) api: StoredValue<Api>,
    pub(super) submit: Submit,
    pub(super) open: RwSignal<bool>,
    action: RwSignal<Option<Action>>,
    /// How many of them it is about, when not all.
    pub(super) part: RwSignal<Option<usize>>,
    /// What has changed of them is being asked for.
    renewing: RwSignal<bool>,
    /// Why it did not come.
    doubt: RwSignal<Option<String>>,
    failures: Failures,
    toasts: Toasts,
    listing: Listing,
}

impl Bulk {
    pub(super) fn new(listing: Listing, selection: Selection, me: Me) -> Self {
        let toasts = expect_context();
        Self {
            selection,
            me: StoredValue::new(me),
            api: StoredValue::new(expect_context()),
            submit: Submit::new(),
            open: RwSignal::new(false),
            action: RwSignal::new(None),
            part: RwSignal::new(None),
            renewing: RwSignal::new(false),
            doubt: RwSignal::new(None),
            failures: Failures::new(toasts),
            toasts,
            listing,
        }
    }

    fn press(self, action: Action) {
        self.renew();
        self.submit.renew();
        self.part.set(None);
        self.action.set(Some(action));
        self.open.set(true);
    }

    /// What was ticked a while ago may belong to somebody else now.
    fn renew(self) {
        if self.renewing.get_untracked() {
            return;
        }
        let mut outdated = self.selection.refresh(self.listing);
        self.doubt.set(None);
        self.renewing.set(!outdated.is_empty());
        if outdated.is_empty() {
            return;
        }
        spawn_local(async move {
            // more may change meanwhile
            while !outdated.is_empty() {
                if let Err(error) = self.selection.renew(self.listing, outdated).await {
                    self.doubt.try_set(Some(format!("What is said of the machines here may be old: {}", error.text())));
                    break;
                }
                outdated = self.selection.refresh(self.listing);
            }
            self.renewing.try_set(false);
        });
    }

    pub(super) fn ids(self) -> Vec<Id> {
        self.selection.ticked.with_untracked(|ticked| ticked.keys().map(|id| Id(*id)).collect())
    }

    /// Makes the call and tells how it went. `undo`: the way back for those that succeeded, if there is one.
    pub(super) fn run(
        self,
        action: Action,
        call: impl Future<Output = Result<Vec<BulkOutcome>, ApiError>> + 'static,
        undo: impl FnOnce(&[&BulkOutcome], &TickedMachines) -> Option<Undo> + 'static,
    ) {
        let ticked = self.selection.ticked.get_untracked();
        let done = move |outcomes: Vec<BulkOutcome>| {
            self.open.set(false);
            let failures = by_reason(&outcomes, &ticked);
            let failed = failures.iter().map(|(_, names)| names.len()).sum();
            let succeeded: Vec<&BulkOutcome> = outcomes.iter().filter(|outcome| outcome.error.is_none()).collect();
            let undo = Some(succeeded).filter(|succeeded| !succeeded.is_empty()).and_then(|succeeded| undo(&succeeded, &ticked));
            match (failed, summary(action, outcomes.len(), failed), undo) {
                (0, text, None) => self.toasts.ok(text),
                (0, text, Some(undo)) => self.toasts.undoable(text, undo, |()| ()),
                (_, text, undo) => self.failures.show(text, failures, undo.map(|undo| self.toasts.way_back(undo, |()| ()))),
            }
        };
        self.submit.run_judged(call, |_| None, |outcomes| partly(outcomes), done);
    }

    /// Ticks what the search finds on other pages, too.
    fn select_all(self) {
        spawn_local(async move {
            match self.listing.all().await {
                Ok(machines) => {
                    self.selection.add(&machines);
                    // its own button goes
                    dom::focus_within("[data-testid=bulk-clear]");
                }
                Err(error) => self.toasts.error(error.text()),
            }
        });
    }
}

/// Makes many machines as they were before.
pub(super) type Undo = Box<dyn Fn() -> Pin<Box<dyn Future<Output = Result<(), ApiError>>>> + Send + Sync>;

/// As many calls as it takes for all the machines, one after the other. When one is refused as a whole, that is the outcome of its machines;
/// when the first is, the answer to all.
pub(super) async fn in_portions(
    machines: Vec<Id>,
    call: impl AsyncFn(Vec<Id>) -> Result<Vec<BulkOutcome>, ApiError>,
) -> Result<Vec<BulkOutcome>, ApiError> {
    let mut outcomes = Vec::new();
    for portion in machines.chunks(BULK_MOST) {
        match call(portion.to_vec()).await {
            Ok(more) => outcomes.extend(more),
            Err(error) if outcomes.is_empty() => return Err(error),
            Err(error) => outcomes.extend(portion.iter().map(|id| refused(id.0, &error))),
        }
    }
    Ok(outcomes)
}

fn refused(machine: i64, error: &ApiError) -> BulkOutcome {
    BulkOutcome { machine, status: error.status, power: None, assignee: None, state: None, tags: None, error: Some(error.clone()) }
}

/// What is said of the answer where the machines are not at hand any more.
fn partly(outcomes: &[BulkOutcome]) -> Option<&'static str> {
    (!by_reason(outcomes, &TickedMachines::default()).is_empty()).then_some("Some of the machines failed: their pages tell why.")
}

fn summary(action: Action, all: usize, failed: usize) -> String {
    let machines = counted(all, "machine", "machines");
    let label = action.label();
    match failed {
        0 => format!("{label}: done with {machines}."),
        failed => format!("{label}: {failed} of {machines} failed."),
    }
}

/// Stands at the bottom of the window while something is ticked.
#[component]
pub(super) fn BulkBar(bulk: Bulk) -> impl IntoView {
    let selection = bulk.selection;
    let admin = bulk.me.with_value(|me| me.admin);
    let elsewhere = move || {
        let shown = bulk.listing.rows.with(|rows| rows.iter().filter(|row| selection.has(row.id)).count());
        selection.count() - shown
    };
    let any = Memo::new(move |_| selection.count() > 0);
    Effect::new(move |_| {
        if any.get() {
            dom::high_foot(true);
            on_cleanup(|| dom::high_foot(false));
        }
    });
    // the whole page is ticked, and there are others
    let more = move || {
        let (shown, total) = (bulk.listing.rows.with(Vec::len), bulk.listing.total.get());
        shown < total && selection.count() < total && bulk.listing.rows.with(|rows| rows.iter().all(|row| selection.has(row.id)))
    };
    let busy = bulk.submit.busy();
    let button = move |action: Action, glyph: Icon| {
        view! {
            <button
                type="button"
                class="btn btn-sm"
                disabled=move || busy.get()
                data-testid=format!("bulk-{}", action.label().to_ascii_lowercase().replace(' ', "-"))
                on:click=move |_| bulk.press(action)
            >
                <Glyph icon=glyph/>
                {action.label()}
            </button>
        }
    };
    let told = move || match (any.get(), elsewhere()) {
        (false, _) => String::new(),
        (true, 0) => format!("{} selected", selection.count()),
        (true, elsewhere) => format!("{} selected, {elsewhere} of them not shown", selection.count()),
    };
    let clear = move |_| {
        selection.clear();
        // the bar goes
        dom::focus_within("[data-testid=tick-all]");
    };
    view! {
        // there before it says something, or nobody is told of the first
        <span class="sr-only" role="status">{told}</span>
        <Show when=move || any.get()>
            <div
                role="toolbar"
                aria-label="Selected machines"
                class="bg-base-200 rounded-box border-base-300 mb-2 flex flex-wrap items-center gap-x-2 gap-y-1 border px-3 py-2 shadow-lg"
                data-testid="bulk-bar"
            >
                <span class="text-sm font-medium" data-testid="bulk-count">{told}</span>
                <Show when=more>
                    <button type="button" class="btn btn-ghost btn-sm" data-testid="bulk-all" on:click=move |_| bulk.select_all()>
                        {move || format!("Select all {} that match", grouped(bulk.listing.total.get()))}
                    </button>
                </Show>
                <span class="flex-1 max-lg:hidden"></span>
                // on a telephone one line that is pushed sideways: it must leave room for the rows
                <span class="flex items-center gap-1 max-lg:overflow-x-auto max-lg:[&>*]:shrink-0">
                    {POWER_MENU.iter().map(|&action| button(Action::Power(action), icon(action))).collect_view()}
                    {button(Action::Provision, Icon::Play)}
                    {admin.then(|| button(Action::Assign, Icon::User))}
                    {button(Action::Release, Icon::User)}
                    {button(Action::Tag, Icon::Pencil)}
                    <button type="button" class="btn btn-ghost btn-sm" data-testid="bulk-clear" on:click=clear>"Clear"</button>
                </span>
            </div>
        </Show>
    }
}

#[wasm_split(bulk, wasm_split_path = ::leptos::wasm_split, fallible)]
fn draw_bulk(bulk: Bulk, action: Action) -> Result<AnyView, SplitLoaderError> {
    Ok(match action {
        Action::Power(_) | Action::Provision => view! { <Question bulk action/> }.into_any(),
        Action::Assign => view! { <AssignForm bulk/> }.into_any(),
        Action::Release => view! { <ReleaseForm bulk/> }.into_any(),
        Action::Tag => view! { <TagForm bulk/> }.into_any(),
    })
}

/// The questions before, and what went wrong afterwards.
#[component]
pub(super) fn BulkDialogs(bulk: Bulk) -> impl IntoView {
    let title = Signal::derive(move || {
        let all = counted(bulk.selection.count(), "machine", "machines");
        let machines = bulk.part.get().map_or_else(|| all.clone(), |part| format!("{part} of {all}"));
        bulk.action.get().map(|action| format!("{}: {machines}", action.label())).unwrap_or_default()
    });
    view! {
        <Dialog open=bulk.open title testid="bulk-dialog">
            <Show when=move || bulk.doubt.with(Option::is_some)>
                <Notice>{move || bulk.doubt.get()}</Notice>
            </Show>
            <Show when=move || !bulk.renewing.get() fallback=Loading>
                {move || bulk.action.get().map(|action| later(move || draw_bulk(bulk, action)))}
            </Show>
        </Dialog>
        <FailuresDialog failures=bulk.failures/>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_counts_what_failed() {
        assert_eq!(summary(Action::Power(PowerAction::Off), 3, 2), "Power off: 2 of 3 machines failed.");
        assert_eq!(summary(Action::Provision, 1, 0), "Provision: done with 1 machine.");
    }

    #[test]
    fn many_are_sent_in_portions_with_one_result() {
        use std::cell::RefCell;

        use futures_util::FutureExt;

        let all: Vec<Id> = (0..1201).map(Id).collect();
        let sent = RefCell::new(Vec::new());
        let call = async |portion: Vec<Id>| {
            sent.borrow_mut().push(portion.len());
            match portion[0] {
                Id(500) => Err(ApiError::new(503, "Unavailable", "Unavailable", vec!["not now".into()])),
                _ => Ok(portion.iter().map(|id| BulkOutcome { error: None, ..refused(id.0, &ApiError::transport("")) }).collect()),
            }
        };
        let outcomes = in_portions(all.clone(), call).now_or_never().unwrap().unwrap();
        assert_eq!((outcomes.len(), outcomes.iter().filter(|outcome| outcome.error.is_some()).count()), (1201, 500));
        assert_eq!(sent.take(), [500, 500, 201]);
        let whole = in_portions(all[500..].to_vec(), call).now_or_never().unwrap();
        assert_eq!(whole.unwrap_err().status, 503, "the first: nothing was done");
    }
}
