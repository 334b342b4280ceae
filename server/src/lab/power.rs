//! Power, by the machine's BMC.

use std::{collections::HashMap, net::IpAddr, sync::Arc, time::Duration};

use app::api::{BmcType, EventKind, PowerAction, PowerAnswer, PowerState, Suite};
use async_trait::async_trait;
use serde_json::json;
use store::{BmcRow, MachineRow, StoreError};
use tokio::time::sleep;
use zeroize::Zeroizing;

use super::{
    Action, Actor, Lab, LabError, Ties,
    audit::{self, Subject},
    bmcs, machines, whole,
};
use crate::{
    bmc::{Asked, Bmc, BmcError, BmcTarget, BootDevice, PowerControl, PowerReading, Roster},
    journal::Pending,
    secrets::Secrets,
};

/// Milliseconds after which the machine is asked again, each after the one before: a chassis takes its while to do what it was told,
/// mostly a short one.
const LOOK_AGAIN: [u64; 11] = [100, 150, 150, 200, 200, 300, 400, 500, 1000, 2500, 4000];

/// Asks the machine's BMC now.
///
/// # Errors
/// [`LabError::NotFound`]. A BMC that fails is an answer, not an error.
pub async fn ask(lab: &Lab, actor: &Actor, id: i64) -> Result<PowerAnswer, LabError> {
    actor.must(Action::MachineRead, Ties::NONE)?;
    let mut read = lab.store.read().await?;
    let (machine, ties) = machines::with_ties(&mut read, actor, id).await?;
    let bmc = match machine.bmc_id {
        Some(bmc) => store::bmcs::get(&mut read, bmc).await?,
        None => None,
    };
    drop(read);
    let Some(bmc) = bmc else {
        return Ok(PowerAnswer { state: PowerState::Unknown, error: None });
    };
    let mut answer = answer(look(lab, id, &target(&lab.secrets, &machine, bmc)).await);
    answer.error = answer.error.filter(|_| actor.may(Action::MachineDetails, ties));
    Ok(answer)
}

/// Carries out a power command and answers with the power right after it.
///
/// # Errors
/// Actors who are neither admin nor assignee, machines without BMC, and a BMC that fails or refuses.
pub async fn act(lab: &Lab, actor: &Actor, id: i64, action: PowerAction) -> Result<PowerAnswer, LabError> {
    let (lab, actor) = (lab.clone(), actor.clone());
    whole(async move { command(&lab, &actor, id, action).await }).await
}

async fn command(lab: &Lab, actor: &Actor, id: i64, action: PowerAction) -> Result<PowerAnswer, LabError> {
    let (machine, bmc) = controlled(lab, actor, id, Action::MachineControl, "power state changes require a BMC").await?;
    let efi = efiboot(lab, &machine).await?;
    let target = target(&lab.secrets, &machine, bmc);
    match action {
        PowerAction::PxeReboot => boot_from(lab, actor, id, &target, BootDevice::Pxe, efi).await?,
        PowerAction::DiskReboot => boot_from(lab, actor, id, &target, BootDevice::Disk, efi).await?,
        PowerAction::BiosReboot => boot_from(lab, actor, id, &target, BootDevice::Bios, efi).await?,
        PowerAction::On => control(lab, actor, id, &target, PowerControl::On).await?,
        PowerAction::Off => control(lab, actor, id, &target, PowerControl::Off).await?,
        PowerAction::Reboot => control(lab, actor, id, &target, PowerControl::Reset).await?,
    }
    note(lab, actor, &machine, action.word()).await?;
    let now = look(lab, id, &target).await;
    let wanted = match action {
        PowerAction::On => Some(PowerState::On),
        PowerAction::Off => Some(PowerState::Off),
        // off and on again, or neither
        _ => None,
    };
    if wanted != Some(now.state) {
        look_again(lab.clone(), id, wanted);
    }
    Ok(answer(now))
}

/// Writes what was done with a machine's power, for its log and for the audit's.
pub(super) async fn note(lab: &Lab, actor: &Actor, machine: &MachineRow, power: &str) -> Result<(), LabError> {
    let mut tx = lab.store.begin().await?;
    let mut pending = Pending::default();
    lab.journal.record_in(&mut tx, &mut pending, machine.id, Some(&actor.cause()), EventKind::PowerChange { power: power.into() }).await?;
    audit::did(&mut tx, actor, Subject::new("machine", machine.id, &machine.name), "power", json!({ "power": power })).await?;
    tx.commit().await?;
    lab.journal.publish(pending);
    Ok(())
}

