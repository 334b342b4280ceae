//! Everything about one machine on one screen.

mod assignees;
mod choices;
mod edit;
mod hardware;
mod head;
mod interfaces;
mod outcome;
mod provision;
mod provisioning;
mod run;
mod sentence;
mod settings;
mod steps;
mod tags;
mod tail;
mod timeline;
mod warnings;

use futures_util::future::{try_join, try_join3, try_join4};
use leptos::{prelude::*, task::spawn_local};
use leptos_router::hooks::{use_navigate, use_params_map};

use self::{
    assignees::Assignees, hardware::Hardware, head::Head, interfaces::Interfaces, provisioning::Provisioning, settings::Form, tail::Tail,
    timeline::Timeline,
};
pub(super) use self::{
    choices::{bmc_choices, bmc_warning},
    edit::cartridge,
    provision::Wish,
    sentence::sentence,
    tags::parse_tags,
};
use super::{
    follow::follow_list,
    session::{Failed, Session},
};
use crate::{
    api::{self, Api, ApiError, Arch, Assignee, Event, Image, Interface, LabEvent, List, Me, Preseed},
    live::Live,
    ui::{Loading, Optimistic, Title},
};

/// What the page shows of a machine, all loaded at once.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct Loaded {
    machine: api::Machine,
    interfaces: Vec<Interface>,
    assignees: Vec<Assignee>,
    events: Vec<Event>,
    archs: Vec<Arch>,
    images: Vec<Image>,
    preseeds: Vec<PreseedName>,
}

/// A preseed as it is offered: its text may be megabytes and is not needed here.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct PreseedName {
    id: i64,
    name: String,
    description: String,
    file_type: api::PreseedType,
    known_good: bool,
    user: Option<String>,
}

impl From<Preseed> for PreseedName {
    fn from(preseed: Preseed) -> Self {
        let Preseed { id, name, description, file_type, known_good, user, .. } = preseed;
        Self { id, name, description, file_type, known_good, user }
    }
}

/// Events shown at first, and fetched with every "Older".
const EVENTS: u32 = 50;

async fn load(api: &Api, id: Option<i64>) -> Result<Loaded, ApiError> {
    let id = id.ok_or_else(not_found)?;
    let ((machine, interfaces, assignees, events), (archs, images, preseeds)) = try_join(
        try_join4(api.machine(id), api.interfaces(id), api.assignees(id), api.events(id, None, EVENTS)),
        try_join3(api.archs(), api.images(true), api.preseeds(true)),
    )
    .await?;
    let preseeds = preseeds.into_iter().map(PreseedName::from).collect();
    Ok(Loaded { machine, interfaces, assignees, events, archs, images, preseeds })
}

/// An address that is no id names nothing.
pub(super) fn not_found() -> ApiError {
    ApiError::new(404, "Not Found", "NotFound", vec!["Not found".into()])
}

/// The id in the page's address.
pub(super) fn id_of_page() -> Memo<Option<i64>> {
    let params = use_params_map();
    Memo::new(move |_| params.read().get_str("id").and_then(|text| text.parse().ok()))
}

#[component]
pub(super) fn Machine() -> impl IntoView {
    let api = expect_context::<Api>();
    let session = expect_context::<Session>();
    let id = id_of_page();
    let loaded = Resource::new(
        move || (id.get(), session.rights()),
        move |(id, _)| {
            let api = api.clone();
            async move { load(&api, id).await }
        },
    );
    view! {
        // until its name is known
        <Title text="Machine"/>
        <div class="p-4">
            <Suspense fallback=Loading>
                {move || Suspend::new(async move {
                    match session.with(loaded).await {
                        Ok((me, loaded)) => session.by_rights(view! { <View me loaded/> }.into_any()),
                        Err(error) => view! { <Failed error title="Machine" retry=move |()| loaded.refetch()/> }.into_any(),
                    }
                })}
            </Suspense>
        </div>
    }
}

