//! One preseed: writing a new one, and changing it later.

mod help;

use std::time::Duration;

use leptos::prelude::*;
use leptos_router::{NavigateOptions, hooks::use_navigate};

use self::help::Help;
use super::{
    machine::{id_of_page, not_found},
    preview::Preview,
    removal::Uses,
    session::{Failed, Session},
    used::{Thing, UsedBy},
};
use crate::{
    api::{
        Api, CONTENT_LIMIT, Description, Edit as Edited, MachineView, NewPreseed, Preseed, PreseedChange, PreseedName, PreseedType,
        PreviewRequest,
    },
    ui::{
        Choice, Confirm, Curl, CurlButton, Dialog, Editor, FieldState, Glyph, Icon, Loading, Notice, Overtaken, PageHead, Panel, SearchBox,
        SelectField, Submit, SubmitButton, SubmitErrors, SubmitForm, SwitchField, TextField, Title, Toasts, Unsaved, followed,
        format::counted,
    },
};

#[component]
pub(super) fn NewPreseedPage() -> impl IntoView {
    let session = expect_context::<Session>();
    view! {
        <Title text="New preseed"/>
        <div class="p-4">
            <Suspense fallback=Loading>
                {move || Suspend::new(async move {
                    match session.me.await {
                        Ok(_) => view! { <New/> }.into_any(),
                        Err(error) => view! { <Failed error title="New preseed" retry=move |()| session.me.refetch()/> }.into_any(),
                    }
                })}
            </Suspense>
        </div>
    }
}

#[component]
pub(super) fn PreseedPage() -> impl IntoView {
    let api = expect_context::<Api>();
    let session = expect_context::<Session>();
    let id = id_of_page();
    let preseed = Resource::new(
        move || id.get(),
        move |id| {
            let api = api.clone();
            async move { api.preseed(id.ok_or_else(not_found)?).await }
        },
    );
    view! {
        // until its name is known
        <Title text="Preseed"/>
        <div class="p-4">
            <Suspense fallback=Loading>
                {move || Suspend::new(async move {
                    match session.with(preseed).await {
                        Ok((me, preseed)) => view! { <Edit preseed admin=me.admin/> }.into_any(),
                        Err(error) => view! { <Failed error title="Preseed" retry=move |()| preseed.refetch()/> }.into_any(),
                    }
                })}
            </Suspense>
        </div>
    }
}

/// The form that both pages share.
#[derive(Clone, Copy)]
struct Form {
    name: FieldState,
    kind: FieldState,
    description: FieldState,
    public: RwSignal<bool>,
    known_good: RwSignal<bool>,
    content: RwSignal<String>,
    submit: Submit,
}

/// What makes a preseed this one again. None: what the server has is not within the rules of today.
fn as_change(preseed: &Preseed) -> Option<PreseedChange> {
    Some(PreseedChange {
        name: Some(PreseedName::parse(&preseed.name).ok()?),
        file_type: Some(preseed.file_type),
        description: Some(Description::parse(&preseed.description).ok()?),
        content: Some(preseed.content.clone()),
        known_good: Some(preseed.known_good),
        public: Some(preseed.public),
    })
}

/// What the form's fields hold once they have been parsed.
struct Parsed {
    name: PreseedName,
    kind: PreseedType,
    description: Description,
    content: String,
}

impl Form {
    fn of(preseed: Option<&Preseed>) -> Self {
        let text = |field: fn(&Preseed) -> &String| preseed.map(field).cloned().unwrap_or_default();
        Self {
            name: FieldState::new(text(|own| &own.name)),
            kind: FieldState::new(preseed.map(|own| own.file_type).unwrap_or_default().word()),
            description: FieldState::new(text(|own| &own.description)),
            public: RwSignal::new(preseed.is_some_and(|own| own.public)),
            known_good: RwSignal::new(preseed.is_some_and(|own| own.known_good)),
            content: RwSignal::new(text(|own| &own.content)),
            submit: Submit::new(),
        }
    }

    /// What the server has, instead of what was typed.
    fn show(self, preseed: &Preseed) {
        self.name.reset(&preseed.name);
        self.kind.reset(preseed.file_type.word());
        self.description.reset(&preseed.description);
        self.public.set(preseed.public);
        self.known_good.set(preseed.known_good);
        self.content.set(preseed.content.clone());
        self.submit.clear();
    }

    /// None when something is wrong; the form then says what.
    fn parse(self) -> Option<Parsed> {
        let (name, kind) = (self.name.parse(PreseedName::parse), self.kind.parse(PreseedType::parse));
        let description = self.description.parse(Description::parse);
        let content = self.content.get_untracked();
        let length = content.chars().count();
        self.submit.clear();
        if length > CONTENT_LIMIT {
            self.submit.refuse(vec![format!("content must be at most {CONTENT_LIMIT} characters long; it has {length}")]);
            return None;
        }
        Some(Parsed { name: name?, kind: kind?, description: description?, content })
    }

