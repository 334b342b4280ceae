//! What a page shows, as its address says it: it can be sent to somebody, outlives a reload, and Back comes back to it.

use std::time::Duration;

use leptos::{leptos_dom::helpers::TimeoutHandle, prelude::*};
use leptos_router::{
    NavigateOptions,
    hooks::{use_location, use_navigate, use_query_map},
    location::Location,
    params::ParamsMap,
};

use super::{
    clock,
    table::{Columns, Sort},
};
use crate::api::query_string;

/// Keys that come quicker are one change of the address: browsers refuse more than some hundred in ten seconds.
const PAUSE: Duration = Duration::from_millis(150);

/// What an address can keep under a name. It does not name what is the default.
pub(crate) trait Kept: Clone + PartialEq + Default + Send + Sync + 'static {
    /// Empty for the default.
    fn word(&self) -> String;

    /// The default for what makes no sense.
    fn of(word: &str) -> Self;
}

impl Kept for String {
    fn word(&self) -> String {
        self.clone()
    }

    fn of(word: &str) -> Self {
        word.to_owned()
    }
}

impl Kept for bool {
    fn word(&self) -> String {
        if *self { "1".into() } else { String::new() }
    }

    fn of(word: &str) -> Self {
        !word.is_empty()
    }
}

/// The address of the page that is shown.
#[derive(Clone)]
pub(crate) struct Address {
    location: Location,
    query: Memo<ParamsMap>,
    go: Callback<(String, bool)>,
}

impl Address {
    pub(crate) fn new() -> Self {
        Self { location: use_location(), query: use_query_map(), go: within_page() }
    }

    /// What the address keeps under this name. A change takes no step of history: Back leads to the page before.
    pub(crate) fn keeps<T: Kept>(&self, name: &'static str) -> RwSignal<T> {
        self.keeps_as(name, T::of, T::word)
    }

    /// The order of the page's table, which is `first` where the address says nothing of it.
    pub(crate) fn keeps_sort<C: Columns>(&self, first: Sort<C>) -> RwSignal<Sort<C>> {
        let word = move |sort: &Sort<C>| if *sort == first { String::new() } else { sort.word() };
        self.keeps_as("sort", move |word| Sort::of(word).unwrap_or(first), word)
    }

    /// `of` reads the value from its word, which is empty where the address has none; `word` leads back.
    fn keeps_as<T: Clone + PartialEq + Send + Sync + 'static>(
        &self,
        name: &'static str,
        of: impl Fn(&str) -> T + Send + Sync + 'static,
        word: impl Fn(&T) -> String + Clone + 'static,
    ) -> RwSignal<T> {
        let Self { location, query, go } = self.clone();
        let shown = Memo::new(move |_| of(query.read().get_str(name).unwrap_or_default()));
        let send = move |value: T| {
            let search = location.search.with_untracked(|search| with(search, name, &word(&value)));
            let path = location.pathname.get_untracked();
            go.run((if search.is_empty() { path } else { format!("{path}?{search}") }, true));
        };
        followed(PAUSE, true, move || shown.get(), send)
    }
}

/// The query with another value under this name, and without the name when the value is empty.
fn with(query: &str, name: &str, value: &str) -> String {
    let others = query.split('&').filter(|pair| !pair.is_empty() && pair.split('=').next() != Some(name));
    let own = query_string([(name, value)].into_iter().filter(|(_, value)| !value.is_empty()));
    others.chain([own.as_str()].into_iter().filter(|own| !own.is_empty())).collect::<Vec<_>>().join("&")
}

/// Goes to another address of the page that is shown, and whether in place of this one in the history. Does nothing once the user has left it.
pub(crate) fn within_page() -> Callback<(String, bool)> {
    let navigate = use_navigate();
    let path = use_location().pathname;
    let own = path.get_untracked();
    Callback::new(move |(address, replace): (String, bool)| {
        // gone to another page, whose code is still on its way
        if path.with_untracked(|path| *path != own) {
            return;
        }
        navigate(&address, NavigateOptions { replace, scroll: false, resolve: false, ..NavigateOptions::default() });
    })
}

/// A value that the user changes: `send` follows `pause` after the last change, and when `shown` changes by itself, so does the value.
/// `eager`: a change that comes after a pause is followed at once.
pub(crate) fn followed<T: Clone + PartialEq + Send + Sync + 'static>(
    pause: Duration,
    eager: bool,
    shown: impl Fn() -> T + 'static,
    send: impl Fn(T) + Clone + 'static,
) -> RwSignal<T> {
    let first = untrack(&shown);
    let value = RwSignal::new(first.clone());
    // what the address has, or will have in a moment
    let sent = StoredValue::new(first);
    let timer = StoredValue::new(None::<TimeoutHandle>);
    let last = StoredValue::new(0.0);
    Effect::new(move |_| {
        let wanted = value.get();
        if let Some(timer) = timer.try_update_value(Option::take).flatten() {
            timer.clear();
        }
        if sent.with_value(|sent| *sent == wanted) {
            return;
        }
        let send = {
            let send = send.clone();
            move || {
                // the page may have gone meanwhile
                if last.try_set_value(clock::precise()).is_none() {
                    sent.set_value(wanted.clone());
                    send(wanted);
                }
            }
        };
        if eager && clock::precise() - last.get_value() >= pause.as_secs_f64() {
            send();
        } else {
            timer.set_value(set_timeout_with_handle(send, pause).ok());
        }
    });
    Effect::new(move |_| {
        let shown = shown();
        if sent.with_value(|sent| *sent != shown) {
            sent.set_value(shown.clone());
            value.set(shown);
        }
    });
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_takes_its_place_among_the_others() {
        assert_eq!(with("", "q", "a b&c"), "q=a%20b%26c");
        assert_eq!(with("q=a&mine=1", "q", "ab"), "mine=1&q=ab");
        assert_eq!(with("q=a&mine=1&qq=2", "mine", ""), "q=a&qq=2");
        assert_eq!(with("q=%26&q=b", "q", ""), "");
    }

    #[test]
    fn the_default_is_not_named() {
        for value in [false, true] {
            assert_eq!(bool::of(&value.word()), value);
        }
        assert_eq!((bool::default().word(), String::default().word()), (String::new(), String::new()));
    }
}
