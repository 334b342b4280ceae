use leptos::prelude::*;

use crate::{
    api::{Api, Arch, Description, Image, ImageChange, ImageType},
    ui::{Choice, Curl, FieldState, FormEnd, Opened, SelectField, Submit, SubmitForm, SwitchField, TextField, Toasts},
};

/// What the type and architecture pickers offer, here and at upload.
pub(super) fn type_choices() -> Vec<Choice> {
    ImageType::ALL.map(|kind| Choice::new(kind.word(), super::kind_label(kind))).to_vec()
}

pub(super) fn arch_choices(archs: &[Arch]) -> Vec<Choice> {
    archs.iter().map(|arch| Choice::new(&arch.name, &arch.name)).collect()
}

/// What makes an image this one again. None: what the server has is not within the rules of today.
fn as_change(image: &Image) -> Option<ImageChange> {
    Some(ImageChange {
        file_type: Some(image.file_type),
        arch: Some(image.arch.clone()),
        description: Some(Description::parse(&image.description).ok()?),
        known_good: Some(image.known_good),
        public: Some(image.public),
    })
}

/// The form inside the dialog.
#[component]
pub(super) fn EditForm(
    open: RwSignal<bool>,
    opened: Opened<Image>,
    archs: Vec<Arch>,
    #[prop(into)] done: Callback<Image>,
) -> impl IntoView {
    let api = expect_context::<Api>();
    let toasts = expect_context::<Toasts>();
    let image = opened.known();
    let kind = FieldState::new(image.file_type.word());
    let arch = FieldState::new(&image.arch);
    let description = FieldState::new(&image.description);
    let public = RwSignal::new(image.public);
    let known_good = RwSignal::new(image.known_good);
    let submit = Submit::new();
    let input = move || {
        let parsed = (kind.parse(ImageType::parse), arch.chosen("an architecture"), description.parse(Description::parse));
        let (Some(file_type), Some(arch), Some(description)) = parsed else { return None };
        Some(ImageChange {
            file_type: Some(file_type),
            arch: Some(arch),
            description: Some(description),
            known_good: Some(known_good.get_untracked()),
            public: Some(public.get_untracked()),
        })
    };
    let call = move |api: Api, change: ImageChange| async move { api.edit_image(&opened.known(), &change).await };
    let curl = Callback::new(move |()| input().and_then(|change| Curl::of("Save", async |api| call(api, change).await)));
    let send = move |()| {
        let Some(change) = input() else { return };
        let before = opened.known();
        let api = api.clone();
        submit.save(call(api.clone(), change), move |answer| {
            let Some(image) = opened.saved(answer) else { return };
            open.set(false);
            done.run(image.clone());
            let said = format!("{} saved.", image.filename);
            let Some(back) = as_change(&before) else { return toasts.ok(said) };
            let inverse = move || {
                let (api, back, made) = (api.clone(), back.clone(), image.clone());
                async move { api.edit_image(&made, &back).await?.saved() }
            };
            // the page may have gone
            toasts.undoable(said, inverse, move |image| {
                done.try_run(image);
            });
        });
    };
    view! {
        <SubmitForm submit send>
            <p class="font-mono text-xs break-all">{image.name}</p>
            <div class="grid grid-cols-1 gap-3 sm:grid-cols-2">
                <SelectField id="edit-image-type" label="Type" field=kind choices=type_choices()/>
                <SelectField id="edit-image-arch" label="Architecture" field=arch choices=arch_choices(&archs)/>
            </div>
            <TextField id="edit-image-description" label="Description" field=description/>
            <SwitchField id="edit-image-public" label="Public" checked=public help="Everybody may use it."/>
            <SwitchField id="edit-image-good" label="Known good" checked=known_good help="A mark for others: this one works."/>
            {opened.notice()}
            <FormEnd open submit label="Save" curl/>
        </SubmitForm>
    }
}