fn answer(reading: PowerReading) -> PowerAnswer {
    PowerAnswer { state: reading.state, error: reading.error }
}

/// A machine the actor may control, with its BMC.
pub(super) async fn controlled(lab: &Lab, actor: &Actor, id: i64, action: Action, without: &str) -> Result<(MachineRow, BmcRow), LabError> {
    let mut read = lab.store.read().await?;
    let (machine, ties) = machines::with_ties(&mut read, actor, id).await?;
    actor.must(action, ties)?;
    let bmc = match machine.bmc_id {
        Some(bmc) => store::bmcs::get(&mut read, bmc).await?,
        None => None,
    };
    Ok((machine, bmc.ok_or_else(|| LabError::invalid(without))?))
}

/// Whether the machine's boot flavour wants a UEFI boot.
pub(super) async fn efiboot(lab: &Lab, machine: &MachineRow) -> Result<bool, LabError> {
    Ok(match machine.subarch_id {
        Some(id) => store::subarchs::get(&mut *lab.store.read().await?, id).await?.is_some_and(|subarch| subarch.efiboot),
        None => false,
    })
}

/// Sets the boot device for the next boot only, then resets the machine, or powers it on.
pub(super) async fn boot_from(
    lab: &Lab,
    actor: &Actor,
    id: i64,
    target: &BmcTarget,
    device: BootDevice,
    efi: bool,
) -> Result<(), LabError> {
    set_boot_device(lab, actor, id, target, device, efi).await?;
    restart(lab, actor, id, target).await
}

pub(super) async fn set_boot_device(
    lab: &Lab,
    actor: &Actor,
    id: i64,
    target: &BmcTarget,
    device: BootDevice,
    efi: bool,
) -> Result<(), LabError> {
    let action = format!("boot device {}", device.word());
    run(lab, actor, id, target, &action, |bmc| async move { bmc.set_boot_device(device, efi, false).await }).await?;
    let event = EventKind::BootDevice { device: device.word().into(), efi, persistent: false };
    lab.journal.record(id, Some(&actor.cause()), event).await?;
    Ok(())
}

/// Resets a machine that is on, powers on one that is off.
pub(super) async fn restart(lab: &Lab, actor: &Actor, id: i64, target: &BmcTarget) -> Result<(), LabError> {
    run(lab, actor, id, target, "power cycle", |bmc| async move {
        match bmc.power().await? {
            PowerState::On => bmc.control(PowerControl::Reset).await,
            _ => bmc.control(PowerControl::On).await,
        }
    })
    .await
}

async fn control(lab: &Lab, actor: &Actor, id: i64, target: &BmcTarget, control: PowerControl) -> Result<(), LabError> {
    let action = format!("power {control:?}").to_lowercase();
    run(lab, actor, id, target, &action, |bmc| async move { bmc.control(control).await }).await
}

/// Runs something on a machine's BMC; a failure becomes an event, so that it is seen later too.
async fn run<F: Future<Output = Result<(), BmcError>> + Send>(
    lab: &Lab,
    actor: &Actor,
    id: i64,
    target: &BmcTarget,
    action: &str,
    work: impl FnOnce(Arc<dyn Bmc>) -> F,
) -> Result<(), LabError> {
    let done = match lab.fleet.bmc(target) {
        Ok(bmc) => work(bmc).await,
        Err(error) => Err(error),
    };
    if let Err(error) = done {
        let message = error.to_string();
        lab.journal.record(id, Some(&actor.cause()), EventKind::BmcError { action: action.into(), message: message.clone() }).await?;
        return Err(LabError::Bmc(message));
    }
    Ok(())
}

/// Asks for the power and keeps the answer.
async fn look(lab: &Lab, id: i64, target: &BmcTarget) -> PowerReading {
    let reading: PowerReading = match lab.fleet.bmc(target) {
        Ok(bmc) => bmc.power().await.into(),
        Err(error) => Err(error).into(),
    };
    lab.fleet.note_power(id, reading.clone());
    reading
}

