//! Labels on machines.

use std::collections::BTreeSet;

use app::api::Tag;
use store::{Conn, Tx};

use crate::lab::LabError;

/// Most labels one machine may have.
const MOST: usize = 32;

/// Those the machine has.
pub(super) async fn of(conn: &mut Conn, machine: i64) -> Result<Vec<String>, LabError> {
    Ok(store::machine_tags::list_of_machine(conn, machine).await?.into_iter().map(|row| row.tag).collect())
}

/// Gives the machine these labels and no others. Whether that changed anything.
pub(super) async fn set(tx: &mut Tx, machine: i64, tags: Vec<Tag>) -> Result<bool, LabError> {
    let wanted: BTreeSet<String> = tags.into_iter().map(Tag::into_string).collect();
    if wanted.len() > MOST {
        return Err(LabError::invalid(format!("a machine has at most {MOST} tags")));
    }
    let present: BTreeSet<String> = of(tx, machine).await?.into_iter().collect();
    for tag in present.difference(&wanted) {
        store::machine_tags::delete(tx, machine, tag).await?;
    }
    for tag in wanted.difference(&present) {
        store::machine_tags::insert(tx, machine, tag).await?;
    }
    Ok(present != wanted)
}
