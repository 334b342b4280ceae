//! What is known before of an action that cannot work with all of the ticked machines.

use std::collections::BTreeSet;

use super::{
    bulk::Action,
    selection::{Ticked, TickedMachines},
};

/// Of one machine and of several, in the order in which the server looks.
const HINDRANCES: [(&str, &str); 5] = [
    ("is not yours", "are not yours"),
    ("has no BMC", "have no BMC"),
    ("has no kernel", "have no kernel"),
    ("has no subarchitecture", "have no subarchitecture"),
    ("has a subarchitecture without a bootloader", "have a subarchitecture without a bootloader"),
];

/// The first that stands in the way, by its place in [`HINDRANCES`].
fn hindrance(action: Action, machine: &Ticked, bootable: Option<&BTreeSet<i64>>) -> Option<usize> {
    let boots = action == Action::Provision;
    let commands = boots || matches!(action, Action::Power(_));
    let unbootable = |subarch| bootable.is_some_and(|bootable| !bootable.contains(&subarch));
    let met = [
        (commands || action == Action::Tag) && !machine.may_change,
        commands && !machine.bmc,
        boots && !machine.kernel,
        boots && machine.subarch.is_none(),
        boots && machine.subarch.is_some_and(unbootable),
    ];
    met.iter().position(|met| *met)
}

/// With how many of them the action will fail, and why. `bootable`: the subarchitectures that have a bootloader, when they are known.
pub(super) fn hindered(action: Action, ticked: &TickedMachines, bootable: Option<&BTreeSet<i64>>) -> Option<String> {
    let mut counts = [0_usize; HINDRANCES.len()];
    for machine in ticked.values() {
        if let Some(at) = hindrance(action, machine, bootable) {
            counts[at] += 1;
        }
    }
    let failing: usize = counts.iter().sum();
    let told = HINDRANCES.iter().zip(counts).filter(|(_, count)| *count > 0);
    let why: Vec<String> =
        told.map(|((one, many), count)| if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }).collect();
    let of = if failing == ticked.len() { "all of them".to_owned() } else { format!("{failing} of them") };
    (failing > 0).then(|| format!("It will fail with {of}: {}.", why.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::PowerAction;

    #[test]
    fn each_machine_that_will_fail_is_counted_once() {
        let whole = || Ticked { may_change: true, bmc: true, kernel: true, subarch: Some(1), ..Ticked::default() };
        let ticked = TickedMachines::from([
            (1, whole()),
            (2, Ticked { may_change: false, bmc: false, ..whole() }),
            (3, Ticked { bmc: false, kernel: false, ..whole() }),
            (4, Ticked { bmc: false, ..whole() }),
            (5, Ticked { kernel: false, ..whole() }),
            (6, Ticked { subarch: None, ..whole() }),
            (7, Ticked { subarch: Some(2), ..whole() }),
        ]);
        let told = |action, bootable: Option<&BTreeSet<i64>>| hindered(action, &ticked, bootable);
        assert_eq!(told(Action::Power(PowerAction::On), None).unwrap(), "It will fail with 3 of them: 1 is not yours, 2 have no BMC.");
        assert_eq!(
            told(Action::Provision, Some(&BTreeSet::from([1]))).unwrap(),
            "It will fail with 6 of them: 1 is not yours, 2 have no BMC, 1 has no kernel, 1 has no subarchitecture, 1 has a subarchitecture without a bootloader."
        );
        assert!(told(Action::Provision, None).unwrap().starts_with("It will fail with 5 of them"), "bootloaders are not known yet");
        assert_eq!(told(Action::Tag, None).unwrap(), "It will fail with 1 of them: 1 is not yours.");
        assert_eq!((told(Action::Release, None), told(Action::Assign, None)), (None, None));
        assert_eq!(hindered(Action::Provision, &TickedMachines::from([(1, whole())]), None), None);
        let bare = TickedMachines::from([(1, Ticked { may_change: true, ..Ticked::default() })]);
        assert_eq!(hindered(Action::Provision, &bare, None).unwrap(), "It will fail with all of them: 1 has no BMC.");
    }
}
