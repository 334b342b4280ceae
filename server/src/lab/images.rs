//! Kernels, initrds and bootloaders. The file first, the row second: a row without its file cannot be.

use std::{collections::HashSet, path::PathBuf};

use app::api::{Description, Image, ImageChange, ImageType, NewImage};
use store::{ImageRow, ImageView, Tx, UsedBy};

use super::{
    Action, Actor, Instead, Lab, LabError, Ties, archs,
    audit::{self, Subject, facts},
    in_use, uses, whole,
};
use crate::{
    images::{ReceiveError, Received, Swept, safe_name, shown_name},
    journal::{Pending, instant, now_micros},
    secrets,
};

/// Tries to find a free path before giving up; a second one is needed once in four billion uploads.
const PATH_TRIES: usize = 3;

/// The images the actor may see, by path, or only its own.
///
/// # Errors
/// The store's.
pub async fn list(lab: &Lab, actor: &Actor, all: bool) -> Result<Vec<Image>, LabError> {
    let mut read = lab.store.read().await?;
    let mut views = match (all, actor.may(Action::ImageRead, Ties::NONE)) {
        (true, true) => store::images::list(&mut read).await?,
        (true, false) => store::images::list_visible_to(&mut read, actor.user_id).await?,
        (false, _) => store::images::list_owned_by(&mut read, actor.user_id).await?,
    };
    drop(read);
    views.sort_by(|a, b| a.filename.cmp(&b.filename));
    Ok(views.into_iter().map(|view| wire(actor, view)).collect())
}

/// # Errors
/// [`LabError::NotFound`]; [`LabError::Forbidden`] for another's private one.
pub async fn get(lab: &Lab, actor: &Actor, id: i64) -> Result<Image, LabError> {
    let mut read = lab.store.read().await?;
    let view = store::images::view(&mut read, id).await?.ok_or_else(not_found)?;
    actor.must(Action::ImageRead, Ties::owned(actor, view.user_id).and_public(view.public))?;
    Ok(wire(actor, view))
}

/// An image, and where its content is.
///
/// # Errors
/// As [`get`].
pub async fn content(lab: &Lab, actor: &Actor, id: i64) -> Result<(Image, PathBuf), LabError> {
    let image = get(lab, actor, id).await?;
    let path = lab.images.path(&image.sha256);
    Ok((image, path))
}

/// Checks what can be checked of an upload before its file is there.
///
/// # Errors
/// The actor's right; no or an unknown architecture.
pub async fn check(lab: &Lab, actor: &Actor, new: &NewImage) -> Result<(), LabError> {
    actor.must(Action::ImageCreate, Ties::NONE)?;
    if new.arch.is_empty() {
        return Err(LabError::invalid("arch is required"));
    }
    let arch = store::archs::get_by_name(&mut *lab.store.read().await?, &new.arch).await?;
    arch.map(drop).ok_or_else(no_such_arch)
}

/// Makes an image of a file that was received, and says whether it did: with `once`, a file that the actor uploaded before, by
/// the same name, as the same type and for the same architecture, stays the one image it is. Goes on to its end even when
/// nobody waits for it any more, so that the file and its row come to be together.
///
/// # Errors
/// An unknown architecture; a full disk.
pub async fn create(
    lab: &Lab,
    actor: &Actor,
    new: NewImage,
    file_name: String,
    file: Received,
    once: bool,
) -> Result<(Image, bool), LabError> {
    let (lab, actor) = (lab.clone(), actor.clone());
    whole(async move {
        check(&lab, &actor, &new).await?;
        let sha256 = file.sha256().to_owned();
        let size = i64::try_from(file.size()).map_err(|_| LabError::TooLarge { limit: lab.images.limit() })?;
        let gate = lab.images.gate().await?;
        gate.keep(file).await?;
        match insert(&lab, &actor, new, &file_name, sha256.clone(), size, once).await {
            Ok((view, made)) => Ok((wire(&actor, view), made)),
            Err(error) => {
                // no row came to name it: it goes again, unless another image has the same content
                if store::images::list_by_sha256(&mut *lab.store.read().await?, &sha256).await?.is_empty() {
                    gate.remove(&sha256).await?;
                }
                Err(error)
            }
        }
    })
    .await
}

