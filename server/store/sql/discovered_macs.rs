use super::Conn;
use store_model::DiscoveredRow;

/// What every row selects.
macro_rules! rows {
    ($tail:tt $(, $arg:expr)*) => {
        sqlx::query_as!(
            DiscoveredRow,
            r#"select id as "id!", mac, info, first_seen_at, last_seen_at, dismissed from discovered_macs "# + $tail
            $(, $arg)*
        )
    };
}

pub async fn put(c: &mut Conn, mac: &str, info: &str, at: i64) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into discovered_macs (mac, info, first_seen_at, last_seen_at) values ($1, $2, $3, $3)
         on conflict (mac) do update set info = excluded.info, last_seen_at = excluded.last_seen_at",
        mac,
        info,
        at
    )
    .execute(c)
    .await?;
    Ok(())
}

pub async fn get(c: &mut Conn, id: i64) -> sqlx::Result<Option<DiscoveredRow>> {
    rows!("where id = $1", id).fetch_optional(c).await
}

pub async fn get_by_mac(c: &mut Conn, mac: &str) -> sqlx::Result<Option<DiscoveredRow>> {
    rows!("where mac = $1", mac).fetch_optional(c).await
}

pub async fn list(c: &mut Conn) -> sqlx::Result<Vec<DiscoveredRow>> {
    rows!("order by last_seen_at desc, id desc").fetch_all(c).await
}

pub async fn set_dismissed(c: &mut Conn, id: i64, dismissed: bool) -> sqlx::Result<bool> {
    let done = sqlx::query!("update discovered_macs set dismissed = $2 where id = $1", id, dismissed).execute(c).await?;
    Ok(done.rows_affected() == 1)
}

pub async fn delete(c: &mut Conn, id: i64) -> sqlx::Result<bool> {
    Ok(sqlx::query!("delete from discovered_macs where id = $1", id).execute(c).await?.rows_affected() == 1)
}

pub async fn delete_by_mac(c: &mut Conn, mac: &str) -> sqlx::Result<bool> {
    Ok(sqlx::query!("delete from discovered_macs where mac = $1", mac).execute(c).await?.rows_affected() == 1)
}

pub async fn delete_older_than(c: &mut Conn, at: i64) -> sqlx::Result<u64> {
    Ok(sqlx::query!("delete from discovered_macs where last_seen_at < $1", at).execute(c).await?.rows_affected())
}

pub async fn trim(c: &mut Conn, keep: i64) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        "delete from discovered_macs where id not in (select id from discovered_macs order by last_seen_at desc, id desc limit $1)",
        keep
    )
    .execute(c)
    .await?;
    Ok(done.rows_affected())
}