    fn place(self, error: &str) -> Option<FieldState> {
        let error = error.to_lowercase();
        if error.contains("name") { Some(self.name) } else { error.starts_with("description").then_some(self.description) }
    }
}

#[component]
fn Fields(
    form: Form,
    #[prop(optional, into)] readonly: Signal<bool>,
    /// The buttons.
    children: Children,
) -> impl IntoView {
    let kinds: Vec<Choice> = PreseedType::ALL.map(|kind| Choice::new(kind.word(), kind.word())).to_vec();
    view! {
        <div class="grid items-start grid-cols-1 gap-4 xl:grid-cols-[minmax(0,110rem)_minmax(22rem,32rem)]">
            <div class="flex min-w-0 flex-col gap-3">
                <div class="grid grid-cols-1 gap-3 sm:grid-cols-[2fr_1fr_3fr]">
                    <TextField id="preseed-name" label="Name" field=form.name required=true disabled=readonly/>
                    <SelectField id="preseed-type" label="Type" field=form.kind choices=kinds disabled=readonly/>
                    <TextField id="preseed-description" label="Description" field=form.description disabled=readonly/>
                </div>
                <div class="flex flex-wrap gap-6">
                    <SwitchField id="preseed-public" label="Public" checked=form.public help="Everybody may use it." disabled=readonly/>
                    <SwitchField id="preseed-good" label="Known good" checked=form.known_good help="A mark for others: this one works." disabled=readonly/>
                </div>
                <Editor id="preseed-content" label="Content" value=form.content readonly/>
                <p class="text-xs opacity-80">{move || form.content.with(|text| counted(text.chars().count(), "character", "characters"))}</p>
                <SubmitErrors submit=form.submit/>
                {children()}
            </div>
            <Help/>
        </div>
    }
}

/// Machines offered for a preview at once; the search finds the others, and every machine's own page has a preview, too.
const OFFERED: usize = 50;
/// How long typing has to rest before the machines are asked for.
const PAUSE: Duration = Duration::from_millis(200);

/// As many are read rather than searched.
const SEEN: usize = 8;

/// What was found, and what is chosen already with the name it has had in the list.
fn with_chosen(mut found: Vec<Choice>, before: &[Choice], chosen: &str) -> Vec<Choice> {
    if !found.iter().any(|choice| choice.value == chosen)
        && let Some(chosen) = before.iter().find(|choice| choice.value == chosen)
    {
        found.insert(0, chosen.clone());
    }
    found
}

/// The text as it stands, rendered for one of the user's machines.
#[component]
fn Try(content: RwSignal<String>) -> impl IntoView {
    let api = expect_context::<Api>();
    let machine = FieldState::new("");
    let open = RwSignal::new(false);
    let machines = RwSignal::new(Vec::<Choice>::new());
    let total = RwSignal::new(0);
    let session = expect_context::<Session>();
    let wanted = RwSignal::new(String::new());
    let search = followed(PAUSE, false, move || wanted.get(), move |text| drop(wanted.try_set(text)));
    // there from when there are more than one sees at once, whatever is found later
    let many = Memo::new(move |before: Option<&bool>| before == Some(&true) || total.get() > SEEN);
    Effect::new(move |_| {
        let Some(Ok(me)) = session.me.get() else { return };
        let api = api.clone();
        let search = wanted.get();
        leptos::task::spawn_local(async move {
            // what others' machines are sent is nobody else's business
            let view = MachineView { mine: !me.admin, search: search.clone(), limit: OFFERED, ..MachineView::default() };
            let Ok(page) = api.machines_page(&view).await else { return };
            // an older answer may come later
            if wanted.try_with_untracked(|now| *now == search) == Some(true) {
                let found: Vec<Choice> = page.items.into_iter().map(|machine| Choice::new(machine.id, machine.name)).collect();
                machines.try_update(|shown| *shown = with_chosen(found, shown, &machine.value.get_untracked()));
                total.try_set(page.total);
            }
        });
    });
    let more = move || {
        let total = total.get();
        if total == 0 && wanted.with(|text| !text.is_empty()) {
            return Some("No machine matches.".to_owned());
        }
        (total > OFFERED).then(|| format!("{OFFERED} of {total} machines: the search finds the others."))
    };
    let chosen = move || machine.value.with(|id| id.parse::<i64>().ok());
    view! {
        // beside the form, not within it: a dialog has forms of its own
        <div class="mt-4 max-w-[110rem]"><Panel id="preview" title="Preview">
            <Show when=move || many.get()>
                <div class="mb-2 flex flex-wrap items-center gap-3">
                    <SearchBox value=search label="Search machines" placeholder="Name, MAC, user…" testid="preview-search"/>
                    <span class="text-sm opacity-80" role="status">{more}</span>
                </div>
            </Show>
            <div class="flex flex-wrap items-end gap-3">
                <SelectField id="preview-machine" label="Machine" field=machine choices=machines none="Choose one of yours"/>
                <button
                    type="button"
                    class="btn btn-sm w-fit"
                    disabled=move || chosen().is_none()
                    data-testid="preview-preseed"
                    on:click=move |_| open.set(true)
                >
                    "Show what it would be sent"
                </button>
            </div>
            <Dialog open title="What the machine would be sent" wide=true testid="preseed-preview">
                {move || {
                    chosen().map(|machine| {
                        let content = Some(content.get_untracked());
                        view! { <Preview machine wanted=PreviewRequest { preseed_id: None, content }/> }
                    })
                }}
            </Dialog>
        </Panel></div>
    }
}

