//! Changing a preseed, while others may change or delete it.

use leptos::{prelude::*, task::spawn_local};
use leptos_router::{NavigateOptions, hooks::use_navigate};

use super::{
    super::{
        follow::follow_list,
        removal::Uses,
        used::{Thing, UsedBy},
    },
    Try,
    form::{Fields, Form, Parsed, as_change, faults_of, told},
};
use crate::{
    api::{Api, ApiError, Diagnostic, Edit as Edited, List, NewPreseed, Preseed, PreseedChange},
    ui::{
        Choice, Confirm, CopyButton, Curl, CurlButton, Dialog, Glyph, Icon, Notice, Overtaken, PageHead, Submit, SubmitButton, SubmitForm,
        Title, Toasts, Unsaved, dom,
    },
};

/// What came of sending the form.
enum Outcome {
    Saved(Preseed, Vec<Diagnostic>),
    Overtaken(Preseed),
    Created(Preseed, Vec<Diagnostic>),
    Gone,
}

impl Outcome {
    /// Said where the form is no more.
    fn not_done(&self) -> Option<&'static str> {
        match self {
            Self::Saved(..) | Self::Created(..) => None,
            Self::Overtaken(_) => Some("somebody else has changed it meanwhile."),
            Self::Gone => Some("it has been deleted meanwhile."),
        }
    }
}

#[derive(Clone, Copy)]
struct Editing {
    form: Form,
    /// As the server has it, or had it last.
    saved: RwSignal<Preseed>,
    /// Somebody else saved while this form was being edited.
    overtaken: RwSignal<bool>,
    /// Somebody else deleted it.
    gone: RwSignal<bool>,
    toasts: Toasts,
    api: StoredValue<Api>,
}

impl Editing {
    fn of(preseed: Preseed) -> Self {
        let editing = Self {
            form: Form::of(Some(&preseed)),
            saved: RwSignal::new(preseed),
            overtaken: RwSignal::new(false),
            gone: RwSignal::new(false),
            toasts: expect_context(),
            api: StoredValue::new(expect_context()),
        };
        editing.follow();
        editing
    }

    /// Somebody else's doing is shown as it happens.
    fn follow(self) {
        let id = self.saved.with_untracked(|saved| saved.id);
        let fetch = move |api: Api| async move {
            match api.preseed(id).await {
                Ok(preseed) => Ok(Some(preseed)),
                Err(error) if error.is_not_found() => Ok(None),
                Err(error) => Err(error),
            }
        };
        follow_list(&[List::Preseed], fetch, move |now: Option<Preseed>| self.news(now));
    }

    /// What the server has now: taken over at once, unless the user is in the middle of something else.
    fn news(self, now: Option<Preseed>) {
        // what is just being saved is told by its own answer
        if self.form.submit.busy().try_get_untracked() != Some(false) {
            return;
        }
        let Some(theirs) = now else { return self.gone.set(true) };
        let saved = self.saved.get_untracked();
        if theirs == saved {
            return;
        }
        let typed = self.form.typed(&saved);
        let untouched = typed == saved || self.form.typed(&theirs) == theirs;
        self.saved.set(theirs.clone());
        if untouched {
            self.form.show(&theirs);
            self.overtaken.set(false);
        } else {
            self.overtaken.set(true);
        }
    }

    /// What was typed can be had back.
    fn take_theirs(self) {
        let theirs = self.saved.get_untracked();
        let typed = self.form.typed(&theirs);
        self.form.show(&theirs);
        self.overtaken.set(false);
        // the button goes with the notice
        dom::focus_within("#preseed-content");
        let inverse = move || async move {
            match self.overtaken.try_get_untracked() {
                Some(_) => Ok(()),
                None => Err(ApiError::transport("the page was left")),
            }
        };
        self.toasts.undoable("Theirs is shown instead of what you had typed.", inverse, move |()| self.form.show(&typed));
    }

    fn change(self) -> Option<PreseedChange> {
        let Parsed { name, kind, description, content } = self.form.parse()?;
        Some(PreseedChange {
            name: Some(name),
            file_type: Some(kind),
            description: Some(description),
            content: Some(content),
            known_good: Some(self.form.known_good.get_untracked()),
            public: Some(self.form.public.get_untracked()),
        })
    }

    /// The same as a new preseed, where the old one is gone.
    fn anew(self) -> Option<NewPreseed> {
        let Parsed { name, kind, description, content } = self.form.parse()?;
        Some(NewPreseed {
            name,
            file_type: kind,
            description: Some(description),
            content: Some(content),
            known_good: self.form.known_good.get_untracked(),
            public: self.form.public.get_untracked(),
        })
    }

