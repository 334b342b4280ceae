//! The list of preseeds.

use leptos::prelude::*;

use super::{flags::Flags, records::loaded};
use crate::{
    api::{Me, Preseed},
    ui::{Address, Empty, Glyph, Icon, PageHead, SearchBox, Sort, SortHead, Switch, format::counted, matches, natural},
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
    loaded(
        "Preseeds",
        |api| async move { Ok(api.preseeds(true).await?.into_iter().map(Entry::from).collect::<Vec<_>>()) },
        |me, preseeds| view! { <List me preseeds/> }.into_any(),
    )
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Name,
    Kind,
    Owner,
}

#[component]
fn List(me: Me, preseeds: Vec<Entry>) -> impl IntoView {
    let none = preseeds.is_empty();
    let preseeds = StoredValue::new(preseeds);
    let address = Address::new();
    let filter = address.keeps::<String>("q");
    let only_mine = address.keeps::<bool>("mine");
    let sort = RwSignal::new(Sort::by(Column::Name));
    let username = me.username;
    let shown = Memo::new(move |_| {
        let (filter, only_mine, sort) = (filter.get(), only_mine.get(), sort.get());
        let wanted = |entry: &Entry| {
            let user = entry.user.as_deref().unwrap_or_default();
            let all = [&entry.name, &entry.description, &entry.kind, user].join("\n").to_lowercase();
            (!only_mine || user == username) && matches(&all, &filter)
        };
        let mut list: Vec<Entry> = preseeds.with_value(|list| list.iter().filter(|entry| wanted(entry)).cloned().collect());
        list.sort_by(|a, b| {
            let by = match sort.column {
                Column::Name => natural(&a.name, &b.name),
                Column::Kind => a.kind.cmp(&b.kind),
                Column::Owner => a.user.cmp(&b.user),
            };
            sort.apply(by).then_with(|| natural(&a.name, &b.name))
        });
        list
    });
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
            when=move || !none
            fallback=|| view! { <Empty title="No preseeds yet">"A preseed answers the installer's questions, with each machine's own values put in."</Empty> }
        >
            <div class="rounded-box border-base-300 overflow-x-auto border">
                <table class="table-sm table" data-testid="preseeds">
                    <caption class="sr-only">"Preseeds"</caption>
                    <thead class="bg-base-200">
                        <tr>
                            <SortHead label="Name" column=Column::Name sort/>
                            <th scope="col">"Description"</th>
                            <SortHead label="Type" column=Column::Kind sort/>
                            <SortHead label="Owner" column=Column::Owner sort/>
                            <th scope="col">"Flags"</th>
                        </tr>
                    </thead>
                    <tbody>
                        <For each=move || shown.get() key=|entry| entry.id let:entry>
                            <tr class="hover:bg-base-200" data-testid="preseed-row" data-preseed=entry.name.clone()>
                                <th scope="row" class="font-medium">
                                    <a class="link link-hover text-primary break-all" href=format!("/preseeds/{}", entry.id)>{entry.name.clone()}</a>
                                </th>
                                <td class="break-words">{entry.description.clone()}</td>
                                <td>{entry.kind.clone()}</td>
                                <td>{entry.user.clone().unwrap_or_else(|| "–".into())}</td>
                                <td><Flags public=entry.public known_good=entry.known_good/></td>
                            </tr>
                        </For>
                    </tbody>
                </table>
            </div>
            <Show when=move || shown.with(Vec::is_empty)>
                <Empty title="No preseed matches"/>
            </Show>
        </Show>
    }
}
