//! Machines: who sees and changes them, and what a consistent one is.

mod listing;
mod order;
mod reservation;
mod tags;

use std::collections::HashSet;

use app::api::{
    BmcType, Event, EventKind, Id, ImageType, LabEvent, MacAddr, Machine, MachineChange, MachineState, NewMachine, PowerState, Tag,
};
use serde_json::json;
use store::{Conn, MachineRow, Tx};

use super::{
    Action, Actor, Lab, LabError, Ties,
    audit::{self, Subject, facts},
    bmcs, images, mac_taken, preseeds,
};
use crate::{
    journal::{self, Pending, now_micros},
    secrets,
};
use listing::load;
pub use listing::{From, Listings, Part, Place, Slice, Wanted, get, list, part};
pub use order::Key;
pub use reservation::reserve;

/// Makes a machine with its interfaces.
///
/// # Errors
/// Actors other than admins, names that are taken or name nothing.
pub async fn create(lab: &Lab, actor: &Actor, new: NewMachine) -> Result<Machine, LabError> {
    actor.must(Action::MachineCreate, Ties::NONE)?;
    let preseed_key = secrets::random_hex::<16>()?;
    must_differ(&new.macs)?;
    let mut tx = lab.store.begin().await?;
    let arch = named_arch(&mut tx, &new.arch).await?;
    let subarch_id = match &new.subarch {
        Some(name) => Some(named_subarch(&mut tx, &arch, name).await?),
        None => None,
    };
    let bmc_id = new.bmc_id.map(|Id(id)| id);
    let bmc_info = new.bmc_info.trim().to_owned();
    fits_bmc(&mut tx, bmc_id, &bmc_info).await?;
    let row = store::NewMachine {
        name: new.name.into_string(),
        arch_id: arch.id,
        subarch_id,
        bmc_id,
        bmc_info,
        preseed_key,
        created_at: now_micros(),
    };
    let id = store::machines::insert(&mut tx, &row).await?;
    for mac in new.macs {
        let interface = store::NewInterface {
            machine_id: id,
            mac: mac.into_string(),
            identifier: String::new(),
            network_id: None,
            static_ipv4: None,
            reserved_ipv4: None,
        };
        store::interfaces::insert(&mut tx, &interface).await.map_err(|error| mac_taken(error, &interface.mac))?;
        store::discovered_macs::delete_by_mac(&mut tx, &interface.mac).await?;
    }
    tags::set(&mut tx, id, new.tags).await?;
    let machine = load(lab, actor, &mut tx, id).await?;
    if let Some(made) = store::machines::get(&mut tx, id).await? {
        let mut told = facts::machine(&made);
        told["macs"] = machine.macs.clone().into();
        audit::made(&mut tx, actor, Subject::new("machine", id, &made.name), told).await?;
    }
    tx.commit().await?;
    let mut pending = Pending::default();
    pending.changed(id);
    lab.journal.publish(pending);
    Ok(machine)
}

/// Changes a machine. Everything is checked before anything is written.
///
/// # Errors
/// Actors who are neither admin nor assignee, and what would leave an inconsistent machine.
pub async fn change(lab: &Lab, actor: &Actor, id: i64, mut change: MachineChange) -> Result<Machine, LabError> {
    let tags = change.tags.take().map_or(Labels::AsTheyAre, Labels::These);
    change_with(lab, actor, id, change, tags).await
}

/// Gives a machine labels and takes others from it, whatever else it has.
///
/// # Errors
/// As [`change`].
pub async fn relabel(lab: &Lab, actor: &Actor, id: i64, add: &[Tag], remove: &[Tag]) -> Result<Machine, LabError> {
    change_with(lab, actor, id, MachineChange::default(), Labels::Other { add, remove }).await
}

/// What becomes of a machine's labels.
enum Labels<'a> {
    AsTheyAre,
    These(Vec<Tag>),
    Other { add: &'a [Tag], remove: &'a [Tag] },
}

