//! The machine's network interfaces.

mod values;

use leptos::{prelude::*, task::spawn_local};

use self::values::{address_words, as_new, config_parse, config_word, is_of_address, network_words, of_pool, parse_address, way_back};
use super::Context;
use crate::pages::records::rows;
use crate::{
    api::{Api, ApiError, Edit, FreeAddresses, Id, Identifier, Interface, InterfaceChange, MacAddr, Network, NewInterface},
    ui::{
        AddButton, Choice, Confirm, CopyButton, Curl, Dialog, Field, FieldState, FormEnd, Icon, Loading, Notice, Opened, Panel, RowButton,
        SelectField, Submit, SubmitForm, TextField, Time, Toasts, load, opened, saved, was_overtaken,
    },
};

/// What the form is for.
#[derive(Clone, Debug, PartialEq)]
enum Editing {
    New,
    One(Box<Interface>),
}

#[component]
pub(super) fn Interfaces(context: Context) -> impl IntoView {
    let toasts = expect_context::<Toasts>();
    let editing = RwSignal::new(None::<Editing>);
    let open = RwSignal::new(false);
    let adding = RwSignal::new(false);
    Effect::new(move |_| {
        if adding.get() {
            adding.set(false);
            editing.set(Some(Editing::New));
            open.set(true);
        }
    });
    let removing = RwSignal::new(None::<Interface>);
    let remove_open = RwSignal::new(false);
    let submit = Submit::new();
    let remove = move |()| {
        let Some(interface) = removing.get_untracked() else { return };
        let api = context.api.get_value();
        let again = as_new(&interface);
        submit.run(async move { api.delete_interface(context.id, interface.id).await }, move |()| {
            remove_open.set(false);
            context.reload();
            let said = format!("Interface {} removed.", interface.mac);
            let Some(again) = again else { return toasts.ok(said) };
            // the message outlives the page
            let api = context.api.get_value();
            let inverse = move || {
                let (api, again) = (api.clone(), again.clone());
                async move { api.add_interface(context.id, &again).await }
            };
            toasts.undoable(said, inverse, move |_| context.reload());
        });
    };
    let remove_curl = Callback::new(move |()| {
        let interface = removing.get_untracked()?;
        Curl::of("Remove", async |api| api.delete_interface(context.id, interface.id).await)
    });
    let may_change = move || context.machine.with(|machine| machine.may_change);
    let row = move |own: Memo<Interface>| {
        let text = move |get: fn(&Interface) -> String| move || own.with(get);
        let named = move |what: &'static str| Signal::derive(move || own.with(|own| format!("{what} interface {}", own.mac)));
        // a button that copies is drawn anew only with what it copies
        let mac = Memo::new(move |_| own.with(|own| own.mac.clone()));
        let configured = Memo::new(move |_| own.with(|own| own.configured_ipv4.clone()));
        let leased = Memo::new(move |_| own.with(|own| own.lease_ipv4.clone()));
        let seen = Memo::new(move |_| own.with(|own| own.last_seen_date.clone()));
        view! {
            <tr>
                <th scope="row" class="font-medium">{text(|own| dash(&own.identifier))}</th>
                <td class="font-mono text-xs whitespace-nowrap">
                    {move || mac.get()}
                    {move || view! { <CopyButton text=mac.get() what="MAC address"/> }}
                </td>
                <td>{text(network_words)}</td>
                <td>{text(address_words)} {move || copied(configured.get().as_deref(), "configured address")}</td>
                <td class="font-mono text-xs whitespace-nowrap">
                    {move || dash(leased.get().as_deref().unwrap_or_default())}
                    {move || copied(leased.get().as_deref(), "leased address")}
                </td>
                <td class="text-xs whitespace-nowrap">
                    {move || match seen.get() {
                        Some(at) => view! { <Time at/> }.into_any(),
                        None => "never".into_any(),
                    }}
                </td>
                <td class="w-0 text-right whitespace-nowrap">
                    <Show when=may_change>
                        <RowButton
                            icon=Icon::Pencil
                            label=named("Edit")
                            action=move |()| {
                                editing.set(Some(Editing::One(Box::new(own.get_untracked()))));
                                open.set(true);
                            }
                        />
                    </Show>
                    {context
                        .admin
                        .then(|| {
                            view! {
                                <RowButton
                                    icon=Icon::Trash
                                    label=named("Remove")
                                    action=move |()| {
                                        removing.set(Some(own.get_untracked()));
                                        remove_open.set(true);
                                    }
                                />
                            }
                        })}
                </td>
            </tr>
        }
        .into_any()
    };
    view! {
        <Panel
            id="interfaces"
            title="Interfaces"
            actions=move || context.admin.then(|| view! { <AddButton label="Add interface" open=adding testid="add-interface"/> })
        >
            // headings alone can be pushed sideways by nobody without a mouse
            <div class="overflow-x-auto" class=("hidden", move || context.interfaces.with(Vec::is_empty))>
                <table class="table-sm table" data-testid="interfaces">
                    <caption class="sr-only">"Interfaces of the machine"</caption>
                    <thead>
                        <tr>
                            <th scope="col">"Identifier"</th>
                            <th scope="col">"MAC"</th>
                            <th scope="col">"Network"</th>
                            <th scope="col">"Address"</th>
                            <th scope="col">"Lease"</th>
                            <th scope="col">"Last seen"</th>
                            <th scope="col"><span class="sr-only">"Actions"</span></th>
                        </tr>
                    </thead>
                    <tbody>{rows(move || context.interfaces.get(), |interface| interface.id, row)}</tbody>
                </table>
            </div>
            <Show when=move || context.interfaces.with(Vec::is_empty)>
                <p class="py-3 text-center text-sm opacity-80">"No interface: the machine is not known when it boots from the network."</p>
            </Show>
            <Dialog
                open
                title=Signal::derive(move || if editing.get() == Some(Editing::New) { "Add an interface".to_owned() } else { "Edit interface".to_owned() })
                testid="interface-dialog"
            >
                {move || editing.get().map(|editing| view! { <Form open context editing/> })}
            </Dialog>
            <Confirm
                open=remove_open
                title="Remove interface"
                text=Signal::derive(move || {
                    format!("Remove interface {}? The machine is then no longer known by this address.", removing.get().map(|own| own.mac).unwrap_or_default())
                })
                verb="Remove"
                submit
                action=remove
                curl=remove_curl
            />
        </Panel>
    }
}

