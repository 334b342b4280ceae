use leptos::{ev::MouseEvent, prelude::*, task::spawn_local};

use super::{
    dom,
    field::textarea_html,
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

/// How a text is had where copying is not allowed.
const BY_HAND: &str = "Select the text and copy it by hand.";

/// One of many short texts in a table; `of` is whose it is.
pub(crate) fn copy_short(toasts: Toasts, text: &str, of: &str) {
    let of = if of.is_empty() { String::new() } else { format!(" of {of}") };
    copy(toasts, text.to_owned(), format!("Copied {text}{of}."), BY_HAND);
}

/// Texts one below the other, each with a button, as the HTML of a cell. A table of a thousand such cells cannot have a listener and
/// a stop of the Tab key for each: [`copy_pressed`] is for one listener around all of them, and the table has a key that copies.
pub(crate) fn copyable<'a>(texts: impl Iterator<Item = &'a str>, what: &str) -> String {
    let button = format!(
        "<button type=\"button\" tabindex=\"-1\" data-copy aria-label=\"Copy {what}\" title=\"Copy {what}\" class=\"copy\">\
         <svg aria-hidden=\"true\"><use href=\"{}\"></use></svg></button>",
        Icon::Copy.reference()
    );
    texts.map(|text| format!("<span>{}</span>{button}", textarea_html(text))).collect::<Vec<_>>().join("\n")
}

/// The text whose button in [`copyable`] was pressed, if one was.
pub(crate) fn copy_pressed(event: &MouseEvent) -> Option<String> {
    let button = event_target::<web_sys::Element>(event).closest("[data-copy]").ok()??;
    button.previous_element_sibling()?.text_content()
}

/// The button beside a text.
#[component]
pub(crate) fn CopyButton(
    #[prop(into)] text: String,
    /// What is copied, for those who do not see the icon: "Copy {what}".
    what: &'static str,
) -> impl IntoView {
    let toasts = expect_context::<Toasts>();
    let copy = move |_| copy(toasts, text.clone(), format!("Copied {what}."), BY_HAND);
    view! {
        <button type="button" class="btn btn-ghost btn-xs btn-square align-middle" aria-label=format!("Copy {what}") title=format!("Copy {what}") on:click=copy>
            <Glyph icon=Icon::Copy class="size-3.5"/>
        </button>
    }
}

#[cfg(test)]
mod tests {
    use super::copyable;

    #[test]
    fn every_text_has_its_button_and_none_is_a_stop_of_the_tab_key() {
        let html = copyable(["52:54:00:00:00:01", "<b>&"].into_iter(), "MAC address");
        let lines: Vec<&str> = html.split('\n').collect();
        assert!(
            lines[0].starts_with("<span>52:54:00:00:00:01</span><button ") && lines[1].starts_with("<span>&lt;b&gt;&amp;</span><button ")
        );
        assert!(lines.iter().all(|line| line.contains("tabindex=\"-1\"") && line.contains("aria-label=\"Copy MAC address\"")));
        assert_eq!(copyable([].into_iter(), "MAC address"), "");
    }
}
