use leptos::prelude::*;
use leptos_router::{NavigateOptions, hooks::use_navigate};

use crate::shell::PageResponse;

/// The machines are the start page.
#[component]
pub(super) fn Home() -> impl IntoView {
    if let Some(response) = use_context::<PageResponse>() {
        response.redirect("/machines");
    }
    let navigate = use_navigate();
    Effect::new(move |_| navigate("/machines", NavigateOptions { replace: true, ..NavigateOptions::default() }));
    view! { <p class="p-6"><a class="link" href="/machines">"Machines"</a></p> }
}
