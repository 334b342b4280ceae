//! Architectures and their boot flavours.

use std::collections::HashMap;

use app::api::{Arch, ArchInput, Description, Id, ImageType, Subarch, SubarchInput};
use store::{ArchRow, Conn, SubarchRow, SubarchView, Tx, UsedBy};

use super::{
    Action, Actor, Instead, Lab, LabError, Ties,
    audit::{self, Subject, facts},
    in_use, uses,
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
    let subarchs = store::subarchs::list_for_arch(&mut tx, id).await?;
    actor.must_know(&wire(row.clone(), subarchs.into_iter().map(flavour).collect()))?;
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
pub async fn delete(lab: &Lab, actor: &Actor, id: i64, instead: Instead) -> Result<(), LabError> {
    actor.must(Action::ArchManage, Ties::NONE)?;
    let mut tx = lab.store.begin().await?;
    let row = store::archs::get(&mut tx, id).await?.ok_or_else(not_found)?;
    let subarchs = store::subarchs::list_for_arch(&mut tx, id).await?;
    actor.must_know(&wire(row.clone(), subarchs.into_iter().map(flavour).collect()))?;
    let mut pending = Pending::default();
    let what = format!("architecture {}", row.name);
    let users = store::archs::used_by(&mut tx, id).await?;
    match instead.settle(actor, &what, id, &users)? {
        // a machine without an architecture is none
        Some(None) => in_use(&what, users)?,
        Some(Some(other)) => move_to(lab, &mut tx, actor, &mut pending, other, &users).await?,
        None => {}
    }
    store::archs::delete(&mut tx, id).await?;
    audit::gone(&mut tx, actor, Subject::new("arch", id, &row.name), facts::arch(&row)).await?;
    tx.commit().await?;
    lab.journal.publish(pending);
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
/// [`LabError::NotFound`].
pub async fn get_subarch(lab: &Lab, actor: &Actor, arch: i64, id: i64) -> Result<Subarch, LabError> {
    actor.must(Action::ArchRead, Ties::NONE)?;
    subarch_view(&mut *lab.store.read().await?, arch, id).await.map(flavour)
}

/// # Errors
/// As [`create_subarch`]; a bootloader taken away from machines that boot from the network; [`LabError::NotFound`].
pub async fn change_subarch(lab: &Lab, actor: &Actor, arch: i64, id: i64, change: SubarchInput) -> Result<Subarch, LabError> {
    actor.must(Action::ArchManage, Ties::NONE)?;
    let mut tx = lab.store.begin().await?;
    let before = subarch_of(&mut tx, arch, id).await?;
    actor.must_know(&flavour(subarch_view(&mut tx, arch, id).await?))?;
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
pub async fn delete_subarch(lab: &Lab, actor: &Actor, arch: i64, id: i64, instead: Instead) -> Result<(), LabError> {
    actor.must(Action::ArchManage, Ties::NONE)?;
    let mut tx = lab.store.begin().await?;
    let row = subarch_of(&mut tx, arch, id).await?;
    actor.must_know(&flavour(subarch_view(&mut tx, arch, id).await?))?;
    let mut pending = Pending::default();
    let users = store::subarchs::used_by(&mut tx, id).await?;
    if let Some(other) = instead.settle(actor, &format!("subarchitecture {}", row.name), id, &users)? {
        let boots = match other {
            Some(other) => {
                let other = subarch_of(&mut tx, arch, other).await;
                other
                    .map_err(|_| LabError::invalid("there is no such subarchitecture of this architecture to take its place"))?
                    .bootloader_id
            }
            None => None,
        };
        if boots.is_none() {
            must_not_netboot(&mut tx, &row).await?;
        }
        uses::edit_machines(lab, &mut tx, actor, &mut pending, &users, "subarch", |machine| {
            machine.subarch_id = other;
            Ok(())
        })
        .await?;
    }
    store::subarchs::delete(&mut tx, id).await?;
    audit::gone(&mut tx, actor, Subject::new("subarch", id, &row.name), facts::subarch(&row)).await?;
    tx.commit().await?;
    lab.journal.publish(pending);
    Ok(())
}

/// Moves machines and images to another architecture: machines to the flavour of the same name, if there is one.
async fn move_to(lab: &Lab, tx: &mut Tx, actor: &Actor, pending: &mut Pending, other: i64, users: &[UsedBy]) -> Result<(), LabError> {
    store::archs::get(tx, other).await?.ok_or_else(|| LabError::invalid("there is no such architecture to take its place"))?;
    for user in users.iter().filter(|user| user.kind == "image") {
        let Some(before) = store::images::get(tx, user.id).await? else { continue };
        let after = store::ImageRow { arch_id: other, ..before.clone() };
        store::images::update(tx, &after).await?;
        let subject = Subject::new("image", before.id, &before.filename);
        audit::changed(tx, actor, subject, facts::image(&before), facts::image(&after)).await?;
    }
    let mut flavours = HashMap::new();
    for view in store::subarchs::list(tx).await? {
        flavours.insert(view.id, view);
    }
    let same = |name: &str| flavours.values().find(|view| view.arch_id == other && view.name == name);
    uses::edit_machines(lab, tx, actor, pending, users, "arch", |machine| {
        let flavour = machine.subarch_id.and_then(|id| flavours.get(&id)).and_then(|view| same(&view.name));
        if machine.netboot_enabled && flavour.is_none_or(|view| view.bootloader_id.is_none()) {
            return Err(LabError::Conflict(format!(
                "machine {} boots from the network, and the other architecture has no subarchitecture with a bootloader by the same name",
                machine.name
            )));
        }
        machine.arch_id = other;
        machine.subarch_id = flavour.map(|view| view.id);
        Ok(())
    })
    .await
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

async fn subarch_view(conn: &mut Conn, arch: i64, id: i64) -> Result<SubarchView, LabError> {
    let views = store::subarchs::list_for_arch(conn, arch).await?;
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
pub(super) async fn must_not_netboot(tx: &mut Tx, row: &SubarchRow) -> Result<(), LabError> {
    let mut users = Vec::new();
    for user in store::subarchs::used_by(tx, row.id).await? {
        if store::machines::get(tx, user.id).await?.is_some_and(|machine| machine.netboot_enabled) {
            users.push(user);
        }
    }
    in_use(&format!("the bootloader of {}", row.name), users)
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
