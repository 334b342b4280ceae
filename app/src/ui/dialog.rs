//! Modal dialogs on the browser's own `<dialog>`: focus is kept inside, Escape closes, unless a call is running.

use leptos::{context::Provider, html, prelude::*};

use super::{
    curl::{Curl, CurlButton},
    dom,
    icon::{Glyph, Icon},
    submit::{Submit, SubmitButton, SubmitErrors, SubmitForm},
    typed::Typed,
    waiting::Asking,
};

/// Its contents exist only while it is open, so every opening starts afresh.
#[component]
pub(crate) fn Dialog(
    open: RwSignal<bool>,
    #[prop(into)] title: Signal<String>,
    #[prop(optional)] wide: bool,
    /// Nothing that is chosen in it is worth keeping.
    #[prop(optional)]
    brief: bool,
    #[prop(optional)] testid: Option<&'static str>,
    /// What is asked for, in messages that come when it is closed already; else its title.
    #[prop(optional_no_strip, into)]
    about: Option<Signal<String>>,
    /// It shows what is shown this once: only a button among its contents closes it.
    #[prop(optional)]
    keeps: bool,
    children: ChildrenFn,
) -> impl IntoView {
    let node = NodeRef::<html::Dialog>::new();
    let typed = Typed::new(node, brief);
    Effect::new(move |_| {
        let open = open.get();
        let Some(dialog) = node.get() else { return };
        if open {
            // also when the page goes with it
            on_cleanup(dom::release_scroll);
            typed.begin();
            // after the contents are there: the browser then puts the focus on the first field
            request_animation_frame(move || dom::show_dialog(&dialog));
        } else {
            dom::close_dialog(&dialog);
        }
    });
    let busy = RwSignal::new(false);
    let held = Signal::derive(move || keeps || busy.get());
    let asking = Asking { open, about: about.unwrap_or(title), busy };
    let refuse = move |event: &leptos::ev::Event| {
        if held.get_untracked() {
            event.prevent_default();
        }
    };
    let cancel = move |event: leptos::ev::Event| {
        if held.get_untracked() { event.prevent_default() } else { typed.cancel(&event) }
    };
    let closed = move |_| match node.get_untracked() {
        // by a browser that does not know `closedby`, and heeds the first refusal only
        Some(dialog) if held.get_untracked() && open.get_untracked() => dom::show_dialog(&dialog),
        _ => open.set(false),
    };
    view! {
        <dialog
            node_ref=node
            class="modal"
            closedby=move || held.get().then_some("none")
            on:keydown=move |event| typed.key(&event)
            on:input=move |_| typed.go_on()
            on:cancel=cancel
            // of the forms that close it
            on:submit=move |event: leptos::ev::SubmitEvent| refuse(&event)
            on:close=closed
            aria-label=move || title.get()
            data-testid=testid
        >
            <div class=if wide { "modal-box max-w-3xl" } else { "modal-box" }>
                <div class="mb-3 flex items-center justify-between gap-4">
                    <h2 class="min-w-0 text-lg font-semibold wrap-anywhere">{move || title.get()}</h2>
                    {(!keeps).then(|| view! {
                        <form method="dialog">
                            <button class="btn btn-ghost btn-sm btn-square" aria-label="Close" disabled=busy>
                                <Glyph icon=Icon::Close/>
                            </button>
                        </form>
                    })}
                </div>
                <Provider value=asking>
                    <Show when=move || open.get()>{children()}</Show>
                </Provider>
                {typed.view()}
            </div>
            <form method="dialog" class="modal-backdrop">
                // a click beside the box; Escape does the same for the keyboard
                <button tabindex="-1" aria-hidden="true" on:click=move |event| typed.beside(&event)>"close"</button>
            </form>
        </dialog>
    }
}

/// The end of a dialog's form: what went wrong, the way out, and the button that sends it.
#[component]
pub(crate) fn FormEnd(
    open: RwSignal<bool>,
    submit: Submit,
    #[prop(into)] label: Signal<String>,
    #[prop(default = "btn-primary")] class: &'static str,
    #[prop(optional, into)] disabled: Signal<bool>,
    #[prop(default = "form-send")] testid: &'static str,
    /// What would be sent, for a script.
    #[prop(optional_no_strip, into)]
    curl: Option<Callback<(), Option<Curl>>>,
) -> impl IntoView {
    view! {
        <SubmitErrors submit/>
        <div class="flex items-center justify-end gap-2">
            {curl.map(|call| view! { <span class="mr-auto"><CurlButton call/></span> })}
            <button type="button" class="btn btn-sm" disabled=submit.busy() on:click=move |_| open.set(false)>"Cancel"</button>
            <SubmitButton submit label class disabled testid/>
        </div>
    }
}

/// Asks before something that cannot be undone. `action` runs when the user agreed; it drives `submit`
/// and closes the dialog when it went well.
#[component]
pub(crate) fn Confirm(
    open: RwSignal<bool>,
    #[prop(into)] title: Signal<String>,
    #[prop(into)] text: Signal<String>,
    #[prop(default = "Delete".into(), into)] verb: Signal<String>,
    /// The user has to tick that it cannot be undone.
    #[prop(optional)]
    acknowledge: bool,
    submit: Submit,
    #[prop(into)] action: Callback<()>,
    /// Below the question.
    #[prop(optional, into)]
    more: ViewFn,
    /// As a dialog's.
    #[prop(optional_no_strip, into)]
    about: Option<Signal<String>>,
    /// The same for a script.
    #[prop(optional, into)]
    curl: Option<Callback<(), Option<Curl>>>,
) -> impl IntoView {
    let agreed = RwSignal::new(false);
    Effect::new(move |_| {
        if open.get() {
            agreed.set(!acknowledge);
            submit.renew();
        }
    });
    view! {
        <Dialog open title about brief=true testid="confirm">
            <SubmitForm submit send=action clone:more>
                <p class="wrap-anywhere">{move || text.get()}</p>
                {more.run()}
                <Show when=move || acknowledge>
                    <label class="flex items-center gap-2">
                        <input
                            type="checkbox"
                            class="checkbox checkbox-sm"
                            data-testid="acknowledge"
                            prop:checked=move || agreed.get()
                            on:change=move |event| agreed.set(event_target_checked(&event))
                        />
                        "I acknowledge that this action is irrevocable."
                    </label>
                </Show>
                <FormEnd open submit label=verb class="btn-error" disabled=Signal::derive(move || !agreed.get() || submit.undecided()) testid="confirm-action" curl/>
            </SubmitForm>
        </Dialog>
    }
}
