//! Preseeds: templates of answers for installers. Their syntax is not checked here: a draft may be saved.

use app::api::{
    CONTENT_LIMIT, Description, Diagnostic, Id, NewPreseed, Preseed, PreseedChange, PreseedPreview, PreseedType, PreviewRequest,
};
use store::{PreseedRow, PreseedView, Tx};

use super::{
    Action, Actor, Instead, Lab, LabError, Ties,
    audit::{self, Subject, facts},
    machines, uses,
};
use crate::journal::{Pending, now_micros};

/// The preseeds the actor may see, by name, or only its own.
///
/// # Errors
/// The store's.
pub async fn list(lab: &Lab, actor: &Actor, all: bool) -> Result<Vec<Preseed>, LabError> {
    let mut read = lab.store.read().await?;
    let mut views = match (all, actor.may(Action::PreseedRead, Ties::NONE)) {
        (true, true) => store::preseeds::list(&mut read).await?,
        (true, false) => store::preseeds::list_visible_to(&mut read, actor.user_id).await?,
        (false, _) => store::preseeds::list_owned_by(&mut read, actor.user_id).await?,
    };
    drop(read);
    views.sort_by(|a, b| a.filename.cmp(&b.filename));
    Ok(views.into_iter().map(|view| wire(actor, view)).collect())
}

/// # Errors
/// [`LabError::NotFound`]; [`LabError::Forbidden`] for another's private one.
pub async fn get(lab: &Lab, actor: &Actor, id: i64) -> Result<Preseed, LabError> {
    let mut read = lab.store.read().await?;
    let view = store::preseeds::view(&mut read, id).await?.ok_or_else(not_found)?;
    actor.must(Action::PreseedRead, Ties::owned(actor, view.user_id).and_public(view.public))?;
    Ok(wire(actor, view))
}

/// # Errors
/// A name that is taken, content over the limit.
pub async fn create(lab: &Lab, actor: &Actor, new: NewPreseed) -> Result<Preseed, LabError> {
    actor.must(Action::PreseedCreate, Ties::NONE)?;
    let content = new.content.unwrap_or_default();
    check_content(&content)?;
    let row = store::NewPreseed {
        filename: new.name.into_string(),
        description: new.description.map(Description::into_string).unwrap_or_default(),
        file_type: new.file_type.word().into(),
        content,
        user_id: Some(actor.user_id),
        known_good: new.known_good,
        public: new.public,
        created_at: now_micros(),
    };
    let mut tx = lab.store.begin().await?;
    let id = store::preseeds::insert(&mut tx, &row).await?;
    if let Some(made) = store::preseeds::get(&mut tx, id).await? {
        audit::made(&mut tx, actor, Subject::new("preseed", id, &made.filename), facts::preseed(&made)).await?;
    }
    let view = store::preseeds::view(&mut tx, id).await?.ok_or_else(not_found)?;
    tx.commit().await?;
    Ok(wire(actor, view))
}

/// # Errors
/// Actors who are neither admin nor owner; a name that is taken; content over the limit.
pub async fn change(lab: &Lab, actor: &Actor, id: i64, change: PreseedChange) -> Result<Preseed, LabError> {
    if let Some(content) = &change.content {
        check_content(content)?;
    }
    let mut tx = lab.store.begin().await?;
    let before = owned(&mut tx, actor, id).await?;
    actor.must_know(&store::preseeds::view(&mut tx, id).await?.map(|view| wire(actor, view)))?;
    let mut after = before.clone();
    if let Some(name) = change.name {
        after.filename = name.into_string();
    }
    if let Some(kind) = change.file_type {
        after.file_type = kind.word().into();
    }
    if let Some(description) = change.description {
        after.description = description.into_string();
    }
    if let Some(content) = change.content {
        after.content = content;
    }
    after.known_good = change.known_good.unwrap_or(before.known_good);
    after.public = change.public.unwrap_or(before.public);
    if before != after {
        after.updated_at = now_micros();
        store::preseeds::update(&mut tx, &after).await?;
        let subject = Subject::new("preseed", id, &before.filename);
        audit::changed(&mut tx, actor, subject, facts::preseed(&before), facts::preseed(&after)).await?;
    }
    let machines = store::preseeds::used_by(&mut tx, id).await?;
    let view = store::preseeds::view(&mut tx, id).await?.ok_or_else(not_found)?;
    tx.commit().await?;
    let mut pending = Pending::default();
    machines.iter().for_each(|machine| pending.changed(machine.id));
    lab.journal.publish(pending);
    Ok(wire(actor, view))
}

