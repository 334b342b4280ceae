//! What users see and change of themselves.

use app::api::{Me, MeChange, PasswordChange};
use serde_json::json;
use store::UserRow;

use super::{LOCAL, login::set_password, password::Verdict};
use crate::lab::{
    Action, Actor, Lab, LabError, Origin, Ties,
    audit::{self, Subject, facts},
};

/// Most characters of a user's SSH keys.
const SSH_KEY_LIMIT: usize = 512 * 1024;

/// What one is to one's own account.
pub(super) fn own(actor: &Actor) -> Ties {
    Ties::owned(actor, Some(actor.user_id))
}

/// A user as shown to that user.
#[must_use]
pub fn wire(user: UserRow) -> Me {
    let UserRow { id, username, email, admin, ssh_key, created_at: _ } = user;
    Me { id, username, email, admin, ssh_key }
}

/// # Errors
/// The store's.
pub async fn me(lab: &Lab, actor: &Actor) -> Result<Me, LabError> {
    actor.must(Action::AccountRead, own(actor))?;
    let mut read = lab.store.read().await?;
    store::users::get(&mut read, actor.user_id).await?.map(wire).ok_or(LabError::Unauthenticated)
}

/// # Errors
/// [`LabError::Invalid`] for keys that are too long.
pub async fn change_me(lab: &Lab, actor: &Actor, change: MeChange) -> Result<Me, LabError> {
    actor.must(Action::AccountChange, own(actor))?;
    if change.ssh_key.as_ref().is_some_and(|keys| keys.chars().count() > SSH_KEY_LIMIT) {
        return Err(LabError::invalid("ssh_key must be smaller than 512kB"));
    }
    let mut tx = lab.store.begin().await?;
    let mut user = store::users::get(&mut tx, actor.user_id).await?.ok_or(LabError::Unauthenticated)?;
    let before = user.clone();
    actor.must_know(&wire(before.clone()))?;
    if let Some(email) = change.email {
        user.email = email.into_string();
    }
    if let Some(keys) = change.ssh_key {
        user.ssh_key = keys;
    }
    store::users::update(&mut tx, &user).await?;
    let subject = Subject::new("user", user.id, &user.username);
    audit::changed(&mut tx, actor, subject, facts::user(&before), facts::user(&user)).await?;
    tx.commit().await?;
    Ok(wire(user))
}

/// Sets one's own password, which ends one's other sessions.
///
/// # Errors
/// [`LabError::Forbidden`] when the old password is wrong; [`LabError::TooMany`] when that was guessed too often.
pub async fn change_password(lab: &Lab, actor: &Actor, change: PasswordChange) -> Result<(), LabError> {
    actor.must(Action::AccountChange, own(actor))?;
    // a stolen session must not be a way to guess the password
    lab.accounts.limit.take(&actor.username, None)?;
    let mut read = lab.store.read().await?;
    let stored = store::identities::get_for_user(&mut read, actor.user_id, LOCAL).await?.and_then(|identity| identity.password_hash);
    drop(read);
    if lab.accounts.hasher.verify(&change.old_password, stored.clone()).await? == Verdict::Wrong {
        return Err(LabError::Forbidden("the old password is not right".into()));
    }
    lab.accounts.limit.give_back(&actor.username, None);
    let hash = lab.accounts.hasher.hash(change.password.as_str()).await?;
    let mut tx = lab.store.begin().await?;
    let user = store::users::get(&mut tx, actor.user_id).await?.ok_or(LabError::Unauthenticated)?;
    let now = store::identities::get_for_user(&mut tx, actor.user_id, LOCAL).await?.and_then(|identity| identity.password_hash);
    if now != stored {
        return Err(LabError::Conflict("the password was changed at the same time".into()));
    }
    let this = match &actor.origin {
        Origin::Session(hash) => Some(hash.as_str()),
        Origin::Token(_) | Origin::Ticket(_) | Origin::Local => None,
    };
    set_password(&mut tx, &user, hash, this).await?;
    let subject = Subject::new("user", user.id, &user.username);
    audit::did(&mut tx, actor, subject, "password", json!({ "sessions": "others ended" })).await?;
    tx.commit().await?;
    Ok(())
}
