//! Who somebody is: passwords, sessions, and the first admin.

use std::net::IpAddr;

use app::api::{Credentials, NewPassword, Username};
use serde_json::json;
use store::{IdentityRow, NewIdentity, NewUser, Tx, UserRow};

use super::{LOCAL, password, password::Verdict, tokens};
use crate::{
    journal::{SESSIONS_ENDED, now_micros},
    lab::{
        Actor, Lab, LabError, Origin, Reach,
        audit::{self, Subject, facts},
    },
};

/// Checks a password. `address` is whence the attempt comes, for the limit of guesses.
///
/// # Errors
/// [`LabError::Forbidden`] with the same words for an unknown user and a wrong password; [`LabError::TooMany`].
pub async fn login(lab: &Lab, credentials: &Credentials, address: Option<IpAddr>) -> Result<UserRow, LabError> {
    let Credentials { username, password } = credentials;
    lab.accounts.limit.take(username, address)?;
    let mut read = lab.store.read().await?;
    let identity = store::identities::get(&mut read, LOCAL, username).await?;
    drop(read);
    let stored = identity.as_ref().and_then(|identity| identity.password_hash.clone());
    let verdict = lab.accounts.hasher.verify(password, stored).await?;
    let Some(identity) = identity.filter(|_| verdict != Verdict::Wrong) else {
        return Err(LabError::Forbidden("Invalid username or password".into()));
    };
    lab.accounts.limit.give_back(username, address);
    if verdict == Verdict::RightButWeak {
        strengthen(lab, &identity, password).await?;
    }
    let mut tx = lab.store.begin().await?;
    let user = store::users::get(&mut tx, identity.user_id).await?.ok_or(LabError::Unauthenticated)?;
    let actor = Actor { address, ..Actor::new(user.id, &user.username, user.admin, Origin::Session(String::new())) };
    audit::did(&mut tx, &actor, Subject::new("session", user.id, &user.username), "create", json!({})).await?;
    tx.commit().await?;
    Ok(user)
}

