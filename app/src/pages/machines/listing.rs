//! The page of machines that is shown: asked for when the view changes, kept up to date with the stream.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use leptos::{html, prelude::*, task::spawn_local};

use super::{search, view::View};
use crate::{
    api::{Api, ApiError, LabEvent, Machine, MachineView, Page, Status},
    live::Live,
    pages::{
        follow::{Newest, Question},
        seldom::{GATHER, Seldom},
    },
    ui::{dom, keep, kept},
};

/// A machine on the page. Its row stays the same while what it shows changes: focus and selection stay where they are.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) id: i64,
    pub(super) machine: ArcRwSignal<Machine>,
}

impl Row {
    fn new(machine: Machine) -> Arc<Self> {
        Arc::new(Self { id: machine.id, machine: ArcRwSignal::new(machine) })
    }
}

/// More than these at once: pages are the smaller request.
const ONE_BY_ONE: usize = 8;
/// The largest page that the API gives.
const MOST: usize = 1000;

/// An answer that takes longer is waited for visibly.
const SLOW: Duration = Duration::from_millis(150);
/// No row is less high, in CSS pixels: so many at most fill what is seen of the table.
const ROW_HEIGHT: usize = 28;
/// Where nobody knows how much of the table is seen.
const USUALLY_SEEN: usize = 40;
const SEEN: &str = "machines-seen";
/// What is painted has to reach the screen before the page is at work again.
const FRAME: Duration = Duration::from_millis(16);

/// How many rows to begin with: what was seen of the table when it was last shown.
pub(super) fn seen_first() -> usize {
    kept(SEEN).and_then(|text| text.parse().ok()).filter(|rows| (1..=MOST).contains(rows)).unwrap_or(USUALLY_SEEN)
}

/// What is shown, and what is being asked for.
#[derive(Clone, Copy)]
pub(super) struct Listing {
    /// Of the page, drawn or not.
    pub(super) rows: RwSignal<Vec<Arc<Row>>>,
    /// So many of them, at most, are in the table: those that are seen come first, and the others once these are painted.
    drawn: RwSignal<usize>,
    /// On all pages.
    pub(super) total: RwSignal<usize>,
    /// What the rows are of; the address may be ahead of it.
    pub(super) shown: RwSignal<(View, usize)>,
    /// The answer to something the user asked for is on its way.
    pub(super) waiting: RwSignal<bool>,
    /// And takes its time.
    pub(super) slow: RwSignal<bool>,
    /// Why the last answer did not come.
    pub(super) fault: RwSignal<Option<String>>,
    pub(super) table: NodeRef<html::Div>,
    wanted: StoredValue<(View, usize)>,
    asked: Newest,
    /// Only for the newest answer are the rows drawn that are not seen.
    put: Newest,
    seldom: Seldom,
    changed: StoredValue<BTreeSet<i64>>,
    api: StoredValue<Api>,
}

impl Listing {
    /// `drawn` rows to begin with.
    pub(super) fn new(page: Page<Machine>, view: View, rows: usize, drawn: usize) -> Self {
        Self {
            rows: RwSignal::new(page.items.into_iter().map(Row::new).collect()),
            drawn: RwSignal::new(drawn),
            total: RwSignal::new(page.total),
            shown: RwSignal::new((view.clone(), rows)),
            waiting: RwSignal::new(false),
            slow: RwSignal::new(false),
            fault: RwSignal::new(None),
            table: NodeRef::new(),
            wanted: StoredValue::new((view, rows)),
            asked: Newest::new(),
            put: Newest::new(),
            seldom: Seldom::new(),
            changed: StoredValue::new(BTreeSet::new()),
            api: StoredValue::new(expect_context()),
        }
    }

    pub(super) fn ids(self) -> Vec<i64> {
        self.rows.with_untracked(|rows| ids(rows).collect())
    }

    /// Whether another page is waited for, or not all of this one is drawn.
    pub(super) fn is_busy(self) -> bool {
        let drawn = self.drawn.get();
        self.waiting.get() || self.rows.with(|rows| rows.len() > drawn)
    }

    /// Those that are in the table.
    pub(super) fn drawn(self) -> Vec<Arc<Row>> {
        let drawn = self.drawn.get();
        self.rows.with(|rows| rows.iter().take(drawn).cloned().collect())
    }

    fn row(self, id: i64) -> Option<Arc<Row>> {
        self.rows.try_with_untracked(|rows| rows.iter().find(|row| row.id == id).cloned()).flatten()
    }

    pub(super) fn machine(self, id: i64) -> Option<Machine> {
        self.row(id).map(|row| row.machine.get_untracked())
    }

    /// Every machine of the view that is shown, on whatever page.
    pub(super) async fn all(self) -> Result<Vec<Machine>, ApiError> {
        let (Some(api), Some((view, _))) = (self.api.try_get_value(), self.shown.try_get_untracked()) else { return Ok(Vec::new()) };
        every(&api, &view).await
    }

