use super::Conn;
use store_model::{NewToken, TokenOwner, TokenRow};

pub async fn insert(c: &mut Conn, new: &NewToken) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"insert into tokens (user_id, token_hash, prefix, description, created_at, expires_at, scopes) values ($1, $2, $3, $4, $5, $6, $7)
           returning id as "id!""#,
        new.user_id,
        new.token_hash,
        new.prefix,
        new.description,
        new.created_at,
        new.expires_at,
        new.scopes
    )
    .fetch_one(c)
    .await
}

pub async fn get(c: &mut Conn, id: i64) -> sqlx::Result<Option<TokenRow>> {
    sqlx::query_as!(
        TokenRow,
        r#"select id as "id!", user_id, token_hash, prefix, description, created_at, last_used_at, expires_at, scopes from tokens where id = $1"#,
        id
    )
    .fetch_optional(c)
    .await
}

pub async fn get_by_hash(c: &mut Conn, token_hash: &str) -> sqlx::Result<Option<TokenOwner>> {
    sqlx::query_as!(
        TokenOwner,
        r#"select t.id as "token_id!", t.last_used_at as "last_used_at?", t.expires_at as "expires_at?", t.scopes as "scopes?",
                  u.id as "user_id!", u.username as "username!", u.admin as "admin!"
           from tokens t join users u on u.id = t.user_id where t.token_hash = $1"#,
        token_hash
    )
    .fetch_optional(c)
    .await
}

pub async fn list_for_user(c: &mut Conn, user_id: i64) -> sqlx::Result<Vec<TokenRow>> {
    sqlx::query_as!(
        TokenRow,
        r#"select id as "id!", user_id, token_hash, prefix, description, created_at, last_used_at, expires_at, scopes
           from tokens where user_id = $1 order by id"#,
        user_id
    )
    .fetch_all(c)
    .await
}

pub async fn touch(c: &mut Conn, id: i64, at: i64) -> sqlx::Result<bool> {
    Ok(sqlx::query!("update tokens set last_used_at = $2 where id = $1", id, at).execute(c).await?.rows_affected() == 1)
}

pub async fn delete(c: &mut Conn, id: i64) -> sqlx::Result<bool> {
    Ok(sqlx::query!("delete from tokens where id = $1", id).execute(c).await?.rows_affected() == 1)
}

pub async fn delete_for_user(c: &mut Conn, user_id: i64) -> sqlx::Result<u64> {
    Ok(sqlx::query!("delete from tokens where user_id = $1", user_id).execute(c).await?.rows_affected())
}
