//! All users: seen by everybody, changed by admins.

use app::api::{CreatedUser, EventKind, NewUser, User, UserChange};
use serde_json::json;
use store::{Conn, NewAssignment, Tx, UsedBy, UserRow};

use super::{
    LOCAL,
    login::{insert, set_password},
    password,
};
use crate::{
    journal::{Pending, SESSIONS_ENDED, now_micros},
    lab::{
        Action, Actor, Instead, Lab, LabError, Ties,
        audit::{self, Subject, facts},
    },
};

/// Everybody, by name.
///
/// # Errors
/// The store's.
pub async fn list(lab: &Lab, actor: &Actor) -> Result<Vec<User>, LabError> {
    actor.must(Action::UserRead, Ties::NONE)?;
    let mut read = lab.store.read().await?;
    let rows = store::users::list(&mut read).await?;
    Ok(rows.into_iter().map(|row| wire(row, actor)).collect())
}

/// # Errors
/// [`LabError::NotFound`].
pub async fn get(lab: &Lab, actor: &Actor, id: i64) -> Result<User, LabError> {
    actor.must(Action::UserRead, Ties::NONE)?;
    let mut read = lab.store.read().await?;
    known(&mut read, id).await.map(|row| wire(row, actor))
}

/// # Errors
/// [`LabError::Forbidden`] for others than admins; a unique name's.
pub async fn create(lab: &Lab, actor: &Actor, new: NewUser) -> Result<CreatedUser, LabError> {
    actor.must(Action::UserManage, Ties::NONE)?;
    let password = password::generate()?;
    let hash = lab.accounts.hasher.hash(&password).await?;
    let email = new.email.map(app::api::Email::into_string).unwrap_or_default();
    let mut tx = lab.store.begin().await?;
    let row = insert(&mut tx, new.username.as_str(), &email, new.admin, hash).await?;
    audit::made(&mut tx, actor, Subject::new("user", row.id, &row.username), facts::user(&row)).await?;
    tx.commit().await?;
    Ok(CreatedUser { user: wire(row, actor), password })
}

/// # Errors
/// [`LabError::Forbidden`] for others than admins; [`LabError::Conflict`] when no admin would be left.
pub async fn change(lab: &Lab, actor: &Actor, id: i64, change: UserChange) -> Result<User, LabError> {
    actor.must(Action::UserManage, Ties::NONE)?;
    // hashed before the transaction: it takes long
    let hash = match &change.password {
        Some(password) => Some(lab.accounts.hasher.hash(password.as_str()).await?),
        None => None,
    };
    let mut tx = lab.store.begin().await?;
    let mut user = known(&mut tx, id).await?;
    let before = user.clone();
    actor.must_know(&wire(before.clone(), actor))?;
    if change.admin == Some(false) && user.admin {
        must_not_be_last_admin(&mut tx).await?;
    }
    if let Some(username) = change.username {
        user.username = username.into_string();
        // for a local password the name is what one logs in with
        if let Some(mut identity) = store::identities::get_for_user(&mut tx, id, LOCAL).await? {
            identity.subject.clone_from(&user.username);
            identity.updated_at = now_micros();
            store::identities::update(&mut tx, &identity).await?;
        }
    }
    if let Some(email) = change.email {
        user.email = email.into_string();
    }
    user.admin = change.admin.unwrap_or(user.admin);
    store::users::update(&mut tx, &user).await?;
    let subject = Subject::new("user", id, &before.username);
    audit::changed(&mut tx, actor, subject, facts::user(&before), facts::user(&user)).await?;
    if let Some(hash) = hash {
        set_password(&mut tx, &user, hash, None).await?;
        audit::did(&mut tx, actor, subject, "password", json!({ "sessions": "ended" })).await?;
    }
    tx.commit().await?;
    lab.accounts.cache.forget();
    Ok(wire(user, actor))
}

