//! The audit log: who changed what. For administrators.

mod entry;

use std::mem;

use leptos::{prelude::*, task::spawn_local};
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_query_map},
};

use self::entry::{Change, KINDS, LONG, changes, deed, noun, page, whence};
use super::{
    follow::{Newest, on_return},
    records::keep_place,
    seldom::Seldom,
    session::{Failed, Session},
};
use crate::{
    api::{Api, ApiError, AuditEntry, AuditWanted, Instant},
    live::Live,
    ui::{
        Choice, Empty, FieldState, Glyph, Icon, Loading, PageHead, SelectField, Submit, SubmitErrors, TextField, Time, Title, Zone, dom,
        format::counted,
    },
};

/// Entries shown at first, and fetched with every "Older".
const ENTRIES: u32 = 50;
/// Members of a new or deleted thing that are shown without being asked for.
const FEW: usize = 4;

#[component]
pub(super) fn Audit() -> impl IntoView {
    let session = expect_context::<Session>();
    let api = expect_context::<Api>();
    let query = use_query_map();
    // the address is the filter: it can be sent to somebody, and the back button takes back
    let wanted = Memo::new(move |_| {
        let query = query.read();
        let get = |name| query.get(name).unwrap_or_default();
        AuditWanted { user: get("user"), kind: get("kind"), subject_id: get("subject_id"), action: get("action"), since: get("since") }
    });
    let entries = Resource::new(
        move || (wanted.get(), session.rights()),
        move |(wanted, _)| {
            let api = api.clone();
            async move { api.audit(&wanted, None, ENTRIES).await }
        },
    );
    let said = Said { text: RwSignal::new(String::new()), begun: StoredValue::new(false) };
    // the same number of others is news as well
    Effect::new(move |_| {
        wanted.track();
        said.text.set(String::new());
    });
    // who may not read it is not asked what to look for
    let head = move || {
        session.rights();
        Suspend::new(async move {
            let admin = session.me.await.is_ok_and(|me| session.now(me).admin);
            if admin { view! { <Head wanted entries/> }.into_any() } else { view! { <PageHead title="Audit log"/> }.into_any() }
        })
    };
    view! {
        <Title text="Audit log"/>
        <div class="p-4">
            <Transition fallback=|| ()>{head}</Transition>
            // no `status`: while nothing is said, there is nothing to come across
            <p class="sr-only" aria-live="polite" data-testid="audit-said">{move || said.text.get()}</p>
            <Transition fallback=Loading>
                {move || Suspend::new(async move {
                    match session.with(entries).await {
                        Ok((_, entries)) => view! { <List entries wanted=wanted.get_untracked() said/> }.into_any(),
                        Err(error) => view! { <Failed error retry=move |()| entries.refetch()/> }.into_any(),
                    }
                })}
            </Transition>
        </div>
    }
}

/// What those are told who do not see that the list has become another.
#[derive(Clone, Copy)]
struct Said {
    text: RwSignal<String>,
    /// Whether a list has been drawn: the first one is read with the page.
    begun: StoredValue<bool>,
}

impl Said {
    fn say(self, count: usize, more: bool) {
        let words = match counted(count, "entry", "entries") {
            _ if count == 0 => "No entry fits".to_owned(),
            entries if more => format!("{entries}, and there are older ones"),
            entries => entries,
        };
        self.text.try_set(words);
    }
}

#[component]
fn Head(wanted: Memo<AuditWanted>, entries: Resource<Result<Vec<AuditEntry>, ApiError>>) -> impl IntoView {
    view! {
        <PageHead title="Audit log">
            <button type="button" class="btn btn-sm" on:click=move |_| entries.refetch() data-testid="refresh">
                <Glyph icon=Icon::Reset/>
                "Refresh"
            </button>
            <a
                class="btn btn-sm"
                href=move || wanted.with(AuditWanted::export)
                download="audit.jsonl"
                rel="external"
                title="Every entry that fits, as JSON, one per line"
                data-testid="export"
            >
                <Glyph icon=Icon::Download/>
                "Export"
            </a>
        </PageHead>
        <Filter wanted/>
    }
}

/// `2026-11-22T12:08`, as the browser's field has it in the user's time zone, of what the API understands. [`dom::instant_of`] leads back.
fn to_field(since: String, zone: Zone) -> String {
    if since.is_empty() {
        return since;
    }
    let local = zone.seconds(&Instant(since)).replace(' ', "T");
    // what is no time is refused by the API, in its words
    local.get(..16).map_or_else(String::new, str::to_owned)
}