fn dash(text: &str) -> String {
    if text.is_empty() { "–".into() } else { text.into() }
}

/// The button beside an address, if there is one.
fn copied(address: Option<&str>, what: &'static str) -> Option<AnyView> {
    address.filter(|address| !address.is_empty()).map(|address| view! { <CopyButton text=address what/> }.into_any())
}

/// Free addresses asked for.
const OFFERED: u32 = 20;

/// One that is to be what the form says.
async fn add(api: &Api, machine: i64, wanted: InterfaceChange) -> Result<Interface, ApiError> {
    let InterfaceChange { identifier, mac, network_id, config_type_v4, configured_ipv4 } = wanted;
    let mac = mac.ok_or_else(|| ApiError::transport("an interface has a MAC address"))?;
    let (identifier, network_id, configured_ipv4) = (identifier.flatten(), network_id.flatten(), configured_ipv4.flatten());
    api.add_interface(machine, &NewInterface { mac, identifier, network_id, config_type_v4, configured_ipv4 }).await
}

#[component]
fn Form(open: RwSignal<bool>, context: Context, editing: Editing) -> impl IntoView {
    let api = context.api.get_value();
    let networks = load(async move { api.networks().await });
    move || match networks.get() {
        None => view! { <Loading/> }.into_any(),
        Some(Err(error)) => view! { <Notice tone="alert-error">{error.text()}</Notice> }.into_any(),
        Some(Ok(networks)) => match editing.clone() {
            Editing::New => view! { <Fields open context editing=None networks/> }.into_any(),
            Editing::One(own) => {
                opened(*own, move |own| view! { <Fields open context editing=Some(own) networks=networks.clone()/> }.into_any())
            }
        },
    }
}

