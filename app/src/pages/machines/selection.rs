//! The machines that are ticked, for what is done with many at once.

use std::collections::{BTreeMap, BTreeSet};

use leptos::{prelude::*, task::spawn_local};

use super::listing::Listing;
use crate::{
    api::{ApiError, Id, LabEvent, Machine, MachineAssignee},
    ui::format::counted,
};

/// What a question about a machine needs to say of it, wherever the table has gone meanwhile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ticked {
    pub(super) name: String,
    pub(super) assignees: Vec<MachineAssignee>,
    pub(super) tags: Vec<String>,
    pub(super) netboot: bool,
    pub(super) may_change: bool,
    pub(super) bmc: bool,
    pub(super) kernel: bool,
    pub(super) subarch: Option<i64>,
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
            may_change: machine.may_change,
            bmc: machine.bmc_id.is_some(),
            kernel: machine.kernel_id.is_some(),
            subarch: machine.subarch_id,
        }
    }
}

pub(super) type TickedMachines = BTreeMap<i64, Ticked>;

#[derive(Clone, Copy)]
pub(super) struct Selection {
    pub(super) ticked: RwSignal<TickedMachines>,
    /// Where a range begins.
    anchor: StoredValue<Option<i64>>,
    /// Those that have changed since they were read.
    outdated: StoredValue<BTreeSet<i64>>,
    /// Those that are brought back, until they are there.
    coming: RwSignal<BTreeSet<i64>>,
}

impl Selection {
    pub(super) fn new() -> Self {
        Self {
            ticked: RwSignal::new(BTreeMap::new()),
            anchor: StoredValue::new(None),
            outdated: StoredValue::new(BTreeSet::new()),
            coming: RwSignal::new(BTreeSet::new()),
        }
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

    /// What the lab says may be about ticked ones.
    pub(super) fn hear(self, event: &LabEvent) {
        let ids = self.ticked.try_with_untracked(|ticked| match event {
            LabEvent::Changed { machine } | LabEvent::State { machine, .. } if ticked.contains_key(machine) => vec![*machine],
            // what was said meanwhile is not known
            LabEvent::Snapshot { .. } | LabEvent::Resync => ticked.keys().copied().collect(),
            _ => Vec::new(),
        });
        self.outdated.try_update_value(|outdated| outdated.extend(ids.unwrap_or_default()));
        if let LabEvent::Removed { machine } = event {
            self.ticked.try_maybe_update(|ticked| (ticked.remove(machine).is_some(), ()));
        }
    }

    /// Takes over what the page knows, and answers of which others there is news.
    pub(super) fn refresh(self, listing: Listing) -> BTreeSet<i64> {
        let mut outdated = self.outdated.try_update_value(std::mem::take).unwrap_or_default();
        self.ticked.try_update(|ticked| {
            for (id, known) in ticked.iter_mut() {
                if let Some(machine) = listing.machine(*id) {
                    *known = Ticked::from(&machine);
                    outdated.remove(id);
                }
            }
            outdated.retain(|id| ticked.contains_key(id));
        });
        outdated
    }

    /// Reads these anew. What is no more is forgotten.
    ///
    /// # Errors
    /// The answer that did not come; they are still outdated then.
    pub(super) async fn renew(self, listing: Listing, outdated: BTreeSet<i64>) -> Result<(), ApiError> {
        match listing.some(&outdated).await {
            Ok(machines) => {
                let mut newest = TickedMachines::new();
                newest.extend(machines.iter().map(|machine| (machine.id, Ticked::from(machine))));
                self.ticked.try_update(|ticked| {
                    // some may have been cleared meanwhile
                    ticked.retain(|id, _| newest.contains_key(id) || !outdated.contains(id));
                    for (id, known) in ticked.iter_mut() {
                        if let Some(news) = newest.remove(id) {
                            *known = news;
                        }
                    }
                });
                Ok(())
            }
            Err(error) => {
                self.outdated.try_update_value(|known| known.extend(outdated));
                Err(error)
            }
        }
    }

    /// Ticks those again that were ticked when the list was left, as far as they still exist.
    pub(super) fn bring_back(self, listing: Listing, mut ids: BTreeSet<i64>) {
        let shown: Vec<i64> = listing.ids().into_iter().filter(|id| ids.remove(id)).collect();
        self.set(listing, &shown, true);
        if ids.is_empty() {
            return;
        }
        self.coming.set(ids.clone());
        spawn_local(async move {
            if let Ok(machines) = listing.some(&ids).await {
                self.add(&machines);
            }
            self.coming.try_set(BTreeSet::new());
        });
    }

    /// All that are ticked, or about to be.
    pub(super) fn left(self) -> Vec<i64> {
        self.ticked.with(|ticked| ticked.keys().copied().chain(self.coming.get()).collect())
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
        let machine = |netboot| Ticked { netboot, ..Ticked::default() };
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
            ..Ticked::default()
        };
        let mut ticked = TickedMachines::from([(1, machine("m1", &[])), (2, machine("m2", &["ann", "bob"]))]);
        assert_eq!(others(&ticked, "ann"), None);
        assert_eq!(others(&ticked, "eve").unwrap(), "One of them is somebody else's: m2 (ann, bob).");
        ticked.extend((3..9).map(|id| (id, machine(&format!("m{id}"), &["cyd"]))));
        let text = others(&ticked, "eve").unwrap();
        assert_eq!(text, "7 of them are somebody else's: m2 (ann, bob), m3 (cyd), m4 (cyd), m5 (cyd), m6 (cyd) and 2 more.");
    }
}
