//! Who looks at the pages, and what a page does when its data did not come.

use std::time::Duration;

use leptos::{
    either::{Either, EitherOf3},
    prelude::*,
    task::spawn_local,
};
use leptos_router::hooks::use_location;

use super::{follow::on_return, not_found::NotFound, seldom::Seldom};
use crate::{
    api::{Api, ApiError, LabEvent, List, Me},
    gate::SessionGate,
    live::Live,
    shell::PageResponse,
    ui::{Glyph, Icon, PageHead, Toasts, dom},
};

/// Until a dialog that was closed is empty.
const SETTLED: Duration = Duration::from_millis(200);

#[derive(Clone, Copy)]
pub(super) struct Session {
    pub(super) me: Resource<Result<Me, ApiError>>,
    /// What was learnt of them since. Not in the resource: every page would be drawn anew, without what is typed there.
    newest: RwSignal<Option<Me>>,
    /// Whether they are an administrator now and were none in the resource, or the other way round.
    turned: RwSignal<bool>,
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
        let session = Self { me, newest: RwSignal::new(None), turned: RwSignal::new(false) };
        provide_context(session);
        session
    }

    /// A page's data together with who asks for it.
    pub(super) async fn with<T>(self, data: Resource<Result<T, ApiError>>) -> Result<(Me, T), ApiError>
    where
        T: Clone + Send + Sync + 'static,
    {
        let me = self.me.await?;
        let data = data.await?;
        Ok((self.now(me), data))
    }

    /// Who was asked for, with what was learnt since.
    pub(super) fn now(self, me: Me) -> Me {
        self.newest.get_untracked().unwrap_or(me)
    }

    /// Their name, and whether they are an administrator, as that changes.
    pub(super) fn who(self, me: Me) -> Memo<(String, bool)> {
        Memo::new(move |_| {
            self.newest.with(|newest| newest.as_ref().map_or((me.username.clone(), me.admin), |me| (me.username.clone(), me.admin)))
        })
    }

    /// Another value when they have become an administrator, or are none any more: what a page shows of either is asked for again.
    pub(super) fn rights(self) -> bool {
        self.turned.get()
    }

    /// A page's view, of new elements when the rights have changed: an open dialog would stay open, with a form that is not allowed.
    pub(super) fn by_rights(self, view: AnyView) -> AnyView {
        // what stood on the other side is taken away as a whole
        if self.turned.get_untracked() { Either::Right(view) } else { Either::Left(view) }.into_any()
    }

    /// Takes what was learnt of them, and tells them when their rights are others.
    fn learn(self, known: &Me, me: Me, toasts: Option<Toasts>) {
        let before = self.newest.try_with_untracked(|newest| newest.as_ref().map_or(known.admin, |me| me.admin));
        let (turned, admin) = (me.admin != known.admin, me.admin);
        self.newest.try_set(Some(me));
        if before.is_none_or(|before| before == admin) {
            return;
        }
        self.turn(turned);
        if let Some(toasts) = toasts {
            if admin { toasts.ok("You are an administrator now.") } else { toasts.warning("You are no administrator any more.") }
        }
    }

    /// Has what is shown drawn anew. Dialogs are closed before: what they read goes with the page, and they would still be open. One that is
    /// waiting for its answer, or shows what is shown only once, is waited for.
    fn turn(self, turned: bool) {
        dom::close_dialogs();
        set_timeout(
            move || {
                if dom::dialog_is_open() {
                    self.turn(turned);
                    return;
                }
                // where the focus was goes with the page
                dom::focus_page();
                self.turned.try_set(turned);
            },
            SETTLED,
        );
    }

    /// Asks again when an administrator may have changed what one may do, and when the user comes back to the window: they may have
    /// logged in elsewhere in the browser.
    pub(super) fn follow(self, live: Live) {
        let Some(api) = use_context::<Api>() else { return };
        let gate = use_context::<SessionGate>().unwrap_or_default();
        let toasts = use_context::<Toasts>();
        let seldom = Seldom::new();
        let ask = move || {
            let (api, gate) = (api.clone(), gate.clone());
            spawn_local(async move {
                let (Ok(known), Ok(me)) = (self.me.await, api.me().await) else { return };
                if me.id == known.id {
                    gate.opened_elsewhere();
                    self.learn(&known, me, toasts);
                } else if gate.is_closed() {
                    // nothing of another's page
                    dom::leave_for(&dom::here());
                }
            });
        };
        let again = ask.clone();
        live.listen(move |event| {
            if matches!(event, LabEvent::List { list: List::User }) {
                seldom.run(again.clone());
            }
        });
        on_return(move || seldom.run(ask.clone()));
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
        let path = location.pathname.get_untracked();
        let query = location.search.get_untracked();
        let query = query.trim_start_matches('?');
        let login = dom::login_path(&if query.is_empty() { path } else { format!("{path}?{query}") });
        if let Some(response) = use_context::<PageResponse>() {
            response.redirect(&login);
        }
        retry_after_login(retry);
        // reached by a click within the application, after the session had ended and the question for the password was put off
        return EitherOf3::A(view! {
            {heading}
            <p class="flex items-center gap-3 p-6">
                "You are not logged in."
                <a class="btn btn-sm" href=login rel="external">"Log in"</a>
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

/// Until the calling component goes.
fn retry_after_login(retry: Callback<()>) {
    let session = expect_context::<Session>();
    let logins = use_context::<SessionGate>().unwrap_or_default().logins();
    Effect::new(move |before: Option<u32>| {
        let now = logins.get();
        if before.is_some_and(|before| before != now) {
            if matches!(session.me.get_untracked(), Some(Err(_))) {
                session.me.refetch();
            }
            retry.run(());
        }
        now
    });
}
