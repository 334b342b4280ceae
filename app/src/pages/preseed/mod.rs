//! One preseed: writing a new one, and changing it later.

mod edit;
mod form;
mod help;

use std::time::Duration;

use leptos::prelude::*;
use leptos_router::{NavigateOptions, hooks::use_navigate};

use self::{
    edit::Edit,
    form::{Fields, Form, Parsed, faults_of, told},
};
use super::{
    machine::{id_of_page, not_found},
    preview::Preview,
    session::{Failed, Session},
};
use crate::{
    api::{Api, MachineView, NewPreseed, PreviewRequest},
    ui::{
        Choice, Curl, CurlButton, Dialog, FieldState, Loading, PageHead, Panel, SearchBox, SelectField, SubmitButton, SubmitForm, Title,
        Toasts, Unsaved, followed,
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
        form.submit.name(format!("Create preseed {}", form.name.value.get_untracked()));
        form.submit.run_placing(
            async move {
                let preseed = api.create_preseed(&new).await?;
                let faults = faults_of(&api, &preseed.content).await;
                Ok((preseed, faults))
            },
            move |error| form.place(error),
            move |(preseed, faults)| {
                match told(&faults) {
                    None => toasts.ok(format!("Preseed {} created.", preseed.name)),
                    Some(fault) => toasts.warning(format!("Preseed {} created, but {fault}", preseed.name)),
                }
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
