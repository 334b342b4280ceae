//! What the machine boots from the network, and the button that makes it do so.

use leptos::prelude::*;

use super::{Context, PreseedName, warnings::warnings};
use crate::{
    api::{Api, ApiError, Edit, Id, Image, ImageType, Instant, KernelOpts, Machine, MachineChange, PreviewRequest},
    pages::preview::Preview,
    ui::{
        Choice, Dialog, FieldState, FormEnd, Glyph, Icon, Notice, Overtaken, Panel, SelectField, Submit, SubmitButton, SubmitErrors,
        SubmitForm, Switch, TextField, Toasts, Unsaved, Zone,
    },
};

/// The settings as the form holds them; ids as text, empty for none.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Settings {
    subarch: String,
    kernel: String,
    initrd: String,
    preseed: String,
    options: String,
}

impl Settings {
    fn of(machine: &Machine) -> Self {
        let text = |id: Option<i64>| id.map(|id| id.to_string()).unwrap_or_default();
        Self {
            subarch: machine.subarch.clone().unwrap_or_default(),
            kernel: text(machine.kernel_id),
            initrd: text(machine.initrd_id),
            preseed: text(machine.preseed_id),
            options: machine.kernel_opts.clone(),
        }
    }

    /// What makes a machine's settings these.
    fn change(&self) -> MachineChange {
        let id = |text: &str| Some(text.parse().ok().map(Id));
        MachineChange {
            subarch: Some(Some(self.subarch.clone()).filter(|name| !name.is_empty())),
            kernel_id: id(&self.kernel),
            // the server had them: they are within its rule
            kernel_opts: KernelOpts::parse(&self.options).ok(),
            initrd_id: id(&self.initrd),
            preseed_id: id(&self.preseed),
            ..MachineChange::default()
        }
    }
}

/// The form's state. Head and panel share it: Provision saves first what was chosen.
#[derive(Clone, Copy)]
pub(super) struct Form {
    context: Context,
    subarch: FieldState,
    kernel: FieldState,
    initrd: FieldState,
    preseed: FieldState,
    options: FieldState,
    /// What the server had when the form was last in step with it.
    base: RwSignal<Settings>,
    /// Somebody else saved while this form was being edited.
    overtaken: RwSignal<bool>,
    save: Submit,
}

impl Form {
    pub(super) fn new(context: Context) -> Self {
        let settings = context.machine.with_untracked(Settings::of);
        let form = Self {
            context,
            subarch: FieldState::new(settings.subarch.clone()),
            kernel: FieldState::new(settings.kernel.clone()),
            initrd: FieldState::new(settings.initrd.clone()),
            preseed: FieldState::new(settings.preseed.clone()),
            options: FieldState::new(settings.options.clone()),
            base: RwSignal::new(settings),
            overtaken: RwSignal::new(false),
            save: Submit::new(),
        };
        Effect::new(move |_| form.follow(context.machine.with(Settings::of)));
        form
    }

    fn now(self) -> Settings {
        Settings {
            subarch: self.subarch.value.get(),
            kernel: self.kernel.value.get(),
            initrd: self.initrd.value.get(),
            preseed: self.preseed.value.get(),
            options: self.options.value.get(),
        }
    }

    fn dirty(self) -> bool {
        self.base.with(|base| *base != self.now())
    }

    /// The server's settings changed: shown at once, unless the user is in the middle of other ones.
    fn follow(self, server: Settings) {
        let (now, base) = untrack(|| (self.now(), self.base.get()));
        if now == base || now == server {
            self.reset(&server);
        } else if server != base {
            self.overtaken.set(true);
        }
        self.base.set(server);
    }

    fn reset(self, settings: &Settings) {
        self.subarch.reset(&settings.subarch);
        self.kernel.reset(&settings.kernel);
        self.initrd.reset(&settings.initrd);
        self.preseed.reset(&settings.preseed);
        self.options.reset(&settings.options);
        self.overtaken.set(false);
        self.save.clear();
    }

    /// None when a field is wrong; it then says so.
    fn change(self) -> Option<MachineChange> {
        let options = self.options.parse(KernelOpts::parse)?;
        Some(MachineChange { kernel_opts: Some(options), ..untrack(|| self.now()).change() })
    }

