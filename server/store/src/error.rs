use sqlx::migrate::MigrateError;
use sqlx::postgres::PgDatabaseError;
use sqlx::sqlite::SqliteError;

/// What can go wrong, the same on both engines. No text of it holds SQL or a row's content; for the log there is `source`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A row with the same value exists. The key is `table.column`, or `table.column,column`, as in [`UNIQUE_KEYS`](crate::StoreError::UNIQUE_KEYS).
    #[error("{key} must be unique")]
    Unique { key: &'static str },
    /// The row refers to one that does not exist, or is referred to and so cannot go.
    #[error("a row is referred to that does not exist, or would be missed by another")]
    ForeignKey,
    /// A value the schema does not allow (unknown state or type, missing value).
    #[error("a value is not one the database allows")]
    Check,
    /// Another writer held the lock for too long; trying again may help.
    #[error("the database is busy")]
    Busy,
    /// The disk, or the quota, is full.
    #[error("the database has no space left")]
    Full,
    /// The database cannot be reached, is shutting down or has been closed.
    #[error("the database is not available")]
    Unavailable(#[source] sqlx::Error),
    /// An earlier statement of this transaction failed, so nothing of it can be committed.
    #[error("the transaction was given up after an earlier error")]
    Aborted,
    /// The URL is not one of a database we know.
    #[error("not a database URL: expected sqlite:///path/to/file or postgres://user@host/database")]
    Url,
    /// The schema could not be brought up to date, or is newer than this program.
    #[error("the database's schema cannot be brought up to date")]
    Migrate(#[source] MigrateError),
    /// Anything else.
    #[error("the database refused a statement")]
    Other(#[source] sqlx::Error),
}

impl StoreError {
    /// Every key that [`StoreError::Unique`] can name; `"unknown"` for a constraint that is not listed here.
    pub const UNIQUE_KEYS: &[&str] = &[
        "archs.name",
        "assignments.machine_id,user_id",
        "bmcs.ip,port",
        "bmcs.name",
        "console_tokens.token_hash",
        "discovered_macs.mac",
        "identities.source,subject",
        "identities.user_id,source",
        "images.filename",
        "interfaces.mac",
        "interfaces.network_id,reserved_ipv4",
        "interfaces.network_id,static_ipv4",
        "leases.mac",
        "machine_tags.machine_id,tag",
        "machines.name",
        "networks.name",
        "networks.reserved_net",
        "networks.static_net",
        "networks.subnet",
        "preseeds.filename",
        "sessions.id_hash",
        "subarchs.arch_id,name",
        "tokens.token_hash",
        "users.username",
    ];

    fn unique(is: impl Fn(&str) -> bool) -> StoreError {
        StoreError::Unique { key: Self::UNIQUE_KEYS.iter().find(|key| is(key)).copied().unwrap_or("unknown") }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(database) => {
                let known = if let Some(e) = database.try_downcast_ref::<SqliteError>() {
                    sqlite(e)
                } else if let Some(e) = database.try_downcast_ref::<PgDatabaseError>() {
                    postgres(e)
                } else {
                    None
                };
                match known {
                    Some(Known::Is(known)) => known,
                    Some(Known::Unavailable) => StoreError::Unavailable(error),
                    None => StoreError::Other(error),
                }
            }
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::BeginFailed => StoreError::Unavailable(error),
            _ => StoreError::Other(error),
        }
    }
}

impl From<MigrateError> for StoreError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Execute(e) => match StoreError::from(e) {
                StoreError::Other(e) => StoreError::Migrate(MigrateError::Execute(e)),
                known => known,
            },
            other => StoreError::Migrate(other),
        }
    }
}

enum Known {
    Is(StoreError),
    Unavailable,
}

/// Result codes: <https://www.sqlite.org/rescode.html>. The low byte is the primary one.
fn sqlite(error: &SqliteError) -> Option<Known> {
    use sqlx::error::DatabaseError;
    let code: i32 = error.code()?.parse().ok()?;
    let known = match (code, code & 0xff) {
        // UNIQUE, PRIMARYKEY: "UNIQUE constraint failed: interfaces.network_id, interfaces.static_ipv4"
        (2067 | 1555, _) => {
            let (_, columns) = error.message().split_once(": ")?;
            let (table, _) = columns.split_once('.')?;
            let columns: Vec<&str> = columns.split(", ").filter_map(|c| c.split_once('.')).map(|(_, column)| column).collect();
            let key = format!("{table}.{}", columns.join(","));
            StoreError::unique(|known| known == key)
        }
        // FOREIGNKEY, and TRIGGER, which `on delete restrict` raises
        (787 | 1811, _) => StoreError::ForeignKey,
        // CHECK, NOTNULL
        (275 | 1299, _) => StoreError::Check,
        // BUSY, LOCKED
        (_, 5 | 6) => StoreError::Busy,
        // FULL
        (_, 13) => StoreError::Full,
        // READONLY, IOERR, CORRUPT, CANTOPEN, NOTADB
        (_, 8 | 10 | 11 | 14 | 26) => return Some(Known::Unavailable),
        _ => return None,
    };
    Some(Known::Is(known))
}

/// SQLSTATE: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn postgres(error: &PgDatabaseError) -> Option<Known> {
    let known = match error.code() {
        "23505" => {
            let constraint = error.constraint()?;
            // PostgreSQL names a constraint after its table and columns.
            StoreError::unique(|known| {
                let stem = known.replace(['.', ','], "_");
                let table = known.split('.').next().unwrap_or_default();
                constraint.strip_suffix("_key") == Some(stem.as_str()) || is_primary_key(known, table, constraint)
            })
        }
        "23503" | "23001" => StoreError::ForeignKey,
        // check, not null
        "23514" | "23502" => StoreError::Check,
        // serialization failure, deadlock, lock timeout
        "40001" | "40P01" | "55P03" => StoreError::Busy,
        "53100" => StoreError::Full,
        // an earlier statement failed
        "25P02" => StoreError::Aborted,
        // connection trouble, no resources (but a full disk), operator intervention
        code if ["08", "53", "57"].iter().any(|class| code.starts_with(class)) => return Some(Known::Unavailable),
        _ => return None,
    };
    Some(Known::Is(known))
}

/// The two tables whose key is not a number.
fn is_primary_key(key: &str, table: &str, constraint: &str) -> bool {
    matches!(key, "sessions.id_hash" | "console_tokens.token_hash") && constraint.strip_suffix("_pkey") == Some(table)
}
