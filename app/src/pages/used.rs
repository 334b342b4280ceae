//! What uses a thing: asked for when it is wanted.

use futures_util::future::{try_join, try_join3};
use leptos::prelude::*;

use crate::{
    api::{Api, ApiError, Arch, Image, ImageType, Machine, MachineView, Page, Preseed, Subarch, User},
    ui::{Dialog, Icon, Loading, Notice, RowButton, format::counted, load},
};

/// Machines named; the others are counted.
const NAMED: usize = 50;

#[derive(Clone)]
pub(super) enum Thing {
    Image(Image),
    Preseed(Preseed),
    Arch(Arch),
    Subarch(Arch, Subarch),
    User(User),
}

impl Thing {
    fn name(&self) -> String {
        match self {
            Self::Image(image) => format!("image {}", image.filename),
            Self::Preseed(preseed) => format!("preseed {}", preseed.name),
            Self::Arch(arch) => format!("architecture {}", arch.name),
            Self::Subarch(arch, subarch) => format!("subarchitecture {} / {}", arch.name, subarch.name),
            Self::User(user) => format!("user {}", user.username),
        }
    }
}

/// One that uses it: its name, its page, and as what.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Use {
    name: String,
    path: String,
    role: &'static str,
}

impl Use {
    fn new(name: impl Into<String>, path: impl Into<String>, role: &'static str) -> Self {
        Self { name: name.into(), path: path.into(), role }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Told {
    users: Vec<Use>,
    /// Machines beyond those that are named.
    rest: usize,
}

impl Told {
    fn of(machines: Page<Machine>, role: &'static str) -> Self {
        let rest = machines.total.saturating_sub(machines.items.len());
        let users = machines.items.into_iter().map(|machine| Use::new(machine.name, format!("/machines/{}", machine.id), role));
        Self { users: users.collect(), rest }
    }

    fn and(mut self, others: impl IntoIterator<Item = Use>) -> Self {
        self.users.extend(others);
        self
    }
}

async fn ask(api: Api, thing: Thing) -> Result<Told, ApiError> {
    let with = async |member, id| api.machines_with(member, id, NAMED).await;
    let images = |all: Vec<Image>, fits: &dyn Fn(&Image) -> bool, role| {
        let fitting = all.into_iter().filter(|image| fits(image));
        fitting.map(|image| Use::new(image.filename, "/images", role)).collect::<Vec<_>>()
    };
    Ok(match thing {
        Thing::Image(image) => match image.file_type {
            ImageType::Kernel => Told::of(with("kernel_id", image.id).await?, "kernel"),
            ImageType::Initrd => Told::of(with("initrd_id", image.id).await?, "initrd"),
            ImageType::Bootloader => {
                let archs = api.archs().await?;
                let subarchs = archs.iter().flat_map(|arch| arch.subarchs.iter().map(move |subarch| (arch, subarch)));
                let own = subarchs.filter(|(_, subarch)| subarch.bootloader_id == Some(image.id));
                Told::default()
                    .and(own.map(|(arch, subarch)| Use::new(format!("{} / {}", arch.name, subarch.name), "/archs", "bootloader")))
            }
        },
        Thing::Preseed(preseed) => Told::of(with("preseed_id", preseed.id).await?, "preseed"),
        Thing::Subarch(_, subarch) => Told::of(with("subarch_id", subarch.id).await?, "subarchitecture"),
        Thing::Arch(arch) => {
            let (machines, all) = try_join(with("arch_id", arch.id), api.images(true)).await?;
            Told::of(machines, "machine").and(images(all, &|image| image.arch == arch.name, "image"))
        }
        Thing::User(user) => {
            let name = user.username;
            let view = MachineView { q: format!("(= assignee \"{name}\")"), limit: NAMED, ..MachineView::default() };
            let (machines, all, preseeds) = try_join3(api.machines_page(&view), api.images(true), api.preseeds(true)).await?;
            let own = preseeds.into_iter().filter(|preseed| preseed.user.as_deref() == Some(&name));
            Told::of(machines, "assigned machine")
                .and(images(all, &|image| image.user.as_deref() == Some(&name), "image"))
                .and(own.map(|preseed| Use::new(preseed.name, format!("/preseeds/{}", preseed.id), "preseed")))
        }
    })
}

/// The dialog of a page, and the buttons that open it.
#[derive(Clone, Copy)]
pub(super) struct UsedBy {
    thing: RwSignal<Option<Thing>>,
    open: RwSignal<bool>,
}

impl UsedBy {
    pub(super) fn new() -> Self {
        Self { thing: RwSignal::new(None), open: RwSignal::new(false) }
    }

    pub(super) fn show(self, thing: Thing) {
        self.thing.set(Some(thing));
        self.open.set(true);
    }

    /// In a row.
    pub(super) fn button(self, thing: Thing) -> AnyView {
        let label = format!("What uses {}", thing.name());
        view! { <RowButton icon=Icon::Machine label action=move |()| self.show(thing.clone())/> }.into_any()
    }

    pub(super) fn dialog(self) -> AnyView {
        let title = Signal::derive(move || {
            self.thing.with(|thing| thing.as_ref().map(|own| format!("What uses {}", own.name()))).unwrap_or_default()
        });
        view! {
            <Dialog open=self.open title testid="used-by">
                {move || self.thing.get().map(|thing| view! { <Users thing/> })}
            </Dialog>
        }
        .into_any()
    }
}

#[component]
fn Users(thing: Thing) -> impl IntoView {
    let api = expect_context::<Api>();
    let loaded = load(ask(api, thing));
    move || match loaded.get() {
        None => view! { <Loading/> }.into_any(),
        Some(Err(error)) => view! { <Notice tone="alert-error">{error.text()}</Notice> }.into_any(),
        Some(Ok(told)) if told.users.is_empty() => view! { <p data-testid="unused">"Nothing that you may see."</p> }.into_any(),
        Some(Ok(Told { users, rest })) => view! {
            <ul class="ml-4 max-h-96 list-disc overflow-y-auto text-sm" tabindex="0" aria-label="What uses it">
                {users
                    .into_iter()
                    .map(|Use { name, path, role }| view! { <li><a class="link" href=path>{name}</a>{format!(", {role}")}</li> })
                    .collect_view()}
                {(rest > 0).then(|| view! { <li>{format!("and {} more", counted(rest, "machine", "machines"))}</li> })}
            </ul>
        }
        .into_any(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::machine::sample;

    #[test]
    fn machines_are_named_and_the_rest_counted() {
        let machine = Machine { id: 7, name: "d03-1".into(), ..sample() };
        let told = Told::of(Page { items: vec![machine], total: 60 }, "kernel").and([Use::new("a", "/images", "image")]);
        assert_eq!(told.users, [Use::new("d03-1", "/machines/7", "kernel"), Use::new("a", "/images", "image")]);
        assert_eq!(told.rest, 59);
    }
}
