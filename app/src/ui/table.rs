//! Tables that sort by their columns, and the box that filters their rows.

use std::{cmp::Ordering, time::Duration};

use leptos::{html, leptos_dom::helpers::TimeoutHandle, prelude::*};

use super::{
    field::{Setter, keep_in_step},
    format::folded,
    icon::{Glyph, Icon},
};

/// The column a table is sorted by. `C` names the columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sort<C> {
    pub(crate) column: C,
    pub(crate) descending: bool,
}

/// Columns that an address can name.
pub(crate) trait Columns: Copy + PartialEq + Send + Sync + 'static {
    /// Each with its word.
    const WORDS: &'static [(Self, &'static str)];
}

impl<C: Columns> Sort<C> {
    /// `-name` for downwards by the column `name`.
    pub(crate) fn word(self) -> String {
        let word = C::WORDS.iter().find(|(column, _)| *column == self.column).map_or("", |(_, word)| word);
        if self.descending { format!("-{word}") } else { word.to_owned() }
    }

    /// None for what names no column.
    pub(crate) fn of(word: &str) -> Option<Self> {
        let name = word.strip_prefix('-').unwrap_or(word);
        let (column, _) = C::WORDS.iter().find(|(_, own)| *own == name)?;
        Some(Self { column: *column, descending: name != word })
    }
}

impl<C: Copy + PartialEq> Sort<C> {
    pub(crate) fn by(column: C) -> Self {
        Self { column, descending: false }
    }

    /// After a click on a column's heading.
    #[must_use]
    pub(crate) fn clicked(self, column: C) -> Self {
        Self { column, descending: self.column == column && !self.descending }
    }

    /// Whether downwards, if it is the column sorted by.
    pub(crate) fn direction_of(self, column: C) -> Option<bool> {
        (self.column == column).then_some(self.descending)
    }

    pub(crate) fn apply(self, ordering: Ordering) -> Ordering {
        if self.descending { ordering.reverse() } else { ordering }
    }
}

/// Whether every word of the query occurs, in whatever letters.
pub(crate) fn matches(haystack: &str, query: &str) -> bool {
    let haystack = folded(haystack);
    query.split_whitespace().all(|word| haystack.contains(&folded(word)))
}

/// A column's heading that sorts by it, of a table that is sorted in the browser.
#[component]
pub(crate) fn SortHead<C>(
    label: &'static str,
    column: C,
    sort: RwSignal<Sort<C>>,
    #[prop(default = "")] class: &'static str,
) -> impl IntoView
where
    C: Copy + PartialEq + Send + Sync + 'static,
{
    sort_head(label, class, move || sort.get().direction_of(column), move || sort.update(|sort| *sort = sort.clicked(column)))
}

/// The heading of several things that stand in one column, each of which can be sorted by, of a table that is sorted in the browser.
#[component]
pub(crate) fn SortHeads<C>(
    columns: &'static [(&'static str, C)],
    sort: RwSignal<Sort<C>>,
    #[prop(default = "")] class: &'static str,
) -> impl IntoView
where
    C: Copy + PartialEq + Send + Sync + 'static,
{
    let sorted = move || columns.iter().find_map(|(_, column)| sort.get().direction_of(*column));
    let buttons = columns.iter().map(|(label, column)| {
        let direction = move || sort.get().direction_of(*column);
        let click = move || sort.update(|sort| *sort = sort.clicked(*column));
        // the column tells that it is sorted, the button by what
        sort_button(label, Some(Signal::derive(move || direction().is_some())), direction, click)
    });
    view! {
        <th scope="col" class=class aria-sort=move || word(sorted())>
            <span class="flex flex-wrap gap-x-3">{buttons.collect_view()}</span>
        </th>
    }
    .into_any()
}

/// For `aria-sort`.
fn word(direction: Option<bool>) -> Option<&'static str> {
    direction.map(|down| if down { "descending" } else { "ascending" })
}

/// A column's heading, whoever sorts. `direction`: whether it is sorted by, and then whether downwards.
pub(crate) fn sort_head(
    label: &'static str,
    class: &'static str,
    direction: impl Fn() -> Option<bool> + Copy + Send + Sync + 'static,
    click: impl Fn() + 'static,
) -> AnyView {
    view! {
        <th scope="col" class=class aria-sort=move || word(direction())>
            {sort_button(label, None, direction, click)}
        </th>
    }
    .into_any()
}

