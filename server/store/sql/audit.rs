use super::Conn;
use store_model::{AuditFilter, AuditRow, NewAudit};

pub async fn insert(c: &mut Conn, new: &NewAudit) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"insert into audit (at, user_id, username, address, via, via_id, action, kind, subject_id, subject, before, after)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) returning id as "id!""#,
        new.at,
        new.user_id,
        new.username,
        new.address,
        new.via,
        new.via_id,
        new.action,
        new.kind,
        new.subject_id,
        new.subject,
        new.before,
        new.after
    )
    .fetch_one(c)
    .await
}

/// Entries that fit, in the order and up to the limit `tail` says.
macro_rules! rows {
    ($c:ident, $filter:ident, $limit:ident, $tail:tt) => {
        sqlx::query_as!(
            AuditRow,
            r#"select id as "id!", at, user_id, username, address, via, via_id, action, kind, subject_id, subject, before, after
               from audit
               where (username = $1 or $1 = '') and (action = $2 or $2 = '') and (kind = $3 or $3 = '') and (subject_id = $4 or $4 = 0)
                 and at >= $5 and at < $6 and id < $7 and id > $8 "#
                + $tail,
            $filter.username,
            $filter.action,
            $filter.kind,
            $filter.subject_id,
            $filter.since,
            $filter.until,
            $filter.before_id,
            $filter.after_id,
            $limit
        )
        .fetch_all($c)
        .await
    };
}

pub async fn list(c: &mut Conn, filter: &AuditFilter, limit: i64) -> sqlx::Result<Vec<AuditRow>> {
    rows!(c, filter, limit, "order by id desc limit $9")
}

pub async fn list_upwards(c: &mut Conn, filter: &AuditFilter, limit: i64) -> sqlx::Result<Vec<AuditRow>> {
    rows!(c, filter, limit, "order by id limit $9")
}
