//! The lab's machines in memory. Reading a thousand of them from a database takes milliseconds, and they change a few times a
//! minute while every page, every API client and every booting machine reads them. The schema notes which machine a commit
//! changed, so only that one is read again.

use std::cmp::Ordering;
use std::sync::atomic::{self, AtomicU64};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::conn::Engine;
use crate::{
    AssignmentView, Changes, Conn, InterfaceView, MachineView, Store, StoreError, TagRow, assignments, interfaces, machine_tags, machines,
};

/// How long another server's commit may go unnoticed.
pub(crate) const CHECK_EVERY: Duration = Duration::from_millis(50);

/// How long a change may go unnoticed that was made behind the servers' backs, with `psql` or `sqlite3`.
const MAX_AGE: Duration = Duration::from_secs(10);

/// When more machines than this have changed, all are read: in four statements instead of four for each.
const FEW: usize = 64;

/// A machine with what belongs to it.
#[derive(Debug)]
pub struct Entry {
    pub machine: MachineView,
    /// Oldest first.
    pub interfaces: Vec<InterfaceView>,
    /// Oldest first.
    pub assignments: Vec<AssignmentView>,
    /// In order.
    pub tags: Vec<TagRow>,
    words: OnceLock<String>,
    version: OnceLock<String>,
}

impl Entry {
    #[must_use]
    pub fn new(machine: MachineView, interfaces: Vec<InterfaceView>, assignments: Vec<AssignmentView>, tags: Vec<TagRow>) -> Self {
        Self { machine, interfaces, assignments, tags, words: OnceLock::new(), version: OnceLock::new() }
    }

    async fn read(c: &mut Conn, id: i64) -> Result<Option<Self>, StoreError> {
        let Some(machine) = machines::view(c, id).await? else { return Ok(None) };
        let interfaces = interfaces::list_views_of_machine(c, id).await?;
        let assignments = assignments::list_views_of_machine(c, id).await?;
        let tags = machine_tags::list_of_machine(c, id).await?;
        Ok(Some(Self::new(machine, interfaces, assignments, tags)))
    }

    /// The version of it as its readers name it, who say how that is found out the first time.
    pub fn version(&self, find_out: impl FnOnce() -> String) -> &str {
        self.version.get_or_init(find_out)
    }

    /// Every text of it that somebody may look for, in lower case, a line each: names, addresses, people, labels, the state.
    #[must_use]
    pub fn words(&self) -> &str {
        self.words.get_or_init(|| {
            let machine = &self.machine;
            // as some switches and firmwares print them
            let bare: Vec<String> = self.interfaces.iter().map(|interface| interface.mac.replace(':', "")).collect();
            let mut words = vec![machine.name.as_str(), &machine.arch_name, &machine.state];
            words.extend(bare.iter().map(String::as_str));
            words.extend([&machine.subarch_name, &machine.bmc_name].into_iter().filter_map(Option::as_deref));
            for interface in &self.interfaces {
                words.extend([interface.mac.as_str(), &interface.identifier]);
                let addresses = [&interface.network_name, &interface.static_ipv4, &interface.reserved_ipv4, &interface.lease_ipv4];
                words.extend(addresses.into_iter().filter_map(Option::as_deref));
            }
            words.extend(self.assignments.iter().flat_map(|assignment| [assignment.username.as_str(), &assignment.reason]));
            words.extend(self.tags.iter().map(|row| row.tag.as_str()));
            words.join("\n").to_lowercase()
        })
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        // words and version are made of the others
        self.machine == other.machine
            && self.interfaces == other.interfaces
            && self.assignments == other.assignments
            && self.tags == other.tags
    }
}

impl Eq for Entry {}

/// Every machine with its interfaces and holders. The same [`Arc`] is given out until something of it changes, so what was made
/// from it is still good while [`Arc::ptr_eq`] says so; likewise that of an entry.
#[derive(Debug, Clone, Default)]
pub struct Inventory {
    // oldest first
    entries: Vec<Arc<Entry>>,
    // the same, by name
    by_name: Vec<Arc<Entry>>,
}