    fn saved(self, preseed: &Preseed, faults: Vec<Diagnostic>, back: Option<PreseedChange>) {
        let Self { form, saved, toasts, .. } = self;
        self.overtaken.set(false);
        // as the server keeps it, e.g. with the name trimmed
        form.name.reset(&preseed.name);
        form.description.reset(&preseed.description);
        saved.set(preseed.clone());
        let fault = told(&faults);
        form.found(&preseed.content, faults);
        let name = &preseed.name;
        let Some(back) = back else { return toasts.ok(format!("Preseed {name} saved.")) };
        let (api, made) = (self.api.get_value(), preseed.clone());
        let inverse = move || {
            let (api, back, made) = (api.clone(), back.clone(), made.clone());
            async move { api.edit_preseed(&made, &back).await?.saved() }
        };
        let done = move |preseed: Preseed| {
            // what has been typed since stays; the page may have gone
            let Some(before) = saved.try_get_untracked() else { return };
            let typed = form.typed(&before) != before;
            saved.set(preseed.clone());
            if !typed {
                form.show(&preseed);
            }
        };
        match fault {
            None => toasts.undoable(format!("Preseed {name} saved."), inverse, done),
            Some(fault) => toasts.undoable_part(format!("Preseed {name} saved, but {fault}"), toasts.way_back(inverse, done)),
        }
    }
}

async fn save(api: Api, known: Preseed, change: PreseedChange) -> Result<Outcome, ApiError> {
    match api.edit_preseed(&known, &change).await {
        Ok(Edited::Saved(preseed)) => {
            let faults = faults_of(&api, &preseed.content).await;
            Ok(Outcome::Saved(preseed, faults))
        }
        Ok(Edited::Overtaken(theirs)) => Ok(Outcome::Overtaken(theirs)),
        Err(error) if error.is_not_found() => Ok(Outcome::Gone),
        Err(error) => Err(error),
    }
}

async fn create(api: Api, new: NewPreseed) -> Result<Outcome, ApiError> {
    let preseed = api.create_preseed(&new).await?;
    let faults = faults_of(&api, &preseed.content).await;
    Ok(Outcome::Created(preseed, faults))
}

#[component]
pub(super) fn Edit(preseed: Preseed, admin: bool) -> impl IntoView {
    let id = preseed.id;
    let editing = Editing::of(preseed);
    let Editing { form, saved, overtaken, gone, toasts, api } = editing;
    let navigate = use_navigate();
    let locked = Signal::derive(move || !saved.read().may_change);
    let dirty = Memo::new(move |_| form.differs(&saved.read()));
    let curl = Callback::new(move |()| {
        if gone.get_untracked() {
            let new = editing.anew()?;
            return Curl::of("Create it anew", async |api| api.create_preseed(&new).await);
        }
        let (change, known) = (editing.change()?, saved.get_untracked());
        Curl::of("Save", async |api| api.edit_preseed(&known, &change).await)
    });
    let done = move |outcome: Outcome, back: Option<PreseedChange>| match outcome {
        Outcome::Saved(preseed, faults) => editing.saved(&preseed, faults, back),
        Outcome::Overtaken(theirs) => {
            // from here on Save means: instead of theirs
            saved.set(theirs);
            overtaken.set(true);
        }
        Outcome::Gone => gone.set(true),
        Outcome::Created(preseed, faults) => {
            match told(&faults) {
                None => toasts.ok(format!("Preseed {} created.", preseed.name)),
                Some(fault) => toasts.warning(format!("Preseed {} created, but {fault}", preseed.name)),
            }
            navigate(&format!("/preseeds/{}", preseed.id), NavigateOptions { replace: true, ..NavigateOptions::default() });
        }
    };
    let send = move |()| {
        let (api, known, done) = (api.get_value(), saved.get_untracked(), done.clone());
        let place = move |error: &str| form.place(error);
        if gone.get_untracked() {
            let Some(new) = editing.anew() else { return };
            form.submit.name(format!("Create preseed {}", known.name));
            form.submit.run_placing(create(api, new), place, move |outcome| done(outcome, None));
        } else {
            let Some(change) = editing.change() else { return };
            let back = as_change(&known);
            form.submit.name(format!("Save preseed {}", known.name));
            form.submit.run_judged(save(api, known, change), place, Outcome::not_done, move |outcome| done(outcome, back));
        }
    };
    let used = UsedBy::new(admin);
    let deleting = RwSignal::new(false);
    let showing = RwSignal::new(false);
    view! {
        <Title text=move || saved.read().name.clone()/>
        <nav aria-label="Breadcrumb" class="text-xs"><a class="link link-hover opacity-80" href="/preseeds">"Preseeds"</a></nav>
        <PageHead title=Signal::derive(move || saved.read().name.clone())>
            <button type="button" class="btn btn-sm" on:click=move |_| used.show(Thing::Preseed(saved.get_untracked())) data-testid="used-by-open">
                <Glyph icon=Icon::Machine/>
                "Used by"
            </button>
            <span class="text-sm opacity-80">{move || saved.read().user.as_ref().map(|user| format!("Owner: {user}"))}</span>
            <Show when=move || !locked.get() && !gone.get()>
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
                <Overtaken overtaken=Signal::derive(move || overtaken.get() && !gone.get()) take=move |()| editing.take_theirs() show=Callback::new(move |()| showing.set(true))/>
                <div role="alert" class="empty:hidden">
                    <Show when=move || gone.get()>
                        <div data-testid="deleted-elsewhere">
                            <Notice>"This preseed was deleted elsewhere. What is here is kept nowhere else; “Create it anew” saves it under the same name."</Notice>
                        </div>
                    </Show>
                </div>
                <Show when=move || !locked.get()>
                    <div class="flex items-center gap-3">
                        <SubmitButton
                            submit=form.submit
                            label=Signal::derive(move || if gone.get() { "Create it anew" } else { "Save" }.to_owned())
                            disabled=Signal::derive(move || !dirty.get() && !gone.get())
                            testid="save-preseed"
                        />
                        <Show when=move || dirty.get() || gone.get()>
                            <span class="text-sm opacity-80" role="status">"Not saved yet"</span>
                        </Show>
                        <CurlButton call=curl/>
                    </div>
                </Show>
            </Fields>
        </SubmitForm>
        <Try content=form.content/>
        <Unsaved dirty=Signal::derive(move || !locked.get() && (dirty.get() || gone.get()))/>
        {used.dialog()}
        <Dialog open=showing title="What they have saved" wide=true testid="theirs">
            {move || view! { <Theirs theirs=saved.get() typed=form.typed(&saved.read_untracked())/> }}
        </Dialog>
        <Delete id open=deleting saved/>
    }
}

