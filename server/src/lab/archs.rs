//! Architectures and their boot flavours.

use std::collections::HashMap;

use app::api::{Arch, ArchInput, Description, Id, ImageType, Subarch, SubarchInput};
use store::{ArchRow, SubarchRow, SubarchView, Tx, UsedBy};

use super::{
    Action, Actor, Lab, LabError, Ties,
    audit::{self, Subject, facts},
    in_use,
};
use crate::journal::Pending;

/// All architectures by name, each with its flavours by name.
///
/// # Errors
/// The store's.
pub async fn list(lab: &Lab, actor: &Actor) -> Result<Vec<Arch>, LabError> {
    actor.must(Action::ArchRead, Ties::NONE)?;
    let mut read = lab.store.read().await?;
    let rows = store::archs::list(&mut read).await?;
    let mut flavours: HashMap<i64, Vec<Subarch>> = HashMap::new();
    for view in store::subarchs::list(&mut read).await? {
        flavours.entry(view.arch_id).or_default().push(flavour(view));
    }
    drop(read);
    Ok(rows
        .into_iter()
        .map(|row| {
            let subarchs = flavours.remove(&row.id).unwrap_or_default();
            wire(row, subarchs)
        })
        .collect())
}

/// # Errors
/// [`LabError::NotFound`].
pub async fn get(lab: &Lab, actor: &Actor, id: i64) -> Result<Arch, LabError> {
    actor.must(Action::ArchRead, Ties::NONE)?;
    let mut read = lab.store.read().await?;
    let row = store::archs::get(&mut read, id).await?.ok_or_else(not_found)?;
    let subarchs = store::subarchs::list_for_arch(&mut read, id).await?;
    Ok(wire(row, subarchs.into_iter().map(flavour).collect()))
}

/// # Errors
/// Actors other than admins; a name that is taken.
pub async fn create(lab: &Lab, actor: &Actor, new: ArchInput) -> Result<Arch, LabError> {
    actor.must(Action::ArchManage, Ties::NONE)?;
    let new = store::NewArch { name: new.name.into_string(), description: text(new.description) };
    let mut tx = lab.store.begin().await?;
    let id = store::archs::insert(&mut tx, &new).await?;
    let row = ArchRow { id, name: new.name, description: new.description };
    audit::made(&mut tx, actor, Subject::new("arch", id, &row.name), facts::arch(&row)).await?;
    tx.commit().await?;
    Ok(wire(row, Vec::new()))
}

/// # Errors
/// Actors other than admins; a name that is taken; [`LabError::NotFound`].
pub async fn change(lab: &Lab, actor: &Actor, id: i64, change: ArchInput) -> Result<Arch, LabError> {
    actor.must(Action::ArchManage, Ties::NONE)?;
    let mut tx = lab.store.begin().await?;
    let mut row = store::archs::get(&mut tx, id).await?.ok_or_else(not_found)?;
    let renamed = row.name != change.name.as_str();
    let before = row.clone();
    row.name = change.name.into_string();
    if let Some(description) = change.description {
        row.description = description.into_string();
    }
    store::archs::update(&mut tx, &row).await?;
    audit::changed(&mut tx, actor, Subject::new("arch", id, &before.name), facts::arch(&before), facts::arch(&row)).await?;
    let users = store::archs::used_by(&mut tx, id).await?;
    let subarchs = store::subarchs::list_for_arch(&mut tx, id).await?;
    tx.commit().await?;
    if renamed {
        tell(lab, &users);
    }
    Ok(wire(row, subarchs.into_iter().map(flavour).collect()))
}

/// Removes an architecture with its flavours.
///
/// # Errors
/// Actors other than admins; [`LabError::InUse`] while machines or images are of it.
pub async fn delete(lab: &Lab, actor: &Actor, id: i64) -> Result<(), LabError> {
    actor.must(Action::ArchManage, Ties::NONE)?;
    let mut tx = lab.store.begin().await?;
    let row = store::archs::get(&mut tx, id).await?.ok_or_else(not_found)?;
    in_use(&format!("architecture {}", row.name), store::archs::used_by(&mut tx, id).await?)?;
    store::archs::delete(&mut tx, id).await?;
    audit::gone(&mut tx, actor, Subject::new("arch", id, &row.name), facts::arch(&row)).await?;
    tx.commit().await?;
    Ok(())
}

/// # Errors
/// Actors other than admins; a name that is taken; a bootloader that is none, or of another architecture.
pub async fn create_subarch(lab: &Lab, actor: &Actor, arch: i64, new: SubarchInput) -> Result<Subarch, LabError> {
    actor.must(Action::ArchManage, Ties::NONE)?;
    let mut tx = lab.store.begin().await?;
    store::archs::get(&mut tx, arch).await?.ok_or_else(not_found)?;
    let bootloader_id = new.bootloader_id.flatten().map(|Id(id)| id);
    must_be_bootloader(&mut tx, arch, bootloader_id).await?;
    let row = store::NewSubarch {
        arch_id: arch,
        name: new.name.into_string(),
        description: text(new.description),
        bootloader_id,
        efiboot: new.efiboot,
    };
    let id = store::subarchs::insert(&mut tx, &row).await?;
    let made = subarch_of(&mut tx, arch, id).await?;
    audit::made(&mut tx, actor, Subject::new("subarch", id, &made.name), facts::subarch(&made)).await?;
    let view = subarch_view(&mut tx, arch, id).await?;
    tx.commit().await?;
    Ok(flavour(view))
}

