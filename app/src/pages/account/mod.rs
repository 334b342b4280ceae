//! One's own account.

mod access;
mod keys;
mod sessions;
mod tokens;

use futures_util::future::try_join;
use leptos::prelude::*;

pub(super) use self::access::Access;
use self::{keys::Keys, sessions::Sessions, tokens::Tokens};
use super::{
    follow::keep_up,
    session::{Failed, Session},
};
use crate::{
    api::{self, Api, Email, Me, MeChange, NewPassword, PasswordChange},
    ui::{
        Curl, CurlButton, FieldState, Loading, Opened, PageHead, Panel, Submit, SubmitButton, SubmitErrors, SubmitForm, TextArea,
        TextField, Title, Toasts, Unsaved, Zone, opened,
    },
};

#[component]
pub(super) fn Account() -> impl IntoView {
    let session = expect_context::<Session>();
    let api = expect_context::<Api>();
    let zone = expect_context::<Zone>();
    let loaded = Resource::new(
        || (),
        move |()| {
            let api = api.clone();
            async move { try_join(api.tokens(), api.own_sessions()).await }
        },
    );
    view! {
        <Title text="Account"/>
        <div class="p-4">
            <Suspense fallback=Loading>
                {move || Suspend::new(async move {
                    match session.with(loaded).await {
                        Ok((me, (tokens, sessions))) => {
                            let (tokens, sessions) = (RwSignal::new(tokens), RwSignal::new(sessions));
                            keep_up(
                                |api| async move { try_join(api.tokens(), api.own_sessions()).await },
                                move |(newest, logins)| {
                                    tokens.try_set(newest);
                                    sessions.try_set(logins);
                                },
                            );
                            let who = session.who(me.clone());
                            view! {
                                <PageHead title=me.username.clone()>
                                    {move || who.get().1.then(|| view! { <span class="badge badge-soft badge-info">"Administrator"</span> })}
                                </PageHead>
                                // tables over the whole width: their buttons stand at the right
                                <div class="flex flex-col gap-4">
                                    <Tokens tokens admin=me.admin/>
                                    <Panel id="sessions" title="Sessions" actions=move || view! { <span class="text-xs opacity-80">{move || format!("times in {}", zone.name())}</span> }>
                                        <p class="mb-3 text-sm opacity-80">"Where you are logged in. End what you do not know, and change your password."</p>
                                        <Sessions owner=me.id sessions/>
                                    </Panel>
                                    <div class="grid max-w-[120rem] grid-cols-1 items-start gap-4 xl:grid-cols-2">
                                        {opened(me, |own| view! { <Profile own/> }.into_any())}
                                        <Password sessions/>
                                    </div>
                                </div>
                            }
                                .into_any()
                        }
                        Err(error) => view! { <Failed error title="Account" retry=move |()| loaded.refetch()/> }.into_any(),
                    }
                })}
            </Suspense>
        </div>
    }
}

#[component]
fn Profile(own: Opened<Me>) -> impl IntoView {
    let api = expect_context::<Api>();
    let toasts = expect_context::<Toasts>();
    let saved = RwSignal::new(own.known());
    let Me { email, ssh_key, .. } = own.known();
    let email = FieldState::new(email);
    let ssh_keys = FieldState::new(ssh_key);
    let submit = Submit::new();
    submit.name("Save the account");
    let dirty = Memo::new(move |_| {
        let saved = saved.read();
        *email.value.read() != saved.email || *ssh_keys.value.read() != saved.ssh_key
    });
    let input = move || {
        let (Some(email), Some(ssh_key)) = (email.parse(Email::parse), ssh_keys.parse(keys::parse)) else { return None };
        Some(MeChange { email: Some(email), ssh_key: Some(ssh_key) })
    };
    let curl = Callback::new(move |()| input().and_then(|change| Curl::of("Save", async |api| api.edit_me(&own.known(), &change).await)));
    let send = move |()| {
        let Some(change) = input() else { return };
        let (api, known) = (api.clone(), own.known());
        submit.save(async move { api.edit_me(&known, &change).await }, move |answer| {
            if let Some(me) = own.saved(answer) {
                match keys::unknown(&me.ssh_key) {
                    None => toasts.ok("Account saved."),
                    Some(lines) => toasts.warning(format!("Account saved, but {lines} of the SSH keys: no public key that is known here.")),
                }
                // as the server keeps it
                email.reset(&me.email);
                own.keep(me.clone());
                saved.set(me);
            }
        });
    };
    view! {
        <Panel id="profile" title="Profile">
            <Unsaved dirty/>
            <SubmitForm submit send>
                <TextField id="own-email" label="E-mail" field=email kind="email" autocomplete="email"/>
                <TextArea
                    id="own-keys"
                    label="SSH keys"
                    field=ssh_keys
                    rows=6
                    help="Public keys, one per line. Preseeds put them on the machines you provision."
                    placeholder="ssh-ed25519 AAAA… you@host"
                />
                <Keys text=ssh_keys.value/>
                {own.notice()}
                <SubmitErrors submit/>
                <div class="flex flex-wrap gap-2"><SubmitButton submit label="Save"/><CurlButton call=curl/></div>
            </SubmitForm>
        </Panel>
    }
}

#[component]
fn Password(sessions: RwSignal<Vec<api::Session>>) -> impl IntoView {
    let api = expect_context::<Api>();
    let toasts = expect_context::<Toasts>();
    let old = FieldState::new("");
    let new = FieldState::new("");
    let again = FieldState::new("");
    let submit = Submit::new();
    submit.name("Change the password");
    let send = move |()| {
        let wanted = new.parse(NewPassword::parse);
        let same = again
            .parse(|text| if *new.value.read_untracked() == text { Ok(()) } else { Err("The two passwords are not the same".to_owned()) });
        let (Some(old_password), Some(password), Some(())) = (old.given("Old password"), wanted, same) else { return };
        let change = PasswordChange { old_password, password };
        let api = api.clone();
        submit.run_placing(
            async move { api.change_own_password(&change).await },
            move |error| error.to_ascii_lowercase().contains("old").then_some(old),
            move |()| {
                for field in [old, new, again] {
                    field.reset("");
                }
                // the server ends all others
                sessions.update(|list| list.retain(|session| session.current));
                toasts.ok("Password changed. All other sessions have ended.");
            },
        );
    };
    view! {
        <Panel id="password" title="Password">
            <SubmitForm submit send>
                <TextField id="old-password" label="Old password" field=old kind="password" autocomplete="current-password" required=true/>
                <div class="grid grid-cols-1 gap-3 sm:grid-cols-2">
                    <TextField id="new-password" label="New password" field=new kind="password" autocomplete="new-password" required=true/>
                    <TextField id="new-password-again" label="New password again" field=again kind="password" autocomplete="new-password" required=true/>
                </div>
                <SubmitErrors submit/>
                <div><SubmitButton submit label="Change password"/></div>
            </SubmitForm>
        </Panel>
    }
}
