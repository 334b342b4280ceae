//! What uses a thing: asked for when it is wanted.

use futures_util::future::{try_join, try_join3};
use leptos::prelude::*;

use crate::{
    api::{
        Api, ApiError, Arch, Bmc, Image, ImageType, Machine, MachineView, Network, Page, Preseed, Subarch, User, query::quoted,
        query_string,
    },
    ui::{Dialog, Icon, Loading, Notice, RowButton, Zone, format::counted, load},
};

/// Machines named; the others are counted.
const NAMED: usize = 50;
/// Machines named in a cell.
const IN_CELL: usize = 3;

#[derive(Clone)]
pub(super) enum Thing {
    Bmc(Bmc),
    Network(Network),
    Image(Image),
    Preseed(Preseed),
    Arch(Arch),
    Subarch(Arch, Subarch),
    User(User),
}

/// The address of a list that shows what is found by this name.
pub(super) fn found(list: &str, name: &str) -> String {
    format!("{list}?{}", query_string(std::iter::once(("q", name))))
}

/// What tells an image from others with the same file name: `vmlinuz (Debian 13, x86_64, 2026-11-22 12:08:02)`.
pub(super) fn image_name(image: &Image, zone: Zone) -> String {
    let date = zone.seconds(&image.upload_date);
    let told = [&image.description, &image.arch, &date].into_iter().filter(|text| !text.is_empty()).cloned().collect::<Vec<_>>();
    format!("{} ({})", image.filename, told.join(", "))
}

