//! Networks and their address pools.

use std::net::Ipv4Addr;

use leptos::prelude::*;

use super::{
    follow::follow_list,
    records::{Record, Records, loaded, rows},
    used::{Thing, UsedBy},
};
use crate::{
    api::{self, Api, ApiError, Cidr, Edit, InUseBy, Me, Network, NetworkInput, NetworkName},
    ui::{
        AddButton, Address, Columns, Curl, Dialog, Empty, Field, FieldState, FormEnd, Opened, PageHead, SearchBox, Sort, SortHead, Submit,
        SubmitForm, TextField, Toasts, Zone, is_of_name, matches, natural, saved,
    },
};

#[component]
pub(super) fn Networks() -> impl IntoView {
    loaded("Networks", load, |me, networks| view! { <List me networks/> }.into_any())
}

async fn load(api: Api) -> Result<Vec<Network>, ApiError> {
    api.networks().await
}

impl Record for Network {
    const NOUN: &'static str = "network";

    fn id(&self) -> i64 {
        self.id
    }

    fn label(&self, _zone: Zone) -> String {
        self.name.clone()
    }

    /// An interface keeps its address in another network, which must have a pool for it.
    fn fits_for(&self, _other: &Self, users: &[InUseBy]) -> bool {
        let pools = [&self.static_net, &self.reserved_net];
        let fits = |address: &String| pools.into_iter().flatten().any(|pool| contains(pool, address));
        users.iter().flat_map(|user| &user.addresses).all(fits)
    }
}

/// Whether the address lies in the network, `10.0.0.0/24`.
fn contains(network: &str, address: &str) -> bool {
    let number = |text: &str| text.parse::<Ipv4Addr>().ok().map(u32::from);
    let Some((first, length)) = network.split_once('/') else { return false };
    let (Some(first), Some(address), Ok(length)) = (number(first), number(address), length.parse::<u32>()) else { return false };
    // with length 0 nothing is left of the mask
    let mask = u32::MAX.checked_shl(32u32.saturating_sub(length)).unwrap_or(0);
    first & mask == address & mask
}

fn found(own: &Network, query: &str) -> bool {
    let pool = |pool: &Option<String>| pool.clone().unwrap_or_default();
    let pools = [pool(&own.static_net), pool(&own.reserved_net)].join("\n");
    matches(&format!("{}\n{}\n{pools}\n{}", own.name, own.subnet, own.machines.join("\n")), query)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Name,
    Subnet,
    Static,
    Reserved,
    Machines,
}

impl Columns for Column {
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Name, "name"),
        (Self::Subnet, "subnet"),
        (Self::Static, "static"),
        (Self::Reserved, "reserved"),
        (Self::Machines, "machines"),
    ];
}

