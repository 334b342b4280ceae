//! A form for something that others may change while it is open: whoever is later is told, and asked who wins.

use leptos::{html, prelude::*};

use super::{dom, field::Choice, page::Notice};
use crate::api::Edit;

/// A field of a form: its label, what stands in it, and what would stand there if the form were opened with what somebody else has saved.
pub(crate) type Field = (&'static str, String, String);

/// What the chosen one of a list is called.
pub(crate) fn label_of(choices: &[Choice], value: &str) -> String {
    choices.iter().find(|own| own.value == value).map_or_else(|| value.to_owned(), |own| own.label.clone())
}

/// What a form was opened with.
pub(crate) struct Opened<T: 'static> {
    known: StoredValue<T>,
    overtaken: RwSignal<bool>,
    drawn: RwSignal<u32>,
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
        self.notice_of(|_| Vec::new())
    }

    /// The same, with what they have in place of what stands in the form.
    pub(crate) fn notice_of(self, fields: impl Fn(&T) -> Vec<Field> + Send + Sync + 'static) -> AnyView {
        let take = move |()| {
            self.overtaken.set(false);
            self.drawn.update(|times| *times += 1);
        };
        let theirs = Signal::derive(move || {
            // somebody may be quicker once more
            self.overtaken.track();
            // read out as it was then, and not again with every key
            let mut all = untrack(|| self.known.with_value(&fields));
            all.retain(|(_, mine, theirs)| mine != theirs);
            all
        });
        view! { <Overtaken overtaken=self.overtaken take theirs/> }.into_any()
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
pub(crate) fn opened<T: Clone + Send + Sync + 'static>(thing: T, form: impl Fn(Opened<T>) -> AnyView + Send + Sync + 'static) -> AnyView {
    let own = Opened { known: StoredValue::new(thing), overtaken: RwSignal::new(false), drawn: RwSignal::new(0) };
    let form = StoredValue::new(form);
    let place = NodeRef::<html::Div>::new();
    // the button that was pressed goes with the old form
    Effect::new(move |before: Option<u32>| {
        let times = own.drawn.get();
        if before.is_some_and(|before| before != times) {
            request_animation_frame(move || {
                if let Some(place) = place.get_untracked() {
                    dom::focus_first(&place);
                }
            });
        }
        times
    });
    view! {
        <div node_ref=place class="contents">
            // another key is another form: what was typed into the old one's fields goes with it
            <For each=move || std::iter::once(own.drawn.get()) key=|times| *times children=move |_| form.with_value(|form| form(own))/>
        </div>
    }
    .into_any()
}

/// Somebody else has saved meanwhile.
#[component]
pub(crate) fn Overtaken(
    #[prop(into)] overtaken: Signal<bool>,
    /// Shows in the form what the other has saved.
    #[prop(into)]
    take: Callback<()>,
    /// Shows it beside the form.
    #[prop(optional, into)]
    show: Option<Callback<()>>,
    /// The fields in which it differs from what stands in the form.
    #[prop(optional)]
    theirs: Option<Signal<Vec<Field>>>,
) -> impl IntoView {
    let fields =
        move || theirs.map(|theirs| view! { <ul class="list-none empty:hidden" data-testid="theirs">{move || lines(theirs.get())}</ul> });
    view! {
        // there from the start: an alert that appears together with its text is not read out everywhere
        <div role="alert" class="empty:hidden">
            <Show when=move || overtaken.get()>
                <div data-testid="overtaken">
                    <Notice>
                        "This was changed elsewhere while you were editing, and nothing of yours is saved yet. Saving now overwrites that; "
                        {show.map(|show| view! { <button type="button" class="link" on:click=move |_| show.run(())>"show theirs"</button> ", or " })}
                        <button type="button" class="link" on:click=move |_| take.run(())>"take theirs"</button>
                        "."
                        {fields()}
                    </Notice>
                </div>
            </Show>
        </div>
    }
}

/// `Name: yours → theirs`
fn lines(fields: Vec<Field>) -> impl IntoView {
    let said = |text: String| if text.is_empty() { "none".to_owned() } else { text };
    let line = |(label, mine, theirs): Field| {
        view! {
            <li class="wrap-anywhere">
                {label} ": " {said(mine)}
                <span aria-hidden="true">" → "</span>
                <span class="sr-only">", theirs: "</span>
                <strong class="font-medium">{said(theirs)}</strong>
            </li>
        }
    };
    fields.into_iter().map(line).collect_view()
}
