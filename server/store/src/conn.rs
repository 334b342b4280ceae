use std::collections::BTreeSet;
use std::num::NonZero;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::inventory::{Cache, Inventory};
use crate::{StoreError, inventory};

/// How long a writer waits for those of this process that came before it: hundreds at once are served, one after the other.
const TURN: Duration = Duration::from_secs(30);

/// Connections to PostgreSQL, one of which writes at a time.
const POSTGRES_CONNECTIONS: u32 = 16;

/// Called with each note of a transaction that was committed.
type Listener = Box<dyn Fn(&'static str) + Send + Sync>;

/// A database. Cheap to clone; all clones share its connections.
#[derive(Clone)]
pub struct Store {
    db: Db,
    cache: Arc<Cache>,
    /// Writers wait here, in the order they came, and not at the database: there each would keep a connection from those who read,
    /// and who waited longest would not be the next.
    turns: Arc<Semaphore>,
    listener: Arc<OnceLock<Listener>>,
}

#[derive(Clone)]
enum Db {
    Sqlite(store_sqlite::Db),
    Postgres(store_postgres::Db),
}

impl Store {
    /// Opens `sqlite:///path/to/file` (made if missing) or `postgres://user@host/database`. The schema is left as it is: see [`Store::migrate`].
    pub async fn open(url: &str) -> Result<Store, StoreError> {
        let db = if url.starts_with("sqlite:") {
            let readers = std::thread::available_parallelism().map_or(4, NonZero::get).max(2);
            Db::Sqlite(store_sqlite::Db::open(url, readers).await.map_err(opening)?)
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            Db::Postgres(store_postgres::Db::open(url, POSTGRES_CONNECTIONS).await.map_err(opening)?)
        } else {
            return Err(StoreError::Url);
        };
        Ok(Store { db, cache: Arc::default(), turns: Arc::new(Semaphore::new(1)), listener: Arc::default() })
    }

    /// Has `listener` told what transactions of this process noted ([`Tx::note`]), each note once, when they are committed. There is one
    /// listener: the first.
    pub fn on_commit(&self, listener: impl Fn(&'static str) + Send + Sync + 'static) {
        let _ = self.listener.set(Box::new(listener));
    }

    /// `sqlite` or `postgres`.
    pub fn engine(&self) -> &'static str {
        match &self.db {
            Db::Sqlite(_) => "sqlite",
            Db::Postgres(_) => "postgres",
        }
    }

    /// Brings the schema up to date; does nothing when it is.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        match &self.db {
            Db::Sqlite(db) => db.migrate().await?,
            Db::Postgres(db) => db.migrate().await?,
        }
        Ok(())
    }

    /// What [`Store::migrate`] would apply, oldest first, as `0001 initial`.
    pub async fn pending_migrations(&self) -> Result<Vec<String>, StoreError> {
        let (migrator, applied) = match &self.db {
            Db::Sqlite(db) => (&store_sqlite::MIGRATOR, db.applied_migrations().await?),
            Db::Postgres(db) => (&store_postgres::MIGRATOR, db.applied_migrations().await?),
        };
        let pending = migrator.iter().filter(|m| !applied.contains(&m.version));
        Ok(pending.map(|m| format!("{:04} {}", m.version, m.description)).collect())
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let mut read = self.read().await?;
        match read.engine() {
            Engine::Sqlite(c) => sqlx::query("select 1").execute(c).await.map(drop)?,
            Engine::Postgres(c) => sqlx::query("select 1").execute(c).await.map(drop)?,
        }
        Ok(())
    }

    /// A connection to read with. Give it back soon (drop it): there are few. Each statement sees the latest commit,
    /// so two reads in a row may straddle one; where that matters, read inside [`Store::begin`].
    pub async fn read(&self) -> Result<Read, StoreError> {
        let lease = match &self.db {
            Db::Sqlite(db) => Lease::SqliteReader(db.read().await?),
            Db::Postgres(db) => Lease::PostgresReader(db.read().await?),
        };
        Ok(Read(Conn { lease, failed: false }))
    }

    /// Every machine with its interfaces and holders, from memory while nothing of it has changed: what this process has committed
    /// shows at once, what another server has, within [`inventory::CHECK_EVERY`].
    pub async fn inventory(&self) -> Result<Arc<Inventory>, StoreError> {
        self.cache.get(self).await
    }

    /// A transaction together with the machines as they are in it, until it changes something of them.
    pub async fn begin_with_inventory(&self) -> Result<(Tx, Arc<Inventory>), StoreError> {
        let mut tx = self.begin().await?;
        let inventory = self.cache.refresh(&mut tx.conn).await?;
        Ok((tx, inventory))
    }

    /// Starts a transaction. One runs at a time, on both engines and across all servers of a database: what it reads stays true
    /// until it commits. So never wait for anything but the store while holding one.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        // it is never closed: either there is a turn, or none in time
        let Ok(Ok(turn)) = tokio::time::timeout(TURN, Arc::clone(&self.turns).acquire_owned()).await else { return Err(StoreError::Busy) };
        let lease = match &self.db {
            Db::Sqlite(db) => Lease::SqliteWriter(db.begin().await.map_err(|e| match e {
                // its pool is the one writer
                sqlx::Error::PoolTimedOut => StoreError::Busy,
                other => other.into(),
            })?),
            Db::Postgres(db) => Lease::PostgresWriter(db.begin().await?),
        };
        let (cache, listener) = (Arc::clone(&self.cache), Arc::clone(&self.listener));
        Ok(Tx { conn: Conn { lease, failed: false }, inventory_changed: false, cache, notes: BTreeSet::new(), listener, _turn: turn })
    }

    /// Waits for everything on loan to be returned, then closes the database. Using it afterwards is [`StoreError::Unavailable`].
    pub async fn close(&self) {
        match &self.db {
            Db::Sqlite(db) => db.close().await,
            Db::Postgres(db) => db.close().await,
        }
    }
}

