use std::str::FromStr;
use std::time::Duration;

use sqlx::migrate::Migrate;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgPool, Postgres};

/// How long to wait for a free connection, or for a server that does not answer.
const CONNECT: Duration = Duration::from_secs(5);

/// How long a writer waits for the one before it, in PostgreSQL's words.
const LOCK_TIMEOUT: &str = "10s";

/// After this long unused, a connection is asked for a sign of life before it is lent: the server may have been restarted meanwhile.
const STALE: Duration = Duration::from_secs(1);

/// Every statement of `server/store/sql` stays prepared.
const STATEMENTS: usize = 256;

/// Writers wait for each other on an advisory lock, here and in every other server on this database. So a transaction may check
/// a rule that no constraint expresses (networks must not overlap, a machine must be free) and rely on it until it commits,
/// exactly as on SQLite, where there is one writer by nature.
const BEGIN: &str = "begin; select pg_advisory_xact_lock(7236829034475)";

/// A pool of connections to one database.
#[derive(Clone)]
pub struct Db {
    pool: PgPool,
}

/// A transaction holding the write lock; dropped without commit it rolls back.
pub type Writer = sqlx::Transaction<'static, Postgres>;

/// A connection on loan until dropped.
pub type Reader = PoolConnection<Postgres>;

impl Db {
    /// Connects to `postgres://…`.
    pub async fn open(url: &str, connections: u32) -> sqlx::Result<Db> {
        let options = PgConnectOptions::from_str(url)?
            .application_name("mr-provisioner")
            .statement_cache_capacity(STATEMENTS)
            // A writer that hangs must not stop every other for ever.
            .options([("lock_timeout", LOCK_TIMEOUT), ("idle_in_transaction_session_timeout", "60s")])
            .disable_statement_logging();
        // The pool would go on trying and in the end say only that it took too long: this says what is wrong.
        let first = tokio::time::timeout(CONNECT, options.connect()).await.map_err(|_| sqlx::Error::PoolTimedOut)??;
        first.close().await?;
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(CONNECT)
            .test_before_acquire(false)
            .before_acquire(|conn, meta| {
                Box::pin(async move {
                    if meta.idle_for > STALE {
                        conn.ping().await?;
                    }
                    Ok(true)
                })
            })
            .connect_with(options)
            .await?;
        Ok(Db { pool })
    }

    /// A connection for reading; waits for one to be free.
    pub async fn read(&self) -> sqlx::Result<Reader> {
        self.pool.acquire().await
    }

    /// Starts a transaction that holds the write lock from its first moment, so that what it reads stays true until it commits.
    ///
    /// In a task of its own, which always comes to its end: sqlx 0.9 rolls nothing back that is dropped while it begins, and its
    /// connection would keep the lock. What began for nobody is dropped there, and rolled back.
    pub async fn begin(&self) -> sqlx::Result<Writer> {
        let pool = self.pool.clone();
        let begun = tokio::spawn(async move { pool.begin_with(BEGIN).await });
        begun.await.unwrap_or_else(|error| Err(sqlx::Error::Io(std::io::Error::other(error))))
    }

    /// Brings the schema up to date.
    pub async fn migrate(&self) -> Result<(), sqlx::migrate::MigrateError> {
        crate::MIGRATOR.run(&self.pool).await
    }

    /// Versions already applied; none in an empty database.
    pub async fn applied_migrations(&self) -> Result<Vec<i64>, sqlx::migrate::MigrateError> {
        let mut conn = self.pool.acquire().await.map_err(sqlx::migrate::MigrateError::Execute)?;
        let table = &crate::MIGRATOR.table_name;
        conn.ensure_migrations_table(table).await?;
        Ok(conn.list_applied_migrations(table).await?.iter().map(|m| m.version).collect())
    }

    /// Waits for borrowed connections, then closes all of them.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}
