use super::Conn;
use store_model::{EventFilter, EventRow, NewEvent};

/// What every event selects: the user's present name, else the one kept.
macro_rules! rows {
    ($tail:tt $(+ $more:tt)* $(, $arg:expr)*) => {
        sqlx::query_as!(
            EventRow,
            r#"select e.id as "id!", e.machine_id as "machine_id!", e.user_id as "user_id?",
                      coalesce(u.username, e.username) as "username?: String",
                      e.at as "at!", e.event_type as "event_type!", e.info as "info!"
               from events e
               left join users u on u.id = e.user_id "# + $tail $(+ $more)*
            $(, $arg)*
        )
    };
}

pub async fn insert(c: &mut Conn, new: &NewEvent) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"insert into events (machine_id, user_id, username, at, event_type, info) values ($1, $2, $3, $4, $5, $6) returning id as "id!""#,
        new.machine_id,
        new.user_id,
        new.username,
        new.at,
        new.event_type,
        new.info
    )
    .fetch_one(c)
    .await
}

pub async fn get(c: &mut Conn, id: i64) -> sqlx::Result<Option<EventRow>> {
    rows!("where e.id = $1", id).fetch_optional(c).await
}

pub async fn list(c: &mut Conn, machine_id: i64, before: Option<i64>, limit: i64) -> sqlx::Result<Vec<EventRow>> {
    let before = before.unwrap_or(i64::MAX);
    rows!("where e.machine_id = $1 and e.id < $2 order by e.id desc limit $3", machine_id, before, limit).fetch_all(c).await
}

pub async fn list_upwards(c: &mut Conn, machine_id: i64, after: i64, limit: i64) -> sqlx::Result<Vec<EventRow>> {
    rows!("where e.machine_id = $1 and e.id > $2 order by e.id limit $3", machine_id, after, limit).fetch_all(c).await
}

/// Those of all machines that fit, in the order and up to the limit `tail` says. Ids grow with time: the first of `since` is where
/// the reading ends, however far back the next that fits may be.
macro_rules! of_lab {
    ($wanted:ident, $limit:ident, $tail:tt) => {
        rows!(
            "where e.at >= $1 and e.at < $2 and ($3 = '' or $3 like '%,' || e.event_type || ',%')
               and e.id >= coalesce((select s.id from events s where s.at >= $1 order by s.at, s.id limit 1), 0)
               and e.id < $4 and e.id > $5 "
                + $tail,
            $wanted.since,
            $wanted.until,
            $wanted.types,
            $wanted.before_id,
            $wanted.after_id,
            $limit
        )
    };
}

pub async fn list_all(c: &mut Conn, wanted: &EventFilter, limit: i64) -> sqlx::Result<Vec<EventRow>> {
    of_lab!(wanted, limit, "order by e.id desc limit $6").fetch_all(c).await
}

pub async fn list_all_upwards(c: &mut Conn, wanted: &EventFilter, limit: i64) -> sqlx::Result<Vec<EventRow>> {
    of_lab!(wanted, limit, "order by e.id limit $6").fetch_all(c).await
}

pub async fn list_since(c: &mut Conn, after: i64, limit: i64) -> sqlx::Result<Vec<EventRow>> {
    rows!("where e.id > $1 order by e.id limit $2", after, limit).fetch_all(c).await
}

pub async fn latest_id(c: &mut Conn) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"select coalesce(max(id), 0) as "id!: i64" from events"#).fetch_one(c).await
}

pub async fn delete_older_than(c: &mut Conn, at: i64) -> sqlx::Result<u64> {
    Ok(sqlx::query!("delete from events where at < $1", at).execute(c).await?.rows_affected())
}
