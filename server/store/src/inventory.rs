//! The lab's machines in memory. Reading a thousand of them from a database takes milliseconds, and they change a few times a
//! minute while every page, every API client and every booting machine reads them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::conn::Engine;
use crate::{AssignmentView, Conn, InterfaceView, MachineView, Store, StoreError, TagRow, assignments, interfaces, machine_tags, machines};

/// How long another server's commit may go unnoticed.
pub(crate) const CHECK_EVERY: Duration = Duration::from_millis(50);

/// How long a change may go unnoticed that was made behind the servers' backs, with `psql` or `sqlite3`.
const MAX_AGE: Duration = Duration::from_secs(10);

/// Every machine with its interfaces and holders. The same [`Arc`] is given out until something of it changes, so what was made
/// from it is still good while [`Arc::ptr_eq`] says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inventory {
    // ordered by machine, then id
    machines: Vec<MachineView>,
    interfaces: Vec<InterfaceView>,
    assignments: Vec<AssignmentView>,
    tags: Vec<TagRow>,
}

impl Inventory {
    /// All, oldest first.
    pub fn machines(&self) -> &[MachineView] {
        &self.machines
    }

    pub fn machine(&self, id: i64) -> Option<&MachineView> {
        self.machines.binary_search_by_key(&id, |m| m.id).ok().map(|at| &self.machines[at])
    }

    /// Oldest first.
    pub fn interfaces_of(&self, machine_id: i64) -> &[InterfaceView] {
        of(&self.interfaces, machine_id, |i| i.machine_id)
    }

    /// Oldest first.
    pub fn assignments_of(&self, machine_id: i64) -> &[AssignmentView] {
        of(&self.assignments, machine_id, |a| a.machine_id)
    }

    /// In order.
    pub fn tags_of(&self, machine_id: i64) -> &[TagRow] {
        of(&self.tags, machine_id, |t| t.machine_id)
    }
}

fn of<T>(rows: &[T], machine_id: i64, key: impl Fn(&T) -> i64) -> &[T] {
    let start = rows.partition_point(|row| key(row) < machine_id);
    let count = rows[start..].partition_point(|row| key(row) == machine_id);
    &rows[start..start + count]
}

/// Whether an inventory shows anything of that table.
pub(crate) fn shows(table: &str) -> bool {
    !matches!(table, "identities" | "sessions" | "tokens" | "events" | "console_tokens" | "discovered_macs" | "audit")
}

/// Tells every other server; part of the transaction it tells of.
pub(crate) async fn bump(c: &mut Conn) -> Result<(), StoreError> {
    let result = match c.engine() {
        Engine::Sqlite(c) => store_sqlite::inventory::bump(c).await,
        Engine::Postgres(c) => store_postgres::inventory::bump(c).await,
    };
    c.check(result)
}

async fn changes(c: &mut Conn) -> Result<i64, StoreError> {
    let result = match c.engine() {
        Engine::Sqlite(c) => store_sqlite::inventory::changes(c).await,
        Engine::Postgres(c) => store_postgres::inventory::changes(c).await,
    };
    c.check(result)
}

#[derive(Default)]
pub(crate) struct Cache {
    /// Commits of this process that changed something.
    ours: AtomicU64,
    copy: RwLock<Option<Kept>>,
    /// One reads the database, the others wait for it.
    reading: Mutex<()>,
}

#[derive(Clone)]
struct Kept {
    inventory: Arc<Inventory>,
    /// `Cache::ours` and `inventory_changes`, both from before it was read: if anything was committed meanwhile, it is too old rather than too new.
    ours: u64,
    everybodys: i64,
    read: Instant,
    checked: Instant,
}

/// Says, when dropped, that the copy is old.
pub(crate) struct Outdated(Arc<Cache>);

impl Drop for Outdated {
    fn drop(&mut self) {
        self.0.ours.fetch_add(1, Ordering::Release);
    }
}

impl Cache {
    pub(crate) fn outdated_when_dropped(self: &Arc<Self>) -> Outdated {
        Outdated(Arc::clone(self))
    }

    /// The copy, if no commit of ours came after it.
    fn kept(&self) -> Option<Kept> {
        let copy = self.copy.read().unwrap_or_else(PoisonError::into_inner).clone()?;
        (copy.ours == self.ours.load(Ordering::Acquire)).then_some(copy)
    }

    fn keep(&self, copy: Kept) {
        *self.copy.write().unwrap_or_else(PoisonError::into_inner) = Some(copy);
    }

    pub(crate) async fn get(&self, store: &Store) -> Result<Arc<Inventory>, StoreError> {
        let fresh = || self.kept().filter(|copy| copy.checked.elapsed() < CHECK_EVERY);
        if let Some(copy) = fresh() {
            return Ok(copy.inventory);
        }
        let _one = self.reading.lock().await;
        if let Some(copy) = fresh() {
            return Ok(copy.inventory);
        }

        let checked = Instant::now();
        let ours = self.ours.load(Ordering::Acquire);
        let mut read = store.read().await?;
        let everybodys = changes(&mut read).await?;
        if let Some(copy) = self.kept()
            && copy.everybodys == everybodys
            && copy.read.elapsed() < MAX_AGE
        {
            self.keep(Kept { checked, ..copy.clone() });
            return Ok(copy.inventory);
        }

        let inventory = Inventory {
            machines: machines::list_views(&mut read).await?,
            interfaces: interfaces::list_views(&mut read).await?,
            assignments: assignments::list_views(&mut read).await?,
            tags: machine_tags::list(&mut read).await?,
        };
        // The same content stays the same copy.
        let before = self.copy.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(|copy| Arc::clone(&copy.inventory));
        let inventory = before.filter(|before| **before == inventory).unwrap_or_else(|| Arc::new(inventory));
        self.keep(Kept { inventory: Arc::clone(&inventory), ours, everybodys, read: checked, checked });
        Ok(inventory)
    }
}
