//! Who has a machine. Admins give it; admins and whoever has it change the reason or give it back.

use app::api::{Assignee, AssigneeChange, EventKind, NewAssignee, Reason};
use store::{AssignmentView, Conn, Tx};

use super::{
    Action, Actor, Lab, LabError, Ties,
    audit::{self, Subject, facts},
    machines,
};
use crate::journal::{Pending, instant, now_micros};

/// Which assignment of a machine: by its id, or the asking user's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    Id(i64),
    Own,
}

/// # Errors
/// [`LabError::NotFound`] when there is no such machine.
pub async fn list(lab: &Lab, actor: &Actor, machine: i64) -> Result<Vec<Assignee>, LabError> {
    actor.must(Action::MachineRead, Ties::NONE)?;
    let mut read = lab.store.read().await?;
    let views = store::assignments::list_views_of_machine(&mut read, machine).await?;
    if views.is_empty() && store::machines::get(&mut read, machine).await?.is_none() {
        return Err(machines::not_found());
    }
    Ok(views.into_iter().map(wire).collect())
}

/// # Errors
/// [`LabError::NotFound`].
pub async fn get(lab: &Lab, actor: &Actor, machine: i64, which: Which) -> Result<Assignee, LabError> {
    actor.must(Action::MachineRead, Ties::NONE)?;
    let mut read = lab.store.read().await?;
    find(&mut read, actor, machine, which).await.map(wire)
}

/// # Errors
/// Actors other than admins; an unknown user; one who has the machine already.
pub async fn create(lab: &Lab, actor: &Actor, machine: i64, new: NewAssignee) -> Result<Assignee, LabError> {
    actor.must(Action::AssigneeCreate, Ties::NONE)?;
    let mut tx = lab.store.begin().await?;
    let row = store::machines::get(&mut tx, machine).await?.ok_or_else(machines::not_found)?;
    let name = row.name;
    let user = store::users::get_by_name(&mut tx, &new.user).await?.ok_or_else(|| LabError::invalid("no such user"))?;
    let row = store::NewAssignment {
        machine_id: machine,
        user_id: user.id,
        reason: new.reason.map(Reason::into_string).unwrap_or_default(),
        started_at: now_micros(),
    };
    let id = store::assignments::insert(&mut tx, &row).await?;
    let view = store::assignments::view(&mut tx, id).await?.ok_or_else(not_found)?;
    audit::made(&mut tx, actor, Subject::new("assignee", machine, &name), facts::assignment(&view)).await?;
    commit(lab, actor, tx, machine).await?;
    Ok(wire(view))
}

/// # Errors
/// Actors who are neither admin nor that assignee; [`LabError::NotFound`].
pub async fn change(lab: &Lab, actor: &Actor, machine: i64, which: Which, change: AssigneeChange) -> Result<Assignee, LabError> {
    let mut tx = lab.store.begin().await?;
    let mut view = find(&mut tx, actor, machine, which).await?;
    must_own(actor, &view)?;
    actor.must_know(&wire(view.clone()))?;
    let reason = change.reason.map(Reason::into_string).unwrap_or_default();
    if view.reason != reason {
        store::assignments::set_reason(&mut tx, view.id, &reason).await?;
        let before = facts::assignment(&view);
        view.reason = reason;
        let name = machine_name(&mut tx, machine).await?;
        audit::changed(&mut tx, actor, Subject::new("assignee", machine, &name), before, facts::assignment(&view)).await?;
        commit(lab, actor, tx, machine).await?;
    }
    Ok(wire(view))
}

/// # Errors
/// Actors who are neither admin nor that assignee; [`LabError::NotFound`].
pub async fn delete(lab: &Lab, actor: &Actor, machine: i64, which: Which) -> Result<(), LabError> {
    let mut tx = lab.store.begin().await?;
    let view = find(&mut tx, actor, machine, which).await?;
    must_own(actor, &view)?;
    actor.must_know(&wire(view.clone()))?;
    store::assignments::delete(&mut tx, view.id).await?;
    let name = machine_name(&mut tx, machine).await?;
    audit::gone(&mut tx, actor, Subject::new("assignee", machine, &name), facts::assignment(&view)).await?;
    commit(lab, actor, tx, machine).await
}

fn not_found() -> LabError {
    LabError::not_found("assignee not found")
}

async fn find(conn: &mut Conn, actor: &Actor, machine: i64, which: Which) -> Result<AssignmentView, LabError> {
    let id = match which {
        Which::Id(id) => Some(id),
        Which::Own => store::assignments::get_for(conn, machine, actor.user_id).await?.map(|row| row.id),
    };
    let view = match id {
        Some(id) => store::assignments::view(conn, id).await?,
        None => None,
    };
    match view.filter(|view| view.machine_id == machine) {
        Some(view) => Ok(view),
        None if store::machines::get(conn, machine).await?.is_none() => Err(machines::not_found()),
        None => Err(not_found()),
    }
}

async fn machine_name(conn: &mut Conn, machine: i64) -> Result<String, LabError> {
    Ok(store::machines::get(conn, machine).await?.ok_or_else(machines::not_found)?.name)
}

fn must_own(actor: &Actor, view: &AssignmentView) -> Result<(), LabError> {
    actor.must(Action::AssigneeChange, Ties::assigned(view.user_id == actor.user_id))
}

async fn commit(lab: &Lab, actor: &Actor, mut tx: Tx, machine: i64) -> Result<(), LabError> {
    let mut pending = Pending::default();
    let what = EventKind::SettingsChange { changed: vec!["assignees".into()] };
    lab.journal.record_in(&mut tx, &mut pending, machine, Some(&actor.cause()), what).await?;
    pending.changed(machine);
    tx.commit().await?;
    lab.journal.publish(pending);
    Ok(())
}

fn wire(view: AssignmentView) -> Assignee {
    Assignee { id: view.id, user: view.username, reason: view.reason, since: instant(view.started_at) }
}