#[component]
fn New() -> impl IntoView {
    let api = expect_context::<Api>();
    let toasts = expect_context::<Toasts>();
    let navigate = use_navigate();
    let form = Form::of(None);
    let input = move || {
        let Parsed { name, kind, description, content } = form.parse()?;
        Some(NewPreseed {
            name,
            file_type: kind,
            description: Some(description),
            content: Some(content),
            known_good: form.known_good.get_untracked(),
            public: form.public.get_untracked(),
        })
    };
    let curl = Callback::new(move |()| input().and_then(|new| Curl::of("Create preseed", async |api| api.create_preseed(&new).await)));
    let send = move |()| {
        let Some(new) = input() else { return };
        let (api, navigate) = (api.clone(), navigate.clone());
        form.submit.run_placing(
            async move { api.create_preseed(&new).await },
            move |error| form.place(error),
            move |preseed| {
                toasts.ok(format!("Preseed {} created.", preseed.name));
                navigate(&format!("/preseeds/{}", preseed.id), NavigateOptions { replace: true, ..NavigateOptions::default() });
            },
        );
    };
    let begun = move || {
        form.content.with(|text| !text.is_empty())
            || form.name.value.with(|text| !text.is_empty())
            || form.description.value.with(|text| !text.is_empty())
    };
    view! {
        <Unsaved dirty=Signal::derive(begun)/>
        <PageHead title="New preseed"/>
        <SubmitForm submit=form.submit send testid="preseed-form">
            <Fields form>
                <div class="flex gap-2">
                    <SubmitButton submit=form.submit label="Create preseed" testid="save-preseed"/>
                    <a class="btn btn-sm" href="/preseeds">
                        "Cancel"
                    </a>
                    <CurlButton call=curl/>
                </div>
            </Fields>
        </SubmitForm>
        <Try content=form.content/>
    }
}