    /// Which field a sentence of the server is about.
    fn field_of(self, error: &str) -> Option<FieldState> {
        let error = error.to_lowercase();
        let about = |word: &str| error.contains(word);
        match () {
            () if about("kernel options") || about("kernel_opts") => Some(self.options),
            () if about("subarch") => Some(self.subarch),
            () if about("initrd") => Some(self.initrd),
            () if about("preseed") => Some(self.preseed),
            () if about("kernel") => Some(self.kernel),
            () => None,
        }
    }

    /// What Save sends now, and the switch beside it, for a script.
    pub(super) fn as_change(self) -> MachineChange {
        MachineChange { netboot_enabled: Some(self.context.shown().netboot_enabled), ..self.now().change() }
    }

    /// The machine as it would be once saved.
    fn would_be(self) -> Machine {
        let mut machine = self.context.machine.get();
        let now = self.now();
        machine.subarch_id = self.context.archs.with(|archs| {
            let arch = archs.iter().find(|arch| arch.id == machine.arch_id)?;
            arch.subarchs.iter().find(|subarch| subarch.name == now.subarch).map(|subarch| subarch.id)
        });
        machine.subarch = Some(now.subarch).filter(|name| !name.is_empty());
        machine.kernel_id = now.kernel.parse().ok();
        machine.initrd_id = now.initrd.parse().ok();
        machine.preseed_id = now.preseed.parse().ok();
        machine
    }
}

/// Saves the settings, if there is something to save, as long as they still are as `base` has them.
async fn store(api: &Api, id: i64, change: Option<(MachineChange, Settings)>) -> Result<Option<Edit<Machine>>, ApiError> {
    match change {
        Some((change, base)) => api.edit_machine(id, &change, |now| Settings::of(now) == base).await.map(Some),
        None => Ok(None),
    }
}

fn switch_netboot(context: Context, toasts: Toasts, on: bool) {
    let api = context.api.get_value();
    let change = MachineChange { netboot_enabled: Some(on), ..MachineChange::default() };
    context.switched.run(
        move |machine| machine.netboot_enabled = on,
        async move { api.change_machine(context.id, &change).await },
        move |machine| {
            context.machine.set(machine);
            // the message outlives the page
            let api = context.api.get_value();
            let inverse = move || {
                let api = api.clone();
                let back = MachineChange { netboot_enabled: Some(!on), ..MachineChange::default() };
                async move { api.change_machine(context.id, &back).await }
            };
            toasts.undoable(if on { "Netboot switched on." } else { "Netboot switched off." }, inverse, move |machine| {
                context.machine.try_set(machine);
            });
        },
        if on { "Netboot is not switched on" } else { "Netboot is not switched off" },
    );
}

