use super::Conn;
use store_model::{MachineRow, MachineView, NewMachine};

/// What every row of a machine selects.
macro_rules! rows {
    ($tail:tt $(, $arg:expr)*) => {
        sqlx::query_as!(
            MachineRow,
            r#"select id as "id!", name, arch_id, subarch_id, bmc_id, bmc_info, kernel_id, initrd_id, preseed_id, kernel_opts,
                      netboot_enabled, state, preseed_key, created_at, updated_at
               from machines "# + $tail
            $(, $arg)*
        )
    };
}

/// What every view of a machine selects.
macro_rules! views {
    ($tail:tt $(, $arg:expr)*) => {
        sqlx::query_as!(
            MachineView,
            r#"select m.id as "id!", m.name as "name!", m.arch_id as "arch_id!", a.name as "arch_name!",
                      m.subarch_id as "subarch_id?", s.name as "subarch_name?", coalesce(s.efiboot, false) as "efiboot!: bool",
                      s.bootloader_id as "bootloader_id?", l.filename as "bootloader_filename?",
                      m.bmc_id as "bmc_id?", b.name as "bmc_name?", b.bmc_type as "bmc_type?", m.bmc_info as "bmc_info!",
                      m.kernel_id as "kernel_id?", k.filename as "kernel_filename?",
                      m.initrd_id as "initrd_id?", i.filename as "initrd_filename?",
                      m.preseed_id as "preseed_id?", p.filename as "preseed_filename?", p.file_type as "preseed_type?",
                      m.kernel_opts as "kernel_opts!", m.netboot_enabled as "netboot_enabled!", m.state as "state!",
                      m.preseed_key as "preseed_key!", m.created_at as "created_at!", m.updated_at as "updated_at!"
               from machines m
               join archs a on a.id = m.arch_id
               left join subarchs s on s.id = m.subarch_id
               left join images l on l.id = s.bootloader_id
               left join bmcs b on b.id = m.bmc_id
               left join images k on k.id = m.kernel_id
               left join images i on i.id = m.initrd_id
               left join preseeds p on p.id = m.preseed_id "# + $tail
            $(, $arg)*
        )
    };
}

pub async fn insert(c: &mut Conn, new: &NewMachine) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"insert into machines (name, arch_id, subarch_id, bmc_id, bmc_info, preseed_key, created_at, updated_at)
           values ($1, $2, $3, $4, $5, $6, $7, $7) returning id as "id!""#,
        new.name,
        new.arch_id,
        new.subarch_id,
        new.bmc_id,
        new.bmc_info,
        new.preseed_key,
        new.created_at
    )
    .fetch_one(c)
    .await
}

pub async fn get(c: &mut Conn, id: i64) -> sqlx::Result<Option<MachineRow>> {
    rows!("where id = $1", id).fetch_optional(c).await
}

pub async fn get_by_name(c: &mut Conn, name: &str) -> sqlx::Result<Option<MachineRow>> {
    rows!("where name = $1", name).fetch_optional(c).await
}

pub async fn get_by_mac(c: &mut Conn, mac: &str) -> sqlx::Result<Option<MachineRow>> {
    rows!("where id = (select machine_id from interfaces where mac = $1)", mac).fetch_optional(c).await
}

pub async fn list(c: &mut Conn) -> sqlx::Result<Vec<MachineRow>> {
    rows!("order by id").fetch_all(c).await
}

pub async fn view(c: &mut Conn, id: i64) -> sqlx::Result<Option<MachineView>> {
    views!("where m.id = $1", id).fetch_optional(c).await
}

pub async fn view_by_mac(c: &mut Conn, mac: &str) -> sqlx::Result<Option<MachineView>> {
    views!("where m.id = (select f.machine_id from interfaces f where f.mac = $1)", mac).fetch_optional(c).await
}

pub async fn list_views(c: &mut Conn) -> sqlx::Result<Vec<MachineView>> {
    views!("order by m.id").fetch_all(c).await
}

pub async fn list_views_assigned_to(c: &mut Conn, user_id: i64) -> sqlx::Result<Vec<MachineView>> {
    views!("where m.id in (select t.machine_id from assignments t where t.user_id = $1) order by m.id", user_id).fetch_all(c).await
}

pub async fn list_views_unassigned(c: &mut Conn) -> sqlx::Result<Vec<MachineView>> {
    views!("where not exists (select 1 from assignments t where t.machine_id = m.id) order by m.id").fetch_all(c).await
}

pub async fn update(c: &mut Conn, row: &MachineRow) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update machines set name = $2, arch_id = $3, subarch_id = $4, bmc_id = $5, bmc_info = $6, kernel_id = $7, initrd_id = $8,
                             preseed_id = $9, kernel_opts = $10, netboot_enabled = $11, state = $12, preseed_key = $13, updated_at = $14
         where id = $1",
        row.id,
        row.name,
        row.arch_id,
        row.subarch_id,
        row.bmc_id,
        row.bmc_info,
        row.kernel_id,
        row.initrd_id,
        row.preseed_id,
        row.kernel_opts,
        row.netboot_enabled,
        row.state,
        row.preseed_key,
        row.updated_at
    )
    .execute(c)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub async fn delete(c: &mut Conn, id: i64) -> sqlx::Result<bool> {
    Ok(sqlx::query!("delete from machines where id = $1", id).execute(c).await?.rows_affected() == 1)
}
