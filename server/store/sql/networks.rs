use super::Conn;
use store_model::{NetworkRow, NewNetwork, UsedBy};

pub async fn insert(c: &mut Conn, new: &NewNetwork) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"insert into networks (name, subnet, static_net, reserved_net) values ($1, $2, $3, $4) returning id as "id!""#,
        new.name,
        new.subnet,
        new.static_net,
        new.reserved_net
    )
    .fetch_one(c)
    .await
}

pub async fn get(c: &mut Conn, id: i64) -> sqlx::Result<Option<NetworkRow>> {
    sqlx::query_as!(NetworkRow, r#"select id as "id!", name, subnet, static_net, reserved_net from networks where id = $1"#, id)
        .fetch_optional(c)
        .await
}

pub async fn get_by_name(c: &mut Conn, name: &str) -> sqlx::Result<Option<NetworkRow>> {
    sqlx::query_as!(NetworkRow, r#"select id as "id!", name, subnet, static_net, reserved_net from networks where name = $1"#, name)
        .fetch_optional(c)
        .await
}

pub async fn list(c: &mut Conn) -> sqlx::Result<Vec<NetworkRow>> {
    sqlx::query_as!(NetworkRow, r#"select id as "id!", name, subnet, static_net, reserved_net from networks order by name"#)
        .fetch_all(c)
        .await
}

pub async fn update(c: &mut Conn, row: &NetworkRow) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update networks set name = $2, subnet = $3, static_net = $4, reserved_net = $5 where id = $1",
        row.id,
        row.name,
        row.subnet,
        row.static_net,
        row.reserved_net
    )
    .execute(c)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub async fn delete(c: &mut Conn, id: i64) -> sqlx::Result<bool> {
    Ok(sqlx::query!("delete from networks where id = $1", id).execute(c).await?.rows_affected() == 1)
}

pub async fn used_by(c: &mut Conn, id: i64) -> sqlx::Result<Vec<UsedBy>> {
    sqlx::query_as!(
        UsedBy,
        r#"select distinct 'machine' as "kind!: String", 'interface' as "role!: String", m.id as "id!", m.name as "name!"
           from interfaces i join machines m on m.id = i.machine_id where i.network_id = $1 order by 4"#,
        id
    )
    .fetch_all(c)
    .await
}
