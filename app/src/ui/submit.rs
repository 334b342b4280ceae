//! A call that a form or a button makes: busy while it runs, its errors afterwards.

use std::future::Future;

use leptos::{prelude::*, task::spawn_local};

use super::field::FieldState;
use crate::{
    api::{ApiError, InUseBy, Removal},
    gate::SessionGate,
};

const LOGGED_OUT: &str = "You are logged out. Press the button again to log in; what you typed is kept.";

#[derive(Clone, Copy)]
pub(crate) struct Submit {
    busy: RwSignal<bool>,
    errors: RwSignal<Vec<String>>,
    /// What the API said uses the thing that was to be deleted, and what is to become of it at the next try.
    uses: RwSignal<Vec<InUseBy>>,
    removal: RwSignal<Removal>,
    /// None on the server.
    gate: StoredValue<Option<SessionGate>>,
}

impl Submit {
    pub(crate) fn new() -> Self {
        Self {
            busy: RwSignal::new(false),
            errors: RwSignal::new(Vec::new()),
            uses: RwSignal::new(Vec::new()),
            removal: RwSignal::new(Removal::Unused),
            gate: StoredValue::new(use_context()),
        }
    }

    pub(crate) fn busy(self) -> Signal<bool> {
        self.busy.into()
    }

    pub(crate) fn clear(self) {
        self.errors.set(Vec::new());
        self.uses.set(Vec::new());
        self.removal.set(Removal::Unused);
    }

    pub(crate) fn uses(self) -> Signal<Vec<InUseBy>> {
        self.uses.into()
    }

    pub(crate) fn choose(self, removal: Removal) {
        self.removal.set(removal);
    }

    pub(crate) fn removal(self) -> Removal {
        self.removal.get_untracked()
    }

    /// Shows sentences that no call brought.
    pub(crate) fn refuse(self, errors: Vec<String>) {
        self.errors.set(errors);
    }

    /// Starts the call, unless one is running. `done` is called with a success.
    pub(crate) fn run<T: 'static>(self, call: impl Future<Output = Result<T, ApiError>> + 'static, done: impl FnOnce(T) + 'static) {
        self.run_placing(call, |_| None, done);
    }

    /// As [`Submit::run`]; `place` says which field a sentence of the server is about, to be shown there.
    pub(crate) fn run_placing<T: 'static>(
        self,
        call: impl Future<Output = Result<T, ApiError>> + 'static,
        place: impl Fn(&str) -> Option<FieldState> + 'static,
        done: impl FnOnce(T) + 'static,
    ) {
        if self.busy.get_untracked() {
            return;
        }
        self.errors.set(Vec::new());
        self.busy.set(true);
        self.gate.try_with_value(|gate| gate.as_ref().map(SessionGate::ask_again));
        spawn_local(async move {
            let result = call.await;
            // the user may have left the page meanwhile
            if self.busy.try_set(false).is_some() {
                return;
            }
            match result {
                Ok(value) => done(value),
                // the question for the password was put off
                Err(error) if error.is_unauthenticated() => self.errors.set(vec![LOGGED_OUT.into()]),
                Err(error) => {
                    if !error.in_use_by.is_empty() {
                        self.uses.set(error.in_use_by);
                    }
                    let all = if error.errors.is_empty() { vec![error.title] } else { error.errors };
                    let mut rest = Vec::new();
                    for text in all {
                        match place(&text) {
                            Some(field) => field.error.set(Some(text)),
                            None => rest.push(text),
                        }
                    }
                    self.errors.set(rest);
                }
            }
        });
    }
}

/// What went wrong, above the form's buttons.
#[component]
pub(crate) fn SubmitErrors(submit: Submit) -> impl IntoView {
    view! {
        <div role="alert" class="empty:hidden" data-testid="form-errors">
            <Show when=move || !submit.errors.with(Vec::is_empty)>
                <div class="alert alert-error alert-soft py-2">
                    <ul class="list-none">
                        {move || submit.errors.get().into_iter().map(|text| view! { <li>{text}</li> }).collect_view()}
                    </ul>
                </div>
            </Show>
        </div>
    }
}

/// The button that sends a form.
#[component]
pub(crate) fn SubmitButton(
    submit: Submit,
    #[prop(into)] label: Signal<String>,
    #[prop(default = "btn-primary")] class: &'static str,
    #[prop(optional, into)] disabled: Signal<bool>,
    #[prop(optional)] testid: Option<&'static str>,
) -> impl IntoView {
    view! {
        <button type="submit" class=format!("btn btn-sm {class}") disabled=move || submit.busy.get() || disabled.get() data-testid=testid>
            <Show when=move || submit.busy.get()>
                <span class="loading loading-spinner loading-xs"></span>
            </Show>
            {move || label.get()}
        </button>
    }
}
