//! What keeps a list of other things than machines up to date.

use std::{future::Future, mem, time::Duration};

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

/// How often something is asked for that no message tells of.
const NOW_AND_THEN: Duration = Duration::from_secs(30);

/// Keeps up with what no message of the lab tells of, until the calling component goes: asks again when the user comes back to the window,
/// and now and then while they can see it.
pub(super) fn keep_up<T, F>(fetch: impl Fn(Api) -> F + Copy + Send + Sync + 'static, put: impl Fn(T) + Copy + Send + Sync + 'static)
where
    T: 'static,
    F: Future<Output = Result<T, ApiError>> + 'static,
{
    let api = StoredValue::new(expect_context::<Api>());
    let seldom = Seldom::new();
    let newest = Newest::new();
    let ask = move || {
        let (Some(question), Some(api)) = (newest.ask(), api.try_get_value()) else { return };
        spawn_local(async move {
            if let Ok(now) = fetch(api).await
                && question.is_newest()
            {
                put(now);
            }
        });
    };
    on_return(move || seldom.run(ask));
    Effect::new(move |_| {
        let tick = move || {
            if !document().hidden() {
                seldom.run(ask);
            }
        };
        if let Ok(timer) = set_interval_with_handle(tick, NOW_AND_THEN) {
            on_cleanup(move || timer.clear());
        }
    });
}

/// Counts questions, so that the answer to an older one than the newest is known, and dropped. Ends with the calling component.
#[derive(Clone, Copy)]
pub(super) struct Newest(StoredValue<u64>);

impl Newest {
    pub(super) fn new() -> Self {
        Self(StoredValue::new(0))
    }

    /// One more. None: the page was left.
    pub(super) fn ask(self) -> Option<Question> {
        let number = self.0.try_update_value(|count| {
            *count += 1;
            *count
        })?;
        Some(Question { among: self, number })
    }
}

/// What an answer is to.
#[derive(Clone, Copy)]
pub(super) struct Question {
    among: Newest,
    number: u64,
}

impl Question {
    /// Whether the answer counts: nothing was asked since, and the page is still there.
    pub(super) fn is_newest(self) -> bool {
        self.among.0.try_get_value() == Some(self.number)
    }
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
    let newest = Newest::new();
    let live = expect_context::<Live>();
    let connected_before = StoredValue::new(live.status().get_untracked() == Some(StreamStatus::Open));
    let ask = move || {
        let (Some(question), Some(api)) = (newest.ask(), api.try_get_value()) else { return };
        spawn_local(async move {
            // a failure shows as "connection lost"; the connection after it brings the next try
            if let Ok(list) = fetch(api).await
                && question.is_newest()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_answer_to_the_newest_question_counts_and_none_when_the_page_was_left() {
        let page = Owner::new();
        let newest = page.with(Newest::new);
        let (first, second) = (newest.ask().unwrap(), newest.ask().unwrap());
        assert!(!first.is_newest());
        assert!(second.is_newest());
        page.cleanup();
        assert!(!second.is_newest());
        assert!(newest.ask().is_none());
    }
}
