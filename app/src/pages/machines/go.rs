//! From one view to another, by the address: the browser's Back and Forward, and links, do the rest.

use std::time::Duration;

use leptos::prelude::*;

use super::view::View;
use crate::ui::{followed, within_page};

#[derive(Clone, Copy)]
pub(super) struct Go {
    view: Memo<View>,
    navigate: Callback<(String, bool)>,
    /// What typing led to: while that is shown, one step back goes to before it began.
    typed: StoredValue<Option<View>>,
}

impl Go {
    pub(super) fn new(view: Memo<View>) -> Self {
        Self { view, navigate: within_page(), typed: StoredValue::new(None) }
    }

    pub(super) fn to(self, view: View) {
        self.send(&view, false);
    }

    /// Without a step of history.
    pub(super) fn replace(self, view: View) {
        self.send(&view, true);
    }

    /// What else the address said is gone, without a step of history.
    pub(super) fn tidy(self) {
        self.navigate.run((self.view.get_untracked().address(), true));
    }

    fn typed(self, view: View) {
        let replace = self.typed.with_value(|typed| *typed == Some(self.view.get_untracked()));
        self.send(&view, replace);
        self.typed.set_value(Some(view));
    }

    fn send(self, view: &View, replace: bool) {
        if self.view.get_untracked() != *view {
            self.navigate.run((view.address(), replace));
        }
    }

    /// A text of the view that is typed: the address follows `pause` after the last key, and Back brings the old text back.
    /// `eager`: a key that comes after a pause is followed at once.
    pub(super) fn field(self, pause: Duration, eager: bool, read: fn(&View) -> &String, write: fn(&mut View, String)) -> RwSignal<String> {
        let send = move |text: String| self.typed(self.view.get_untracked().changed(|view| write(view, text)));
        followed(pause, eager, move || self.view.with(|view| read(view).clone()), send)
    }
}