#[component]
pub(super) fn Provisioning(context: Context, form: Form) -> impl IntoView {
    let toasts = expect_context::<Toasts>();
    let locked = Signal::derive(move || context.machine.with(|machine| !machine.may_change));
    let save = move |()| {
        let Some(change) = form.change() else { return };
        let api = context.api.get_value();
        let base = form.base.get_untracked();
        let back = base.change();
        form.save.run_placing(
            async move { store(&api, context.id, Some((change, base))).await },
            move |error| form.field_of(error),
            move |saved| match saved {
                Some(Edit::Saved(machine)) => {
                    let made = Settings::of(&machine);
                    context.machine.set(machine);
                    let api = context.api.get_value();
                    let inverse = move || {
                        let (api, back, made) = (api.clone(), back.clone(), made.clone());
                        async move { api.edit_machine(context.id, &back, |now| Settings::of(now) == made).await?.saved() }
                    };
                    toasts.undoable("Settings saved.", inverse, move |machine| {
                        context.machine.try_set(machine);
                    });
                }
                // the form keeps what was typed and says that it was overtaken
                Some(Edit::Overtaken(theirs)) => context.machine.set(theirs),
                None => {}
            },
        );
    };
    let arch = Memo::new(move |_| context.machine.with(|machine| machine.arch.clone()));
    let subarchs = Signal::derive(move || {
        let arch = context.machine.with(|machine| machine.arch_id);
        context.archs.with(|archs| {
            let subarchs = archs.iter().filter(|own| own.id == arch).flat_map(|own| &own.subarchs);
            subarchs
                .map(|subarch| {
                    let note = if subarch.bootloader_id.is_none() { " – no bootloader" } else { "" };
                    Choice::new(&subarch.name, format!("{}{note}", subarch.name))
                })
                .collect::<Vec<_>>()
        })
    });
    let own = context.username;
    let previewing = RwSignal::new(false);
    let zone = expect_context::<Zone>();
    let images = move |kind: ImageType| {
        Signal::derive(move || {
            context.images.with(|images| own.with_value(|own| image_choices(images, kind, &arch.read(), own, |at| zone.day(at))))
        })
    };
    let preseeds = Signal::derive(move || context.preseeds.with(|preseeds| own.with_value(|own| preseed_choices(preseeds, own))));
    let found = Memo::new(move |_| {
        let machine = form.would_be();
        context
            .archs
            .with(|archs| context.images.with(|images| context.preseeds.with(|preseeds| warnings(&machine, archs, images, preseeds))))
    });
    view! {
        <Panel id="provisioning" title="Provisioning">
            <div class="border-base-300 mb-3 border-b pb-3">
                <Switch
                    id="netboot"
                    label="Netboot"
                    class="font-medium"
                    checked=Signal::derive(move || context.shown().netboot_enabled)
                    change=move |on| switch_netboot(context, toasts, on)
                    help="At once, without Save. Off: whenever the machine asks, it is told to boot from its disk. Provision switches netboot on."
                    disabled=locked
                />
            </div>
            <SubmitForm submit=form.save send=save class="flex max-w-[100rem] flex-col gap-3" testid="provisioning-form">
                <div class="grid grid-cols-1 gap-3 sm:grid-cols-2">
                    <SelectField id="subarch" label="Subarchitecture" field=form.subarch choices=subarchs none="None" disabled=locked/>
                    <SelectField id="kernel" label="Kernel" field=form.kernel choices=images(ImageType::Kernel) none="None" disabled=locked search=true/>
                    <SelectField id="initrd" label="Initrd" field=form.initrd choices=images(ImageType::Initrd) none="None" disabled=locked search=true/>
                    <SelectField id="preseed" label="Preseed" field=form.preseed choices=preseeds none="None" disabled=locked search=true/>
                </div>
                <TextField
                    id="kernel-opts"
                    label="Kernel options"
                    field=form.options
                    mono=true
                    placeholder="console=ttyS0,115200"
                    help="Follow what the preseed brings; its address is put there by itself."
                    disabled=locked
                />
                <Show when=move || !form.preseed.value.with(String::is_empty)>
                    <button type="button" class="btn btn-sm w-fit" data-testid="preview-preseed" on:click=move |_| previewing.set(true)>
                        "Preview the preseed"
                    </button>
                </Show>
                <Warnings found/>
                <Overtaken overtaken=form.overtaken take=move |()| form.reset(&form.base.get_untracked())/>
                <SubmitErrors submit=form.save/>
                <Show when=move || !locked.get()>
                    <div class="flex items-center gap-3">
                        <SubmitButton submit=form.save label="Save" disabled=Signal::derive(move || !form.dirty()) testid="save-provisioning"/>
                        <Show when=move || form.dirty()>
                            <button type="button" class="btn btn-sm btn-ghost" on:click=move |_| form.reset(&form.base.get_untracked())>"Discard changes"</button>
                            <span class="text-sm opacity-80" role="status">"Not saved yet"</span>
                        </Show>
                    </div>
                </Show>
            </SubmitForm>
            <Unsaved dirty=Signal::derive(move || !locked.get() && form.dirty())/>
            <Dialog open=previewing title="What the machine would be sent" wide=true testid="preseed-preview">
                {move || {
                    let preseed_id = form.preseed.value.get().parse().ok().map(Id);
                    view! { <Preview machine=context.id wanted=PreviewRequest { preseed_id, content: None }/> }
                }}
            </Dialog>
        </Panel>
    }
}

