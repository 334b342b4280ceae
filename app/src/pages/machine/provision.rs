//! The button that installs a machine, and what is asked before.

use leptos::prelude::*;

use super::{
    Context,
    choices::image_title,
    provisioning::Warnings,
    settings::{Form, store},
};
use crate::{
    api::Edit,
    ui::{Dialog, FormEnd, Glyph, Icon, Notice, Submit, SubmitForm, Toasts},
};

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

/// Why nothing was started.
const CHANGED: &str = "the settings were changed elsewhere meanwhile. Look at them first.";

#[component]
fn Question(open: RwSignal<bool>, context: Context, form: Form) -> impl IntoView {
    let toasts = expect_context::<Toasts>();
    let submit = Submit::new();
    let found = form.warnings();
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
        submit.run_judged(
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
            |_| None,
            |provisioned| (!provisioned).then_some(CHANGED),
            move |provisioned| {
                if !provisioned {
                    open.set(false);
                    toasts.warning(format!("Not provisioned: {CHANGED}"));
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
        context.images.with(|images| images.iter().find(|image| image.id == id).map_or_else(|| format!("image {id}"), image_title))
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
