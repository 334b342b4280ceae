//! Short messages about what happened, at the edge of the window.

use std::{collections::BTreeMap, future::Future, sync::Arc, time::Duration};

use leptos::{leptos_dom::helpers::TimeoutHandle, prelude::*, task::spawn_local};

use super::{
    dom,
    icon::{Glyph, Icon},
};
use crate::api::ApiError;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tone {
    Ok,
    Warning,
    Error,
}

#[derive(Clone, Debug)]
struct Toast {
    id: u32,
    tone: Tone,
    text: String,
    offer: Option<Offer>,
}

/// Something that can be done about it.
#[derive(Clone, Copy, Debug)]
struct Offer {
    label: &'static str,
    act: Callback<()>,
}

/// Makes it as it was before.
const UNDO: &str = "Undo";

impl Toast {
    /// Says, and offers, nothing else than the other one. Each Undo is of something else, whatever its words are.
    fn repeats(&self, other: &Self) -> bool {
        let same_offer = match (&self.offer, &other.offer) {
            (None, None) => true,
            (Some(own), Some(other)) => own.label == other.label && own.label != UNDO,
            _ => false,
        };
        same_offer && self.tone == other.tone && self.text == other.text
    }

    /// Is lost for the user when it is pushed out: nobody says it again.
    fn stays(&self) -> bool {
        self.tone == Tone::Error || self.offer.is_some()
    }
}

/// Adds the newest. Older ones give way, but an error or an offer only to another of them.
fn add(list: &mut Vec<Toast>, toast: Toast) {
    let newest_stays = toast.stays();
    let mut excess = (list.len() + 1).saturating_sub(MOST);
    while excess > 0 {
        let place = list.iter().position(|toast| !toast.stays()).or(newest_stays.then_some(0));
        let Some(place) = place else { break };
        list.remove(place);
        excess -= 1;
    }
    list.push(toast);
}

/// Good news leave by themselves; an error stays until somebody has seen it.
const STAY: Duration = Duration::from_secs(6);
/// Somebody has to see that it was wrong, and to get there.
const STAY_WITH_OFFER: Duration = Duration::from_secs(12);
/// Older ones give way. One more while all of these are to stay.
const MOST: usize = 5;

#[derive(Clone, Copy)]
pub(crate) struct Toasts {
    list: RwSignal<Vec<Toast>>,
    next: StoredValue<u32>,
    /// Of those that will leave by themselves.
    timers: StoredValue<BTreeMap<u32, TimeoutHandle>>,
    /// The application's: a way back outlives what it was offered for, e.g. a notice that goes with it.
    owner: StoredValue<Owner>,
}

impl Toasts {
    pub(crate) fn provide() {
        provide_context(Self {
            list: RwSignal::new(Vec::new()),
            next: StoredValue::new(0),
            timers: StoredValue::new(BTreeMap::new()),
            owner: StoredValue::new(Owner::current().unwrap_or_default()),
        });
    }

    pub(crate) fn ok(self, text: impl Into<String>) {
        self.push(Tone::Ok, text.into(), None);
    }

    /// Good news with a way back: `inverse` is called once if the user wants it, and its outcome is told.
    pub(crate) fn undoable<T: 'static, F>(
        self,
        text: impl Into<String>,
        inverse: impl Fn() -> F + Send + Sync + 'static,
        done: impl Fn(T) + Send + Sync + 'static,
    ) where
        F: Future<Output = Result<T, ApiError>> + 'static,
    {
        self.push(Tone::Ok, text.into(), Some(Offer { label: UNDO, act: self.way_back(inverse, done) }));
    }

    /// The same of what was done in part only; `undo` is about that part, and made by [`Toasts::way_back`].
    pub(crate) fn undoable_part(self, text: impl Into<String>, undo: Callback<()>) {
        self.push(Tone::Warning, text.into(), Some(Offer { label: UNDO, act: undo }));
    }

    /// Calls `inverse`, and tells its outcome.
    pub(crate) fn way_back<T: 'static, F>(
        self,
        inverse: impl Fn() -> F + Send + Sync + 'static,
        done: impl Fn(T) + Send + Sync + 'static,
    ) -> Callback<()>
    where
        F: Future<Output = Result<T, ApiError>> + 'static,
    {
        let done = Arc::new(done);
        let undo = move |()| {
            let (inverse, done) = (inverse(), Arc::clone(&done));
            spawn_local(async move {
                match inverse.await {
                    Ok(value) => {
                        done(value);
                        self.ok("Undone.");
                    }
                    Err(error) => self.error(format!("Not undone: {}", error.text())),
                }
            });
        };
        self.owner.get_value().with(|| Callback::new(undo))
    }

    pub(crate) fn warning(self, text: impl Into<String>) {
        self.push(Tone::Warning, text.into(), None);
    }

    /// A warning with what can be done about it.
    pub(crate) fn offer(self, text: impl Into<String>, label: &'static str, act: Callback<()>) {
        self.push(Tone::Warning, text.into(), Some(Offer { label, act }));
    }

    pub(crate) fn error(self, text: impl Into<String>) {
        self.push(Tone::Error, text.into(), None);
    }

    fn push(self, tone: Tone, text: String, offer: Option<Offer>) {
        let Some(id) = self.next.try_update_value(|next| {
            *next += 1;
            *next
        }) else {
            return;
        };
        let toast = Toast { id, tone, text, offer };
        let before = self.list.with_untracked(|list| list.iter().find(|before| toast.repeats(before)).map(|before| before.id));
        if let Some(before) = before {
            // a warning may come with every key that is pressed: once is enough, and it is read out once
            if tone == Tone::Warning || dom::is_used(&element(before)) {
                return self.run_out(before);
            }
            // the newest news are at the end, and are read out again
            self.close(before);
        }
        self.list.update(|list| add(list, toast));
        self.run_out(id);
    }

    /// From now on it stays as long as its kind does, and while the pointer or the focus is on it (WCAG 2.2.1).
    fn run_out(self, id: u32) {
        let stay = self.list.try_with_untracked(|list| {
            let toast = list.iter().find(|toast| toast.id == id && toast.tone != Tone::Error)?;
            Some(if toast.offer.is_some() { STAY_WITH_OFFER } else { STAY })
        });
        let ended = move || if dom::is_used(&element(id)) { self.run_out(id) } else { self.close(id) };
        let Some(Ok(timer)) = stay.flatten().map(|stay| set_timeout_with_handle(ended, stay)) else { return };
        if let Some(before) = self.timers.try_update_value(|timers| timers.insert(id, timer)).flatten() {
            before.clear();
        }
    }

    fn close(self, id: u32) {
        if let Some(timer) = self.timers.try_update_value(|timers| timers.remove(&id)).flatten() {
            timer.clear();
        }
        self.list.try_update(|list| list.retain(|toast| toast.id != id));
    }
}

