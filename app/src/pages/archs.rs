//! Architectures, each with its boot flavours.

use leptos::prelude::*;

use super::{
    records::loaded,
    removal::Uses,
    used::{Thing, UsedBy},
};
use crate::{
    api::{
        Api, ApiError, Arch, ArchInput, ArchName, Description, Edit, Id, Image, ImageType, Me, Removal, Subarch, SubarchInput, SubarchName,
    },
    ui::{
        AddButton, Choice, Confirm, Curl, Dialog, Empty, FieldState, FormEnd, Icon, Opened, PageHead, RowButton, SelectField, Submit,
        SubmitForm, SwitchField, TextField, Toasts, Zone, natural, opened, saved,
    },
};

/// With the images, of which some are bootloaders.
#[component]
pub(super) fn Archs() -> impl IntoView {
    loaded(
        "Architectures",
        |api| async move { futures_util::future::try_join(api.archs(), api.images(true)).await },
        |me, (archs, images)| view! { <List me archs images/> }.into_any(),
    )
}

/// What a dialog is open for: an architecture, and a flavour of it.
#[derive(Clone, Debug, PartialEq)]
enum Subject {
    NewArch,
    Arch(Arch),
    NewSubarch(Arch),
    Subarch(Arch, Subarch),
}

impl Subject {
    fn title(&self) -> String {
        match self {
            Self::NewArch => "Add an architecture".into(),
            Self::Arch(arch) => format!("Edit {}", arch.name),
            Self::NewSubarch(arch) => format!("Add a subarchitecture of {}", arch.name),
            Self::Subarch(arch, subarch) => format!("Edit {} / {}", arch.name, subarch.name),
        }
    }

    async fn delete(self, api: Api, removal: Removal) -> Result<(), ApiError> {
        match self {
            Self::Arch(arch) => api.delete_arch(arch.id, removal).await,
            Self::Subarch(arch, subarch) => api.delete_subarch(arch.id, subarch.id, removal).await,
            Self::NewArch | Self::NewSubarch(_) => Ok(()),
        }
    }
}

#[component]
fn List(me: Me, archs: Vec<Arch>, images: Vec<Image>) -> impl IntoView {
    let api = StoredValue::new(expect_context::<Api>());
    let toasts = expect_context::<Toasts>();
    let archs = RwSignal::new(archs);
    let loaders = StoredValue::new(images.into_iter().filter(|image| image.file_type == ImageType::Bootloader).collect::<Vec<_>>());
    let sorted = move || {
        let mut list = archs.get();
        list.sort_by(|a, b| natural(&a.name, &b.name));
        list
    };
    // a flavour comes inside its architecture: the list is small, and the server's word on it is best
    let reload = Callback::new(move |()| {
        let api = api.get_value();
        leptos::task::spawn_local(async move {
            match api.archs().await {
                Ok(list) => {
                    archs.try_set(list);
                }
                Err(error) => toasts.error(error.text()),
            }
        });
    });
    let subject = RwSignal::new(None::<Subject>);
    let open = RwSignal::new(false);
    let edit = Callback::new(move |next: Subject| {
        subject.set(Some(next));
        open.set(true);
    });
    let adding = RwSignal::new(false);
    Effect::new(move |_| {
        if adding.get() {
            adding.set(false);
            edit.run(Subject::NewArch);
        }
    });
    let deleting = RwSignal::new(None::<Subject>);
    let delete_open = RwSignal::new(false);
    let remove = Callback::new(move |next: Subject| {
        deleting.set(Some(next));
        delete_open.set(true);
    });
    let submit = Submit::new();
    let delete = move |()| {
        let Some(subject) = deleting.get_untracked() else { return };
        let api = api.get_value();
        submit.run(subject.delete(api, submit.removal()), move |()| {
            delete_open.set(false);
            toasts.ok("Deleted.");
            reload.run(());
        });
    };
    let curl = Callback::new(move |()| {
        let subject = deleting.get_untracked()?;
        Curl::of("Delete", async |api| subject.delete(api, submit.removal()).await)
    });
    let instead = Signal::derive(move || match deleting.get() {
        Some(Subject::Arch(own)) => {
            archs.with(|archs| archs.iter().filter(|arch| arch.id != own.id).map(|arch| Choice::new(arch.id, &arch.name)).collect())
        }
        Some(Subject::Subarch(arch, own)) => {
            arch.subarchs.iter().filter(|subarch| subarch.id != own.id).map(|subarch| Choice::new(subarch.id, &subarch.name)).collect()
        }
        _ => Vec::new(),
    });
    let more = move || view! { <Uses submit instead/> };
    let used = UsedBy::new();
    let admin = me.admin;
    view! {
        <PageHead title="Architectures">
            {admin.then(|| view! { <AddButton label="Add architecture" open=adding testid="add-arch"/> })}
        </PageHead>
        <p class="mb-4 max-w-prose text-sm opacity-80">
            "An architecture is a CPU family. Its subarchitectures are its boot flavours: each names the bootloader that DHCP hands out, and whether the firmware is UEFI."
        </p>
        <Show when=move || !archs.with(Vec::is_empty) fallback=|| view! { <Empty title="No architectures yet">"Machines and images belong to one. Start with x86_64 or arm64."</Empty> }>
            <div class="flex flex-col gap-4">
                <For each=sorted key=|arch| serde_json::to_string(arch).unwrap_or_default() let:arch>
                    <ArchTable arch admin edit remove used/>
                </For>
            </div>
        </Show>
        <Dialog open title=Signal::derive(move || subject.get().map(|subject| subject.title()).unwrap_or_default())>
            {move || match subject.get() {
                None => ().into_any(),
                Some(Subject::NewArch) => view! { <ArchForm open opened=None done=reload/> }.into_any(),
                Some(Subject::Arch(arch)) => opened(arch, move |own| view! { <ArchForm open opened=Some(own) done=reload/> }.into_any()),
                Some(Subject::NewSubarch(arch)) => {
                    view! { <SubarchForm open arch opened=None loaders=loaders.get_value() done=reload/> }.into_any()
                }
                Some(Subject::Subarch(arch, subarch)) => {
                    opened(subarch, move |own| {
                        view! { <SubarchForm open arch=arch.clone() opened=Some(own) loaders=loaders.get_value() done=reload/> }.into_any()
                    })
                }
            }}
        </Dialog>
        {used.dialog()}
        <Confirm
            open=delete_open
            title="Delete"
            text=Signal::derive(move || match deleting.get() {
                Some(Subject::Arch(arch)) => format!("Are you sure you want to delete architecture {} with its subarchitectures?", arch.name),
                Some(Subject::Subarch(arch, subarch)) => format!("Are you sure you want to delete subarchitecture {} / {}?", arch.name, subarch.name),
                _ => String::new(),
            })
            acknowledge=true
            submit
            action=delete
            more
            curl
        />
    }
}

