//! API tokens: the secret is shown once.

use leptos::prelude::*;

use crate::pages::records::rows;
use crate::{
    api::{Api, CreatedToken, Instant, NewToken, Scope, Token, TokenDescription},
    ui::{
        Confirm, CopyButton, Curl, CurlButton, FieldState, Icon, Panel, RowButton, Submit, SubmitButton, SubmitErrors, SubmitForm,
        SwitchField, TextField, Time, Toasts, clock, dom,
    },
};

#[component]
pub(super) fn Tokens(tokens: RwSignal<Vec<Token>>, admin: bool) -> impl IntoView {
    let created = RwSignal::new(None::<CreatedToken>);
    let made = move |new: CreatedToken| {
        tokens.update(|list| list.insert(0, new.token.clone()));
        created.set(Some(new));
    };
    let removed = move |id: i64| {
        created.update(|created| {
            created.take_if(|created| created.token.id == id);
        });
    };
    view! {
        <Panel id="tokens" title="API tokens">
            <p class="mb-3 text-sm opacity-80">
                "With a token a program may do over the API whatever you may, or less: send it as " <code class="text-xs">"Authorization: Bearer …"</code> ". "
                // a page of the server's, not of this application
                <a class="link" href="/api/v1/docs" rel="external">"What there is to ask for"</a> "."
            </p>
            <Form admin made/>
            <div role="status">
                {move || {
                    created
                        .get()
                        .map(|new| {
                            view! {
                                <div class="alert alert-success alert-soft mb-3 flex flex-col items-start gap-1">
                                    <p class="font-medium">"Your new token. It is shown this once."</p>
                                    <p class="flex items-center gap-2">
                                        <code class="bg-base-100 text-base-content rounded px-2 py-1 text-sm break-all" data-testid="token-secret">{new.secret.clone()}</code>
                                        <CopyButton text=new.secret what="token"/>
                                    </p>
                                </div>
                            }
                        })
                }}
            </div>
            <TokenTable tokens removed/>
        </Panel>
    }
}

/// The scope in words.
fn allows(scope: Scope) -> &'static str {
    match scope {
        Scope::Read => "See what you see",
        Scope::Machines => "Provision, power and open the consoles of your machines, and give them back",
        Scope::Images => "Upload and change images and preseeds",
        Scope::Admin => "Act as an administrator",
    }
}

#[component]
fn Form(admin: bool, #[prop(into)] made: Callback<CreatedToken>) -> impl IntoView {
    let api = StoredValue::new(expect_context::<Api>());
    let description = FieldState::new("");
    let expires = FieldState::new("");
    let limited = RwSignal::new(false);
    let chosen = RwSignal::new(Vec::<Scope>::new());
    let submit = Submit::new();
    submit.name("Create token");
    let input = move || {
        let text = description.parse(TokenDescription::parse)?;
        // the end of that day: a token that is good until Friday is good on Friday
        let day = expires.value.get_untracked();
        let expiry = (!day.is_empty()).then(|| Instant(dom::instant_of(&format!("{day}T23:59:59"))));
        let scopes = limited.get_untracked().then(|| {
            Scope::ALL.into_iter().filter(|scope| *scope == Scope::Read || chosen.with_untracked(|list| list.contains(scope))).collect()
        });
        Some(NewToken { description: text, expires: expiry, scopes })
    };
    let curl = Callback::new(move |()| input().and_then(|new| Curl::of("Create token", async |api| api.create_token(&new).await)));
    let create = move |()| {
        let Some(new) = input() else { return };
        let api = api.get_value();
        submit.run_placing(
            async move { api.create_token(&new).await },
            move |error| error.starts_with("expires").then_some(expires),
            move |new| {
                description.reset("");
                expires.reset("");
                limited.set(false);
                chosen.set(Vec::new());
                made.run(new);
            },
        );
    };
    let offered = Scope::ALL.into_iter().filter(move |scope| *scope != Scope::Admin || admin);
    let boxes = offered
        .map(|scope| {
            // every limited token may read
            let always = scope == Scope::Read;
            view! {
                <label class="flex items-start gap-2 text-sm">
                    <input
                        type="checkbox"
                        class="checkbox checkbox-xs mt-0.5"
                        name=format!("scope-{}", scope.word())
                        prop:checked=move || always || chosen.with(|list| list.contains(&scope))
                        disabled=always
                        on:change=move |event| {
                            let on = event_target_checked(&event);
                            chosen.update(|list| {
                                list.retain(|own| *own != scope);
                                if on {
                                    list.push(scope);
                                }
                            });
                        }
                    />
                    <span><code class="text-xs">{scope.word()}</code>" "{allows(scope)}</span>
                </label>
            }
        })
        .collect_view();
    view! {
        <SubmitForm submit send=create class="mb-3 flex max-w-[60rem] flex-col gap-3">
            <div class="grid grid-cols-1 gap-3 sm:grid-cols-[1fr_12rem]">
                <TextField id="token-description" label="What for?" field=description placeholder="CI of the kernel team"/>
                <TextField id="token-expires" label="Good until" field=expires kind="date" help="Empty: for ever."/>
            </div>
            <SwitchField id="token-limited" label="Limit what it may do" checked=limited/>
            <fieldset class="flex flex-col gap-1 pl-2" class:hidden=move || !limited.get() data-testid="scopes">
                <legend class="sr-only">"What it may do"</legend>
                {boxes}
            </fieldset>
            <SubmitErrors submit/>
            <div class="flex flex-wrap gap-2"><SubmitButton submit label="Create token" testid="create-token"/><CurlButton call=curl/></div>
        </SubmitForm>
    }
}

