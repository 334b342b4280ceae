//! BMCs. Their passwords go in and never come out.

use std::{collections::HashMap, net::SocketAddr};

use app::api::{Bmc, BmcBackend, BmcHealth, BmcInput, BmcKey, BmcPassword, BmcPrivilege, BmcQuirk, BmcType, Cartridge, Suite};
use store::{BmcRow, Tx};

use super::{
    Action, Actor, Instead, Lab, LabError, Ties,
    audit::{self, Subject, facts},
    uses,
};
use crate::journal::{Pending, now_micros};

/// What sealed BMC passwords are sealed for.
pub const PURPOSE: &str = "bmc";
/// Where IPMI listens.
const PORT: u16 = 623;
/// Most characters of a plain BMC's `bmc_info`.
const INFO: usize = 256;

/// All BMCs by name.
///
/// # Errors
/// The store's.
pub async fn list(lab: &Lab, actor: &Actor) -> Result<Vec<Bmc>, LabError> {
    actor.must(Action::BmcRead, Ties::NONE)?;
    let mut read = lab.store.read().await?;
    let rows = store::bmcs::list(&mut read).await?;
    let mut machines: HashMap<i64, Vec<(String, i64)>> = HashMap::new();
    for machine in store::machines::list(&mut read).await? {
        if let Some(bmc) = machine.bmc_id {
            machines.entry(bmc).or_default().push((machine.name, machine.id));
        }
    }
    drop(read);
    Ok(rows
        .into_iter()
        .map(|row| {
            let used = machines.remove(&row.id).unwrap_or_default();
            wire(lab, actor, row, used)
        })
        .collect())
}

/// # Errors
/// [`LabError::NotFound`].
pub async fn get(lab: &Lab, actor: &Actor, id: i64) -> Result<Bmc, LabError> {
    actor.must(Action::BmcRead, Ties::NONE)?;
    let mut read = lab.store.read().await?;
    let row = store::bmcs::get(&mut read, id).await?.ok_or_else(not_found)?;
    let machines = store::bmcs::used_by(&mut read, id).await?.into_iter().map(|used| (used.name, used.id)).collect();
    Ok(wire(lab, actor, row, machines))
}

/// # Errors
/// Actors other than admins; a name or address that is taken.
pub async fn create(lab: &Lab, actor: &Actor, new: BmcInput) -> Result<Bmc, LabError> {
    actor.must(Action::BmcManage, Ties::NONE)?;
    let password_sealed = sealed(lab, new.password.as_ref().map_or("", BmcPassword::as_str))?;
    let key_sealed = sealed(lab, new.key.as_ref().map_or("", BmcKey::as_str))?;
    let mut row = BmcRow {
        id: 0,
        name: new.name.into_string(),
        ip: new.ip.into_string(),
        port: port(new.port.unwrap_or(PORT))?,
        bmc_type: new.bmc_type.unwrap_or_default().word().into(),
        backend: new.backend.unwrap_or_default().word().into(),
        username: new.username.map(app::api::BmcUsername::into_string).unwrap_or_default(),
        password_sealed,
        privilege_level: new.privilege_level.unwrap_or_default().word().into(),
        key_sealed,
        quirks: BmcQuirk::list(&new.quirks.unwrap_or_default()),
        cipher_suite: new.cipher_suite.flatten().map(i64::from),
        created_at: now_micros(),
    };
    let mut tx = lab.store.begin().await?;
    row.id = store::bmcs::insert(&mut tx, &as_new(&row)).await?;
    audit::made(&mut tx, actor, Subject::new("bmc", row.id, &row.name), facts::bmc(&row)).await?;
    tx.commit().await?;
    Ok(wire(lab, actor, row, Vec::new()))
}

