//! A call that a form or a button makes: busy while it runs, its errors afterwards.

use std::future::Future;

use leptos::{html, prelude::*, task::spawn_local};

use super::{
    dom,
    field::FieldState,
    off::Off,
    toast::Toasts,
    waiting::{Asking, Waiting},
};
use crate::{
    api::{ApiError, Edit, InUseBy, Removal},
    gate::SessionGate,
};

/// What was chosen instead did not help; the API's sentence follows.
const STILL_IN_USE: &str = "It is still in use by those above, and was not deleted. Choose something else for them.";
/// From so many users on a sentence does not name them all once more.
const MANY_USERS: usize = 10;
const LOGGED_OUT: &str = "You are logged out. Press the button again to log in; what you typed is kept.";
const OVERTAKEN: &str = "It was changed elsewhere meanwhile.";

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
    /// Which question the form asks: an answer belongs to its own.
    round: StoredValue<u32>,
    /// Whether the user went on before the answer came.
    left: StoredValue<bool>,
    absent: StoredValue<Absent>,
    /// None on the server.
    gate: StoredValue<Option<SessionGate>>,
}

/// Tells of an answer that no form waits for any more.
#[derive(Clone)]
struct Absent {
    toasts: Option<Toasts>,
    /// What was asked for. None: nobody misses the answer.
    name: Option<String>,
}

impl Absent {
    fn tell(&self, outcome: Result<(), String>) {
        let (Some(toasts), Some(name)) = (self.toasts, &self.name) else { return };
        match outcome {
            Ok(()) => toasts.ok(format!("Done: “{name}”.")),
            Err(why) => toasts.error(format!("Not done: “{name}”. {why}")),
        }
    }
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
            round: StoredValue::new(0),
            left: StoredValue::new(false),
            absent: StoredValue::new(Absent { toasts: use_context(), name: None }),
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

    /// For another question in the same form. The answer to the last one, should it still be to come, changes nothing of the form.
    pub(crate) fn renew(self) {
        self.round.update_value(|round| *round += 1);
        self.busy.set(false);
        self.clear();
    }

    /// What is asked for, as the message names it that tells of an answer when the form has gone. A dialog's form has the dialog's name.
    pub(crate) fn name(self, what: impl Into<String>) {
        let what = what.into();
        self.absent.update_value(|absent| absent.name = Some(what));
    }

    /// The user does not wait here for the answer.
    pub(super) fn leave(self) {
        self.left.set_value(true);
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

    /// As [`Submit::removal`], followed.
    pub(crate) fn chosen(self) -> Removal {
        self.removal.get()
    }

    /// Shows sentences that no call brought.
    pub(crate) fn refuse(self, errors: Vec<String>) {
        self.errors.set(errors);
    }

    /// Starts the call, unless one is running. `done` is called with a success.
    pub(crate) fn run<T: 'static>(self, call: impl Future<Output = Result<T, ApiError>> + 'static, done: impl FnOnce(T) + 'static) {
        self.run_placing(call, |_| None, done);
    }

