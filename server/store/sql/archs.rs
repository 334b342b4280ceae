use super::Conn;
use store_model::{ArchRow, NewArch, UsedBy};

pub async fn insert(c: &mut Conn, new: &NewArch) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"insert into archs (name, description) values ($1, $2) returning id as "id!""#, new.name, new.description)
        .fetch_one(c)
        .await
}

pub async fn get(c: &mut Conn, id: i64) -> sqlx::Result<Option<ArchRow>> {
    sqlx::query_as!(ArchRow, r#"select id as "id!", name, description from archs where id = $1"#, id).fetch_optional(c).await
}

pub async fn get_by_name(c: &mut Conn, name: &str) -> sqlx::Result<Option<ArchRow>> {
    sqlx::query_as!(ArchRow, r#"select id as "id!", name, description from archs where name = $1"#, name).fetch_optional(c).await
}

pub async fn list(c: &mut Conn) -> sqlx::Result<Vec<ArchRow>> {
    sqlx::query_as!(ArchRow, r#"select id as "id!", name, description from archs order by name"#).fetch_all(c).await
}

pub async fn update(c: &mut Conn, row: &ArchRow) -> sqlx::Result<bool> {
    let done =
        sqlx::query!("update archs set name = $2, description = $3 where id = $1", row.id, row.name, row.description).execute(c).await?;
    Ok(done.rows_affected() == 1)
}

pub async fn delete(c: &mut Conn, id: i64) -> sqlx::Result<bool> {
    Ok(sqlx::query!("delete from archs where id = $1", id).execute(c).await?.rows_affected() == 1)
}

pub async fn used_by(c: &mut Conn, id: i64) -> sqlx::Result<Vec<UsedBy>> {
    sqlx::query_as!(
        UsedBy,
        r#"select 'machine' as "kind!: String", 'arch' as "role!: String", id as "id!", name as "name!" from machines where arch_id = $1
           union all select 'image', 'arch', id, filename from images where arch_id = $1
           order by 1, 4"#,
        id
    )
    .fetch_all(c)
    .await
}
