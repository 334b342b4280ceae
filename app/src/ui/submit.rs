//! A call that a form or a button makes: busy while it runs, its errors afterwards.

use std::future::Future;

use leptos::{html, prelude::*, task::spawn_local};

use super::{dom, field::FieldState};
use crate::{
    api::{ApiError, InUseBy, Removal},
    gate::SessionGate,
};

/// What was chosen instead did not help; the API's sentence would name all of them once more.
const STILL_IN_USE: &str = "It is still in use by those above, and was not deleted. Choose something else for them.";
const LOGGED_OUT: &str = "You are logged out. Press the button again to log in; what you typed is kept.";

#[derive(Clone, Copy)]
pub(crate) struct Submit {
    busy: RwSignal<bool>,
    errors: RwSignal<Vec<String>>,
    /// What the API said uses the thing that was to be deleted, and what is to become of it at the next try.
    uses: RwSignal<Vec<InUseBy>>,
    removal: RwSignal<Removal>,
    /// Whether the uses are listed, so that no sentence need name them.
    lists_uses: StoredValue<bool>,
    /// Calls that have ended.
    answers: RwSignal<u32>,
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
            lists_uses: StoredValue::new(false),
            answers: RwSignal::new(0),
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

    /// Somebody draws [`Submit::uses`].
    pub(crate) fn list_uses(self) {
        self.lists_uses.set_value(true);
    }

    /// Something uses the thing, and nothing was chosen for it yet.
    pub(crate) fn undecided(self) -> bool {
        !self.uses.with(Vec::is_empty) && self.removal.get() == Removal::Unused
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
                    let listed = !error.in_use_by.is_empty() && self.lists_uses.get_value();
                    let all = match self.removal.get_untracked() {
                        Removal::Unused if listed => Vec::new(),
                        _ if listed => vec![STILL_IN_USE.to_owned()],
                        _ if error.errors.is_empty() => vec![error.title],
                        _ => error.errors,
                    };
                    if !error.in_use_by.is_empty() {
                        self.uses.set(error.in_use_by);
                    }
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
            self.answers.try_update(|answers| *answers += 1);
        });
    }
}

/// Whether a sentence of the server says that a name is taken.
pub(crate) fn is_of_name(error: &str) -> bool {
    error.contains("with this name")
}

/// A form whose fields are checked by their own rules: the browser's bubbles would say it in other words. Who is refused finds the
/// focus in the first field that is wrong.
#[component]
pub(crate) fn SubmitForm(
    submit: Submit,
    /// Checks the fields and starts the call.
    #[prop(into)]
    send: Callback<()>,
    #[prop(default = "flex flex-col gap-3")] class: &'static str,
    /// For a form that must not become part of an address, should the browser ever send it by itself.
    #[prop(optional)]
    method: Option<&'static str>,
    #[prop(optional)] autocomplete: Option<&'static str>,
    #[prop(optional)] testid: Option<&'static str>,
    children: Children,
) -> impl IntoView {
    let node = NodeRef::<html::Form>::new();
    // when the fields have been drawn with what is wrong with them
    let focus = move || {
        request_animation_frame(move || {
            if let Some(form) = node.try_get_untracked().flatten() {
                dom::focus_refused(&form);
            }
        });
    };
    Effect::new(move |before: Option<u32>| {
        let answers = submit.answers.get();
        if before.is_some_and(|before| before != answers) {
            focus();
        }
        answers
    });
    let sent = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        // what the last try was refused for may not be so any more
        submit.errors.set(Vec::new());
        let readable = node.get_untracked().is_none_or(|form| dom::is_readable(&form));
        if readable {
            send.run(());
        }
        if !submit.busy.try_get_untracked().unwrap_or_default() {
            focus();
        }
    };
    view! {
        <form node_ref=node class=class method=method autocomplete=autocomplete data-testid=testid novalidate on:submit=sent>
            {children()}
        </form>
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
