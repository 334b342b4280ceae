//! Machines as they are read: from the store's inventory, which is in memory, and lists of all of them from bytes
//! that are written once for everybody until something of them changes.

use std::{
    borrow::Borrow,
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use app::api::{
    Machine, MachineAssignee, MachineLease, hostname,
    query::{Held, Query, Subject, Symbol},
};
use bytes::Bytes;
use serde_json::Value;
use store::{AssignmentView, Conn, Entry, InterfaceView, Inventory};

use super::{not_found, order::Key, power_of, state};
use crate::{
    journal::instant,
    lab::{Action, Actor, Lab, LabError, Reach, Ties, bmcs, version},
};

/// Readers whose lists are kept. Admins all read the same one.
const READERS: usize = 32;

/// Machines that are kept written, of all readers together, before the next list is asked for: some 30 MB.
const MACHINES: usize = 40_000;

/// Which machines.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Of all, not only of those assigned to the actor.
    pub all: bool,
    pub query: Query,
    /// Each must be part of some text of the machine, whatever the case of letters.
    pub words: Vec<String>,
}

impl Wanted {
    /// # Errors
    /// A query that is not understood, with the place of the fault.
    pub fn parse(all: bool, query: &str, search: &str) -> Result<Self, LabError> {
        let query = Query::parse(query).map_err(|fault| LabError::invalid(fault.to_string()))?;
        Ok(Self { all, query, words: words(search) })
    }

    /// Whether every machine is one.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.all && self.query.is_all() && self.words.is_empty()
    }

    fn fits(&self, lab: &Lab, actor: &Actor, entry: &Entry) -> bool {
        (self.all || is_assigned(actor, entry))
            && finds(lab, entry, &self.words)
            && (self.query.is_all() || self.query.fits(&Whole(lab, entry)))
    }
}

/// The words of a search. A stroke alone stands in rows between names, and in no name. MAC addresses are looked for in whatever way
/// they are written.
pub(super) fn words(search: &str) -> Vec<String> {
    search.split_whitespace().filter(|word| *word != "/").map(|word| mac(word).unwrap_or_else(|| word.to_lowercase())).collect()
}