fn sort_button(
    label: &'static str,
    pressed: Option<Signal<bool>>,
    direction: impl Fn() -> Option<bool> + Copy + Send + Sync + 'static,
    click: impl Fn() + 'static,
) -> AnyView {
    let several = pressed.is_some();
    view! {
        <button
            type="button"
            class="text-base-content inline-flex min-h-6 cursor-pointer hover:underline items-center gap-1 whitespace-nowrap"
            aria-pressed=move || pressed.map(|pressed| pressed.get().to_string())
            on:click=move |_| click()
        >
            {label}
            // of several in one column, the one that tells
            {move || word(direction().filter(|_| several)).map(|word| view! { <span class="sr-only">{format!(", {word}")}</span> })}
            <span aria-hidden="true" class="inline-block w-2">
                {move || match direction() {
                    Some(true) => "▾",
                    Some(false) => "▴",
                    None => "",
                }}
            </span>
        </button>
    }
    .into_any()
}

/// The box that filters a list, or searches on the server. What is typed before the application has loaded is kept.
#[component]
pub(crate) fn SearchBox(
    value: RwSignal<String>,
    /// What is searched, for those who do not see the lens.
    label: &'static str,
    #[prop(optional)] id: Option<&'static str>,
    #[prop(default = "Filter")] placeholder: &'static str,
    #[prop(default = "filter")] testid: &'static str,
    #[prop(default = "input-sm w-72 max-w-full")] class: &'static str,
    /// How many of the list fit, and of how many. For a list that does not show its count.
    #[prop(optional)]
    left: Option<Signal<(usize, usize)>>,
) -> impl IntoView {
    let node = NodeRef::<html::Input>::new();
    keep_in_step(value, move || node.get().map(|input| (input.value(), Box::new(move |text: &str| input.set_value(text)) as Setter)));
    view! {
        <label class=format!("input {class}")>
            <Glyph icon=Icon::Search class="size-4 opacity-80"/>
            <input
                node_ref=node
                id=id
                type="search"
                aria-label=label
                placeholder=placeholder
                data-testid=testid
                value=value.get_untracked()
                on:input=move |event| value.set(event_target_value(&event))
                autocomplete="off"
                spellcheck="false"
            />
        </label>
        {left.map(|left| view! { <Left value left/> })}
    }
}

/// A pause within a word is shorter: nothing is said of words that are only begun.
const PAUSE: Duration = Duration::from_millis(600);

/// Tells those who do not see the list what the filter has left of it.
#[component]
fn Left(value: RwSignal<String>, left: Signal<(usize, usize)>) -> impl IntoView {
    let said = RwSignal::new(String::new());
    let timer = StoredValue::new(None::<TimeoutHandle>);
    Effect::new(move |before: Option<()>| {
        let words = value.with(|query| left_of(query, left.get()));
        // what the page came with is read with the page
        if before.is_none() {
            return;
        }
        if let Some(timer) = timer.try_update_value(Option::take).flatten() {
            timer.clear();
        }
        // the page may have gone meanwhile
        let say = move || drop(said.try_set(words));
        timer.set_value(set_timeout_with_handle(say, PAUSE).ok());
    });
    // no `status`: while nothing is said, there is nothing to come across
    view! { <span class="sr-only" aria-live="polite" data-testid="filter-left">{move || said.get()}</span> }
}

/// Nothing of a list that is not filtered.
fn left_of(query: &str, (shown, all): (usize, usize)) -> String {
    match shown {
        _ if query.trim().is_empty() => String::new(),
        0 => "None matches".to_owned(),
        shown => format!("{shown} of {all}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_a_filter_must_occur() {
        assert!(matches("D03-1 arm64 Alice", "arm ALI"));
        assert!(!matches("d03-1 arm64 alice", "arm bob"));
        assert!(matches("anything", "  "));
    }

    #[test]
    fn what_a_filter_has_left_is_told() {
        assert_eq!(left_of(" ", (3, 3)), "");
        assert_eq!(left_of("a", (2, 3)), "2 of 3");
        assert_eq!(left_of("a", (0, 3)), "None matches");
    }

    impl Columns for char {
        const WORDS: &'static [(Self, &'static str)] = &[('n', "name"), ('m', "machines")];
    }

    #[test]
    fn an_order_is_found_by_its_word_again() {
        for (sort, word) in [(Sort::by('m'), "machines"), (Sort { column: 'n', descending: true }, "-name")] {
            assert_eq!((sort.word().as_str(), Sort::of(word)), (word, Some(sort)));
        }
        for wrong in ["", "-", "--name", "Name"] {
            assert_eq!(Sort::<char>::of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_second_click_turns_the_order() {
        let sort = Sort::by(1).clicked(1);
        assert!(sort.descending);
        assert_eq!(sort.clicked(1), Sort::by(1));
        assert_eq!(sort.clicked(2), Sort::by(2));
    }
}
