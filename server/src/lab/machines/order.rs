//! What machines can be sorted by.

use std::cmp::Ordering;

use serde_json::Value;
use store::Entry;

use super::power_of;
use crate::lab::Lab;

/// A member of a machine as it travels. Of several values the first counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    Id,
    Name,
    State,
    Power,
    Arch,
    Subarch,
    Bmc,
    Macs,
    Leases,
    Netboot,
    KernelOpts,
    Assignees,
    Tags,
    UpdatedAt,
}

impl Key {
    /// None: machines are not sorted by that one here.
    #[must_use]
    pub fn of_member(member: &str) -> Option<Self> {
        Some(match member {
            "id" => Self::Id,
            "name" => Self::Name,
            "state" => Self::State,
            "power" => Self::Power,
            "arch" => Self::Arch,
            "subarch" => Self::Subarch,
            "bmc" => Self::Bmc,
            "macs" => Self::Macs,
            "leases" => Self::Leases,
            "netboot_enabled" => Self::Netboot,
            "kernel_opts" => Self::KernelOpts,
            "assignees" => Self::Assignees,
            "tags" => Self::Tags,
            "updated_at" => Self::UpdatedAt,
            _ => return None,
        })
    }

    pub(super) fn of(self, lab: &Lab, entry: &Entry) -> Value {
        let machine = &entry.machine;
        let text = |text: Option<&str>| text.map_or(Value::Null, Value::from);
        match self {
            Self::Id => machine.id.into(),
            Self::Name => machine.name.as_str().into(),
            Self::State => machine.state.as_str().into(),
            Self::Power => power_of(lab, machine.id).0.word().into(),
            Self::Arch => machine.arch_name.as_str().into(),
            Self::Subarch => text(machine.subarch_name.as_deref()),
            Self::Bmc => text(machine.bmc_name.as_deref()),
            Self::Macs => text(entry.interfaces.first().map(|interface| interface.mac.as_str())),
            Self::Leases => text(entry.interfaces.iter().find_map(|interface| interface.lease_ipv4.as_deref())),
            Self::Netboot => machine.netboot_enabled.into(),
            Self::KernelOpts => machine.kernel_opts.as_str().into(),
            Self::Assignees => text(entry.assignments.first().map(|assignment| assignment.username.as_str())),
            Self::Tags => text(entry.tags.first().map(|row| row.tag.as_str())),
            Self::UpdatedAt => machine.updated_at.into(),
        }
    }

    /// Texts as people count, what is empty first.
    pub(super) fn compare(self, a: &Value, b: &Value) -> Ordering {
        match (a, b) {
            // `0a` is no number
            (Value::String(a), Value::String(b)) if self == Self::Macs => a.cmp(b),
            (Value::String(a), Value::String(b)) => natural_order::compare(a, b),
            (Value::Number(a), Value::Number(b)) => a.as_i64().cmp(&b.as_i64()),
            (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
            // a place that a client made up may be of any kind
            (a, b) => rank(a).cmp(&rank(b)),
        }
    }
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) | Value::Object(_) => 4,
    }
}
