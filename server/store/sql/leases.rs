use super::Conn;
use store_model::{LeaseRow, LeaseView};

pub async fn put(c: &mut Conn, mac: &str, ipv4: &str, at: i64) -> sqlx::Result<()> {
    sqlx::query!("delete from leases where ipv4 = $1 and mac <> $2", ipv4, mac).execute(&mut *c).await?;
    sqlx::query!(
        "insert into leases (mac, ipv4, last_seen_at) values ($1, $2, $3)
         on conflict (mac) do update set ipv4 = excluded.ipv4, last_seen_at = excluded.last_seen_at",
        mac,
        ipv4,
        at
    )
    .execute(c)
    .await?;
    Ok(())
}

pub async fn get_by_mac(c: &mut Conn, mac: &str) -> sqlx::Result<Option<LeaseRow>> {
    sqlx::query_as!(LeaseRow, r#"select id as "id!", mac, ipv4, last_seen_at from leases where mac = $1"#, mac).fetch_optional(c).await
}

pub async fn get_by_ipv4(c: &mut Conn, ipv4: &str) -> sqlx::Result<Option<LeaseRow>> {
    sqlx::query_as!(LeaseRow, r#"select id as "id!", mac, ipv4, last_seen_at from leases where ipv4 = $1"#, ipv4).fetch_optional(c).await
}

pub async fn list(c: &mut Conn) -> sqlx::Result<Vec<LeaseView>> {
    sqlx::query_as!(
        LeaseView,
        r#"select l.id as "id!", l.mac as "mac!", l.ipv4 as "ipv4!", l.last_seen_at as "last_seen_at!",
                  m.id as "machine_id?", m.name as "machine_name?"
           from leases l
           left join interfaces i on i.mac = l.mac
           left join machines m on m.id = i.machine_id
           order by l.last_seen_at desc, l.id desc"#
    )
    .fetch_all(c)
    .await
}

pub async fn delete_older_than(c: &mut Conn, at: i64) -> sqlx::Result<u64> {
    Ok(sqlx::query!("delete from leases where last_seen_at < $1", at).execute(c).await?.rows_affected())
}