impl Labels<'_> {
    /// All the machine is to have; none when nothing is said of them.
    fn instead_of(self, had: &[String]) -> Option<Vec<Tag>> {
        match self {
            Labels::AsTheyAre => None,
            Labels::These(tags) => Some(tags),
            Labels::Other { add, remove } => {
                let kept = had.iter().filter(|tag| !remove.iter().any(|gone| gone.as_str() == *tag));
                // a label that the machine has is one
                Some(kept.filter_map(|tag| Tag::parse(tag).ok()).chain(add.iter().cloned()).collect())
            }
        }
    }
}

async fn change_with(lab: &Lab, actor: &Actor, id: i64, change: MachineChange, labels: Labels<'_>) -> Result<Machine, LabError> {
    let mut tx = lab.store.begin().await?;
    let (before, ties) = with_ties(&mut tx, actor, id).await?;
    // who may do neither learns nothing of what would be wrong
    if !actor.may(Action::MachineOverview, ties) {
        actor.must(Action::MachineProvisioning, ties)?;
    }
    if actor.known.is_some() {
        actor.must_know(&load(lab, actor, &mut tx, id).await?)?;
    }
    let mut after = before.clone();
    change_overview(&mut tx, actor, &change, &before, &mut after).await?;
    let overview = after.clone();
    change_provisioning(&mut tx, actor, change, &before, &mut after).await?;
    if after != overview {
        actor.must(Action::MachineProvisioning, ties)?;
    }
    let mut changed = differences(&before, &after);
    let had = tags::of(&mut tx, id).await?;
    if let Some(tags) = labels.instead_of(&had)
        && tags::set(&mut tx, id, tags).await?
    {
        actor.must(Action::MachineProvisioning, ties)?;
        changed.push("tags".into());
        let has = tags::of(&mut tx, id).await?;
        let subject = Subject::new("machine", id, &before.name);
        audit::changed(&mut tx, actor, subject, json!({ "tags": had }), json!({ "tags": has })).await?;
    }
    if changed.is_empty() {
        return load(lab, actor, &mut tx, id).await;
    }
    after.updated_at = now_micros();
    store::machines::update(&mut tx, &after).await?;
    let subject = Subject::new("machine", id, &before.name);
    audit::changed(&mut tx, actor, subject, facts::machine(&before), facts::machine(&after)).await?;
    let mut pending = Pending::default();
    lab.journal.record_in(&mut tx, &mut pending, id, Some(&actor.cause()), EventKind::SettingsChange { changed }).await?;
    pending.changed(id);
    let mut machine = load(lab, actor, &mut tx, id).await?;
    tx.commit().await?;
    if (before.bmc_id, &before.bmc_info) != (after.bmc_id, &after.bmc_info) {
        // what the other BMC said is not this machine's
        lab.fleet.forget_machine(id);
        lab.consoles.look_again(id);
        (machine.power, machine.power_error) = power_of(lab, id);
    }
    lab.journal.publish(pending);
    Ok(machine)
}

/// Removes a machine with its interfaces, assignments and events.
///
/// # Errors
/// Actors other than admins; [`LabError::NotFound`].
pub async fn delete(lab: &Lab, actor: &Actor, id: i64) -> Result<(), LabError> {
    actor.must(Action::MachineDelete, Ties::NONE)?;
    let mut tx = lab.store.begin().await?;
    let row = store::machines::get(&mut tx, id).await?.ok_or_else(not_found)?;
    if actor.known.is_some() {
        actor.must_know(&load(lab, actor, &mut tx, id).await?)?;
    }
    store::machines::delete(&mut tx, id).await?;
    audit::gone(&mut tx, actor, Subject::new("machine", id, &row.name), facts::machine(&row)).await?;
    tx.commit().await?;
    lab.fleet.forget_machine(id);
    lab.consoles.look_again(id);
    lab.journal.tell(LabEvent::Removed { machine: id });
    Ok(())
}

/// What happened to a machine, newest first or `upwards`: at most `limit` events, those beyond the event `beyond`.
///
/// # Errors
/// [`LabError::NotFound`] when there is no such machine.
pub async fn events(lab: &Lab, actor: &Actor, id: i64, beyond: Option<i64>, upwards: bool, limit: usize) -> Result<Vec<Event>, LabError> {
    actor.must(Action::MachineRead, Ties::NONE)?;
    let mut read = lab.store.read().await?;
    let (_, ties) = with_ties(&mut read, actor, id).await?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = match upwards {
        true => store::events::list_upwards(&mut read, id, beyond.unwrap_or_default(), limit).await?,
        false => store::events::list(&mut read, id, beyond, limit).await?,
    };
    let all = actor.may(Action::MachineDetails, ties);
    let shown = |event: Event| if all { event } else { event.without_details() };
    Ok(rows.into_iter().filter_map(journal::event).map(shown).collect())
}