#[component]
fn Edit(preseed: Preseed, admin: bool) -> impl IntoView {
    let api = StoredValue::new(expect_context::<Api>());
    let toasts = expect_context::<Toasts>();
    let navigate = use_navigate();
    let id = preseed.id;
    let form = Form::of(Some(&preseed));
    let saved = RwSignal::new(preseed);
    // somebody else saved while this form was being edited
    let overtaken = RwSignal::new(false);
    let take_theirs = move |()| {
        form.show(&saved.read_untracked());
        overtaken.set(false);
    };
    let locked = Signal::derive(move || !saved.read().may_change);
    let dirty = Memo::new(move |_| {
        let saved = saved.read();
        *form.name.value.read() != saved.name
            || *form.kind.value.read() != saved.file_type.word()
            || *form.description.value.read() != saved.description
            || form.public.get() != saved.public
            || form.known_good.get() != saved.known_good
            || *form.content.read() != saved.content
    });
    let input = move || {
        let Parsed { name, kind, description, content } = form.parse()?;
        Some(PreseedChange {
            name: Some(name),
            file_type: Some(kind),
            description: Some(description),
            content: Some(content),
            known_good: Some(form.known_good.get_untracked()),
            public: Some(form.public.get_untracked()),
        })
    };
    let curl = Callback::new(move |()| {
        let (change, known) = (input()?, saved.get_untracked());
        Curl::of("Save", async |api| api.edit_preseed(&known, &change).await)
    });
    let used = UsedBy::new(admin);
    let delete_submit = Submit::new();
    let delete_curl = Callback::new(move |()| Curl::of("Delete", async |api| api.delete_preseed(id, delete_submit.removal()).await));
    let send = move |()| {
        let Some(change) = input() else { return };
        let api = api.get_value();
        let api_again = api.clone();
        let known = saved.get_untracked();
        let back = as_change(&known);
        form.submit.run_placing(
            async move { api.edit_preseed(&known, &change).await },
            move |error| form.place(error),
            move |preseed| {
                let preseed = match preseed {
                    Edited::Saved(preseed) => preseed,
                    Edited::Overtaken(theirs) => {
                        // from here on Save means: instead of theirs
                        saved.set(theirs);
                        overtaken.set(true);
                        return;
                    }
                };
                overtaken.set(false);
                // as the server keeps it, e.g. with the name trimmed
                form.name.reset(&preseed.name);
                form.description.reset(&preseed.description);
                let said = format!("Preseed {} saved.", preseed.name);
                saved.set(preseed.clone());
                let Some(back) = back else { return toasts.ok(said) };
                let api = api_again;
                let inverse = move || {
                    let (api, back, made) = (api.clone(), back.clone(), preseed.clone());
                    async move { api.edit_preseed(&made, &back).await?.saved() }
                };
                toasts.undoable(said, inverse, move |preseed: Preseed| {
                    // what has been typed since stays; the page may have gone
                    let Some(typed) = dirty.try_get_untracked() else { return };
                    saved.set(preseed.clone());
                    if !typed {
                        form.show(&preseed);
                    }
                });
            },
        );
    };
    let deleting = RwSignal::new(false);
    let others = RwSignal::new(Vec::<Choice>::new());
    Effect::new(move |_| {
        if delete_submit.uses().with(Vec::is_empty) {
            return;
        }
        let api = api.get_value();
        leptos::task::spawn_local(async move {
            if let Ok(preseeds) = api.preseeds(true).await {
                let fitting = preseeds.into_iter().filter(|own| own.id != id);
                others.try_set(fitting.map(|own| Choice::new(own.id, own.name)).collect());
            }
        });
    });
    let more = move || view! { <Uses submit=delete_submit instead=others/> };
    let delete = move |()| {
        let api = api.get_value();
        let navigate = navigate.clone();
        let name = saved.read_untracked().name.clone();
        let removal = delete_submit.removal();
        delete_submit.run(async move { api.delete_preseed(id, removal).await }, move |()| {
            toasts.ok(format!("Preseed {name} deleted."));
            navigate("/preseeds", NavigateOptions::default());
        });
    };
    view! {
        <Title text=move || saved.read().name.clone()/>
        <nav aria-label="Breadcrumb" class="text-xs"><a class="link link-hover opacity-80" href="/preseeds">"Preseeds"</a></nav>
        <PageHead title=Signal::derive(move || saved.read().name.clone())>
            <button type="button" class="btn btn-sm" on:click=move |_| used.show(Thing::Preseed(saved.get_untracked())) data-testid="used-by-open">
                <Glyph icon=Icon::Machine/>
                "Used by"
            </button>
            <span class="text-sm opacity-80">{move || saved.read().user.as_ref().map(|user| format!("Owner: {user}"))}</span>
            <Show when=move || !locked.get()>
                <button type="button" class="btn btn-sm" on:click=move |_| deleting.set(true)>
                    <Glyph icon=Icon::Trash/>
                    "Delete"
                </button>
            </Show>
        </PageHead>
        <Show when=move || locked.get()>
            <div class="mb-3"><Notice tone="alert-info">"Only its owner and administrators can change this preseed."</Notice></div>
        </Show>
        <SubmitForm submit=form.submit send testid="preseed-form">
            <Fields form readonly=locked>
                <Overtaken overtaken take=take_theirs/>
                <Show when=move || !locked.get()>
                    <div class="flex items-center gap-3">
                        <SubmitButton submit=form.submit label="Save" disabled=Signal::derive(move || !dirty.get()) testid="save-preseed"/>
                        <Show when=move || dirty.get()>
                            <span class="text-sm opacity-80" role="status">"Not saved yet"</span>
                        </Show>
                        <CurlButton call=curl/>
                    </div>
                </Show>
            </Fields>
        </SubmitForm>
        <Try content=form.content/>
        <Unsaved dirty=Signal::derive(move || !locked.get() && dirty.get())/>
        {used.dialog()}
        <Confirm
            open=deleting
            title="Delete preseed"
            text=Signal::derive(move || format!("Are you sure you want to delete preseed {}?", saved.read().name))
            acknowledge=true
            submit=delete_submit
            action=delete
            more
            curl=delete_curl
        />
    }
}

#[cfg(test)]
mod tests {
    use super::{Choice, with_chosen};

    #[test]
    fn what_is_chosen_stays_whatever_is_found() {
        let before = [Choice::new(1, "d03-1"), Choice::new(2, "d03-2")];
        let found = || vec![Choice::new(300, "x86-300")];
        let values = |chosen| with_chosen(found(), &before, chosen).into_iter().map(|choice| choice.value).collect::<Vec<_>>();
        assert_eq!(values("2"), ["2", "300"]);
        assert_eq!(values("300"), ["300"]);
        assert_eq!(values(""), ["300"]);
    }
}