/// # Errors
/// Actors who are neither admin nor owner; a type or architecture its users would not fit.
pub async fn change(lab: &Lab, actor: &Actor, id: i64, change: ImageChange) -> Result<Image, LabError> {
    let mut tx = lab.store.begin().await?;
    let before = owned(&mut tx, actor, id).await?;
    actor.must_know(&store::images::view(&mut tx, id).await?.map(|view| wire(actor, view)))?;
    let mut after = before.clone();
    if let Some(kind) = change.file_type {
        after.file_type = kind.word().into();
    }
    if let Some(name) = change.arch {
        after.arch_id = store::archs::get_by_name(&mut tx, &name).await?.ok_or_else(no_such_arch)?.id;
    }
    if let Some(description) = change.description {
        after.description = description.into_string();
    }
    after.known_good = change.known_good.unwrap_or(before.known_good);
    after.public = change.public.unwrap_or(before.public);
    let users = store::images::used_by(&mut tx, id).await?;
    // a machine's kernel must stay a kernel, a flavour's bootloader one of its architecture
    if before.file_type != after.file_type {
        in_use(&format!("as a {} the image {}", before.file_type, before.filename), users.clone())?;
    }
    if before.arch_id != after.arch_id {
        let loads = users.iter().filter(|user| user.role == "bootloader").cloned().collect();
        in_use(&format!("image {}", before.filename), loads)?;
    }
    if before != after {
        store::images::update(&mut tx, &after).await?;
        let subject = Subject::new("image", id, &before.filename);
        audit::changed(&mut tx, actor, subject, facts::image(&before), facts::image(&after)).await?;
    }
    let view = store::images::view(&mut tx, id).await?.ok_or_else(not_found)?;
    tx.commit().await?;
    let mut pending = Pending::default();
    users.iter().filter(|user| user.kind == "machine").for_each(|machine| pending.changed(machine.id));
    lab.journal.publish(pending);
    Ok(wire(actor, view))
}

/// Removes an image, and its file unless another image has the same content.
///
/// # Errors
/// Actors who are neither admin nor owner; [`LabError::InUse`].
pub async fn delete(lab: &Lab, actor: &Actor, id: i64, instead: Instead) -> Result<(), LabError> {
    let (lab, actor) = (lab.clone(), actor.clone());
    whole(async move {
        let gate = lab.images.gate().await?;
        let mut tx = lab.store.begin().await?;
        let row = owned(&mut tx, &actor, id).await?;
        actor.must_know(&store::images::view(&mut tx, id).await?.map(|view| wire(&actor, view)))?;
        let mut pending = Pending::default();
        let users = store::images::used_by(&mut tx, id).await?;
        if let Some(other) = instead.settle(&actor, &format!("image {}", row.filename), id, &users)? {
            give_other(&lab, &mut tx, &actor, &mut pending, &row, other, &users).await?;
        }
        store::images::delete(&mut tx, id).await?;
        audit::gone(&mut tx, &actor, Subject::new("image", id, &row.filename), facts::image(&row)).await?;
        let shared = !store::images::list_by_sha256(&mut tx, &row.sha256).await?.is_empty();
        tx.commit().await?;
        lab.journal.publish(pending);
        if !shared && let Err(error) = gate.remove(&row.sha256).await {
            // the image is gone; the next start removes the file
            tracing::warn!(sha256 = row.sha256, %error, "an image's file could not be removed");
        }
        Ok(())
    })
    .await
}

/// Removes what a crash left of uploads. To be called at every start.
///
/// # Errors
/// The store's and the disk's.
pub async fn sweep(lab: &Lab) -> Result<Swept, LabError> {
    let gate = lab.images.gate().await?;
    let known: HashSet<String> = store::images::list(&mut *lab.store.read().await?).await?.into_iter().map(|view| view.sha256).collect();
    Ok(gate.sweep(known).await?)
}

/// Whether the actor may see and use it.
pub(super) fn visible(actor: &Actor, public: bool, owner: Option<i64>) -> bool {
    actor.may(Action::ImageRead, Ties::owned(actor, owner).and_public(public))
}

impl From<ReceiveError> for LabError {
    fn from(error: ReceiveError) -> Self {
        match error {
            ReceiveError::TooLarge { limit } => Self::TooLarge { limit },
            ReceiveError::Io(error) => error.into(),
        }
    }
}

fn may_change(actor: &Actor, owner: Option<i64>) -> bool {
    actor.may(Action::ImageChange, Ties::owned(actor, owner))
}

fn not_found() -> LabError {
    LabError::not_found("image not found")
}

fn no_such_arch() -> LabError {
    LabError::invalid("no such architecture")
}