#[component]
fn Filter(wanted: Memo<AuditWanted>) -> impl IntoView {
    let api = expect_context::<Api>();
    let navigate = use_navigate();
    let zone = expect_context::<Zone>();
    let user = FieldState::new("");
    let kind = FieldState::new("");
    let action = FieldState::new("");
    let since = FieldState::new("");
    let fill = move |wanted: AuditWanted| {
        let implied = wanted.action.split('.').next().unwrap_or_default();
        kind.reset(if wanted.kind.is_empty() { implied } else { wanted.kind.as_str() });
        user.reset(wanted.user);
        action.reset(wanted.action);
        since.reset(to_field(wanted.since, zone));
    };
    // both are followed below
    untrack(|| fill(wanted.get()));
    // the back button, and the browser's zone when it is known
    Effect::new(move |before: Option<(AuditWanted, String)>| {
        let now = (wanted.get(), zone.name());
        if before.is_some_and(|before| before != now) {
            fill(now.0.clone());
        }
        now
    });
    // names that are likely; anybody's may be asked for, also of those who are gone
    let names = RwSignal::new(Vec::<String>::new());
    Effect::new(move |_| {
        let api = api.clone();
        leptos::task::spawn_local(async move {
            if let Ok(users) = api.users().await {
                names.try_set(users.into_iter().map(|user| user.username).collect());
            }
        });
    });
    let kinds: Vec<Choice> = KINDS.iter().map(|(kind, _)| Choice::new(kind, noun(kind).trim_end_matches(" of"))).collect();
    let actions = Signal::derive(move || {
        let kind = kind.value.get();
        let verbs = KINDS.iter().find(|(own, _)| *own == kind).map_or(&[][..], |(_, verbs)| *verbs);
        verbs.iter().map(|verb| Choice::new(format!("{kind}.{verb}"), *verb)).collect::<Vec<_>>()
    });
    // an action of another kind must not stay chosen
    Effect::new(move |before: Option<String>| {
        let kind = kind.value.get();
        if before.is_some_and(|before| before != kind) && !action.value.with_untracked(|action| action.starts_with(&format!("{kind}."))) {
            action.reset("");
        }
        kind
    });
    let go = move |wanted: &AuditWanted| {
        let query = wanted.query();
        navigate(&if query.is_empty() { "/audit".to_owned() } else { format!("/audit?{query}") }, NavigateOptions::default());
    };
    let send = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let kind = kind.value.get_untracked();
        // ids are told apart by the kind
        let subject_id = wanted.with_untracked(|wanted| if wanted.kind == kind { wanted.subject_id.clone() } else { String::new() });
        // an action says its kind, but not to an id
        let implied = subject_id.is_empty() && !action.value.with_untracked(String::is_empty);
        go(&AuditWanted {
            user: user.value.get_untracked().trim().to_owned(),
            kind: if implied { String::new() } else { kind },
            subject_id,
            action: action.value.get_untracked(),
            since: dom::instant_of(&since.value.get_untracked()),
        });
    };
    view! {
        <form class="mb-4 grid grid-cols-1 items-end gap-3 sm:grid-cols-2 lg:grid-cols-[repeat(4,minmax(0,14rem))_auto]" role="search" on:submit=send data-testid="audit-filter">
            <TextField id="audit-user" label="Who" field=user list="audit-users" placeholder="Anybody"/>
            <datalist id="audit-users">{move || names.get().into_iter().map(|name| view! { <option value=name></option> }).collect_view()}</datalist>
            <SelectField id="audit-kind" label="What" field=kind choices=kinds none="Anything"/>
            <SelectField
                id="audit-action"
                label="Action"
                field=action
                choices=actions
                none="Any"
                disabled=Signal::derive(move || kind.value.with(String::is_empty))
            />
            <TextField id="audit-since" label="Since" field=since kind="datetime-local"/>
            // as far from the edge as a field with its note, which is empty
            <div class="flex gap-2 pb-1">
                <button type="submit" class="btn btn-sm btn-primary">"Filter"</button>
                <a class="btn btn-sm btn-ghost" href="/audit">"Clear"</a>
            </div>
        </form>
    }
}

