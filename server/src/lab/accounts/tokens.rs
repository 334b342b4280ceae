//! API tokens: 256 random bits behind a readable prefix, stored as SHA-256, shown once.

use app::api::{CreatedToken, NewToken, Token};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use store::TokenRow;

use crate::{
    journal::{instant, now_micros},
    lab::{Actor, Lab, LabError, Origin},
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
    let actor = Actor { user_id: owner.user_id, username: owner.username, admin: owner.admin, origin: Origin::Token(owner.token_id) };
    lab.accounts.cache.put(key, actor.clone(), generation);
    Ok(actor)
}

async fn touch(lab: &Lab, id: i64, now: i64) -> Result<(), LabError> {
    let mut tx = lab.store.begin().await?;
    store::tokens::touch(&mut tx, id, now).await?;
    tx.commit().await?;
    Ok(())
}

/// One's own tokens, oldest first.
///
/// # Errors
/// The store's.
pub async fn list_tokens(lab: &Lab, actor: &Actor) -> Result<Vec<Token>, LabError> {
    let mut read = lab.store.read().await?;
    let rows = store::tokens::list_for_user(&mut read, actor.user_id).await?;
    Ok(rows.into_iter().map(wire).collect())
}

/// # Errors
/// The store's.
pub async fn create_token(lab: &Lab, actor: &Actor, new: NewToken) -> Result<CreatedToken, LabError> {
    let secret = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(secrets::random::<32>()?));
    let row = store::NewToken {
        user_id: actor.user_id,
        token_hash: secrets::hex(&Sha256::digest(secret.as_bytes())),
        prefix: secret[..SHOWN].to_owned(),
        description: new.description.into_string(),
        created_at: now_micros(),
        expires_at: None,
    };
    let mut tx = lab.store.begin().await?;
    let id = store::tokens::insert(&mut tx, &row).await?;
    tx.commit().await?;
    let token = Token { id, description: row.description, prefix: row.prefix, created: instant(row.created_at), last_used: None };
    Ok(CreatedToken { token, secret })
}

/// Its owner and admins may.
///
/// # Errors
/// [`LabError::NotFound`], also for somebody else's.
pub async fn delete_token(lab: &Lab, actor: &Actor, id: i64) -> Result<(), LabError> {
    let mut tx = lab.store.begin().await?;
    let token = store::tokens::get(&mut tx, id).await?.filter(|token| actor.admin || token.user_id == actor.user_id);
    if token.is_none() {
        return Err(LabError::not_found("token not found"));
    }
    store::tokens::delete(&mut tx, id).await?;
    tx.commit().await?;
    lab.accounts.cache.forget();
    Ok(())
}

fn wire(row: TokenRow) -> Token {
    let TokenRow { id, description, prefix, created_at, last_used_at, .. } = row;
    Token { id, description, prefix, created: instant(created_at), last_used: last_used_at.map(instant) }
}