/// # Errors
/// Actors other than admins; a name or address that is taken; a type that one of its machines does not fit.
pub async fn change(lab: &Lab, actor: &Actor, id: i64, change: BmcInput) -> Result<Bmc, LabError> {
    actor.must(Action::BmcManage, Ties::NONE)?;
    let password = change.password.as_ref().map(|password| sealed(lab, password.as_str())).transpose()?;
    let key = change.key.as_ref().map(|key| sealed(lab, key.as_str())).transpose()?;
    let mut tx = lab.store.begin().await?;
    let before = store::bmcs::get(&mut tx, id).await?.ok_or_else(not_found)?;
    actor.must_know(&wire(lab, actor, before.clone(), Vec::new()))?;
    let mut after = before.clone();
    after.name = change.name.into_string();
    after.ip = change.ip.into_string();
    if let Some(number) = change.port {
        after.port = port(number)?;
    }
    if let Some(kind) = change.bmc_type {
        after.bmc_type = kind.word().into();
    }
    if let Some(backend) = change.backend {
        after.backend = backend.word().into();
    }
    if let Some(username) = change.username {
        after.username = username.into_string();
    }
    if let Some(password) = password {
        after.password_sealed = password;
    }
    if let Some(key) = key {
        after.key_sealed = key;
    }
    if let Some(level) = change.privilege_level {
        after.privilege_level = level.word().into();
    }
    if let Some(quirks) = &change.quirks {
        after.quirks = BmcQuirk::list(quirks);
    }
    if (&before.ip, before.port) != (&after.ip, after.port) {
        // the suite was agreed on with whatever stood at the old address
        after.cipher_suite = None;
    }
    if let Some(suite) = change.cipher_suite {
        after.cipher_suite = suite.map(i64::from);
    }
    let machines = store::bmcs::used_by(&mut tx, id).await?;
    if before.bmc_type != after.bmc_type {
        must_fit(&mut tx, id, kind(&after.bmc_type)).await?;
    }
    store::bmcs::update(&mut tx, &after).await?;
    audit::changed(&mut tx, actor, Subject::new("bmc", id, &before.name), facts::bmc(&before), facts::bmc(&after)).await?;
    tx.commit().await?;
    let as_before = BmcRow { name: before.name.clone(), cipher_suite: before.cipher_suite, ..after.clone() };
    if as_before != before {
        // what is known of it was learnt in another place, or with another log-in
        lab.fleet.forget_bmc(id);
    } else if before.cipher_suite != after.cipher_suite {
        // sessions go by the suite they began with
        lab.fleet.hang_up(id);
    }
    let mut pending = Pending::default();
    for machine in &machines {
        lab.consoles.look_again(machine.id);
        pending.changed(machine.id);
    }
    lab.journal.publish(pending);
    Ok(wire(lab, actor, after, machines.into_iter().map(|machine| (machine.name, machine.id)).collect()))
}

/// # Errors
/// Actors other than admins; [`LabError::InUse`] while machines have it.
pub async fn delete(lab: &Lab, actor: &Actor, id: i64, instead: Instead) -> Result<(), LabError> {
    actor.must(Action::BmcManage, Ties::NONE)?;
    let mut tx = lab.store.begin().await?;
    let row = store::bmcs::get(&mut tx, id).await?.ok_or_else(not_found)?;
    actor.must_know(&wire(lab, actor, row.clone(), Vec::new()))?;
    let mut pending = Pending::default();
    let users = store::bmcs::used_by(&mut tx, id).await?;
    if let Some(other) = instead.settle(actor, &format!("BMC {}", row.name), id, &users)? {
        let found = match other {
            Some(other) => {
                let bmc = store::bmcs::get(&mut tx, other).await?;
                kind(&bmc.ok_or_else(|| LabError::invalid("there is no such BMC to take its place"))?.bmc_type)
            }
            None => BmcType::Plain,
        };
        uses::edit_machines(lab, &mut tx, actor, &mut pending, &users, "bmc_id", |machine| {
            machine.bmc_id = other;
            check_info(found, &machine.bmc_info).map_err(|sentence| LabError::invalid(format!("machine {}: {sentence}", machine.name)))
        })
        .await?;
    }
    store::bmcs::delete(&mut tx, id).await?;
    audit::gone(&mut tx, actor, Subject::new("bmc", id, &row.name), facts::bmc(&row)).await?;
    tx.commit().await?;
    lab.fleet.forget_bmc(id);
    for machine in &users {
        lab.fleet.forget_machine(machine.id);
        lab.consoles.look_again(machine.id);
    }
    lab.journal.publish(pending);
    Ok(())
}

