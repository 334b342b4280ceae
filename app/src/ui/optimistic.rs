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
        let Some(id) = self.next.try_update_value(|next| {
            *next += 1;
            *next
        }) else {
            return;
        };
        self.pending.update(|pending| pending.push((id, Arc::new(change))));
        let task = async move {
            let result = call.await;
            // none when the page was left meanwhile; a refusal is told there as well
            let here = self.pending.try_get_untracked().is_some();
            match result {
                Ok(answer) if here => done(answer),
                Ok(_) => {}
                Err(error) => self.toasts.error(format!("{failed}: {}", error.text())),
            }
            self.pending.try_update(|pending| pending.retain(|(own, _)| *own != id));
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
    use leptos::task::Executor;

    use super::*;

    #[test]
    fn what_is_refused_is_taken_back_and_nothing_else() {
        drop(Executor::init_futures_executor());
        let owner = Owner::new();
        owner.with(|| {
            Toasts::provide();
            let list = Optimistic::<Vec<&str>>::new();
            let refusal = ApiError::new(409, "Conflict", "Conflict", vec!["no".into()]);
            list.run(|all| all.push("a"), std::future::pending::<Result<(), _>>(), |()| (), "a is not added");
            assert_eq!(list.over(vec!["x"]), ["x", "a"]);
            let other = Optimistic::<Vec<&str>>::new();
            other.run(|all| all.push("b"), std::future::ready(Err::<(), _>(refusal)), |()| (), "b is not added");
            assert_eq!(other.over(vec!["x"]), ["x", "b"]);
            Executor::poll_local();
            assert_eq!(other.over(vec!["x"]), ["x"]);
            assert_eq!(list.over(vec!["x"]), ["x", "a"]);
        });
    }
}
