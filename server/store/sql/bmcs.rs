use super::Conn;
use store_model::{BmcRow, NewBmc, UsedBy};

/// What every row of a BMC selects.
macro_rules! rows {
    ($tail:tt $(, $arg:expr)*) => {
        sqlx::query_as!(
            BmcRow,
            r#"select id as "id!", name, ip, port, bmc_type, backend, quirks, username, password_sealed, privilege_level,
                      key_sealed, cipher_suite, created_at
               from bmcs "# + $tail
            $(, $arg)*
        )
    };
}

pub async fn insert(c: &mut Conn, new: &NewBmc) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"insert into bmcs (name, ip, port, bmc_type, backend, username, password_sealed, privilege_level, cipher_suite, created_at,
                             quirks, key_sealed)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) returning id as "id!""#,
        new.name,
        new.ip,
        new.port,
        new.bmc_type,
        new.backend,
        new.username,
        new.password_sealed,
        new.privilege_level,
        new.cipher_suite,
        new.created_at,
        new.quirks,
        new.key_sealed
    )
    .fetch_one(c)
    .await
}

pub async fn get(c: &mut Conn, id: i64) -> sqlx::Result<Option<BmcRow>> {
    rows!("where id = $1", id).fetch_optional(c).await
}

pub async fn get_by_name(c: &mut Conn, name: &str) -> sqlx::Result<Option<BmcRow>> {
    rows!("where name = $1", name).fetch_optional(c).await
}

pub async fn list(c: &mut Conn) -> sqlx::Result<Vec<BmcRow>> {
    rows!("order by name").fetch_all(c).await
}

pub async fn update(c: &mut Conn, row: &BmcRow) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update bmcs set name = $2, ip = $3, port = $4, bmc_type = $5, username = $6, password_sealed = $7, privilege_level = $8,
                         cipher_suite = $9, backend = $10, quirks = $11, key_sealed = $12
         where id = $1",
        row.id,
        row.name,
        row.ip,
        row.port,
        row.bmc_type,
        row.username,
        row.password_sealed,
        row.privilege_level,
        row.cipher_suite,
        row.backend,
        row.quirks,
        row.key_sealed
    )
    .execute(c)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub async fn delete(c: &mut Conn, id: i64) -> sqlx::Result<bool> {
    Ok(sqlx::query!("delete from bmcs where id = $1", id).execute(c).await?.rows_affected() == 1)
}

pub async fn used_by(c: &mut Conn, id: i64) -> sqlx::Result<Vec<UsedBy>> {
    sqlx::query_as!(
        UsedBy,
        r#"select 'machine' as "kind!: String", 'bmc' as "role!: String", id as "id!", name as "name!"
           from machines where bmc_id = $1 order by name"#,
        id
    )
    .fetch_all(c)
    .await
}
