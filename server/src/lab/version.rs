//! Versions of what is changed by several: whoever says which one they saw does not overwrite a newer one.

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{Actor, LabError};
use crate::secrets;

/// What changes by itself, or with who asks, is no other version of the thing.
const PASSING: [&str; 14] = [
    "power",
    "power_error",
    "state",
    "leases",
    "lease_ipv4",
    "last_seen_date",
    "last_seen",
    "info",
    "health",
    "bmc_health",
    "machines",
    "machine_ids",
    "may_change",
    "updated_at",
];

/// An entity tag (RFC 9110 §8.8.3) of a thing as it travels.
#[must_use]
pub fn tag(thing: &impl Serialize) -> String {
    // plain data: it always has a JSON form
    let mut value = serde_json::to_value(thing).unwrap_or_default();
    if let Some(members) = value.as_object_mut() {
        members.retain(|name, _| !PASSING.contains(&name.as_str()));
    }
    let hash = Sha256::digest(value.to_string().as_bytes());
    format!("\"{}\"", secrets::hex(&hash[..12]))
}

impl Actor {
    /// To be asked in the transaction that changes the thing, with the thing as it is there.
    ///
    /// # Errors
    /// [`LabError::Stale`] when the actor knows another version (`If-Match`).
    pub fn must_know(&self, thing: &impl Serialize) -> Result<(), LabError> {
        let Some(known) = &self.known else { return Ok(()) };
        let mut tags = known.split(',').map(str::trim);
        let current = tag(thing);
        if tags.any(|tag| tag == "*" || tag == current) { Ok(()) } else { Err(LabError::Stale) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::lab::Origin;

    #[test]
    fn what_changes_by_itself_is_no_other_version() {
        assert_eq!(tag(&json!({ "name": "a", "power": "on" })), tag(&json!({ "name": "a", "power": "off" })));
        assert_ne!(tag(&json!({ "name": "a" })), tag(&json!({ "name": "b" })));
    }

    #[test]
    fn one_of_several_versions_is_enough() {
        let thing = json!({ "name": "a" });
        let knows =
            |known: Option<String>| Actor { known: known.map(Into::into), ..Actor::new(1, "ann", false, Origin::Local) }.must_know(&thing);
        assert!(knows(None).is_ok() && knows(Some("*".into())).is_ok());
        assert!(knows(Some(format!("\"old\", {}", tag(&thing)))).is_ok());
        assert!(knows(Some("\"old\"".into())).is_err());
        // a weak tag never proves anything (RFC 9110 §13.1.1)
        assert!(knows(Some(format!("W/{}", tag(&thing)))).is_err());
    }
}
