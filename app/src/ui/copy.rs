use leptos::{prelude::*, task::spawn_local};

use super::{
    dom,
    icon::{Glyph, Icon},
    toast::Toasts,
};

/// Puts a text on the clipboard and says so; where the browser forbids it, how it can be had by hand.
pub(crate) fn copy(toasts: Toasts, text: String, said: String, by_hand: &'static str) {
    spawn_local(async move {
        if dom::copy(&text).await {
            toasts.ok(said);
        } else {
            toasts.warning(format!("The browser did not allow copying. {by_hand}"));
        }
    });
}

/// The button beside a text.
#[component]
pub(crate) fn CopyButton(
    #[prop(into)] text: String,
    /// What is copied, for those who do not see the icon: "Copy {what}".
    what: &'static str,
) -> impl IntoView {
    let toasts = expect_context::<Toasts>();
    let copy = move |_| copy(toasts, text.clone(), format!("Copied {what}."), "Select the text and copy it by hand.");
    view! {
        <button type="button" class="btn btn-ghost btn-xs btn-square align-middle" aria-label=format!("Copy {what}") title=format!("Copy {what}") on:click=copy>
            <Glyph icon=Icon::Copy class="size-3.5"/>
        </button>
    }
}