/// Opening fails because of the URL, or because nothing answers there.
fn opening(error: sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::Configuration(_) => StoreError::Url,
        // the file or the server is not there, or not for us
        sqlx::Error::Database(_) => match StoreError::from(error) {
            StoreError::Other(e) => StoreError::Unavailable(e),
            known => known,
        },
        other => other.into(),
    }
}

/// What statements run on: a [`Read`] or a [`Tx`].
pub struct Conn {
    lease: Lease,
    /// PostgreSQL refuses everything after an error, SQLite nothing: here nothing of a transaction is kept once a statement of it failed.
    failed: bool,
}

enum Lease {
    SqliteReader(store_sqlite::Reader),
    SqliteWriter(store_sqlite::Writer),
    PostgresReader(store_postgres::Reader),
    PostgresWriter(store_postgres::Writer),
}

/// The engine's own connection.
pub(crate) enum Engine<'a> {
    Sqlite(&'a mut store_sqlite::Conn),
    Postgres(&'a mut store_postgres::Conn),
}

impl Conn {
    pub(crate) fn engine(&mut self) -> Engine<'_> {
        match &mut self.lease {
            Lease::SqliteReader(c) => Engine::Sqlite(c),
            Lease::SqliteWriter(c) => Engine::Sqlite(c),
            Lease::PostgresReader(c) => Engine::Postgres(c),
            Lease::PostgresWriter(c) => Engine::Postgres(c),
        }
    }

    pub(crate) fn check<T>(&mut self, result: sqlx::Result<T>) -> Result<T, StoreError> {
        self.failed |= result.is_err();
        Ok(result?)
    }
}

/// A connection that reads.
pub struct Read(Conn);

/// A transaction. Dropped without [`Tx::commit`] it leaves no trace.
#[must_use = "a transaction that is not committed leaves no trace"]
pub struct Tx {
    conn: Conn,
    inventory_changed: bool,
    cache: Arc<Cache>,
    notes: BTreeSet<&'static str>,
    listener: Arc<OnceLock<Listener>>,
    // dropped last: the next writer finds the connection given back
    _turn: OwnedSemaphorePermit,
}

impl Tx {
    /// Called by every function that writes.
    pub(crate) fn writes(&mut self, table: &str) {
        self.inventory_changed |= inventory::shows(table);
    }

    /// Has this told to the listener of [`Store::on_commit`], unless the transaction comes to nothing.
    pub fn note(&mut self, note: &'static str) {
        self.notes.insert(note);
    }

    /// Makes everything done in it lasting and visible. Refused ([`StoreError::Aborted`], and nothing is kept) when any statement of it failed.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        if self.conn.failed {
            return Err(StoreError::Aborted);
        }
        // Dropped, and so told, even when we are given up while the commit is under way.
        let mut outdated = None;
        if self.inventory_changed {
            inventory::bump(&mut self.conn).await?;
            outdated = Some(self.cache.outdated_when_dropped());
        }
        match self.conn.lease {
            Lease::SqliteWriter(tx) => tx.commit().await?,
            Lease::PostgresWriter(tx) => tx.commit().await?,
            // `Store::begin` alone makes a `Tx`, and only with the two above.
            Lease::SqliteReader(_) | Lease::PostgresReader(_) => {}
        }
        drop(outdated);
        if let Some(listener) = self.listener.get() {
            self.notes.into_iter().for_each(listener);
        }
        Ok(())
    }
}

impl Deref for Read {
    type Target = Conn;
    fn deref(&self) -> &Conn {
        &self.0
    }
}

impl DerefMut for Read {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.0
    }
}

impl Deref for Tx {
    type Target = Conn;
    fn deref(&self) -> &Conn {
        &self.conn
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.conn
    }
}
