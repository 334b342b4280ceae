//! Machines as they are read: from the store's inventory, which is in memory, and lists of all of them from bytes
//! that are written once for everybody until something of them changes.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use app::api::{
    Machine, MachineAssignee, MachineLease, hostname,
    query::{Held, Query, Subject, Symbol},
};
use bytes::Bytes;
use store::{AssignmentView, Conn, InterfaceView, Inventory, MachineView, TagRow};

use super::{not_found, power_of, state};
use crate::lab::{Action, Actor, Lab, LabError, Reach, Ties, bmcs};

/// Readers whose lists are kept. Admins all read the same one.
const READERS: usize = 32;

/// The machines that fit the query, by name: of all, or of those assigned to the actor.
///
/// # Errors
/// The store's.
pub async fn list(lab: &Lab, actor: &Actor, all: bool, query: &Query) -> Result<Vec<Machine>, LabError> {
    actor.must(Action::MachineRead, Ties::NONE)?;
    let inventory = lab.store.inventory().await?;
    Ok(select(lab, actor, &inventory, |whole| (all || whole.is_assigned(actor)) && query.fits(whole)))
}

/// Which part of a list by name.
#[derive(Clone, Debug)]
pub struct Slice {
    /// Only what comes after this machine, or would: its name and id.
    pub after: Option<(String, i64)>,
    pub downwards: bool,
    pub limit: usize,
}

/// What a part of a list is of.
#[derive(Debug)]
pub struct Part {
    pub machines: Vec<Machine>,
    /// In the whole list.
    pub total: usize,
    pub more: bool,
}

/// A part of [`list`]: nothing is made of the others.
///
/// # Errors
/// The store's.
pub async fn part(lab: &Lab, actor: &Actor, all: bool, query: &Query, slice: &Slice) -> Result<Part, LabError> {
    actor.must(Action::MachineRead, Ties::NONE)?;
    let inventory = lab.store.inventory().await?;
    let wholes = inventory.machines().iter().map(|view| Whole::of(&inventory, view));
    let mut wholes: Vec<_> = wholes.filter(|whole| (all || whole.is_assigned(actor)) && query.fits(whole)).collect();
    let total = wholes.len();
    let order = |a: (&str, i64), b: (&str, i64)| if slice.downwards { b.cmp(&a) } else { a.cmp(&b) };
    if let Some((name, id)) = &slice.after {
        wholes.retain(|whole| order((whole.view.name.as_str(), whole.view.id), (name, *id)).is_gt());
    }
    let more = wholes.len() > slice.limit;
    if more {
        wholes.select_nth_unstable_by(slice.limit, |a, b| order((&a.view.name, a.view.id), (&b.view.name, b.view.id)));
        wholes.truncate(slice.limit);
    }
    wholes.sort_by(|a, b| order((&a.view.name, a.view.id), (&b.view.name, b.view.id)));
    Ok(Part { machines: wholes.iter().map(|whole| wire(lab, actor, whole)).collect(), total, more })
}

/// [`list`] of all machines, as JSON.
///
/// # Errors
/// The store's.
pub async fn list_all(lab: &Lab, actor: &Actor) -> Result<Bytes, LabError> {
    actor.must(Action::MachineRead, Ties::NONE)?;
    let inventory = lab.store.inventory().await?;
    // read before the readings themselves: what is newer than it is written again, never the other way round
    let power = lab.fleet.version();
    // whoever sees everything of every machine reads the same list; limits of a token change what may be done, too
    let reader = (!actor.admin || actor.reach.is_limited()).then_some((actor.user_id, actor.reach));
    if let Some(list) = lab.listings.kept(&inventory, power, reader) {
        return Ok(list);
    }
    let machines = select(lab, actor, &inventory, |_| true);
    let list = serde_json::to_vec(&machines).map_err(|error| LabError::Internal(format!("list of machines: {error}")))?;
    let list = Bytes::from(list);
    lab.listings.keep(inventory, power, reader, list.clone());
    Ok(list)
}

/// # Errors
/// [`LabError::NotFound`].
pub async fn get(lab: &Lab, actor: &Actor, id: i64) -> Result<Machine, LabError> {
    actor.must(Action::MachineRead, Ties::NONE)?;
    let inventory = lab.store.inventory().await?;
    let view = inventory.machine(id).ok_or_else(not_found)?;
    Ok(wire(lab, actor, &Whole::of(&inventory, view)))
}

/// A machine as the connection sees it, which may be a transaction that has changed it.
pub(super) async fn load(lab: &Lab, actor: &Actor, conn: &mut Conn, id: i64) -> Result<Machine, LabError> {
    let view = store::machines::view(conn, id).await?.ok_or_else(not_found)?;
    let interfaces = store::interfaces::list_views_of_machine(conn, id).await?;
    let assignments = store::assignments::list_views_of_machine(conn, id).await?;
    let tags = store::machine_tags::list_of_machine(conn, id).await?;
    Ok(wire(lab, actor, &Whole { view: &view, interfaces: &interfaces, assignments: &assignments, tags: &tags }))
}

