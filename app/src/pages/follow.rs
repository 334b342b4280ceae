//! What keeps a list of other things than machines up to date.

use std::{future::Future, mem};

use leptos::{prelude::*, task::spawn_local};

use super::seldom::Seldom;
use crate::{
    api::{Api, ApiError, LabEvent, List, StreamStatus},
    live::Live,
};

/// Does it whenever the user comes back to the window, until the calling component goes.
pub(super) fn on_return(action: impl Fn() + Clone + 'static) {
    Effect::new(move |_| {
        let action = action.clone();
        let handle = window_event_listener_untyped("focus", move |_| action());
        on_cleanup(move || handle.remove());
    });
}

/// Asks for a list again when the lab says that something of it has changed, and hands it to `put`, until the calling component goes.
pub(super) fn follow_list<T, F>(
    lists: &'static [List],
    fetch: impl Fn(Api) -> F + Copy + Send + Sync + 'static,
    put: impl Fn(T) + Copy + Send + Sync + 'static,
) where
    T: 'static,
    F: Future<Output = Result<T, ApiError>> + 'static,
{
    let api = StoredValue::new(expect_context::<Api>());
    let seldom = Seldom::new();
    // older answers than the newest question's are dropped
    let newest = StoredValue::new(0_u64);
    let live = expect_context::<Live>();
    let connected_before = StoredValue::new(live.status().get_untracked() == Some(StreamStatus::Open));
    let ask = move || {
        let question = newest.try_update_value(|newest| {
            *newest += 1;
            *newest
        });
        let (Some(question), Some(api)) = (question, api.try_get_value()) else { return };
        spawn_local(async move {
            // a failure shows as "connection lost"; the connection after it brings the next try
            if let Ok(list) = fetch(api).await
                && newest.try_get_value() == Some(question)
            {
                put(list);
            }
        });
    };
    live.listen(move |event| {
        let due = match event {
            LabEvent::List { list } => lists.contains(list),
            // what has come with the document is as new as the first one
            LabEvent::Snapshot { .. } => connected_before.try_update_value(|before| mem::replace(before, true)).unwrap_or(false),
            LabEvent::Resync => true,
            _ => false,
        };
        if due {
            seldom.run(ask);
        }
    });
}
