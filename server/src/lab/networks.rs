//! IPv4 networks and the pools their addresses come from.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
};

use app::api::{Cidr, FreeAddresses, Network, NetworkInput};
use ipnet::Ipv4Net;
use store::{InterfaceRow, NetworkRow, Tx};

use super::{
    Action, Actor, Instead, Lab, LabError, Ties,
    audit::{self, Subject, facts},
    error::user,
    interfaces,
};
use crate::journal::Pending;

/// All networks by name.
///
/// # Errors
/// The store's.
pub async fn list(lab: &Lab, actor: &Actor) -> Result<Vec<Network>, LabError> {
    actor.must(Action::NetworkRead, Ties::NONE)?;
    let mut read = lab.store.read().await?;
    let rows = store::networks::list(&mut read).await?;
    let interfaces = store::interfaces::list_views(&mut read).await?;
    let names: BTreeMap<i64, String> = store::machines::list(&mut read).await?.into_iter().map(|row| (row.id, row.name)).collect();
    drop(read);
    let mut machines: BTreeMap<i64, BTreeSet<(String, i64)>> = BTreeMap::new();
    for interface in interfaces {
        if let (Some(network), Some(name)) = (interface.network_id, names.get(&interface.machine_id)) {
            machines.entry(network).or_default().insert((name.clone(), interface.machine_id));
        }
    }
    let of = |id| machines.get(&id).map(|names| names.iter().cloned().collect()).unwrap_or_default();
    Ok(rows
        .into_iter()
        .map(|row| {
            let machines = of(row.id);
            wire(row, machines)
        })
        .collect())
}

/// # Errors
/// [`LabError::NotFound`].
pub async fn get(lab: &Lab, actor: &Actor, id: i64) -> Result<Network, LabError> {
    actor.must(Action::NetworkRead, Ties::NONE)?;
    let mut read = lab.store.read().await?;
    let row = store::networks::get(&mut read, id).await?.ok_or_else(not_found)?;
    let machines = store::networks::used_by(&mut read, id).await?.into_iter().map(|used| (used.name, used.id)).collect();
    Ok(wire(row, machines))
}

/// # Errors
/// Actors other than admins; pools that do not fit; a name or subnet that is taken.
pub async fn create(lab: &Lab, actor: &Actor, new: NetworkInput) -> Result<Network, LabError> {
    actor.must(Action::NetworkManage, Ties::NONE)?;
    let mut row = row(0, new)?;
    let mut tx = lab.store.begin().await?;
    must_not_overlap(&mut tx, &row).await?;
    let new = store::NewNetwork {
        name: row.name.clone(),
        subnet: row.subnet.clone(),
        static_net: row.static_net.clone(),
        reserved_net: row.reserved_net.clone(),
    };
    row.id = store::networks::insert(&mut tx, &new).await?;
    audit::made(&mut tx, actor, Subject::new("network", row.id, &row.name), facts::network(&row)).await?;
    tx.commit().await?;
    Ok(wire(row, Vec::new()))
}

/// Changes a network. Addresses its interfaces have must stay within its pools: an installed machine would keep using
/// an address that is given to another.
///
/// # Errors
/// As [`create`], and pools that cut off an address in use.
pub async fn change(lab: &Lab, actor: &Actor, id: i64, change: NetworkInput) -> Result<Network, LabError> {
    actor.must(Action::NetworkManage, Ties::NONE)?;
    let row = row(id, change)?;
    let mut tx = lab.store.begin().await?;
    let before = store::networks::get(&mut tx, id).await?.ok_or_else(not_found)?;
    actor.must_know(&wire(before.clone(), Vec::new()))?;
    must_not_overlap(&mut tx, &row).await?;
    let machines = store::networks::used_by(&mut tx, id).await?;
    must_keep_addresses(&mut tx, &row, &machines).await?;
    store::networks::update(&mut tx, &row).await?;
    let subject = Subject::new("network", id, &before.name);
    audit::changed(&mut tx, actor, subject, facts::network(&before), facts::network(&row)).await?;
    tx.commit().await?;
    let mut pending = Pending::default();
    machines.iter().for_each(|machine| pending.changed(machine.id));
    lab.journal.publish(pending);
    Ok(wire(row, machines.into_iter().map(|machine| (machine.name, machine.id)).collect()))
}

