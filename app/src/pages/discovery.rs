//! MACs that asked for an address and that no machine has: for administrators, who make machines of them.

use futures_util::future::try_join;
use leptos::prelude::*;
use leptos_router::{NavigateOptions, hooks::use_navigate};

use super::{
    follow::follow_list,
    machines::new_machine_form,
    records::{Record, Records, loaded, rows},
};
use crate::{
    api::{self, Api, ApiError, DiscoveredChange, DiscoveredInterface, DiscoveredMac, Id, Identifier, Machine, Network},
    ui::{
        Address, Choice, CopyButton, Curl, Dialog, Empty, FieldState, FormEnd, Glyph, Icon, Loading, Notice, Optimistic, PageHead,
        RowButton, SearchBox, SelectField, Submit, SubmitErrors, SubmitForm, Switch, TextField, Time, Toasts, Zone, dom, format::counted,
        load, matches, natural,
    },
};

/// Rows drawn; the filter finds the others.
const ROWS: usize = 200;
/// Machines offered at once.
const OFFERED: usize = 50;

#[component]
pub(super) fn Discovery() -> impl IntoView {
    loaded("Discovered MACs", load_all, |_, list| view! { <List list/> }.into_any())
}

async fn load_all(api: Api) -> Result<Vec<DiscoveredMac>, ApiError> {
    api.discovered(true).await
}

impl Record for DiscoveredMac {
    const NOUN: &'static str = "discovered MAC";

    fn id(&self) -> i64 {
        self.id
    }

    fn label(&self, _zone: Zone) -> String {
        self.mac.clone()
    }
}

fn found(own: &DiscoveredMac, query: &str) -> bool {
    let said = |text: &Option<String>| text.clone().unwrap_or_default();
    matches(&format!("{}\n{}\n{}\n{}", own.mac, own.info.mac_vendor, said(&own.info.hostname), said(&own.info.arch)), query)
}

