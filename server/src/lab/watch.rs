//! What everybody who looks at the lab is told, as it happens.

use app::api::{BmcStatus, Event, LabEvent, Status};
use store::{EventFilter, Inventory};

use crate::{
    journal,
    lab::{Action, Actor, Lab, LabError, Ties, bmcs, machines},
};

/// Events told again to a reader who was away. Who missed more loads everything anew.
const REPLAY_LIMIT: i64 = 500;

/// Power and state of every machine now, and the health of every BMC.
///
/// # Errors
/// The store's.
pub async fn snapshot(lab: &Lab) -> Result<LabEvent, LabError> {
    let mut read = lab.store.read().await?;
    let rows = store::machines::list(&mut read).await?;
    let bmcs = store::bmcs::list(&mut read).await?;
    drop(read);
    let bmcs = bmcs.into_iter().map(|bmc| BmcStatus { bmc: bmc.id, health: lab.fleet.health(bmc.id) }).collect();
    let status = |row: store::MachineRow| {
        let (power, error) = machines::power_of(lab, row.id);
        Status { machine: row.id, power, error, state: machines::state(&row.state) }
    };
    Ok(LabEvent::Snapshot { machines: rows.into_iter().map(status).collect(), bmcs })
}

/// The log's entries after the one a reader saw last, oldest first; [`LabEvent::Resync`] when they are too many.
///
/// # Errors
/// The store's.
pub async fn missed(lab: &Lab, after: i64) -> Result<Vec<LabEvent>, LabError> {
    let mut read = lab.store.read().await?;
    let rows = store::events::list_since(&mut read, after, REPLAY_LIMIT).await?;
    if i64::try_from(rows.len()).is_ok_and(|count| count == REPLAY_LIMIT) {
        return Ok(vec![LabEvent::Resync]);
    }
    Ok(rows.into_iter().filter_map(journal::event).map(|event| LabEvent::Event { event }).collect())
}

/// What happened to all machines: events that fit, at most `limit`, newest first or `upwards`.
///
/// # Errors
/// The store's.
pub async fn events(lab: &Lab, actor: &Actor, wanted: &EventFilter, upwards: bool, limit: usize) -> Result<Vec<Event>, LabError> {
    actor.must(Action::MachineRead, Ties::NONE)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut read = lab.store.read().await?;
    let rows = match upwards {
        true => store::events::list_all_upwards(&mut read, wanted, limit).await?,
        false => store::events::list_all(&mut read, wanted, limit).await?,
    };
    drop(read);
    let inventory = lab.store.inventory().await?;
    let shown = |event: Event| if sees_details(&inventory, actor, event.machine_id) { event } else { event.without_details() };
    Ok(rows.into_iter().filter_map(journal::event).map(shown).collect())
}

/// Whether the actor is told more of a machine than what it is and does.
pub(super) fn sees_details(inventory: &Inventory, actor: &Actor, machine: i64) -> bool {
    let assigned = inventory.assignments_of(machine).iter().any(|assignment| assignment.user_id == actor.user_id);
    actor.may(Action::MachineDetails, Ties::assigned(assigned))
}

/// The power of a changed machine with what its BMC complains of, for an assignee: whoever has been given the machine just now was told
/// without. None where there is nothing to complain of, and for administrators, who were told.
///
/// # Errors
/// The store's.
pub async fn complaint(lab: &Lab, actor: &Actor, machine: i64) -> Result<Option<LabEvent>, LabError> {
    let (power, error) = machines::power_of(lab, machine);
    if error.is_none() || actor.may(Action::MachineDetails, Ties::NONE) {
        return Ok(None);
    }
    let inventory = lab.store.inventory().await?;
    Ok(sees_details(&inventory, actor, machine).then_some(LabEvent::Power { machine, power, error }))
}

/// A message as the actor may see it: of machines that are not theirs without addresses, files and messages.
///
/// # Errors
/// The store's.
pub async fn shown(lab: &Lab, actor: &Actor, message: LabEvent) -> Result<LabEvent, LabError> {
    if actor.may(Action::MachineDetails, Ties::NONE) {
        return Ok(message);
    }
    let inventory = lab.store.inventory().await?;
    let may = |machine: i64| sees_details(&inventory, actor, machine);
    // whoever may know of one machine what its BMC complains of
    let may_of = |bmc: i64| inventory.machines().any(|machine| machine.bmc_id == Some(bmc) && may(machine.id));
    Ok(match message {
        LabEvent::Event { event } if !may(event.machine_id) => LabEvent::Event { event: event.without_details() },
        LabEvent::Power { machine, power, error } => LabEvent::Power { machine, power, error: error.filter(|_| may(machine)) },
        LabEvent::BmcHealth { bmc, health } => LabEvent::BmcHealth { bmc, health: bmcs::shown(health, may_of(bmc)) },
        LabEvent::Snapshot { machines, bmcs } => {
            let status = |status: Status| Status { error: status.error.filter(|_| may(status.machine)), ..status };
            let health = |status: BmcStatus| BmcStatus { health: bmcs::shown(status.health, may_of(status.bmc)), ..status };
            LabEvent::Snapshot { machines: machines.into_iter().map(status).collect(), bmcs: bmcs.into_iter().map(health).collect() }
        }
        other => other,
    })
}
