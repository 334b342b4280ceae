//! What was typed and is not saved yet is not lost without a question.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use super::{
    dialog::{Dialog, FormEnd},
    dom,
    submit::Submit,
};

const NOT_SAVED: &str = "What you have changed on this page is not saved and would be lost.";

/// Stands on a page whose form may be `dirty`: as long as it is, whoever follows a link or goes back is asked. Before the whole
/// application is left or loaded anew, the browser asks by itself.
#[component]
pub(crate) fn Unsaved(
    #[prop(into)] dirty: Signal<bool>,
    /// What would be lost.
    #[prop(default = Signal::stored(NOT_SAVED), into)]
    text: Signal<&'static str>,
) -> impl IntoView {
    let open = RwSignal::new(false);
    let submit = Submit::new();
    let search = use_location().search;
    Effect::new(move |_| {
        // Back is undone by the address as it is now
        search.track();
        if dirty.get() {
            dom::hold_page();
            on_cleanup(dom::release_page);
        } else if open.get_untracked() {
            // saved behind the question, by an upload for instance: there is nothing to lose any more
            open.set(false);
        }
    });
    Effect::new(move |_| {
        let handle = window_event_listener_untyped("leaving", move |_| {
            open.try_set(true);
        });
        on_cleanup(move || handle.remove());
    });
    let leave = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        open.set(false);
        dom::leave_page();
    };
    view! {
        <Dialog open title="Leave without saving?" testid="unsaved">
            <form class="flex flex-col gap-3" on:submit=leave>
                <p>{move || text.get()}</p>
                <FormEnd open submit label="Leave" class="btn-error" testid="leave"/>
            </form>
        </Dialog>
    }
}