#[component]
fn Fields(open: RwSignal<bool>, context: Context, editing: Option<Opened<Interface>>, networks: Vec<Network>) -> impl IntoView {
    let toasts = expect_context::<Toasts>();
    let old = editing.map(Opened::known);
    let identifier = FieldState::new(old.as_ref().map(|own| own.identifier.clone()).unwrap_or_default());
    let mac = FieldState::new(old.as_ref().map(|own| own.mac.clone()).unwrap_or_default());
    let network = FieldState::new(old.as_ref().and_then(|own| own.network_id).map(|id| id.to_string()).unwrap_or_default());
    let kind = FieldState::new(config_word(old.as_ref().map(|own| own.config_type_v4).unwrap_or_default()));
    let address = FieldState::new(old.as_ref().and_then(|own| own.configured_ipv4.clone()).unwrap_or_default());
    let submit = Submit::new();
    let network_choices: Vec<Choice> = networks.iter().map(|own| Choice::new(own.id, format!("{} ({})", own.name, own.subnet))).collect();
    let networks = StoredValue::new(networks);
    let kinds = Signal::derive(move || {
        let id = network.value.get();
        networks.with_value(|networks| {
            let mut out = vec![Choice::new("dynamic", "Any lease (dynamic)")];
            if let Some(network) = networks.iter().find(|own| own.id.to_string() == id) {
                if let Some(pool) = &network.reserved_net {
                    out.push(Choice::new("dynamic-reserved", format!("Reserved lease from {pool}")));
                }
                if let Some(pool) = &network.static_net {
                    out.push(Choice::new("static", format!("Static from {pool}")));
                }
            }
            out
        })
    });
    // a network without the pool cannot keep the choice
    Effect::new(move |_| {
        if !kinds.get().iter().any(|choice| choice.value == kind.value.get_untracked()) {
            kind.reset("dynamic");
        }
    });
    let wants_address = Memo::new(move |_| kind.value.with(|kind| kind != "dynamic"));
    let free = RwSignal::new(None::<(String, FreeAddresses)>);
    Effect::new(move |_| {
        let chosen = network.value.get();
        let Ok(id) = chosen.parse() else { return };
        // one look per network
        if !wants_address.get() || free.with_untracked(|free| free.as_ref().is_some_and(|(of, _)| *of == chosen)) {
            return;
        }
        let api = context.api.get_value();
        spawn_local(async move {
            // without them an address is typed, or left to "auto"
            if let Ok(found) = api.free_addresses(id, OFFERED).await
                && network.value.try_with_untracked(|now| *now == chosen) == Some(true)
            {
                free.try_set(Some((chosen, found)));
            }
        });
    });
    let offered = Memo::new(move |_| {
        let network = network.value.get();
        free.with(|free| match free {
            Some((of, free)) if *of == network => kind.value.with(|kind| of_pool(free, kind)),
            _ => Vec::new(),
        })
    });
    let suggest = move |_| {
        if let Some(first) = offered.with_untracked(|all| all.first().cloned()) {
            address.reset(first);
        }
    };
    let admin = context.admin;
    let input = move || {
        let identifier = identifier.parse_optional(Identifier::parse);
        let mac = mac.parse(MacAddr::parse);
        let address = if wants_address.get_untracked() { address.parse(parse_address).map(Some) } else { Some(None) };
        let (Some(identifier), Some(mac), Some(address)) = (identifier, mac, address) else { return None };
        let network_id: Option<Id> = network.value.get_untracked().parse().ok().map(Id);
        let config = config_parse(&kind.value.get_untracked());
        Some(InterfaceChange {
            identifier: Some(identifier),
            mac: Some(mac),
            network_id: Some(network_id),
            config_type_v4: Some(config),
            configured_ipv4: Some(address),
        })
    };
    let call = move |api: Api, input: InterfaceChange| async move {
        let Some(own) = editing else { return add(&api, context.id, input).await.map(Edit::Saved) };
        let old = own.known();
        let change = InterfaceChange {
            // administrators only, and only what is not so already
            mac: input.mac.filter(|mac| admin && mac.as_str() != old.mac),
            network_id: input.network_id.filter(|id| admin && id.map(|id| id.0) != old.network_id),
            ..input
        };
        api.edit_interface(context.id, &old, &change).await
    };
    let curl = Callback::new(move |()| input().and_then(|input| Curl::of("Save", async |api| call(api, input).await)));
    let send = move |()| {
        let Some(input) = input() else { return };
        let place = move |error: &str| is_of_address(error).then_some(address);
        let before = editing.map(Opened::known);
        submit.run_judged(call(context.api.get_value(), input), place, was_overtaken, move |answer| {
            let Some(interface) = saved(editing, answer) else { return };
            open.set(false);
            context.reload();
            // the message outlives the page
            let api = context.api.get_value();
            let Some(before) = before else {
                let said = format!("Interface {} added.", interface.mac);
                let inverse = move || {
                    let api = api.clone();
                    async move { api.delete_interface(context.id, interface.id).await }
                };
                return toasts.undoable(said, inverse, move |()| context.reload());
            };
            let said = format!("Interface {} saved.", interface.mac);
            let Some(back) = way_back(&before, &interface) else { return toasts.ok(said) };
            let inverse = move || {
                let (api, back, made) = (api.clone(), back.clone(), interface.clone());
                async move { api.edit_interface(context.id, &made, &back).await?.saved() }
            };
            toasts.undoable(said, inverse, move |_| context.reload());
        });
    };
    let fields = move |theirs: &Interface| -> Vec<Field> {
        let network_of = |id: &str| networks.with_value(|all| all.iter().find(|own| own.id.to_string() == id).map(|own| own.name.clone()));
        let address = if wants_address.get() { address.value.get() } else { String::new() };
        vec![
            ("MAC", mac.value.get(), theirs.mac.clone()),
            ("Identifier", identifier.value.get(), theirs.identifier.clone()),
            ("Network", network_of(&network.value.get()).unwrap_or_default(), theirs.network_name.clone().unwrap_or_default()),
            ("IPv4 address", kind.value.get(), config_word(theirs.config_type_v4).into()),
            ("Address", address, theirs.configured_ipv4.clone().unwrap_or_default()),
        ]
    };
    view! {
        <SubmitForm submit send>
            <div class="grid grid-cols-1 gap-3 sm:grid-cols-2">
                <TextField id="if-mac" label="MAC" field=mac mono=true required=true placeholder="52:54:00:12:34:56" disabled=!admin/>
                <TextField id="if-identifier" label="Identifier" field=identifier placeholder="eth0"/>
            </div>
            <SelectField id="if-network" label="Network" field=network choices=network_choices none="None" disabled=!admin/>
            <SelectField id="if-kind" label="IPv4 address" field=kind choices=kinds/>
            <Show when=move || wants_address.get()>
                <div class="flex items-start gap-2">
                    <div class="min-w-0 flex-1">
                        <TextField
                            id="if-address"
                            label="Address"
                            field=address
                            mono=true
                            list="if-free"
                            help="“auto” takes the first free one of the pool."
                        />
                    </div>
                    <datalist id="if-free">
                        {move || offered.get().into_iter().map(|address| view! { <option value=address></option> }).collect_view()}
                    </datalist>
                    <button
                        type="button"
                        class="btn btn-sm mt-6"
                        title="Fill in the first free address"
                        data-testid="if-suggest"
                        disabled=move || offered.with(Vec::is_empty)
                        on:click=suggest
                    >
                        "Suggest"
                    </button>
                </div>
            </Show>
            {editing.map(|own| own.notice_of(fields))}
            <FormEnd open submit label="Save" curl/>
        </SubmitForm>
    }
}