    /// Those with these ids that there are, on whatever page of whatever view.
    pub(super) async fn some(self, wanted: &BTreeSet<i64>) -> Result<Vec<Machine>, ApiError> {
        let Some(api) = self.api.try_get_value() else { return Ok(Vec::new()) };
        let mut some = Vec::new();
        if wanted.len() > ONE_BY_ONE {
            some = every(&api, &View::default()).await?;
            some.retain(|machine| wanted.contains(&machine.id));
            return Ok(some);
        }
        for id in wanted {
            match api.machine(*id).await {
                Ok(machine) => some.push(machine),
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(some)
    }

    /// Whether the address has a query with a fault, so that nothing was asked for.
    pub(super) fn is_unasked(self) -> bool {
        self.shown.with(|(view, _)| search::fault(view).is_some())
    }

    /// After a failure.
    pub(super) fn try_again(self) {
        let (view, rows) = self.wanted.get_value();
        self.show(view, rows);
    }

    /// Another view. The old rows stay until the new ones are there.
    pub(super) fn show(self, view: View, rows: usize) {
        self.wanted.set_value((view, rows));
        self.waiting.set(true);
        let Some(question) = self.question() else { return };
        set_timeout(
            move || {
                if self.waiting.try_get_untracked() == Some(true) && question.is_newest() {
                    self.slow.try_set(true);
                }
            },
            SLOW,
        );
    }

    /// The same view anew.
    pub(super) fn ask(self) {
        self.question();
    }

    /// None: there is nothing to ask for.
    fn question(self) -> Option<Question> {
        let (view, rows) = self.wanted.try_get_value()?;
        // from an address with a fault
        if search::fault(&view).is_some() {
            return None;
        }
        let (question, api) = (self.asked.ask()?, self.api.try_get_value()?);
        spawn_local(async move {
            let answer = api.machines_page(&view.asked(rows)).await;
            if question.is_newest() {
                self.answered(view, rows, answer);
            }
        });
        Some(question)
    }

    fn answered(self, view: View, rows: usize, answer: Result<Page<Machine>, ApiError>) {
        match answer {
            Ok(page) => {
                if let Some(table) = self.table.try_get_untracked().flatten() {
                    dom::keep_focus(&table);
                }
                return self.put_page((view, rows), page);
            }
            // the page asks to log in again; what is shown stays, and the connection after it brings the next try
            Err(error) if error.is_unauthenticated() => {}
            // no answer at all shows as "connection lost", and the next connection brings the next try
            Err(error) if error.status == 0 && !self.waiting.try_get_untracked().unwrap_or(false) => {}
            Err(error) => drop(self.fault.try_set(Some(error.text()))),
        }
        self.waited();
    }

    fn waited(self) {
        self.waiting.try_set(false);
        self.slow.try_set(false);
    }

    /// Puts the rows that are seen, and the others once these are painted.
    fn put_page(self, of: (View, usize), page: Page<Machine>) {
        let Some(shown) = self.rows.try_get_untracked() else { return };
        let mut known = BTreeMap::new();
        known.extend(shown.iter().map(|row| (row.id, row)));
        let rows: Vec<Arc<Row>> = page
            .items
            .into_iter()
            .map(|machine| match known.get(&machine.id) {
                Some(row) => {
                    put(row, machine);
                    Arc::clone(row)
                }
                None => Row::new(machine),
            })
            .collect();
        let Some(answer) = self.put.ask() else { return };
        let table = self.table.try_get_untracked().flatten();
        let first = table.as_ref().map_or(0, |table| seen_of(table));
        let new = rows.iter().filter(|row| !known.contains_key(&row.id)).count();
        let held = new > first && table.as_ref().is_some_and(|table| dom::hold_height(table));
        self.drawn.try_set(if held { first } else { usize::MAX });
        self.put_rows(rows);
        let whole = move || {
            if let Some(table) = table {
                dom::release_height(&table);
            }
            self.total.try_set(page.total);
            self.shown.try_maybe_update(|shown| {
                let news = *shown != of;
                *shown = of;
                (news, ())
            });
            self.fault.try_set(None);
            self.waited();
        };
        if held {
            self.slow.try_set(false);
            self.draw_rest(answer, Box::new(whole));
        } else {
            whole();
        }
    }

    /// Draws what the page began without. How many rows are seen is remembered for the next time.
    pub(super) fn complete(self, table: web_sys::HtmlDivElement) {
        let Some(answer) = self.put.ask() else { return };
        request_animation_frame(move || {
            if self.rows.try_with_untracked(Vec::is_empty) == Some(false) {
                let seen = seen_of(&table).min(MOST);
                if seen != seen_first() {
                    keep(SEEN, &seen.to_string());
                }
            }
            self.draw_rest(answer, Box::new(|| {}));
        });
    }

    /// All of them at once: for who is led to a place further down.
    pub(super) fn draw_all(self) {
        self.drawn.set(usize::MAX);
    }

    /// As many again as there are with every frame, so that none of them takes long.
    fn draw_rest(self, answer: Question, whole: Box<dyn FnOnce()>) {
        let more = move || {
            let (Some(drawn), true) = (self.drawn.try_get_untracked(), answer.is_newest()) else { return };
            let more = drawn.saturating_mul(2).max(1);
            if self.rows.try_with_untracked(|rows| rows.len() > more) == Some(true) {
                self.drawn.set(more);
                self.draw_rest(answer, whole);
                return;
            }
            if drawn != usize::MAX {
                self.drawn.set(usize::MAX);
            }
            whole();
        };
        request_animation_frame(move || set_timeout(more, FRAME));
    }

    fn put_rows(self, rows: Vec<Arc<Row>>) {
        self.rows.try_maybe_update(|shown| {
            let news = !ids(shown).eq(ids(&rows));
            *shown = rows;
            (news, ())
        });
    }

    /// Which machines there are has changed, or may have: asks for the page again, but seldom.
    fn refresh(self) {
        self.seldom.run(move || self.ask());
    }

    /// One row anew.
    fn reload(self, id: i64) {
        let Some(first) = self.changed.try_update_value(|changed| {
            let first = changed.is_empty();
            changed.insert(id);
            first
        }) else {
            return;
        };
        if !first {
            return;
        }
        set_timeout(
            move || {
                let ids = self.changed.try_update_value(std::mem::take).unwrap_or_default();
                if ids.len() > ONE_BY_ONE {
                    self.ask();
                    return;
                }
                let Some(api) = self.api.try_get_value() else { return };
                spawn_local(async move {
                    for id in ids {
                        match (api.machine(id).await, self.row(id)) {
                            (Ok(machine), Some(row)) => put(&row, machine),
                            (Err(error), _) if error.is_not_found() => self.refresh(),
                            _ => {}
                        }
                    }
                });
            },
            GATHER,
        );
    }

    /// Keeps the page up to date until the calling component goes.
    pub(super) fn follow(self, live: Live) {
        let connected_before = StoredValue::new(false);
        live.listen(move |event| match event {
            LabEvent::Snapshot { machines, .. } => {
                let again = connected_before.try_update_value(|before| std::mem::replace(before, true)).unwrap_or(true);
                // between the page's rendering and the first connection machines may have come or gone
                if again || self.is_out_of_date(machines) {
                    self.ask();
                }
            }
            LabEvent::Resync => self.ask(),
            LabEvent::Removed { .. } => self.refresh(),
            LabEvent::Changed { machine } => {
                if self.row(*machine).is_some() {
                    self.reload(*machine);
                }
                let ordered_by_it = self.shown.try_with_untracked(|(view, _)| view.is_filtered() || view.sort != View::default().sort);
                // a new one, or one that fits only now, or no more
                if self.row(*machine).is_none() || ordered_by_it == Some(true) {
                    self.refresh();
                }
            }
            LabEvent::Power { .. } | LabEvent::State { .. } => {
                // another state is a change, with a time of its own
                if let LabEvent::State { machine, .. } = event
                    && self.row(*machine).is_some()
                {
                    self.reload(*machine);
                }
                if self.shown.try_with_untracked(|(view, _)| view.follows_state()) == Some(true) {
                    self.refresh();
                }
            }
            LabEvent::BmcHealth { .. } | LabEvent::Event { .. } | LabEvent::List { .. } => {}
        });
    }

    fn is_out_of_date(self, machines: &[Status]) -> bool {
        let mut lab = BTreeSet::new();
        lab.extend(machines.iter().map(|status| status.machine));
        let gone = self.rows.try_with_untracked(|rows| rows.iter().any(|row| !lab.contains(&row.id)));
        let all = self.shown.try_with_untracked(|(view, _)| !view.is_filtered()) == Some(true);
        gone == Some(true) || all && self.total.try_get_untracked() != Some(lab.len())
    }
}

/// How many rows fill what is seen of the table.
fn seen_of(table: &web_sys::Element) -> usize {
    dom::room_below(table).div_ceil(ROW_HEIGHT).max(1)
}

async fn every(api: &Api, view: &View) -> Result<Vec<Machine>, ApiError> {
    let first = view.on_page(0);
    let mut all = Vec::new();
    loop {
        let page = api.machines_page(&MachineView { offset: all.len(), ..first.asked(MOST) }).await?;
        let last = page.items.len() < MOST;
        all.extend(page.items);
        if last || all.len() >= page.total {
            return Ok(all);
        }
    }
}

fn ids(rows: &[Arc<Row>]) -> impl Iterator<Item = i64> {
    rows.iter().map(|row| row.id)
}

/// Wakes the row only when something is different.
fn put(row: &Row, machine: Machine) {
    row.machine.maybe_update(|shown| {
        let news = *shown != machine;
        *shown = machine;
        news
    });
}
