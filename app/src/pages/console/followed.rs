//! The machine behind a console as the lab has it now, and what stands between it and who looks at the page.

use std::mem;

use leptos::{prelude::*, task::spawn_local};

use crate::{
    api::{self, Api, LabEvent, List, StreamStatus},
    gate::SessionGate,
    live::Live,
    pages::follow::Newest,
};

/// Why there is no console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bar {
    Deleted,
    NotYours,
    NoBmc,
}

impl Bar {
    fn of(machine: &api::Machine, deleted: bool) -> Option<Self> {
        if deleted {
            Some(Self::Deleted)
        } else if !machine.may_change {
            Some(Self::NotYours)
        } else if machine.bmc_id.is_none() {
            Some(Self::NoBmc)
        } else {
            None
        }
    }

    /// For who had the console until now.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Deleted => "The machine has been deleted.",
            Self::NotYours => "The machine is no longer assigned to you.",
            Self::NoBmc => "The machine has no BMC any more, which carried its serial line.",
        }
    }
}

#[derive(Clone, Copy)]
pub(super) struct Followed {
    pub(super) id: i64,
    pub(super) machine: RwSignal<api::Machine>,
    deleted: RwSignal<bool>,
    /// The last answer was that nobody is logged in.
    logged_out: RwSignal<bool>,
    newest: Newest,
    api: StoredValue<Api>,
}

impl Followed {
    /// Follows the lab until the calling component goes.
    pub(super) fn new(machine: api::Machine) -> Self {
        let followed = Self {
            id: machine.id,
            machine: RwSignal::new(machine),
            deleted: RwSignal::new(false),
            logged_out: RwSignal::new(false),
            newest: Newest::new(),
            api: StoredValue::new(expect_context()),
        };
        let live = expect_context::<Live>();
        // what has come with the document is as new as the stream's first message
        let connected_before = StoredValue::new(live.status().get_untracked() == Some(StreamStatus::Open));
        live.listen(move |event| match event {
            LabEvent::Snapshot { .. } if connected_before.try_update_value(|before| mem::replace(before, true)).unwrap_or(false) => {
                followed.ask();
            }
            LabEvent::Changed { machine } if *machine == followed.id => followed.ask(),
            // who was made an administrator, or is none any more
            LabEvent::List { list: List::User } | LabEvent::Resync => followed.ask(),
            LabEvent::Removed { machine } if *machine == followed.id => {
                followed.deleted.try_set(true);
            }
            _ => {}
        });
        // while nobody was logged in nothing was told of the machine
        let logins = use_context::<SessionGate>().unwrap_or_default().logins();
        Effect::new(move |before: Option<u32>| {
            let now = logins.get();
            if before.is_some_and(|before| before != now) {
                followed.ask();
            }
            now
        });
        followed
    }

    /// Asks for the machine again.
    pub(super) fn ask(self) {
        let (Some(question), Some(api)) = (self.newest.ask(), self.api.try_get_value()) else { return };
        spawn_local(async move {
            let answer = api.machine(self.id).await;
            if !question.is_newest() {
                return;
            }
            self.logged_out.try_set(answer.as_ref().is_err_and(api::ApiError::is_unauthenticated));
            match answer {
                Ok(machine) => {
                    self.machine.try_set(machine);
                }
                Err(error) if error.is_not_found() => {
                    self.deleted.try_set(true);
                }
                // the server is away: the next connection brings the next try
                Err(_) => {}
            }
        });
    }

    pub(super) fn bar(self) -> Memo<Option<Bar>> {
        Memo::new(move |_| self.machine.with(|machine| Bar::of(machine, self.deleted.get())))
    }

    /// Whether there is no session, as far as is known: what needs one is refused until somebody logs in.
    pub(super) fn ended(self) -> Memo<bool> {
        let gate = use_context::<SessionGate>().unwrap_or_default();
        let (asking, put_off) = (gate.asking(), gate.put_off());
        Memo::new(move |_| asking.get() || put_off.get() || self.logged_out.get())
    }

    pub(super) fn name(self) -> String {
        self.machine.with(|machine| machine.name.clone())
    }

    pub(super) fn title(self) -> String {
        format!("Console of {}", self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::machine::sample;

    #[test]
    fn what_stands_between_is_the_first_that_counts() {
        let mine = sample();
        assert_eq!(Bar::of(&mine, false), None);
        let without = api::Machine { bmc_id: None, ..mine };
        assert_eq!(Bar::of(&without, false), Some(Bar::NoBmc));
        let theirs = api::Machine { may_change: false, ..without };
        assert_eq!(Bar::of(&theirs, false), Some(Bar::NotYours));
        assert_eq!(Bar::of(&theirs, true), Some(Bar::Deleted));
    }
}
