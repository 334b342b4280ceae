//! Who changed what: an entry for every change, in the very transaction of the change, so that there is never one without
//! the other. Entries are only ever added; the database itself refuses anything else.

pub mod facts;

use app::api::{AuditEntry, List};
use serde_json::{Map, Value};
use store::{AuditFilter, AuditRow, NewAudit, Tx};

use super::{Action, Actor, Lab, LabError, Origin, Ties};
use crate::journal::{instant, now_micros};

/// Characters kept of a session's hash: enough to find it in a list.
const SESSION: usize = 16;

/// What a change is about.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// `machine`, `image`, …: the first word of an action, too.
    pub kind: &'static str,
    pub id: i64,
    /// Kept when the thing goes.
    pub name: &'a str,
}

impl<'a> Subject<'a> {
    pub fn new(kind: &'static str, id: i64, name: &'a str) -> Self {
        Self { kind, id, name }
    }
}

/// Something came to be.
pub async fn made(tx: &mut Tx, actor: &Actor, subject: Subject<'_>, after: Value) -> Result<(), LabError> {
    write(tx, actor, subject, "create", None, Some(after)).await
}

/// Something was changed: the members that differ. Nothing is written when none does.
pub async fn changed(tx: &mut Tx, actor: &Actor, subject: Subject<'_>, before: Value, after: Value) -> Result<(), LabError> {
    match differing(before, after) {
        Some((before, after)) => write(tx, actor, subject, "change", Some(before), Some(after)).await,
        None => Ok(()),
    }
}

/// Something is no more.
pub async fn gone(tx: &mut Tx, actor: &Actor, subject: Subject<'_>, before: Value) -> Result<(), LabError> {
    write(tx, actor, subject, "delete", Some(before), None).await
}

/// Something was done with it, e.g. `power`.
pub async fn did(tx: &mut Tx, actor: &Actor, subject: Subject<'_>, verb: &str, what: Value) -> Result<(), LabError> {
    write(tx, actor, subject, verb, None, Some(what)).await
}

async fn write(
    tx: &mut Tx,
    actor: &Actor,
    subject: Subject<'_>,
    verb: &str,
    before: Option<Value>,
    after: Option<Value>,
) -> Result<(), LabError> {
    if ["create", "change", "delete"].contains(&verb) {
        // a machine's state and settings show in no other list
        let shown = subject.kind != "machine"
            || verb != "change"
            || after.as_ref().is_some_and(|after| after.get("name").is_some() || after.get("bmc_id").is_some());
        if shown {
            tell(tx, lists(subject.kind));
        }
    }
    let (via, via_id) = match &actor.origin {
        Origin::Session(hash) => ("session", hash.get(..SESSION).unwrap_or(hash).to_owned()),
        Origin::Token(id) => ("token", id.to_string()),
        Origin::Ticket(_) => ("ticket", String::new()),
        Origin::Local => ("local", String::new()),
    };
    let entry = NewAudit {
        at: now_micros(),
        user_id: (actor.user_id != 0).then_some(actor.user_id),
        username: actor.username.clone(),
        address: actor.address.map(|address| address.to_string()),
        via: via.into(),
        via_id,
        action: format!("{}.{verb}", subject.kind),
        kind: subject.kind.into(),
        subject_id: subject.id,
        subject: subject.name.into(),
        before: before.map(|value| value.to_string()),
        after: after.map(|value| value.to_string()),
    };
    store::audit::insert(tx, &entry).await?;
    Ok(())
}

/// Has those who look at these lists ask for them again, once the transaction is committed.
pub(super) fn tell(tx: &mut Tx, lists: &[List]) {
    lists.iter().for_each(|list| tx.note(list.word()));
}

/// The lists that show something of this kind of thing.
fn lists(kind: &str) -> &'static [List] {
    match kind {
        "bmc" => &[List::Bmc],
        "network" => &[List::Network],
        // a network and a lease name their machines; a MAC that has a machine is discovered no longer
        "interface" => &[List::Network, List::Lease, List::Discovered],
        "machine" => &[List::Bmc, List::Network, List::Lease, List::Discovered],
        // who owns what, by name
        "user" => &[List::User, List::Image, List::Preseed],
        "arch" => &[List::Arch, List::Image],
        "subarch" => &[List::Arch],
        // a bootloader is named where it is used
        "image" => &[List::Image, List::Arch],
        "preseed" => &[List::Preseed],
        "discovered" => &[List::Discovered],
        _ => &[],
    }
}

/// Both sides without the members they share.
fn differing(before: Value, after: Value) -> Option<(Value, Value)> {
    let (Value::Object(before), Value::Object(after)) = (before, after) else { return None };
    let only = |one: &Map<String, Value>, other: &Map<String, Value>| -> Map<String, Value> {
        one.iter().filter(|(name, value)| other.get(*name) != Some(value)).map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    let (old, new) = (only(&before, &after), only(&after, &before));
    if old.is_empty() && new.is_empty() { None } else { Some((old.into(), new.into())) }
}

/// Entries that fit, newest first or `upwards`: at most `limit`, those beyond the entry `beyond`.
///
/// # Errors
/// Actors other than admins.
pub async fn list(
    lab: &Lab,
    actor: &Actor,
    filter: &AuditFilter,
    beyond: Option<i64>,
    upwards: bool,
    limit: usize,
) -> Result<Vec<AuditEntry>, LabError> {
    actor.must(Action::AuditRead, Ties::NONE)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let (mut filter, mut read) = (filter.clone(), lab.store.read().await?);
    let rows = if upwards {
        filter.after_id = beyond.unwrap_or(filter.after_id);
        store::audit::list_upwards(&mut read, &filter, limit).await?
    } else {
        filter.before_id = beyond.unwrap_or(filter.before_id);
        store::audit::list(&mut read, &filter, limit).await?
    };
    Ok(rows.into_iter().map(wire).collect())
}

fn wire(row: AuditRow) -> AuditEntry {
    let json = |text: Option<String>| text.and_then(|text| serde_json::from_str(&text).ok());
    AuditEntry {
        id: row.id,
        date: instant(row.at),
        user: row.username,
        user_id: row.user_id,
        address: row.address,
        via: row.via,
        via_id: row.via_id,
        action: row.action,
        kind: row.kind,
        subject_id: row.subject_id,
        subject: row.subject,
        before: json(row.before),
        after: json(row.after),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_differs_is_kept() {
        let (before, after) = differing(json!({ "a": 1, "b": 2, "c": null }), json!({ "a": 1, "b": 3, "c": null })).unwrap();
        assert_eq!((before, after), (json!({ "b": 2 }), json!({ "b": 3 })));
        assert!(differing(json!({ "a": 1 }), json!({ "a": 1 })).is_none());
    }
}