/// The machine, and what the actor is to it.
///
/// # Errors
/// [`LabError::NotFound`].
pub(super) async fn with_ties(conn: &mut Conn, actor: &Actor, id: i64) -> Result<(MachineRow, Ties), LabError> {
    let row = store::machines::get(conn, id).await?.ok_or_else(not_found)?;
    let assigned = store::assignments::get_for(conn, id, actor.user_id).await?.is_some();
    Ok((row, Ties::assigned(assigned)))
}

/// What is known of a machine's power, and why it is not known.
#[must_use]
pub fn power_of(lab: &Lab, machine: i64) -> (PowerState, Option<String>) {
    let reading = lab.fleet.power(machine);
    (reading.state, reading.error)
}

/// A stored state. The schema allows no other words.
#[must_use]
pub fn state(word: &str) -> MachineState {
    match word {
        "provisioning" => MachineState::Provisioning,
        "ready" => MachineState::Ready,
        "error" => MachineState::Error,
        _ => MachineState::Unknown,
    }
}

pub(super) fn not_found() -> LabError {
    LabError::not_found("machine not found")
}

/// Name, architecture and BMC: the admins'. A client that sends back what it read changes nothing and needs no right.
async fn change_overview(
    tx: &mut Tx,
    actor: &Actor,
    change: &MachineChange,
    before: &MachineRow,
    after: &mut MachineRow,
) -> Result<(), LabError> {
    if let Some(name) = &change.name {
        after.name = name.as_str().to_owned();
    }
    if let Some(name) = &change.arch {
        let arch = named_arch(tx, name).await?;
        if arch.id != before.arch_id && before.subarch_id.is_some() && change.subarch.is_none() {
            return Err(LabError::invalid(format!(
                "the machine's subarch belongs to its present architecture: send with it a subarch of {name}, or null"
            )));
        }
        after.arch_id = arch.id;
    }
    if let Some(bmc) = change.bmc_id {
        after.bmc_id = bmc.map(|Id(id)| id);
    }
    if let Some(info) = &change.bmc_info {
        after.bmc_info = info.trim().to_owned();
    }
    let same = before.name == after.name && before.arch_id == after.arch_id;
    let same_bmc = before.bmc_id == after.bmc_id && before.bmc_info == after.bmc_info;
    let changes = !same || !same_bmc;
    if changes {
        actor.must(Action::MachineOverview, Ties::NONE)?;
    }
    if !same_bmc {
        fits_bmc(tx, after.bmc_id, &after.bmc_info).await?;
    }
    Ok(())
}

/// What a machine boots: its assignees' too.
async fn change_provisioning(
    tx: &mut Tx,
    actor: &Actor,
    change: MachineChange,
    before: &MachineRow,
    after: &mut MachineRow,
) -> Result<(), LabError> {
    match change.subarch {
        Some(Some(name)) => {
            let arch = store::archs::get(tx, after.arch_id).await?.ok_or_else(|| LabError::invalid("no such architecture"))?;
            after.subarch_id = Some(named_subarch(tx, &arch, &name).await?);
        }
        Some(None) => after.subarch_id = None,
        None => {}
    }
    after.preseed_id = chosen(before.preseed_id, change.preseed_id);
    if let Some(id) = after.preseed_id.filter(|_| after.preseed_id != before.preseed_id) {
        let preseed = store::preseeds::get(tx, id).await?.ok_or_else(|| LabError::invalid("no such preseed"))?;
        if !preseeds::visible(actor, preseed.public, preseed.user_id) {
            return Err(LabError::Forbidden("not allowed to use preseed".into()));
        }
    }
    after.kernel_id = chosen(before.kernel_id, change.kernel_id);
    if let Some(id) = after.kernel_id.filter(|_| after.kernel_id != before.kernel_id) {
        usable(tx, actor, id, ImageType::Kernel, "kernel", "a").await?;
    }
    after.initrd_id = chosen(before.initrd_id, change.initrd_id);
    if let Some(id) = after.initrd_id.filter(|_| after.initrd_id != before.initrd_id) {
        usable(tx, actor, id, ImageType::Initrd, "initrd", "an").await?;
    }
    if let Some(options) = change.kernel_opts {
        after.kernel_opts = options.into_string();
    }
    after.netboot_enabled = change.netboot_enabled.unwrap_or(before.netboot_enabled);
    let boots_otherwise = (before.netboot_enabled, before.subarch_id) != (after.netboot_enabled, after.subarch_id);
    if after.netboot_enabled && boots_otherwise {
        let subarch = match after.subarch_id {
            Some(id) => store::subarchs::get(tx, id).await?,
            None => None,
        };
        if subarch.is_none_or(|subarch| subarch.bootloader_id.is_none()) {
            return Err(LabError::invalid("Enabled netboot requires a subarch with a valid bootloader"));
        }
    }
    Ok(())
}