#[component]
fn List(entries: Vec<AuditEntry>, wanted: AuditWanted, said: Said) -> impl IntoView {
    keep_place();
    let api = StoredValue::new(expect_context::<Api>());
    let full = |list: &[AuditEntry]| list.len() >= ENTRIES as usize;
    let (count, begins_full) = (entries.len(), full(&entries));
    Effect::new(move |_| {
        if said.begun.try_update_value(|begun| mem::replace(begun, true)) == Some(true) {
            said.say(count, begins_full);
        }
    });
    // a page that was not full was the last one
    let more = RwSignal::new(full(&entries));
    let entries = RwSignal::new(entries);
    let submit = Submit::new();
    let of_one = (!wanted.subject_id.is_empty()).then(|| {
        let name = entries.with_untracked(|list| list.first().map(|entry| entry.subject.clone())).unwrap_or_default();
        let name = if name.is_empty() { format!("no. {}", wanted.subject_id) } else { name };
        let query = AuditWanted { subject_id: String::new(), ..wanted.clone() }.query();
        (noun(&wanted.kind).to_owned(), name, format!("/audit?{query}"))
    });
    let filtered = wanted != AuditWanted::default();
    let wanted = StoredValue::new(wanted);
    let older = move |_| {
        let api = api.get_value();
        let before = entries.with_untracked(|list| list.last().map(|entry| entry.id));
        submit.run(async move { api.audit(&wanted.get_value(), before, ENTRIES).await }, move |older| {
            more.set(full(&older));
            let next = older.first().map(|entry| entry.id);
            entries.update(|list| list.extend(older));
            said.say(entries.with_untracked(Vec::len), more.get_untracked());
            // the button goes with the last of them
            if let Some(next) = next.filter(|_| !more.get_untracked()) {
                focus_entry(next);
            }
        });
    };
    // what is being read stays where it is: newer ones are shown when they are asked for
    let newer = RwSignal::new(Vec::<AuditEntry>::new());
    let (newest, seldom) = (Newest::new(), Seldom::new());
    let look = move || {
        let asked = (newest.ask(), api.try_get_value(), wanted.try_get_value());
        let (Some(question), Some(api), Some(wanted)) = asked else { return };
        spawn_local(async move {
            // a failure shows as "connection lost"; the connection after it brings the next try
            if let Ok(list) = api.audit(&wanted, None, ENTRIES).await
                && question.is_newest()
            {
                let last = entries.try_with_untracked(|list| list.first().map(|entry| entry.id)).flatten();
                newer.try_set(list.into_iter().filter(|entry| Some(entry.id) > last).collect());
            }
        });
    };
    // every change in the lab is one of its entries; log-ins are told by no message
    expect_context::<Live>().listen(move |_| seldom.run(look));
    on_return(move || seldom.run(look));
    let show = move |_| {
        let Some(list) = newer.try_update(mem::take) else { return };
        let first = list.first().map(|entry| entry.id);
        if full(&list) {
            // there may be others between these and those that are shown
            more.set(true);
            entries.set(list);
        } else {
            entries.update(|all| drop(all.splice(0..0, list)));
        }
        if let Some(first) = first {
            focus_entry(first);
        }
    };
    let newer_words = move || {
        newer.with(|list| {
            let count = counted(list.len(), "newer entry", "newer entries");
            if full(list) { format!("Show {count} or more") } else { format!("Show {count}") }
        })
    };
    view! {
        // there from the start, so that nothing moves when there is something newer
        <div class="mb-2 flex min-h-8 flex-wrap items-center gap-x-4 gap-y-1 text-sm">
            {of_one.map(|(noun, name, without)| {
                let label = format!("Not only the history of {noun} {name}");
                view! {
                    <p class="flex items-center gap-1" data-testid="of-one">
                        <span>"History of " {noun} " " <strong>{name}</strong></span>
                        <a class="btn btn-ghost btn-xs btn-square" href=without aria-label=label title="Remove">
                            <Glyph icon=Icon::Close/>
                        </a>
                    </p>
                }
            })}
            <Show when=move || !newer.with(Vec::is_empty)>
                <button type="button" class="btn btn-sm btn-soft btn-info" on:click=show data-testid="newer">{newer_words}</button>
            </Show>
        </div>
        <Show
            when=move || !entries.with(Vec::is_empty)
            fallback=move || view! {
                <Empty title=if filtered { "No entry fits" } else { "No entries yet" }>
                    {if filtered { "Nothing of that kind was done, or it was somebody else, or before." } else { "Every change is written down here, with who made it." }}
                </Empty>
            }
        >
            <ol class="flex flex-col" data-testid="audit">
                <For each=move || entries.get() key=|entry| entry.id let:entry>
                    <Entry entry/>
                </For>
            </ol>
            <SubmitErrors submit/>
            <Show when=move || more.get()>
                // not disabled while it runs: the focus would be lost
                <button
                    type="button"
                    class="btn btn-sm btn-ghost mt-2 w-full"
                    class=("btn-disabled", move || submit.busy().get())
                    aria-disabled=move || submit.busy().get().then_some("true")
                    on:click=older
                    data-testid="older"
                >
                    "Older entries"
                </button>
            </Show>
        </Show>
    }
}

