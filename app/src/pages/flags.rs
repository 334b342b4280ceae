//! The marks that images and preseeds share.

use leptos::prelude::*;

#[component]
pub(super) fn Flags(public: bool, known_good: bool) -> impl IntoView {
    view! {
        <span class="flex flex-wrap gap-1">
            {known_good.then(|| view! { <span class="badge badge-sm badge-soft badge-success whitespace-nowrap">"Known good"</span> })}
            {if public {
                view! { <span class="badge badge-sm badge-soft badge-info">"Public"</span> }
            } else {
                view! { <span class="badge badge-sm badge-ghost">"Private"</span> }
            }}
        </span>
    }
}
