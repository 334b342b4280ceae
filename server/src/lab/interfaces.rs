//! Interfaces of machines, and the addresses they are given.

use std::{collections::HashSet, net::Ipv4Addr};

use app::api::{ConfigTypeV4, EventKind, Id, Interface, InterfaceChange, Ipv4, NewInterface};
use ipnet::Ipv4Net;
use store::{Conn, InterfaceRow, InterfaceView, NetworkRow, Tx};

use super::{
    Action, Actor, Lab, LabError, Ties,
    audit::{self, Subject, facts},
    mac_taken, machines, networks,
};
use crate::journal::{Pending, instant};

/// # Errors
/// [`LabError::NotFound`] when there is no such machine.
pub async fn list(lab: &Lab, actor: &Actor, machine: i64) -> Result<Vec<Interface>, LabError> {
    actor.must(Action::MachineRead, Ties::NONE)?;
    let mut read = lab.store.read().await?;
    let views = store::interfaces::list_views_of_machine(&mut read, machine).await?;
    if views.is_empty() && store::machines::get(&mut read, machine).await?.is_none() {
        return Err(machines::not_found());
    }
    Ok(views.into_iter().map(wire).collect())
}

/// # Errors
/// [`LabError::NotFound`].
pub async fn get(lab: &Lab, actor: &Actor, machine: i64, id: i64) -> Result<Interface, LabError> {
    actor.must(Action::MachineRead, Ties::NONE)?;
    let mut read = lab.store.read().await?;
    let view = store::interfaces::view(&mut read, id).await?;
    view.filter(|view| view.machine_id == machine).map(wire).ok_or_else(not_found)
}

/// Makes an interface with its address, or nothing at all.
///
/// # Errors
/// Actors other than admins; a MAC that is taken; an unknown network; an address as with [`change`].
pub async fn create(lab: &Lab, actor: &Actor, machine: i64, new: NewInterface) -> Result<Interface, LabError> {
    actor.must(Action::InterfaceCreate, Ties::NONE)?;
    let mut tx = lab.store.begin().await?;
    if store::machines::get(&mut tx, machine).await?.is_none() {
        return Err(machines::not_found());
    }
    let network_id = new.network_id.map(|Id(id)| id);
    let network = known_network(&mut tx, network_id).await?;
    let mut wanted = InterfaceRow {
        // no interface has it: every address given in the network is another's
        id: 0,
        machine_id: machine,
        mac: new.mac.into_string(),
        identifier: new.identifier.map(app::api::Identifier::into_string).unwrap_or_default(),
        network_id,
        static_ipv4: None,
        reserved_ipv4: None,
    };
    if new.config_type_v4.is_some() || new.configured_ipv4.is_some() {
        configure(&mut tx, network.as_ref(), &mut wanted, new.config_type_v4, new.configured_ipv4.map(Some)).await?;
    }
    let row = store::NewInterface {
        machine_id: machine,
        mac: wanted.mac,
        identifier: wanted.identifier,
        network_id,
        static_ipv4: wanted.static_ipv4,
        reserved_ipv4: wanted.reserved_ipv4,
    };
    let id = store::interfaces::insert(&mut tx, &row).await.map_err(|error| mac_taken(error, &row.mac))?;
    if let Some(made) = store::interfaces::get(&mut tx, id).await? {
        audit::made(&mut tx, actor, Subject::new("interface", id, &made.mac), facts::interface(&made)).await?;
    }
    store::discovered_macs::delete_by_mac(&mut tx, &row.mac).await?;
    finish(lab, actor, tx, machine, id, vec!["interfaces".into()]).await
}

