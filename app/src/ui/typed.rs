//! What was typed in a dialog is discarded on purpose only: not by a click beside it, nor by one press of Escape.

use leptos::{ev, html, prelude::*};
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen(module = "/js/typed.js")]
extern "C" {
    #[wasm_bindgen(js_name = watchFields)]
    fn watch_fields(dialog: &web_sys::HtmlElement);
    #[wasm_bindgen(js_name = holdsTyped)]
    fn holds_typed(dialog: &web_sys::HtmlElement) -> bool;
}

const BESIDE: &str = "What you have typed is kept. Cancel discards it.";
const ESCAPE: &str = "Press Escape again to discard what you have typed.";

/// Watches the ways out of a dialog.
#[derive(Clone, Copy)]
pub(super) struct Typed {
    dialog: NodeRef<html::Dialog>,
    /// Nothing in it is worth keeping.
    brief: bool,
    /// What is said of the way out that was not taken.
    said: RwSignal<Option<&'static str>>,
}

impl Typed {
    pub(super) fn new(dialog: NodeRef<html::Dialog>, brief: bool) -> Self {
        Self { dialog, brief, said: RwSignal::new(None) }
    }

    /// The dialog is opened.
    pub(super) fn begin(self) {
        self.said.set(None);
        if let Some(dialog) = self.dialog.get_untracked() {
            watch_fields(&dialog);
        }
    }

    fn lost(self) -> bool {
        !self.brief && self.dialog.get_untracked().is_some_and(|dialog| holds_typed(&dialog))
    }

    /// A click beside the dialog.
    pub(super) fn beside(self, event: &ev::Event) {
        if self.lost() {
            event.prevent_default();
            self.said.set(Some(BESIDE));
        }
    }

    pub(super) fn key(self, event: &ev::KeyboardEvent) {
        if event.key() == "Escape" && !event.is_composing() && !event.default_prevented() {
            self.out(event);
        }
    }

    /// A telephone's step back; a file field's comes through the dialog, too.
    pub(super) fn cancel(self, event: &ev::Event) {
        if event.target() == event.current_target() {
            self.out(event);
        }
    }

    fn out(self, event: &ev::Event) {
        if self.said.get_untracked() != Some(ESCAPE) && self.lost() {
            event.prevent_default();
            self.said.set(Some(ESCAPE));
        }
    }

    /// Somebody goes on typing.
    pub(super) fn go_on(self) {
        self.said.set(None);
    }

    pub(super) fn view(self) -> impl IntoView {
        view! {
            // there from the start: a live region that appears together with its text is not read out
            <p role="status" class="bg-base-100 sticky bottom-0 text-right text-sm not-empty:pt-2" data-testid="dialog-kept">
                {move || self.said.get()}
            </p>
        }
    }
}
