//! A form for something that others may change while it is open: whoever is later is told, and asked who wins.

use leptos::prelude::*;

use super::page::Notice;
use crate::api::Edit;

/// What a form was opened with.
pub(crate) struct Opened<T: 'static> {
    known: StoredValue<T>,
    overtaken: RwSignal<bool>,
    /// What the form is drawn from.
    drawn: RwSignal<T>,
}

impl<T> Clone for Opened<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Opened<T> {}

impl<T: Clone + Send + Sync + 'static> Opened<T> {
    pub(crate) fn known(self) -> T {
        self.known.get_value()
    }

    /// What was saved. None: somebody else was quicker. The form says so, keeps what was typed, and saving again then means "instead
    /// of theirs".
    pub(crate) fn saved(self, answer: Edit<T>) -> Option<T> {
        match answer {
            Edit::Saved(thing) => Some(thing),
            Edit::Overtaken(theirs) => {
                self.known.set_value(theirs);
                self.overtaken.set(true);
                None
            }
        }
    }

    /// What was saved is what the form, which stays open, is compared with from now on.
    pub(crate) fn keep(self, saved: T) {
        self.known.set_value(saved);
        self.overtaken.set(false);
    }

    /// To stand above the form's buttons.
    pub(crate) fn notice(self) -> AnyView {
        let take = move |()| self.drawn.set(self.known.get_value());
        view! { <Overtaken overtaken=self.overtaken take/> }.into_any()
    }
}

/// What came of a form that makes new things, too: None when the form is to stay open.
pub(crate) fn saved<T: Clone + Send + Sync + 'static>(opened: Option<Opened<T>>, answer: Edit<T>) -> Option<T> {
    match opened {
        Some(opened) => opened.saved(answer),
        None => answer.saved().ok(),
    }
}

/// Draws a form for something that is there, and draws it anew when the user takes what somebody else has made of it.
pub(crate) fn opened<T: Clone + Send + Sync + 'static>(thing: T, form: impl Fn(Opened<T>) -> AnyView + Send + 'static) -> AnyView {
    let drawn = RwSignal::new(thing);
    (move || form(Opened { known: StoredValue::new(drawn.get()), overtaken: RwSignal::new(false), drawn })).into_any()
}

/// Somebody else has saved meanwhile.
#[component]
pub(crate) fn Overtaken(
    #[prop(into)] overtaken: Signal<bool>,
    /// Shows in the form what the other has saved.
    #[prop(into)]
    take: Callback<()>,
) -> impl IntoView {
    view! {
        // there from the start: an alert that appears together with its text is not read out everywhere
        <div role="alert" class="empty:hidden">
            <Show when=move || overtaken.get()>
                <div data-testid="overtaken">
                    <Notice>
                        "This was changed elsewhere while you were editing, and nothing of yours is saved yet. Saving now overwrites that; "
                        <button type="button" class="link" on:click=move |_| take.run(())>"take theirs"</button>
                        "."
                    </Notice>
                </div>
            </Show>
        </div>
    }
}