#[component]
fn ArchTable(arch: Arch, admin: bool, edit: Callback<Subject>, remove: Callback<Subject>, used: UsedBy) -> impl IntoView {
    let heading = format!("arch-{}", arch.id);
    let (add, change, delete) = (arch.clone(), arch.clone(), arch.clone());
    let rows = arch
        .subarchs
        .iter()
        .map(|subarch| {
            let (changed, deleted) = ((arch.clone(), subarch.clone()), (arch.clone(), subarch.clone()));
            view! {
                <tr class="hover:bg-base-200">
                    <th scope="row" class="font-medium">{subarch.name.clone()}</th>
                    <td class="break-words max-md:hidden">{subarch.description.clone()}</td>
                    <td class="font-mono text-xs break-all">{subarch.bootloader.clone().unwrap_or_else(|| "none".into())}</td>
                    <td>{if subarch.efiboot { "UEFI" } else { "BIOS or default" }}</td>
                    <td class="w-0 text-right whitespace-nowrap">
                        {used.button(Thing::Subarch(arch.clone(), subarch.clone()))}
                        {admin.then(|| view! {
                            <RowButton
                                icon=Icon::Pencil
                                label=format!("Edit subarchitecture {}", changed.1.name)
                                action=move |()| edit.run(Subject::Subarch(changed.0.clone(), changed.1.clone()))
                            />
                            <RowButton
                                icon=Icon::Trash
                                label=format!("Delete subarchitecture {}", deleted.1.name)
                                action=move |()| remove.run(Subject::Subarch(deleted.0.clone(), deleted.1.clone()))
                            />
                        })}
                    </td>
                </tr>
            }
        })
        .collect_view();
    let none = arch.subarchs.is_empty();
    view! {
        <section class="rounded-box border-base-300 border" aria-labelledby=heading.clone() data-testid="arch" data-arch=arch.name.clone()>
            <div class="border-base-300 flex flex-wrap items-center justify-between gap-2 border-b px-4 py-1.5">
                <div>
                    <h2 id=heading.clone() class="font-semibold">{arch.name.clone()}</h2>
                    <p class="text-sm opacity-80">{arch.description.clone()}</p>
                </div>
                <div class="flex items-center gap-1">
                    {used.button(Thing::Arch(arch.clone()))}
                    {admin.then(|| view! {
                        <button type="button" class="btn btn-sm" on:click=move |_| edit.run(Subject::NewSubarch(add.clone()))>"Add subarchitecture"</button>
                        <RowButton icon=Icon::Pencil label=format!("Edit architecture {}", change.name) action=move |()| edit.run(Subject::Arch(change.clone()))/>
                        <RowButton icon=Icon::Trash label=format!("Delete architecture {}", delete.name) action=move |()| remove.run(Subject::Arch(delete.clone()))/>
                    })}
                </div>
            </div>
            {if none {
                view! { <p class="p-4 text-sm opacity-80">"No subarchitecture yet: its machines cannot boot from the network."</p> }.into_any()
            } else {
                view! {
                    <div class="overflow-x-auto">
                        <table class="table-sm table">
                            <caption class="sr-only">{format!("Subarchitectures of {}", arch.name)}</caption>
                            <thead>
                                <tr>
                                    <th scope="col">"Name"</th>
                                    <th scope="col" class="max-md:hidden">"Description"</th>
                                    <th scope="col">"Bootloader"</th>
                                    <th scope="col">"Firmware"</th>
                                    <th scope="col"><span class="sr-only">"Actions"</span></th>
                                </tr>
                            </thead>
                            <tbody>{rows}</tbody>
                        </table>
                    </div>
                }
                .into_any()
            }}
        </section>
    }
}

#[component]
fn ArchForm(open: RwSignal<bool>, opened: Option<Opened<Arch>>, done: Callback<()>) -> impl IntoView {
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
        submit.run(call(api.clone(), input), move |answer| {
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
fn SubarchForm(
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
    let choices: Vec<Choice> = fitting
        .iter()
        .map(|image| {
            let description = if image.description.is_empty() { String::new() } else { format!(" ({})", image.description) };
            Choice::new(image.id, format!("{}{description} – {}", image.filename, zone.day(&image.upload_date)))
        })
        .collect();
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
        submit.run(call(api.clone(), input), move |answer| {
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
