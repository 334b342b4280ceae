//! An entry of the audit log in the words of those who read it.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{api::AuditEntry, pages::used::found, ui::clock};

/// Longer values are folded.
pub(super) const LONG: usize = 160;

/// Kinds of things, and what is done with them beside being added, changed and deleted.
pub(super) const KINDS: [(&str, &[&str]); 13] = [
    ("machine", &["create", "change", "delete", "power", "console"]),
    ("interface", &["create", "change", "delete"]),
    ("assignee", &["create", "change", "delete"]),
    ("image", &["create", "change", "delete"]),
    ("preseed", &["create", "change", "delete"]),
    ("arch", &["create", "change", "delete"]),
    ("subarch", &["create", "change", "delete"]),
    ("network", &["create", "change", "delete"]),
    ("bmc", &["create", "change", "delete"]),
    ("discovered", &["change", "delete"]),
    ("user", &["create", "change", "delete", "password"]),
    ("token", &["create", "delete"]),
    ("session", &["create", "delete"]),
];

/// A kind within a sentence.
pub(super) fn noun(kind: &str) -> &str {
    match kind {
        "arch" => "architecture",
        "subarch" => "subarchitecture",
        "bmc" => "BMC",
        "discovered" => "discovered MAC",
        "assignee" => "assignee of",
        "session" => "session of",
        other => other,
    }
}

/// `changed machine`; the subject's name follows.
pub(super) fn deed(entry: &AuditEntry) -> String {
    let verb = entry.action.rsplit('.').next().unwrap_or_default();
    match (entry.kind.as_str(), verb) {
        ("session", "create") => "logged in as".into(),
        ("session", "delete") => "ended a session of".into(),
        (kind, "create") => format!("added {}", noun(kind)),
        (kind, "change") => format!("changed {}", noun(kind)),
        (kind, "delete") => format!("deleted {}", noun(kind)),
        (kind, "power") => format!("commanded the power of {}", noun(kind)),
        (kind, "console") => format!("opened the console of {}", noun(kind)),
        (kind, "password") => format!("set the password of {}", noun(kind)),
        // one of a newer server
        (kind, other) => format!("did “{}” to {}", other.replace('_', " "), noun(kind)),
    }
}

/// The page that shows what the entry is about, if one does. What has no page of its own is looked for in its list.
pub(super) fn page(entry: &AuditEntry) -> Option<String> {
    let id = entry.subject_id;
    match entry.kind.as_str() {
        // an assignment is told of by its machine
        "machine" | "assignee" => Some(format!("/machines/{id}")),
        "preseed" => Some(format!("/preseeds/{id}")),
        "image" => listed(entry, "/images"),
        "network" => listed(entry, "/networks"),
        "bmc" => listed(entry, "/bmcs"),
        "arch" | "subarch" => listed(entry, "/archs"),
        // a session is told of by its user
        "user" | "session" => listed(entry, "/users"),
        _ => None,
    }
}

/// The list that finds it by its name, which the entry may be the change of.
fn listed(entry: &AuditEntry, list: &str) -> Option<String> {
    // what is deleted is in no list; an ended session's user is
    if entry.kind != "session" && entry.action.ends_with(".delete") {
        return None;
    }
    let member = match entry.kind.as_str() {
        "user" => "username",
        "image" => "filename",
        _ => "name",
    };
    let renamed = entry.after.as_ref().and_then(|after| after.get(member)).and_then(Value::as_str);
    let name = renamed.unwrap_or(&entry.subject);
    (!name.is_empty()).then(|| found(list, name))
}

/// One member of what was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) member: String,
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
}

/// Member by member, in the order of their names.
pub(super) fn changes(before: Option<&Value>, after: Option<&Value>) -> Vec<Change> {
    let member = |value: Option<&Value>, name: &str| value.and_then(|value| value.get(name)).map(|value| shown(name, value));
    let members = [before, after].into_iter().flatten().filter_map(Value::as_object).flat_map(serde_json::Map::keys);
    let names: BTreeSet<&String> = members.collect();
    names
        .into_iter()
        .map(|name| Change { member: name.replace('_', " "), before: member(before, name), after: member(after, name) })
        .collect()
}

