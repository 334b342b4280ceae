use leptos::prelude::*;

use crate::{
    shell::PageResponse,
    ui::{Empty, Title},
};

#[component]
pub(super) fn NotFound() -> impl IntoView {
    if let Some(response) = use_context::<PageResponse>() {
        response.set_status(404);
    }
    view! {
        <Title text="Not found"/>
        <h1 class="sr-only">"Not found"</h1>
        <Empty title="There is nothing here">
            <p>"The address may be mistyped, or what it named has been deleted."</p>
            <p><a class="link" href="/machines?mine=0">"All machines"</a></p>
        </Empty>
    }
}
