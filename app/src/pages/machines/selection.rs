//! The machines that are ticked, for what is done with many at once.

use std::collections::BTreeMap;

use leptos::prelude::*;

use super::listing::Listing;
use crate::{
    api::{Id, Machine, MachineAssignee},
    ui::format::counted,
};

/// What a question about a machine needs to say of it, wherever the table has gone meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ticked {
    pub(super) name: String,
    pub(super) assignees: Vec<MachineAssignee>,
    pub(super) tags: Vec<String>,
    pub(super) netboot: bool,
}

impl Ticked {
    pub(super) fn is_of(&self, user: &str) -> bool {
        self.assignees.iter().any(|assignee| assignee.user == user)
    }
}

impl From<&Machine> for Ticked {
    fn from(machine: &Machine) -> Self {
        Self {
            name: machine.name.clone(),
            assignees: machine.assignees.clone(),
            tags: machine.tags.clone(),
            netboot: machine.netboot_enabled,
        }
    }
}

pub(super) type TickedMachines = BTreeMap<i64, Ticked>;

#[derive(Clone, Copy)]
pub(super) struct Selection {
    pub(super) ticked: RwSignal<TickedMachines>,
    /// Where a range begins.
    anchor: StoredValue<Option<i64>>,
}

impl Selection {
    pub(super) fn new() -> Self {
        Self { ticked: RwSignal::new(BTreeMap::new()), anchor: StoredValue::new(None) }
    }

    pub(super) fn has(self, id: i64) -> bool {
        self.ticked.with(|ticked| ticked.contains_key(&id))
    }

    pub(super) fn count(self) -> usize {
        self.ticked.with(BTreeMap::len)
    }

    pub(super) fn clear(self) {
        self.ticked.set(BTreeMap::new());
        self.anchor.set_value(None);
    }

    /// One that was deleted.
    pub(super) fn forget(self, id: i64) {
        self.ticked.try_maybe_update(|ticked| (ticked.remove(&id).is_some(), ()));
    }

    /// Whom the machines on the page belong to now.
    pub(super) fn refresh(self, listing: Listing) {
        self.ticked.update(|ticked| {
            for (id, known) in ticked.iter_mut() {
                if let Some(machine) = listing.machine(*id) {
                    *known = Ticked::from(&machine);
                }
            }
        });
    }

    pub(super) fn held_by(self, user: &str) -> Vec<Id> {
        let held = |ticked: &TickedMachines| ticked.iter().filter(|(_, machine)| machine.is_of(user)).map(|(id, _)| Id(*id)).collect();
        self.ticked.with_untracked(held)
    }

    /// A row's box; with the shift key all from the last one on.
    pub(super) fn tick(self, listing: Listing, id: i64, on: bool, range: bool) {
        let ids = listing.ids();
        let from = self.anchor.get_value().filter(|_| range).unwrap_or(id);
        self.anchor.set_value(Some(id));
        self.set(listing, between(&ids, from, id), on);
    }

    /// The page's rows.
    pub(super) fn set(self, listing: Listing, ids: &[i64], on: bool) {
        self.ticked.update(|ticked| {
            for id in ids {
                if !on {
                    ticked.remove(id);
                } else if let Some(machine) = listing.machine(*id) {
                    ticked.insert(*id, Ticked::from(&machine));
                }
            }
        });
    }

    /// Machines of other pages, too.
    pub(super) fn add(self, machines: &[Machine]) {
        self.ticked.try_update(|ticked| ticked.extend(machines.iter().map(|machine| (machine.id, Ticked::from(machine)))));
    }
}

/// The ids from one to the other, in the table's order, whichever comes first.
fn between(ids: &[i64], from: i64, to: i64) -> &[i64] {
    let at = |id| ids.iter().position(|own| *own == id);
    let Some(to) = at(to) else { return &[] };
    // the beginning may be on another page
    let from = at(from).unwrap_or(to);
    &ids[from.min(to)..=from.max(to)]
}

/// Whose machines these are, other than `me`: at most five are named.
pub(super) fn others(ticked: &TickedMachines, me: &str) -> Option<String> {
    let taken: Vec<String> = ticked
        .values()
        .filter(|machine| !machine.assignees.is_empty() && !machine.is_of(me))
        .map(|machine| {
            let users: Vec<&str> = machine.assignees.iter().map(|assignee| assignee.user.as_str()).collect();
            format!("{} ({})", machine.name, users.join(", "))
        })
        .collect();
    let named = taken.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
    let rest = match taken.len().saturating_sub(5) {
        0 => String::new(),
        rest => format!(" and {rest} more"),
    };
    match taken.len() {
        0 => None,
        1 => Some(format!("One of them is somebody else's: {named}.")),
        count => Some(format!("{count} of them are somebody else's: {named}{rest}.")),
    }
}

/// How many of them a PXE boot would not lead to the network.
pub(super) fn without_netboot(ticked: &TickedMachines) -> Option<String> {
    match ticked.values().filter(|machine| !machine.netboot).count() {
        0 => None,
        off => Some(format!("Netboot is off on {}: told to boot from disk.", counted(off, "machine", "machines"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pxe_boot_says_for_how_many_it_leads_nowhere() {
        let machine = |netboot| Ticked { name: "m".into(), assignees: Vec::new(), tags: Vec::new(), netboot };
        assert_eq!(without_netboot(&TickedMachines::from([(1, machine(true))])), None);
        let some = TickedMachines::from([(1, machine(true)), (2, machine(false)), (3, machine(false))]);
        assert_eq!(without_netboot(&some).unwrap(), "Netboot is off on 2 machines: told to boot from disk.");
    }

    #[test]
    fn a_range_goes_both_ways() {
        let ids = [5, 3, 9, 1];
        assert_eq!(between(&ids, 3, 1), [3, 9, 1]);
        assert_eq!(between(&ids, 1, 5), [5, 3, 9, 1]);
        assert_eq!(between(&ids, 9, 9), [9]);
        assert_eq!(between(&ids, 77, 9), [9], "it began on another page");
        assert_eq!(between(&ids, 5, 77), [] as [i64; 0]);
    }

    #[test]
    fn a_question_names_whose_machines_are_among_them() {
        let machine = |name: &str, users: &[&str]| Ticked {
            name: name.into(),
            assignees: users.iter().map(|user| MachineAssignee { user: (*user).to_owned(), reason: String::new() }).collect(),
            tags: Vec::new(),
            netboot: false,
        };
        let mut ticked = TickedMachines::from([(1, machine("m1", &[])), (2, machine("m2", &["ann", "bob"]))]);
        assert_eq!(others(&ticked, "ann"), None);
        assert_eq!(others(&ticked, "eve").unwrap(), "One of them is somebody else's: m2 (ann, bob).");
        ticked.extend((3..9).map(|id| (id, machine(&format!("m{id}"), &["cyd"]))));
        let text = others(&ticked, "eve").unwrap();
        assert_eq!(text, "7 of them are somebody else's: m2 (ann, bob), m3 (cyd), m4 (cyd), m5 (cyd), m6 (cyd) and 2 more.");
    }
}
