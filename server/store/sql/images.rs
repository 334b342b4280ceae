use super::Conn;
use store_model::{ImageRow, ImageView, NewImage, UsedBy};

/// What every row of an image selects.
macro_rules! rows {
    ($tail:tt $(, $arg:expr)*) => {
        sqlx::query_as!(
            ImageRow,
            r#"select id as "id!", filename, name, description, file_type, arch_id, user_id, known_good, public, size, sha256, created_at
               from images "# + $tail
            $(, $arg)*
        )
    };
}

/// What every view of an image selects.
macro_rules! views {
    ($tail:tt $(, $arg:expr)*) => {
        sqlx::query_as!(
            ImageView,
            r#"select i.id as "id!", i.filename as "filename!", i.name as "name!", i.description as "description!",
                      i.file_type as "file_type!", i.arch_id as "arch_id!", a.name as "arch_name!", i.user_id as "user_id?",
                      u.username as "username?", i.known_good as "known_good!", i.public as "public!", i.size as "size!",
                      i.sha256 as "sha256!", i.created_at as "created_at!"
               from images i
               join archs a on a.id = i.arch_id
               left join users u on u.id = i.user_id "# + $tail
            $(, $arg)*
        )
    };
}

pub async fn insert(c: &mut Conn, new: &NewImage) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"insert into images (filename, name, description, file_type, arch_id, user_id, known_good, public, size, sha256, created_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) returning id as "id!""#,
        new.filename,
        new.name,
        new.description,
        new.file_type,
        new.arch_id,
        new.user_id,
        new.known_good,
        new.public,
        new.size,
        new.sha256,
        new.created_at
    )
    .fetch_one(c)
    .await
}

pub async fn get(c: &mut Conn, id: i64) -> sqlx::Result<Option<ImageRow>> {
    rows!("where id = $1", id).fetch_optional(c).await
}

pub async fn get_by_filename(c: &mut Conn, filename: &str) -> sqlx::Result<Option<ImageRow>> {
    rows!("where filename = $1", filename).fetch_optional(c).await
}

pub async fn list_by_sha256(c: &mut Conn, sha256: &str) -> sqlx::Result<Vec<ImageRow>> {
    rows!("where sha256 = $1 order by id", sha256).fetch_all(c).await
}

pub async fn view(c: &mut Conn, id: i64) -> sqlx::Result<Option<ImageView>> {
    views!("where i.id = $1", id).fetch_optional(c).await
}

pub async fn list(c: &mut Conn) -> sqlx::Result<Vec<ImageView>> {
    views!("order by i.id").fetch_all(c).await
}

pub async fn list_visible_to(c: &mut Conn, user_id: i64) -> sqlx::Result<Vec<ImageView>> {
    views!("where i.public or i.user_id = $1 order by i.id", user_id).fetch_all(c).await
}

pub async fn list_owned_by(c: &mut Conn, user_id: i64) -> sqlx::Result<Vec<ImageView>> {
    views!("where i.user_id = $1 order by i.id", user_id).fetch_all(c).await
}

pub async fn update(c: &mut Conn, row: &ImageRow) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update images set filename = $2, name = $3, description = $4, file_type = $5, arch_id = $6, user_id = $7, known_good = $8,
                           public = $9, size = $10, sha256 = $11
         where id = $1",
        row.id,
        row.filename,
        row.name,
        row.description,
        row.file_type,
        row.arch_id,
        row.user_id,
        row.known_good,
        row.public,
        row.size,
        row.sha256
    )
    .execute(c)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub async fn delete(c: &mut Conn, id: i64) -> sqlx::Result<bool> {
    Ok(sqlx::query!("delete from images where id = $1", id).execute(c).await?.rows_affected() == 1)
}

pub async fn used_by(c: &mut Conn, id: i64) -> sqlx::Result<Vec<UsedBy>> {
    sqlx::query_as!(
        UsedBy,
        r#"select 'machine' as "kind!: String", 'kernel' as "role!: String", id as "id!", name as "name!" from machines where kernel_id = $1
           union all select 'machine', 'initrd', id, name from machines where initrd_id = $1
           union all select 'subarch', 'bootloader', id, name from subarchs where bootloader_id = $1
           order by 1, 4, 2"#,
        id
    )
    .fetch_all(c)
    .await
}