/// Where a button goes that has shown more, the focus goes to the first entry of it, once that is drawn.
fn focus_entry(id: i64) {
    request_animation_frame(move || drop(dom::focus_within(&format!("[data-entry='{id}'] a"))));
}

#[component]
fn Entry(entry: AuditEntry) -> impl IntoView {
    let told = changes(entry.before.as_ref(), entry.after.as_ref());
    let changed = entry.before.is_some() && entry.after.is_some();
    let count = told.len();
    let details = (!told.is_empty()).then(|| view! { <Changes told/> });
    let history = format!(
        "/audit?{}",
        AuditWanted { kind: entry.kind.clone(), subject_id: entry.subject_id.to_string(), ..AuditWanted::default() }.query()
    );
    let whence = whence(&entry);
    let name = if entry.subject.is_empty() { format!("no. {}", entry.subject_id) } else { entry.subject.clone() };
    view! {
        <li
            class="border-base-300 grid grid-cols-1 gap-x-4 gap-y-1 border-b py-2 text-sm sm:grid-cols-[10rem_1fr]"
            data-action=entry.action.clone()
            data-entry=entry.id.to_string()
        >
            <Time at=entry.date.clone() class="font-mono text-xs leading-5 opacity-80"/>
            <div class="min-w-0">
                <p class="flex flex-wrap items-baseline gap-x-1.5">
                    <strong class="font-semibold break-all">{if entry.user.is_empty() { "the server".to_owned() } else { entry.user.clone() }}</strong>
                    <span>{deed(&entry)}</span>
                    {match page(&entry) {
                        Some(path) => view! { <a class="link link-hover text-primary font-medium break-all" href=path>{name.clone()}</a> }.into_any(),
                        None => view! { <span class="font-medium break-all">{name.clone()}</span> }.into_any(),
                    }}
                    <a class="link link-hover text-xs" href=history aria-label=format!("History of {} {name}", noun(&entry.kind))>"History"</a>
                </p>
                <p class="text-xs opacity-80"><code>{entry.action.clone()}</code> " " {whence}</p>
                {match details {
                    None => ().into_any(),
                    Some(details) if changed || count <= FEW => details.into_any(),
                    Some(details) => view! {
                        <details>
                            <summary class="link link-hover w-fit cursor-pointer text-xs">{format!("{count} values")}</summary>
                            {details}
                        </details>
                    }.into_any(),
                }}
            </div>
        </li>
    }
}

#[component]
fn Changes(told: Vec<Change>) -> impl IntoView {
    view! {
        <dl class="mt-1 flex flex-col gap-0.5 text-xs" data-testid="changes">
            {told
                .into_iter()
                .map(|Change { member, before, after }| {
                    let arrow = before.is_some() && after.is_some();
                    view! {
                        <div class="flex flex-wrap gap-x-2">
                            <dt class="min-w-28 opacity-80">{member}</dt>
                            <dd class="flex min-w-0 flex-wrap items-baseline gap-x-2">
                                {before.map(|text| view! { <del class="text-error min-w-0">{folded(text)}</del> })}
                                {arrow.then(|| view! { <span aria-hidden="true">"→"</span><span class="sr-only">"is now"</span> })}
                                {after.map(|text| view! { <ins class="text-success min-w-0 font-medium no-underline">{folded(text)}</ins> })}
                            </dd>
                        </div>
                    }
                })
                .collect_view()}
        </dl>
    }
}

/// A value, of which only the beginning is shown at first when it is long: SSH keys are.
fn folded(text: String) -> AnyView {
    match text.char_indices().nth(LONG) {
        None => view! { <span class="break-all whitespace-pre-wrap">{text}</span> }.into_any(),
        Some((cut, _)) => {
            let start = format!("{}…", &text[..cut]);
            view! {
                <details>
                    <summary class="cursor-pointer break-all">{start}</summary>
                    <span class="break-all whitespace-pre-wrap">{text}</span>
                </details>
            }
            .into_any()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_has_what_the_address_says() {
        Owner::new().with(|| {
            Zone::provide();
            let zone = expect_context::<Zone>();
            for (since, field) in [
                ("2026-11-22T11:08:00Z", "2026-11-22T11:08"),
                ("2026-11-22T11:08:59.5Z", "2026-11-22T11:08"),
                ("", ""),
                ("xääääääääääääääää", ""),
                ("yesterday", ""),
            ] {
                assert_eq!(to_field(since.to_owned(), zone), field);
            }
        });
    }
}