impl Inventory {
    async fn read(c: &mut Conn) -> Result<Self, StoreError> {
        let machines = machines::list_views(c).await?;
        let mut interfaces = interfaces::list_views(c).await?.into_iter().peekable();
        let mut assignments = assignments::list_views(c).await?.into_iter().peekable();
        let mut tags = machine_tags::list(c).await?.into_iter().peekable();
        // all are ordered by machine; what belongs to one that came meanwhile is left out, as it is
        let entries = machines.into_iter().map(|machine| {
            let id = machine.id;
            let (interfaces, assignments) = (of(&mut interfaces, id, |i| i.machine_id), of(&mut assignments, id, |a| a.machine_id));
            Arc::new(Entry::new(machine, interfaces, assignments, of(&mut tags, id, |t| t.machine_id)))
        });
        let entries: Vec<_> = entries.collect();
        let mut by_name = entries.clone();
        by_name.sort_by(|a, b| by_name_then_id(a, b));
        Ok(Self { entries, by_name })
    }

    /// With entries that did not change kept as the same ones.
    fn kept_from(mut self, before: &Self) -> Self {
        for list in [&mut self.entries, &mut self.by_name] {
            for entry in list {
                if let Some(kept) = before.find(entry.machine.id).map(|at| &before.entries[at]).filter(|kept| *kept == entry) {
                    *entry = Arc::clone(kept);
                }
            }
        }
        self
    }

    /// With one machine as it is now. Answers whether anything of it is another.
    fn put(&mut self, id: i64, now: Option<Entry>) -> bool {
        let at = self.find(id);
        let before = at.map(|at| &self.entries[at]);
        if before.map(Arc::as_ref) == now.as_ref() {
            return false;
        }
        if let Some(before) = before
            && let Ok(at) = self.by_name.binary_search_by(|entry| by_name_then_id(entry, before))
        {
            self.by_name.remove(at);
        }
        if let Some(at) = at {
            self.entries.remove(at);
        }
        if let Some(now) = now.map(Arc::new) {
            let at = self.entries.partition_point(|entry| entry.machine.id < id);
            self.entries.insert(at, Arc::clone(&now));
            let at = self.by_name.partition_point(|entry| by_name_then_id(entry, &now).is_lt());
            self.by_name.insert(at, now);
        }
        true
    }

    fn find(&self, id: i64) -> Option<usize> {
        self.entries.binary_search_by_key(&id, |entry| entry.machine.id).ok()
    }

    /// All, oldest first.
    #[must_use]
    pub fn entries(&self) -> &[Arc<Entry>] {
        &self.entries
    }

    /// All by name, as people count, then oldest first.
    #[must_use]
    pub fn by_name(&self) -> &[Arc<Entry>] {
        &self.by_name
    }

    #[must_use]
    pub fn entry(&self, id: i64) -> Option<&Arc<Entry>> {
        self.find(id).map(|at| &self.entries[at])
    }

    /// All, oldest first.
    pub fn machines(&self) -> impl Iterator<Item = &MachineView> {
        self.entries.iter().map(|entry| &entry.machine)
    }

    #[must_use]
    pub fn machine(&self, id: i64) -> Option<&MachineView> {
        self.entry(id).map(|entry| &entry.machine)
    }

    /// Oldest first.
    #[must_use]
    pub fn interfaces_of(&self, machine_id: i64) -> &[InterfaceView] {
        self.entry(machine_id).map_or(&[], |entry| &entry.interfaces)
    }

    /// In order.
    #[must_use]
    pub fn tags_of(&self, machine_id: i64) -> &[TagRow] {
        self.entry(machine_id).map_or(&[], |entry| &entry.tags)
    }

    /// Oldest first.
    #[must_use]
    pub fn assignments_of(&self, machine_id: i64) -> &[AssignmentView] {
        self.entry(machine_id).map_or(&[], |entry| &entry.assignments)
    }

    /// Whether it is as the other, entry by entry the same.
    fn is(&self, other: &Self) -> bool {
        self.entries.len() == other.entries.len() && self.entries.iter().zip(&other.entries).all(|(a, b)| Arc::ptr_eq(a, b))
    }
}