#[component]
fn List(list: Vec<DiscoveredMac>) -> impl IntoView {
    let api = StoredValue::new(expect_context::<Api>());
    let toasts = expect_context::<Toasts>();
    let records = Records::new(list);
    follow_list(&[api::List::Discovered], load_all, records.replace());
    let address = Address::new();
    let filter = address.keeps::<String>("q");
    let dismissed = address.keeps::<bool>("dismissed");
    let switched = Optimistic::<Vec<DiscoveredMac>>::new();
    let all = Memo::new(move |_| switched.over(records.list.get()));
    let shown = Memo::new(move |_| {
        let (query, dismissed) = (filter.get(), dismissed.get());
        all.with(|list| list.iter().filter(|own| (dismissed || !own.dismissed) && found(own, &query)).cloned().collect::<Vec<_>>())
    });
    let hidden = move || all.with(|list| list.iter().filter(|own| own.dismissed).count());
    let call = Submit::new();
    let dismiss = move |own: DiscoveredMac| {
        let (id, dismissed) = (own.id, !own.dismissed);
        dom::keep_row();
        let call = move |dismissed| {
            let api = api.get_value();
            async move { api.change_discovered(id, &DiscoveredChange { dismissed }).await }
        };
        let said = if dismissed { format!("{} is not listed any more.", own.mac) } else { format!("{} is listed again.", own.mac) };
        let failed = if dismissed { format!("{} is still listed", own.mac) } else { format!("{} is not listed", own.mac) };
        switched.run(
            move |list| list.iter_mut().filter(|own| own.id == id).for_each(|own| own.dismissed = dismissed),
            call(dismissed),
            move |own| {
                records.put().run(own);
                toasts.undoable(said, move || call(!dismissed), move |own| records.put().run(own));
            },
            failed,
        );
    };
    let refresh = move |_| {
        let api = api.get_value();
        call.run(async move { api.discovered(true).await }, move |list| records.list.set(list));
    };
    let chosen = RwSignal::new(None::<DiscoveredMac>);
    let machine_open = RwSignal::new(false);
    let interface_open = RwSignal::new(false);
    let open = move |which: RwSignal<bool>, own: Memo<DiscoveredMac>| {
        move |_| {
            chosen.set(Some(own.get_untracked()));
            which.set(true);
        }
    };
    let forget = Callback::new(move |id: i64| records.list.update(|list| list.retain(|own| own.id != id)));
    let row = move |own: Memo<DiscoveredMac>| {
        let text = move |get: fn(&DiscoveredMac) -> String| move || own.with(get);
        let named = move |what: &'static str| move || own.with(|own| format!("{what}: {}", own.mac));
        let dismissed = Memo::new(move |_| own.with(|own| own.dismissed));
        let (last, first) =
            (Memo::new(move |_| own.with(|own| own.last_seen.clone())), Memo::new(move |_| own.with(|own| own.first_seen.clone())));
        let vendor = text(|own| own.info.mac_vendor.clone());
        let host = text(|own| own.info.hostname.clone().unwrap_or_else(|| "–".into()));
        let firmware = text(|own| own.info.arch.clone().unwrap_or_else(|| "–".into()));
        let last_seen = move || view! { <Time at=last.get()/> };
        let first_seen = move || view! { <Time at=first.get()/> };
        let dismiss_button = move || {
            let (verb, icon) = if dismissed.get() { ("List again", Icon::Reset) } else { ("Dismiss", Icon::Close) };
            let label = own.with_untracked(|own| format!("{verb} {}", own.mac));
            view! { <RowButton icon label action=move |()| dismiss(own.get_untracked())/> }
        };
        view! {
            <tr class="hover:bg-base-200" data-mac=text(|own| own.mac.clone()) data-dismissed=move || dismissed.get().then_some("true")>
                <th scope="row" class="font-mono text-xs font-medium md:whitespace-nowrap">
                    {text(|own| own.mac.clone())}" "<CopyButton text=own.with_untracked(|own| own.mac.clone()) what="MAC address"/>
                    {move || dismissed.get().then(|| view! { <span class="badge badge-sm badge-ghost ml-1 font-sans">"Dismissed"</span> })}
                    // what has no column of its own where it is narrow
                    <span class="block font-sans font-normal whitespace-normal wrap-anywhere opacity-80 xl:hidden">
                        <span class="block md:hidden">{vendor}</span>
                        <span class="block md:hidden">{host}</span>
                        <span class="block md:hidden">{firmware}</span>
                        <span class="block md:hidden">"Last seen "{last_seen}</span>
                        <span class="block">"First seen "{first_seen}</span>
                    </span>
                </th>
                <td class="wrap-anywhere max-md:hidden">{vendor}</td>
                <td class="break-all max-md:hidden">{host}</td>
                <td class="max-md:hidden">{firmware}</td>
                <td class="text-xs max-md:hidden">{last_seen}</td>
                <td class="text-xs whitespace-nowrap max-xl:hidden">{first_seen}</td>
                // one below the other where it is narrow
                <td class="w-0 text-right">
                    <span class="flex flex-wrap items-center justify-end gap-1 xl:flex-nowrap">
                        <button
                            type="button"
                            class="btn btn-xs btn-primary btn-soft whitespace-nowrap"
                            aria-label=named("New machine")
                            on:click=open(machine_open, own)
                        >
                            "New machine"
                        </button>
                        <button
                            type="button"
                            class="btn btn-xs whitespace-nowrap"
                            aria-label=named("Give to a machine")
                            on:click=open(interface_open, own)
                        >
                            "Give to a machine"
                        </button>
                        {dismiss_button}
                        {records.delete_button(own)}
                    </span>
                </td>
            </tr>
        }
        .into_any()
    };
    view! {
        <PageHead title="Discovered MACs">
            <SearchBox value=filter label="Filter by MAC, vendor, host name or architecture"/>
            // not disabled while it runs: the focus would be lost
            <button
                type="button"
                class="btn btn-sm"
                class=("btn-disabled", move || call.busy().get())
                on:click=refresh
                aria-disabled=move || call.busy().get().then_some("true")
                data-testid="refresh"
            >
                <Glyph icon=Icon::Reset/>
                "Refresh"
            </button>
        </PageHead>
        <div class="mb-3 flex flex-wrap items-center gap-x-4 gap-y-2 text-sm">
            <Switch
                id="show-dismissed"
                label=Signal::derive(move || format!("Show dismissed ({})", hidden()))
                checked=dismissed
                change=move |on| dismissed.set(on)
            />
            <span class="opacity-80" role="status" data-testid="discovered-count">{move || counted(shown.with(Vec::len), "MAC address", "MAC addresses")}</span>
        </div>
        <SubmitErrors submit=call/>
        <Show
            when=move || !shown.with(Vec::is_empty)
            fallback=move || {
                let none = records.list.with(Vec::is_empty);
                view! {
                    <Empty title=if none { "Nothing unknown has asked" } else { "No MAC address to show" }>
                        {if none {
                            view! { "A machine that asks for an address before anybody has added it is listed here, if the DHCP server tells of it." }.into_any()
                        } else {
                            view! {
                                <button type="button" class="link" on:click=move |_| { filter.set(String::new()); dismissed.set(true); }>"Show all, dismissed ones too"</button>
                            }.into_any()
                        }}
                    </Empty>
                }
            }
        >
            <div class="rounded-box border-base-300 overflow-x-auto border">
                <table class="table-sm table" data-testid="discovered">
                    <caption class="sr-only">"Discovered MACs"</caption>
                    <thead class="bg-base-200">
                        <tr>
                            <th scope="col">"MAC"</th>
                            <th scope="col" class="max-md:hidden">"Vendor"</th>
                            <th scope="col" class="max-md:hidden">"Host name"</th>
                            <th scope="col" class="max-md:hidden">"Firmware"</th>
                            <th scope="col" class="max-md:hidden">"Last seen"</th>
                            <th scope="col" class="max-xl:hidden">"First seen"</th>
                            <th scope="col"><span class="sr-only">"Actions"</span></th>
                        </tr>
                    </thead>
                    <tbody>{rows(move || shown.get().into_iter().take(ROWS).collect(), |own| own.id, row)}</tbody>
                </table>
            </div>
            <Show when=move || { shown.with(Vec::len) > ROWS }>
                <p class="mt-2 text-sm opacity-80">{format!("The {ROWS} seen last. The filter finds the others.")}</p>
            </Show>
        </Show>
        <Dialog open=machine_open title="New machine" testid="discovered-machine">
            {move || chosen.get().map(|own| new_machine_form(machine_open, Some(own), String::new()))}
        </Dialog>
        <Dialog open=interface_open title="New interface of a machine" testid="discovered-interface">
            {move || chosen.get().map(|own| view! { <InterfaceForm open=interface_open own forget/> })}
        </Dialog>
        {records.deleter(|_| "It is listed again when it asks again; dismiss it to be rid of it.".into(), |api, id, _| async move { api.forget_discovered(id).await })}
    }
}

