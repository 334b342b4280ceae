use super::Conn;
use store_model::Changes;

pub async fn changes(c: &mut Conn) -> sqlx::Result<Changes> {
    sqlx::query_as!(Changes, r#"select n as "n!", everything as "everything!" from inventory_changes where id = 1"#).fetch_one(c).await
}

pub async fn machines_since(c: &mut Conn, n: i64, limit: i64) -> sqlx::Result<Vec<i64>> {
    sqlx::query_scalar!(r#"select machine_id as "machine_id!" from machine_changes where n > $1 limit $2"#, n, limit).fetch_all(c).await
}

pub async fn bump(c: &mut Conn) -> sqlx::Result<()> {
    sqlx::query!("update inventory_changes set n = n + 1 where id = 1").execute(c).await?;
    Ok(())
}
