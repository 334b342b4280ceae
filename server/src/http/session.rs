//! Browser sessions: what is in one, and how it is kept in the store.
//!
//! The cookie carries a random id, the store its SHA-256 only: reading the table lets nobody in.

use std::{fmt, net::IpAddr};

use async_trait::async_trait;
use sha2::{Digest, Sha256};
use store::{SessionRow, StoreError};
use time::{Duration, OffsetDateTime};
use tower_sessions::{
    Expiry, Session, SessionManagerLayer, SessionStore,
    cookie::SameSite,
    session::{Error, Id, Record},
    session_store,
};

use crate::{
    journal::{SESSIONS_ENDED, now_micros},
    lab::{Actor, Lab, LabError, accounts},
    secrets::hex,
};

/// Id of the user who logged in.
const USER: &str = "user";

/// Whence the login came, and what the browser calls itself: to be recognised in a list.
const ADDRESS: &str = "address";
const AGENT: &str = "agent";

/// Most characters kept of a browser's name.
const AGENT_LIMIT: usize = 200;

/// When the session was last renewed, microseconds.
const RENEWED: &str = "renewed";

/// A session ends this long after its last renewal.
const LIFETIME: Duration = Duration::days(7);

/// A session in use is renewed this often, in microseconds: each time is a write.
const RENEWAL_INTERVAL: i64 = 3600 * 1_000_000;

/// The layer that reads and writes the cookie.
pub fn layer(lab: &Lab) -> SessionManagerLayer<Rows> {
    let secure = lab.config.http.secure_cookies;
    SessionManagerLayer::new(Rows(lab.store.clone()))
        // a `__Host-` cookie is bound to this very host, but browsers take it over TLS only
        .with_name(if secure { "__Host-session" } else { "session" })
        .with_secure(secure)
        .with_same_site(SameSite::Lax)
        .with_expiry(Expiry::OnInactivity(LIFETIME))
}

/// Who is logged in.
pub async fn actor(session: &Session, lab: &Lab) -> Result<Option<Actor>, LabError> {
    if session.id().is_none() {
        return Ok(None);
    }
    let Some(user) = session.get::<i64>(USER).await.map_err(failed)? else { return Ok(None) };
    let Some(id) = session.id() else { return Ok(None) };
    let renewed = session.get::<i64>(RENEWED).await.map_err(failed)?.unwrap_or_default();
    let now = now_micros();
    if now - renewed > RENEWAL_INTERVAL {
        session.insert(RENEWED, now).await.map_err(failed)?;
    }
    accounts::by_session(lab, user, hash(id)).await
}

/// Logs a user in, under a new id: one that was planted before is worth nothing.
pub async fn begin(session: &Session, user: i64, address: IpAddr, agent: &str) -> Result<(), LabError> {
    if session.id().is_some() {
        session.cycle_id().await.map_err(failed)?;
    }
    session.insert(USER, user).await.map_err(failed)?;
    session.insert(ADDRESS, address.to_string()).await.map_err(failed)?;
    session.insert(AGENT, agent.chars().take(AGENT_LIMIT).collect::<String>()).await.map_err(failed)?;
    session.insert(RENEWED, now_micros()).await.map_err(failed)
}

/// Logs out.
pub async fn end(session: &Session) -> Result<(), LabError> {
    if session.id().is_some() {
        session.flush().await.map_err(failed)?;
    }
    Ok(())
}

#[expect(clippy::needless_pass_by_value, reason = "as map_err hands it over")]
fn failed(error: Error) -> LabError {
    LabError::Internal(format!("session: {error}"))
}

fn hash(id: Id) -> String {
    hex(&Sha256::digest(id.0.to_le_bytes()))
}

/// The store as tower-sessions wants it.
#[derive(Clone)]
pub struct Rows(store::Store);

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Rows").field(&self.0.engine()).finish()
    }
}

#[async_trait]
impl SessionStore for Rows {
    async fn create(&self, record: &mut Record) -> session_store::Result<()> {
        loop {
            let mut tx = self.0.begin().await.map_err(backend)?;
            match store::sessions::insert(&mut tx, &row(record)?).await {
                Ok(()) => return tx.commit().await.map_err(backend),
                Err(StoreError::Unique { .. }) => record.id = Id::default(),
                Err(error) => return Err(backend(error)),
            }
        }
    }

    async fn save(&self, record: &Record) -> session_store::Result<()> {
        let mut tx = self.0.begin().await.map_err(backend)?;
        // no such row any more: the session was ended meanwhile, and stays so
        store::sessions::update(&mut tx, &row(record)?).await.map_err(backend)?;
        tx.commit().await.map_err(backend)
    }

    async fn load(&self, id: &Id) -> session_store::Result<Option<Record>> {
        let mut read = self.0.read().await.map_err(backend)?;
        let Some(row) = store::sessions::get(&mut read, &hash(*id), now_micros()).await.map_err(backend)? else {
            return Ok(None);
        };
        let decode = |text: String| session_store::Error::Decode(text);
        let data = serde_json::from_str(&row.data).map_err(|error| decode(error.to_string()))?;
        let expiry_date =
            OffsetDateTime::from_unix_timestamp_nanos(i128::from(row.expires_at) * 1000).map_err(|error| decode(error.to_string()))?;
        Ok(Some(Record { id: *id, data, expiry_date }))
    }

    async fn delete(&self, id: &Id) -> session_store::Result<()> {
        let mut tx = self.0.begin().await.map_err(backend)?;
        store::sessions::delete(&mut tx, &hash(*id)).await.map_err(backend)?;
        tx.note(SESSIONS_ENDED);
        tx.commit().await.map_err(backend)
    }
}

fn row(record: &Record) -> session_store::Result<SessionRow> {
    let now = now_micros();
    let data = serde_json::to_string(&record.data).map_err(|error| session_store::Error::Encode(error.to_string()))?;
    let user_id = record.data.get(USER).and_then(serde_json::Value::as_i64);
    // from the clock's nanoseconds; a date this far off is no session's
    let expires_at = i64::try_from(record.expiry_date.unix_timestamp_nanos() / 1000).unwrap_or(now);
    Ok(SessionRow { id_hash: hash(record.id), user_id, data, created_at: now, last_seen_at: now, expires_at })
}

#[expect(clippy::needless_pass_by_value, reason = "as map_err hands it over")]
fn backend(error: StoreError) -> session_store::Error {
    session_store::Error::Backend(error.to_string())
}