/// `52-54-00-de-00-0b` and `5254.00de.000b`, also parts of them, without what is between: so each machine's are known, too.
fn mac(word: &str) -> Option<String> {
    let of = |separator: char, digits: usize| {
        word.contains(separator)
            && word.split(separator).all(|group| group.len() == digits && group.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    let groups = of('-', 2) && word.len() >= 8 || of('.', 4);
    groups.then(|| word.replace(['-', '.'], "").to_lowercase())
}

/// Whether each word is part of some text of the machine, of its state as rows show it, or is its power.
fn finds(lab: &Lab, entry: &Entry, words: &[String]) -> bool {
    let label = || state(&entry.machine.state).label().to_lowercase();
    // whole: what is `on` is within many a name
    let power = || power_of(lab, entry.machine.id).0.word();
    words.iter().all(|word| entry.words().contains(word) || label().contains(word) || word == power())
}

/// The machines wanted, by name, as JSON.
///
/// # Errors
/// The store's.
pub async fn list(lab: &Lab, actor: &Actor, wanted: &Wanted) -> Result<Bytes, LabError> {
    actor.must(Action::MachineRead, Ties::NONE)?;
    let inventory = lab.store.inventory().await?;
    if !wanted.is_everything() {
        let fitting = inventory.by_name().iter().filter(|entry| wanted.fits(lab, actor, entry));
        return Ok(write(lab, actor, fitting)?.into());
    }
    // read before the readings themselves: what is newer than it is written again, never the other way round
    let power = lab.fleet.version();
    let reader = reader(actor);
    if let Some(list) = lab.listings.kept(&inventory, power, reader) {
        return Ok(list);
    }
    let list = Bytes::from(write(lab, actor, inventory.by_name().iter())?);
    lab.listings.keep(inventory, power, reader, list.clone());
    Ok(list)
}

/// The machines as a list in JSON. Each is written once for all lists, until something of it changes.
fn write<'a>(lab: &Lab, actor: &Actor, entries: impl Iterator<Item = &'a Arc<Entry>>) -> Result<Vec<u8>, LabError> {
    let power = lab.fleet.version();
    let mut kept = lab.listings.0.lock().unwrap_or_else(PoisonError::into_inner);
    let machines = kept.machines(reader(actor));
    let mut list = vec![b'['];
    for entry in entries {
        if list.len() > 1 {
            list.push(b',');
        }
        let current = |written: &&mut Written| Arc::ptr_eq(&written.entry, entry) && written.power == power;
        if let Some(written) = machines.get_mut(&entry.machine.id).filter(current) {
            list.extend_from_slice(&written.json);
            continue;
        }
        let json =
            serde_json::to_vec(&wire(lab, actor, entry)).map_err(|error| LabError::Internal(format!("list of machines: {error}")))?;
        list.extend_from_slice(&json);
        machines.insert(entry.machine.id, Written { entry: Arc::clone(entry), power, json: json.into() });
    }
    list.push(b']');
    Ok(list)
}

/// Which part of a list, in which order.
#[derive(Clone, Debug)]
pub struct Slice {
    pub by: Key,
    pub downwards: bool,
    pub from: From,
    pub limit: usize,
}

/// Where a part begins.
#[derive(Clone, Debug)]
pub enum From {
    /// After so many.
    Offset(usize),
    /// After the place of a machine, which may be another or gone meanwhile.
    Place(Place),
}

/// A machine's place in an order: what it is sorted by; its name and then its id tell apart what is equal in that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub value: Value,
    pub name: String,
    pub id: i64,
}

/// What a part of a list is of.
#[derive(Debug)]
pub struct Part {
    /// As JSON.
    pub machines: Bytes,
    /// In the whole list.
    pub total: usize,
    /// The place of the last of them, when there are more.
    pub next: Option<Place>,
}

/// A part of [`list`]: nothing is made of the others.
///
/// # Errors
/// The store's.
pub async fn part(lab: &Lab, actor: &Actor, wanted: &Wanted, slice: &Slice) -> Result<Part, LabError> {
    actor.must(Action::MachineRead, Ties::NONE)?;
    let inventory = lab.store.inventory().await?;
    if wanted.is_everything() && slice.by == Key::Name {
        return cut(lab, actor, slice, inventory.by_name());
    }
    let fitting = inventory.by_name().iter().filter(|entry| wanted.fits(lab, actor, entry));
    if slice.by == Key::Name {
        let entries: Vec<_> = fitting.collect();
        return cut(lab, actor, slice, &entries);
    }
    let mut entries: Vec<_> = fitting.map(|entry| (slice.by.of(lab, entry), entry)).collect();
    // what is equal stays by name
    entries.sort_by(|(a, _), (b, _)| slice.by.compare(a, b));
    let entries: Vec<_> = entries.into_iter().map(|(_, entry)| entry).collect();
    cut(lab, actor, slice, &entries)
}

/// The part of entries that are in the order asked for, upwards.
fn cut(lab: &Lab, actor: &Actor, slice: &Slice, entries: &[impl Borrow<Arc<Entry>>]) -> Result<Part, LabError> {
    let total = entries.len();
    let before = match &slice.from {
        From::Offset(count) => (*count).min(total),
        From::Place(Place { value, name, id }) => {
            let to_place = |entry: &Entry| {
                let by_value = slice.by.compare(&slice.by.of(lab, entry), value);
                by_value.then_with(|| natural_order::compare(&entry.machine.name, name)).then_with(|| entry.machine.id.cmp(id))
            };
            if slice.downwards {
                total - entries.partition_point(|entry| to_place(entry.borrow()).is_lt())
            } else {
                entries.partition_point(|entry| to_place(entry.borrow()).is_le())
            }
        }
    };
    let end = total.min(before.saturating_add(slice.limit));
    let at = |index: usize| entries[if slice.downwards { total - 1 - index } else { index }].borrow();
    let machines = write(lab, actor, (before..end).map(at))?.into();
    let last = (end < total && end > before).then(|| at(end - 1));
    let next = last.map(|last| Place { value: slice.by.of(lab, last), name: last.machine.name.clone(), id: last.machine.id });
    Ok(Part { machines, total, next })
}

