//! The table's columns: which there are, and which of them somebody wants to see.

use leptos::prelude::*;

use crate::ui::{dom, keep, kept};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Name,
    State,
    Power,
    Arch,
    Bmc,
    Mac,
    Ip,
    Netboot,
    Assignees,
    Tags,
    Changed,
}

impl Column {
    pub(super) const ALL: [Self; 11] = [
        Self::Name,
        Self::State,
        Self::Power,
        Self::Arch,
        Self::Bmc,
        Self::Mac,
        Self::Ip,
        Self::Netboot,
        Self::Assignees,
        Self::Tags,
        Self::Changed,
    ];

    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Name => "Name",
            Self::State => "State",
            Self::Power => "Power",
            Self::Arch => "Architecture",
            Self::Bmc => "BMC",
            Self::Mac => "MAC addresses",
            Self::Ip => "IP addresses",
            Self::Netboot => "Netboot",
            Self::Assignees => "Assignees",
            Self::Tags => "Tags",
            Self::Changed => "Last change",
        }
    }

    /// The member of a machine that the API sorts by, and the column's word in addresses and cookies.
    pub(super) fn member(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::State => "state",
            Self::Power => "power",
            Self::Arch => "arch",
            Self::Bmc => "bmc",
            Self::Mac => "macs",
            Self::Ip => "leases",
            Self::Netboot => "netboot_enabled",
            Self::Assignees => "assignees",
            Self::Tags => "tags",
            Self::Changed => "updated_at",
        }
    }

    pub(super) fn parse(member: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|column| column.member() == member)
    }

    /// On a telephone there is room for these only.
    fn is_short(self) -> bool {
        matches!(self, Self::Name | Self::State | Self::Power)
    }

    fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// Some of the columns. The name is always among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Columns {
    bits: u16,
    /// Whether somebody chose them: on a telephone, too, they are all shown then, and the table is pushed sideways.
    chosen: bool,
}

impl Columns {
    fn usual() -> Self {
        let usual = Column::ALL.into_iter().filter(|column| !matches!(column, Column::Ip | Column::Tags | Column::Changed));
        Self { chosen: false, ..Self::of(usual) }
    }

    fn of(columns: impl Iterator<Item = Column>) -> Self {
        Self { bits: columns.fold(Column::Name.bit(), |bits, column| bits | column.bit()), chosen: true }
    }

    pub(super) fn has(self, column: Column) -> bool {
        self.bits & column.bit() != 0
    }

    /// Of a column's cells.
    pub(super) fn class(self, column: Column) -> &'static str {
        if self.chosen || column.is_short() { "" } else { "max-md:hidden" }
    }

    /// What is seen of them there.
    fn seen(self, phone: bool) -> Self {
        if self.chosen || !phone { self } else { Self::of(Column::ALL.into_iter().filter(|column| column.is_short())) }
    }

    fn with(self, column: Column, shown: bool) -> Self {
        let bits = if shown { self.bits | column.bit() } else { self.bits & !column.bit() };
        Self { bits: bits | Column::Name.bit(), chosen: true }
    }

    /// What is not known is left out: a later version's column, perhaps.
    fn parse(text: &str) -> Self {
        Self::of(text.split('.').filter_map(Column::parse))
    }

    /// Nothing for what nobody chose.
    fn text(self) -> String {
        if !self.chosen {
            return String::new();
        }
        Column::ALL.into_iter().filter(|column| self.has(*column)).map(Column::member).collect::<Vec<_>>().join(".")
    }

    pub(super) fn chosen() -> Self {
        kept(COOKIE).filter(|text| !text.is_empty()).map_or_else(Self::usual, |text| Self::parse(&text))
    }
}

const COOKIE: &str = "machines-columns";

/// The menu with a box for each.
#[component]
pub(super) fn ColumnMenu(columns: RwSignal<Columns>) -> impl IntoView {
    let set = move |now: Columns| {
        columns.set(now);
        keep(COOKIE, &now.text());
    };
    // known when the menu is opened: the server does not know it
    let phone = RwSignal::new(false);
    view! {
        <details class="dropdown dropdown-end" on:toggle=move |_| phone.set(dom::is_phone())>
            <summary class="btn btn-sm" data-testid="columns">"Columns"</summary>
            <fieldset class="dropdown-content bg-base-100 rounded-box border-base-300 z-40 mt-1 w-52 border p-2 shadow-lg">
                <legend class="sr-only">"Columns of the table"</legend>
                {Column::ALL
                    .into_iter()
                    .filter(|column| *column != Column::Name)
                    .map(|column| {
                        view! {
                            <label class="hover:bg-base-200 flex cursor-pointer items-center gap-2 rounded p-1.5 text-sm">
                                <input
                                    type="checkbox"
                                    class="checkbox checkbox-xs"
                                    data-column=column.member()
                                    prop:checked=move || columns.get().seen(phone.get()).has(column)
                                    on:change=move |event| {
                                        set(columns.get_untracked().seen(dom::is_phone()).with(column, event_target_checked(&event)));
                                    }
                                />
                                {column.label()}
                            </label>
                        }
                    })
                    .collect_view()}
                <button type="button" class="btn btn-ghost btn-xs mt-1 w-full" on:click=move |_| set(Columns::usual())>"As at first"</button>
            </fieldset>
        </details>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_choice_survives_as_a_text_and_the_name_always_stays() {
        let columns = Columns::usual().with(Column::Tags, true).with(Column::Bmc, false).with(Column::Name, false);
        assert!(columns.has(Column::Name) && columns.has(Column::Tags) && !columns.has(Column::Bmc));
        assert_eq!(columns.text(), "name.state.power.arch.macs.netboot_enabled.assignees.tags");
        assert_eq!(Columns::parse(&columns.text()), columns);
        assert_eq!(Columns::parse("tags.colour;x").text(), "name.tags");
    }

    #[test]
    fn on_a_telephone_the_usual_ones_are_few_and_the_chosen_ones_all_shown() {
        let usual = Columns::usual();
        assert_eq!((usual.class(Column::Power), usual.class(Column::Bmc)), ("", "max-md:hidden"));
        let chosen = usual.seen(true).with(Column::Assignees, true);
        assert_eq!(chosen.text(), "name.state.power.assignees");
        assert_eq!(chosen.class(Column::Assignees), "");
        assert_eq!((usual.seen(false), usual.text()), (usual, String::new()));
    }

    #[test]
    fn every_column_has_a_word_of_its_own() {
        for column in Column::ALL {
            assert_eq!(Column::parse(column.member()), Some(column));
        }
        assert_eq!(Column::parse("colour"), None);
    }
}