/// # Errors
/// [`LabError::Forbidden`] for others than admins; [`LabError::Conflict`] for oneself and the last admin;
/// [`LabError::InUse`] while the user has images, preseeds or machines.
pub async fn delete(lab: &Lab, actor: &Actor, id: i64, instead: Instead) -> Result<(), LabError> {
    actor.must(Action::UserManage, Ties::NONE)?;
    let mut tx = lab.store.begin().await?;
    let user = known(&mut tx, id).await?;
    if user.id == actor.user_id {
        return Err(LabError::Conflict("you cannot delete yourself".into()));
    }
    if user.admin {
        must_not_be_last_admin(&mut tx).await?;
    }
    actor.must_know(&wire(user.clone(), actor))?;
    let mut pending = Pending::default();
    let users = store::users::used_by(&mut tx, id).await?;
    if let Some(other) = instead.settle(actor, &format!("user {}", user.username), id, &users)? {
        hand_over(lab, &mut tx, actor, &mut pending, id, other, &users).await?;
    }
    store::users::delete(&mut tx, id).await?;
    tx.note(SESSIONS_ENDED);
    audit::gone(&mut tx, actor, Subject::new("user", id, &user.username), facts::user(&user)).await?;
    tx.commit().await?;
    lab.accounts.cache.forget();
    lab.journal.publish(pending);
    Ok(())
}

/// Gives what a user has to another; or makes images and preseeds the lab's own, and machines free.
async fn hand_over(
    lab: &Lab,
    tx: &mut Tx,
    actor: &Actor,
    pending: &mut Pending,
    user: i64,
    other: Option<i64>,
    users: &[UsedBy],
) -> Result<(), LabError> {
    if let Some(other) = other {
        store::users::get(tx, other).await?.ok_or_else(|| LabError::invalid("there is no such user to take their place"))?;
    }
    for used in users {
        match used.kind.as_str() {
            "image" => {
                let Some(before) = store::images::get(tx, used.id).await? else { continue };
                let after = store::ImageRow { user_id: other, ..before.clone() };
                store::images::update(tx, &after).await?;
                let subject = Subject::new("image", used.id, &used.name);
                audit::changed(tx, actor, subject, facts::image(&before), facts::image(&after)).await?;
            }
            "preseed" => {
                let Some(before) = store::preseeds::get(tx, used.id).await? else { continue };
                let after = store::PreseedRow { user_id: other, ..before.clone() };
                store::preseeds::update(tx, &after).await?;
                let subject = Subject::new("preseed", used.id, &used.name);
                audit::changed(tx, actor, subject, facts::preseed(&before), facts::preseed(&after)).await?;
            }
            _ => {
                let Some(old) = store::assignments::get_for(tx, used.id, user).await? else { continue };
                store::assignments::delete(tx, old.id).await?;
                let subject = Subject::new("assignee", used.id, &used.name);
                audit::gone(tx, actor, subject, json!({ "user_id": user, "reason": old.reason })).await?;
                if let Some(other) = other
                    && store::assignments::get_for(tx, used.id, other).await?.is_none()
                {
                    let new = NewAssignment { machine_id: used.id, user_id: other, reason: old.reason.clone(), started_at: now_micros() };
                    store::assignments::insert(tx, &new).await?;
                    audit::made(tx, actor, subject, json!({ "user_id": other, "reason": old.reason })).await?;
                }
                let what = EventKind::SettingsChange { changed: vec!["assignees".into()] };
                lab.journal.record_in(tx, pending, used.id, Some(&actor.cause()), what).await?;
                pending.changed(used.id);
            }
        }
    }
    Ok(())
}

/// The user, when there is one.
pub(super) async fn known(conn: &mut Conn, id: i64) -> Result<UserRow, LabError> {
    store::users::get(conn, id).await?.ok_or_else(|| LabError::not_found("user not found"))
}

/// Called for an admin who is about to be none.
async fn must_not_be_last_admin(tx: &mut Tx) -> Result<(), LabError> {
    if store::users::count_admins(tx).await? < 2 {
        return Err(LabError::Conflict("the last admin must stay one".into()));
    }
    Ok(())
}

fn wire(row: UserRow, viewer: &Actor) -> User {
    let visible = viewer.may(Action::UserDetails, Ties::owned(viewer, Some(row.id)));
    User { id: row.id, username: row.username, email: visible.then_some(row.email), admin: visible.then_some(row.admin) }
}
