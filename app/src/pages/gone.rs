use leptos::prelude::*;

use crate::ui::{Empty, Title, dom};

/// Stands where a page would whose code could not be fetched. The rest of the application lives on.
#[component]
pub(super) fn Gone() -> impl IntoView {
    view! {
        <Title text="Not loaded"/>
        <h1 class="sr-only">"Not loaded"</h1>
        <Empty title="This page could not be loaded">
            <Lost/>
        </Empty>
    }
}

/// The same within a dialog.
#[component]
pub(super) fn Lost() -> impl IntoView {
    view! {
        <p role="alert">"The server was updated since you opened the page, or it cannot be reached."</p>
        <p>
            <button type="button" class="btn btn-sm btn-primary" on:click=|_| dom::reload() data-testid="reload">"Reload"</button>
        </p>
    }
}
