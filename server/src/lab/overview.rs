//! What the lab is doing now, for those who look at all of it.

use std::collections::{BTreeMap, HashMap};

use app::api::{
    EventKind, Failure, HeldMachine, Holder, MachineState, NamedMachine, Overview, PowerCounts, PowerState, Provisioning, StateCounts,
    UnwellBmc,
};
use store::{Entry, EventFilter, Inventory};

use super::{Action, Actor, Lab, LabError, Ties, bmcs, machines, watch};
use crate::journal::now_micros;

/// Entries of a list; of more there is only the number.
const ENTRIES: usize = 12;
/// Machines named beside their holder or BMC.
const NAMES: usize = 10;
/// Events of the day that are looked through for failures.
const LOOKED_THROUGH: usize = 500;
/// Entries of a machine's log in which the beginning of its provisioning is looked for.
const LOG: usize = 50;
/// A day, in microseconds.
const DAY: i64 = 86_400_000_000;

/// The lab in numbers and first names.
///
/// # Errors
/// The store's.
pub async fn overview(lab: &Lab, actor: &Actor) -> Result<Overview, LabError> {
    actor.must(Action::MachineRead, Ties::NONE)?;
    actor.must(Action::BmcRead, Ties::NONE)?;
    let inventory = lab.store.inventory().await?;
    let mut overview = Overview { machine_count: inventory.by_name().len(), ..Overview::default() };
    let mut running = Vec::new();
    for entry in inventory.by_name() {
        let machine = &entry.machine;
        let state = machines::state(&machine.state);
        *count_of_state(&mut overview.states, state) += 1;
        *count_of_power(&mut overview.powers, lab.fleet.power(machine.id).state) += 1;
        overview.free_count += usize::from(entry.assignments.is_empty());
        if state == MachineState::Provisioning && running.len() < ENTRIES {
            running.push(named(entry));
        }
    }
    overview.holders = holders(&inventory);
    for machine in running {
        overview.provisioning.extend(progress(lab, actor, machine).await?);
    }
    unwell(lab, actor, &inventory, &mut overview).await?;
    failures(lab, actor, &inventory, &mut overview).await?;
    Ok(overview)
}

fn named(entry: &Entry) -> NamedMachine {
    NamedMachine { id: entry.machine.id, name: entry.machine.name.clone() }
}

fn count_of_state(counts: &mut StateCounts, state: MachineState) -> &mut usize {
    match state {
        MachineState::Provisioning => &mut counts.provisioning,
        MachineState::Ready => &mut counts.ready,
        MachineState::Error => &mut counts.error,
        MachineState::Unknown => &mut counts.unknown,
    }
}

fn count_of_power(counts: &mut PowerCounts, power: PowerState) -> &mut usize {
    match power {
        PowerState::On => &mut counts.on,
        PowerState::Off => &mut counts.off,
        PowerState::BmcError => &mut counts.bmc_error,
        PowerState::Unknown => &mut counts.unknown,
    }
}

fn holders(inventory: &Inventory) -> Vec<Holder> {
    let mut held = BTreeMap::<&str, Holder>::new();
    for entry in inventory.by_name() {
        for assignment in &entry.assignments {
            let user = assignment.username.as_str();
            let holder = held.entry(user).or_insert_with(|| Holder { user: user.to_owned(), machine_count: 0, machines: Vec::new() });
            holder.machine_count += 1;
            if holder.machines.len() < NAMES {
                let NamedMachine { id, name } = named(entry);
                holder.machines.push(HeldMachine { id, name, reason: assignment.reason.clone() });
            }
        }
    }
    let mut holders: Vec<Holder> = held.into_values().collect();
    holders.sort_by(|a, b| b.machine_count.cmp(&a.machine_count).then_with(|| natural_order::compare(&a.user, &b.user)));
    holders
}

/// None when the machine has gone meanwhile.
async fn progress(lab: &Lab, actor: &Actor, machine: NamedMachine) -> Result<Option<Provisioning>, LabError> {
    let mut log = match machines::events(lab, actor, machine.id, None, false, LOG).await {
        Ok(log) => log,
        Err(LabError::NotFound(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let begins = |kind: &EventKind| matches!(kind, EventKind::StateChange { state: MachineState::Provisioning, .. });
    let beginning = log.iter().position(|event| begins(&event.what));
    let since = beginning.map(|at| log[at].date.clone());
    log.truncate(beginning.unwrap_or(log.len()));
    Ok(Some(Provisioning { machine, since, last: log.into_iter().find(|event| event.what.is_step() || event.what.is_failure()) }))
}

/// BMCs that are not well, each with the machines behind it.
async fn unwell(lab: &Lab, actor: &Actor, inventory: &Inventory, overview: &mut Overview) -> Result<(), LabError> {
    let mut rows = store::bmcs::list(&mut *lab.store.read().await?).await?;
    overview.bmc_count = rows.len();
    rows.retain(|row| !lab.fleet.health(row.id).is_well());
    overview.unwell_count = rows.len();
    rows.sort_by(|a, b| natural_order::compare(&a.name, &b.name));
    rows.truncate(ENTRIES);
    let mut behind: HashMap<i64, Vec<&Entry>> = rows.iter().map(|row| (row.id, Vec::new())).collect();
    for entry in inventory.by_name() {
        if let Some(own) = entry.machine.bmc_id.and_then(|bmc| behind.get_mut(&bmc)) {
            own.push(entry);
        }
    }
    overview.unwell_bmcs.extend(rows.into_iter().map(|row| {
        let behind = behind.remove(&row.id).unwrap_or_default();
        let sees = |entry: &&Entry| watch::sees_details(inventory, actor, entry.machine.id);
        let details = actor.may(Action::MachineDetails, Ties::NONE) || behind.iter().any(sees);
        UnwellBmc {
            health: bmcs::shown(lab.fleet.health(row.id), details),
            id: row.id,
            name: row.name,
            machine_count: behind.len(),
            machines: behind.into_iter().take(NAMES).map(named).collect(),
        }
    }));
    Ok(())
}

/// What failed within a day.
async fn failures(lab: &Lab, actor: &Actor, inventory: &Inventory, overview: &mut Overview) -> Result<(), LabError> {
    let wanted = EventFilter { since: now_micros() - DAY, types: format!(",{},", EventKind::FAILURES.join(",")), ..EventFilter::default() };
    let events = watch::events(lab, actor, &wanted, false, LOOKED_THROUGH).await?;
    overview.failures_cut = events.len() >= LOOKED_THROUGH;
    for event in events.into_iter().filter(|event| event.what.is_failure()) {
        // with a machine that has gone, its events go
        let Some(machine) = inventory.machine(event.machine_id).map(|machine| machine.name.clone()) else { continue };
        overview.failure_count += 1;
        if overview.failures.len() < ENTRIES {
            overview.failures.push(Failure { machine, event });
        }
    }
    Ok(())
}