/// Changes an interface. A change of network without an address gives up the old one.
///
/// # Errors
/// Actors who are neither admin nor assignee; a MAC or network changed by no admin; an address that is taken, outside
/// its pool or missing.
pub async fn change(lab: &Lab, actor: &Actor, machine: i64, id: i64, change: InterfaceChange) -> Result<Interface, LabError> {
    let mut tx = lab.store.begin().await?;
    let (_, ties) = machines::with_ties(&mut tx, actor, machine).await?;
    if !actor.may(Action::InterfaceWiring, ties) {
        actor.must(Action::InterfaceAddress, ties)?;
    }
    let before = store::interfaces::get(&mut tx, id).await?.filter(|row| row.machine_id == machine).ok_or_else(not_found)?;
    actor.must_know(&store::interfaces::view(&mut tx, id).await?.map(wire))?;
    let mut after = before.clone();
    if let Some(identifier) = change.identifier {
        after.identifier = identifier.map(app::api::Identifier::into_string).unwrap_or_default();
    }
    if let Some(mac) = change.mac {
        after.mac = mac.into_string();
    }
    if let Some(network) = change.network_id {
        after.network_id = network.map(|Id(id)| id);
    }
    let moved = before.network_id != after.network_id;
    if moved || before.mac != after.mac {
        actor.must(Action::InterfaceWiring, Ties::NONE)?;
    }
    let network = known_network(&mut tx, after.network_id).await?;
    if moved {
        (after.static_ipv4, after.reserved_ipv4) = (None, None);
    }
    if change.config_type_v4.is_some() || change.configured_ipv4.is_some() {
        configure(&mut tx, network.as_ref(), &mut after, change.config_type_v4, change.configured_ipv4).await?;
    }
    let configured = |row: &InterfaceRow| (row.identifier.clone(), row.static_ipv4.clone(), row.reserved_ipv4.clone());
    if !moved && configured(&before) != configured(&after) {
        actor.must(Action::InterfaceAddress, ties)?;
    }
    let changed = differences(&before, &after);
    if changed.is_empty() {
        let view = store::interfaces::view(&mut tx, id).await?.ok_or_else(not_found)?;
        return Ok(wire(view));
    }
    store::interfaces::update(&mut tx, &after).await.map_err(|error| mac_taken(error, &after.mac))?;
    let subject = Subject::new("interface", id, &before.mac);
    audit::changed(&mut tx, actor, subject, facts::interface(&before), facts::interface(&after)).await?;
    store::discovered_macs::delete_by_mac(&mut tx, &after.mac).await?;
    finish(lab, actor, tx, machine, id, changed).await
}

/// # Errors
/// Actors other than admins; [`LabError::NotFound`].
pub async fn delete(lab: &Lab, actor: &Actor, machine: i64, id: i64) -> Result<(), LabError> {
    actor.must(Action::InterfaceDelete, Ties::NONE)?;
    let mut tx = lab.store.begin().await?;
    let row = store::interfaces::get(&mut tx, id).await?.filter(|row| row.machine_id == machine).ok_or_else(not_found)?;
    actor.must_know(&store::interfaces::view(&mut tx, id).await?.map(wire))?;
    store::interfaces::delete(&mut tx, id).await?;
    audit::gone(&mut tx, actor, Subject::new("interface", id, &row.mac), facts::interface(&row)).await?;
    let mut pending = Pending::default();
    let what = EventKind::SettingsChange { changed: vec!["interfaces".into()] };
    lab.journal.record_in(&mut tx, &mut pending, machine, Some(&actor.cause()), what).await?;
    pending.changed(machine);
    tx.commit().await?;
    lab.journal.publish(pending);
    Ok(())
}

/// An interface's address and how it gets it. The schema can hold both addresses; the static one wins.
#[must_use]
pub fn configuration(network: Option<i64>, fixed: Option<String>, reserved: Option<String>) -> (ConfigTypeV4, Option<String>) {
    match (network, fixed, reserved) {
        (Some(_), Some(address), _) => (ConfigTypeV4::Static, Some(address)),
        (Some(_), None, Some(address)) => (ConfigTypeV4::DynamicReserved, Some(address)),
        _ => (ConfigTypeV4::Dynamic, None),
    }
}

fn not_found() -> LabError {
    LabError::not_found("interface not found")
}

