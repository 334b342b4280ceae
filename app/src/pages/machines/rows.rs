//! The rows of the machine list: which are shown, and in which order.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use leptos::prelude::*;

use crate::{
    api::{Machine, MachineState, PowerState},
    live::{Live, Power},
    ui::{Sort, matches, natural},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Name,
    State,
    Power,
    Arch,
    Bmc,
    Mac,
    Netboot,
    Assignee,
}

impl Column {
    const ALL: [(Self, &'static str); 8] = [
        (Self::Name, "name"),
        (Self::State, "state"),
        (Self::Power, "power"),
        (Self::Arch, "arch"),
        (Self::Bmc, "bmc"),
        (Self::Mac, "mac"),
        (Self::Netboot, "netboot"),
        (Self::Assignee, "assignee"),
    ];

    pub(super) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, own)| *own == word).map(|(column, _)| column)
    }

    fn word(self) -> &'static str {
        Self::ALL.into_iter().find(|(column, _)| *column == self).map_or("name", |(_, word)| word)
    }
}

/// A machine as listed, with everything about it that the filter reads, in lower case.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) machine: Machine,
    /// Another number for every new content: the row is then drawn anew.
    pub(super) revision: u32,
    haystack: String,
}

impl PartialEq for Row {
    fn eq(&self, other: &Self) -> bool {
        self.machine.id == other.machine.id && self.revision == other.revision
    }
}

impl Row {
    fn new(machine: Machine, revision: u32) -> Self {
        let mut words = vec![machine.name.as_str(), &machine.arch];
        words.extend(machine.subarch.as_deref());
        words.extend(machine.bmc.as_deref());
        words.extend(machine.macs.iter().map(String::as_str));
        for assignee in &machine.assignees {
            words.extend([assignee.user.as_str(), &assignee.reason]);
        }
        let haystack = words.join("\n").to_lowercase();
        Self { machine, revision, haystack }
    }

    fn first_assignee(&self) -> &str {
        self.machine.assignees.first().map_or("", |assignee| &assignee.user)
    }
}

/// All machines known to the page.
#[derive(Clone, Copy)]
pub(super) struct Rows {
    rows: RwSignal<BTreeMap<i64, Arc<Row>>>,
    live: Live,
}

impl Rows {
    pub(super) fn new(machines: Vec<Machine>, live: Live) -> Self {
        let rows = machines.into_iter().map(|machine| (machine.id, Arc::new(Row::new(machine, 0)))).collect();
        Self { rows: RwSignal::new(rows), live }
    }

    pub(super) fn count(self) -> usize {
        self.rows.with(BTreeMap::len)
    }

    pub(super) fn holds_exactly(self, ids: &BTreeSet<i64>) -> bool {
        self.rows.try_with_untracked(|rows| rows.keys().eq(ids.iter())).unwrap_or(true)
    }

    pub(super) fn put(self, machine: Machine) {
        self.rows.try_update(|rows| put(rows, machine));
    }

    pub(super) fn replace(self, machines: Vec<Machine>) {
        self.rows.try_update(|rows| {
            let ids: BTreeSet<i64> = machines.iter().map(|machine| machine.id).collect();
            rows.retain(|id, _| ids.contains(id));
            for machine in machines {
                put(rows, machine);
            }
        });
    }

    pub(super) fn remove(self, id: i64) {
        self.rows.try_update(|rows| rows.remove(&id));
    }

    /// The rows that match, in order. Follows live power and state only when sorted by them.
    pub(super) fn shown(self, filter: &str, mine: Option<&str>, sort: Sort<Column>) -> Vec<Arc<Row>> {
        let wanted = |row: &Row| {
            matches(&row.haystack, filter) && mine.is_none_or(|me| row.machine.assignees.iter().any(|assignee| assignee.user == me))
        };
        let rows = self.rows.read();
        let rows = rows.values().filter(|row| wanted(row)).cloned();
        match sort.column {
            Column::State => self.by_rank(rows, sort, |row| state_rank(self.live.state(row.machine.id, row.machine.state).get())),
            Column::Power => {
                self.by_rank(rows, sort, |row| power_rank(self.live.power(row.machine.id, Power::of(&row.machine)).get().state))
            }
            column => {
                let mut rows: Vec<_> = rows.collect();
                rows.sort_by(|left, right| ordered(left, right, sort, |left, right| compare(left, right, column)));
                rows
            }
        }
    }