fn chosen(present: Option<i64>, wanted: Option<Option<Id>>) -> Option<i64> {
    wanted.map_or(present, |id| id.map(|Id(id)| id))
}

async fn usable(tx: &mut Tx, actor: &Actor, id: i64, kind: ImageType, word: &str, article: &str) -> Result<(), LabError> {
    let image = store::images::get(tx, id).await?.ok_or_else(|| LabError::invalid(format!("no such {word}")))?;
    if !images::visible(actor, image.public, image.user_id) {
        return Err(LabError::Forbidden(format!("not allowed to use {word}")));
    }
    if image.file_type != kind.word() {
        return Err(LabError::invalid(format!("{word} is not {article} {word}")));
    }
    Ok(())
}

async fn named_arch(tx: &mut Tx, name: &str) -> Result<store::ArchRow, LabError> {
    store::archs::get_by_name(tx, name).await?.ok_or_else(|| LabError::invalid("no such architecture"))
}

async fn named_subarch(tx: &mut Tx, arch: &store::ArchRow, name: &str) -> Result<i64, LabError> {
    let subarch = store::subarchs::get_by_name(tx, arch.id, name).await?;
    subarch.map(|subarch| subarch.id).ok_or_else(|| LabError::invalid(format!("no such subarch for architecture {}", arch.name)))
}

/// Of the two interfaces the second would be told to have the first one's address, which nobody has yet.
fn must_differ(macs: &[MacAddr]) -> Result<(), LabError> {
    let mut seen = HashSet::new();
    match macs.iter().find(|mac| !seen.insert(*mac)) {
        Some(mac) => Err(LabError::invalid(format!("MAC {mac} was given twice"))),
        None => Ok(()),
    }
}

/// Checks that the BMC exists and finds its machine by `info`.
async fn fits_bmc(tx: &mut Tx, bmc: Option<i64>, info: &str) -> Result<(), LabError> {
    let kind = match bmc {
        Some(id) => {
            let bmc = store::bmcs::get(tx, id).await?;
            bmcs::kind(&bmc.ok_or_else(|| LabError::invalid(format!("A BMC with id={id} does not exist")))?.bmc_type)
        }
        None => BmcType::Plain,
    };
    bmcs::check_info(kind, info).map_err(LabError::invalid)
}

/// Names of the fields that differ, as the API calls them.
fn differences(before: &MachineRow, after: &MachineRow) -> Vec<String> {
    let fields = [
        ("name", before.name != after.name),
        ("arch", before.arch_id != after.arch_id),
        ("subarch", before.subarch_id != after.subarch_id),
        ("bmc_id", before.bmc_id != after.bmc_id),
        ("bmc_info", before.bmc_info != after.bmc_info),
        ("kernel_id", before.kernel_id != after.kernel_id),
        ("kernel_opts", before.kernel_opts != after.kernel_opts),
        ("initrd_id", before.initrd_id != after.initrd_id),
        ("preseed_id", before.preseed_id != after.preseed_id),
        ("netboot_enabled", before.netboot_enabled != after.netboot_enabled),
    ];
    fields.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name.to_owned()).collect()
}
