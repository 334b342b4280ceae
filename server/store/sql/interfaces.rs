use super::Conn;
use store_model::{InterfaceRow, InterfaceView, NewInterface};

/// What every row of an interface selects.
macro_rules! rows {
    ($tail:tt $(, $arg:expr)*) => {
        sqlx::query_as!(
            InterfaceRow,
            r#"select id as "id!", machine_id, mac, identifier, network_id, static_ipv4, reserved_ipv4 from interfaces "# + $tail
            $(, $arg)*
        )
    };
}

/// What every view of an interface selects.
macro_rules! views {
    ($tail:tt $(, $arg:expr)*) => {
        sqlx::query_as!(
            InterfaceView,
            r#"select i.id as "id!", i.machine_id as "machine_id!", i.mac as "mac!", i.identifier as "identifier!",
                      i.network_id as "network_id?", n.name as "network_name?", n.subnet as "subnet?", n.static_net as "static_net?",
                      n.reserved_net as "reserved_net?", i.static_ipv4 as "static_ipv4?", i.reserved_ipv4 as "reserved_ipv4?",
                      l.ipv4 as "lease_ipv4?", l.last_seen_at as "lease_seen_at?"
               from interfaces i
               left join networks n on n.id = i.network_id
               left join leases l on l.mac = i.mac "# + $tail
            $(, $arg)*
        )
    };
}

pub async fn insert(c: &mut Conn, new: &NewInterface) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"insert into interfaces (machine_id, mac, identifier, network_id, static_ipv4, reserved_ipv4) values ($1, $2, $3, $4, $5, $6)
           returning id as "id!""#,
        new.machine_id,
        new.mac,
        new.identifier,
        new.network_id,
        new.static_ipv4,
        new.reserved_ipv4
    )
    .fetch_one(c)
    .await
}

pub async fn get(c: &mut Conn, id: i64) -> sqlx::Result<Option<InterfaceRow>> {
    rows!("where id = $1", id).fetch_optional(c).await
}

pub async fn get_by_mac(c: &mut Conn, mac: &str) -> sqlx::Result<Option<InterfaceRow>> {
    rows!("where mac = $1", mac).fetch_optional(c).await
}

pub async fn list_by_ipv4(c: &mut Conn, ipv4: &str) -> sqlx::Result<Vec<InterfaceRow>> {
    rows!("where static_ipv4 = $1 or reserved_ipv4 = $1 order by id", ipv4).fetch_all(c).await
}

pub async fn list_in_network(c: &mut Conn, network_id: i64) -> sqlx::Result<Vec<InterfaceRow>> {
    rows!("where network_id = $1 order by id", network_id).fetch_all(c).await
}

pub async fn view(c: &mut Conn, id: i64) -> sqlx::Result<Option<InterfaceView>> {
    views!("where i.id = $1", id).fetch_optional(c).await
}

pub async fn list_views(c: &mut Conn) -> sqlx::Result<Vec<InterfaceView>> {
    views!("order by i.machine_id, i.id").fetch_all(c).await
}

pub async fn list_views_of_machine(c: &mut Conn, machine_id: i64) -> sqlx::Result<Vec<InterfaceView>> {
    views!("where i.machine_id = $1 order by i.id", machine_id).fetch_all(c).await
}

pub async fn list_views_assigned_to(c: &mut Conn, user_id: i64) -> sqlx::Result<Vec<InterfaceView>> {
    views!("where i.machine_id in (select t.machine_id from assignments t where t.user_id = $1) order by i.machine_id, i.id", user_id)
        .fetch_all(c)
        .await
}

pub async fn update(c: &mut Conn, row: &InterfaceRow) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update interfaces set mac = $2, identifier = $3, network_id = $4, static_ipv4 = $5, reserved_ipv4 = $6 where id = $1",
        row.id,
        row.mac,
        row.identifier,
        row.network_id,
        row.static_ipv4,
        row.reserved_ipv4
    )
    .execute(c)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub async fn delete(c: &mut Conn, id: i64) -> sqlx::Result<bool> {
    Ok(sqlx::query!("delete from interfaces where id = $1", id).execute(c).await?.rows_affected() == 1)
}