/// The id in the document.
fn element(id: u32) -> String {
    format!("toast-{id}")
}

#[component]
pub(crate) fn ToastStack() -> impl IntoView {
    let toasts = expect_context::<Toasts>();
    view! {
        // there from the start: a live region that appears together with its text is not read out
        <div class="toast toast-end z-50 whitespace-normal" role="status" aria-live="polite" data-testid="toasts">
            <For each=move || toasts.list.get() key=|toast| toast.id let:toast>
                <div
                    id=element(toast.id)
                    class=format!("alert max-w-md shadow-lg {}", match toast.tone {
                        Tone::Ok => "alert-success",
                        Tone::Warning => "alert-warning",
                        Tone::Error => "alert-error",
                    })
                    data-toast=match toast.tone {
                        Tone::Ok => "ok",
                        Tone::Warning => "warning",
                        Tone::Error => "error",
                    }
                    on:pointerleave=move |_| toasts.run_out(toast.id)
                    on:focusout=move |_| toasts.run_out(toast.id)
                >
                    <Glyph icon=if toast.tone == Tone::Ok { Icon::Check } else { Icon::Warning }/>
                    <span class="min-w-0 wrap-anywhere">{toast.text}</span>
                    {toast.offer.map(|offer| view! {
                        <button
                            type="button"
                            class="btn btn-xs"
                            on:click=move |_| {
                                toasts.close(toast.id);
                                // without effect when it was of a page that was left
                                offer.act.try_run(());
                            }
                        >
                            {offer.label}
                        </button>
                    })}
                    <button type="button" class="btn btn-ghost btn-xs btn-square text-inherit! hover:bg-current/20!" aria-label="Close message" on:click=move |_| toasts.close(toast.id)>
                        <Glyph icon=Icon::Close/>
                    </button>
                </div>
            </For>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn toast(id: u32, tone: Tone, label: Option<&'static str>) -> Toast {
        let offer = label.map(|label| Offer { label, act: Callback::new(|()| ()) });
        Toast { id, tone, text: "text".into(), offer }
    }

    fn ids(list: &[Toast]) -> Vec<u32> {
        list.iter().map(|toast| toast.id).collect()
    }

    #[test]
    fn what_has_to_be_seen_gives_way_to_its_like_only() {
        Owner::new().with(|| {
            let mut list = vec![
                toast(1, Tone::Error, None),
                toast(2, Tone::Ok, Some(UNDO)),
                toast(3, Tone::Warning, None),
                toast(4, Tone::Error, None),
            ];
            for id in 5..9 {
                add(&mut list, toast(id, Tone::Ok, None));
            }
            assert_eq!(ids(&list), [1, 2, 4, 7, 8]);
            for id in 9..11 {
                add(&mut list, toast(id, Tone::Error, None));
            }
            assert_eq!(ids(&list), [1, 2, 4, 9, 10]);
            // said all the same
            add(&mut list, toast(11, Tone::Warning, None));
            add(&mut list, toast(12, Tone::Ok, None));
            assert_eq!(ids(&list), [1, 2, 4, 9, 10, 12]);
            add(&mut list, toast(13, Tone::Error, None));
            assert_eq!(ids(&list), [2, 4, 9, 10, 13]);
        });
    }

    #[test]
    fn the_same_is_said_once_and_every_undo_stays() {
        Owner::new().with(|| {
            let warning = toast(1, Tone::Warning, None);
            assert!(warning.repeats(&toast(2, Tone::Warning, None)));
            assert!(!warning.repeats(&toast(2, Tone::Error, None)));
            assert!(!warning.repeats(&toast(2, Tone::Warning, Some("Take the keyboard"))));
            assert!(!toast(1, Tone::Ok, Some(UNDO)).repeats(&toast(2, Tone::Ok, Some(UNDO))));
            assert!(toast(1, Tone::Warning, Some("Take it")).repeats(&toast(2, Tone::Warning, Some("Take it"))));
        });
    }
}
