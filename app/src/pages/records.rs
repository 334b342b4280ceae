//! What the pages have in common that show one kind of thing and let it be edited and deleted in dialogs.

use std::{collections::HashMap, future::Future, hash::Hash};

use leptos::prelude::*;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    removal::Uses,
    session::{Failed, Session},
};
use crate::{
    api::{Api, ApiError, InUseBy, Me, Removal},
    ui::{Choice, Confirm, Curl, Dialog, Icon, Loading, Opened, RowButton, Submit, Title, Toasts, Zone, dom, opened},
};

/// A page whose data is asked for once, and again when the user's rights have changed: its title, and `draw` when the data is there, else
/// what stands in its place.
pub(super) fn loaded<T, F>(title: &'static str, fetch: fn(Api) -> F, draw: fn(Me, T) -> AnyView) -> AnyView
where
    T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static,
    F: Future<Output = Result<T, ApiError>> + Send + 'static,
{
    let session = expect_context::<Session>();
    drawn(title, move || session.rights(), fetch, draw)
}

/// The same for a page whose rows tell what the user may do with them, and that must not be interrupted: whatever their rights are, it
/// stays as it is.
pub(super) fn loaded_once<T, F>(title: &'static str, fetch: fn(Api) -> F, draw: fn(Me, T) -> AnyView) -> AnyView
where
    T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static,
    F: Future<Output = Result<T, ApiError>> + Send + 'static,
{
    drawn(title, || false, fetch, draw)
}

/// Anew when `again` has another value.
fn drawn<T, F>(
    title: &'static str,
    again: impl Fn() -> bool + Send + Sync + 'static,
    fetch: fn(Api) -> F,
    draw: fn(Me, T) -> AnyView,
) -> AnyView
where
    T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static,
    F: Future<Output = Result<T, ApiError>> + Send + 'static,
{
    let session = expect_context::<Session>();
    let api = expect_context::<Api>();
    let data = Resource::new(again, move |_| fetch(api.clone()));
    view! {
        <Title text=title/>
        <div class="p-4">
            <Suspense fallback=Loading>
                {move || Suspend::new(async move {
                    match session.with(data).await {
                        Ok((me, data)) => {
                            keep_place();
                            session.by_rights(draw(me, data))
                        }
                        Err(error) => view! { <Failed error title retry=move |()| data.refetch()/> }.into_any(),
                    }
                })}
            </Suspense>
        </div>
    }
    .into_any()
}

/// Who comes back to a list by a step of history finds it as far down as it was left. To be called when the list is drawn.
pub(super) fn keep_place() {
    Effect::new(|_| dom::keep_scroll());
}

/// Something listed that is edited and deleted by its id.
pub(super) trait Record: Clone + PartialEq + Send + Sync + 'static {
    /// What it is called within a sentence.
    const NOUN: &'static str;

    fn id(&self) -> i64;

    /// Which one it is. `zone` is for those that are told apart by a time.
    fn label(&self, zone: Zone) -> String;

    /// Whether those that use `other` could have this instead. `users` are they, once the API has told of them.
    fn fits_for(&self, _other: &Self, _users: &[InUseBy]) -> bool {
        true
    }
}

/// What tells one thing of a list from the others.
pub(super) trait Key: Clone + Eq + Hash + Send + Sync + 'static {}

impl<T: Clone + Eq + Hash + Send + Sync + 'static> Key for T {}

/// A list by the keys of its things, in its order.
type Listed<K, T> = (Vec<K>, HashMap<K, T>);

fn listed<K: Key, T>(list: impl Fn() -> Vec<T> + Send + Sync + 'static, id: fn(&T) -> K) -> Memo<Listed<K, T>>
where
    T: Clone + PartialEq + Send + Sync + 'static,
{
    Memo::new(move |_| {
        let list = list();
        let order: Vec<K> = list.iter().map(id).collect();
        (order, list.into_iter().map(|own| (id(&own), own)).collect())
    })
}

/// One of them as it is now, and at the end as it was last: then its row goes.
fn one<K: Key, T>(listed: Memo<Listed<K, T>>, id: K) -> Option<Memo<T>>
where
    T: Clone + PartialEq + Send + Sync + 'static,
{
    let first = listed.with_untracked(|(_, all)| all.get(&id).cloned())?;
    Some(Memo::new(move |last: Option<&T>| {
        let now = listed.with(|(_, all)| all.get(&id).cloned());
        now.or_else(|| last.cloned()).unwrap_or_else(|| first.clone())
    }))
}

/// A row, or whatever else is drawn, for each thing of a list. It stays as long as its thing is listed, and the focus in it, whatever of
/// the thing is changed and whoever changes it.
pub(super) fn rows<K: Key, T>(
    list: impl Fn() -> Vec<T> + Send + Sync + 'static,
    id: fn(&T) -> K,
    draw: impl Fn(Memo<T>) -> AnyView + Copy + Send + Sync + 'static,
) -> AnyView
where
    T: Clone + PartialEq + Send + Sync + 'static,
{
    let listed = listed(list, id);
    view! { <For each=move || listed.with(|(order, _)| order.clone()) key=K::clone let:id>{one(listed, id).map(draw)}</For> }.into_any()
}

fn label<T: Record>(verb: &'static str, own: Memo<T>, zone: Zone) -> Signal<String> {
    Signal::derive(move || own.with(|own| format!("{verb} {} {}", T::NOUN, own.label(zone))))
}

/// With the thing a dialog is about.
fn named<T: Record>(verb: &'static str, own: RwSignal<Option<T>>, zone: Zone) -> Signal<String> {
    Signal::derive(move || own.with(|own| own.as_ref().map(|own| format!("{verb} {} {}", T::NOUN, own.label(zone))).unwrap_or_default()))
}

/// The things a page lists, and which of them its dialogs are about.
pub(super) struct Records<T: Record> {
    pub(super) list: RwSignal<Vec<T>>,
    editing: RwSignal<Option<T>>,
    edit_open: RwSignal<bool>,
    deleting: RwSignal<Option<T>>,
    delete_open: RwSignal<bool>,
    zone: Zone,
}

impl<T: Record> Clone for Records<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Record> Copy for Records<T> {}

impl<T: Record> Records<T> {
    pub(super) fn new(list: Vec<T>) -> Self {
        Self {
            list: RwSignal::new(list),
            editing: RwSignal::new(None),
            edit_open: RwSignal::new(false),
            deleting: RwSignal::new(None),
            delete_open: RwSignal::new(false),
            zone: expect_context(),
        }
    }

    /// All of them, as they are now.
    pub(super) fn replace(self) -> impl Fn(Vec<T>) + Copy + Send + Sync + 'static {
        move |list| {
            self.list.try_set(list);
        }
    }

    /// Puts a new or changed one into the list.
    pub(super) fn put(self) -> Callback<T> {
        Callback::new(move |new: T| {
            self.list.update(|list| match list.iter_mut().find(|own| own.id() == new.id()) {
                Some(own) => *own = new,
                None => list.push(new),
            });
        })
    }

    /// The row's buttons that open the dialogs below. Not everyone may delete everything.
    pub(super) fn buttons(self, own: Memo<T>, deletable: bool) -> AnyView {
        let edit = move |()| {
            self.editing.set(Some(own.get_untracked()));
            self.edit_open.set(true);
        };
        view! {
            <RowButton icon=Icon::Pencil label=label("Edit", own, self.zone) action=edit/>
            {deletable.then(|| self.delete_button(own))}
        }
        .into_any()
    }

    /// For those that are not edited.
    pub(super) fn delete_button(self, own: Memo<T>) -> AnyView {
        let delete = move |()| {
            self.deleting.set(Some(own.get_untracked()));
            self.delete_open.set(true);
        };
        view! { <RowButton icon=Icon::Trash label=label("Delete", own, self.zone) action=delete/> }.into_any()
    }

    /// The dialog with the form for the one that is edited; the form closes it.
    pub(super) fn editor(self, form: impl Fn(RwSignal<bool>, Opened<T>) -> AnyView + Send + Sync + 'static) -> AnyView {
        let form = StoredValue::new(form);
        view! {
            <Dialog open=self.edit_open title=named("Edit", self.editing, self.zone)>
                {move || self.editing.get().map(|record| opened(record, move |opened| form.with_value(|form| form(self.edit_open, opened))))}
            </Dialog>
        }
        .into_any()
    }

    /// Asks before deleting. `consequence` is said with the question, and may be empty.
    pub(super) fn deleter<F>(self, consequence: fn(&T) -> String, delete: fn(Api, i64, Removal) -> F) -> AnyView
    where
        F: Future<Output = Result<(), ApiError>> + 'static,
    {
        let api = StoredValue::new(expect_context::<Api>());
        let toasts = expect_context::<Toasts>();
        let submit = Submit::new();
        let action = move |()| {
            let Some(record) = self.deleting.get_untracked() else { return };
            submit.run(delete(api.get_value(), record.id(), submit.removal()), move |()| {
                self.delete_open.set(false);
                self.list.update(|list| list.retain(|own| own.id() != record.id()));
                toasts.ok(format!("Deleted {} {}.", T::NOUN, untrack(|| record.label(self.zone))));
            });
        };
        let curl = Callback::new(move |()| {
            let record = self.deleting.get_untracked()?;
            let title = format!("Delete {} {}", T::NOUN, untrack(|| record.label(self.zone)));
            Curl::of(title, async |api| delete(api, record.id(), submit.removal()).await)
        });
        let text = move || {
            self.deleting.with(|record| {
                let Some(record) = record else { return String::new() };
                let question = format!("Are you sure you want to delete {} {}?", T::NOUN, record.label(self.zone));
                [question, consequence(record)].join(" ").trim_end().to_owned()
            })
        };
        let instead = Signal::derive(move || {
            self.deleting.with(|record| {
                let Some(record) = record else { return Vec::new() };
                let users = submit.uses().get();
                self.list.with(|list| {
                    let fitting = list.iter().filter(|other| other.id() != record.id() && other.fits_for(record, &users));
                    fitting.map(|other| Choice::new(other.id(), other.label(self.zone))).collect()
                })
            })
        });
        let more = move || view! { <Uses submit instead/> };
        view! {
            <Confirm
                open=self.delete_open
                title=format!("Delete {}", T::NOUN)
                about=named("Delete", self.deleting, self.zone)
                text=Signal::derive(text)
                acknowledge=true
                submit
                action
                more
                curl
            />
        }
        .into_any()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_follows_its_thing_and_shows_it_to_the_end() {
        Owner::new().with(|| {
            let list = RwSignal::new(vec![(1, "a"), (2, "b")]);
            let listed = listed(move || list.get(), |own| own.0);
            let (first, second) = (one(listed, 1).unwrap(), one(listed, 2).unwrap());
            let shown = || (first.get_untracked().1, second.get_untracked().1);
            assert_eq!(shown(), ("a", "b"));
            list.set(vec![(2, "c"), (1, "a")]);
            assert_eq!((listed.get_untracked().0, shown()), (vec![2, 1], ("a", "c")));
            list.set(vec![(1, "d")]);
            assert_eq!(shown(), ("d", "c"));
            assert!(one(listed, 2).is_none());
        });
    }
}
