use super::Conn;
use store_model::{NewUser, UsedBy, UserRow};

pub async fn insert(c: &mut Conn, new: &NewUser) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"insert into users (username, email, admin, ssh_key, created_at) values ($1, $2, $3, $4, $5) returning id as "id!""#,
        new.username,
        new.email,
        new.admin,
        new.ssh_key,
        new.created_at
    )
    .fetch_one(c)
    .await
}

pub async fn get(c: &mut Conn, id: i64) -> sqlx::Result<Option<UserRow>> {
    sqlx::query_as!(UserRow, r#"select id as "id!", username, email, admin, ssh_key, created_at from users where id = $1"#, id)
        .fetch_optional(c)
        .await
}

pub async fn get_by_name(c: &mut Conn, username: &str) -> sqlx::Result<Option<UserRow>> {
    sqlx::query_as!(UserRow, r#"select id as "id!", username, email, admin, ssh_key, created_at from users where username = $1"#, username)
        .fetch_optional(c)
        .await
}

pub async fn list(c: &mut Conn) -> sqlx::Result<Vec<UserRow>> {
    sqlx::query_as!(UserRow, r#"select id as "id!", username, email, admin, ssh_key, created_at from users order by username"#)
        .fetch_all(c)
        .await
}

pub async fn update(c: &mut Conn, row: &UserRow) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update users set username = $2, email = $3, admin = $4, ssh_key = $5 where id = $1",
        row.id,
        row.username,
        row.email,
        row.admin,
        row.ssh_key
    )
    .execute(c)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub async fn delete(c: &mut Conn, id: i64) -> sqlx::Result<bool> {
    Ok(sqlx::query!("delete from users where id = $1", id).execute(c).await?.rows_affected() == 1)
}

pub async fn count(c: &mut Conn) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"select count(*) as "n!: i64" from users"#).fetch_one(c).await
}

pub async fn count_admins(c: &mut Conn) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"select count(*) as "n!: i64" from users where admin"#).fetch_one(c).await
}

pub async fn used_by(c: &mut Conn, id: i64) -> sqlx::Result<Vec<UsedBy>> {
    sqlx::query_as!(
        UsedBy,
        r#"select 'image' as "kind!: String", 'owner' as "role!: String", id as "id!", filename as "name!" from images where user_id = $1
           union all select 'preseed', 'owner', id, filename from preseeds where user_id = $1
           union all select 'machine', 'assignee', m.id, m.name from assignments a join machines m on m.id = a.machine_id where a.user_id = $1
           order by 1, 4"#,
        id
    )
    .fetch_all(c)
    .await
}