/// The order of [`Inventory::by_name`].
#[must_use]
pub fn by_name_then_id(a: &Entry, b: &Entry) -> Ordering {
    natural_order::compare(&a.machine.name, &b.machine.name).then_with(|| a.machine.id.cmp(&b.machine.id))
}

/// The next rows, as long as they are the machine's; those of machines before it are nobody's.
fn of<T>(rows: &mut std::iter::Peekable<impl Iterator<Item = T>>, machine: i64, key: impl Fn(&T) -> i64) -> Vec<T> {
    let mut own = Vec::new();
    while let Some(row) = rows.next_if(|row| key(row) <= machine) {
        if key(&row) == machine {
            own.push(row);
        }
    }
    own
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

async fn changes(c: &mut Conn) -> Result<Changes, StoreError> {
    let result = match c.engine() {
        Engine::Sqlite(c) => store_sqlite::inventory::changes(c).await,
        Engine::Postgres(c) => store_postgres::inventory::changes(c).await,
    };
    c.check(result)
}

/// The machines that commits after the `n`th changed, one more than [`FEW`] at most.
async fn machines_since(c: &mut Conn, n: i64) -> Result<Vec<i64>, StoreError> {
    let limit = i64::try_from(FEW).unwrap_or(i64::MAX) + 1;
    let result = match c.engine() {
        Engine::Sqlite(c) => store_sqlite::inventory::machines_since(c, n, limit).await,
        Engine::Postgres(c) => store_postgres::inventory::machines_since(c, n, limit).await,
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
    /// When it was last compared with all that was noted, counted by a commit or not.
    read: Instant,
    checked: Instant,
}

/// Says, when dropped, that the copy is old.
pub(crate) struct Outdated(Arc<Cache>);

impl Drop for Outdated {
    fn drop(&mut self) {
        self.0.ours.fetch_add(1, atomic::Ordering::Release);
    }
}

impl Cache {
    pub(crate) fn outdated_when_dropped(self: &Arc<Self>) -> Outdated {
        Outdated(Arc::clone(self))
    }

    /// The copy, if no commit of ours came after it.
    fn kept(&self) -> Option<Kept> {
        let copy = self.copy.read().unwrap_or_else(PoisonError::into_inner).clone()?;
        (copy.ours == self.ours.load(atomic::Ordering::Acquire)).then_some(copy)
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
        self.refresh(&mut *store.read().await?).await
    }

    /// The copy as the connection sees the lab, which must not be a transaction that has changed something.
    pub(crate) async fn refresh(&self, c: &mut Conn) -> Result<Arc<Inventory>, StoreError> {
        let checked = Instant::now();
        let ours = self.ours.load(atomic::Ordering::Acquire);
        let before = self.copy.read().unwrap_or_else(PoisonError::into_inner).clone();
        let Changes { n, everything } = changes(c).await?;
        let everybodys = n;

        let mut changed = None;
        if let Some(copy) = &before {
            if copy.everybodys == n && copy.read.elapsed() < MAX_AGE {
                self.keep(Kept { ours, checked, ..copy.clone() });
                return Ok(Arc::clone(&copy.inventory));
            }
            // a smaller number is another database's: somebody put back a copy of it
            if everything <= copy.everybodys && copy.everybodys <= n {
                changed = Some(machines_since(c, copy.everybodys).await?).filter(|machines| machines.len() <= FEW);
            }
        }
        let inventory = match (&before, changed) {
            (Some(copy), Some(machines)) => {
                let mut inventory = Inventory::clone(&copy.inventory);
                let mut another = false;
                for id in machines {
                    another |= inventory.put(id, Entry::read(c, id).await?);
                }
                if another { Arc::new(inventory) } else { Arc::clone(&copy.inventory) }
            }
            (Some(copy), None) => {
                let inventory = Inventory::read(c).await?.kept_from(&copy.inventory);
                // the same content stays the same copy
                if inventory.is(&copy.inventory) { Arc::clone(&copy.inventory) } else { Arc::new(inventory) }
            }
            (None, _) => Arc::new(Inventory::read(c).await?),
        };
        self.keep(Kept { inventory: Arc::clone(&inventory), ours, everybodys, read: checked, checked });
        Ok(inventory)
    }
}
