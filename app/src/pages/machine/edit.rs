//! What administrators do with a machine itself.

use leptos::prelude::*;
use leptos_router::{NavigateOptions, hooks::use_navigate};

use super::{
    Context,
    choices::{bmc_choices, bmc_warning, subarch_choices},
};
use crate::{
    api::{Api, ApiError, Arch, Bmc, BmcType, Cartridge, Id, Image, Machine, MachineChange, MachineName, Subarch},
    ui::{
        Choice, Confirm, Curl, Dialog, Field, FieldState, FormEnd, Loading, Notice, Opened, SelectField, Submit, SubmitForm, TextField,
        Toasts, is_of_name, label_of, load, opened,
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
    let offered = bmc_choices(&bmcs, Some(machine.id));
    let labels = StoredValue::new(offered.clone());
    let moonshots: Vec<String> = bmcs.iter().filter(|bmc| bmc.bmc_type == BmcType::Moonshot).map(|bmc| bmc.id.to_string()).collect();
    let moonshot = Memo::new(move |_| moonshots.contains(&bmc.value.get()));
    let taken = Memo::new(move |_| bmc_warning(&bmcs, &bmc.value.read(), Some(context.id)));
    let old_arch = StoredValue::new(machine.arch.clone());
    let moved = Memo::new(move |_| arch.value.with(|arch| old_arch.with_value(|old| arch != old)));
    let subarch = FieldState::new("");
    let subarchs = Memo::new(move |_| arch.value.with(|arch| subarchs_of(&context.archs.read(), arch)));
    let subarch_choices = Signal::derive(move || subarchs.with(|all| subarch_choices(all)));
    // of the same name, as firmwares go
    Effect::new(move |_| {
        let old = own.known().subarch.unwrap_or_default();
        subarch.reset(subarchs.with(|all| if all.iter().any(|own| own.name == old) { old } else { String::new() }));
    });
    let lost = Memo::new(move |_| {
        let arch = arch.value.get();
        let subarch = subarch.value.get();
        let machine = own.known();
        let boots = subarchs.with(|all| all.iter().any(|own| own.name == subarch && own.bootloader_id.is_some()));
        context.images.with(|images| Lost::with(&machine, &arch, boots, images))
    });
    let input = move || {
        let (Some(name), Some(arch)) = (name.parse(MachineName::parse), arch.chosen("an architecture")) else { return None };
        let bmc_info = if moonshot.get_untracked() { bmc_info.parse(cartridge)? } else { String::new() };
        Some(MachineChange {
            name: Some(name),
            arch: Some(arch),
            bmc_id: Some(bmc.value.get_untracked().parse().ok().map(Id)),
            bmc_info: Some(bmc_info),
            ..if moved.get_untracked() { lost.get_untracked().change(&subarch.value.get_untracked()) } else { MachineChange::default() }
        })
    };
    let call = move |api: Api, change: MachineChange| async move {
        let form = |machine: &Machine| {
            let boots = (machine.subarch_id, machine.kernel_id, machine.initrd_id, machine.netboot_enabled);
            // otherwise these are changed elsewhere
            let boots = change.subarch.is_some().then_some(boots);
            (machine.name.clone(), machine.arch_id, machine.bmc_id, machine.bmc_info.clone(), boots)
        };
        let known = form(&own.known());
        api.edit_machine(context.id, &change, |now| form(now) == known).await
    };
    let curl = Callback::new(move |()| input().and_then(|change| Curl::of("Save", async |api| call(api, change).await)));
    let send = move |()| {
        let Some(change) = input() else { return };
        let place = move |error: &str| is_of_name(error).then_some(name);
        submit.save_placing(call(context.api.get_value(), change), place, move |answer| {
            let Some(machine) = own.saved(answer) else { return };
            context.machine.set(machine);
            open.set(false);
            toasts.ok("Machine saved.");
        });
    };
    let fields = move |theirs: &Machine| -> Vec<Field> {
        let bmc_of = |id: &str| labels.with_value(|all| label_of(all, id));
        let cartridge = if moonshot.get() { bmc_info.value.get() } else { String::new() };
        vec![
            ("Name", name.value.get(), theirs.name.clone()),
            ("Architecture", arch.value.get(), theirs.arch.clone()),
            ("BMC", bmc_of(&bmc.value.get()), bmc_of(&theirs.bmc_id.map(|id| id.to_string()).unwrap_or_default())),
            ("Cartridge number", cartridge, theirs.bmc_info.clone()),
        ]
    };
    view! {
        <SubmitForm submit send>
            <TextField id="edit-name" label="Name" field=name required=true/>
            <SelectField id="edit-arch" label="Architecture" field=arch choices=archs required=true/>
            <Show when=move || moved.get()>
                <SelectField id="edit-subarch" label="Subarchitecture" field=subarch choices=subarch_choices none="None"/>
                <Show when=move || lost.read().words().is_some()>
                    <Notice><span data-testid="edit-lost">{move || lost.read().words()}</span></Notice>
                </Show>
            </Show>
            <SelectField id="edit-bmc" label="BMC" field=bmc choices=offered none="None" search=true/>
            <Show when=move || taken.read().is_some()>
                <Notice><span data-testid="bmc-taken">{move || taken.get()}</span></Notice>
            </Show>
            <Show when=move || moonshot.get()>
                <TextField id="edit-bmc-info" label="Cartridge number" field=bmc_info kind="number"/>
            </Show>
            {own.notice_of(fields)}
            <FormEnd open submit label="Save" curl/>
        </SubmitForm>
    }
}

fn subarchs_of(archs: &[Arch], name: &str) -> Vec<Subarch> {
    archs.iter().find(|arch| arch.name == name).map(|arch| arch.subarchs.clone()).unwrap_or_default()
}

/// What a machine cannot keep when its architecture becomes another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Lost {
    kernel: bool,
    initrd: bool,
    netboot: bool,
}

