//! Name, state, power, and the buttons for what one comes here to do.

use leptos::prelude::*;

use super::{
    Context,
    edit::{DeleteDialog, EditDialog},
    provision::ProvisionButton,
    settings::Form,
    steps::Steps,
    tags::Tags,
};
use crate::{
    api::{MachineState, NewAssignee, Outcome, query_string},
    live::{Live, Power},
    pages::health::HealthBadge,
    pages::power::{Commander, POWER_ALL, PowerBadge, PowerButtons, StateBadge, command},
    ui::{CopyButton, Curl, CurlMenu, Glyph, Icon, Notice},
};

/// A button that says on hover why it is disabled.
const DISABLED: &str = "btn btn-sm disabled:pointer-events-auto disabled:cursor-not-allowed";

/// What can be done on this page, for scripts; with what the form holds now.
fn commands(context: Context, form: Form) -> Vec<Curl> {
    let id = context.id;
    let at = |rest: &str| format!("/machine/{id}{rest}");
    let mut out = vec![Curl::get("Read the machine", at("")), Curl::get("Read its events", at("/event"))];
    let (may_change, bmc) = context.machine.with(|machine| (machine.may_change, machine.bmc_id.is_some()));
    if !may_change {
        return out;
    }
    let change = form.as_change();
    out.extend(Curl::of("Save the settings", async |api| api.change_machine(id, &change).await));
    if bmc {
        out.extend(Curl::of("Provision", async |api| api.provision(id).await));
        for &action in POWER_ALL {
            out.extend(Curl::of(command(action).0, async |api| api.set_power(id, action).await));
        }
    }
    if context.machine.with(|machine| machine.state == MachineState::Provisioning) {
        for (label, outcome) in [("Mark ready", Outcome::Ready), ("Mark failed", Outcome::Error)] {
            out.extend(Curl::of(label, async |api| api.set_outcome(id, outcome).await));
        }
    }
    if context.admin {
        let new = NewAssignee { user: context.username.get_value(), reason: None };
        out.extend(Curl::of("Assign to yourself", async |api| api.add_assignee(id, &new).await));
    }
    out.push(Curl::get("Read the console's end", at("/console/tail?lines=50")));
    out
}

/// A name, for those who may see it a link to its place in its list.
fn within(list: &str, name: &str, admin: bool) -> AnyView {
    if !admin {
        return name.to_owned().into_any();
    }
    let href = format!("{list}?{}", query_string([("q", name)].into_iter()));
    view! { <a class="link link-hover" href=href>{name.to_owned()}</a> }.into_any()
}

/// The way to the console, or why there is none.
fn console(machine: i64, refusal: Option<&'static str>) -> AnyView {
    let words = || view! { <Glyph icon=Icon::Terminal/> "Console" };
    match refusal {
        None => {
            view! { <a class="btn btn-sm" href=format!("/machines/{machine}/console") data-testid="open-console">{words()}</a> }.into_any()
        }
        Some(why) => {
            view! { <button type="button" class=DISABLED disabled=true title=why data-testid="open-console">{words()}</button> }.into_any()
        }
    }
}

#[component]
pub(super) fn Head(context: Context, form: Form) -> impl IntoView {
    let live = expect_context::<Live>();
    let (loaded_power, loaded_state) = context.machine.with_untracked(|machine| (Power::of(machine), machine.state));
    let power = live.power(context.id, move || loaded_power.clone());
    let state = live.state(context.id, move || loaded_state);
    // another one when the machine is given another BMC
    let health =
        Memo::new(move |_| context.machine.with(|machine| Some((machine.bmc_id?, machine.bmc_health.clone().unwrap_or_default()))));
    let commander = Commander::new();
    let name = Signal::derive(move || context.machine.with(|machine| machine.name.clone()));
    let netboot = Signal::derive(move || context.shown().netboot_enabled);
    let may_change = Signal::derive(move || context.machine.with(|machine| machine.may_change));
    let refusal = Memo::new(move |_| context.refusal());
    let arch = Memo::new(move |_| context.machine.with(|machine| (machine.arch.clone(), machine.subarch.clone())));
    let bmc = Memo::new(move |_| context.machine.with(|machine| Some((machine.bmc.clone()?, machine.bmc_info.clone()))));
    let editing = RwSignal::new(false);
    let deleting = RwSignal::new(false);
    view! {
        <div class="flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
            <div class="min-w-0">
                <nav aria-label="Breadcrumb" class="text-xs"><a class="link link-hover opacity-80" href="/machines">"Machines"</a></nav>
                <div class="flex flex-wrap items-center gap-2">
                    <h1 class="text-2xl font-semibold break-all" data-testid="machine-name">{move || name.get()}</h1>
                    <StateBadge state/>
                    <PowerBadge power/>
                    {move || health.get().map(|(bmc, loaded)| view! { <HealthBadge health=live.health(bmc, loaded) only_faults=true/> })}
                </div>
                <p class="mt-0.5 text-sm wrap-anywhere opacity-80">
                    {move || {
                        let (arch, subarch) = arch.get();
                        view! { {within("/archs", &arch, context.admin)} {subarch.map(|own| format!(" / {own}"))} }
                    }}
                    " · "
                    {move || match bmc.get() {
                        Some((bmc, info)) => {
                            let cartridge = (!info.is_empty()).then(|| format!(", cartridge {info}"));
                            view! { "BMC " {within("/bmcs", &bmc, context.admin)} {cartridge} }.into_any()
                        }
                        None => "no BMC".into_any(),
                    }}
                    {move || format!(" · host name {} · id {} ", context.machine.with(|machine| machine.hostname.clone()), context.id)}
                    <CopyButton text=context.id.to_string() what="machine's id"/>
                </p>
                <Tags context/>
            </div>
            <div class="flex flex-wrap items-center gap-2">
                <PowerButtons machine=context.id name power netboot commander disabled=Signal::derive(move || refusal.get().is_some())/>
                {move || console(context.id, refusal.get())}
                {commander.question()}
                <ProvisionButton context form state/>
                <CurlMenu calls=Signal::derive(move || commands(context, form))/>
                {context
                    .admin
                    .then(|| {
                        view! {
                            <button type="button" class="btn btn-sm btn-square" aria-label="Edit machine" title="Edit machine" on:click=move |_| editing.set(true)>
                                <Glyph icon=Icon::Pencil/>
                            </button>
                            <button type="button" class="btn btn-sm btn-square" aria-label="Delete machine" title="Delete machine" on:click=move |_| deleting.set(true)>
                                <Glyph icon=Icon::Trash/>
                            </button>
                            <EditDialog open=editing context/>
                            <DeleteDialog open=deleting context/>
                        }
                    })}
            </div>
        </div>
        <Steps context state/>
        <div class="mt-2 flex flex-col gap-2">
            {move || {
                power
                    .with(|power| power.error.clone())
                    .map(|error| view! { <Notice tone="alert-error"><span data-testid="bmc-error">{format!("BMC: {error}")}</span></Notice> })
            }}
            {move || {
                let free = context.assignees.with(Vec::is_empty);
                (!may_change.get()).then(|| {
                    view! {
                        <Notice tone="alert-info">
                            "You can look at this machine, but only those it is assigned to and administrators can change it."
                            {free.then(|| view! { " Nobody has it: " <a class="link" href="#assignees" rel="external">"reserve it"</a> "." })}
                        </Notice>
                    }
                })
            }}
        </div>
    }
}
