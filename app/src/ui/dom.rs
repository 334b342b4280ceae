//! The page's small helpers in JavaScript (`js/dom.js`). To be called from effects and event handlers only:
//! on the server there is no browser behind them.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/js/dom.js")]
extern "C" {
    #[wasm_bindgen(js_name = showDialog)]
    pub(crate) fn show_dialog(dialog: &web_sys::HtmlElement);
    #[wasm_bindgen(js_name = closeDialog)]
    pub(crate) fn close_dialog(dialog: &web_sys::HtmlElement);
    #[wasm_bindgen(js_name = closeDialogs)]
    pub(crate) fn close_dialogs();
    #[wasm_bindgen(js_name = releaseScroll)]
    pub(crate) fn release_scroll();
    #[wasm_bindgen(js_name = highFoot)]
    pub(crate) fn high_foot(high: bool);
    #[wasm_bindgen(js_name = keepRow)]
    pub(crate) fn keep_row();
    #[wasm_bindgen(js_name = openMenu)]
    pub(crate) fn open_menu(popover: &web_sys::HtmlElement, anchor: &web_sys::Element);
    #[wasm_bindgen(js_name = stepInMenu)]
    pub(crate) fn step_in_menu(menu: &web_sys::HtmlElement, key: &str);
    #[wasm_bindgen(js_name = closeMenu)]
    pub(crate) fn close_menu(popover: &web_sys::HtmlElement);
    #[wasm_bindgen(catch, js_name = copyText)]
    async fn copy_text(text: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(js_name = toggleTheme)]
    pub(crate) fn toggle_theme();
    #[wasm_bindgen(js_name = restoreTheme)]
    pub(crate) fn restore_theme();
    #[wasm_bindgen(js_name = leaveFor)]
    pub(crate) fn leave_for(path: &str);
    pub(crate) fn reload();
    #[wasm_bindgen(js_name = timeZone)]
    pub(crate) fn time_zone() -> String;
    #[cfg(target_arch = "wasm32")]
    #[wasm_bindgen(js_name = localTime)]
    pub(crate) fn local_time(at: &str, zone: &str) -> Option<String>;
    #[cfg(target_arch = "wasm32")]
    #[wasm_bindgen(js_name = smallLetters)]
    pub(crate) fn small_letters(text: &str) -> String;
    /// Of what a field for a time has, in the browser's zone; empty if that is no time.
    #[wasm_bindgen(js_name = instantOf)]
    pub(crate) fn instant_of(text: &str) -> String;
    #[wasm_bindgen(js_name = dismissMenus)]
    pub(crate) fn dismiss_menus();
    pub(crate) fn here() -> String;
    pub(crate) fn origin() -> String;
    pub(crate) fn cookies() -> String;
    #[wasm_bindgen(js_name = keepCookie)]
    pub(crate) fn keep_cookie(name: &str, value: &str);
    pub(crate) fn stored(name: &str) -> Option<String>;
    pub(crate) fn store(name: &str, value: &str);
    #[wasm_bindgen(js_name = dialogIsOpen)]
    pub(crate) fn dialog_is_open() -> bool;
    pub(crate) fn forget(name: &str);
    #[wasm_bindgen(js_name = holdPage)]
    pub(crate) fn hold_page();
    #[wasm_bindgen(js_name = leaveBy)]
    pub(crate) fn leave_by(action: &JsValue);
    #[wasm_bindgen(js_name = releasePage)]
    pub(crate) fn release_page();
    #[wasm_bindgen(js_name = leavePage)]
    pub(crate) fn leave_page();
    #[wasm_bindgen(js_name = heldFrom)]
    pub(crate) fn held_from(path: &str) -> bool;
    #[wasm_bindgen(js_name = focusIsIdle)]
    pub(crate) fn focus_is_idle() -> bool;
    #[wasm_bindgen(js_name = keysAreFree)]
    pub(crate) fn keys_are_free() -> bool;
    #[wasm_bindgen(js_name = focusPage)]
    pub(crate) fn focus_page();
    #[wasm_bindgen(js_name = keepFocus)]
    pub(crate) fn keep_focus(area: &web_sys::Element);
    #[wasm_bindgen(js_name = roomBelow)]
    pub(crate) fn room_below(area: &web_sys::Element) -> usize;
    /// Whether the pointer or the focus is within the element with this id.
    #[wasm_bindgen(js_name = isUsed)]
    pub(crate) fn is_used(id: &str) -> bool;
    #[wasm_bindgen(js_name = isPhone)]
    pub(crate) fn is_phone() -> bool;
    #[wasm_bindgen(js_name = stickHead)]
    pub(crate) fn stick_head(area: &web_sys::Element);
    #[wasm_bindgen(js_name = notePlace)]
    pub(crate) fn note_place(address: &str, mark: &str);
    #[wasm_bindgen(js_name = placeBack)]
    pub(crate) fn place_back(address: &str) -> Option<String>;
    #[cfg(target_arch = "wasm32")]
    #[wasm_bindgen(js_name = cameBack)]
    pub(crate) fn came_back() -> bool;
    #[wasm_bindgen(js_name = keepScroll)]
    pub(crate) fn keep_scroll();
    #[wasm_bindgen(js_name = holdHeight)]
    pub(crate) fn hold_height(area: &web_sys::HtmlElement) -> bool;
    #[wasm_bindgen(js_name = releaseHeight)]
    pub(crate) fn release_height(area: &web_sys::HtmlElement);
    #[wasm_bindgen(js_name = focusWithin)]
    pub(crate) fn focus_within(selector: &str) -> Option<web_sys::Element>;
    #[wasm_bindgen(js_name = focusFirst)]
    pub(crate) fn focus_first(area: &web_sys::HtmlElement);
    #[wasm_bindgen(js_name = focusEntry)]
    pub(crate) fn focus_entry(list: &web_sys::HtmlElement, place: usize, otherwise: &str);
    /// Chooses in a list of choices as the user would: whoever watches it is told.
    pub(crate) fn choose(id: &str, value: &str);
    /// The search beside a list of choices leads to it, opened where the browser can.
    #[wasm_bindgen(js_name = openSelect)]
    pub(crate) fn open_select(id: &str);
    #[wasm_bindgen(js_name = focusRefused)]
    pub(crate) fn focus_refused(form: &web_sys::HtmlElement);
    #[wasm_bindgen(js_name = isReadable)]
    pub(crate) fn is_readable(form: &web_sys::HtmlFormElement) -> bool;
    #[wasm_bindgen(js_name = scrollToEntry)]
    pub(crate) fn scroll_to_entry(id: &str);
    #[wasm_bindgen(js_name = followScroll)]
    pub(crate) fn follow_scroll(gutter: &web_sys::HtmlElement, area: &web_sys::HtmlElement);
}

/// Nobody steps back to a page that the server draws.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn came_back() -> bool {
    false
}

/// Whether the text is on the clipboard now.
pub(crate) async fn copy(text: &str) -> bool {
    copy_text(text).await.is_ok_and(|done| done.as_bool() == Some(true))
}

/// The login page that leads to `path`.
pub(crate) fn login_path(path: &str) -> String {
    let mut out = String::from("/login?next=");
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::login_path;

    #[test]
    fn the_way_back_survives_as_one_parameter() {
        assert_eq!(login_path("/machines/3?a=b&c=d"), "/login?next=/machines/3%3Fa%3Db%26c%3Dd");
    }
}