/// A chassis changes its power in its own time: watches it for a moment, or until it is as wanted, so that pages show the change
/// at once.
pub(super) fn look_again(lab: Lab, id: i64, wanted: Option<PowerState>) {
    tokio::spawn(async move {
        for pause in LOOK_AGAIN {
            sleep(Duration::from_millis(pause)).await;
            if lab.shutdown.is_cancelled() {
                return;
            }
            // in the meantime the machine may be gone, or its BMC be another
            match found(&lab, id).await {
                Ok(Some(target)) => {
                    let now = look(&lab, id, &target).await;
                    if wanted == Some(now.state) {
                        return;
                    }
                }
                Ok(None) => return,
                // the poller asks it before long
                Err(error) => return tracing::warn!(machine = id, %error, "its BMC cannot be looked up"),
            }
        }
    });
}

/// How to reach a machine's BMC now; None when there is no such machine, or it has none.
pub(super) async fn found(lab: &Lab, id: i64) -> Result<Option<BmcTarget>, StoreError> {
    let mut read = lab.store.read().await?;
    let Some(machine) = store::machines::get(&mut read, id).await? else { return Ok(None) };
    let Some(bmc) = machine.bmc_id else { return Ok(None) };
    let bmc = store::bmcs::get(&mut read, bmc).await?;
    Ok(bmc.map(|bmc| target(&lab.secrets, &machine, bmc)))
}

/// How to reach a machine's BMC.
pub(super) fn target(secrets: &Secrets, machine: &MachineRow, bmc: BmcRow) -> BmcTarget {
    BmcTarget { info: machine.bmc_info.clone(), ..reach(secrets, bmc) }
}

/// How to reach a BMC. A password that cannot be opened is tried as none: the BMC then says it is wrong.
fn reach(secrets: &Secrets, bmc: BmcRow) -> BmcTarget {
    let opened = |sealed: Option<&str>, what: &str| match sealed.map(|sealed| secrets.open_sealed(bmcs::PURPOSE, sealed)) {
        Some(Ok(secret)) => secret,
        Some(Err(error)) => {
            tracing::error!(bmc = bmc.id, %error, "a BMC's {what} cannot be opened");
            Zeroizing::default()
        }
        None => Zeroizing::default(),
    };
    let (password, key) = (opened(bmc.password_sealed.as_deref(), "password"), opened(bmc.key_sealed.as_deref(), "key"));
    BmcTarget {
        id: bmc.id,
        name: bmc.name,
        // both are checked when they are stored
        address: (bmc.ip.parse::<IpAddr>().unwrap_or(IpAddr::from([0, 0, 0, 0])), u16::try_from(bmc.port).unwrap_or(623)).into(),
        kind: bmcs::kind(&bmc.bmc_type),
        backend: bmcs::backend(&bmc.backend),
        quirks: bmcs::quirks(&bmc.quirks),
        username: bmc.username,
        password,
        privilege: bmcs::privilege(&bmc.privilege_level),
        key,
        info: String::new(),
        floor: bmcs::suite(bmc.cipher_suite).map(Suite::number),
    }
}

/// All machines with a BMC, and the BMCs without a machine, for the poller.
pub struct Machines(pub Lab);

#[async_trait]
impl Roster for Machines {
    async fn all(&self) -> Option<Asked> {
        let all = async {
            let mut read = self.0.store.read().await?;
            let mut alone: HashMap<i64, BmcRow> = store::bmcs::list(&mut read).await?.into_iter().map(|bmc| (bmc.id, bmc)).collect();
            let rows = store::machines::list(&mut read).await?;
            drop(read);
            let mut machines = Vec::new();
            for machine in &rows {
                if let Some(bmc) = machine.bmc_id.and_then(|bmc| alone.get(&bmc)) {
                    machines.push((machine.id, target(&self.0.secrets, machine, bmc.clone())));
                }
            }
            rows.iter().filter_map(|machine| machine.bmc_id).for_each(|bmc| drop(alone.remove(&bmc)));
            // plain, whatever it is: no machine behind it is meant, but it itself
            let of_itself = |bmc| BmcTarget { kind: BmcType::Plain, ..reach(&self.0.secrets, bmc) };
            Ok::<_, store::StoreError>(Asked { machines, alone: alone.into_values().map(of_itself).collect() })
        };
        match all.await {
            Ok(all) => Some(all),
            Err(error) => {
                tracing::warn!(%error, "the poller cannot read the machines");
                None
            }
        }
    }

    async fn agreed(&self, target: &BmcTarget, suite: u8) {
        if let Err(error) = bmcs::agreed(&self.0, target.id, target.address, suite).await {
            // the next answer brings the next try
            tracing::warn!(bmc = target.name, suite, %error, "the cipher suite cannot be stored");
        }
    }
}
