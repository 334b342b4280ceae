use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::Migrate;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Sqlite, SqliteConnection, SqlitePool};
use tokio::sync::{Mutex, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};

/// How long a writer waits for the one before it, in this process or another (the command line beside the server).
const BUSY: Duration = Duration::from_secs(10);

/// Every statement of `server/store/sql` stays prepared.
const STATEMENTS: usize = 256;

/// One database file: one connection that writes, several that only read.
#[derive(Clone)]
pub struct Db {
    writer: SqlitePool,
    readers: Arc<Readers>,
}

/// A transaction holding the write lock; dropped without commit it rolls back.
pub type Writer = sqlx::Transaction<'static, Sqlite>;

/// A connection that cannot write, on loan until dropped.
///
/// Not sqlx's pool: that one spawns a task and asks the connection for a sign of life at every return, which costs
/// more than reading a row does. A SQLite connection needs neither: a read that was given up half-way leaves nothing behind.
pub struct Reader {
    // Dropped in this order: whoever gets the permit finds a connection unlocked.
    conn: OwnedMutexGuard<SqliteConnection>,
    _permit: OwnedSemaphorePermit,
}

impl std::ops::Deref for Reader {
    type Target = SqliteConnection;
    fn deref(&self) -> &SqliteConnection {
        &self.conn
    }
}

impl std::ops::DerefMut for Reader {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.conn
    }
}

struct Readers {
    conns: Vec<Arc<Mutex<SqliteConnection>>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    async fn lend(&self) -> sqlx::Result<Reader> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| sqlx::Error::PoolClosed)?;
        loop {
            for conn in &self.conns {
                if let Ok(conn) = Arc::clone(conn).try_lock_owned() {
                    return Ok(Reader { conn, _permit: permit });
                }
            }
            // There is one free for each permit, but it may have moved to where we had looked already.
            tokio::task::yield_now().await;
        }
    }
}

impl Db {
    /// Opens the file that `sqlite:///path` names; makes it, readable by its owner only, if it is not there.
    pub async fn open(url: &str, readers: usize) -> sqlx::Result<Db> {
        let options = SqliteConnectOptions::from_str(url)?
            .create_if_missing(false)
            .foreign_keys(true)
            .busy_timeout(BUSY)
            .statement_cache_capacity(STATEMENTS)
            .pragma("cache_size", "-16000")
            .pragma("temp_store", "memory")
            .disable_statement_logging();
        let file = options.get_filename().to_path_buf();
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file) {
            Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => return Err(e.into()),
            _ => {}
        }

        // NORMAL: a commit is in the log before it is acknowledged, so it outlives the process however that ends; only a crash of
        // the whole machine can take back the last moments (never half a transaction). FULL would sync the disk at every event.
        let writing = options.clone().journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Normal);
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .min_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .acquire_timeout(BUSY)
            .test_before_acquire(false)
            .connect_with(writing)
            .await?;

        let reading = options.read_only(true).row_buffer_size(512);
        let mut conns = Vec::with_capacity(readers);
        for _ in 0..readers.max(1) {
            conns.push(Arc::new(Mutex::new(reading.connect().await?)));
        }
        let permits = Arc::new(Semaphore::new(conns.len()));
        Ok(Db { writer, readers: Arc::new(Readers { conns, permits }) })
    }

    /// A connection for reading; waits for one to be free.
    pub async fn read(&self) -> sqlx::Result<Reader> {
        self.readers.lend().await
    }

    /// Starts a transaction that holds the write lock from its first moment, so that what it reads stays true until it commits.
    pub async fn begin(&self) -> sqlx::Result<Writer> {
        self.writer.begin_with("begin immediate").await
    }

    /// Brings the schema up to date.
    pub async fn migrate(&self) -> Result<(), sqlx::migrate::MigrateError> {
        crate::MIGRATOR.run(&self.writer).await
    }

    /// Versions already applied; none in an empty database.
    pub async fn applied_migrations(&self) -> Result<Vec<i64>, sqlx::migrate::MigrateError> {
        let mut conn = self.writer.acquire().await.map_err(sqlx::migrate::MigrateError::Execute)?;
        let table = &crate::MIGRATOR.table_name;
        conn.ensure_migrations_table(table).await?;
        Ok(conn.list_applied_migrations(table).await?.iter().map(|m| m.version).collect())
    }

    /// Waits for borrowed connections, then closes all of them; the last one empties the write-ahead log into the file.
    pub async fn close(&self) {
        let everyone = u32::try_from(self.readers.conns.len()).unwrap_or(u32::MAX);
        if let Ok(permits) = self.readers.permits.acquire_many(everyone).await {
            self.readers.permits.close();
            drop(permits);
        }
        self.writer.close().await;
    }
}
