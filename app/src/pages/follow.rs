//! What keeps the machines that a page lists up to date.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use leptos::{prelude::*, task::spawn_local};

use crate::{
    api::{Api, LabEvent, Machine},
    live::Live,
};

/// The machines a page has loaded.
pub(super) trait Listing: Send + Sync + 'static {
    /// A new or changed one.
    fn put(&self, machine: Machine);

    /// All of them anew.
    fn replace(&self, machines: Vec<Machine>);

    fn remove(&self, id: i64);

    fn holds_exactly(&self, ids: &BTreeSet<i64>) -> bool;
}

/// How long changes are gathered before they are asked for.
const GATHER: Duration = Duration::from_millis(150);
/// More than these at once: the whole list is the smaller request.
const ONE_BY_ONE: usize = 8;

/// Keeps a list up to date with the stream until the calling component goes.
pub(super) fn follow(list: Arc<dyn Listing>) {
    let live = expect_context::<Live>();
    let api = expect_context::<Api>();
    let changed = StoredValue::new(BTreeSet::<i64>::new());
    let connected_before = StoredValue::new(false);
    let load_all = {
        let (api, list) = (api.clone(), list.clone());
        move || {
            let (api, list) = (api.clone(), list.clone());
            spawn_local(async move {
                // a failure shows as "connection lost"; the next snapshot brings the next try
                if let Ok(machines) = api.machines(true).await {
                    list.replace(machines);
                }
            });
        }
    };
    live.listen(move |event| match event {
        LabEvent::Snapshot { machines, .. } => {
            let again = connected_before.try_update_value(|before| std::mem::replace(before, true)).unwrap_or(true);
            // between the page's rendering and the first connection machines may have come or gone
            if again || !list.holds_exactly(&machines.iter().map(|status| status.machine).collect()) {
                load_all();
            }
        }
        LabEvent::Resync => load_all(),
        LabEvent::Removed { machine } => list.remove(*machine),
        LabEvent::Changed { machine } => {
            let first = changed
                .try_update_value(|changed| {
                    let first = changed.is_empty();
                    changed.insert(*machine);
                    first
                })
                .unwrap_or(false);
            if first {
                let (api, list, load_all) = (api.clone(), list.clone(), load_all.clone());
                set_timeout(
                    move || {
                        let ids = changed.try_update_value(std::mem::take).unwrap_or_default();
                        if ids.len() > ONE_BY_ONE {
                            load_all();
                            return;
                        }
                        spawn_local(async move {
                            for id in ids {
                                match api.machine(id).await {
                                    Ok(machine) => list.put(machine),
                                    Err(error) if error.is_not_found() => list.remove(id),
                                    Err(_) => {}
                                }
                            }
                        });
                    },
                    GATHER,
                );
            }
        }
        LabEvent::Power { .. } | LabEvent::State { .. } | LabEvent::BmcHealth { .. } | LabEvent::Event { .. } => {}
    });
}
