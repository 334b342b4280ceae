//! Provisioning: netboot on, boot from the network, and what became of it.

use std::{net::IpAddr, time::Duration};

use app::api::{EventKind, MachineState, Outcome};
use subtle::ConstantTimeEq;

use super::{
    Action, Actor, Lab, LabError, Ties,
    audit::{self, Subject, facts},
    consoles, machines, power, whole,
};
use crate::{
    bmc::BootDevice,
    journal::{Pending, now_micros},
};

/// An install takes the night: that long its console is logged, though nobody watches.
const RECORDED_FOR: Duration = Duration::from_secs(12 * 3600);

/// Switches netboot on, marks the machine as provisioning and boots it from the network.
///
/// The boot device is set first: a BMC that does not answer leaves the machine as it was. Then the intent is stored,
/// because the machine asks for its configuration seconds after the reset; if the reset fails, it is taken back.
///
/// # Errors
/// Whatever is missing (BMC, kernel, subarch, bootloader), the actor's right, a BMC that fails.
pub async fn start(lab: &Lab, actor: &Actor, id: i64) -> Result<MachineState, LabError> {
    let (lab, actor) = (lab.clone(), actor.clone());
    whole(async move { boot(&lab, &actor, id).await }).await
}

async fn boot(lab: &Lab, actor: &Actor, id: i64) -> Result<MachineState, LabError> {
    let (machine, bmc) = power::controlled(lab, actor, id, Action::MachineControl, "provisioning requires a BMC").await?;
    if machine.kernel_id.is_none() {
        return Err(LabError::invalid("provisioning requires a kernel"));
    }
    let Some(subarch) = machine.subarch_id else {
        return Err(LabError::invalid("provisioning requires a subarch"));
    };
    let subarch = store::subarchs::get(&mut *lab.store.read().await?, subarch).await?;
    let Some(subarch) = subarch.filter(|subarch| subarch.bootloader_id.is_some()) else {
        return Err(LabError::invalid("provisioning requires the subarch to have a bootloader"));
    };
    let target = power::target(&lab.secrets, &machine, bmc);
    power::set_boot_device(lab, actor, id, &target, BootDevice::Pxe, subarch.efiboot).await?;
    set(lab, actor, id, "provision", |row| {
        row.netboot_enabled = true;
        row.state = MachineState::Provisioning.word().into();
    })
    .await?;
    // before the reset, so that the log has the firmware's first line
    consoles::record(lab, id, RECORDED_FOR);
    if let Err(error) = power::restart(lab, actor, id, &target).await {
        set(lab, actor, id, "the power cycle failed", |row| {
            row.netboot_enabled = machine.netboot_enabled;
            row.state.clone_from(&machine.state);
        })
        .await?;
        return Err(error);
    }
    power::note(lab, actor, &machine, "pxe_reboot").await?;
    power::look_again(lab.clone(), id, None);
    Ok(MachineState::Provisioning)
}

/// Goes on logging the consoles of the installs that were under way when the server ended.
///
/// # Errors
/// The store's.
pub async fn resume(lab: &Lab) -> Result<(), LabError> {
    let now = now_micros();
    for machine in store::machines::list(&mut *lab.store.read().await?).await? {
        let begun = Duration::from_micros(u64::try_from(now - machine.updated_at).unwrap_or(0));
        if machine.bmc_id.is_some()
            && machines::state(&machine.state) == MachineState::Provisioning
            && let Some(left) = RECORDED_FOR.checked_sub(begun)
        {
            consoles::record(lab, machine.id, left);
        }
    }
    Ok(())
}

/// Says how a provisioning ended. Changes nothing but the state.
///
/// # Errors
/// Actors who are neither admin nor assignee.
pub async fn finish(lab: &Lab, actor: &Actor, id: i64, outcome: Outcome) -> Result<MachineState, LabError> {
    let state = match outcome {
        Outcome::Ready => MachineState::Ready,
        Outcome::Error => MachineState::Error,
        Outcome::Unknown => MachineState::Unknown,
    };
    let (_, ties) = machines::with_ties(&mut *lab.store.read().await?, actor, id).await?;
    actor.must(Action::MachineControl, ties)?;
    set(lab, actor, id, "api", |row| row.state = state.word().into()).await?;
    Ok(state)
}

/// The machine's state.
///
/// # Errors
/// [`LabError::NotFound`].
pub async fn state(lab: &Lab, actor: &Actor, id: i64) -> Result<MachineState, LabError> {
    actor.must(Action::MachineRead, Ties::NONE)?;
    let row = store::machines::get(&mut *lab.store.read().await?, id).await?.ok_or_else(machines::not_found)?;
    Ok(machines::state(&row.state))
}

/// The installed system says that it is up: a provisioning has ended well, and the machine boots from its disk from now on. Without
/// this it would be installed again at its next reset (B16).
///
/// # Errors
/// [`LabError::Forbidden`] when the key is not the machine's, or there is no such machine: who counts ids learns nothing.
pub async fn phone_home(lab: &Lab, id: i64, key: &str, client: IpAddr) -> Result<MachineState, LabError> {
    let mut tx = lab.store.begin().await?;
    let row = store::machines::get(&mut tx, id).await?;
    let row = row.filter(|row| row.preseed_key.as_bytes().ct_eq(key.as_bytes()).into());
    let mut row = row.ok_or_else(|| LabError::Forbidden("the key is not this machine's".into()))?;
    let mut pending = Pending::default();
    lab.journal.record_in(&mut tx, &mut pending, id, None, EventKind::PhoneHome { client_ip: client.to_string() }).await?;
    let ends = machines::state(&row.state) == MachineState::Provisioning;
    if ends {
        row.state = MachineState::Ready.word().into();
        row.netboot_enabled = false;
        row.updated_at = now_micros();
        store::machines::update(&mut tx, &row).await?;
        let event = EventKind::StateChange { state: MachineState::Ready, reason: "phone_home".into() };
        lab.journal.record_in(&mut tx, &mut pending, id, None, event).await?;
        pending.changed(id);
    }
    tx.commit().await?;
    let state = machines::state(&row.state);
    if ends {
        lab.journal.tell(app::api::LabEvent::State { machine: id, state });
    }
    lab.journal.publish(pending);
    Ok(state)
}

/// Changes a machine's row, and tells its state when that changed.
async fn set(lab: &Lab, actor: &Actor, id: i64, reason: &str, change: impl FnOnce(&mut store::MachineRow)) -> Result<(), LabError> {
    let mut tx = lab.store.begin().await?;
    let mut row = store::machines::get(&mut tx, id).await?.ok_or_else(machines::not_found)?;
    let before = row.clone();
    change(&mut row);
    row.updated_at = now_micros();
    store::machines::update(&mut tx, &row).await?;
    audit::changed(&mut tx, actor, Subject::new("machine", id, &before.name), facts::machine(&before), facts::machine(&row)).await?;
    let state = machines::state(&row.state);
    let mut pending = Pending::default();
    let event = EventKind::StateChange { state, reason: reason.into() };
    lab.journal.record_in(&mut tx, &mut pending, id, Some(&actor.cause()), event).await?;
    pending.changed(id);
    tx.commit().await?;
    lab.journal.tell(app::api::LabEvent::State { machine: id, state });
    lab.journal.publish(pending);
    Ok(())
}