/// What the parts of the page share.
#[derive(Clone, Copy)]
struct Context {
    id: i64,
    admin: bool,
    username: StoredValue<String>,
    machine: RwSignal<api::Machine>,
    /// What is switched on this page before the server has agreed.
    switched: Optimistic<api::Machine>,
    interfaces: RwSignal<Vec<Interface>>,
    assignees: RwSignal<Vec<Assignee>>,
    /// Newest first.
    events: RwSignal<Vec<Event>>,
    archs: RwSignal<Vec<Arch>>,
    images: RwSignal<Vec<Image>>,
    preseeds: RwSignal<Vec<PreseedName>>,
    /// The tag that is being typed.
    tag: RwSignal<String>,
    api: StoredValue<Api>,
}

impl Context {
    /// The machine with what was switched on this page.
    fn shown(self) -> api::Machine {
        self.switched.over(self.machine.get())
    }

    /// Why the user cannot command it, if so.
    fn refusal(self) -> Option<&'static str> {
        self.machine.with(|machine| match machine.bmc_id {
            _ if !machine.may_change => Some("Only those the machine is assigned to and administrators can do that"),
            None => Some("The machine has no BMC"),
            Some(_) => None,
        })
    }

    fn image_name(self, id: Option<i64>) -> String {
        let named = |id| {
            self.images
                .with(|images| images.iter().find(|image| image.id == id).map_or_else(|| format!("image {id}"), choices::image_title))
        };
        id.map_or_else(|| "none".to_owned(), named)
    }

    fn preseed_name(self, id: Option<i64>) -> String {
        let named = |id| {
            self.preseeds.with(|all| all.iter().find(|own| own.id == id).map_or_else(|| format!("preseed {id}"), |own| own.name.clone()))
        };
        id.map_or_else(|| "none".to_owned(), named)
    }

    /// The machine itself, with what else changes with it.
    fn reload(self) {
        // what is undone later finds the page gone
        let Some(api) = self.api.try_get_value() else { return };
        spawn_local(async move {
            // failures show as "connection lost"; the next snapshot brings the next try
            if let Ok(machine) = api.machine(self.id).await {
                self.machine.try_set(machine);
            }
            if let Ok(interfaces) = api.interfaces(self.id).await {
                self.interfaces.try_set(interfaces);
            }
            if let Ok(assignees) = api.assignees(self.id).await {
                self.assignees.try_set(assignees);
            }
        });
    }

    /// Events that came while the stream was closed.
    fn catch_up(self) {
        let api = self.api.get_value();
        spawn_local(async move {
            if let Ok(events) = api.events(self.id, None, EVENTS).await {
                self.events.try_update(|shown| {
                    for event in events.into_iter().rev() {
                        timeline::insert(shown, event);
                    }
                });
            }
        });
    }

    /// The pickers offer what the lab has now. What is chosen or typed stays.
    fn follow_choices(self) {
        follow_list(&[List::Arch], |api| async move { api.archs().await }, move |archs| renew(self.archs, archs));
        follow_list(&[List::Image], |api| async move { api.images(true).await }, move |images| renew(self.images, images));
        follow_list(
            &[List::Preseed],
            |api| async move { api.preseeds(true).await },
            move |preseeds: Vec<Preseed>| renew(self.preseeds, preseeds.into_iter().map(PreseedName::from).collect()),
        );
    }
}

/// Sets a list only if it is another one: a picker that is open is not drawn anew for nothing.
fn renew<T: PartialEq + Send + Sync + 'static>(list: RwSignal<Vec<T>>, new: Vec<T>) {
    if list.try_with_untracked(|old| *old != new) == Some(true) {
        list.try_set(new);
    }
}

