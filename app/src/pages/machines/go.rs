//! From one view to another, by the address: the browser's Back and Forward, and links, do the rest.

use std::time::Duration;

use leptos::{leptos_dom::helpers::TimeoutHandle, prelude::*};
use leptos_router::{
    NavigateOptions,
    hooks::{use_location, use_navigate},
};

use super::view::View;
use crate::ui::clock;

#[derive(Clone, Copy)]
pub(super) struct Go {
    view: Memo<View>,
    navigate: Callback<(String, bool)>,
    /// Somebody is typing: one step back goes to before they began.
    typing: StoredValue<bool>,
}

impl Go {
    pub(super) fn new(view: Memo<View>) -> Self {
        let navigate = use_navigate();
        let path = use_location().pathname;
        let own = path.get_untracked();
        let navigate = Callback::new(move |(address, replace): (String, bool)| {
            // gone to another page, whose code is still on its way
            if path.with_untracked(|path| *path != own) {
                return;
            }
            navigate(&address, NavigateOptions { replace, scroll: false, resolve: false, ..NavigateOptions::default() });
        });
        Self { view, navigate, typing: StoredValue::new(false) }
    }

    pub(super) fn to(self, view: View) {
        self.typing.set_value(false);
        self.send(&view, false);
    }

    /// Without a step of history.
    pub(super) fn replace(self, view: View) {
        self.send(&view, true);
    }

    fn typed(self, view: View) {
        let replace = self.typing.try_update_value(|typing| std::mem::replace(typing, true)).unwrap_or(true);
        self.send(&view, replace);
    }

    fn send(self, view: &View, replace: bool) {
        if self.view.get_untracked() != *view {
            self.navigate.run((view.address(), replace));
        }
    }

    /// A text of the view that is typed: the address follows `pause` after the last key, and Back brings the old text back.
    /// `eager`: a key that comes after a pause is followed at once.
    pub(super) fn field(self, pause: Duration, eager: bool, read: fn(&View) -> &String, write: fn(&mut View, String)) -> RwSignal<String> {
        let first = self.view.with_untracked(|view| read(view).clone());
        let text = RwSignal::new(first.clone());
        // what the address has of it, or will have in a moment
        let sent = StoredValue::new(first);
        let timer = StoredValue::new(None::<TimeoutHandle>);
        let last = StoredValue::new(0.0);
        Effect::new(move |_| {
            let typed = text.get();
            if let Some(timer) = timer.try_update_value(Option::take).flatten() {
                timer.clear();
            }
            if sent.with_value(|sent| *sent == typed) {
                return;
            }
            let send = move || {
                if self.view.try_get_untracked().is_none() {
                    return;
                }
                last.set_value(clock::precise());
                sent.set_value(typed.clone());
                self.typed(self.view.get_untracked().changed(|view| write(view, typed.clone())));
            };
            if eager && clock::precise() - last.get_value() >= pause.as_secs_f64() {
                send();
            } else {
                timer.set_value(set_timeout_with_handle(send, pause).ok());
            }
        });
        Effect::new(move |_| {
            let shown = self.view.with(|view| read(view).clone());
            if sent.with_value(|sent| *sent != shown) {
                sent.set_value(shown.clone());
                self.typing.set_value(false);
                text.set(shown);
            }
        });
        text
    }
}
