//! Architectures, each with its boot flavours.

mod forms;

use futures_util::future::try_join;
use leptos::prelude::*;

use self::forms::{ArchForm, SubarchForm};
use super::{
    follow::follow_list,
    records::{loaded, rows},
    removal::Uses,
    used::{Thing, UsedBy},
};
use crate::{
    api::{self, Api, ApiError, Arch, Image, ImageType, Me, Removal, Subarch},
    ui::{
        AddButton, Address, Choice, Columns, Confirm, Curl, Dialog, Empty, Icon, PageHead, RowButton, SearchBox, Sort, SortHead, Submit,
        Toasts, matches, natural, opened,
    },
};

/// With the images, of which some are bootloaders.
#[component]
pub(super) fn Archs() -> impl IntoView {
    loaded("Architectures", load, |me, (archs, images)| view! { <List me archs images/> }.into_any())
}

async fn load(api: Api) -> Result<(Vec<Arch>, Vec<Image>), ApiError> {
    try_join(api.archs(), api.images(true)).await
}

fn bootloaders(images: Vec<Image>) -> Vec<Image> {
    images.into_iter().filter(|image| image.file_type == ImageType::Bootloader).collect()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Name,
    Description,
    Bootloader,
    Firmware,
}

impl Columns for Column {
    const WORDS: &'static [(Self, &'static str)] =
        &[(Self::Name, "name"), (Self::Description, "description"), (Self::Bootloader, "bootloader"), (Self::Firmware, "firmware")];
}

fn compare(a: &Subarch, b: &Subarch, sort: Sort<Column>) -> std::cmp::Ordering {
    let by = match sort.column {
        Column::Name => natural(&a.name, &b.name),
        Column::Description => natural(&a.description, &b.description),
        // those without one last
        Column::Bootloader => match (&a.bootloader, &b.bootloader) {
            (Some(a), Some(b)) => natural(a, b),
            (a, b) => b.is_some().cmp(&a.is_some()),
        },
        Column::Firmware => a.efiboot.cmp(&b.efiboot),
    };
    sort.apply(by).then_with(|| natural(&a.name, &b.name))
}

/// An architecture is found by what any of its flavours is called, and is shown whole.
fn found(arch: &Arch, query: &str) -> bool {
    let own = |subarch: &Subarch| {
        let loader = subarch.bootloader.as_deref().unwrap_or_default();
        format!("{} / {}\n{}\n{loader}", arch.name, subarch.name, subarch.description)
    };
    let flavours = arch.subarchs.iter().map(own).collect::<Vec<_>>().join("\n");
    matches(&format!("{}\n{}\n{flavours}", arch.name, arch.description), query)
}