impl Thing {
    fn name(&self, zone: Zone) -> String {
        match self {
            Self::Bmc(bmc) => format!("BMC {}", bmc.name),
            Self::Network(network) => format!("network {}", network.name),
            Self::Image(image) => format!("image {}", image_name(image, zone)),
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
    /// The list of all of them.
    all: Option<String>,
}

impl Told {
    fn of(machines: Page<Machine>, role: &'static str) -> Self {
        let rest = machines.total.saturating_sub(machines.items.len());
        let users = machines.items.into_iter().map(|machine| Use::new(machine.name, format!("/machines/{}", machine.id), role));
        Self { users: users.collect(), rest, all: None }
    }

    fn all(self, member: &str, value: &str) -> Self {
        Self { all: Some(format!("/machines?{}", query_string(std::iter::once((member, value))))), ..self }
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
        fitting.map(|image| Use::new(&image.filename, found("/images", &image.filename), role)).collect::<Vec<_>>()
    };
    let asked = async |q: &str| {
        let view = MachineView { q: q.to_owned(), limit: NAMED, ..MachineView::default() };
        api.machines_page(&view).await
    };
    Ok(match thing {
        Thing::Bmc(bmc) => Told::of(with("bmc_id", bmc.id).await?, "machine").all("search", &bmc.name),
        Thing::Network(network) => {
            let q = format!("(= network {})", quoted(&network.name));
            Told::of(asked(&q).await?, "machine").all("q", &q)
        }
        Thing::Image(image) => match image.file_type {
            ImageType::Kernel => Told::of(with("kernel_id", image.id).await?, "kernel"),
            ImageType::Initrd => Told::of(with("initrd_id", image.id).await?, "initrd"),
            ImageType::Bootloader => {
                let archs = api.archs().await?;
                let subarchs = archs.iter().flat_map(|arch| arch.subarchs.iter().map(move |subarch| (arch, subarch)));
                let own = subarchs.filter(|(_, subarch)| subarch.bootloader_id == Some(image.id));
                let used = |(arch, subarch): (&Arch, &Subarch)| {
                    let name = format!("{} / {}", arch.name, subarch.name);
                    Use::new(&name, found("/archs", &name), "bootloader")
                };
                Told::default().and(own.map(used))
            }
        },
        Thing::Preseed(preseed) => Told::of(with("preseed_id", preseed.id).await?, "preseed"),
        Thing::Subarch(_, subarch) => Told::of(with("subarch_id", subarch.id).await?, "subarchitecture"),
        Thing::Arch(arch) => {
            let (machines, all) = try_join(with("arch_id", arch.id), api.images(true)).await?;
            let q = format!("(= arch {})", quoted(&arch.name));
            Told::of(machines, "machine").all("q", &q).and(images(all, &|image| image.arch == arch.name, "image"))
        }
        Thing::User(user) => {
            let name = user.username;
            let q = format!("(= assignee {})", quoted(&name));
            let (machines, all, preseeds) = try_join3(asked(&q), api.images(true), api.preseeds(true)).await?;
            let own = preseeds.into_iter().filter(|preseed| preseed.user.as_deref() == Some(&name));
            Told::of(machines, "assigned machine")
                .all("q", &q)
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
    /// Whether everything is told to who looks.
    admin: bool,
    zone: Zone,
}

impl UsedBy {
    pub(super) fn new(admin: bool) -> Self {
        Self { thing: RwSignal::new(None), open: RwSignal::new(false), admin, zone: expect_context() }
    }

    pub(super) fn show(self, thing: Thing) {
        self.thing.set(Some(thing));
        self.open.set(true);
    }

    /// In a row.
    pub(super) fn button(self, thing: impl Fn() -> Thing + Copy + Send + Sync + 'static) -> AnyView {
        let label = Signal::derive(move || format!("What uses {}", thing().name(self.zone)));
        view! { <RowButton icon=Icon::Machine label action=move |()| self.show(untrack(thing))/> }.into_any()
    }

    /// In a cell: the machines that use a thing, by id and name, as far as there is room.
    pub(super) fn machines(
        self,
        machines: impl Fn() -> Vec<(i64, String)> + Send + Sync + 'static,
        thing: impl Fn() -> Thing + Copy + Send + Sync + 'static,
    ) -> AnyView {
        let machines = Memo::new(move |_| machines());
        let rest = Memo::new(move |_| machines.with(Vec::len).saturating_sub(IN_CELL));
        let links = move || {
            let shown = machines.with(|machines| machines.iter().take(IN_CELL).cloned().collect::<Vec<_>>());
            let link = |(index, (id, name))| {
                let comma = (index > 0).then_some(", ");
                view! { {comma}<a class="link link-hover text-primary" href=format!("/machines/{id}")>{name}</a> }
            };
            shown.into_iter().enumerate().map(link).collect_view()
        };
        view! {
            {links}
            <Show when=move || { rest.get() > 0 }>
                " "
                <button
                    type="button"
                    class="link"
                    aria-label=move || format!("and {} more: what uses {}", rest.get(), thing().name(self.zone))
                    on:click=move |_| self.show(untrack(thing))
                >
                    {move || format!("and {} more", rest.get())}
                </button>
            </Show>
        }
        .into_any()
    }

    pub(super) fn dialog(self) -> AnyView {
        let title = Signal::derive(move || {
            self.thing.with(|thing| thing.as_ref().map(|own| format!("What uses {}", own.name(self.zone)))).unwrap_or_default()
        });
        view! {
            <Dialog open=self.open title testid="used-by">
                {move || self.thing.get().map(|thing| view! { <Users thing admin=self.admin/> })}
            </Dialog>
        }
        .into_any()
    }
}

#[component]
fn Users(thing: Thing, admin: bool) -> impl IntoView {
    let api = expect_context::<Api>();
    let loaded = load(ask(api, thing));
    move || match loaded.get() {
        None => view! { <Loading/> }.into_any(),
        Some(Err(error)) => view! { <Notice tone="alert-error">{error.text()}</Notice> }.into_any(),
        Some(Ok(told)) if told.users.is_empty() => {
            let none = if admin { "Nothing uses it." } else { "Nothing that you may see." };
            view! { <p data-testid="unused">{none}</p> }.into_any()
        }
        Some(Ok(Told { users, rest, all })) => view! {
            <ul class="ml-4 max-h-96 list-disc overflow-y-auto text-sm" tabindex="0" aria-label="What uses it">
                {users
                    .into_iter()
                    .map(|Use { name, path, role }| view! { <li><a class="link" href=path>{name}</a>{format!(", {role}")}</li> })
                    .collect_view()}
                {(rest > 0).then(|| {
                    let more = format!("and {} more", counted(rest, "machine", "machines"));
                    match all {
                        Some(path) => view! { <li><a class="link" href=path>{more}</a></li> }.into_any(),
                        None => view! { <li>{more}</li> }.into_any(),
                    }
                })}
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
        assert_eq!(told.all("q", "(= arch \"x\")").all.unwrap(), "/machines?q=%28%3D%20arch%20%22x%22%29");
        assert_eq!(found("/archs", "arm64 / efi"), "/archs?q=arm64%20%2F%20efi");
    }

    #[test]
    fn images_with_the_same_file_name_are_told_apart() {
        Owner::new().with(|| {
            Zone::provide();
            let zone = expect_context::<Zone>();
            let told = |description: &str| {
                let text = format!(
                    r#"{{"id": 1, "filename": "linux", "name": "ann/linux", "type": "Kernel", "arch": "arm64", "description": "{description}",
                    "user": null, "size": 1, "sha256": "", "upload_date": "2026-11-22T12:08:02Z", "known_good": false, "public": true,
                    "may_change": true}}"#
                );
                image_name(&serde_json::from_str(&text).unwrap(), zone)
            };
            assert_eq!(told("Debian 13"), "linux (Debian 13, arm64, 2026-11-22 12:08:02)");
            assert_eq!(told(""), "linux (arm64, 2026-11-22 12:08:02)");
        });
    }
}
