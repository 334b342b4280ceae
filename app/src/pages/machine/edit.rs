//! What administrators do with a machine itself.

use leptos::prelude::*;
use leptos_router::{NavigateOptions, hooks::use_navigate};

use super::Context;
use crate::{
    api::{ApiError, Bmc, BmcType, Cartridge, Id, MachineChange, MachineName},
    ui::{Choice, Confirm, Dialog, FieldState, Loading, Notice, SelectField, Submit, SubmitButton, SubmitErrors, TextField, Toasts, load},
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
        Some(Ok(bmcs)) => view! { <Fields open context bmcs/> }.into_any(),
    }
}

#[component]
fn Fields(open: RwSignal<bool>, context: Context, bmcs: Vec<Bmc>) -> impl IntoView {
    let toasts = expect_context::<Toasts>();
    let machine = context.machine.get_untracked();
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
    let send = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let (Some(name), Some(arch)) = (name.parse(MachineName::parse), arch.chosen("an architecture")) else { return };
        let Some(bmc_info) = (if moonshot.get_untracked() { bmc_info.parse(cartridge) } else { Some(String::new()) }) else { return };
        let change = MachineChange {
            name: Some(name),
            arch: Some(arch),
            bmc_id: Some(bmc.value.get_untracked().parse().ok().map(Id)),
            bmc_info: Some(bmc_info),
            ..MachineChange::default()
        };
        let api = context.api.get_value();
        submit.run(async move { api.change_machine(context.id, &change).await }, move |machine| {
            context.machine.set(machine);
            open.set(false);
            toasts.ok("Machine saved.");
        });
    };
    view! {
        <form class="flex flex-col gap-3" on:submit=send>
            <TextField id="edit-name" label="Name" field=name required=true/>
            <SelectField id="edit-arch" label="Architecture" field=arch choices=archs/>
            <Show when=move || arch.value.with(|arch| *arch != old_arch)>
                <Notice>"Subarchitecture, kernel and initrd belong to the old architecture: choose them again afterwards."</Notice>
            </Show>
            <SelectField id="edit-bmc" label="BMC" field=bmc choices=bmc_choices none="None"/>
            <Show when=move || moonshot.get()>
                <TextField id="edit-bmc-info" label="Cartridge number" field=bmc_info kind="number"/>
            </Show>
            <SubmitErrors submit/>
            <div class="flex justify-end gap-2">
                <button type="button" class="btn btn-sm" on:click=move |_| open.set(false)>"Cancel"</button>
                <SubmitButton submit label="Save"/>
            </div>
        </form>
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
        />
    }
}
