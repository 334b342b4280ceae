//! Logins with browsers, as their users and admins see and end them.

use app::api::Session;
use serde::Deserialize;
use serde_json::json;
use store::SessionRow;

use super::users;
use crate::{
    journal::{SESSIONS_ENDED, instant, now_micros},
    lab::{
        Action, Actor, Lab, LabError, Origin, Ties,
        audit::{self, Subject},
    },
};

/// What of a session's data is told.
#[derive(Default, Deserialize)]
struct Data {
    address: Option<String>,
    agent: Option<String>,
}

/// A user's sessions, oldest first.
///
/// # Errors
/// Others than that user and admins; [`LabError::NotFound`].
pub async fn list_sessions(lab: &Lab, actor: &Actor, user: i64) -> Result<Vec<Session>, LabError> {
    actor.must(Action::CredentialsRead, Ties::owned(actor, Some(user)))?;
    let mut read = lab.store.read().await?;
    users::known(&mut read, user).await?;
    let rows = store::sessions::list_for_user(&mut read, user, now_micros()).await?;
    Ok(rows.into_iter().map(|row| wire(row, actor)).collect())
}

/// Ends one of a user's sessions, as if the browser had logged out.
///
/// # Errors
/// Others than that user and admins; [`LabError::NotFound`].
pub async fn delete_session(lab: &Lab, actor: &Actor, user: i64, id: &str) -> Result<(), LabError> {
    actor.must(Action::CredentialsRevoke, Ties::owned(actor, Some(user)))?;
    let mut tx = lab.store.begin().await?;
    let row = store::sessions::get(&mut tx, id, now_micros()).await?.filter(|row| row.user_id == Some(user));
    row.ok_or_else(|| LabError::not_found("session not found"))?;
    store::sessions::delete(&mut tx, id).await?;
    tx.note(SESSIONS_ENDED);
    let owner = users::known(&mut tx, user).await?;
    let session = id.get(..16).unwrap_or(id);
    audit::gone(&mut tx, actor, Subject::new("session", user, &owner.username), json!({ "session": session })).await?;
    tx.commit().await?;
    Ok(())
}

fn wire(row: SessionRow, actor: &Actor) -> Session {
    let data: Data = serde_json::from_str(&row.data).unwrap_or_default();
    Session {
        current: actor.origin == Origin::Session(row.id_hash.clone()),
        id: row.id_hash,
        created: instant(row.created_at),
        last_seen: instant(row.last_seen_at),
        expires: instant(row.expires_at),
        address: data.address,
        user_agent: data.agent,
    }
}