    fn by_rank(self, rows: impl Iterator<Item = Arc<Row>>, sort: Sort<Column>, rank: impl Fn(&Row) -> u8) -> Vec<Arc<Row>> {
        let mut ranked: Vec<(u8, Arc<Row>)> = rows.map(|row| (rank(&row), row)).collect();
        ranked.sort_by(|(a, left), (b, right)| ordered(left, right, sort, |_, _| a.cmp(b)));
        ranked.into_iter().map(|(_, row)| row).collect()
    }
}

fn put(rows: &mut BTreeMap<i64, Arc<Row>>, machine: Machine) {
    let old = rows.get(&machine.id);
    // drawing a row anew loses the focus in it: only when something is different
    if old.is_some_and(|old| same_listing(&old.machine, &machine)) {
        return;
    }
    let revision = old.map_or(0, |old| old.revision + 1);
    rows.insert(machine.id, Arc::new(Row::new(machine, revision)));
}

/// Whether two versions of a machine give the same row. Power, state and the BMC's health are the stream's.
fn same_listing(old: &Machine, new: &Machine) -> bool {
    let strip = |machine: &Machine| Machine {
        power: PowerState::Unknown,
        power_error: None,
        state: MachineState::Unknown,
        bmc_health: None,
        ..machine.clone()
    };
    strip(old) == strip(new)
}

/// By the column, then by name, so that equal rows keep their places.
fn ordered(left: &Row, right: &Row, sort: Sort<Column>, by: impl Fn(&Row, &Row) -> Ordering) -> Ordering {
    sort.apply(by(left, right)).then_with(|| natural(&left.machine.name, &right.machine.name))
}

fn compare(left: &Row, right: &Row, column: Column) -> Ordering {
    let (a, b) = (&left.machine, &right.machine);
    match column {
        Column::Name => natural(&a.name, &b.name),
        Column::Arch => natural(&a.arch, &b.arch).then_with(|| a.subarch.cmp(&b.subarch)),
        Column::Bmc => some_first(a.bmc.as_deref(), b.bmc.as_deref()),
        Column::Mac => some_first(a.macs.first().map(String::as_str), b.macs.first().map(String::as_str)),
        Column::Netboot => b.netboot_enabled.cmp(&a.netboot_enabled),
        Column::Assignee => {
            let named = |row| Some(Row::first_assignee(row)).filter(|user| !user.is_empty());
            some_first(named(left), named(right))
        }
        // ranked by what is live, in `shown`
        Column::State | Column::Power => Ordering::Equal,
    }
}

fn some_first(left: Option<&str>, right: Option<&str>) -> Ordering {
    match (left, right) {
        (Some(left), Some(right)) => natural(left, right),
        (left, right) => right.is_some().cmp(&left.is_some()),
    }
}

/// What wants attention comes first.
fn power_rank(power: PowerState) -> u8 {
    match power {
        PowerState::BmcError => 0,
        PowerState::On => 1,
        PowerState::Off => 2,
        PowerState::Unknown => 3,
    }
}

fn state_rank(state: MachineState) -> u8 {
    match state {
        MachineState::Error => 0,
        MachineState::Provisioning => 1,
        MachineState::Ready => 2,
        MachineState::Unknown => 3,
    }
}

