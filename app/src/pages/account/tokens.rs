//! API tokens: the secret is shown once.

use leptos::prelude::*;

use crate::{
    api::{Api, CreatedToken, Instant, NewToken, Token, TokenDescription},
    ui::{Confirm, CopyButton, FieldState, Icon, Panel, RowButton, Submit, SubmitButton, SubmitErrors, TextField, Toasts},
};

#[component]
pub(super) fn Tokens(tokens: Vec<Token>) -> impl IntoView {
    let api = StoredValue::new(expect_context::<Api>());
    let toasts = expect_context::<Toasts>();
    let tokens = RwSignal::new(tokens);
    let created = RwSignal::new(None::<CreatedToken>);
    let description = FieldState::new("");
    let submit = Submit::new();
    let create = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let Some(text) = description.parse(TokenDescription::parse) else { return };
        let api = api.get_value();
        submit.run(async move { api.create_token(&NewToken { description: text, expires: None, scopes: None }).await }, move |new| {
            description.reset("");
            tokens.update(|list| list.insert(0, new.token.clone()));
            created.set(Some(new));
        });
    };
    let removing = RwSignal::new(None::<Token>);
    let remove_open = RwSignal::new(false);
    let remove_submit = Submit::new();
    let remove = move |()| {
        let Some(token) = removing.get_untracked() else { return };
        let api = api.get_value();
        remove_submit.run(async move { api.delete_token(token.id).await }, move |()| {
            remove_open.set(false);
            tokens.update(|list| list.retain(|own| own.id != token.id));
            created.update(|created| {
                created.take_if(|created| created.token.id == token.id);
            });
            toasts.ok("Token removed.");
        });
    };
    view! {
        <Panel id="tokens" title="API tokens">
            <p class="mb-3 text-sm opacity-80">
                "With a token a program may do over the API whatever you may: send it as " <code class="text-xs">"Authorization: Bearer …"</code> ". "
                // a page of the server's, not of this application
                <a class="link" href="/api/v1/docs" rel="external">"What there is to ask for"</a> "."
            </p>
            <form class="mb-3 flex flex-col gap-3" on:submit=create>
                <TextField id="token-description" label="What for?" field=description placeholder="CI of the kernel team"/>
                <SubmitErrors submit/>
                <div><SubmitButton submit label="Create token" testid="create-token"/></div>
            </form>
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
            <div class="overflow-x-auto">
                <table class="table-sm table" data-testid="tokens">
                    <caption class="sr-only">"API tokens"</caption>
                    <thead>
                        <tr>
                            <th scope="col">"Description"</th>
                            <th scope="col">"Token"</th>
                            <th scope="col">"Created (UTC)"</th>
                            <th scope="col">"Last used (UTC)"</th>
                            <th scope="col"><span class="sr-only">"Actions"</span></th>
                        </tr>
                    </thead>
                    <tbody>
                        <For each=move || tokens.get() key=|token| token.id let:token>
                            {
                                let removed = token.clone();
                                let what = if token.description.is_empty() { "–".to_owned() } else { token.description.clone() };
                                view! {
                                    <tr>
                                        <th scope="row" class="font-medium break-words">{what}</th>
                                        <td class="font-mono text-xs">{token.prefix.clone()}"…"</td>
                                        <td class="text-xs whitespace-nowrap">{token.created.seconds()}</td>
                                        <td class="text-xs whitespace-nowrap">
                                            {token.last_used.as_ref().map_or_else(|| "never".to_owned(), Instant::seconds)}
                                        </td>
                                        <td class="w-0 text-right">
                                            <RowButton
                                                icon=Icon::Trash
                                                label=format!("Remove token {}", removed.description)
                                                action=move |()| { removing.set(Some(removed.clone())); remove_open.set(true); }
                                            />
                                        </td>
                                    </tr>
                                }
                            }
                        </For>
                    </tbody>
                </table>
            </div>
            <Show when=move || tokens.with(Vec::is_empty)>
                <p class="py-3 text-center text-sm opacity-70">"No tokens."</p>
            </Show>
            <Confirm
                open=remove_open
                title="Remove token"
                text=Signal::derive(move || {
                    format!("Remove the token “{}”? Programs that use it stop working.", removing.get().map(|own| own.description).unwrap_or_default())
                })
                verb="Remove"
                submit=remove_submit
                action=remove
            />
        </Panel>
    }
}
