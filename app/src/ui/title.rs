//! The document's title.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use super::dom;

/// What the page calls itself. The application draws it (`pages::App`), for it outlives every page: `leptos_meta` would go on
/// asking the title of a page that has become another of the same kind. Not a signal that belongs to an owner: a server reads it for the
/// document's head when the page is drawn, and what the page owned may have gone by then.
#[derive(Clone)]
pub(crate) struct PageTitle(ArcRwSignal<String>);

impl PageTitle {
    pub(crate) fn provide() -> Self {
        let title = Self(ArcRwSignal::new(String::new()));
        provide_context(title.clone());
        title
    }

    /// With the program's name.
    pub(crate) fn text(&self) -> String {
        self.0.with(|title| if title.is_empty() { "mr-provisioner".to_owned() } else { format!("{title} · mr-provisioner") })
    }
}

/// Names the page, until another names itself.
#[component]
pub(crate) fn Title(#[prop(into)] text: Signal<String>) -> impl IntoView {
    let title = expect_context::<PageTitle>().0;
    // on the server, too, where no effect runs
    title.set(text.get_untracked());
    Effect::new(move |before: Option<()>| {
        let text = text.get();
        if before.is_some() {
            title.set(text);
        }
    });
}

/// Where another page is come to, its heading gets the focus, and those who do not see it are told its name. Within the router, once.
#[component]
pub(crate) fn PageChange() -> impl IntoView {
    let title = expect_context::<PageTitle>().0;
    let path = use_location().pathname;
    let said = RwSignal::new(String::new());
    Effect::new(move |before: Option<String>| {
        let now = title.get();
        // not of the page that was loaded as a document: the browser has told it
        if before.is_some_and(|before| before != now) {
            said.set(now.clone());
        }
        now
    });
    Effect::new(move |before: Option<String>| {
        let now = path.get();
        if before.is_some_and(|before| before != now) {
            dom::focus_page();
        }
        now
    });
    view! { <p class="sr-only" role="status" aria-live="polite" data-testid="page-change">{move || said.get()}</p> }
}
