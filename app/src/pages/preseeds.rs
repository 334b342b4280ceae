//! The list of preseeds.

use leptos::prelude::*;

use super::{
    flags::Flags,
    follow::follow_list,
    records::{loaded, rows},
};
use crate::{
    api::{self, Api, ApiError, Me, Preseed},
    ui::{Address, Columns, Empty, Glyph, Icon, PageHead, SearchBox, Sort, SortHead, SortHeads, Switch, format::counted, matches, natural},
};

/// A preseed as listed, without its text.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct Entry {
    id: i64,
    name: String,
    description: String,
    kind: String,
    user: Option<String>,
    public: bool,
    known_good: bool,
}

impl From<Preseed> for Entry {
    fn from(preseed: Preseed) -> Self {
        let kind = preseed.file_type.word().to_owned();
        let Preseed { id, name, description, user, public, known_good, .. } = preseed;
        Self { id, name, description, kind, user, public, known_good }
    }
}

#[component]
pub(super) fn Preseeds() -> impl IntoView {
    loaded("Preseeds", load, |me, preseeds| view! { <List me preseeds/> }.into_any())
}

async fn load(api: Api) -> Result<Vec<Entry>, ApiError> {
    Ok(api.preseeds(true).await?.into_iter().map(Entry::from).collect())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Name,
    Description,
    Kind,
    Owner,
    KnownGood,
    Public,
}

impl Columns for Column {
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Name, "name"),
        (Self::Description, "description"),
        (Self::Kind, "type"),
        (Self::Owner, "owner"),
        (Self::KnownGood, "known_good"),
        (Self::Public, "public"),
    ];
}

fn compare(a: &Entry, b: &Entry, sort: Sort<Column>) -> std::cmp::Ordering {
    let by = match sort.column {
        Column::Name => natural(&a.name, &b.name),
        // those without one last
        Column::Description => {
            a.description.is_empty().cmp(&b.description.is_empty()).then_with(|| natural(&a.description, &b.description))
        }
        Column::Kind => a.kind.cmp(&b.kind),
        Column::Owner => a.user.cmp(&b.user),
        // those that are come first
        Column::KnownGood => b.known_good.cmp(&a.known_good),
        Column::Public => b.public.cmp(&a.public),
    };
    sort.apply(by).then_with(|| natural(&a.name, &b.name))
}

#[component]
fn List(me: Me, preseeds: Vec<Entry>) -> impl IntoView {
    let preseeds = RwSignal::new(preseeds);
    follow_list(&[api::List::Preseed], load, move |list| {
        preseeds.try_set(list);
    });
    let address = Address::new();
    let filter = address.keeps::<String>("q");
    let only_mine = address.keeps::<bool>("mine");
    let sort = address.keeps_sort(Sort::by(Column::Name));
    let username = me.username;
    let shown = Memo::new(move |_| {
        let (filter, only_mine, sort) = (filter.get(), only_mine.get(), sort.get());
        let wanted = |entry: &Entry| {
            let user = entry.user.as_deref().unwrap_or_default();
            let all = [&entry.name, &entry.description, &entry.kind, user].join("\n");
            (!only_mine || user == username) && matches(&all, &filter)
        };
        let mut list: Vec<Entry> = preseeds.with(|list| list.iter().filter(|entry| wanted(entry)).cloned().collect());
        list.sort_by(|a, b| compare(a, b, sort));
        list
    });
    let row = |own: Memo<Entry>| {
        let text = move |get: fn(&Entry) -> String| move || own.with(get);
        let owner = text(|entry| entry.user.clone().unwrap_or_else(|| "–".into()));
        let flags = move || own.with(|entry| view! { <Flags public=entry.public known_good=entry.known_good/> });
        view! {
            <tr class="hover:bg-base-200" data-testid="preseed-row" data-preseed=text(|entry| entry.name.clone())>
                <th scope="row" class="font-medium">
                    <a class="link link-hover text-primary break-all" href=format!("/preseeds/{}", own.with_untracked(|entry| entry.id))>
                        {text(|entry| entry.name.clone())}
                    </a>
                    // what has no column of its own on a telephone
                    <span class="block text-xs font-normal wrap-anywhere md:hidden">
                        <span class="block opacity-80">{text(|entry| entry.description.clone())}</span>
                        <span class="block opacity-80">"Owner: "{owner}</span>
                        {flags}
                    </span>
                </th>
                <td class="wrap-anywhere max-md:hidden">{text(|entry| entry.description.clone())}</td>
                <td>{text(|entry| entry.kind.clone())}</td>
                <td class="wrap-anywhere max-md:hidden">{owner}</td>
                <td class="max-md:hidden">{flags}</td>
            </tr>
        }
        .into_any()
    };
    view! {
        <PageHead title="Preseeds">
            <a class="btn btn-sm btn-primary" href="/preseeds/new" data-testid="new-preseed">
                <Glyph icon=Icon::Plus/>
                "New preseed"
            </a>
        </PageHead>
        <div class="mb-3 flex flex-wrap items-center gap-x-4 gap-y-2">
            <SearchBox value=filter label="Filter preseeds"/>
            <Switch id="only-mine" label="Only my preseeds" checked=only_mine change=move |on| only_mine.set(on)/>
            <span class="text-sm opacity-80" role="status">{move || counted(shown.with(Vec::len), "preseed", "preseeds")}</span>
        </div>
        <Show
            when=move || !preseeds.with(Vec::is_empty)
            fallback=|| view! { <Empty title="No preseeds yet">"A preseed answers the installer's questions, with each machine's own values put in."</Empty> }
        >
            <div class="rounded-box border-base-300 overflow-x-auto border">
                <table class="table-sm table" data-testid="preseeds">
                    <caption class="sr-only">"Preseeds"</caption>
                    <thead class="bg-base-200">
                        <tr>
                            <SortHead label="Name" column=Column::Name sort/>
                            <SortHead label="Description" column=Column::Description sort class="max-md:hidden"/>
                            <SortHead label="Type" column=Column::Kind sort/>
                            <SortHead label="Owner" column=Column::Owner sort class="max-md:hidden"/>
                            <SortHeads columns=&[("Known good", Column::KnownGood), ("Public", Column::Public)] sort class="max-md:hidden"/>
                        </tr>
                    </thead>
                    <tbody>{rows(move || shown.get(), |entry| entry.id, row)}</tbody>
                </table>
            </div>
            <Show when=move || shown.with(Vec::is_empty)>
                <Empty title="No preseed matches"/>
            </Show>
        </Show>
    }
}
