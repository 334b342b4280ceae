//! A dialog does not close over a call that it waits for.

use std::time::Duration;

use leptos::prelude::*;

use super::{page::Notice, submit::Submit};

/// After so long the user may go on with something else.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a dialog and the form within it know of each other.
#[derive(Clone, Copy)]
pub(super) struct Asking {
    pub(super) open: RwSignal<bool>,
    /// What is asked for, for a message when the dialog has gone.
    pub(super) about: Signal<String>,
    /// Whether the form waits for an answer.
    pub(super) busy: RwSignal<bool>,
}

impl Asking {
    /// Tells the dialog of the form's call, as long as the form is drawn.
    pub(super) fn hold(self, busy: Signal<bool>) {
        Effect::new(move |_| {
            self.busy.try_set(busy.get());
        });
        on_cleanup(move || {
            self.busy.try_set(false);
        });
    }
}

/// The way out of a dialog whose call takes long.
#[component]
pub(super) fn Waiting(asking: Asking, submit: Submit) -> impl IntoView {
    let late = RwSignal::new(false);
    let busy = submit.busy();
    Effect::new(move |_| {
        late.set(false);
        if !busy.get() {
            return;
        }
        let told = move || {
            late.try_set(true);
        };
        if let Ok(timer) = set_timeout_with_handle(told, PATIENCE) {
            on_cleanup(move || timer.clear());
        }
    });
    let close = move |_| {
        submit.leave();
        asking.open.set(false);
    };
    view! {
        // there from the start: it is read out when it gets its text
        <div role="status" class="empty:hidden">
            <Show when=move || late.try_get().unwrap_or(false)>
                <div data-testid="still-waiting">
                    <Notice tone="alert-info">
                        "Still waiting for the server. You may " <button type="button" class="link" on:click=close>"close this"</button>
                        ": a message then says what came of it."
                    </Notice>
                </div>
            </Show>
        </div>
    }
}