#[component]
fn Warnings(found: Memo<Vec<super::warnings::Warning>>) -> impl IntoView {
    view! {
        <ul class="flex flex-col gap-1 text-sm empty:hidden" data-testid="warnings">
            {move || {
                found
                    .get()
                    .into_iter()
                    .map(|warning| {
                        view! {
                            <li class="flex items-start gap-2" data-fatal=warning.fatal.to_string()>
                                <Glyph icon=Icon::Warning class=if warning.fatal { "size-4 mt-0.5 text-error" } else { "size-4 mt-0.5 text-warning" }/>
                                <span>{warning.text}</span>
                            </li>
                        }
                    })
                    .collect_view()
            }}
        </ul>
    }
}

/// The button, and the question behind it: a provisioned machine loses what is on its disk.
#[component]
pub(super) fn ProvisionButton(context: Context, form: Form) -> impl IntoView {
    let open = RwSignal::new(false);
    let disabled = move || context.machine.with(|machine| !machine.may_change || machine.bmc_id.is_none());
    view! {
        <button type="button" class="btn btn-sm btn-primary" data-testid="provision" disabled=disabled on:click=move |_| open.set(true)>
            <Glyph icon=Icon::Play/>
            "Provision"
        </button>
        <Dialog open title=Signal::derive(move || format!("Provision {}", context.machine.with(|machine| machine.name.clone()))) testid="provision-dialog">
            <Question open context form/>
        </Dialog>
    }
}

#[component]
fn Question(open: RwSignal<bool>, context: Context, form: Form) -> impl IntoView {
    let toasts = expect_context::<Toasts>();
    let submit = Submit::new();
    let found = Memo::new(move |_| {
        let machine = form.would_be();
        context
            .archs
            .with(|archs| context.images.with(|images| context.preseeds.with(|preseeds| warnings(&machine, archs, images, preseeds))))
    });
    let hopeless = move || found.with(|found| found.iter().any(|warning| warning.fatal));
    let start = move |()| {
        let change = if untrack(|| form.dirty()) {
            let Some(change) = form.change() else {
                // the field says what is wrong with it, behind this dialog
                open.set(false);
                return;
            };
            Some((change, form.base.get_untracked()))
        } else {
            None
        };
        let api = context.api.get_value();
        submit.run(
            async move {
                match store(&api, context.id, change).await? {
                    // the form behind this dialog asks who wins
                    Some(Edit::Overtaken(theirs)) => {
                        context.machine.try_set(theirs);
                        return Ok(false);
                    }
                    Some(Edit::Saved(machine)) => drop(context.machine.try_set(machine)),
                    None => {}
                }
                api.provision(context.id).await.map(|_| true)
            },
            move |provisioned| {
                if !provisioned {
                    open.set(false);
                    toasts.warning("Not provisioned: the settings were changed elsewhere meanwhile. Look at them first.");
                    return;
                }
                open.set(false);
                context.reload();
                toasts.ok("Provisioning started. Its steps are shown as they are taken.");
            },
        );
    };
    let image = move |id: Option<i64>| {
        let Some(id) = id else { return "none".to_owned() };
        context.images.with(|images| images.iter().find(|image| image.id == id).map_or_else(|| format!("image {id}"), title))
    };
    let preseed = move |id: Option<i64>| {
        let Some(id) = id else { return "none".to_owned() };
        context.preseeds.with(|list| list.iter().find(|own| own.id == id).map_or_else(|| format!("preseed {id}"), |own| own.name.clone()))
    };
    let would_be = Memo::new(move |_| form.would_be());
    view! {
        <SubmitForm submit send=start>
            <p>
                "Switches netboot on, sets the next boot to the network, and power-cycles the machine. An installer with a preseed usually erases the disk."
            </p>
            <dl class="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1 text-sm">
                <dt class="opacity-80">"Kernel"</dt>
                <dd class="break-all">{move || image(would_be.read().kernel_id)}</dd>
                <dt class="opacity-80">"Initrd"</dt>
                <dd class="break-all">{move || image(would_be.read().initrd_id)}</dd>
                <dt class="opacity-80">"Preseed"</dt>
                <dd class="break-all">{move || preseed(would_be.read().preseed_id)}</dd>
                <dt class="opacity-80">"Options"</dt>
                <dd class="font-mono text-xs leading-5 break-all">{move || form.options.value.get()}</dd>
            </dl>
            <Show when=move || form.dirty()>
                <Notice tone="alert-info">"The changed settings are saved first."</Notice>
            </Show>
            <Warnings found/>
            <FormEnd
                open
                submit
                label=Signal::derive(move || if hopeless() { "Provision anyway".to_owned() } else { "Provision".to_owned() })
                testid="provision-confirm"
            />
        </SubmitForm>
    }
}

