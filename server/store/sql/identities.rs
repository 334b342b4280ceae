use super::Conn;
use store_model::{IdentityRow, NewIdentity};

pub async fn insert(c: &mut Conn, new: &NewIdentity) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"insert into identities (user_id, source, subject, password_hash, updated_at) values ($1, $2, $3, $4, $5) returning id as "id!""#,
        new.user_id,
        new.source,
        new.subject,
        new.password_hash,
        new.updated_at
    )
    .fetch_one(c)
    .await
}

pub async fn get(c: &mut Conn, source: &str, subject: &str) -> sqlx::Result<Option<IdentityRow>> {
    sqlx::query_as!(
        IdentityRow,
        r#"select id as "id!", user_id, source, subject, password_hash, updated_at from identities where source = $1 and subject = $2"#,
        source,
        subject
    )
    .fetch_optional(c)
    .await
}

pub async fn get_for_user(c: &mut Conn, user_id: i64, source: &str) -> sqlx::Result<Option<IdentityRow>> {
    sqlx::query_as!(
        IdentityRow,
        r#"select id as "id!", user_id, source, subject, password_hash, updated_at from identities where user_id = $1 and source = $2"#,
        user_id,
        source
    )
    .fetch_optional(c)
    .await
}

pub async fn update(c: &mut Conn, row: &IdentityRow) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update identities set subject = $2, password_hash = $3, updated_at = $4 where id = $1",
        row.id,
        row.subject,
        row.password_hash,
        row.updated_at
    )
    .execute(c)
    .await?;
    Ok(done.rows_affected() == 1)
}