/// Keeps the strongest suite a session was opened with. Only while the BMC is still at the address it was agreed on with.
///
/// # Errors
/// The store's.
pub(super) async fn agreed(lab: &Lab, id: i64, address: SocketAddr, suite: u8) -> Result<(), LabError> {
    let mut tx = lab.store.begin().await?;
    let Some(mut row) = store::bmcs::get(&mut tx, id).await? else { return Ok(()) };
    let there = row.ip == address.ip().to_string() && row.port == i64::from(address.port());
    if there && row.cipher_suite < Some(suite.into()) {
        row.cipher_suite = Some(suite.into());
        store::bmcs::update(&mut tx, &row).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// A BMC's health for who may not know its address, of which its complaints tell.
#[must_use]
pub(super) fn shown(health: BmcHealth, details: bool) -> BmcHealth {
    let hidden = "there is a fault, which is told to administrators and to those who have a machine behind it";
    BmcHealth { error: health.error.map(|text| if details { text } else { hidden.into() }), ..health }
}

/// A stored backend. The schema allows no other words.
#[must_use]
pub(super) fn backend(word: &str) -> BmcBackend {
    BmcBackend::parse(word).unwrap_or_default()
}

/// Stored quirks. Only known ones are stored.
#[must_use]
pub(super) fn quirks(list: &str) -> Vec<BmcQuirk> {
    BmcQuirk::parse_list(list).unwrap_or_default()
}

/// A stored level. The schema allows no other words.
#[must_use]
pub(super) fn privilege(word: &str) -> BmcPrivilege {
    BmcPrivilege::parse(word).unwrap_or_default()
}

/// A stored suite.
#[must_use]
pub(super) fn suite(number: Option<i64>) -> Option<Suite> {
    number.and_then(|number| Suite::try_from(number).ok())
}

/// A stored type. The schema allows no other words.
#[must_use]
pub fn kind(word: &str) -> BmcType {
    BmcType::parse(word).unwrap_or_default()
}

/// Whether `info` lets a BMC of this type find a machine.
///
/// # Errors
/// A sentence that says what is wrong.
pub fn check_info(kind: BmcType, info: &str) -> Result<(), String> {
    match kind {
        BmcType::Moonshot => Cartridge::parse(info).map(drop),
        BmcType::Plain if info.chars().count() > INFO || info.chars().any(char::is_control) => {
            Err(format!("bmc_info must be at most {INFO} characters on one line"))
        }
        BmcType::Plain => Ok(()),
    }
}

fn not_found() -> LabError {
    LabError::not_found("BMC not found")
}

fn port(number: u16) -> Result<i64, LabError> {
    if number == 0 { Err(LabError::invalid("port must be between 1 and 65535")) } else { Ok(number.into()) }
}

/// An empty password is none.
fn sealed(lab: &Lab, password: &str) -> Result<Option<String>, LabError> {
    if password.is_empty() { Ok(None) } else { Ok(Some(lab.secrets.seal(PURPOSE, password)?)) }
}

async fn must_fit(tx: &mut Tx, bmc: i64, kind: BmcType) -> Result<(), LabError> {
    let machines = store::machines::list(tx).await?.into_iter().filter(|machine| machine.bmc_id == Some(bmc));
    let misfits: Vec<String> =
        machines.filter(|machine| check_info(kind, &machine.bmc_info).is_err()).map(|machine| machine.name).collect();
    if misfits.is_empty() {
        return Ok(());
    }
    let names = misfits.join(", ");
    Err(LabError::Conflict(format!("as a {} BMC it would not find the machines {names}: change their bmc_info first", kind.word())))
}

fn as_new(row: &BmcRow) -> store::NewBmc {
    store::NewBmc {
        name: row.name.clone(),
        ip: row.ip.clone(),
        port: row.port,
        bmc_type: row.bmc_type.clone(),
        backend: row.backend.clone(),
        username: row.username.clone(),
        password_sealed: row.password_sealed.clone(),
        privilege_level: row.privilege_level.clone(),
        key_sealed: row.key_sealed.clone(),
        quirks: row.quirks.clone(),
        cipher_suite: row.cipher_suite,
        created_at: row.created_at,
    }
}

fn wire(lab: &Lab, actor: &Actor, row: BmcRow, machines: Vec<(String, i64)>) -> Bmc {
    let (machines, machine_ids) = machines.into_iter().unzip();
    let details = actor.may(Action::BmcAddress, Ties::NONE);
    let (ip, username) = if details { (row.ip, row.username) } else { Default::default() };
    Bmc {
        id: row.id,
        name: row.name,
        ip,
        port: u16::try_from(row.port).unwrap_or(PORT),
        bmc_type: kind(&row.bmc_type),
        backend: backend(&row.backend),
        cipher_suite: suite(row.cipher_suite),
        health: shown(lab.fleet.health(row.id), details),
        username,
        has_password: row.password_sealed.is_some(),
        privilege_level: privilege(&row.privilege_level),
        has_key: row.key_sealed.is_some(),
        quirks: quirks(&row.quirks),
        machines,
        machine_ids,
    }
}