async fn owned(tx: &mut Tx, actor: &Actor, id: i64) -> Result<ImageRow, LabError> {
    let row = store::images::get(tx, id).await?.ok_or_else(not_found)?;
    actor.must(Action::ImageChange, Ties::owned(actor, row.user_id))?;
    Ok(row)
}

/// Gives the users of an image another of its kind, or none.
async fn give_other(
    lab: &Lab,
    tx: &mut Tx,
    actor: &Actor,
    pending: &mut Pending,
    row: &ImageRow,
    other: Option<i64>,
    users: &[UsedBy],
) -> Result<(), LabError> {
    let loads = users.iter().filter(|user| user.role == "bootloader");
    if let Some(other) = other {
        let other = store::images::get(tx, other).await?.ok_or_else(|| LabError::invalid("there is no such image to take its place"))?;
        if other.file_type != row.file_type || (loads.clone().next().is_some() && other.arch_id != row.arch_id) {
            return Err(LabError::invalid("what takes its place must be of its type, a bootloader of its architecture, too"));
        }
    }
    for user in loads {
        let Some(before) = store::subarchs::get(tx, user.id).await? else { continue };
        if other.is_none() {
            archs::must_not_netboot(tx, &before).await?;
        }
        let after = store::SubarchRow { bootloader_id: other, ..before.clone() };
        store::subarchs::update(tx, &after).await?;
        let subject = Subject::new("subarch", before.id, &before.name);
        audit::changed(tx, actor, subject, facts::subarch(&before), facts::subarch(&after)).await?;
    }
    let put = |place: &mut Option<i64>| {
        if *place == Some(row.id) {
            *place = other;
        }
    };
    uses::edit_machines(lab, tx, actor, pending, users, "images", |machine| {
        put(&mut machine.kernel_id);
        put(&mut machine.initrd_id);
        Ok(())
    })
    .await
}

async fn insert(
    lab: &Lab,
    actor: &Actor,
    new: NewImage,
    file_name: &str,
    sha256: String,
    size: i64,
    once: bool,
) -> Result<(ImageView, bool), LabError> {
    let folder = safe_name(&actor.username, &format!("user{}", actor.user_id));
    let file = safe_name(file_name, "file");
    let mut tx = lab.store.begin().await?;
    let arch = store::archs::get_by_name(&mut tx, &new.arch).await?.ok_or_else(no_such_arch)?;
    if once {
        let name = shown_name(file_name);
        let same = |row: &ImageRow| {
            (row.user_id, &row.name, row.file_type.as_str(), row.arch_id) == (Some(actor.user_id), &name, new.file_type.word(), arch.id)
        };
        if let Some(row) = store::images::list_by_sha256(&mut tx, &sha256).await?.into_iter().find(same) {
            return Ok((store::images::view(&mut tx, row.id).await?.ok_or_else(not_found)?, false));
        }
    }
    let mut row = store::NewImage {
        filename: String::new(),
        name: shown_name(file_name),
        description: new.description.map(Description::into_string).unwrap_or_default(),
        file_type: new.file_type.word().into(),
        arch_id: arch.id,
        user_id: Some(actor.user_id),
        known_good: new.known_good,
        public: new.public,
        size,
        sha256,
        created_at: now_micros(),
    };
    for _ in 0..PATH_TRIES {
        row.filename = format!("{folder}/{file}.{}", secrets::random_hex::<4>()?);
        if store::images::get_by_filename(&mut tx, &row.filename).await?.is_none() {
            break;
        }
    }
    let id = store::images::insert(&mut tx, &row).await?;
    if let Some(made) = store::images::get(&mut tx, id).await? {
        audit::made(&mut tx, actor, Subject::new("image", id, &made.filename), facts::image(&made)).await?;
    }
    let view = store::images::view(&mut tx, id).await?.ok_or_else(not_found)?;
    tx.commit().await?;
    Ok((view, true))
}

fn wire(actor: &Actor, view: ImageView) -> Image {
    Image {
        id: view.id,
        name: view.filename,
        description: view.description,
        // the schema allows no other words
        file_type: ImageType::parse(&view.file_type).unwrap_or(ImageType::Kernel),
        arch: view.arch_name,
        upload_date: instant(view.created_at),
        may_change: may_change(actor, view.user_id),
        user: view.username,
        known_good: view.known_good,
        public: view.public,
        filename: view.name,
        size: view.size,
        sha256: view.sha256,
    }
}