/// # Errors
/// Actors who are neither admin nor owner; [`LabError::InUse`] while machines have it.
pub async fn delete(lab: &Lab, actor: &Actor, id: i64, instead: Instead) -> Result<(), LabError> {
    let mut tx = lab.store.begin().await?;
    let row = owned(&mut tx, actor, id).await?;
    actor.must_know(&store::preseeds::view(&mut tx, id).await?.map(|view| wire(actor, view)))?;
    let mut pending = Pending::default();
    let users = store::preseeds::used_by(&mut tx, id).await?;
    if let Some(other) = instead.settle(actor, &format!("preseed {}", row.filename), id, &users)? {
        if let Some(other) = other {
            store::preseeds::get(&mut tx, other).await?.ok_or_else(|| LabError::invalid("there is no such preseed to take its place"))?;
        }
        uses::edit_machines(lab, &mut tx, actor, &mut pending, &users, "preseed_id", |machine| {
            machine.preseed_id = other;
            Ok(())
        })
        .await?;
    }
    store::preseeds::delete(&mut tx, id).await?;
    audit::gone(&mut tx, actor, Subject::new("preseed", id, &row.filename), facts::preseed(&row)).await?;
    tx.commit().await?;
    lab.journal.publish(pending);
    Ok(())
}

/// What a machine would be sent for its preseed, for another, or for a draft.
///
/// # Errors
/// Actors who may not change the machine (a preseed shows its assignees' keys), or not see the preseed; no preseed.
pub async fn preview(lab: &Lab, actor: &Actor, machine: i64, wanted: PreviewRequest) -> Result<PreseedPreview, LabError> {
    let mut read = lab.store.read().await?;
    let (row, ties) = machines::with_ties(&mut read, actor, machine).await?;
    actor.must(Action::MachineDetails, ties)?;
    let content = match wanted.content {
        Some(content) => {
            check_content(&content)?;
            content
        }
        None => {
            let id = wanted.preseed_id.map(|Id(id)| id).or(row.preseed_id);
            let id = id.ok_or_else(|| LabError::invalid("the machine has no preseed: name one, or send content"))?;
            let preseed = store::preseeds::get(&mut read, id).await?.ok_or_else(|| LabError::invalid("no such preseed"))?;
            // whoever may not see it must not see it through a machine either (W7)
            if !visible(actor, preseed.public, preseed.user_id) {
                return Err(LabError::Forbidden("not allowed to use preseed".into()));
            }
            preseed.content
        }
    };
    let view = store::machines::view(&mut read, machine).await?.ok_or_else(machines::not_found)?;
    drop(read);
    Ok(lab.netboot.preview(&view, content).await?)
}

/// What is wrong with a draft whatever machine asks for it.
///
/// # Errors
/// Content over the limit.
pub async fn check(lab: &Lab, actor: &Actor, content: String) -> Result<Vec<Diagnostic>, LabError> {
    actor.must(Action::PreseedRead, Ties::owned(actor, Some(actor.user_id)))?;
    check_content(&content)?;
    Ok(lab.netboot.check(content).await)
}

/// Whether the actor may see and use it.
pub(super) fn visible(actor: &Actor, public: bool, owner: Option<i64>) -> bool {
    actor.may(Action::PreseedRead, Ties::owned(actor, owner).and_public(public))
}

fn may_change(actor: &Actor, owner: Option<i64>) -> bool {
    actor.may(Action::PreseedChange, Ties::owned(actor, owner))
}

fn not_found() -> LabError {
    LabError::not_found("preseed not found")
}

async fn owned(tx: &mut Tx, actor: &Actor, id: i64) -> Result<PreseedRow, LabError> {
    let row = store::preseeds::get(tx, id).await?.ok_or_else(not_found)?;
    actor.must(Action::PreseedChange, Ties::owned(actor, row.user_id))?;
    Ok(row)
}

fn check_content(content: &str) -> Result<(), LabError> {
    // no text has more characters than bytes
    if content.len() > CONTENT_LIMIT && content.chars().count() > CONTENT_LIMIT {
        return Err(LabError::invalid("content must be less than 2MB"));
    }
    if content.contains('\0') {
        return Err(LabError::invalid("content must not contain the character NUL"));
    }
    Ok(())
}

fn wire(actor: &Actor, view: PreseedView) -> Preseed {
    Preseed {
        id: view.id,
        name: view.filename,
        content: view.content,
        description: view.description,
        // the schema allows no other words
        file_type: PreseedType::parse(&view.file_type).unwrap_or_default(),
        user: view.username,
        known_good: view.known_good,
        public: view.public,
        may_change: may_change(actor, view.user_id),
    }
}
