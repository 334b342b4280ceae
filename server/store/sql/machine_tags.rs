use super::Conn;
use store_model::TagRow;

pub async fn insert(c: &mut Conn, machine_id: i64, tag: &str) -> sqlx::Result<()> {
    sqlx::query!("insert into machine_tags (machine_id, tag) values ($1, $2)", machine_id, tag).execute(c).await?;
    Ok(())
}

pub async fn list(c: &mut Conn) -> sqlx::Result<Vec<TagRow>> {
    sqlx::query_as!(TagRow, "select machine_id, tag from machine_tags order by machine_id, tag").fetch_all(c).await
}

pub async fn list_of_machine(c: &mut Conn, machine_id: i64) -> sqlx::Result<Vec<TagRow>> {
    sqlx::query_as!(TagRow, "select machine_id, tag from machine_tags where machine_id = $1 order by tag", machine_id).fetch_all(c).await
}

pub async fn delete(c: &mut Conn, machine_id: i64, tag: &str) -> sqlx::Result<bool> {
    let done = sqlx::query!("delete from machine_tags where machine_id = $1 and tag = $2", machine_id, tag).execute(c).await?;
    Ok(done.rows_affected() == 1)
}