impl Lost {
    /// `boots`: whether the subarchitecture it is to have has a bootloader, which netboot requires.
    fn with(machine: &Machine, arch: &str, boots: bool, images: &[Image]) -> Self {
        let other = |id: Option<i64>| images.iter().any(|image| Some(image.id) == id && image.arch != arch);
        Self { kernel: other(machine.kernel_id), initrd: other(machine.initrd_id), netboot: machine.netboot_enabled && !boots }
    }

    fn change(&self, subarch: &str) -> MachineChange {
        MachineChange {
            subarch: Some(Some(subarch.to_owned()).filter(|name| !name.is_empty())),
            kernel_id: self.kernel.then_some(None),
            initrd_id: self.initrd.then_some(None),
            netboot_enabled: self.netboot.then_some(false),
            ..MachineChange::default()
        }
    }

    /// Said before it is saved.
    fn words(&self) -> Option<String> {
        let images = match (self.kernel, self.initrd) {
            (true, true) => Some("Kernel and initrd are for the old architecture: the machine has none until you choose others."),
            (true, false) => Some("The kernel is for the old architecture: the machine has none until you choose another."),
            (false, true) => Some("The initrd is for the old architecture: the machine has none until you choose another."),
            (false, false) => None,
        };
        let netboot = self.netboot.then_some("Netboot is switched off: it requires a subarchitecture with a bootloader.");
        let all: Vec<&str> = images.into_iter().chain(netboot).collect();
        (!all.is_empty()).then(|| all.join(" "))
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
            about=Signal::derive(move || format!("Delete machine {}", name()))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        api::ImageType,
        pages::machine::{sample, sample_image},
    };

    #[test]
    fn another_architecture_takes_what_is_of_the_old_one_and_nothing_else() {
        let machine = Machine { kernel_id: Some(1), initrd_id: Some(2), netboot_enabled: true, ..sample() };
        let images = [(1, "arm64"), (2, "x86_64")].map(|(id, arch)| sample_image(id, ImageType::Kernel, arch));
        let lost = Lost::with(&machine, "x86_64", true, &images);
        assert_eq!(lost, Lost { kernel: true, initrd: false, netboot: false });
        let change = lost.change("uefi");
        assert_eq!((change.subarch, change.kernel_id, change.initrd_id), (Some(Some("uefi".into())), Some(None), None));
        assert_eq!(change.netboot_enabled, None);
    }

    #[test]
    fn netboot_goes_with_the_bootloader() {
        let on = Machine { kernel_id: None, initrd_id: None, netboot_enabled: true, ..sample() };
        let lost = Lost::with(&on, "x86_64", false, &[]);
        let change = lost.change("");
        assert_eq!((change.subarch, change.netboot_enabled), (Some(None), Some(false)));
        assert!(lost.words().unwrap().starts_with("Netboot is switched off"));
        let off = Machine { netboot_enabled: false, ..on };
        assert_eq!(Lost::with(&off, "x86_64", false, &[]).words(), None);
    }
}
