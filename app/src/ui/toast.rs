//! Short messages about what happened, at the edge of the window.

use std::time::Duration;

use leptos::prelude::*;

use super::icon::{Glyph, Icon};

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
}

/// Good news leave by themselves; an error stays until somebody has seen it.
const STAY: Duration = Duration::from_secs(6);
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
        self.push(Tone::Ok, text.into());
    }

    pub(crate) fn warning(self, text: impl Into<String>) {
        self.push(Tone::Warning, text.into());
    }

    pub(crate) fn error(self, text: impl Into<String>) {
        self.push(Tone::Error, text.into());
    }

    fn push(self, tone: Tone, text: String) {
        let Some(id) = self.next.try_update_value(|next| {
            *next += 1;
            *next
        }) else {
            return;
        };
        self.list.update(|list| {
            list.push(Toast { id, tone, text });
            let excess = list.len().saturating_sub(MOST);
            list.drain(..excess);
        });
        if tone != Tone::Error {
            set_timeout(move || self.close(id), STAY);
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
        <div class="toast toast-end z-50 max-w-full whitespace-normal" role="status" aria-live="polite" data-testid="toasts">
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
                    <span class="break-words">{toast.text}</span>
                    <button type="button" class="btn btn-ghost btn-xs btn-square" aria-label="Close message" on:click=move |_| toasts.close(toast.id)>
                        <Glyph icon=Icon::Close/>
                    </button>
                </div>
            </For>
        </div>
    }
}
