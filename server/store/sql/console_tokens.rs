use super::Conn;
use store_model::ConsoleTokenRow;

pub async fn insert(c: &mut Conn, row: &ConsoleTokenRow) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into console_tokens (token_hash, machine_id, user_id, session_hash, token_id, expires_at) values ($1, $2, $3, $4, $5, $6)",
        row.token_hash,
        row.machine_id,
        row.user_id,
        row.session_hash,
        row.token_id,
        row.expires_at
    )
    .execute(c)
    .await?;
    Ok(())
}

pub async fn take(c: &mut Conn, token_hash: &str, now: i64) -> sqlx::Result<Option<ConsoleTokenRow>> {
    sqlx::query_as!(
        ConsoleTokenRow,
        r#"delete from console_tokens where token_hash = $1 and expires_at > $2
           returning token_hash as "token_hash!", machine_id as "machine_id!", user_id as "user_id!", session_hash, token_id,
                     expires_at as "expires_at!""#,
        token_hash,
        now
    )
    .fetch_optional(c)
    .await
}

pub async fn delete_expired(c: &mut Conn, now: i64) -> sqlx::Result<u64> {
    Ok(sqlx::query!("delete from console_tokens where expires_at <= $1", now).execute(c).await?.rows_affected())
}
