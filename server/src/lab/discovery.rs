//! Machines that ask for an address: known ones get an event, the others are kept for an admin to look at.

use app::api::{
    DiscoveredChange, DiscoveredInfo, DiscoveredInterface, DiscoveredMac, EventKind, Id, Interface, List, MacAddr, Machine, NewInterface,
    NewMachine,
};
use serde_json::json;
use store::DiscoveredRow;

use super::{
    Action, Actor, Lab, LabError, Ties,
    audit::{self, Subject},
    interfaces, machines, vendors,
};
use crate::journal::{instant, now_micros};

/// Most unknown MACs kept: whoever can reach the DHCP server can make up MACs (W26).
pub(super) const MOST: i64 = 4096;
/// A host name's limit (RFC 1035).
const HOSTNAME: usize = 255;

/// What a DHCP packet said of its sender.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// Option 12.
    pub hostname: Option<String>,
    /// Option 93.
    pub arch_code: Option<i64>,
}

/// Notes a DHCP packet: true when the MAC is a machine's.
///
/// # Errors
/// The store's.
pub async fn seen(lab: &Lab, mac: &MacAddr, discover: bool, said: Said) -> Result<bool, LabError> {
    let interface = store::interfaces::get_by_mac(&mut *lab.store.read().await?, mac.as_str()).await?;
    if let Some(interface) = interface {
        lab.journal.record(interface.machine_id, None, EventKind::DhcpReq { discover }).await?;
        return Ok(true);
    }
    // files are read: not within a transaction
    let vendor = vendors::of(&lab.config.compat.vendor_files, mac).await;
    let mut tx = lab.store.begin().await?;
    if store::interfaces::get_by_mac(&mut tx, mac.as_str()).await?.is_some() {
        // it has become a machine's meanwhile
        return Ok(true);
    }
    let before = store::discovered_macs::get_by_mac(&mut tx, mac.as_str()).await?;
    // firmware tells its architecture, an installed system its name: both are worth keeping
    let mut info = before.map(|row| info(&row.info)).unwrap_or_default();
    info.mac_vendor = vendor;
    if let Some(hostname) = said.hostname {
        info.hostname = Some(hostname.chars().filter(|c| !c.is_control()).take(HOSTNAME).collect());
    }
    if let Some(code) = said.arch_code {
        info.arch_code = Some(code);
        info.arch = Some(arch(code).into());
    }
    let info = serde_json::to_string(&info).map_err(|error| LabError::Internal(format!("what was seen of {mac}: {error}")))?;
    store::discovered_macs::put(&mut tx, mac.as_str(), &info, now_micros()).await?;
    audit::tell(&mut tx, &[List::Discovered]);
    tx.commit().await?;
    Ok(false)
}

/// Last seen first; dismissed ones only when asked for.
///
/// # Errors
/// Actors other than admins.
pub async fn list(lab: &Lab, actor: &Actor, dismissed: bool) -> Result<Vec<DiscoveredMac>, LabError> {
    actor.must(Action::DiscoveryManage, Ties::NONE)?;
    let rows = store::discovered_macs::list(&mut *lab.store.read().await?).await?;
    Ok(rows.into_iter().filter(|row| dismissed || !row.dismissed).map(wire).collect())
}

/// # Errors
/// Actors other than admins; [`LabError::NotFound`].
pub async fn get(lab: &Lab, actor: &Actor, id: i64) -> Result<DiscoveredMac, LabError> {
    actor.must(Action::DiscoveryManage, Ties::NONE)?;
    let row = store::discovered_macs::get(&mut *lab.store.read().await?, id).await?;
    row.map(wire).ok_or_else(not_found)
}

/// # Errors
/// Actors other than admins; [`LabError::NotFound`].
pub async fn change(lab: &Lab, actor: &Actor, id: i64, change: DiscoveredChange) -> Result<DiscoveredMac, LabError> {
    actor.must(Action::DiscoveryManage, Ties::NONE)?;
    let mut tx = lab.store.begin().await?;
    let before = store::discovered_macs::get(&mut tx, id).await?.ok_or_else(not_found)?;
    actor.must_know(&wire(before.clone()))?;
    store::discovered_macs::set_dismissed(&mut tx, id, change.dismissed).await?;
    let row = store::discovered_macs::get(&mut tx, id).await?.ok_or_else(not_found)?;
    let told = |row: &DiscoveredRow| json!({ "dismissed": row.dismissed });
    audit::changed(&mut tx, actor, Subject::new("discovered", id, &row.mac), told(&before), told(&row)).await?;
    tx.commit().await?;
    Ok(wire(row))
}