/// # Errors
/// As [`create_subarch`]; a bootloader taken away from machines that boot from the network; [`LabError::NotFound`].
pub async fn change_subarch(lab: &Lab, actor: &Actor, arch: i64, id: i64, change: SubarchInput) -> Result<Subarch, LabError> {
    actor.must(Action::ArchManage, Ties::NONE)?;
    let mut tx = lab.store.begin().await?;
    let before = subarch_of(&mut tx, arch, id).await?;
    let mut after = before.clone();
    after.name = change.name.into_string();
    if let Some(description) = change.description {
        after.description = description.into_string();
    }
    if let Some(bootloader) = change.bootloader_id {
        after.bootloader_id = bootloader.map(|Id(id)| id);
    }
    after.efiboot = change.efiboot;
    if before.bootloader_id != after.bootloader_id {
        must_be_bootloader(&mut tx, arch, after.bootloader_id).await?;
        if after.bootloader_id.is_none() {
            must_not_netboot(&mut tx, &before).await?;
        }
    }
    store::subarchs::update(&mut tx, &after).await?;
    let subject = Subject::new("subarch", id, &before.name);
    audit::changed(&mut tx, actor, subject, facts::subarch(&before), facts::subarch(&after)).await?;
    let users = store::subarchs::used_by(&mut tx, id).await?;
    let view = subarch_view(&mut tx, arch, id).await?;
    tx.commit().await?;
    tell(lab, &users);
    Ok(flavour(view))
}

/// # Errors
/// Actors other than admins; [`LabError::InUse`] while machines are of it; [`LabError::NotFound`].
pub async fn delete_subarch(lab: &Lab, actor: &Actor, arch: i64, id: i64) -> Result<(), LabError> {
    actor.must(Action::ArchManage, Ties::NONE)?;
    let mut tx = lab.store.begin().await?;
    let row = subarch_of(&mut tx, arch, id).await?;
    in_use(&format!("subarchitecture {}", row.name), store::subarchs::used_by(&mut tx, id).await?)?;
    store::subarchs::delete(&mut tx, id).await?;
    audit::gone(&mut tx, actor, Subject::new("subarch", id, &row.name), facts::subarch(&row)).await?;
    tx.commit().await?;
    Ok(())
}

fn not_found() -> LabError {
    LabError::not_found("architecture not found")
}

fn subarch_not_found() -> LabError {
    LabError::not_found("subarchitecture not found")
}

fn text(description: Option<Description>) -> String {
    description.map(Description::into_string).unwrap_or_default()
}

async fn subarch_of(tx: &mut Tx, arch: i64, id: i64) -> Result<SubarchRow, LabError> {
    store::subarchs::get(tx, id).await?.filter(|row| row.arch_id == arch).ok_or_else(subarch_not_found)
}

async fn subarch_view(tx: &mut Tx, arch: i64, id: i64) -> Result<SubarchView, LabError> {
    let views = store::subarchs::list_for_arch(tx, arch).await?;
    views.into_iter().find(|view| view.id == id).ok_or_else(subarch_not_found)
}

async fn must_be_bootloader(tx: &mut Tx, arch: i64, image: Option<i64>) -> Result<(), LabError> {
    let Some(id) = image else { return Ok(()) };
    let image = store::images::get(tx, id).await?.ok_or_else(|| LabError::invalid("no such bootloader"))?;
    if image.file_type != ImageType::Bootloader.word() {
        return Err(LabError::invalid("Specified image is not a bootloader"));
    }
    if image.arch_id != arch {
        return Err(LabError::invalid("Bootloader architecture must match architecture"));
    }
    Ok(())
}

/// Without its bootloader no machine of the flavour could boot from the network.
async fn must_not_netboot(tx: &mut Tx, row: &SubarchRow) -> Result<(), LabError> {
    let machines = store::machines::list(tx).await?.into_iter();
    let by: Vec<String> = machines
        .filter(|machine| machine.subarch_id == Some(row.id) && machine.netboot_enabled)
        .map(|machine| format!("machine {}", machine.name))
        .collect();
    if by.is_empty() { Ok(()) } else { Err(LabError::InUse { what: format!("the bootloader of {}", row.name), by }) }
}

fn tell(lab: &Lab, users: &[UsedBy]) {
    let mut pending = Pending::default();
    users.iter().filter(|user| user.kind == "machine").for_each(|machine| pending.changed(machine.id));
    lab.journal.publish(pending);
}

fn wire(row: ArchRow, subarchs: Vec<Subarch>) -> Arch {
    Arch { id: row.id, name: row.name, description: row.description, subarchs }
}

fn flavour(view: SubarchView) -> Subarch {
    Subarch {
        id: view.id,
        name: view.name,
        description: view.description,
        bootloader_id: view.bootloader_id,
        bootloader: view.bootloader_filename,
        efiboot: view.efiboot,
    }
}