/// What machines lose that get another architecture instead of this one.
fn lost_flavours(own: &Arch, other: &Arch) -> Option<String> {
    let missing =
        own.subarchs.iter().map(|subarch| subarch.name.as_str()).filter(|name| other.subarchs.iter().all(|own| own.name != *name));
    let missing: Vec<&str> = missing.collect();
    (!missing.is_empty()).then(|| format!("Machines whose subarchitecture {} does not have lose it: {}.", other.name, missing.join(", ")))
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

    /// What a deletion is of; those that are only to be made are not deleted.
    fn name(&self) -> String {
        match self {
            Self::Arch(arch) => format!("architecture {}", arch.name),
            Self::Subarch(arch, subarch) => format!("subarchitecture {} / {}", arch.name, subarch.name),
            Self::NewArch | Self::NewSubarch(_) => String::new(),
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
    let loaders = StoredValue::new(bootloaders(images));
    follow_list(&[api::List::Arch, api::List::Image], load, move |(list, images)| {
        archs.try_set(list);
        loaders.try_set_value(bootloaders(images));
    });
    let address = Address::new();
    let filter = address.keeps::<String>("q");
    let sort = address.keeps_sort(Sort::by(Column::Name));
    let shown = Memo::new(move |_| {
        let query = filter.get();
        let mut list: Vec<Arch> = archs.with(|list| list.iter().filter(|arch| found(arch, &query)).cloned().collect());
        list.sort_by(|a, b| natural(&a.name, &b.name));
        list
    });
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
        let said = format!("Deleted {}.", subject.name());
        submit.run(subject.delete(api, submit.removal()), move |()| {
            delete_open.set(false);
            toasts.ok(said);
            reload.run(());
        });
    };
    let curl = Callback::new(move |()| {
        let subject = deleting.get_untracked()?;
        Curl::of(format!("Delete {}", subject.name()), async |api| subject.delete(api, submit.removal()).await)
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
    // machines and images are of an architecture, always
    let needed = Signal::derive(move || matches!(deleting.get(), Some(Subject::Arch(_))));
    // a machine gets the flavour of the same name
    let lost = move || match (deleting.get(), submit.chosen()) {
        (Some(Subject::Arch(own)), Removal::ReplaceWith(id)) => {
            archs.with(|archs| archs.iter().find(|arch| arch.id == id).and_then(|other| lost_flavours(&own, other)))
        }
        _ => None,
    };
    let more = move || {
        view! {
            <Uses submit instead needed/>
            // there from the start: it is read out when it gets its text
            <p class="text-sm empty:hidden" aria-live="polite" data-testid="lost-flavours">{lost}</p>
        }
    };
    let used = UsedBy::new(me.admin);
    let admin = me.admin;
    let left = Signal::derive(move || (shown.with(Vec::len), archs.with(Vec::len)));
    view! {
        <PageHead title="Architectures">
            <SearchBox value=filter label="Filter architectures" left/>
            {admin.then(|| view! { <AddButton label="Add architecture" open=adding testid="add-arch"/> })}
        </PageHead>
        <p class="mb-4 max-w-prose text-sm opacity-80">
            "An architecture is a CPU family. Its subarchitectures are its boot flavours: each names the bootloader that DHCP hands out, and whether the firmware is UEFI."
        </p>
        <Show when=move || !archs.with(Vec::is_empty) fallback=|| view! { <Empty title="No architectures yet">"Machines and images belong to one. Start with x86_64 or arm64."</Empty> }>
            <div class="flex flex-col gap-4">
                {rows(
                    move || shown.get(),
                    |arch| arch.id,
                    move |arch| view! { <ArchTable arch sort admin edit remove used/> }.into_any(),
                )}
            </div>
            <Show when=move || shown.with(Vec::is_empty)>
                <Empty title="No architecture matches"/>
            </Show>
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
            title=Signal::derive(move || {
                if matches!(deleting.get(), Some(Subject::Subarch(..))) { "Delete subarchitecture" } else { "Delete architecture" }.to_owned()
            })
            about=Signal::derive(move || deleting.get().map(|own| format!("Delete {}", own.name())).unwrap_or_default())
            text=Signal::derive(move || match deleting.get() {
                Some(own @ Subject::Arch(_)) => format!("Are you sure you want to delete {} with its subarchitectures?", own.name()),
                Some(own) => format!("Are you sure you want to delete {}?", own.name()),
                None => String::new(),
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
fn ArchTable(
    arch: Memo<Arch>,
    sort: RwSignal<Sort<Column>>,
    admin: bool,
    edit: Callback<Subject>,
    remove: Callback<Subject>,
    used: UsedBy,
) -> impl IntoView {
    let heading = format!("arch-{}", arch.with_untracked(|arch| arch.id));
    let named = move |what: &'static str| Signal::derive(move || arch.with(|arch| format!("{what} {}", arch.name)));
    let sorted = move || {
        let (mut list, sort) = (arch.with(|arch| arch.subarchs.clone()), sort.get());
        list.sort_by(|a, b| compare(a, b, sort));
        list
    };
    let row = move |own: Memo<Subarch>| {
        let text = move |get: fn(&Subarch) -> String| move || own.with(get);
        let description = text(|own| own.description.clone());
        let firmware = text(|own| if own.efiboot { "UEFI".into() } else { "BIOS or default".into() });
        let named = move |what: &'static str| Signal::derive(move || own.with(|own| format!("{what} {}", own.name)));
        view! {
            <tr class="hover:bg-base-200">
                <th scope="row" class="font-medium wrap-anywhere">
                    {text(|own| own.name.clone())}
                    // what has no column of its own on a telephone
                    <span class="block text-xs font-normal opacity-80 md:hidden">
                        <span class="block">{description}</span>
                        <span class="block">{firmware}</span>
                    </span>
                </th>
                <td class="wrap-anywhere max-md:hidden">{description}</td>
                <td class="font-mono text-xs break-all">{text(|own| own.bootloader.clone().unwrap_or_else(|| "none".into()))}</td>
                <td class="max-md:hidden">{firmware}</td>
                <td class="w-0 text-right whitespace-nowrap">
                    {used.button(move || Thing::Subarch(arch.get(), own.get()))}
                    {admin.then(|| view! {
                        <RowButton
                            icon=Icon::Pencil
                            label=named("Edit subarchitecture")
                            action=move |()| edit.run(Subject::Subarch(arch.get_untracked(), own.get_untracked()))
                        />
                        <RowButton
                            icon=Icon::Trash
                            label=named("Delete subarchitecture")
                            action=move |()| remove.run(Subject::Subarch(arch.get_untracked(), own.get_untracked()))
                        />
                    })}
                </td>
            </tr>
        }
        .into_any()
    };
    view! {
        <section
            class="rounded-box border-base-300 border"
            aria-labelledby=heading.clone()
            data-testid="arch"
            data-row
            data-arch=move || arch.with(|arch| arch.name.clone())
        >
            <div class="border-base-300 flex flex-wrap items-center justify-between gap-2 border-b px-4 py-1.5">
                <div class="min-w-0 wrap-anywhere">
                    <h2 id=heading.clone() class="font-semibold">{move || arch.with(|arch| arch.name.clone())}</h2>
                    <p class="text-sm opacity-80">{move || arch.with(|arch| arch.description.clone())}</p>
                </div>
                <div class="flex items-center gap-1">
                    {used.button(move || Thing::Arch(arch.get()))}
                    {admin.then(|| view! {
                        <button
                            type="button"
                            class="btn btn-sm"
                            on:click=move |_| edit.run(Subject::NewSubarch(arch.get_untracked()))
                            data-testid="add-subarch"
                        >
                            "Add subarchitecture"
                        </button>
                        <RowButton icon=Icon::Pencil label=named("Edit architecture") action=move |()| edit.run(Subject::Arch(arch.get_untracked()))/>
                        <RowButton icon=Icon::Trash label=named("Delete architecture") action=move |()| remove.run(Subject::Arch(arch.get_untracked()))/>
                    })}
                </div>
            </div>
            <Show
                when=move || arch.with(|arch| !arch.subarchs.is_empty())
                fallback=|| view! { <p class="p-4 text-sm opacity-80">"No subarchitecture yet: its machines cannot boot from the network."</p> }
            >
                <div class="overflow-x-auto">
                    <table class="table-sm table">
                        <caption class="sr-only">{named("Subarchitectures of")}</caption>
                        <thead>
                            <tr>
                                <SortHead label="Name" column=Column::Name sort/>
                                <SortHead label="Description" column=Column::Description sort class="max-md:hidden"/>
                                <SortHead label="Bootloader" column=Column::Bootloader sort/>
                                <SortHead label="Firmware" column=Column::Firmware sort class="max-md:hidden"/>
                                <th scope="col"><span class="sr-only">"Actions"</span></th>
                            </tr>
                        </thead>
                        <tbody>{rows(sorted, |own| own.id, row)}</tbody>
                    </table>
                </div>
            </Show>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::lost_flavours;
    use crate::api::{Arch, Subarch};

    #[test]
    fn flavours_that_the_other_architecture_lacks_are_named() {
        let subarch = |name: &&str| Subarch {
            id: 1,
            name: (*name).to_owned(),
            description: String::new(),
            bootloader_id: None,
            bootloader: None,
            efiboot: false,
        };
        let arch = |name: &str, flavours: &[&str]| Arch {
            id: 1,
            name: name.into(),
            description: String::new(),
            subarchs: flavours.iter().map(subarch).collect(),
        };
        let lost = |own: &[&str], other: &[&str]| lost_flavours(&arch("x86_64", own), &arch("arm64", other));
        assert_eq!(
            lost(&["uefi", "bios", "u2"], &["uefi"]).unwrap(),
            "Machines whose subarchitecture arm64 does not have lose it: bios, u2."
        );
        assert_eq!(lost(&["uefi"], &["uefi", "u2"]), None);
    }
}
