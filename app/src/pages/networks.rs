//! Networks and their address pools.

use leptos::prelude::*;

use super::records::{Record, Records, loaded, names};
use crate::{
    api::{Api, Cidr, Edit, Me, Network, NetworkInput, NetworkName},
    ui::{AddButton, Curl, Dialog, Empty, FieldState, FormEnd, Opened, PageHead, Submit, SubmitForm, TextField, Toasts, natural, saved},
};

#[component]
pub(super) fn Networks() -> impl IntoView {
    loaded("Networks", |api| async move { api.networks().await }, |me, networks| view! { <List me networks/> }.into_any())
}

impl Record for Network {
    const NOUN: &'static str = "network";

    fn id(&self) -> i64 {
        self.id
    }

    fn label(&self) -> &str {
        &self.name
    }
}

#[component]
fn List(me: Me, networks: Vec<Network>) -> impl IntoView {
    let records = Records::new(networks);
    let sorted = move || {
        let mut list = records.list.get();
        list.sort_by(|a, b| natural(&a.name, &b.name));
        list
    };
    let adding = RwSignal::new(false);
    let put = records.put();
    let admin = me.admin;
    view! {
        <PageHead title="Networks">
            {admin.then(|| view! { <AddButton label="Add network" open=adding testid="add-network"/> })}
        </PageHead>
        <Show
            when=move || !records.list.with(Vec::is_empty)
            fallback=|| view! { <Empty title="No networks yet">"Networks give interfaces fixed addresses. Machines that live on leases alone need none."</Empty> }
        >
            <div class="rounded-box border-base-300 overflow-x-auto border">
                <table class="table-sm table" data-testid="networks">
                    <caption class="sr-only">"Networks"</caption>
                    <thead class="bg-base-200">
                        <tr>
                            <th scope="col">"Name"</th>
                            <th scope="col">"Subnet"</th>
                            <th scope="col" class="max-md:hidden">"Static pool"</th>
                            <th scope="col" class="max-md:hidden">"Reserved pool"</th>
                            <th scope="col" class="max-md:hidden">"Machines"</th>
                            <th scope="col"><span class="sr-only">"Actions"</span></th>
                        </tr>
                    </thead>
                    <tbody>
                        <For each=sorted key=|network| serde_json::to_string(network).unwrap_or_default() let:network>
                            {
                                let pool = |pool: &Option<String>| pool.clone().unwrap_or_else(|| "–".into());
                                view! {
                                    <tr class="hover:bg-base-200">
                                        <th scope="row" class="font-medium">{network.name.clone()}</th>
                                        <td class="font-mono text-xs">{network.subnet.clone()}</td>
                                        <td class="font-mono text-xs max-md:hidden">{pool(&network.static_net)}</td>
                                        <td class="font-mono text-xs max-md:hidden">{pool(&network.reserved_net)}</td>
                                        <td class="max-w-72 text-xs break-words max-md:hidden">{names(&network.machines)}</td>
                                        <td class="w-0 text-right whitespace-nowrap">
                                            {admin.then(|| records.buttons(&network, true))}
                                        </td>
                                    </tr>
                                }
                            }
                        </For>
                    </tbody>
                </table>
            </div>
        </Show>
        <Dialog open=adding title="Add a network"><Form open=adding opened=None done=put/></Dialog>
        {records.editor(move |open, opened| view! { <Form open opened=Some(opened) done=put/> }.into_any())}
        {records.deleter(
            |network| match network.machines.len() {
                0 => String::new(),
                1 => "One of the lab's machines has an interface in it.".into(),
                used => format!("{used} of the lab's machines have an interface in it."),
            },
            |api, id, removal| async move { api.delete_network(id, removal).await },
        )}
    }
}

#[component]
fn Form(open: RwSignal<bool>, opened: Option<Opened<Network>>, done: Callback<Network>) -> impl IntoView {
    let api = expect_context::<Api>();
    let toasts = expect_context::<Toasts>();
    let old = opened.map(Opened::known);
    let text = |field: fn(&Network) -> String| old.as_ref().map(field).unwrap_or_default();
    let name = FieldState::new(text(|own| own.name.clone()));
    let subnet = FieldState::new(text(|own| own.subnet.clone()));
    let static_net = FieldState::new(text(|own| own.static_net.clone().unwrap_or_default()));
    let reserved_net = FieldState::new(text(|own| own.reserved_net.clone().unwrap_or_default()));
    let submit = Submit::new();
    let input = move || {
        let names = (name.parse(NetworkName::parse), subnet.parse(Cidr::parse));
        let pools = (static_net.parse_optional(Cidr::parse), reserved_net.parse_optional(Cidr::parse));
        let ((Some(name), Some(subnet)), (Some(static_net), Some(reserved_net))) = (names, pools) else { return None };
        Some(NetworkInput { name, subnet, static_net, reserved_net })
    };
    let call = move |api: Api, input: NetworkInput| async move {
        match opened {
            Some(opened) => api.edit_network(&opened.known(), &input).await,
            None => api.create_network(&input).await.map(Edit::Saved),
        }
    };
    let curl = Callback::new(move |()| input().and_then(|input| Curl::of("Save", async |api| call(api, input).await)));
    let send = move |()| {
        let Some(input) = input() else { return };
        submit.run(call(api.clone(), input), move |answer| {
            let Some(network) = saved(opened, answer) else { return };
            open.set(false);
            toasts.ok(format!("Network {} saved.", network.name));
            done.run(network);
        });
    };
    view! {
        <SubmitForm submit send>
            <TextField id="network-name" label="Name" field=name required=true/>
            <TextField id="network-subnet" label="Subnet" field=subnet mono=true required=true placeholder="10.0.0.0/24"/>
            <TextField
                id="network-static"
                label="Static pool"
                field=static_net
                mono=true
                placeholder="10.0.0.128/26"
                help="A part of the subnet for addresses set in the installed systems. May be empty."
            />
            <TextField
                id="network-reserved"
                label="Reserved pool"
                field=reserved_net
                mono=true
                placeholder="10.0.0.192/26"
                help="A part of the subnet for addresses that DHCP always gives to the same machine. May be empty."
            />
            {opened.map(Opened::notice)}
            <FormEnd open submit label="Save" curl/>
        </SubmitForm>
    }
}
