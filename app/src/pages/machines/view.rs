//! What the page shows of the lab, as its address says it.

use leptos_router::params::ParamsMap;

use super::columns::Column;
use crate::{
    api::{MachineView, query_string},
    ui::{Sort, dom, keep, kept},
};

/// Everything that the address keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct View {
    pub(super) search: String,
    pub(super) q: String,
    pub(super) mine: bool,
    pub(super) sort: Sort<Column>,
    /// From 0; in the address from 1.
    pub(super) page: usize,
}

impl Default for View {
    fn default() -> Self {
        Self { search: String::new(), q: String::new(), mine: false, sort: Sort::by(Column::Name), page: 0 }
    }
}

impl View {
    pub(super) fn of(query: &ParamsMap) -> Self {
        let text = |name| query.get(name).unwrap_or_default();
        let word = text("sort");
        let sort = Column::parse(word.trim_start_matches('-'));
        Self {
            search: text("search"),
            q: text("q"),
            // `0` for links that show all, whatever is remembered
            mine: query.get_str("mine").is_some_and(|word| word != "0"),
            sort: sort.map_or(Sort::by(Column::Name), |column| Sort { column, descending: word.starts_with('-') }),
            page: text("page").parse::<usize>().unwrap_or_default().saturating_sub(1),
        }
    }

    /// Nothing for what is the default.
    pub(super) fn address(&self) -> String {
        let sort = self.sort_word();
        let page = (self.page + 1).to_string();
        let pairs = [
            ("search", self.search.as_str()),
            ("q", &self.q),
            ("mine", if self.mine { "1" } else { "" }),
            ("sort", if sort == "name" { "" } else { &sort }),
            ("page", if self.page == 0 { "" } else { &page }),
        ];
        let query = query_string(pairs.into_iter().filter(|(_, value)| !value.is_empty()));
        if query.is_empty() { "/machines".into() } else { format!("/machines?{query}") }
    }

    fn sort_word(&self) -> String {
        format!("{}{}", if self.sort.descending { "-" } else { "" }, self.sort.column.member())
    }

    /// Another view begins with its first page.
    pub(super) fn changed(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut view = Self { page: 0, ..self.clone() };
        change(&mut view);
        view
    }

    pub(super) fn on_page(&self, page: usize) -> Self {
        Self { page, ..self.clone() }
    }

    /// Whether it leaves machines out.
    pub(super) fn is_filtered(&self) -> bool {
        self.mine || !self.search.trim().is_empty() || !self.q.trim().is_empty()
    }

    /// Whether what is shown, and where, may change with the power or the state of a machine.
    pub(super) fn follows_state(&self) -> bool {
        !self.search.trim().is_empty()
            || !self.q.trim().is_empty()
            || matches!(self.sort.column, Column::State | Column::Power | Column::Changed)
    }

    /// As it is asked of the API, in pages of so many.
    pub(super) fn asked(&self, rows: usize) -> MachineView {
        MachineView {
            mine: self.mine,
            search: self.search.trim().into(),
            q: self.q.trim().into(),
            sort: self.sort_word(),
            limit: rows,
            offset: self.page.saturating_mul(rows),
        }
    }
}

/// Rows on a page that can be chosen.
pub(super) const ROWS: [usize; 4] = [50, 100, 250, 500];

const MINE: &str = "machines-mine";

/// Whether a list that is opened with this query is to be of the user's own machines, as they had it last. What an address asks for, and
/// what is gone back to, is shown as it is.
pub(super) fn is_mine_by_choice(query: &ParamsMap) -> bool {
    query.into_iter().next().is_none() && kept(MINE).as_deref() == Some("1") && !dom::came_back()
}

pub(super) fn keep_mine(mine: bool) {
    keep(MINE, if mine { "1" } else { "" });
}

const COOKIE: &str = "machines-rows";

pub(super) fn chosen_rows() -> usize {
    kept(COOKIE).and_then(|text| text.parse().ok()).filter(|rows| ROWS.contains(rows)).unwrap_or(100)
}

pub(super) fn keep_rows(rows: usize) {
    keep(COOKIE, &rows.to_string());
}

/// How many pages so many items have; one that is empty, at least.
pub(super) fn pages(total: usize, rows: usize) -> usize {
    total.div_ceil(rows.max(1)).max(1)
}

/// `1–100 of 10,000 machines`
pub(super) fn place(page: usize, rows: usize, total: usize) -> String {
    let noun = if total == 1 { "machine" } else { "machines" };
    let shown = total.saturating_sub(page * rows).min(rows);
    if shown == 0 {
        return format!("{} {noun}", grouped(total));
    }
    let first = page * rows + 1;
    format!("{}–{} of {} {noun}", grouped(first), grouped(first + shown - 1), grouped(total))
}

/// `10,000`
pub(super) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(pairs: &[(&str, &str)]) -> View {
        View::of(&pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn the_address_names_only_what_is_not_the_default() {
        assert_eq!(View::default().address(), "/machines");
        let whole = View {
            search: "a b&c".into(),
            q: "(= arch \"arm64\")".into(),
            mine: true,
            sort: Sort { column: Column::Netboot, descending: true },
            page: 2,
        };
        let address = "/machines?search=a%20b%26c&q=%28%3D%20arch%20%22arm64%22%29&mine=1&sort=-netboot_enabled&page=3";
        assert_eq!(whole.address(), address);
        let pairs =
            [("search", "a b&c"), ("q", "(= arch \"arm64\")"), ("mine", "1"), ("sort", "-netboot_enabled"), ("page", "3"), ("other", "x")];
        assert_eq!(view(&pairs), whole);
    }

    #[test]
    fn an_address_that_makes_no_sense_shows_the_first_page() {
        for pairs in [[("page", "0")], [("page", "-1")], [("page", "x")], [("sort", "colour")]] {
            assert_eq!(view(&pairs), View::default(), "{pairs:?}");
        }
    }

    #[test]
    fn a_link_to_all_machines_says_so() {
        assert_eq!(view(&[("mine", "0")]), View::default());
        assert!(view(&[("mine", "")]).mine && view(&[("mine", "1")]).mine);
    }

    #[test]
    fn another_view_begins_with_its_first_page() {
        let third = View::default().on_page(2);
        assert_eq!(third.changed(|view| view.mine = true), View { mine: true, ..View::default() });
        assert_eq!(third.asked(250), MachineView { sort: "name".into(), limit: 250, offset: 500, ..MachineView::default() });
    }

    #[test]
    fn places_are_counted_from_one() {
        assert_eq!(place(0, 100, 10_000), "1–100 of 10,000 machines");
        assert_eq!(place(99, 100, 10_000), "9,901–10,000 of 10,000 machines");
        assert_eq!(place(0, 100, 1), "1–1 of 1 machine");
        assert_eq!(place(0, 100, 0), "0 machines");
        assert_eq!(place(2, 100, 237), "201–237 of 237 machines");
        assert_eq!(place(3, 100, 237), "237 machines");
        assert_eq!((pages(0, 100), pages(100, 100), pages(101, 100)), (1, 1, 2));
        assert_eq!((grouped(999), grouped(1_000), grouped(1_234_567)), ("999".into(), "1,000".into(), "1,234,567".into()));
    }
}
