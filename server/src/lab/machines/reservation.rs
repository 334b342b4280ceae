//! Giving somebody a machine that nobody has.

use app::api::{EventKind, Machine, RESERVATION_QUERY_LIMIT, Reason, Reservation, query::Query};

use super::listing::{first_free, load};
use crate::{
    journal::{Pending, now_micros},
    lab::{
        Action, Actor, Lab, LabError, Ties,
        audit::{self, Subject, facts},
    },
};

/// Assigns the actor the first machine, by name, that fits and that nobody has. The transaction holds off every other one, so
/// no two get the same (B1).
///
/// # Errors
/// A query that is not understood; [`LabError::NotFound`] when no machine is free and fits.
pub async fn reserve(lab: &Lab, actor: &Actor, wanted: Reservation) -> Result<Machine, LabError> {
    actor.must(Action::MachineReserve, Ties::NONE)?;
    let text = wanted.query.unwrap_or_default();
    if text.chars().count() > RESERVATION_QUERY_LIMIT {
        return Err(LabError::invalid(format!("query must be at most {RESERVATION_QUERY_LIMIT} characters long")));
    }
    let query = Query::parse(&text).map_err(|fault| LabError::invalid(fault.to_string()))?;
    let (mut tx, inventory) = lab.store.begin_with_inventory().await?;
    let id = first_free(lab, &inventory, &query, &wanted.search.unwrap_or_default())
        .ok_or_else(|| LabError::not_found("no matching machine"))?;
    let row = store::NewAssignment {
        machine_id: id,
        user_id: actor.user_id,
        reason: wanted.reason.map(Reason::into_string).unwrap_or_default(),
        started_at: now_micros(),
    };
    let assignment = store::assignments::insert(&mut tx, &row).await?;
    let mut pending = Pending::default();
    let what = EventKind::SettingsChange { changed: vec!["assignees".into()] };
    lab.journal.record_in(&mut tx, &mut pending, id, Some(&actor.cause()), what).await?;
    pending.changed(id);
    let machine = load(lab, actor, &mut tx, id).await?;
    if let Some(view) = store::assignments::view(&mut tx, assignment).await? {
        audit::made(&mut tx, actor, Subject::new("assignee", id, &machine.name), facts::assignment(&view)).await?;
    }
    tx.commit().await?;
    lab.journal.publish(pending);
    Ok(machine)
}