    /// As [`Submit::run`], for a form that others may have open as well.
    pub(crate) fn save<T: 'static>(
        self,
        call: impl Future<Output = Result<Edit<T>, ApiError>> + 'static,
        done: impl FnOnce(Edit<T>) + 'static,
    ) {
        self.save_placing(call, |_| None, done);
    }

    /// As [`Submit::save`]; `place` as in [`Submit::run_placing`].
    pub(crate) fn save_placing<T: 'static>(
        self,
        call: impl Future<Output = Result<Edit<T>, ApiError>> + 'static,
        place: impl Fn(&str) -> Option<FieldState> + 'static,
        done: impl FnOnce(Edit<T>) + 'static,
    ) {
        self.run_judged(call, place, was_overtaken, done);
    }

    /// As [`Submit::run`]; `place` says which field a sentence of the server is about, to be shown there.
    pub(crate) fn run_placing<T: 'static>(
        self,
        call: impl Future<Output = Result<T, ApiError>> + 'static,
        place: impl Fn(&str) -> Option<FieldState> + 'static,
        done: impl FnOnce(T) + 'static,
    ) {
        self.run_judged(call, place, |_| None, done);
    }

    /// As [`Submit::run_placing`]; `refusal` says why an answer is no success though the call was one.
    pub(crate) fn run_judged<T: 'static>(
        self,
        call: impl Future<Output = Result<T, ApiError>> + 'static,
        place: impl Fn(&str) -> Option<FieldState> + 'static,
        refusal: fn(&T) -> Option<&'static str>,
        done: impl FnOnce(T) + 'static,
    ) {
        if self.busy.get_untracked() {
            return;
        }
        self.errors.set(Vec::new());
        self.busy.set(true);
        self.left.set_value(false);
        self.gate.try_with_value(|gate| gate.as_ref().map(SessionGate::ask_again));
        let (round, absent) = (self.round.get_value(), self.absent.get_value());
        spawn_local(async move {
            let result = call.await;
            // the user may have left the page meanwhile, or the form ask something else
            if self.round.try_get_value() != Some(round) {
                let answer = result.map_err(|error| error.text());
                absent.tell(answer.and_then(|value| refusal(&value).map_or(Ok(()), |why| Err(why.to_owned()))));
                return;
            }
            self.busy.set(false);
            match result {
                Ok(value) => done(value),
                Err(error) if self.left.get_value() => absent.tell(Err(error.text())),
                // the question for the password was put off
                Err(error) if error.is_unauthenticated() => self.errors.set(vec![LOGGED_OUT.into()]),
                Err(error) => self.show(error, place),
            }
            self.answers.try_update(|answers| *answers += 1);
        });
    }

    fn show(self, error: ApiError, place: impl Fn(&str) -> Option<FieldState>) {
        let listed = !error.in_use_by.is_empty() && self.lists_uses.get_value();
        let all = match self.removal.get_untracked() {
            Removal::Unused if listed => Vec::new(),
            _ if listed => still_in_use(&error),
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

/// Why it was not deleted though something was chosen for its users: the API's words, and what to do.
fn still_in_use(error: &ApiError) -> Vec<String> {
    let users = &error.in_use_by;
    let brief = |sentence: &String| match sentence.split_once(" is in use by ") {
        Some((what, _)) if users.len() > MANY_USERS => format!("{what} is in use by {} of them", users.len()),
        _ => sentence.clone(),
    };
    let mut all = vec![STILL_IN_USE.to_owned()];
    all.extend(error.errors.iter().map(brief));
    if error.errors.iter().any(|sentence| sentence.starts_with("the bootloader of ")) {
        let names = users.iter().take(MANY_USERS).map(|user| user.name.as_str()).collect::<Vec<_>>().join(", ");
        let rest = users.len().saturating_sub(MANY_USERS);
        let names = if rest == 0 { names } else { format!("{names} and {rest} more") };
        all.push(format!(
            "Who boots from the network needs a bootloader: switch netboot off on {names} first, or choose one with a bootloader."
        ));
    }
    all
}

/// Why nothing was saved after all, for [`Submit::run_judged`].
pub(crate) fn was_overtaken<T>(answer: &Edit<T>) -> Option<&'static str> {
    matches!(answer, Edit::Overtaken(_)).then_some(OVERTAKEN)
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
    let dialog = use_context::<Asking>();
    if let Some(dialog) = dialog {
        dialog.hold(submit.busy());
    }
    let sent = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if let Some(dialog) = dialog {
            submit.name(dialog.about.get_untracked());
        }
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

/// What went wrong, or takes long, above the form's buttons.
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
        {use_context::<Asking>().map(|asking| view! { <Waiting asking submit/> })}
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
    let off = Off::new(submit.busy(), disabled);
    // also for Enter in a field, which presses it
    let pressed = move |event: leptos::ev::MouseEvent| {
        if off.is() {
            event.prevent_default();
        }
    };
    view! {
        <button
            type="submit"
            class=format!("btn btn-sm {class}")
            disabled=move || off.hard()
            aria-disabled=move || off.soft()
            on:focus=move |_| off.focus(true)
            on:blur=move |_| off.focus(false)
            on:click=pressed
            data-testid=testid
        >
            <Show when=move || submit.busy.get()>
                <span class="loading loading-spinner loading-xs"></span>
            </Show>
            {move || label.get()}
        </button>
    }
}

#[cfg(test)]
mod tests {
    use super::{STILL_IN_USE, still_in_use};
    use crate::api::{ApiError, InUseBy};

    fn refused(sentence: &str, count: i64) -> Vec<String> {
        let user = |id| InUseBy { kind: "machine".into(), role: "subarch".into(), id, name: format!("m{id}"), addresses: Vec::new() };
        let error = ApiError::new(409, "Conflict", "InUse", vec![sentence.to_owned()]);
        still_in_use(&ApiError { in_use_by: (1..=count).map(user).collect(), ..error })
    }

    #[test]
    fn who_boots_by_it_is_told_what_to_do() {
        let told = refused("the bootloader of uefi is in use by machine m1, machine m2", 2);
        assert_eq!(told[..2], [STILL_IN_USE, "the bootloader of uefi is in use by machine m1, machine m2"]);
        assert!(told[2].contains("switch netboot off on m1, m2 first"), "{told:?}");
        assert_eq!(refused("architecture arm64 is in use by machine m1", 1).len(), 2);
    }

    #[test]
    fn many_are_counted() {
        let told = refused("the bootloader of uefi is in use by machine m1, machine m2, and so on", 12);
        assert_eq!(told[1], "the bootloader of uefi is in use by 12 of them");
        assert!(told[2].contains("m10 and 2 more first"), "{told:?}");
    }
}