/// The view as the query of the page's address; nothing for what is the default.
pub(super) fn view_query(filter: &str, only_mine: bool, sort: Sort<Column>) -> String {
    let mut parts = Vec::new();
    if !filter.is_empty() {
        let mut part = String::from("q=");
        for byte in filter.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                part.push(char::from(byte));
            } else {
                part.push_str(&format!("%{byte:02X}"));
            }
        }
        parts.push(part);
    }
    if only_mine {
        parts.push("mine=1".into());
    }
    if sort.column != Column::Name {
        parts.push(format!("sort={}", sort.column.word()));
    }
    if sort.descending {
        parts.push("desc=1".into());
    }
    parts.join("&")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::machine::sample;

    fn names(rows: &[Arc<Row>]) -> Vec<&str> {
        rows.iter().map(|row| row.machine.name.as_str()).collect()
    }

    fn lab() -> Rows {
        let machine = |id, name: &str, user: Option<&str>, netboot_enabled, power| Machine {
            id,
            name: name.into(),
            netboot_enabled,
            power,
            assignees: user
                .map(|user| crate::api::MachineAssignee { user: user.into(), reason: "kernel work".into() })
                .into_iter()
                .collect(),
            macs: vec![format!("52:54:00:00:00:{id:02x}")],
            ..sample()
        };
        let machines = vec![
            machine(1, "d03-10", Some("alice"), false, PowerState::Off),
            machine(2, "d03-2", None, true, PowerState::BmcError),
            machine(3, "x86-1", Some("bob"), false, PowerState::On),
        ];
        Rows::new(machines, Live::provide())
    }

    #[test]
    fn the_filter_reads_names_addresses_and_people() {
        let owner = Owner::new();
        owner.with(|| {
            let rows = lab();
            let sort = Sort::by(Column::Name);
            assert_eq!(names(&rows.shown("", None, sort)), ["d03-2", "d03-10", "x86-1"]);
            assert_eq!(names(&rows.shown("ALICE d03", None, sort)), ["d03-10"]);
            assert_eq!(names(&rows.shown("00:03", None, sort)), ["x86-1"]);
            assert_eq!(names(&rows.shown("", Some("bob"), sort)), ["x86-1"]);
            assert!(rows.shown("nothing", None, sort).is_empty());
        });
    }

    #[test]
    fn columns_sort_and_the_name_decides_between_equals() {
        let owner = Owner::new();
        owner.with(|| {
            let rows = lab();
            let by = |column, descending| rows.shown("", None, Sort { column, descending });
            assert_eq!(names(&by(Column::Netboot, false)), ["d03-2", "d03-10", "x86-1"]);
            assert_eq!(names(&by(Column::Assignee, false)), ["d03-10", "x86-1", "d03-2"]);
            assert_eq!(names(&by(Column::Power, false)), ["d03-2", "x86-1", "d03-10"]);
            assert_eq!(names(&by(Column::Arch, true)), ["d03-2", "d03-10", "x86-1"]);
            assert_eq!(names(&by(Column::Mac, true)), ["x86-1", "d03-2", "d03-10"]);
        });
    }

    #[test]
    fn a_row_is_drawn_anew_only_when_it_looks_different() {
        let owner = Owner::new();
        owner.with(|| {
            let rows = lab();
            let revision = |id| rows.rows.with_untracked(|rows| rows[&id].revision);
            let one = rows.rows.with_untracked(|rows| rows[&1].machine.clone());
            rows.put(Machine { power: PowerState::On, ..one.clone() });
            assert_eq!(revision(1), 0);
            rows.put(Machine { netboot_enabled: true, ..one });
            assert_eq!(revision(1), 1);
            rows.replace(Vec::new());
            assert_eq!(rows.rows.with_untracked(BTreeMap::len), 0);
        });
    }

    #[test]
    fn the_address_names_only_what_is_not_the_default() {
        assert_eq!(view_query("", false, Sort::by(Column::Name)), "");
        assert_eq!(view_query("a b&c", true, Sort { column: Column::Power, descending: true }), "q=a%20b%26c&mine=1&sort=power&desc=1");
        for (column, word) in Column::ALL {
            assert_eq!(Column::parse(word), Some(column));
        }
    }
}
