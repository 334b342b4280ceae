use super::Conn;
use store_model::{NewSubarch, SubarchRow, SubarchView, UsedBy};

pub async fn insert(c: &mut Conn, new: &NewSubarch) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"insert into subarchs (arch_id, name, description, bootloader_id, efiboot) values ($1, $2, $3, $4, $5) returning id as "id!""#,
        new.arch_id,
        new.name,
        new.description,
        new.bootloader_id,
        new.efiboot
    )
    .fetch_one(c)
    .await
}

pub async fn get(c: &mut Conn, id: i64) -> sqlx::Result<Option<SubarchRow>> {
    sqlx::query_as!(SubarchRow, r#"select id as "id!", arch_id, name, description, bootloader_id, efiboot from subarchs where id = $1"#, id)
        .fetch_optional(c)
        .await
}

pub async fn get_by_name(c: &mut Conn, arch_id: i64, name: &str) -> sqlx::Result<Option<SubarchRow>> {
    sqlx::query_as!(
        SubarchRow,
        r#"select id as "id!", arch_id, name, description, bootloader_id, efiboot from subarchs where arch_id = $1 and name = $2"#,
        arch_id,
        name
    )
    .fetch_optional(c)
    .await
}

/// What every view of a subarchitecture selects.
macro_rules! views {
    ($tail:tt $(, $arg:expr)*) => {
        sqlx::query_as!(
            SubarchView,
            r#"select s.id as "id!", s.arch_id as "arch_id!", a.name as "arch_name!", s.name as "name!", s.description as "description!",
                      s.bootloader_id as "bootloader_id?", i.filename as "bootloader_filename?", i.description as "bootloader_description?",
                      s.efiboot as "efiboot!"
               from subarchs s
               join archs a on a.id = s.arch_id
               left join images i on i.id = s.bootloader_id "# + $tail
            $(, $arg)*
        )
    };
}

pub async fn list(c: &mut Conn) -> sqlx::Result<Vec<SubarchView>> {
    views!("order by a.name, s.name").fetch_all(c).await
}

pub async fn list_for_arch(c: &mut Conn, arch_id: i64) -> sqlx::Result<Vec<SubarchView>> {
    views!("where s.arch_id = $1 order by s.name", arch_id).fetch_all(c).await
}

pub async fn update(c: &mut Conn, row: &SubarchRow) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update subarchs set name = $2, description = $3, bootloader_id = $4, efiboot = $5 where id = $1",
        row.id,
        row.name,
        row.description,
        row.bootloader_id,
        row.efiboot
    )
    .execute(c)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub async fn delete(c: &mut Conn, id: i64) -> sqlx::Result<bool> {
    Ok(sqlx::query!("delete from subarchs where id = $1", id).execute(c).await?.rows_affected() == 1)
}

pub async fn used_by(c: &mut Conn, id: i64) -> sqlx::Result<Vec<UsedBy>> {
    sqlx::query_as!(
        UsedBy,
        r#"select 'machine' as "kind!: String", 'subarch' as "role!: String", id as "id!", name as "name!"
           from machines where subarch_id = $1 order by name"#,
        id
    )
    .fetch_all(c)
    .await
}