#[component]
fn View(me: Me, loaded: Loaded) -> impl IntoView {
    let context = Context {
        id: loaded.machine.id,
        admin: me.admin,
        username: StoredValue::new(me.username),
        machine: RwSignal::new(loaded.machine),
        switched: Optimistic::new(),
        interfaces: RwSignal::new(loaded.interfaces),
        assignees: RwSignal::new(loaded.assignees),
        events: RwSignal::new(loaded.events),
        archs: RwSignal::new(loaded.archs),
        images: RwSignal::new(loaded.images),
        preseeds: RwSignal::new(loaded.preseeds),
        tag: RwSignal::new(String::new()),
        api: StoredValue::new(expect_context()),
    };
    context.follow_choices();
    let form = Form::new(context);
    let console = Memo::new(move |_| context.refusal().is_none());
    let connected_before = StoredValue::new(false);
    let gone = RwSignal::new(false);
    expect_context::<Live>().listen(move |event| match event {
        LabEvent::Snapshot { .. } => {
            // the first connection: what happened since the page was rendered is at most some events
            context.catch_up();
            if connected_before.try_update_value(|before| std::mem::replace(before, true)).unwrap_or(true) {
                context.reload();
            }
        }
        LabEvent::Resync => {
            context.catch_up();
            context.reload();
        }
        LabEvent::Changed { machine } if *machine == context.id => context.reload(),
        LabEvent::Removed { machine } if *machine == context.id => {
            gone.try_set(true);
        }
        LabEvent::Event { event } if event.machine_id == context.id => {
            context.events.try_update(|events| timeline::insert(events, event.clone()));
        }
        _ => {}
    });
    let navigate = use_navigate();
    Effect::new(move |_| {
        if gone.get() {
            expect_context::<crate::ui::Toasts>().warning("The machine has been deleted.");
            navigate("/machines", leptos_router::NavigateOptions::default());
        }
    });
    view! {
        <Title text=move || context.machine.with(|machine| machine.name.clone())/>
        <Head context form/>
        <div class="mt-4 grid items-start grid-cols-1 gap-4 xl:grid-cols-[minmax(0,3fr)_minmax(0,2fr)] min-[137.5rem]:grid-cols-[minmax(0,80rem)_minmax(0,70rem)]">
            <div class="flex min-w-0 flex-col gap-4">
                <Provisioning context form/>
                {move || console.get().then(|| view! { <Tail context/> })}
                <Interfaces context/>
                <Assignees context/>
                <Hardware context/>
            </div>
            <Timeline context/>
        </div>
    }
}

/// A machine as tests need one.
#[cfg(test)]
pub(super) fn sample() -> api::Machine {
    api::Machine {
        id: 1,
        name: "d03-1".into(),
        hostname: "d03-1".into(),
        arch: "arm64".into(),
        subarch: Some("efi".into()),
        kernel_id: Some(1),
        kernel_opts: String::new(),
        initrd_id: Some(2),
        preseed_id: None,
        netboot_enabled: true,
        state: api::MachineState::Ready,
        power: api::PowerState::Off,
        power_error: None,
        arch_id: 1,
        subarch_id: Some(1),
        bmc_id: Some(1),
        bmc: Some("bmc-1".into()),
        bmc_info: String::new(),
        bmc_health: None,
        macs: vec!["52:54:00:00:00:01".into()],
        assignees: Vec::new(),
        leases: Vec::new(),
        tags: Vec::new(),
        updated_at: api::Instant(String::new()),
        may_change: true,
    }
}

/// An image as tests need one.
#[cfg(test)]
fn sample_image(id: i64, file_type: api::ImageType, arch: &str) -> Image {
    Image {
        id,
        name: format!("alice/linux.{id}"),
        description: String::new(),
        file_type,
        arch: arch.into(),
        upload_date: api::Instant("2026-11-22T11:00:00Z".into()),
        user: Some("alice".into()),
        known_good: false,
        public: true,
        filename: "linux".into(),
        size: 1,
        sha256: String::new(),
        may_change: false,
    }
}
