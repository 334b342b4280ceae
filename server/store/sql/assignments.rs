use super::Conn;
use store_model::{AssignmentRow, AssignmentView, NewAssignment};

/// What every view of an assignment selects.
macro_rules! views {
    ($tail:tt $(, $arg:expr)*) => {
        sqlx::query_as!(
            AssignmentView,
            r#"select t.id as "id!", t.machine_id as "machine_id!", t.user_id as "user_id!", u.username as "username!",
                      t.reason as "reason!", t.started_at as "started_at!"
               from assignments t
               join users u on u.id = t.user_id "# + $tail
            $(, $arg)*
        )
    };
}

pub async fn insert(c: &mut Conn, new: &NewAssignment) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"insert into assignments (machine_id, user_id, reason, started_at) values ($1, $2, $3, $4) returning id as "id!""#,
        new.machine_id,
        new.user_id,
        new.reason,
        new.started_at
    )
    .fetch_one(c)
    .await
}

pub async fn get(c: &mut Conn, id: i64) -> sqlx::Result<Option<AssignmentRow>> {
    sqlx::query_as!(AssignmentRow, r#"select id as "id!", machine_id, user_id, reason, started_at from assignments where id = $1"#, id)
        .fetch_optional(c)
        .await
}

pub async fn get_for(c: &mut Conn, machine_id: i64, user_id: i64) -> sqlx::Result<Option<AssignmentRow>> {
    sqlx::query_as!(
        AssignmentRow,
        r#"select id as "id!", machine_id, user_id, reason, started_at from assignments where machine_id = $1 and user_id = $2"#,
        machine_id,
        user_id
    )
    .fetch_optional(c)
    .await
}

pub async fn view(c: &mut Conn, id: i64) -> sqlx::Result<Option<AssignmentView>> {
    views!("where t.id = $1", id).fetch_optional(c).await
}

pub async fn list_views(c: &mut Conn) -> sqlx::Result<Vec<AssignmentView>> {
    views!("order by t.machine_id, t.id").fetch_all(c).await
}

pub async fn list_views_of_machine(c: &mut Conn, machine_id: i64) -> sqlx::Result<Vec<AssignmentView>> {
    views!("where t.machine_id = $1 order by t.id", machine_id).fetch_all(c).await
}

pub async fn list_views_assigned_to(c: &mut Conn, user_id: i64) -> sqlx::Result<Vec<AssignmentView>> {
    views!("where t.machine_id in (select o.machine_id from assignments o where o.user_id = $1) order by t.machine_id, t.id", user_id)
        .fetch_all(c)
        .await
}

pub async fn list_ssh_keys(c: &mut Conn, machine_id: i64) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"select u.ssh_key as "ssh_key!" from assignments t join users u on u.id = t.user_id where t.machine_id = $1 order by t.id"#,
        machine_id
    )
    .fetch_all(c)
    .await
}

pub async fn set_reason(c: &mut Conn, id: i64, reason: &str) -> sqlx::Result<bool> {
    Ok(sqlx::query!("update assignments set reason = $2 where id = $1", id, reason).execute(c).await?.rows_affected() == 1)
}

pub async fn delete(c: &mut Conn, id: i64) -> sqlx::Result<bool> {
    Ok(sqlx::query!("delete from assignments where id = $1", id).execute(c).await?.rows_affected() == 1)
}