/// Hashes a password anew with today's parameters, unless it was changed meanwhile.
async fn strengthen(lab: &Lab, checked: &IdentityRow, password: &str) -> Result<(), LabError> {
    let hash = lab.accounts.hasher.hash(password).await?;
    let mut tx = lab.store.begin().await?;
    if let Some(mut identity) = store::identities::get_for_user(&mut tx, checked.user_id, LOCAL).await?
        && identity.password_hash == checked.password_hash
    {
        identity.password_hash = Some(hash);
        identity.updated_at = now_micros();
        store::identities::update(&mut tx, &identity).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// The user of a session, as the store knows it now; `session` is the hash of the session's id.
///
/// # Errors
/// The store's.
pub async fn by_session(lab: &Lab, user_id: i64, session: String) -> Result<Option<Actor>, LabError> {
    let mut read = lab.store.read().await?;
    let user = store::users::get(&mut read, user_id).await?;
    Ok(user.map(|user| Actor::new(user_id, &user.username, user.admin, Origin::Session(session))))
}

/// The actor with what their user may do now, for answers that go on for hours. None: the session or token they came with is not good
/// any more.
///
/// # Errors
/// The store's.
pub async fn as_now(lab: &Lab, actor: &Actor) -> Result<Option<Actor>, LabError> {
    let now = now_micros();
    let mut read = lab.store.read().await?;
    let reach = match actor.origin.login() {
        Origin::Session(hash) => store::sessions::get(&mut read, hash, now).await?.map(|_| Reach::UNLIMITED),
        Origin::Token(id) => {
            let token = store::tokens::get(&mut read, *id).await?;
            token.filter(|token| token.expires_at.is_none_or(|expiry| expiry > now)).map(|token| tokens::reach(token.scopes.as_deref()))
        }
        Origin::Ticket(_) | Origin::Local => Some(actor.reach),
    };
    let Some(reach) = reach else { return Ok(None) };
    if actor.origin == Origin::Local {
        return Ok(Some(actor.clone()));
    }
    let user = store::users::get(&mut read, actor.user_id).await?;
    Ok(user.map(|user| Actor { admin: user.admin, ..actor.clone() }.within(reach)))
}

/// Makes the user `admin` when there are no users at all. Answers its password, which is known nowhere else.
///
/// # Errors
/// The store's.
pub async fn first_admin(lab: &Lab) -> Result<Option<String>, LabError> {
    let mut read = lab.store.read().await?;
    let users = store::users::count(&mut read).await?;
    drop(read);
    if users > 0 {
        return Ok(None);
    }
    let password = password::generate()?;
    let hash = lab.accounts.hasher.hash(&password).await?;
    let mut tx = lab.store.begin().await?;
    // another server may have been first
    if store::users::count(&mut tx).await? > 0 {
        return Ok(None);
    }
    let row = insert(&mut tx, "admin", "", true, hash).await?;
    audit::made(&mut tx, &local(), Subject::new("user", row.id, &row.username), facts::user(&row)).await?;
    tx.commit().await?;
    Ok(Some(password))
}

/// Makes an admin from the command line. Answers the password, generated unless given.
///
/// # Errors
/// When the name is taken; the store's.
pub async fn new_admin(lab: &Lab, username: &Username, password: Option<NewPassword>) -> Result<String, LabError> {
    let password = password.map_or_else(password::generate, |password| Ok(password.into_string()))?;
    let hash = lab.accounts.hasher.hash(&password).await?;
    let mut tx = lab.store.begin().await?;
    if store::users::get_by_name(&mut tx, username.as_str()).await?.is_some() {
        return Err(LabError::Conflict(format!("there is a user {username} already")));
    }
    let row = insert(&mut tx, username.as_str(), "", true, hash).await?;
    audit::made(&mut tx, &local(), Subject::new("user", row.id, &row.username), facts::user(&row)).await?;
    tx.commit().await?;
    Ok(password)
}

/// Sets a user's password from the command line and logs the user out everywhere. Answers the password, generated unless given.
///
/// # Errors
/// When there is no such user; the store's.
pub async fn reset_password(lab: &Lab, username: &str, password: Option<NewPassword>) -> Result<String, LabError> {
    let password = password.map_or_else(password::generate, |password| Ok(password.into_string()))?;
    let hash = lab.accounts.hasher.hash(&password).await?;
    let mut tx = lab.store.begin().await?;
    let user = store::users::get_by_name(&mut tx, username).await?;
    let user = user.ok_or_else(|| LabError::not_found(format!("there is no user {username}")))?;
    set_password(&mut tx, &user, hash, None).await?;
    audit::did(&mut tx, &local(), Subject::new("user", user.id, &user.username), "password", json!({ "sessions": "ended" })).await?;
    tx.commit().await?;
    Ok(password)
}

/// Whoever has the server's command line.
fn local() -> Actor {
    Actor::new(0, "(command line)", true, Origin::Local)
}

/// Inserts a user with a local password.
pub(super) async fn insert(tx: &mut Tx, username: &str, email: &str, admin: bool, hash: String) -> Result<UserRow, LabError> {
    let now = now_micros();
    let new = NewUser { username: username.into(), email: email.into(), admin, ssh_key: String::new(), created_at: now };
    let id = store::users::insert(tx, &new).await?;
    let identity = NewIdentity { user_id: id, source: LOCAL.into(), subject: username.into(), password_hash: Some(hash), updated_at: now };
    store::identities::insert(tx, &identity).await?;
    let NewUser { username, email, admin, ssh_key, created_at } = new;
    Ok(UserRow { id, username, email, admin, ssh_key, created_at })
}

/// Sets a local password and ends the user's sessions but `except` (a hash).
pub(super) async fn set_password(tx: &mut Tx, user: &UserRow, hash: String, except: Option<&str>) -> Result<(), LabError> {
    let now = now_micros();
    match store::identities::get_for_user(tx, user.id, LOCAL).await? {
        Some(mut identity) => {
            identity.password_hash = Some(hash);
            identity.updated_at = now;
            store::identities::update(tx, &identity).await?;
        }
        None => {
            let subject = user.username.clone();
            let identity = NewIdentity { user_id: user.id, source: LOCAL.into(), subject, password_hash: Some(hash), updated_at: now };
            store::identities::insert(tx, &identity).await?;
        }
    }
    store::sessions::delete_for_user(tx, user.id, except).await?;
    tx.note(SESSIONS_ENDED);
    Ok(())
}

/// Deletes what has expired.
///
/// # Errors
/// The store's.
pub async fn sweep(lab: &Lab) -> Result<(), LabError> {
    let now = now_micros();
    let mut tx = lab.store.begin().await?;
    store::sessions::delete_expired(&mut tx, now).await?;
    store::console_tokens::delete_expired(&mut tx, now).await?;
    tx.commit().await?;
    Ok(())
}
