//! What is chosen for a machine's next boot from the network, on its way between the form and the server.

use leptos::prelude::*;

use super::{
    Context,
    warnings::{Warning, subarch_of, warnings},
};
use crate::{
    api::{Api, ApiError, Edit, Id, KernelOpts, Machine, MachineChange},
    ui::{FieldState, Submit, Toasts, dom},
};

/// The settings as the form holds them; ids as text, empty for none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Settings {
    subarch: String,
    kernel: String,
    initrd: String,
    preseed: String,
    options: String,
}

impl Settings {
    pub(super) fn of(machine: &Machine) -> Self {
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
    pub(super) fn change(&self) -> MachineChange {
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

impl Settings {
    /// What is different from another machine's settings, in words.
    fn unlike(&self, other: &Self, context: Context) -> String {
        let id = |text: &str| text.parse().ok();
        let text = |text: &str| if text.is_empty() { "none".to_owned() } else { text.to_owned() };
        let fields = [
            ("subarchitecture", &self.subarch, &other.subarch, text(&self.subarch)),
            ("kernel", &self.kernel, &other.kernel, context.image_name(id(&self.kernel))),
            ("initrd", &self.initrd, &other.initrd, context.image_name(id(&self.initrd))),
            ("preseed", &self.preseed, &other.preseed, context.preseed_name(id(&self.preseed))),
            ("kernel options", &self.options, &other.options, text(&self.options)),
        ];
        let changed = fields.into_iter().filter(|(_, own, other, _)| own != other);
        changed.map(|(label, _, _, shown)| format!("{label} {shown}")).collect::<Vec<_>>().join(", ")
    }
}

/// The API's words, and what to do.
const NETBOOT_NEEDS: &str = "Enabled netboot requires a subarch with a valid bootloader: choose one, or switch netboot off first";

/// The form's state. Head and panel share it: Provision saves first what was chosen.
#[derive(Clone, Copy)]
pub(super) struct Form {
    context: Context,
    pub(super) subarch: FieldState,
    pub(super) kernel: FieldState,
    pub(super) initrd: FieldState,
    pub(super) preseed: FieldState,
    pub(super) options: FieldState,
    /// What the server had when the form was last in step with it.
    pub(super) base: RwSignal<Settings>,
    /// Somebody else saved while this form was being edited.
    pub(super) overtaken: RwSignal<bool>,
    pub(super) save: Submit,
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
        Effect::new(move |_| {
            let server = context.machine.with(Settings::of);
            // what is just being saved is told by its own answer; when that was none, whatever came meanwhile is looked at again
            if !form.save.busy().get() {
                form.follow(server);
            }
        });
        // said when it is chosen or netboot is switched on, not only when it was refused
        let bars = Memo::new(move |_| form.bars_netboot());
        Effect::new(move |said: Option<bool>| {
            // another choice takes the sentence away
            form.subarch.value.track();
            match (said, bars.get()) {
                (_, true) => form.subarch.error.set(Some(NETBOOT_NEEDS.into())),
                (Some(true), false) => form.subarch.error.set(None),
                _ => {}
            }
            bars.get_untracked()
        });
        let toasts = expect_context::<Toasts>();
        let may_change = Memo::new(move |_| context.machine.with(|machine| machine.may_change));
        Effect::new(move |could: Option<bool>| {
            let can = may_change.get();
            if could == Some(true) && !can {
                form.give_up(toasts);
            }
            can
        });
        form
    }

    /// The machine was taken away: the fields show what it has, and what was typed is told, to be kept elsewhere.
    fn give_up(self, toasts: Toasts) {
        let (now, base) = untrack(|| (self.now(), self.base.get()));
        if now == base {
            return;
        }
        let typed = untrack(|| now.unlike(&base, self.context));
        self.reset(&base);
        // an error: it stays until somebody has seen it
        toasts.error(format!("You can no longer change this machine. What you had not saved: {typed}."));
    }

    pub(super) fn now(self) -> Settings {
        Settings {
            subarch: self.subarch.value.get(),
            kernel: self.kernel.value.get(),
            initrd: self.initrd.value.get(),
            preseed: self.preseed.value.get(),
            options: self.options.value.get(),
        }
    }

    pub(super) fn dirty(self) -> bool {
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

    /// The server has taken what was sent. What has been typed since stays, and is compared with that from now on.
    pub(super) fn saved(self, sent: &Settings, made: Settings) {
        if untrack(|| self.now()) == *sent {
            // as the server keeps it
            self.reset(&made);
        }
        self.overtaken.set(false);
        self.base.set(made);
    }

    /// What the server has, instead of what was typed. The button that asks for it goes, so the first field gets the focus.
    pub(super) fn give_back(self) {
        self.reset(&self.base.get_untracked());
        dom::focus_within("#subarch");
    }

    pub(super) fn reset(self, settings: &Settings) {
        self.subarch.reset(&settings.subarch);
        self.kernel.reset(&settings.kernel);
        self.initrd.reset(&settings.initrd);
        self.preseed.reset(&settings.preseed);
        self.options.reset(&settings.options);
        self.overtaken.set(false);
        self.save.clear();
    }

    /// None when a field is wrong; it then says so.
    pub(super) fn change(self) -> Option<MachineChange> {
        let options = self.options.parse(KernelOpts::parse)?;
        // of a subarch that is chosen the server may know a bootloader by now
        if untrack(|| self.subarch.value.with(String::is_empty) && self.bars_netboot()) {
            self.subarch.error.set(Some(NETBOOT_NEEDS.into()));
            return None;
        }
        Some(MachineChange { kernel_opts: Some(options), ..untrack(|| self.now()).change() })
    }

    /// Whether what is chosen takes away what the machine's netboot needs. The API switches nothing off by itself: it refuses.
    fn bars_netboot(self) -> bool {
        let (machine, wanted) = (self.context.shown(), self.would_be());
        let boots = self.context.archs.with(|archs| subarch_of(&wanted, archs).is_some_and(|subarch| subarch.bootloader_id.is_some()));
        machine.netboot_enabled && machine.subarch_id != wanted.subarch_id && !boots
    }

    /// Which field a sentence of the server is about.
    pub(super) fn field_of(self, error: &str) -> Option<FieldState> {
        let error = error.to_ascii_lowercase();
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
    pub(super) fn would_be(self) -> Machine {
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

    /// What stands in the way of the machine as it would be.
    pub(super) fn warnings(self) -> Memo<Vec<Warning>> {
        let Context { archs, images, preseeds, .. } = self.context;
        Memo::new(move |_| {
            let machine = self.would_be();
            archs.with(|archs| images.with(|images| preseeds.with(|preseeds| warnings(&machine, archs, images, preseeds))))
        })
    }
}

/// Saves the settings, if there is something to save, as long as they still are as `base` has them.
pub(super) async fn store(api: &Api, id: i64, change: Option<(MachineChange, Settings)>) -> Result<Option<Edit<Machine>>, ApiError> {
    match change {
        Some((change, base)) => api.edit_machine(id, &change, |now| Settings::of(now) == base).await.map(Some),
        None => Ok(None),
    }
}