/// Forgets it; its next packet brings it back.
///
/// # Errors
/// Actors other than admins; [`LabError::NotFound`].
pub async fn delete(lab: &Lab, actor: &Actor, id: i64) -> Result<(), LabError> {
    actor.must(Action::DiscoveryManage, Ties::NONE)?;
    let mut tx = lab.store.begin().await?;
    let row = store::discovered_macs::get(&mut tx, id).await?.ok_or_else(not_found)?;
    actor.must_know(&wire(row.clone()))?;
    store::discovered_macs::delete(&mut tx, id).await?;
    audit::gone(&mut tx, actor, Subject::new("discovered", id, &row.mac), json!({ "mac": row.mac })).await?;
    tx.commit().await?;
    Ok(())
}

/// Makes a machine whose first MAC is this one; it is discovered no longer.
///
/// # Errors
/// Actors other than admins; [`LabError::NotFound`]; as [`machines::create`].
pub async fn into_machine(lab: &Lab, actor: &Actor, id: i64, mut new: NewMachine) -> Result<Machine, LabError> {
    let mac = mac(lab, actor, id).await?;
    new.macs.retain(|other| *other != mac);
    new.macs.insert(0, mac);
    machines::create(lab, actor, new).await
}

/// Gives a machine an interface with this MAC; it is discovered no longer.
///
/// # Errors
/// Actors other than admins; [`LabError::NotFound`]; as [`interfaces::create`].
pub async fn into_interface(lab: &Lab, actor: &Actor, id: i64, new: DiscoveredInterface) -> Result<Interface, LabError> {
    let mac = mac(lab, actor, id).await?;
    let Id(machine) = new.machine_id;
    let interface =
        NewInterface { mac, identifier: new.identifier, network_id: new.network_id, config_type_v4: None, configured_ipv4: None };
    interfaces::create(lab, actor, machine, interface).await
}

async fn mac(lab: &Lab, actor: &Actor, id: i64) -> Result<MacAddr, LabError> {
    actor.must(Action::DiscoveryManage, Ties::NONE)?;
    let row = store::discovered_macs::get(&mut *lab.store.read().await?, id).await?.ok_or_else(not_found)?;
    MacAddr::parse(&row.mac).map_err(LabError::Internal)
}

fn not_found() -> LabError {
    LabError::not_found("discovered MAC not found")
}

/// What is stored is ours; what is not understood any more is nothing.
fn info(text: &str) -> DiscoveredInfo {
    serde_json::from_str(text).unwrap_or_default()
}

fn wire(row: DiscoveredRow) -> DiscoveredMac {
    DiscoveredMac {
        id: row.id,
        mac: row.mac,
        first_seen: instant(row.first_seen_at),
        last_seen: instant(row.last_seen_at),
        dismissed: row.dismissed,
        info: info(&row.info),
    }
}

/// The name of a client's architecture: RFC 4578 §2.1 as IANA continues it ("Processor Architecture Types").
fn arch(code: i64) -> &'static str {
    match code {
        0x00 => "x86 BIOS",
        0x01 => "NEC PC98",
        0x02 => "Itanium",
        0x03 => "DEC Alpha",
        0x04 => "Arc x86",
        0x05 => "Intel Lean Client",
        0x06 => "x86 UEFI",
        0x07 => "x64 UEFI",
        0x08 => "EFI Xscale",
        0x09 => "EBC",
        0x0a => "ARM 32-bit UEFI",
        0x0b => "ARM 64-bit UEFI",
        0x0c => "PowerPC Open Firmware",
        0x0d => "PowerPC ePAPR",
        0x0e => "POWER OPAL v3",
        0x0f => "x86 UEFI, HTTP boot",
        0x10 => "x64 UEFI, HTTP boot",
        0x11 => "EBC, HTTP boot",
        0x12 => "ARM 32-bit UEFI, HTTP boot",
        0x13 => "ARM 64-bit UEFI, HTTP boot",
        0x14 => "x86 BIOS, HTTP boot",
        0x15 => "ARM 32-bit U-Boot",
        0x16 => "ARM 64-bit U-Boot",
        0x17 => "ARM 32-bit U-Boot, HTTP boot",
        0x18 => "ARM 64-bit U-Boot, HTTP boot",
        0x19 => "RISC-V 32-bit UEFI",
        0x1a => "RISC-V 32-bit UEFI, HTTP boot",
        0x1b => "RISC-V 64-bit UEFI",
        0x1c => "RISC-V 64-bit UEFI, HTTP boot",
        0x1d => "RISC-V 128-bit UEFI",
        0x1e => "RISC-V 128-bit UEFI, HTTP boot",
        _ => "unknown",
    }
}
