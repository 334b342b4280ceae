use super::Conn;
use store_model::{NewPreseed, PreseedRow, PreseedView, UsedBy};

/// What every view of a preseed selects.
macro_rules! views {
    ($tail:tt $(, $arg:expr)*) => {
        sqlx::query_as!(
            PreseedView,
            r#"select p.id as "id!", p.filename as "filename!", p.description as "description!", p.file_type as "file_type!",
                      p.content as "content!", p.user_id as "user_id?", u.username as "username?", p.known_good as "known_good!",
                      p.public as "public!", p.created_at as "created_at!", p.updated_at as "updated_at!"
               from preseeds p
               left join users u on u.id = p.user_id "# + $tail
            $(, $arg)*
        )
    };
}

pub async fn insert(c: &mut Conn, new: &NewPreseed) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"insert into preseeds (filename, description, file_type, content, user_id, known_good, public, created_at, updated_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $8) returning id as "id!""#,
        new.filename,
        new.description,
        new.file_type,
        new.content,
        new.user_id,
        new.known_good,
        new.public,
        new.created_at
    )
    .fetch_one(c)
    .await
}

pub async fn get(c: &mut Conn, id: i64) -> sqlx::Result<Option<PreseedRow>> {
    sqlx::query_as!(
        PreseedRow,
        r#"select id as "id!", filename, description, file_type, content, user_id, known_good, public, created_at, updated_at
           from preseeds where id = $1"#,
        id
    )
    .fetch_optional(c)
    .await
}

pub async fn view(c: &mut Conn, id: i64) -> sqlx::Result<Option<PreseedView>> {
    views!("where p.id = $1", id).fetch_optional(c).await
}

pub async fn list(c: &mut Conn) -> sqlx::Result<Vec<PreseedView>> {
    views!("order by p.id").fetch_all(c).await
}

pub async fn list_visible_to(c: &mut Conn, user_id: i64) -> sqlx::Result<Vec<PreseedView>> {
    views!("where p.public or p.user_id = $1 order by p.id", user_id).fetch_all(c).await
}

pub async fn list_owned_by(c: &mut Conn, user_id: i64) -> sqlx::Result<Vec<PreseedView>> {
    views!("where p.user_id = $1 order by p.id", user_id).fetch_all(c).await
}

pub async fn update(c: &mut Conn, row: &PreseedRow) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update preseeds set filename = $2, description = $3, file_type = $4, content = $5, user_id = $6, known_good = $7, public = $8,
                             updated_at = $9
         where id = $1",
        row.id,
        row.filename,
        row.description,
        row.file_type,
        row.content,
        row.user_id,
        row.known_good,
        row.public,
        row.updated_at
    )
    .execute(c)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub async fn delete(c: &mut Conn, id: i64) -> sqlx::Result<bool> {
    Ok(sqlx::query!("delete from preseeds where id = $1", id).execute(c).await?.rows_affected() == 1)
}

pub async fn used_by(c: &mut Conn, id: i64) -> sqlx::Result<Vec<UsedBy>> {
    sqlx::query_as!(
        UsedBy,
        r#"select 'machine' as "kind!: String", 'preseed' as "role!: String", id as "id!", name as "name!"
           from machines where preseed_id = $1 order by name"#,
        id
    )
    .fetch_all(c)
    .await
}