async fn known_network(tx: &mut Tx, id: Option<i64>) -> Result<Option<NetworkRow>, LabError> {
    match id {
        Some(id) => store::networks::get(tx, id).await?.map(Some).ok_or_else(|| LabError::invalid("no such network")),
        None => Ok(None),
    }
}

/// Records, answers and commits a change of an interface.
async fn finish(lab: &Lab, actor: &Actor, mut tx: Tx, machine: i64, id: i64, changed: Vec<String>) -> Result<Interface, LabError> {
    let mut pending = Pending::default();
    lab.journal.record_in(&mut tx, &mut pending, machine, Some(&actor.cause()), EventKind::SettingsChange { changed }).await?;
    pending.changed(machine);
    let view = store::interfaces::view(&mut tx, id).await?.ok_or_else(not_found)?;
    tx.commit().await?;
    lab.journal.publish(pending);
    Ok(wire(view))
}

/// Gives the interface its address. What is not said stays as it is.
async fn configure(
    tx: &mut Tx,
    network: Option<&NetworkRow>,
    row: &mut InterfaceRow,
    kind: Option<ConfigTypeV4>,
    address: Option<Option<String>>,
) -> Result<(), LabError> {
    let (present_kind, present) = configuration(row.network_id, row.static_ipv4.clone(), row.reserved_ipv4.clone());
    let kind = match kind {
        Some(kind) => kind,
        None if present_kind == ConfigTypeV4::Dynamic && address.as_ref().is_some_and(Option::is_some) => {
            return Err(LabError::invalid("an address needs config_type_v4: static or dynamic-reserved"));
        }
        None => present_kind,
    };
    (row.static_ipv4, row.reserved_ipv4) = (None, None);
    let (slot, word) = match kind {
        ConfigTypeV4::Dynamic => return Ok(()),
        ConfigTypeV4::Static => (&mut row.static_ipv4, "static"),
        ConfigTypeV4::DynamicReserved => (&mut row.reserved_ipv4, "reserved"),
    };
    let network = network.ok_or_else(|| LabError::invalid("interface has no network"))?;
    let pool = if kind == ConfigTypeV4::Static { &network.static_net } else { &network.reserved_net };
    let pool = pool.as_deref().ok_or_else(|| LabError::invalid(format!("network has no {word} IPv4 range")))?;
    let pool = networks::stored(pool)?;
    // an address of the other pool is no default
    let present = present.filter(|_| kind == present_kind);
    let wanted = address.unwrap_or_else(|| present.clone());
    let wanted = wanted.ok_or_else(|| {
        let kind = if kind == ConfigTypeV4::Static { "static" } else { "dynamic-reserved" };
        LabError::invalid(format!("{kind} configuration requires an IPv4"))
    })?;
    let used = used_addresses(tx, network.id, row.id).await?;
    let address = if wanted == "auto" {
        // asked again, it stays what it is
        let present = present.and_then(|address| address.parse().ok()).filter(|address| pool.contains(address) && !used.contains(address));
        present
            .or_else(|| first_free(pool, networks::stored(&network.subnet).ok()?, &used))
            .ok_or_else(|| LabError::Conflict("no more IPs available".into()))?
    } else {
        let address = Ipv4::parse(&wanted).map_err(LabError::invalid)?;
        let address: Ipv4Addr = address.as_str().parse().map_err(|_| LabError::invalid(format!("{wanted} is not a valid IPv4 address")))?;
        if !pool.contains(&address) {
            return Err(LabError::invalid(format!("{word} IP out of range: {address} is not within {pool}")));
        }
        if used.contains(&address) {
            return Err(LabError::Conflict(format!("{address} is already in use in network {}", network.name)));
        }
        address
    };
    *slot = Some(address.to_string());
    Ok(())
}

/// Addresses of a network given to other interfaces, in either way.
pub(super) async fn used_addresses(tx: &mut Conn, network: i64, except: i64) -> Result<HashSet<Ipv4Addr>, LabError> {
    let rows = store::interfaces::list_in_network(tx, network).await?;
    let others = rows.into_iter().filter(|row| row.id != except);
    Ok(others.flat_map(|row| [row.static_ipv4, row.reserved_ipv4]).flatten().filter_map(|address| address.parse().ok()).collect())
}

