use super::Conn;

pub async fn changes(c: &mut Conn) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"select n as "n!" from inventory_changes where id = 1"#).fetch_one(c).await
}

pub async fn bump(c: &mut Conn) -> sqlx::Result<()> {
    sqlx::query!("update inventory_changes set n = n + 1 where id = 1").execute(c).await?;
    Ok(())
}