#[component]
fn InterfaceForm(open: RwSignal<bool>, own: DiscoveredMac, forget: Callback<i64>) -> impl IntoView {
    let api = expect_context::<Api>();
    let lists = load(async move { try_join(api.machines(true), api.networks()).await });
    move || match lists.get() {
        None => view! { <Loading/> }.into_any(),
        Some(Err(error)) => view! { <Notice tone="alert-error">{error.text()}</Notice> }.into_any(),
        Some(Ok((machines, networks))) => view! { <InterfaceFields open own=own.clone() forget machines networks/> }.into_any(),
    }
}

#[component]
fn InterfaceFields(
    open: RwSignal<bool>,
    own: DiscoveredMac,
    forget: Callback<i64>,
    machines: Vec<Machine>,
    networks: Vec<Network>,
) -> impl IntoView {
    let api = expect_context::<Api>();
    let toasts = expect_context::<Toasts>();
    let navigate = use_navigate();
    let machine = FieldState::new("");
    let identifier = FieldState::new("");
    let network = FieldState::new("");
    let submit = Submit::new();
    let mut choices: Vec<Choice> = machines.into_iter().map(|machine| Choice::new(machine.id, machine.name)).collect();
    choices.sort_by(|a, b| natural(&a.label, &b.label));
    let choices = StoredValue::new(choices);
    let network_choices: Vec<Choice> = networks.iter().map(|own| Choice::new(own.id, format!("{} ({})", own.name, own.subnet))).collect();
    let mac = own.mac.clone();
    let id = own.id;
    let input = move || {
        let parsed = (machine.chosen("a machine"), identifier.parse_optional(Identifier::parse));
        let (Some(chosen), Some(identifier)) = parsed else { return None };
        let machine_id = Id(chosen.parse().ok()?);
        Some(DiscoveredInterface { machine_id, identifier, network_id: network.value.get_untracked().parse().ok().map(Id) })
    };
    let curl =
        Callback::new(move |()| input().and_then(|new| Curl::of("Add interface", async |api| api.discovered_interface(id, &new).await)));
    let send = move |()| {
        let Some(new) = input() else { return };
        let (api, navigate) = (api.clone(), navigate.clone());
        let Id(machine) = new.machine_id;
        let chosen = machine.to_string();
        let name = choices.with_value(|all| all.iter().find(|own| own.value == chosen).map(|own| own.label.clone())).unwrap_or_default();
        submit.run(async move { api.discovered_interface(id, &new).await }, move |interface| {
            open.set(false);
            forget.run(id);
            toasts.ok(format!("{} is an interface of {name} now.", interface.mac));
            navigate(&format!("/machines/{machine}"), NavigateOptions::default());
        });
    };
    view! {
        <SubmitForm submit send>
            <p class="text-sm">"The interface has the MAC address " <code>{mac}</code> "."</p>
            <SelectField id="interface-machine" label="Machine" field=machine choices=choices.get_value() search=true most=OFFERED required=true/>
            <div class="grid grid-cols-1 gap-3 sm:grid-cols-2">
                <TextField id="interface-identifier" label="Identifier" field=identifier placeholder="eth0"/>
                <SelectField id="interface-network" label="Network" field=network choices=network_choices none="None"/>
            </div>
            <FormEnd open submit label="Add interface" curl/>
        </SubmitForm>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{DiscoveredInfo, Instant};

    #[test]
    fn the_filter_reads_all_that_is_known() {
        let own = DiscoveredMac {
            id: 1,
            mac: "52:54:00:00:00:01".into(),
            first_seen: Instant(String::new()),
            last_seen: Instant(String::new()),
            dismissed: false,
            info: DiscoveredInfo {
                mac_vendor: "Acme".into(),
                hostname: Some("d05-1".into()),
                arch_code: Some(7),
                arch: Some("x64 UEFI".into()),
            },
        };
        for query in ["54:00", "acme", "D05", "x64 uefi"] {
            assert!(found(&own, query), "{query}");
        }
        assert!(!found(&own, "arm"));
    }
}