/// The lowest address of the pool that is free.
fn first_free(pool: Ipv4Net, subnet: Ipv4Net, used: &HashSet<Ipv4Addr>) -> Option<Ipv4Addr> {
    free(pool, subnet, used).next()
}

/// The addresses of the pool that are free and may be a host's, lowest first. Last octets 0 and 255 are never chosen: some
/// installers and switches take them for a network's own even where they are not.
pub(super) fn free(pool: Ipv4Net, subnet: Ipv4Net, used: &HashSet<Ipv4Addr>) -> impl Iterator<Item = Ipv4Addr> {
    let own = move |address: &Ipv4Addr| subnet.prefix_len() < 31 && (*address == subnet.network() || *address == subnet.broadcast());
    let (first, last) = (u32::from(pool.network()), u32::from(pool.broadcast()));
    (first..=last)
        .map(Ipv4Addr::from)
        .filter(move |address| !matches!(address.octets()[3], 0 | 255) && !own(address) && !used.contains(address))
}

fn differences(before: &InterfaceRow, after: &InterfaceRow) -> Vec<String> {
    let addresses = |row: &InterfaceRow| (row.static_ipv4.clone(), row.reserved_ipv4.clone());
    let fields = [
        ("interface.mac", before.mac != after.mac),
        ("interface.identifier", before.identifier != after.identifier),
        ("interface.network_id", before.network_id != after.network_id),
        ("interface.configured_ipv4", addresses(before) != addresses(after)),
    ];
    fields.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name.to_owned()).collect()
}

fn wire(view: InterfaceView) -> Interface {
    let subnet: Option<Ipv4Net> = view.subnet.as_deref().and_then(|text| text.parse().ok());
    let (config_type_v4, configured_ipv4) = configuration(view.network_id, view.static_ipv4, view.reserved_ipv4);
    Interface {
        id: view.id,
        identifier: view.identifier,
        mac: view.mac,
        network_id: view.network_id,
        network_name: view.network_name,
        subnetv4: view.subnet,
        netmaskv4: subnet.map(|subnet| subnet.netmask().to_string()),
        prefixlenv4: subnet.map(|subnet| subnet.prefix_len()),
        static_pool_v4: view.static_net,
        reserved_pool_v4: view.reserved_net,
        config_type_v4,
        configured_ipv4,
        lease_ipv4: view.lease_ipv4,
        last_seen_date: view.lease_seen_at.map(instant),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> Ipv4Net {
        text.parse().unwrap()
    }

    fn free(pool: &str, subnet: &str, used: &[&str]) -> Option<String> {
        let used = used.iter().map(|address| address.parse().unwrap()).collect();
        first_free(net(pool), net(subnet), &used).map(|address| address.to_string())
    }

    #[test]
    fn the_first_free_address_is_a_hosts() {
        assert_eq!(free("10.0.0.0/28", "10.0.0.0/24", &[]).as_deref(), Some("10.0.0.1"));
        assert_eq!(free("10.0.0.240/28", "10.0.0.0/24", &[]).as_deref(), Some("10.0.0.240"));
        assert_eq!(free("10.0.0.255/32", "10.0.0.0/24", &[]), None);
        assert_eq!(free("10.0.0.16/30", "10.0.0.16/30", &["10.0.0.17"]).as_deref(), Some("10.0.0.18"));
        assert_eq!(free("10.0.0.16/30", "10.0.0.16/30", &["10.0.0.17", "10.0.0.18"]), None);
    }

    #[test]
    fn b27_addresses_beside_used_ones_are_not_skipped() {
        assert_eq!(free("10.0.0.0/28", "10.0.0.0/24", &["10.0.0.1", "10.0.0.2", "10.0.0.4"]).as_deref(), Some("10.0.0.3"));
    }
}
