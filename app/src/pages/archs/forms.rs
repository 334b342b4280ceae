//! The forms of an architecture and of its flavours.

use leptos::prelude::*;

use crate::{
    api::{Api, Arch, ArchInput, ArchName, Description, Edit, Id, Image, Subarch, SubarchInput, SubarchName},
    ui::{
        Choice, Curl, FieldState, FormEnd, Opened, SelectField, Submit, SubmitForm, SwitchField, TextField, Toasts, Zone, is_of_name, saved,
    },
};

#[component]
pub(super) fn ArchForm(open: RwSignal<bool>, opened: Option<Opened<Arch>>, done: Callback<()>) -> impl IntoView {
    let api = expect_context::<Api>();
    let toasts = expect_context::<Toasts>();
    let old = opened.map(Opened::known);
    let name = FieldState::new(old.as_ref().map(|own| own.name.clone()).unwrap_or_default());
    let description = FieldState::new(old.map(|own| own.description).unwrap_or_default());
    let submit = Submit::new();
    let input = move || {
        let (Some(name), Some(description)) = (name.parse(ArchName::parse), description.parse(Description::parse)) else { return None };
        Some(ArchInput { name, description: Some(description) })
    };
    let call = move |api: Api, input: ArchInput| async move {
        match opened {
            Some(opened) => api.edit_arch(&opened.known(), &input).await,
            None => api.create_arch(&input).await.map(Edit::Saved),
        }
    };
    let curl = Callback::new(move |()| input().and_then(|input| Curl::of("Save", async |api| call(api, input).await)));
    let send = move |()| {
        let Some(input) = input() else { return };
        let place = move |error: &str| is_of_name(error).then_some(name);
        submit.save_placing(call(api.clone(), input), place, move |answer| {
            let Some(arch) = saved(opened, answer) else { return };
            open.set(false);
            toasts.ok(format!("Architecture {} saved.", arch.name));
            done.run(());
        });
    };
    view! {
        <SubmitForm submit send>
            <TextField id="arch-name" label="Name" field=name required=true placeholder="arm64"/>
            <TextField id="arch-description" label="Description" field=description/>
            {opened.map(Opened::notice)}
            <FormEnd open submit label="Save" curl/>
        </SubmitForm>
    }
}

#[component]
pub(super) fn SubarchForm(
    open: RwSignal<bool>,
    arch: Arch,
    opened: Option<Opened<Subarch>>,
    loaders: Vec<Image>,
    done: Callback<()>,
) -> impl IntoView {
    let api = expect_context::<Api>();
    let toasts = expect_context::<Toasts>();
    let old = opened.map(Opened::known);
    let name = FieldState::new(old.as_ref().map(|own| own.name.clone()).unwrap_or_default());
    let description = FieldState::new(old.as_ref().map(|own| own.description.clone()).unwrap_or_default());
    let loader = FieldState::new(old.as_ref().and_then(|own| own.bootloader_id).map(|id| id.to_string()).unwrap_or_default());
    let efiboot = RwSignal::new(old.is_some_and(|own| own.efiboot));
    let submit = Submit::new();
    let zone = expect_context::<Zone>();
    let mut fitting: Vec<Image> = loaders.into_iter().filter(|image| image.arch == arch.name).collect();
    fitting.sort_by(|a, b| b.upload_date.cmp(&a.upload_date));
    let choice = move |image: &Image| {
        let description = if image.description.is_empty() { String::new() } else { format!(" ({})", image.description) };
        Choice::new(image.id, format!("{}{description} – {}", image.filename, zone.day(&image.upload_date)))
    };
    let choices = Signal::derive(move || fitting.iter().map(choice).collect::<Vec<_>>());
    let arch_id = arch.id;
    let input = move || {
        let (Some(name), Some(description)) = (name.parse(SubarchName::parse), description.parse(Description::parse)) else { return None };
        Some(SubarchInput {
            name,
            description: Some(description),
            bootloader_id: Some(loader.value.get_untracked().parse().ok().map(Id)),
            efiboot: efiboot.get_untracked(),
        })
    };
    let call = move |api: Api, input: SubarchInput| async move {
        match opened {
            Some(opened) => api.edit_subarch(arch_id, &opened.known(), &input).await,
            None => api.create_subarch(arch_id, &input).await.map(Edit::Saved),
        }
    };
    let curl = Callback::new(move |()| input().and_then(|input| Curl::of("Save", async |api| call(api, input).await)));
    let send = move |()| {
        let Some(input) = input() else { return };
        let place = move |error: &str| is_of_name(error).then_some(name);
        submit.save_placing(call(api.clone(), input), place, move |answer| {
            let Some(subarch) = saved(opened, answer) else { return };
            open.set(false);
            toasts.ok(format!("Subarchitecture {} saved.", subarch.name));
            done.run(());
        });
    };
    view! {
        <SubmitForm submit send>
            <TextField id="subarch-name" label="Name" field=name required=true placeholder="efi"/>
            <TextField id="subarch-description" label="Description" field=description/>
            <SelectField
                id="subarch-loader"
                label="Bootloader"
                field=loader
                choices
                none="None"
                help="An image of type bootloader, of this architecture."
            />
            <SwitchField id="subarch-efi" label="UEFI" checked=efiboot help="Ask the BMC for a UEFI boot."/>
            {opened.map(Opened::notice)}
            <FormEnd open submit label="Save" curl/>
        </SubmitForm>
    }
}
