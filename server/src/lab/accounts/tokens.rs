//! API tokens: 256 random bits behind a readable prefix, stored as SHA-256, shown once.

use app::api::{CreatedToken, Instant, NewToken, Scope, Token};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use store::TokenRow;

use super::{own::own, users};
use crate::{
    journal::{instant, now_micros},
    lab::{
        Action, Actor, Lab, LabError, Origin, Reach, Ties,
        audit::{self, Subject, facts},
    },
    secrets,
};

/// What every token begins with, so that a secret scanner can tell one.
const PREFIX: &str = "mrp_";

/// Characters shown of a token later on.
const SHOWN: usize = PREFIX.len() + 6;

/// `last_used` is written at most this often, in microseconds: each time is a transaction.
const TOUCH_INTERVAL: i64 = 60 * 1_000_000;

/// Whom a token stands for.
///
/// # Errors
/// [`LabError::Unauthenticated`] for one that is unknown or has expired.
pub async fn by_token(lab: &Lab, token: &str) -> Result<Actor, LabError> {
    let key: [u8; 32] = Sha256::digest(token.as_bytes()).into();
    if let Some(actor) = lab.accounts.cache.get(&key) {
        return Ok(actor);
    }
    let generation = lab.accounts.cache.generation();
    let mut read = lab.store.read().await?;
    let owner = store::tokens::get_by_hash(&mut read, &secrets::hex(&key)).await?;
    drop(read);
    let now = now_micros();
    let owner = owner.filter(|owner| owner.expires_at.is_none_or(|expiry| expiry > now)).ok_or(LabError::Unauthenticated)?;
    if owner.last_used_at.is_none_or(|last| now - last > TOUCH_INTERVAL)
        && let Err(error) = touch(lab, owner.token_id, now).await
    {
        // reading must not fail because the database is busy writing
        tracing::warn!(%error, token.id = owner.token_id, "the use of a token was not noted");
    }
    let reach = reach(owner.scopes.as_deref());
    let actor = Actor::new(owner.user_id, &owner.username, owner.admin, Origin::Token(owner.token_id)).within(reach);
    lab.accounts.cache.put(key, actor.clone(), owner.expires_at, generation);
    Ok(actor)
}

async fn touch(lab: &Lab, id: i64, now: i64) -> Result<(), LabError> {
    let mut tx = lab.store.begin().await?;
    store::tokens::touch(&mut tx, id, now).await?;
    tx.commit().await?;
    Ok(())
}

/// A user's tokens, oldest first.
///
/// # Errors
/// Others than that user and admins; [`LabError::NotFound`].
pub async fn list_tokens(lab: &Lab, actor: &Actor, user: i64) -> Result<Vec<Token>, LabError> {
    actor.must(Action::CredentialsRead, Ties::owned(actor, Some(user)))?;
    let mut read = lab.store.read().await?;
    users::known(&mut read, user).await?;
    let rows = store::tokens::list_for_user(&mut read, user).await?;
    Ok(rows.into_iter().map(wire).collect())
}

/// # Errors
/// A token with limits may make none; an expiry that is no time or past; no scopes at all.
pub async fn create_token(lab: &Lab, actor: &Actor, new: NewToken) -> Result<CreatedToken, LabError> {
    actor.must(Action::TokenCreate, own(actor))?;
    let expires_at = new.expires.map(|expiry| future(&expiry)).transpose()?;
    if new.scopes.as_ref().is_some_and(Vec::is_empty) {
        return Err(LabError::invalid("scopes must name at least one of read, machines, images, admin; leave them out for no limits"));
    }
    let secret = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(secrets::random::<32>()?));
    let row = store::NewToken {
        user_id: actor.user_id,
        token_hash: secrets::hex(&Sha256::digest(secret.as_bytes())),
        prefix: secret[..SHOWN].to_owned(),
        description: new.description.into_string(),
        created_at: now_micros(),
        expires_at,
        scopes: new.scopes.map(|scopes| words(&scopes)),
    };
    let mut tx = lab.store.begin().await?;
    let id = store::tokens::insert(&mut tx, &row).await?;
    let token = store::tokens::get(&mut tx, id).await?.ok_or_else(not_found)?;
    audit::made(&mut tx, actor, Subject::new("token", id, &token.description), facts::token(&token)).await?;
    let token = wire(token);
    tx.commit().await?;
    Ok(CreatedToken { token, secret })
}

/// Its owner and admins may.
///
/// # Errors
/// [`LabError::NotFound`], also for somebody else's.
pub async fn delete_token(lab: &Lab, actor: &Actor, id: i64) -> Result<(), LabError> {
    let mut tx = lab.store.begin().await?;
    let token = store::tokens::get(&mut tx, id).await?.ok_or_else(not_found)?;
    let ties = Ties::owned(actor, Some(token.user_id));
    // another's is not there at all
    if !actor.may(Action::CredentialsRead, ties) {
        return Err(not_found());
    }
    actor.must(Action::CredentialsRevoke, ties)?;
    store::tokens::delete(&mut tx, id).await?;
    audit::gone(&mut tx, actor, Subject::new("token", id, &token.description), facts::token(&token)).await?;
    tx.commit().await?;
    lab.accounts.cache.forget();
    Ok(())
}

fn wire(row: TokenRow) -> Token {
    let TokenRow { id, description, prefix, created_at, last_used_at, expires_at, scopes: limits, .. } = row;
    Token {
        id,
        description,
        prefix,
        created: instant(created_at),
        last_used: last_used_at.map(instant),
        expires: expires_at.map(instant),
        scopes: limits.as_deref().map(scopes),
    }
}

fn not_found() -> LabError {
    LabError::not_found("token not found")
}

/// Of a token, by the scopes that are stored with it.
pub(super) fn reach(stored: Option<&str>) -> Reach {
    stored.map_or(Reach::UNLIMITED, |words| Reach::only(&scopes(words)))
}

/// As stored. A word of a newer version is no right in this one.
fn scopes(words: &str) -> Vec<Scope> {
    words.split(' ').filter_map(Scope::parse).collect()
}

/// As stored: each once, in one order.
fn words(scopes: &[Scope]) -> String {
    Scope::ALL.into_iter().filter(|scope| scopes.contains(scope)).map(Scope::word).collect::<Vec<_>>().join(" ")
}

fn future(expiry: &Instant) -> Result<i64, LabError> {
    let at: Timestamp = expiry.0.parse().map_err(|_| LabError::invalid("expires must be a time such as 2027-01-31T12:00:00Z"))?;
    let at = at.as_microsecond();
    if at > now_micros() { Ok(at) } else { Err(LabError::invalid("expires must be in the future")) }
}