fn compare(a: &Network, b: &Network, sort: Sort<Column>) -> std::cmp::Ordering {
    // those without one last
    let pools = |a: &Option<String>, b: &Option<String>| match (a, b) {
        (Some(a), Some(b)) => natural(a, b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    };
    let by = match sort.column {
        Column::Name => natural(&a.name, &b.name),
        Column::Subnet => natural(&a.subnet, &b.subnet),
        Column::Static => pools(&a.static_net, &b.static_net),
        Column::Reserved => pools(&a.reserved_net, &b.reserved_net),
        Column::Machines => a.machines.len().cmp(&b.machines.len()),
    };
    sort.apply(by).then_with(|| natural(&a.name, &b.name))
}

#[component]
fn List(me: Me, networks: Vec<Network>) -> impl IntoView {
    let records = Records::new(networks);
    follow_list(&[api::List::Network], load, records.replace());
    let used = UsedBy::new(me.admin);
    let address = Address::new();
    let filter = address.keeps::<String>("q");
    let sort = address.keeps_sort(Sort::by(Column::Name));
    let shown = Memo::new(move |_| {
        let (query, sort) = (filter.get(), sort.get());
        let mut list: Vec<Network> = records.list.with(|list| list.iter().filter(|own| found(own, &query)).cloned().collect());
        list.sort_by(|a, b| compare(a, b, sort));
        list
    });
    let adding = RwSignal::new(false);
    let put = records.put();
    let admin = me.admin;
    let row = move |own: Memo<Network>| {
        let text = move |get: fn(&Network) -> String| move || own.with(get);
        let pool = |pool: &Option<String>| pool.clone().unwrap_or_else(|| "–".into());
        let fixed = move || own.with(|own| pool(&own.static_net));
        let reserved = move || own.with(|own| pool(&own.reserved_net));
        let machines = move || own.with(|own| own.machine_ids.iter().copied().zip(own.machines.iter().cloned()).collect::<Vec<_>>());
        let thing = move || Thing::Network(own.get());
        view! {
            <tr class="hover:bg-base-200" data-network=text(|own| own.name.clone())>
                <th scope="row" class="font-medium wrap-anywhere">
                    {text(|own| own.name.clone())}
                    // what has no column of its own on a telephone
                    <span class="block text-xs font-normal md:hidden">
                        <span class="block opacity-80">"static "{fixed}</span>
                        <span class="block opacity-80">"reserved "{reserved}</span>
                        <span class="block">{used.machines(machines, thing)}</span>
                    </span>
                </th>
                <td class="font-mono text-xs">{text(|own| own.subnet.clone())}</td>
                <td class="font-mono text-xs max-md:hidden">{fixed}</td>
                <td class="font-mono text-xs max-md:hidden">{reserved}</td>
                <td class="max-w-72 text-xs wrap-anywhere max-md:hidden">{used.machines(machines, thing)}</td>
                <td class="w-0 text-right whitespace-nowrap">
                    {used.button(thing)}
                    {admin.then(|| records.buttons(own, true))}
                </td>
            </tr>
        }
        .into_any()
    };
    let left = Signal::derive(move || (shown.with(Vec::len), records.list.with(Vec::len)));
    view! {
        <PageHead title="Networks">
            <SearchBox value=filter label="Filter networks" left/>
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
                            <SortHead label="Name" column=Column::Name sort/>
                            <SortHead label="Subnet" column=Column::Subnet sort/>
                            <SortHead label="Static pool" column=Column::Static sort class="max-md:hidden"/>
                            <SortHead label="Reserved pool" column=Column::Reserved sort class="max-md:hidden"/>
                            <SortHead label="Machines" column=Column::Machines sort class="max-md:hidden"/>
                            <th scope="col"><span class="sr-only">"Actions"</span></th>
                        </tr>
                    </thead>
                    <tbody>{rows(move || shown.get(), |own| own.id, row)}</tbody>
                </table>
            </div>
            <Show when=move || shown.with(Vec::is_empty)>
                <Empty title="No network matches"/>
            </Show>
        </Show>
        {used.dialog()}
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Name,
    Subnet,
    Static,
    Reserved,
}

/// What of a network a sentence of the server is about.
fn part(error: &str) -> Option<Part> {
    match error {
        _ if is_of_name(error) => Some(Part::Name),
        _ if error.starts_with("Subnet ") || error.contains("with this subnet") => Some(Part::Subnet),
        _ if error.starts_with("Static subnet ") => Some(Part::Static),
        // that both pools overlap, too: it comes last
        _ if error.starts_with("Reserved subnet ") || error.starts_with("Static and reserved ") => Some(Part::Reserved),
        _ => None,
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
        let place = move |error: &str| {
            Some(match part(error)? {
                Part::Name => name,
                Part::Subnet => subnet,
                Part::Static => static_net,
                Part::Reserved => reserved_net,
            })
        };
        submit.save_placing(call(api.clone(), input), place, move |answer| {
            let Some(network) = saved(opened, answer) else { return };
            open.set(false);
            toasts.ok(format!("Network {} saved.", network.name));
            done.run(network);
        });
    };
    let fields = move |theirs: &Network| -> Vec<Field> {
        vec![
            ("Name", name.value.get(), theirs.name.clone()),
            ("Subnet", subnet.value.get(), theirs.subnet.clone()),
            ("Static pool", static_net.value.get(), theirs.static_net.clone().unwrap_or_default()),
            ("Reserved pool", reserved_net.value.get(), theirs.reserved_net.clone().unwrap_or_default()),
        ]
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
            {opened.map(|opened| opened.notice_of(fields))}
            <FormEnd open submit label="Save" curl/>
        </SubmitForm>
    }
}

#[cfg(test)]
mod tests {
    use super::{Part, Record, contains, part};
    use crate::api::{InUseBy, Network};

    #[test]
    fn an_address_lies_in_a_network_or_beside_it() {
        for (network, address, within) in [
            ("10.0.0.0/24", "10.0.0.255", true),
            ("10.0.0.0/24", "10.0.1.0", false),
            ("10.0.0.9/32", "10.0.0.9", true),
            ("10.0.0.9/32", "10.0.0.8", false),
            ("0.0.0.0/0", "192.168.0.1", true),
            ("10.0.0.0", "10.0.0.0", false),
            ("10.0.0.0/24", "x", false),
        ] {
            assert_eq!(contains(network, address), within, "{network} {address}");
        }
    }

    #[test]
    fn only_a_network_with_room_for_the_addresses_takes_the_others_place() {
        let network = |static_net: Option<&str>| Network {
            id: 1,
            name: "lab".into(),
            subnet: "10.0.0.0/24".into(),
            static_net: static_net.map(Into::into),
            reserved_net: None,
            machines: Vec::new(),
            machine_ids: Vec::new(),
        };
        let user = |addresses: &[&str]| InUseBy {
            kind: "machine".into(),
            role: "interface".into(),
            id: 1,
            name: "m1".into(),
            addresses: addresses.iter().map(|address| (*address).to_owned()).collect(),
        };
        let fits = |pool, addresses: &[&str]| network(pool).fits_for(&network(None), &[user(&[]), user(addresses)]);
        assert!(fits(None, &[]));
        assert!(fits(Some("10.0.0.8/30"), &["10.0.0.9"]));
        assert!(!fits(Some("10.0.0.8/30"), &["10.0.0.9", "10.0.0.12"]));
        assert!(!fits(None, &["10.0.0.9"]));
    }

    #[test]
    fn a_sentence_stands_at_what_it_is_about() {
        for (sentence, expected) in [
            ("a network with this name exists already", Some(Part::Name)),
            ("a network with this subnet or pool exists already", Some(Part::Subnet)),
            ("Subnet 10.0.0.0/8 conflicts with network lab (10.1.0.0/16)", Some(Part::Subnet)),
            ("Static subnet is not contained within subnet 10.0.0.0/24", Some(Part::Static)),
            ("Reserved subnet is not contained within subnet 10.0.0.0/24", Some(Part::Reserved)),
            ("Static and reserved subnets overlap", Some(Part::Reserved)),
            ("an address outside the new pools is in use by machine m1 (10.0.0.3)", None),
        ] {
            assert_eq!(part(sentence), expected, "{sentence}");
        }
    }
}