/// A machine and its version.
///
/// # Errors
/// [`LabError::NotFound`].
pub async fn get(lab: &Lab, actor: &Actor, id: i64) -> Result<(Machine, String), LabError> {
    actor.must(Action::MachineRead, Ties::NONE)?;
    let inventory = lab.store.inventory().await?;
    let entry = inventory.entry(id).ok_or_else(not_found)?;
    let machine = wire(lab, actor, entry);
    // what depends on the actor or on the moment is no part of the version, so it is the entry's
    let version = entry.version(|| version::tag(&machine)).to_owned();
    Ok((machine, version))
}

/// A machine as the connection sees it, which may be a transaction that has changed it.
pub(super) async fn load(lab: &Lab, actor: &Actor, conn: &mut Conn, id: i64) -> Result<Machine, LabError> {
    let view = store::machines::view(conn, id).await?.ok_or_else(not_found)?;
    let interfaces = store::interfaces::list_views_of_machine(conn, id).await?;
    let assignments = store::assignments::list_views_of_machine(conn, id).await?;
    let tags = store::machine_tags::list_of_machine(conn, id).await?;
    Ok(wire(lab, actor, &Entry::new(view, interfaces, assignments, tags)))
}

/// The first machine, by name, that nobody has and that fits.
pub(super) fn first_free(lab: &Lab, inventory: &Inventory, query: &Query, search: &str) -> Option<i64> {
    let words = words(search);
    let mut entries = inventory.by_name().iter();
    entries
        .find(|entry| entry.assignments.is_empty() && query.fits(&Whole(lab, entry)) && finds(lab, entry, &words))
        .map(|entry| entry.machine.id)
}

/// A user with a token's limits; None: an admin with all rights.
type Reader = Option<(i64, Reach)>;

/// Whoever sees everything of every machine reads the same; limits of a token change what may be done, too.
fn reader(actor: &Actor) -> Reader {
    (!actor.admin || actor.reach.is_limited()).then_some((actor.user_id, actor.reach))
}

/// Machines and lists of all of them, written.
#[derive(Default)]
pub struct Listings(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    /// What the lists were written from.
    from: Option<(Arc<Inventory>, u64)>,
    lists: HashMap<Reader, Bytes>,
    machines: HashMap<Reader, HashMap<i64, Written>>,
}

/// A machine as JSON, and what it was made of.
struct Written {
    entry: Arc<Entry>,
    power: u64,
    json: Box<[u8]>,
}

impl Kept {
    /// Those of one reader; all are forgotten when they become too many.
    fn machines(&mut self, reader: Reader) -> &mut HashMap<i64, Written> {
        if self.machines.values().map(HashMap::len).sum::<usize>() > MACHINES {
            self.machines.clear();
        }
        self.machines.entry(reader).or_default()
    }

    fn is_of(&self, inventory: &Arc<Inventory>, power: u64) -> bool {
        self.from.as_ref().is_some_and(|(kept, version)| Arc::ptr_eq(kept, inventory) && *version == power)
    }
}

impl Listings {
    fn kept(&self, inventory: &Arc<Inventory>, power: u64, reader: Reader) -> Option<Bytes> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.is_of(inventory, power) { kept.lists.get(&reader).cloned() } else { None }
    }

    fn keep(&self, inventory: Arc<Inventory>, power: u64, reader: Reader, list: Bytes) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !kept.is_of(&inventory, power) || kept.lists.len() >= READERS {
            kept.lists.clear();
            kept.from = Some((inventory, power));
        }
        kept.lists.insert(reader, list);
    }
}

