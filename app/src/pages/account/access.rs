//! What a user is logged in with, for administrators.

use futures_util::future::try_join;
use leptos::prelude::*;

use super::{sessions::Sessions, tokens::TokenTable};
use crate::pages::follow::keep_up;
use crate::{
    api::Api,
    ui::{Loading, Notice, load},
};

/// Sessions and tokens of the user with id `owner`.
#[component]
pub(in crate::pages) fn Access(owner: i64) -> impl IntoView {
    let api = expect_context::<Api>();
    let lists = load(async move { try_join(api.sessions(owner), api.user_tokens(owner)).await });
    move || match lists.get() {
        None => view! { <Loading/> }.into_any(),
        Some(Err(error)) => view! { <Notice tone="alert-error">{error.text()}</Notice> }.into_any(),
        Some(Ok((sessions, tokens))) => {
            let (sessions, tokens) = (RwSignal::new(sessions), RwSignal::new(tokens));
            keep_up(
                move |api| async move { try_join(api.sessions(owner), api.user_tokens(owner)).await },
                move |(logins, newest)| {
                    sessions.try_set(logins);
                    tokens.try_set(newest);
                },
            );
            view! {
            <div class="flex flex-col gap-4">
                <section aria-labelledby="access-sessions">
                    <h3 id="access-sessions" class="mb-1 font-semibold">"Sessions"</h3>
                    <Sessions owner sessions/>
                </section>
                <section aria-labelledby="access-tokens">
                    <h3 id="access-tokens" class="mb-1 font-semibold">"API tokens"</h3>
                    <TokenTable tokens removed=|_: i64| ()/>
                </section>
            </div>
            }
            .into_any()
        }
    }
}