fn time_or(at: Option<&Instant>, none: &'static str) -> AnyView {
    match at {
        Some(at) => view! { <Time at=at.clone()/> }.into_any(),
        None => none.into_any(),
    }
}

/// Tokens with a button to withdraw each; `removed` is told the id.
#[component]
pub(super) fn TokenTable(tokens: RwSignal<Vec<Token>>, #[prop(into)] removed: Callback<i64>) -> impl IntoView {
    let api = StoredValue::new(expect_context::<Api>());
    let toasts = expect_context::<Toasts>();
    let removing = RwSignal::new(None::<Token>);
    let open = RwSignal::new(false);
    let submit = Submit::new();
    let remove = move |()| {
        let Some(token) = removing.get_untracked() else { return };
        let api = api.get_value();
        submit.run(async move { api.delete_token(token.id).await }, move |()| {
            open.set(false);
            tokens.update(|list| list.retain(|own| own.id != token.id));
            removed.run(token.id);
            toasts.ok("Token removed.");
        });
    };
    let remove_curl = Callback::new(move |()| {
        let token = removing.get_untracked()?;
        Curl::of("Remove", async |api| api.delete_token(token.id).await)
    });
    let now = StoredValue::new(clock::instant(clock::now()));
    let row = move |own: Memo<Token>| {
        let token = own.get_untracked();
        let used = Memo::new(move |_| own.with(|token| token.last_used.clone()));
        let last_used = move || time_or(used.get().as_ref(), "never");
        let gone = token.clone();
        let what = if token.description.is_empty() { "–".to_owned() } else { token.description.clone() };
        let expired = token.expires.as_ref().is_some_and(|expiry| now.with_value(|now| expiry <= now));
        let expires = token.expires.clone();
        let good_until = move || {
            view! {
                {time_or(expires.as_ref(), "for ever")}
                {expired.then(|| view! { " " <span class="badge badge-sm badge-soft badge-error">"Expired"</span> })}
            }
        };
        view! {
            <tr data-token=token.prefix.clone()>
                <th scope="row" class="font-medium wrap-anywhere">
                    {what}
                    // what has no column of its own on a telephone
                    <span class="block text-xs font-normal opacity-80 md:hidden">
                        <span class="block font-mono">{token.prefix.clone()}"…"</span>
                        <span class="block">"May: "{may(&token)}</span>
                        <span class="block">"Created "<Time at=token.created.clone()/></span>
                        <span class="block">"Last used "{last_used}</span>
                        <span class="block">"Good until "{good_until()}</span>
                    </span>
                </th>
                <td class="font-mono text-xs max-md:hidden">{token.prefix.clone()}"…"</td>
                <td class="text-xs max-md:hidden">{may(&token)}</td>
                <td class="text-xs whitespace-nowrap max-md:hidden"><Time at=token.created.clone()/></td>
                <td class="text-xs whitespace-nowrap max-md:hidden">{last_used}</td>
                <td class="text-xs whitespace-nowrap max-md:hidden">{good_until()}</td>
                <td class="w-0 text-right">
                    <RowButton
                        icon=Icon::Trash
                        label=format!("Remove token {}", gone.description)
                        action=move |()| { removing.set(Some(gone.clone())); open.set(true); }
                    />
                </td>
            </tr>
        }
        .into_any()
    };
    view! {
        <div class="overflow-x-auto" tabindex="0" role="region" aria-label="API tokens">
            <table class="table-sm table" data-testid="tokens">
                <caption class="sr-only">"API tokens"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Description"</th>
                        <th scope="col" class="max-md:hidden">"Token"</th>
                        <th scope="col" class="max-md:hidden">"May"</th>
                        <th scope="col" class="max-md:hidden">"Created"</th>
                        <th scope="col" class="max-md:hidden" title="Within a minute">"Last used"</th>
                        <th scope="col" class="max-md:hidden">"Good until"</th>
                        <th scope="col"><span class="sr-only">"Actions"</span></th>
                    </tr>
                </thead>
                <tbody>
                    {rows(move || tokens.get(), |token| token.id, row)}
                </tbody>
            </table>
        </div>
        <Show when=move || tokens.with(Vec::is_empty)>
            <p class="py-3 text-center text-sm opacity-80">"No tokens."</p>
        </Show>
        <Confirm
            open
            title="Remove token"
            text=Signal::derive(move || {
                format!("Remove the token “{}”? Programs that use it stop working.", removing.get().map(|own| own.description).unwrap_or_default())
            })
            verb="Remove"
            submit
            action=remove
            curl=remove_curl
        />
    }
}

/// `read, machines`
fn may(token: &Token) -> String {
    match &token.scopes {
        None => "everything".into(),
        Some(scopes) => scopes.iter().map(|scope| scope.word()).collect::<Vec<_>>().join(", "),
    }
}