/// What somebody else has saved, and where it is not what was typed.
#[component]
fn Theirs(theirs: Preseed, typed: Preseed) -> impl IntoView {
    let yes = |is: bool| if is { "Yes" } else { "No" }.to_owned();
    let other = [
        ("Name", theirs.name, typed.name),
        ("Type", theirs.file_type.word().to_owned(), typed.file_type.word().to_owned()),
        ("Description", theirs.description, typed.description),
        ("Public", yes(theirs.public), yes(typed.public)),
        ("Known good", yes(theirs.known_good), yes(typed.known_good)),
    ];
    let other = other.into_iter().filter(|(_, theirs, typed)| theirs != typed);
    view! {
        <dl class="mb-2 flex flex-col gap-1 text-sm empty:hidden">
            {other
                .map(|(what, theirs, _)| {
                    view! { <div class="flex gap-2"><dt class="font-medium">{what}</dt><dd class="min-w-0 wrap-anywhere">{if theirs.is_empty() { "–".to_owned() } else { theirs }}</dd></div> }
                })
                .collect_view()}
        </dl>
        <div class="flex items-center justify-between gap-2 text-sm">
            <span>{if theirs.content == typed.content { "The text is the same as yours" } else { "Their text" }}</span>
            <CopyButton text=theirs.content.clone() what="their text"/>
        </div>
        <pre class="bg-base-200 rounded-box max-h-[60vh] overflow-auto p-3 text-xs" tabindex="0" role="region" aria-label="Their text" data-testid="their-text">
            {theirs.content}
        </pre>
    }
}

#[component]
fn Delete(id: i64, open: RwSignal<bool>, saved: RwSignal<Preseed>) -> impl IntoView {
    let api = StoredValue::new(expect_context::<Api>());
    let toasts = expect_context::<Toasts>();
    let navigate = use_navigate();
    let submit = Submit::new();
    let curl = Callback::new(move |()| Curl::of("Delete", async |api| api.delete_preseed(id, submit.removal()).await));
    let others = RwSignal::new(Vec::<Choice>::new());
    Effect::new(move |_| {
        if submit.uses().with(Vec::is_empty) {
            return;
        }
        let api = api.get_value();
        spawn_local(async move {
            if let Ok(preseeds) = api.preseeds(true).await {
                let fitting = preseeds.into_iter().filter(|own| own.id != id);
                others.try_set(fitting.map(|own| Choice::new(own.id, own.name)).collect());
            }
        });
    });
    let more = move || view! { <Uses submit instead=others/> };
    let delete = move |()| {
        let api = api.get_value();
        let navigate = navigate.clone();
        let name = saved.read_untracked().name.clone();
        let removal = submit.removal();
        submit.run(async move { api.delete_preseed(id, removal).await }, move |()| {
            toasts.ok(format!("Preseed {name} deleted."));
            navigate("/preseeds", NavigateOptions::default());
        });
    };
    view! {
        <Confirm
            open
            title="Delete preseed"
            text=Signal::derive(move || format!("Are you sure you want to delete preseed {}?", saved.read().name))
            acknowledge=true
            submit
            action=delete
            more
            curl
        />
    }
}
