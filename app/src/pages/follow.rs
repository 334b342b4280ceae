//! What keeps what a page lists up to date: machines one by one, other lists as a whole.

use std::{collections::BTreeSet, future::Future, mem, sync::Arc, time::Duration};

use leptos::{prelude::*, task::spawn_local};

use crate::{
    api::{Api, ApiError, LabEvent, List, Machine},
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
        LabEvent::Power { .. } | LabEvent::State { .. } | LabEvent::BmcHealth { .. } | LabEvent::Event { .. } | LabEvent::List { .. } => {}
    });
}

/// Asks for a list again whenever the lab says that something of it has changed, and hands it to `put`, until the calling component goes.
pub(super) fn follow_list<T, F>(
    lists: &'static [List],
    fetch: impl Fn(Api) -> F + Copy + Send + Sync + 'static,
    put: impl Fn(T) + Copy + Send + Sync + 'static,
) where
    T: 'static,
    F: Future<Output = Result<T, ApiError>> + 'static,
{
    let api = StoredValue::new(expect_context::<Api>());
    let due = StoredValue::new(false);
    // answers may overtake each other
    let (asked, shown) = (StoredValue::new(0_u64), StoredValue::new(0_u64));
    let connected_before = StoredValue::new(false);
    let ask = move || {
        if due.try_update_value(|due| mem::replace(due, true)) != Some(false) {
            return;
        }
        let fire = move || {
            let number = asked.try_update_value(|asked| {
                *asked += 1;
                *asked
            });
            // the page may have gone meanwhile
            let (Some(number), Some(api)) = (number, api.try_get_value()) else { return };
            due.try_set_value(false);
            spawn_local(async move {
                // a failure shows as "connection lost"; the next snapshot brings the next try
                let Ok(list) = fetch(api).await else { return };
                if shown.try_get_value().is_some_and(|shown| shown < number) {
                    shown.try_set_value(number);
                    put(list);
                }
            });
        };
        set_timeout(fire, GATHER);
    };
    expect_context::<Live>().listen(move |event| match event {
        LabEvent::List { list } if lists.contains(list) => ask(),
        LabEvent::Snapshot { .. } => {
            // the first one comes with the page
            if connected_before.try_update_value(|before| mem::replace(before, true)).unwrap_or(false) {
                ask();
            }
        }
        LabEvent::Resync => ask(),
        _ => {}
    });
}
