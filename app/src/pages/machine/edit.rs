//! What administrators do with a machine itself.

use leptos::prelude::*;
use leptos_router::{NavigateOptions, hooks::use_navigate};

use super::Context;
use crate::{
    api::{Api, ApiError, Bmc, BmcType, Cartridge, Id, Machine, MachineChange, MachineName},
    ui::{
        Choice, Confirm, Curl, Dialog, FieldState, FormEnd, Loading, Notice, Opened, SelectField, Submit, SubmitForm, TextField, Toasts,
        load, opened,
    },
};

#[component]
pub(super) fn EditDialog(open: RwSignal<bool>, context: Context) -> impl IntoView {
    view! {
        <Dialog open title="Edit machine" testid="edit-machine">
            <Form open context/>
        </Dialog>
    }
}

#[component]
fn Form(open: RwSignal<bool>, context: Context) -> impl IntoView {
    let api = context.api.get_value();
    let bmcs = load(async move { api.bmcs().await });
    move || match bmcs.get() {
        None => view! { <Loading/> }.into_any(),
        Some(Err(error)) => view! { <Notice tone="alert-error">{error.text()}</Notice> }.into_any(),
        Some(Ok(bmcs)) => {
            opened(context.machine.get_untracked(), move |own| view! { <Fields open context own bmcs=bmcs.clone()/> }.into_any())
        }
    }
}

#[component]
fn Fields(open: RwSignal<bool>, context: Context, own: Opened<Machine>, bmcs: Vec<Bmc>) -> impl IntoView {
    let toasts = expect_context::<Toasts>();
    let machine = own.known();
    let name = FieldState::new(&machine.name);
    let arch = FieldState::new(&machine.arch);
    let bmc = FieldState::new(machine.bmc_id.map(|id| id.to_string()).unwrap_or_default());
    let bmc_info = FieldState::new(&machine.bmc_info);
    let submit = Submit::new();
    let archs = Signal::derive(move || {
        context.archs.with(|archs| archs.iter().map(|arch| Choice::new(&arch.name, &arch.name)).collect::<Vec<_>>())
    });
    let bmc_choices: Vec<Choice> = bmcs.iter().map(|bmc| Choice::new(bmc.id, format!("{} ({})", bmc.name, bmc.ip))).collect();
    let moonshots: Vec<String> = bmcs.iter().filter(|bmc| bmc.bmc_type == BmcType::Moonshot).map(|bmc| bmc.id.to_string()).collect();
    let moonshot = Memo::new(move |_| moonshots.contains(&bmc.value.get()));
    let old_arch = machine.arch.clone();
    let input = move || {
        let (Some(name), Some(arch)) = (name.parse(MachineName::parse), arch.chosen("an architecture")) else { return None };
        let bmc_info = if moonshot.get_untracked() { bmc_info.parse(cartridge)? } else { String::new() };
        Some(MachineChange {
            name: Some(name),
            arch: Some(arch),
            bmc_id: Some(bmc.value.get_untracked().parse().ok().map(Id)),
            bmc_info: Some(bmc_info),
            ..MachineChange::default()
        })
    };
    let call = move |api: Api, change: MachineChange| async move {
        // the rest of a machine is changed elsewhere
        let form = |machine: &Machine| (machine.name.clone(), machine.arch_id, machine.bmc_id, machine.bmc_info.clone());
        let known = form(&own.known());
        api.edit_machine(context.id, &change, |now| form(now) == known).await
    };
    let curl = Callback::new(move |()| input().and_then(|change| Curl::of("Save", async |api| call(api, change).await)));
    let send = move |()| {
        let Some(change) = input() else { return };
        submit.run(call(context.api.get_value(), change), move |answer| {
            let Some(machine) = own.saved(answer) else { return };
            context.machine.set(machine);
            open.set(false);
            toasts.ok("Machine saved.");
        });
    };
    view! {
        <SubmitForm submit send>
            <TextField id="edit-name" label="Name" field=name required=true/>
            <SelectField id="edit-arch" label="Architecture" field=arch choices=archs/>
            <Show when=move || arch.value.with(|arch| *arch != old_arch)>
                <Notice>"Subarchitecture, kernel and initrd belong to the old architecture: choose them again afterwards."</Notice>
            </Show>
            <SelectField id="edit-bmc" label="BMC" field=bmc choices=bmc_choices none="None" search=true/>
            <Show when=move || moonshot.get()>
                <TextField id="edit-bmc-info" label="Cartridge number" field=bmc_info kind="number"/>
            </Show>
            {own.notice()}
            <FormEnd open submit label="Save" curl/>
        </SubmitForm>
    }
}

/// A cartridge's number, as it is stored.
pub(in crate::pages) fn cartridge(text: &str) -> Result<String, String> {
    Cartridge::parse(text).map(|cartridge| cartridge.number().to_string())
}

#[component]
pub(super) fn DeleteDialog(open: RwSignal<bool>, context: Context) -> impl IntoView {
    let toasts = expect_context::<Toasts>();
    let navigate = use_navigate();
    let submit = Submit::new();
    let name = move || context.machine.with(|machine| machine.name.clone());
    let delete = move |()| {
        let api = context.api.get_value();
        let navigate = navigate.clone();
        submit.run(
            async move {
                match api.delete_machine(context.id).await {
                    // somebody else was quicker
                    Err(error) if error.is_not_found() => Ok::<_, ApiError>(()),
                    result => result,
                }
            },
            move |()| {
                toasts.ok(format!("Machine {} deleted.", name()));
                navigate("/machines", NavigateOptions::default());
            },
        );
    };
    let curl = Callback::new(move |()| Curl::of("Delete", async |api| api.delete_machine(context.id).await));
    view! {
        <Confirm
            open
            title="Delete machine"
            text=Signal::derive(move || {
                format!("Are you sure you want to delete machine {}? Its interfaces, assignments and events go with it.", name())
            })
            acknowledge=true
            submit
            action=delete
            curl
        />
    }
}