/// Deletes a network. In another network its interfaces keep the addresses they were given: an installed machine goes on using its own.
/// Without a network they lose them.
///
/// # Errors
/// Actors other than admins; [`LabError::InUse`] while interfaces are in it, or have addresses that do not fit the other network.
pub async fn delete(lab: &Lab, actor: &Actor, id: i64, instead: Instead) -> Result<(), LabError> {
    actor.must(Action::NetworkManage, Ties::NONE)?;
    let mut tx = lab.store.begin().await?;
    let row = store::networks::get(&mut tx, id).await?.ok_or_else(not_found)?;
    actor.must_know(&wire(row.clone(), Vec::new()))?;
    let mut pending = Pending::default();
    let users = store::networks::used_by(&mut tx, id).await?;
    let interfaces = store::interfaces::list_in_network(&mut tx, id).await?;
    let settled = instead.settle(actor, &format!("network {}", row.name), id, &users).map_err(|error| with_addresses(error, &interfaces));
    if let Some(other) = settled? {
        if let Some(other) = other {
            let other = store::networks::get(&mut tx, other).await?;
            let other = other.ok_or_else(|| LabError::invalid("there is no such network to take its place"))?;
            must_fit(&mut tx, &other, &interfaces, &users).await?;
        }
        for before in interfaces {
            // an address belongs to a network
            let (static_ipv4, reserved_ipv4) =
                if other.is_some() { (before.static_ipv4.clone(), before.reserved_ipv4.clone()) } else { (None, None) };
            let after = InterfaceRow { network_id: other, static_ipv4, reserved_ipv4, ..before.clone() };
            store::interfaces::update(&mut tx, &after).await?;
            let subject = Subject::new("interface", before.id, &before.mac);
            audit::changed(&mut tx, actor, subject, facts::interface(&before), facts::interface(&after)).await?;
            pending.changed(before.machine_id);
        }
    }
    store::networks::delete(&mut tx, id).await?;
    audit::gone(&mut tx, actor, Subject::new("network", id, &row.name), facts::network(&row)).await?;
    tx.commit().await?;
    lab.journal.publish(pending);
    Ok(())
}

/// Addresses of a network's pools that nobody has, lowest first: at most `limit` of each.
///
/// # Errors
/// [`LabError::NotFound`].
pub async fn free(lab: &Lab, actor: &Actor, id: i64, limit: usize) -> Result<FreeAddresses, LabError> {
    actor.must(Action::NetworkRead, Ties::NONE)?;
    let mut read = lab.store.read().await?;
    let row = store::networks::get(&mut read, id).await?.ok_or_else(not_found)?;
    // an interface's id is never 0: nobody is left out
    let used = interfaces::used_addresses(&mut read, id, 0).await?;
    drop(read);
    let subnet = stored(&row.subnet)?;
    let of = |pool: &Option<String>| -> Result<Vec<String>, LabError> {
        let Some(pool) = pool.as_deref().map(stored).transpose()? else { return Ok(Vec::new()) };
        Ok(interfaces::free(pool, subnet, &used).take(limit).map(|address| address.to_string()).collect())
    };
    Ok(FreeAddresses { static_ips: of(&row.static_net)?, reserved_ips: of(&row.reserved_net)? })
}

/// A network of the store, which holds only what was checked.
pub(super) fn stored(cidr: &str) -> Result<Ipv4Net, LabError> {
    cidr.parse().map_err(|_| LabError::Conflict(format!("the stored network {cidr} is damaged: set it again")))
}

fn not_found() -> LabError {
    LabError::not_found("network not found")
}

fn row(id: i64, input: NetworkInput) -> Result<NetworkRow, LabError> {
    let text = |pool: Option<Cidr>| pool.map(Cidr::into_string);
    let row = NetworkRow {
        id,
        name: input.name.into_string(),
        subnet: input.subnet.into_string(),
        static_net: text(input.static_net),
        reserved_net: text(input.reserved_net),
    };
    let faults = faults(&row)?;
    if faults.is_empty() { Ok(row) } else { Err(LabError::Invalid(faults)) }
}

/// What is wrong with the pools, one sentence each.
fn faults(row: &NetworkRow) -> Result<Vec<String>, LabError> {
    let subnet = stored(&row.subnet)?;
    let pool = |text: &Option<String>| text.as_deref().map(stored).transpose();
    let (fixed, reserved) = (pool(&row.static_net)?, pool(&row.reserved_net)?);
    let mut faults = Vec::new();
    for (pool, word) in [(fixed, "Static"), (reserved, "Reserved")] {
        if pool.is_some_and(|pool| !subnet.contains(&pool)) {
            faults.push(format!("{word} subnet is not contained within subnet {subnet}"));
        }
    }
    if let (Some(fixed), Some(reserved)) = (fixed, reserved)
        && overlap(fixed, reserved)
    {
        faults.push("Static and reserved subnets overlap".into());
    }
    Ok(faults)
}

