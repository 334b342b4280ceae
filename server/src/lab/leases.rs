//! What a DHCP server with the original's Kea hook asks and tells: what a MAC's machine boots from, which address it is to
//! have, which one it got. Such a server proves nothing about itself: `http` answers only the addresses the settings list.

use std::net::Ipv4Addr;

use app::api::{Lease, List, MacAddr};
use ipnet::Ipv4Net;
use store::InterfaceRow;

use super::{Action, Actor, Lab, LabError, Ties, audit, networks};
use crate::journal::{Pending, instant, now_micros};

/// What a MAC is answered over DHCP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// Where the loader is; only with netboot on.
    pub next_server: Option<Ipv4Addr>,
    /// The loader's path, DHCP option 67.
    pub bootfile: Option<String>,
    /// The address reserved for it.
    pub ipv4: Option<Ipv4Addr>,
}

/// A subnet of the DHCP server's, with the first address of each of its pools.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subnet {
    pub id: i64,
    pub net: Ipv4Net,
    pub pools: Vec<Ipv4Addr>,
}

/// # Errors
/// [`LabError::NotFound`] for a MAC no machine has.
pub async fn offer(lab: &Lab, mac: &MacAddr) -> Result<Offer, LabError> {
    let mut read = lab.store.read().await?;
    let interface = store::interfaces::get_by_mac(&mut read, mac.as_str()).await?.ok_or_else(unknown)?;
    let machine = store::machines::view(&mut read, interface.machine_id).await?.ok_or_else(unknown)?;
    let mut offer = Offer { ipv4: reserved(&interface), ..Offer::default() };
    if machine.netboot_enabled {
        offer.next_server = lab.config.next_server();
        offer.bootfile = machine.bootloader_filename;
    }
    Ok(offer)
}

/// Keeps which address a MAC has now, whoever's the MAC is.
///
/// # Errors
/// The store's.
pub async fn record(lab: &Lab, mac: &MacAddr, ipv4: Ipv4Addr) -> Result<(), LabError> {
    let (mac, ipv4) = (mac.as_str(), ipv4.to_string());
    let mut tx = lab.store.begin().await?;
    let before = store::leases::get_by_mac(&mut tx, mac).await?;
    store::leases::put(&mut tx, mac, &ipv4, now_micros()).await?;
    audit::tell(&mut tx, &[List::Lease]);
    let machine = store::interfaces::get_by_mac(&mut tx, mac).await?.map(|interface| interface.machine_id);
    tx.commit().await?;
    if let Some(machine) = machine
        && before.is_none_or(|before| before.ipv4 != ipv4)
    {
        let mut pending = Pending::default();
        pending.changed(machine);
        lab.journal.publish(pending);
    }
    Ok(())
}

/// Which of the DHCP server's subnets a MAC is to be given an address of: the first that overlaps the interface's network
/// and has a pool that begins in the network's reserved one. None: whichever the DHCP server likes.
///
/// # Errors
/// [`LabError::NotFound`] for a MAC no machine has, or whose interface is in no network.
pub async fn subnet(lab: &Lab, mac: &MacAddr, subnets: &[Subnet]) -> Result<Option<i64>, LabError> {
    let mut read = lab.store.read().await?;
    let interface = store::interfaces::get_by_mac(&mut read, mac.as_str()).await?.ok_or_else(unknown)?;
    let in_no_network = || LabError::not_found("the interface with this MAC is in no network");
    let network = interface.network_id.ok_or_else(in_no_network)?;
    let network = store::networks::get(&mut read, network).await?.ok_or_else(in_no_network)?;
    if reserved(&interface).is_none() {
        return Ok(None);
    }
    let net = networks::stored(&network.subnet)?;
    let Some(pool) = network.reserved_net.as_deref().map(networks::stored).transpose()? else { return Ok(None) };
    let fits = |subnet: &&Subnet| networks::overlap(subnet.net, net) && subnet.pools.iter().any(|first| pool.contains(first));
    Ok(subnets.iter().find(fits).map(|subnet| subnet.id))
}

/// Leases, last seen first. Those of no machine are the admins': they tell of the network, not of the lab.
///
/// # Errors
/// The store's.
pub async fn list(lab: &Lab, actor: &Actor) -> Result<Vec<Lease>, LabError> {
    actor.must(Action::MachineRead, Ties::NONE)?;
    let all = actor.may(Action::LeaseOfNobody, Ties::NONE);
    let views = store::leases::list(&mut *lab.store.read().await?).await?;
    let wire = |view: store::LeaseView| Lease {
        mac: view.mac,
        ipv4: view.ipv4,
        last_seen_date: instant(view.last_seen_at),
        machine_id: view.machine_id,
        machine: view.machine_name,
    };
    Ok(views.into_iter().filter(|view| all || view.machine_id.is_some()).map(wire).collect())
}

/// A static address wins: the installed system has it, and DHCP must not give it another.
fn reserved(interface: &InterfaceRow) -> Option<Ipv4Addr> {
    match (&interface.static_ipv4, &interface.reserved_ipv4) {
        (None, Some(address)) => address.parse().ok(),
        _ => None,
    }
}

fn unknown() -> LabError {
    LabError::not_found("no machine has this MAC")
}