/// The machines nobody has that fit, by name.
pub(super) fn unassigned(inventory: &Inventory, query: &Query) -> Vec<i64> {
    let all = inventory.machines().iter().map(|view| Whole::of(inventory, view));
    let mut free: Vec<_> = all.filter(|whole| whole.assignments.is_empty() && query.fits(whole)).map(|whole| whole.view).collect();
    free.sort_by(|a, b| a.name.cmp(&b.name));
    free.into_iter().map(|view| view.id).collect()
}

/// Whether nobody has the machine and it fits, as the connection sees it.
pub(super) async fn is_free(conn: &mut Conn, id: i64, query: &Query) -> Result<bool, LabError> {
    let assignments = store::assignments::list_views_of_machine(conn, id).await?;
    if !assignments.is_empty() {
        return Ok(false);
    }
    let Some(view) = store::machines::view(conn, id).await? else { return Ok(false) };
    let interfaces = store::interfaces::list_views_of_machine(conn, id).await?;
    let tags = store::machine_tags::list_of_machine(conn, id).await?;
    Ok(query.fits(&Whole { view: &view, interfaces: &interfaces, assignments: &assignments, tags: &tags }))
}

/// A user with a token's limits; None: an admin with all rights.
type Reader = Option<(i64, Reach)>;

/// Lists of all machines, written.
#[derive(Default)]
pub struct Listings(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    /// What the lists were written from.
    from: Option<(Arc<Inventory>, u64)>,
    lists: HashMap<Reader, Bytes>,
}

impl Kept {
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

/// A machine with what belongs to it.
struct Whole<'a> {
    view: &'a MachineView,
    interfaces: &'a [InterfaceView],
    assignments: &'a [AssignmentView],
    tags: &'a [TagRow],
}

impl<'a> Whole<'a> {
    fn of(inventory: &'a Inventory, view: &'a MachineView) -> Self {
        Self {
            view,
            interfaces: inventory.interfaces_of(view.id),
            assignments: inventory.assignments_of(view.id),
            tags: inventory.tags_of(view.id),
        }
    }

    fn is_assigned(&self, actor: &Actor) -> bool {
        self.assignments.iter().any(|assignment| assignment.user_id == actor.user_id)
    }
}

impl Subject for Whole<'_> {
    fn held(&self, symbol: Symbol) -> Held<'_> {
        let count = |list: usize| Held::Number(i64::try_from(list).unwrap_or(i64::MAX));
        match symbol {
            Symbol::Name => Held::Text(Some(&self.view.name)),
            Symbol::Arch => Held::Text(Some(&self.view.arch_name)),
            Symbol::Subarch => Held::Text(self.view.subarch_name.as_deref()),
            Symbol::BmcType => Held::Text(self.view.bmc_type.as_deref()),
            Symbol::State => Held::Text(Some(&self.view.state)),
            Symbol::Assignee => Held::Texts(self.assignments.iter().map(|assignment| assignment.username.as_str()).collect()),
            Symbol::AssigneeCount => count(self.assignments.len()),
            Symbol::InterfaceCount => count(self.interfaces.len()),
            Symbol::Mac => Held::Texts(self.interfaces.iter().map(|interface| interface.mac.as_str()).collect()),
            Symbol::Network => Held::Texts(self.interfaces.iter().filter_map(|interface| interface.network_name.as_deref()).collect()),
            Symbol::NetbootEnabled => Held::Flag(self.view.netboot_enabled),
            Symbol::Tag => Held::Texts(self.tags.iter().map(|row| row.tag.as_str()).collect()),
        }
    }
}

fn select(lab: &Lab, actor: &Actor, inventory: &Inventory, wanted: impl Fn(&Whole<'_>) -> bool) -> Vec<Machine> {
    let all = inventory.machines().iter().map(|view| Whole::of(inventory, view));
    let mut machines: Vec<Machine> = all.filter(|whole| wanted(whole)).map(|whole| wire(lab, actor, &whole)).collect();
    machines.sort_by(|a, b| a.name.cmp(&b.name));
    machines
}

fn wire(lab: &Lab, actor: &Actor, whole: &Whole<'_>) -> Machine {
    let view = whole.view;
    let assignee = |assignment: &AssignmentView| MachineAssignee { user: assignment.username.clone(), reason: assignment.reason.clone() };
    let ties = Ties::assigned(whole.is_assigned(actor));
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
        macs: whole.interfaces.iter().map(|interface| interface.mac.clone()).collect(),
        assignees: whole.assignments.iter().map(assignee).collect(),
        leases: whole.interfaces.iter().filter_map(lease).collect(),
        tags: whole.tags.iter().map(|row| row.tag.clone()).collect(),
        may_change: actor.may(Action::MachineProvisioning, ties),
    }
}
