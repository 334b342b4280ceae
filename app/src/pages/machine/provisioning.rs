//! What the machine boots from the network.

use leptos::prelude::*;

use super::{
    Context,
    choices::{image_choices, preseed_choices, subarch_choices},
    settings::{Form, Settings, store},
    warnings::Warning,
};
use crate::{
    api::{Edit, Id, ImageType, MachineChange, PreviewRequest},
    pages::preview::Preview,
    ui::{
        Dialog, Glyph, Icon, Overtaken, Panel, SelectField, SubmitButton, SubmitErrors, SubmitForm, Switch, TextField, Toasts, Unsaved,
        Zone, was_overtaken,
    },
};

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
        let (base, sent) = (form.base.get_untracked(), untrack(|| form.now()));
        let back = base.change();
        form.save.name(format!("Save the settings of {}", context.machine.with_untracked(|machine| machine.name.clone())));
        form.save.run_judged(
            async move { store(&api, context.id, Some((change, base))).await },
            move |error| form.field_of(error),
            |saved| saved.as_ref().and_then(was_overtaken),
            move |saved| match saved {
                Some(Edit::Saved(machine)) => {
                    let made = Settings::of(&machine);
                    form.saved(&sent, made.clone());
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
        context.archs.with(|archs| archs.iter().find(|own| own.id == arch).map(|own| subarch_choices(&own.subarchs)).unwrap_or_default())
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
                <Warnings found=form.warnings()/>
                <Overtaken overtaken=form.overtaken take=move |()| form.give_back()/>
                <SubmitErrors submit=form.save/>
                <Show when=move || !locked.get()>
                    <div class="flex items-center gap-3">
                        <SubmitButton submit=form.save label="Save" disabled=Signal::derive(move || !form.dirty()) testid="save-provisioning"/>
                        <Show when=move || form.dirty()>
                            <button type="button" class="btn btn-sm btn-ghost" on:click=move |_| form.give_back()>"Discard changes"</button>
                            <span class="text-sm opacity-80" role="status">"Not saved yet"</span>
                        </Show>
                    </div>
                </Show>
            </SubmitForm>
            // one question for the whole page: a tag that is half typed would be lost as well
            <Unsaved dirty=Signal::derive(move || !locked.get() && (form.dirty() || context.tag.with(|text| !text.trim().is_empty())))/>
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
pub(super) fn Warnings(found: Memo<Vec<Warning>>) -> impl IntoView {
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
