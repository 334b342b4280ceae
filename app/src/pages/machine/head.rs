//! Name, state, power, and the buttons for what one comes here to do.

use leptos::prelude::*;

use super::{
    Context,
    edit::{DeleteDialog, EditDialog},
    provisioning::{Form, ProvisionButton},
};
use crate::{
    api::PowerAction,
    live::{Live, Power},
    pages::health::HealthBadge,
    pages::power::{Commander, PowerBadge, PowerButtons, StateBadge, command},
    ui::{Curl, CurlMenu, Glyph, Icon, Notice},
};

/// What can be done on this page, for scripts; with what the form holds now.
fn commands(context: Context, form: Form) -> Vec<Curl> {
    let at = |rest: &str| format!("/machine/{}{rest}", context.id);
    let mut out = vec![Curl::get("Read the machine", at("")), Curl::get("Read its events", at("/event"))];
    let (may_change, bmc) = context.machine.with(|machine| (machine.may_change, machine.bmc_id.is_some()));
    if !may_change {
        return out;
    }
    out.push(Curl::send("Save the settings", "PUT", at(""), &form.as_change()));
    if bmc {
        out.push(Curl::send("Provision", "POST", at("/state"), &serde_json::json!({ "state": "provision" })));
        out.extend(
            [PowerAction::On, PowerAction::Off, PowerAction::Reboot, PowerAction::PxeReboot]
                .map(|action| Curl::send(command(action).0, "POST", at("/power"), &serde_json::json!({ "state": action.word() }))),
        );
    }
    if context.admin {
        let own = context.username.get_value();
        out.push(Curl::send("Assign to yourself", "POST", at("/assignee"), &serde_json::json!({ "user": own, "reason": "" })));
    }
    out.push(Curl::get("Read the console's end", at("/console/tail?lines=50")));
    out
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
    let netboot = Signal::derive(move || context.machine.with(|machine| machine.netboot_enabled));
    let may_change = Signal::derive(move || context.machine.with(|machine| machine.may_change));
    let no_command = Signal::derive(move || context.machine.with(|machine| !machine.may_change || machine.bmc_id.is_none()));
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
                <p class="mt-0.5 text-sm opacity-80">
                    {move || {
                        context
                            .machine
                            .with(|machine| {
                                let arch = match &machine.subarch {
                                    Some(subarch) => format!("{} / {subarch}", machine.arch),
                                    None => machine.arch.clone(),
                                };
                                let bmc = match &machine.bmc {
                                    Some(bmc) if machine.bmc_info.is_empty() => format!("BMC {bmc}"),
                                    Some(bmc) => format!("BMC {bmc}, cartridge {}", machine.bmc_info),
                                    None => "no BMC".into(),
                                };
                                format!("{arch} · {bmc} · host name {}", machine.hostname)
                            })
                    }}
                </p>
            </div>
            <div class="flex flex-wrap items-center gap-2">
                <PowerButtons machine=context.id name power netboot commander disabled=no_command/>
                <a class="btn btn-sm" href=format!("/machines/{}/console", context.id) data-testid="open-console">
                    <Glyph icon=Icon::Terminal/>
                    "Console"
                </a>
                <ProvisionButton context form/>
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
        <div class="mt-2 flex flex-col gap-2">
            {move || {
                power
                    .with(|power| power.error.clone())
                    .map(|error| view! { <Notice tone="alert-error"><span data-testid="bmc-error">{format!("BMC: {error}")}</span></Notice> })
            }}
            {move || {
                (!may_change.get())
                    .then(|| view! { <Notice tone="alert-info">"You can look at this machine, but only those it is assigned to and administrators can change it."</Notice> })
            }}
        </div>
    }
}
