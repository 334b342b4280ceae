//! Who looks at the pages, and what a page does when its data did not come.

use leptos::{either::EitherOf3, prelude::*};
use leptos_router::hooks::use_location;

use super::not_found::NotFound;
use crate::{
    api::{Api, ApiError, Me},
    shell::PageResponse,
    ui::{Glyph, Icon, PageHead, dom},
};

#[derive(Clone, Copy)]
pub(super) struct Session {
    pub(super) me: Resource<Result<Me, ApiError>>,
}

impl Session {
    pub(super) fn provide() -> Self {
        // No client while the server only collects its routes.
        let api = use_context::<Api>();
        let me = Resource::new(
            || (),
            move |()| {
                let api = api.clone();
                async move { api.ok_or_else(|| ApiError::transport("no client"))?.me().await }
            },
        );
        let session = Self { me };
        provide_context(session);
        session
    }

    /// A page's data together with who asks for it.
    pub(super) async fn with<T>(self, data: Resource<Result<T, ApiError>>) -> Result<(Me, T), ApiError>
    where
        T: Clone + Send + Sync + 'static,
    {
        let me = self.me.await?;
        Ok((me, data.await?))
    }
}

/// Stands where a page would, under its heading. Not logged in: leads to the login page and back; not found: says so with
/// status 404; anything else: the error, with a way to try again.
#[component]
pub(super) fn Failed(
    error: ApiError,
    /// None where the heading stands whatever comes.
    #[prop(optional)]
    title: Option<&'static str>,
    #[prop(into)] retry: Callback<()>,
) -> impl IntoView {
    let heading = title.map(|title| view! { <PageHead title/> });
    let location = use_location();
    if error.is_unauthenticated() {
        if let Some(response) = use_context::<PageResponse>() {
            let path = location.pathname.get_untracked();
            let query = location.search.get_untracked();
            let query = query.trim_start_matches('?');
            let path = if query.is_empty() { path } else { format!("{path}?{query}") };
            response.redirect(&dom::login_path(&path));
        }
        // reached by a click within the application, after the session had ended and the question for the password was put off
        return EitherOf3::A(view! {
            {heading}
            <p class="flex items-center gap-3 p-6">
                "You are not logged in."
                <a class="btn btn-sm" href="/login" rel="external">"Log in"</a>
                <button type="button" class="btn btn-sm" on:click=move |_| retry.run(())>"Try again"</button>
            </p>
        });
    }
    if error.is_not_found() {
        return EitherOf3::B(NotFound());
    }
    if error.status != 0
        && let Some(response) = use_context::<PageResponse>()
    {
        response.set_status(error.status);
    }
    EitherOf3::C(view! {
        {heading}
        <div class="alert alert-error alert-soft m-4" role="alert" data-testid="load-error">
            <Glyph icon=Icon::Warning/>
            <span>{error.text()}</span>
            // whoever may not see it will not see it the next time
            {(error.status != 403).then(|| view! { <button type="button" class="btn btn-sm" on:click=move |_| retry.run(())>"Try again"</button> })}
        </div>
    })
}
