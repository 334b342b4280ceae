//! Those who use what is to be deleted. They are told; an admin may have them freed of it, or given another in its place.

use app::api::EventKind;
use store::{MachineRow, Tx, UsedBy};

use super::{
    Action, Actor, Lab, LabError, Ties,
    audit::{self, Subject, facts},
    error::in_use,
};
use crate::journal::{Pending, now_micros};

/// What becomes of the users of what is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Instead {
    /// They keep it: it is not deleted.
    #[default]
    Refuse,
    /// They go on without.
    Detach,
    /// They get the one with this id.
    Replace(i64),
}

impl Instead {
    /// What the users of `what` get in its place, Some(None) for nothing. None when nobody uses it.
    ///
    /// # Errors
    /// [`LabError::InUse`]; actors other than admins who want more than that; itself as its own replacement.
    pub(super) fn settle(self, actor: &Actor, what: &str, id: i64, by: &[UsedBy]) -> Result<Option<Option<i64>>, LabError> {
        if self != Self::Refuse {
            actor.must(Action::UsesManage, Ties::NONE)?;
        }
        if by.is_empty() {
            return Ok(None);
        }
        match self {
            Self::Refuse => in_use(what, by.to_vec()).map(|()| None),
            Self::Detach => Ok(Some(None)),
            Self::Replace(other) if other == id => Err(LabError::invalid(format!("{what} cannot take its own place"))),
            Self::Replace(other) => Ok(Some(Some(other))),
        }
    }
}

/// Changes the machines among the users, with an event and an entry of the audit log for each.
pub(super) async fn edit_machines(
    lab: &Lab,
    tx: &mut Tx,
    actor: &Actor,
    pending: &mut Pending,
    by: &[UsedBy],
    field: &str,
    edit: impl Fn(&mut MachineRow) -> Result<(), LabError>,
) -> Result<(), LabError> {
    let mut ids: Vec<i64> = by.iter().filter(|user| user.kind == "machine").map(|user| user.id).collect();
    // one may have it as its kernel and as its initrd
    ids.dedup();
    for id in ids {
        let Some(before) = store::machines::get(tx, id).await? else { continue };
        let mut after = before.clone();
        edit(&mut after)?;
        if before == after {
            continue;
        }
        after.updated_at = now_micros();
        store::machines::update(tx, &after).await?;
        audit::changed(tx, actor, Subject::new("machine", id, &before.name), facts::machine(&before), facts::machine(&after)).await?;
        let what = EventKind::SettingsChange { changed: vec![field.into()] };
        lab.journal.record_in(tx, pending, id, Some(&actor.cause()), what).await?;
        pending.changed(id);
    }
    Ok(())
}
