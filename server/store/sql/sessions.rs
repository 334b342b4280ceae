use super::Conn;
use store_model::SessionRow;

pub async fn insert(c: &mut Conn, row: &SessionRow) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into sessions (id_hash, user_id, data, created_at, last_seen_at, expires_at) values ($1, $2, $3, $4, $5, $6)",
        row.id_hash,
        row.user_id,
        row.data,
        row.created_at,
        row.last_seen_at,
        row.expires_at
    )
    .execute(c)
    .await?;
    Ok(())
}

pub async fn get(c: &mut Conn, id_hash: &str, now: i64) -> sqlx::Result<Option<SessionRow>> {
    sqlx::query_as!(
        SessionRow,
        r#"select id_hash as "id_hash!", user_id, data, created_at, last_seen_at, expires_at from sessions where id_hash = $1 and expires_at > $2"#,
        id_hash,
        now
    )
    .fetch_optional(c)
    .await
}

pub async fn update(c: &mut Conn, row: &SessionRow) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update sessions set user_id = $2, data = $3, last_seen_at = $4, expires_at = $5 where id_hash = $1",
        row.id_hash,
        row.user_id,
        row.data,
        row.last_seen_at,
        row.expires_at
    )
    .execute(c)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub async fn delete(c: &mut Conn, id_hash: &str) -> sqlx::Result<bool> {
    Ok(sqlx::query!("delete from sessions where id_hash = $1", id_hash).execute(c).await?.rows_affected() == 1)
}

pub async fn delete_for_user(c: &mut Conn, user_id: i64, except: Option<&str>) -> sqlx::Result<u64> {
    // No hash is empty, so '' spares none.
    let except = except.unwrap_or("");
    Ok(sqlx::query!("delete from sessions where user_id = $1 and id_hash <> $2", user_id, except).execute(c).await?.rows_affected())
}

pub async fn delete_expired(c: &mut Conn, now: i64) -> sqlx::Result<u64> {
    Ok(sqlx::query!("delete from sessions where expires_at <= $1", now).execute(c).await?.rows_affected())
}

pub async fn list_for_user(c: &mut Conn, user_id: i64, now: i64) -> sqlx::Result<Vec<SessionRow>> {
    sqlx::query_as!(
        SessionRow,
        r#"select id_hash as "id_hash!", user_id, data, created_at, last_seen_at, expires_at
           from sessions where user_id = $1 and expires_at > $2 order by created_at, id_hash"#,
        user_id,
        now
    )
    .fetch_all(c)
    .await
}
