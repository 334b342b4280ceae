//! Changes that are shown before the server has agreed to them, and taken back with its reason when it does not.

use std::{collections::VecDeque, future::Future, pin::Pin, sync::Arc};

use leptos::{prelude::*, task::spawn_local};
use send_wrapper::SendWrapper;

use super::toast::Toasts;
use crate::api::ApiError;

type Patch<T> = Arc<dyn Fn(&mut T) + Send + Sync>;
/// Stays on the browser's one thread; the server has none, and drops an empty queue on whichever thread it likes.
type Task = SendWrapper<Pin<Box<dyn Future<Output = ()>>>>;

/// Laid over what the server said last of a thing. The calls are made one after the other, so that of two changes of the same
/// switch the later one holds.
pub(crate) struct Optimistic<T: 'static> {
    pending: RwSignal<Vec<(u32, Patch<T>)>>,
    next: StoredValue<u32>,
    queue: StoredValue<VecDeque<Task>>,
    running: StoredValue<bool>,
    toasts: Toasts,
}

impl<T> Clone for Optimistic<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Optimistic<T> {}

impl<T: 'static> Optimistic<T> {
    pub(crate) fn new() -> Self {
        Self {
            pending: RwSignal::new(Vec::new()),
            next: StoredValue::new(0),
            queue: StoredValue::new(VecDeque::new()),
            running: StoredValue::new(false),
            toasts: expect_context(),
        }
    }

    /// The thing as it will be when everything asked for is done.
    pub(crate) fn over(self, mut known: T) -> T {
        self.pending.with(|pending| pending.iter().for_each(|(_, patch)| patch(&mut known)));
        known
    }

    fn lay(self, change: impl Fn(&mut T) + Send + Sync + 'static) -> Option<u32> {
        let id = self.next.try_update_value(|next| {
            *next += 1;
            *next
        })?;
        self.pending.update(|pending| pending.push((id, Arc::new(change))));
        Some(id)
    }

    fn take_away(self, id: u32) {
        self.pending.try_update(|pending| pending.retain(|(own, _)| *own != id));
    }

    /// Shows the change at once and makes the call. `done` takes the answer over into what is known. `failed` says what is not so
    /// after all, before the reason: "Netboot is not switched on".
    pub(crate) fn run<A: 'static>(
        self,
        change: impl Fn(&mut T) + Send + Sync + 'static,
        call: impl Future<Output = Result<A, ApiError>> + 'static,
        done: impl FnOnce(A) + 'static,
        failed: impl Into<String>,
    ) {
        let failed = failed.into();
        let Some(id) = self.lay(change) else { return };
        let task = async move {
            let result = call.await;
            // none when the page was left meanwhile; a refusal is told there as well
            let here = self.pending.try_get_untracked().is_some();
            match result {
                Ok(answer) if here => done(answer),
                Ok(_) => {}
                Err(error) => self.toasts.error(format!("{failed}: {}", error.text())),
            }
            self.take_away(id);
        };
        self.queue.update_value(|queue| queue.push_back(SendWrapper::new(Box::pin(task))));
        if self.running.get_value() {
            return;
        }
        self.running.set_value(true);
        spawn_local(async move {
            while let Some(task) = self.queue.try_update_value(VecDeque::pop_front).flatten() {
                task.await;
            }
            self.running.try_set_value(false);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_is_taken_back_and_nothing_else() {
        let owner = Owner::new();
        owner.with(|| {
            Toasts::provide();
            let list = Optimistic::<Vec<&str>>::new();
            let first = list.lay(|all| all.push("a")).unwrap();
            list.lay(|all| all.push("b")).unwrap();
            assert_eq!(list.over(vec!["x"]), ["x", "a", "b"]);
            list.take_away(first);
            // whatever the server has meanwhile
            assert_eq!(list.over(vec!["y"]), ["y", "b"]);
        });
    }
}