fn shown(name: &str, value: &Value) -> String {
    match value {
        Value::Null => "none".into(),
        Value::Bool(true) => "yes".into(),
        Value::Bool(false) => "no".into(),
        Value::String(text) if text.is_empty() => "empty".into(),
        Value::String(text) => text.clone(),
        // microseconds since 1970, as the database has times
        Value::Number(number) if name.ends_with("_at") => {
            let seconds = number.as_i64().unwrap_or_default().div_euclid(1_000_000);
            format!("{} UTC", clock::instant(seconds).seconds())
        }
        Value::Number(number) => number.to_string(),
        Value::Array(list) if list.is_empty() => "none".into(),
        Value::Array(list) => list.iter().map(|own| shown("", own)).collect::<Vec<_>>().join(", "),
        Value::Object(members) => {
            members.iter().map(|(name, own)| format!("{}: {}", name.replace('_', " "), shown(name, own))).collect::<Vec<_>>().join(", ")
        }
    }
}

/// Whence and how: `session from 10.0.0.7`.
pub(super) fn whence(entry: &AuditEntry) -> String {
    let via = match entry.via.as_str() {
        "ticket" => "a console's key",
        "local" => "the command line",
        "token" => "token",
        "session" => "browser",
        other => other,
    };
    let named = if entry.via == "token" { format!("{via} {}", entry.via_id) } else { via.to_owned() };
    match &entry.address {
        Some(address) => format!("by {named}, from {address}"),
        None => format!("by {named}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::Instant;

    fn entry(kind: &str, action: &str) -> AuditEntry {
        AuditEntry {
            id: 1,
            date: Instant(String::new()),
            user: "admin".into(),
            user_id: Some(1),
            address: Some("10.0.0.7".into()),
            via: "token".into(),
            via_id: "4".into(),
            action: action.into(),
            kind: kind.into(),
            subject_id: 3,
            subject: "d05-1".into(),
            before: None,
            after: None,
        }
    }

    #[test]
    fn an_action_is_a_sentence() {
        assert_eq!(deed(&entry("machine", "machine.change")), "changed machine");
        assert_eq!(deed(&entry("session", "session.create")), "logged in as");
        assert_eq!(deed(&entry("assignee", "assignee.delete")), "deleted assignee of");
        assert_eq!(deed(&entry("image", "image.turned_round")), "did “turned round” to image");
        assert_eq!(whence(&entry("machine", "machine.change")), "by token 4, from 10.0.0.7");
        assert_eq!(page(&entry("assignee", "assignee.create")).as_deref(), Some("/machines/3"));
        assert_eq!(page(&entry("bmc", "bmc.change")).as_deref(), Some("/bmcs?q=d05-1"));
        assert_eq!(page(&entry("session", "session.delete")).as_deref(), Some("/users?q=d05-1"));
        assert_eq!(page(&entry("token", "token.create")), None);
    }

    #[test]
    fn what_was_renamed_is_found_by_its_new_name_and_what_is_gone_not_at_all() {
        let renamed = AuditEntry { after: Some(json!({ "username": "ann b" })), ..entry("user", "user.change") };
        assert_eq!(page(&renamed).as_deref(), Some("/users?q=ann%20b"));
        assert_eq!(page(&entry("network", "network.delete")), None);
        assert_eq!(page(&AuditEntry { subject: String::new(), ..entry("arch", "arch.change") }), None);
    }

    #[test]
    fn what_was_changed_is_told_member_by_member() {
        let before = json!({ "kernel_id": null, "netboot_enabled": false });
        let after = json!({ "kernel_id": 7, "netboot_enabled": true, "tags": ["a", "b"] });
        let told: Vec<_> = changes(Some(&before), Some(&after))
            .into_iter()
            .map(|Change { member, before, after }| (member, before.unwrap_or_default(), after.unwrap_or_default()))
            .collect();
        let expected = [("kernel id", "none", "7"), ("netboot enabled", "no", "yes"), ("tags", "", "a, b")];
        assert_eq!(told, expected.map(|(name, old, new)| (name.to_owned(), old.to_owned(), new.to_owned())));
    }

    #[test]
    fn times_and_texts_are_readable() {
        assert_eq!(shown("expires_at", &json!(1_795_345_682_000_000_i64)), "2026-11-22 11:08:02 UTC");
        assert_eq!(shown("content", &json!({ "bytes": 7, "sha256": "ab" })), "bytes: 7, sha256: ab");
        assert_eq!((shown("x", &json!("")), shown("x", &json!([]))), ("empty".to_owned(), "none".to_owned()));
        assert!(changes(None, None).is_empty());
    }

    #[test]
    fn every_kind_has_its_own_name() {
        let nouns: BTreeSet<&str> = KINDS.iter().map(|(kind, _)| noun(kind)).collect();
        assert_eq!(nouns.len(), KINDS.len());
    }
}