/// As the query language asks of it.
struct Whole<'a>(&'a Lab, &'a Entry);

fn is_assigned(actor: &Actor, entry: &Entry) -> bool {
    entry.assignments.iter().any(|assignment| assignment.user_id == actor.user_id)
}

impl Subject for Whole<'_> {
    fn held(&self, symbol: Symbol) -> Held<'_> {
        let Self(lab, entry) = *self;
        let count = |list: usize| Held::Number(i64::try_from(list).unwrap_or(i64::MAX));
        match symbol {
            Symbol::Name => Held::Text(Some(&entry.machine.name)),
            Symbol::Arch => Held::Text(Some(&entry.machine.arch_name)),
            Symbol::Subarch => Held::Text(entry.machine.subarch_name.as_deref()),
            Symbol::BmcType => Held::Text(entry.machine.bmc_type.as_deref()),
            Symbol::State => Held::Text(Some(&entry.machine.state)),
            Symbol::Power => Held::Text(Some(power_of(lab, entry.machine.id).0.word())),
            Symbol::Assignee => Held::Texts(entry.assignments.iter().map(|assignment| assignment.username.as_str()).collect()),
            Symbol::AssigneeCount => count(entry.assignments.len()),
            Symbol::InterfaceCount => count(entry.interfaces.len()),
            Symbol::Mac => Held::Texts(entry.interfaces.iter().map(|interface| interface.mac.as_str()).collect()),
            Symbol::Network => Held::Texts(entry.interfaces.iter().filter_map(|interface| interface.network_name.as_deref()).collect()),
            Symbol::NetbootEnabled => Held::Flag(entry.machine.netboot_enabled),
            Symbol::Tag => Held::Texts(entry.tags.iter().map(|row| row.tag.as_str()).collect()),
        }
    }
}

fn wire(lab: &Lab, actor: &Actor, entry: &Entry) -> Machine {
    let view = &entry.machine;
    let assignee = |assignment: &AssignmentView| MachineAssignee { user: assignment.username.clone(), reason: assignment.reason.clone() };
    let ties = Ties::assigned(is_assigned(actor, entry));
    let lease = |interface: &InterfaceView| Some(MachineLease { mac: interface.mac.clone(), ipv4: interface.lease_ipv4.clone()? });
    let (power, power_error) = power_of(lab, view.id);
    let details = actor.may(Action::MachineDetails, ties);
    Machine {
        id: view.id,
        name: view.name.clone(),
        hostname: hostname(&view.name),
        arch: view.arch_name.clone(),
        subarch: view.subarch_name.clone(),
        kernel_id: view.kernel_id,
        kernel_opts: view.kernel_opts.clone(),
        initrd_id: view.initrd_id,
        preseed_id: view.preseed_id,
        netboot_enabled: view.netboot_enabled,
        state: state(&view.state),
        power,
        power_error: power_error.filter(|_| details),
        arch_id: view.arch_id,
        subarch_id: view.subarch_id,
        bmc_id: view.bmc_id,
        bmc: view.bmc_name.clone(),
        bmc_info: view.bmc_info.clone(),
        bmc_health: view.bmc_id.map(|bmc| bmcs::shown(lab.fleet.health(bmc), details)),
        macs: entry.interfaces.iter().map(|interface| interface.mac.clone()).collect(),
        assignees: entry.assignments.iter().map(assignee).collect(),
        leases: entry.interfaces.iter().filter_map(lease).collect(),
        tags: entry.tags.iter().map(|row| row.tag.clone()).collect(),
        updated_at: instant(view.updated_at),
        may_change: actor.may(Action::MachineProvisioning, ties),
    }
}
