//! Short messages about what happened, at the edge of the window.

use std::{collections::BTreeMap, future::Future, sync::Arc, time::Duration};

use leptos::{leptos_dom::helpers::TimeoutHandle, prelude::*, task::spawn_local};

use super::{
    dom,
    icon::{Glyph, Icon},
};
use crate::api::ApiError;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tone {
    Ok,
    Warning,
    Error,
}

#[derive(Clone, Debug)]
struct Toast {
    id: u32,
    tone: Tone,
    text: String,
    /// Makes it as it was before.
    undo: Option<Callback<()>>,
}

/// Good news leave by themselves; an error stays until somebody has seen it.
const STAY: Duration = Duration::from_secs(6);
/// Somebody has to see that it was wrong, and to get there.
const STAY_WITH_UNDO: Duration = Duration::from_secs(12);
/// Older ones give way.
const MOST: usize = 5;

#[derive(Clone, Copy)]
pub(crate) struct Toasts {
    list: RwSignal<Vec<Toast>>,
    next: StoredValue<u32>,
    /// Of those that will leave by themselves.
    timers: StoredValue<BTreeMap<u32, TimeoutHandle>>,
    /// The application's: a way back outlives what it was offered for, e.g. a notice that goes with it.
    owner: StoredValue<Owner>,
}

impl Toasts {
    pub(crate) fn provide() {
        provide_context(Self {
            list: RwSignal::new(Vec::new()),
            next: StoredValue::new(0),
            timers: StoredValue::new(BTreeMap::new()),
            owner: StoredValue::new(Owner::current().unwrap_or_default()),
        });
    }

    pub(crate) fn ok(self, text: impl Into<String>) {
        self.push(Tone::Ok, text.into(), None);
    }

    /// Good news with a way back: `inverse` is called once if the user wants it, and its outcome is told.
    pub(crate) fn undoable<T: 'static, F>(
        self,
        text: impl Into<String>,
        inverse: impl Fn() -> F + Send + Sync + 'static,
        done: impl Fn(T) + Send + Sync + 'static,
    ) where
        F: Future<Output = Result<T, ApiError>> + 'static,
    {
        self.push(Tone::Ok, text.into(), Some(self.way_back(inverse, done)));
    }

    /// The same of what was done in part only; `undo` is about that part, and made by [`Toasts::way_back`].
    pub(crate) fn undoable_part(self, text: impl Into<String>, undo: Callback<()>) {
        self.push(Tone::Warning, text.into(), Some(undo));
    }

    /// Calls `inverse`, and tells its outcome.
    pub(crate) fn way_back<T: 'static, F>(
        self,
        inverse: impl Fn() -> F + Send + Sync + 'static,
        done: impl Fn(T) + Send + Sync + 'static,
    ) -> Callback<()>
    where
        F: Future<Output = Result<T, ApiError>> + 'static,
    {
        let done = Arc::new(done);
        let undo = move |()| {
            let (inverse, done) = (inverse(), Arc::clone(&done));
            spawn_local(async move {
                match inverse.await {
                    Ok(value) => {
                        done(value);
                        self.ok("Undone.");
                    }
                    Err(error) => self.error(format!("Not undone: {}", error.text())),
                }
            });
        };
        self.owner.get_value().with(|| Callback::new(undo))
    }

    pub(crate) fn warning(self, text: impl Into<String>) {
        self.push(Tone::Warning, text.into(), None);
    }

    pub(crate) fn error(self, text: impl Into<String>) {
        self.push(Tone::Error, text.into(), None);
    }

    fn push(self, tone: Tone, text: String, undo: Option<Callback<()>>) {
        let Some(id) = self.next.try_update_value(|next| {
            *next += 1;
            *next
        }) else {
            return;
        };
        self.list.update(|list| {
            list.push(Toast { id, tone, text, undo });
            let excess = list.len().saturating_sub(MOST);
            list.drain(..excess);
        });
        self.run_out(id);
    }

    /// From now on it stays as long as its kind does, and while the pointer or the focus is on it (WCAG 2.2.1).
    fn run_out(self, id: u32) {
        let stay = self.list.try_with_untracked(|list| {
            let toast = list.iter().find(|toast| toast.id == id && toast.tone != Tone::Error)?;
            Some(if toast.undo.is_some() { STAY_WITH_UNDO } else { STAY })
        });
        let ended = move || if dom::is_used(&element(id)) { self.run_out(id) } else { self.close(id) };
        let Some(Ok(timer)) = stay.flatten().map(|stay| set_timeout_with_handle(ended, stay)) else { return };
        if let Some(before) = self.timers.try_update_value(|timers| timers.insert(id, timer)).flatten() {
            before.clear();
        }
    }

    fn close(self, id: u32) {
        if let Some(timer) = self.timers.try_update_value(|timers| timers.remove(&id)).flatten() {
            timer.clear();
        }
        self.list.try_update(|list| list.retain(|toast| toast.id != id));
    }
}

/// The id in the document.
fn element(id: u32) -> String {
    format!("toast-{id}")
}

#[component]
pub(crate) fn ToastStack() -> impl IntoView {
    let toasts = expect_context::<Toasts>();
    view! {
        // there from the start: a live region that appears together with its text is not read out
        <div class="toast toast-end z-50 whitespace-normal" role="status" aria-live="polite" data-testid="toasts">
            <For each=move || toasts.list.get() key=|toast| toast.id let:toast>
                <div
                    id=element(toast.id)
                    class=format!("alert max-w-md shadow-lg {}", match toast.tone {
                        Tone::Ok => "alert-success",
                        Tone::Warning => "alert-warning",
                        Tone::Error => "alert-error",
                    })
                    data-toast=match toast.tone {
                        Tone::Ok => "ok",
                        Tone::Warning => "warning",
                        Tone::Error => "error",
                    }
                    on:pointerleave=move |_| toasts.run_out(toast.id)
                    on:focusout=move |_| toasts.run_out(toast.id)
                >
                    <Glyph icon=if toast.tone == Tone::Ok { Icon::Check } else { Icon::Warning }/>
                    <span class="min-w-0 wrap-anywhere">{toast.text}</span>
                    {toast.undo.map(|undo| view! {
                        <button
                            type="button"
                            class="btn btn-xs"
                            on:click=move |_| {
                                toasts.close(toast.id);
                                undo.run(());
                            }
                        >
                            "Undo"
                        </button>
                    })}
                    <button type="button" class="btn btn-ghost btn-xs btn-square text-inherit! hover:bg-current/20!" aria-label="Close message" on:click=move |_| toasts.close(toast.id)>
                        <Glyph icon=Icon::Close/>
                    </button>
                </div>
            </For>
        </div>
    }
}
