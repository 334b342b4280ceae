//! The session has ended under an open page: log in again in place.

use leptos::prelude::*;

use super::session::Session;
use crate::{
    api::{Api, ApiError, Credentials, Me},
    gate::SessionGate,
    ui::{Dialog, FieldState, Glyph, Icon, Submit, SubmitButton, SubmitErrors, SubmitForm, TextField, dom},
};

/// Nothing of one's page is shown to another.
const OTHER: &str = "Somebody else's page is loaded anew: what you have typed is lost.";

/// The question over whatever page is open, and a line above it when the question was put off.
#[component]
pub(super) fn Relogin() -> impl IntoView {
    // none on the server
    let gate = use_context::<SessionGate>().unwrap_or_default();
    let session = expect_context::<Session>();
    let open = RwSignal::from(gate.asking());
    let put_off = RwSignal::from(gate.put_off());
    let armed = gate.clone();
    // kept for the question, which is drawn where a resource cannot be read
    let known = StoredValue::new(None::<Me>);
    Effect::new(move |_| {
        if let Some(Ok(me)) = session.me.get() {
            known.set_value(Some(me));
            armed.arm();
        }
    });
    let own = move || known.get_value().map(|me| session.now(me).username).unwrap_or_default();
    let closed = gate.clone();
    Effect::new(move |was: Option<bool>| {
        let open = open.get();
        if was == Some(true) && !open {
            closed.settle(false);
        }
        open
    });
    let gate = StoredValue::new(gate);
    view! {
        <Show when=move || put_off.get()>
            <div class="alert alert-warning rounded-none py-2" role="alert" data-testid="logged-out">
                <Glyph icon=Icon::Warning/>
                <span>"You are logged out. What is on this page stays, but is not up to date."</span>
                <button type="button" class="btn btn-sm" on:click=move |_| open.set(true)>"Log in"</button>
            </div>
        </Show>
        <Dialog open title="Log in again" testid="relogin">
            <Question open gate own=own()/>
        </Dialog>
    }
}

#[component]
fn Question(open: RwSignal<bool>, gate: StoredValue<SessionGate>, own: String) -> impl IntoView {
    let api = expect_context::<Api>();
    let username = FieldState::new(own.clone());
    let password = FieldState::new("");
    let submit = Submit::new();
    let mine = own.clone();
    let another = Memo::new(move |_| username.value.with(|name| !name.trim().is_empty() && name.trim() != mine));
    let send = move |()| {
        let (api, own) = (api.clone(), own.clone());
        let (Some(username), Some(password)) = (username.given("User name"), password.given("Password")) else { return };
        let credentials = Credentials { username, password };
        submit.run(async move { api.login(&credentials).await.map_err(ApiError::of_login) }, move |me| {
            if me.username != own {
                // nothing of another's page
                dom::leave_for(&dom::here());
                return;
            }
            gate.with_value(|gate| gate.settle(true));
            open.set(false);
        });
    };
    view! {
        <SubmitForm submit send>
            <p>
                "Your session has ended. Log in to go on"
                {move || if another.get() { "." } else { ": what you have typed on this page is kept." }}
            </p>
            <div class="flex flex-col gap-1">
                <TextField id="relogin-username" label="User name" field=username autocomplete="username" required=true/>
                // there before it says something: a live region that appears together with its text is not read out
                <p role="status" class="text-warning text-xs font-medium empty:hidden" data-testid="another-user">
                    {move || another.get().then_some(OTHER)}
                </p>
            </div>
            <TextField id="relogin-password" label="Password" field=password kind="password" autocomplete="current-password" required=true first=true/>
            <SubmitErrors submit/>
            <div class="flex justify-end gap-2">
                <button type="button" class="btn btn-sm" disabled=submit.busy() on:click=move |_| open.set(false)>"Later"</button>
                <SubmitButton submit label="Log in"/>
            </div>
        </SubmitForm>
    }
}