pub(super) fn overlap(a: Ipv4Net, b: Ipv4Net) -> bool {
    a.contains(&b) || b.contains(&a)
}

async fn must_not_overlap(tx: &mut Tx, row: &NetworkRow) -> Result<(), LabError> {
    let subnet = stored(&row.subnet)?;
    for other in store::networks::list(tx).await? {
        if other.id != row.id && overlap(subnet, stored(&other.subnet)?) {
            return Err(LabError::Conflict(format!("Subnet {subnet} conflicts with network {} ({})", other.name, other.subnet)));
        }
    }
    Ok(())
}

async fn must_keep_addresses(tx: &mut Tx, row: &NetworkRow, machines: &[store::UsedBy]) -> Result<(), LabError> {
    let interfaces = store::interfaces::list_in_network(tx, row.id).await?;
    must_be_within("an address outside the new pools", row, &interfaces, machines)
}

/// Whether interfaces of another network could keep their addresses in this one.
async fn must_fit(tx: &mut Tx, other: &NetworkRow, interfaces: &[InterfaceRow], machines: &[store::UsedBy]) -> Result<(), LabError> {
    must_be_within(&format!("an address outside the pools of network {}", other.name), other, interfaces, machines)?;
    let used = interfaces::used_addresses(tx, other.id, 0).await?;
    let taken =
        interfaces.iter().flat_map(addresses).find(|address| address.parse().is_ok_and(|address: Ipv4Addr| used.contains(&address)));
    match taken {
        Some(address) => Err(LabError::Conflict(format!("{address} is already in use in network {}", other.name))),
        None => Ok(()),
    }
}

/// The addresses an interface was given.
fn addresses(interface: &InterfaceRow) -> impl Iterator<Item = &String> {
    [&interface.static_ipv4, &interface.reserved_ipv4].into_iter().flatten()
}

/// Names the addresses that the users of a network have from it.
fn with_addresses(error: LabError, interfaces: &[InterfaceRow]) -> LabError {
    match error {
        LabError::InUse { what, by, mut users } => {
            for user in &mut users {
                let own = interfaces.iter().filter(|interface| interface.machine_id == user.id);
                user.addresses = own.flat_map(addresses).cloned().collect();
            }
            LabError::InUse { what, by, users }
        }
        other => other,
    }
}

/// # Errors
/// [`LabError::InUse`], of `what`, when an interface has an address outside the network's pools.
fn must_be_within(what: &str, row: &NetworkRow, interfaces: &[InterfaceRow], machines: &[store::UsedBy]) -> Result<(), LabError> {
    let pool = |text: &Option<String>| text.as_deref().map(stored).transpose();
    let (fixed, reserved) = (pool(&row.static_net)?, pool(&row.reserved_net)?);
    let outside = |address: &Option<String>, pool: Option<Ipv4Net>| {
        let address: Option<Ipv4Addr> = address.as_deref().and_then(|text| text.parse().ok());
        address.filter(|address| !pool.is_some_and(|pool| pool.contains(address)))
    };
    let (mut by, mut users) = (Vec::new(), Vec::<store::UsedBy>::new());
    for interface in interfaces {
        let cut_off = [outside(&interface.static_ipv4, fixed), outside(&interface.reserved_ipv4, reserved)];
        let machine = machines.iter().find(|machine| machine.id == interface.machine_id);
        // one machine may have several
        if cut_off.iter().any(Option::is_some) && users.iter().all(|user| user.id != interface.machine_id) {
            users.extend(machine.cloned());
        }
        let name = machine.map_or("?", |machine| &machine.name);
        by.extend(cut_off.into_iter().flatten().map(|address| format!("machine {name} ({address})")));
    }
    if by.is_empty() {
        return Ok(());
    }
    let error = LabError::InUse { what: what.to_owned(), by, users: users.into_iter().map(user).collect() };
    Err(with_addresses(error, interfaces))
}

fn wire(row: NetworkRow, machines: Vec<(String, i64)>) -> Network {
    let (machines, machine_ids) = machines.into_iter().unzip();
    let NetworkRow { id, name, subnet, static_net, reserved_net } = row;
    Network { id, name, subnet, static_net, reserved_net, machines, machine_ids }
}
