//! Short messages about what happened, at the edge of the window.

use std::{future::Future, sync::Arc, time::Duration};

use leptos::{prelude::*, task::spawn_local};

use super::icon::{Glyph, Icon};
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
}

impl Toasts {
    pub(crate) fn provide() {
        provide_context(Self { list: RwSignal::new(Vec::new()), next: StoredValue::new(0) });
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

    /// The same of what was done in part only; `inverse` is about that part.
    pub(crate) fn undoable_part<T: 'static, F>(
        self,
        text: impl Into<String>,
        inverse: impl Fn() -> F + Send + Sync + 'static,
        done: impl Fn(T) + Send + Sync + 'static,
    ) where
        F: Future<Output = Result<T, ApiError>> + 'static,
    {
        self.push(Tone::Warning, text.into(), Some(self.way_back(inverse, done)));
    }

    fn way_back<T: 'static, F>(
        self,
        inverse: impl Fn() -> F + Send + Sync + 'static,
        done: impl Fn(T) + Send + Sync + 'static,
    ) -> Callback<()>
    where
        F: Future<Output = Result<T, ApiError>> + 'static,
    {
        let done = Arc::new(done);
        Callback::new(move |()| {
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
        })
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
        if tone != Tone::Error {
            set_timeout(move || self.close(id), if undo.is_some() { STAY_WITH_UNDO } else { STAY });
        }
    }

    fn close(self, id: u32) {
        self.list.try_update(|list| list.retain(|toast| toast.id != id));
    }
}

#[component]
pub(crate) fn ToastStack() -> impl IntoView {
    let toasts = expect_context::<Toasts>();
    view! {
        // there from the start: a live region that appears together with its text is not read out
        <div class="toast toast-end z-50 whitespace-normal" role="status" aria-live="polite" data-testid="toasts">
            <For each=move || toasts.list.get() key=|toast| toast.id let:toast>
                <div
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