/// `linux (Debian 13 installer)`
fn title(image: &Image) -> String {
    if image.description.is_empty() { image.filename.clone() } else { format!("{} ({})", image.filename, image.description) }
}

/// Images of one kind for one architecture, one's own first, then newest first.
fn image_choices(images: &[Image], kind: ImageType, arch: &str, own: &str, day: impl Fn(&Instant) -> String) -> Vec<Choice> {
    let mut fitting: Vec<&Image> = images.iter().filter(|image| image.file_type == kind && image.arch == arch).collect();
    let foreign = |image: &Image| image.user.as_deref() != Some(own);
    fitting.sort_by(|a, b| foreign(a).cmp(&foreign(b)).then(b.upload_date.cmp(&a.upload_date)).then(b.id.cmp(&a.id)));
    fitting
        .into_iter()
        .map(|image| {
            let owner = image.user.as_deref().map(|user| format!(", {user}")).unwrap_or_default();
            let good = if image.known_good { " – known good" } else { "" };
            Choice::new(image.id, format!("{} – {}{owner}{good}", title(image), day(&image.upload_date)))
        })
        .collect()
}

/// One's own first, then newest first: ids grow.
fn preseed_choices(preseeds: &[PreseedName], own: &str) -> Vec<Choice> {
    let mut sorted: Vec<&PreseedName> = preseeds.iter().collect();
    sorted.sort_by_key(|preseed| (preseed.user.as_deref() != Some(own), std::cmp::Reverse(preseed.id)));
    sorted
        .into_iter()
        .map(|preseed| {
            let description = if preseed.description.is_empty() { String::new() } else { format!(" ({})", preseed.description) };
            let good = if preseed.known_good { " – known good" } else { "" };
            let owner = preseed.user.as_deref().map(|user| format!(", {user}")).unwrap_or_default();
            Choice::new(preseed.id, format!("{}{description} – {}{owner}{good}", preseed.name, preseed.file_type.word()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Instant;

    fn image(id: i64, file_type: ImageType, arch: &str, date: &str) -> Image {
        Image {
            id,
            name: String::new(),
            description: "Debian".into(),
            file_type,
            arch: arch.into(),
            upload_date: Instant(date.into()),
            user: Some("alice".into()),
            known_good: id == 3,
            public: true,
            filename: "linux".into(),
            size: 1,
            sha256: String::new(),
            may_change: false,
        }
    }

    #[test]
    fn a_picker_offers_fitting_images_ones_own_first_then_newest_first() {
        let images = [
            image(1, ImageType::Kernel, "arm64", "2026-11-20T00:00:00Z"),
            image(2, ImageType::Kernel, "x86_64", "2026-11-21T00:00:00Z"),
            image(3, ImageType::Kernel, "arm64", "2026-11-22T00:00:00Z"),
            image(4, ImageType::Initrd, "arm64", "2026-11-23T00:00:00Z"),
            Image { user: Some("bob".into()), ..image(5, ImageType::Kernel, "arm64", "2026-11-19T00:00:00Z") },
        ];
        let offered = |own| image_choices(&images, ImageType::Kernel, "arm64", own, Instant::day);
        let order = |own| offered(own).into_iter().map(|choice| choice.value).collect::<Vec<_>>();
        assert_eq!(order("carol"), ["3", "1", "5"]);
        assert_eq!(order("bob"), ["5", "3", "1"]);
        let offered = offered("alice");
        assert_eq!(offered[0].label, "linux (Debian) – 2026-11-22, alice – known good");
    }
}
