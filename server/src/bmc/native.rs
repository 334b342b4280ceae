//! IPMI 2.0 over LAN, spoken by this program.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use app::api::{BmcPrivilege, BmcQuirk, BmcType, Cartridge, Fru, PowerState, SelEntry, Sensor};
use async_trait::async_trait;
use ipmi_client::{
    BootDevice as IpmiDevice, BootFlags, ChassisControl, CipherSuite, Client, Error, ErrorKind, Privilege, Quirk, Route, Sdr, Secret,
    SolEvent, SolOptions, SolSession, SolWriter, Stage, SuitePolicy, Target,
};
use ipmi_wire::command::GetChassisStatus;
use tokio::time::{Instant, timeout};

use super::{
    Bmc, BmcError, BmcTarget, BootDevice, Console, ConsoleEvent, ConsoleInput, ConsoleReader, ConsoleWriter, PowerControl, hardware,
    moonshot,
};

/// What describes the sensors is read anew after this: somebody may have put in a card.
const RECORDS_KEPT: Duration = Duration::from_secs(600);
/// Reading something long is given up after this.
const LONGEST: Duration = Duration::from_secs(60);

/// One session for the commands to a BMC, however many machines are behind it.
#[derive(Default)]
pub(super) struct Sessions(Mutex<HashMap<i64, (BmcTarget, Client)>>);

impl Sessions {
    fn get(&self, target: &BmcTarget) -> Client {
        let login = BmcTarget { info: String::new(), ..target.clone() };
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match sessions.get(&target.id) {
            Some((known, client)) if login.is_still(known) => client.clone(),
            _ => {
                let client = client(target);
                sessions.insert(target.id, (login, client.clone()));
                client
            }
        }
    }

    pub(super) fn forget(&self, bmc: i64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&bmc);
    }
}

/// Nothing is sent before the first request.
fn client(target: &BmcTarget) -> Client {
    let mut to = Target::new(target.address, target.username.clone(), Secret::new(target.password.as_bytes()));
    to.quirks = target.quirks.iter().map(|quirk| quirk_of(*quirk)).collect();
    to.privilege = match target.privilege {
        BmcPrivilege::Admin => Privilege::Administrator,
        BmcPrivilege::Operator => Privilege::Operator,
        BmcPrivilege::User => Privilege::User,
    };
    to.kg = Some(key(&target.key)).filter(|key| !key.is_empty()).map(Secret::new);
    to.suites = SuitePolicy::not_below(target.floor.and_then(CipherSuite::from_id));
    Client::new(to)
}

fn quirk_of(quirk: BmcQuirk) -> Quirk {
    match quirk {
        BmcQuirk::IntelPlus => Quirk::IntelPlus,
        BmcQuirk::I82571Spt => Quirk::I82571Spt,
        BmcQuirk::NoList => Quirk::NoSuiteList,
        BmcQuirk::OpenPriv => Quirk::OpenWithPrivilege,
        BmcQuirk::UserPriv => Quirk::LookupWithPrivilege,
    }
}

/// A key as it is typed, see [`app::api::BmcKey`].
fn key(text: &str) -> Vec<u8> {
    match text.strip_prefix("0x") {
        Some(digits) => {
            let byte = |pair: &[u8]| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok());
            digits.as_bytes().chunks(2).filter_map(byte).collect()
        }
        None => text.as_bytes().to_vec(),
    }
}

/// One machine.
pub(super) struct Native {
    name: String,
    client: Client,
    /// A client carries one console, so machines that share one for their commands have another of their own for it.
    console: Client,
    route: Route,
    restart: ChassisControl,
    /// What describes the sensors, and when it was read: hundreds of questions.
    records: Mutex<Option<(Instant, Arc<[Sdr]>)>>,
}

impl Native {
    /// # Errors
    /// [`BmcError::NotAsked`] when the target does not say which machine it means.
    pub(super) fn new(target: &BmcTarget, sessions: &Sessions) -> Result<Self, BmcError> {
        let commands = sessions.get(target);
        let (route, console, restart) = match target.kind {
            BmcType::Plain => (Route::Direct, commands.clone(), ChassisControl::HardReset),
            BmcType::Moonshot => {
                let cartridge = Cartridge::parse(&target.info).map_err(|text| BmcError::NotAsked(format!("{}: {text}", target.name)))?;
                // cartridges know no reset
                (moonshot::route(cartridge), client(target), ChassisControl::PowerCycle)
            }
        };
        Ok(Self { name: target.name.clone(), client: commands, console, route, restart, records: Mutex::default() })
    }

    fn known_records(&self) -> Option<Arc<[Sdr]>> {
        let records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        records.as_ref().filter(|(read, _)| read.elapsed() < RECORDS_KEPT).map(|(_, records)| Arc::clone(records))
    }

    async fn sensor_records(&self) -> Result<Arc<[Sdr]>, Error> {
        if let Some(known) = self.known_records() {
            return Ok(known);
        }
        let records: Arc<[Sdr]> = self.client.sensor_records(self.route).await?.into();
        *self.records.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), Arc::clone(&records)));
        Ok(records)
    }

    /// Something that takes many questions.
    async fn long<T: Send>(&self, what: &str, work: impl Future<Output = Result<T, Error>> + Send) -> Result<T, BmcError> {
        match timeout(LONGEST, work).await {
            Ok(Ok(read)) => Ok(read),
            Ok(Err(error)) => Err(self.failed(error).await),
            Err(_) => Err(BmcError::Failed(format!("{}: reading {what} took longer than {} s", self.name, LONGEST.as_secs()))),
        }
    }

    /// An error as the port tells it.
    async fn failed(&self, error: Error) -> BmcError {
        let text = format!("{} ({}): {}", self.name, error.bmc, error.kind);
        match error.kind {
            ErrorKind::SolHeld { .. } => BmcError::ConsoleBusy(self.name.clone()),
            ErrorKind::Downgrade { .. } => BmcError::Downgrade(text),
            ErrorKind::Bridge { .. } => BmcError::Behind(text),
            // the machine behind it, or the BMC itself? it is asked something of its own
            ErrorKind::NoAnswer { stage: Stage::Command(_), .. } if self.route != Route::Direct => match self.client.device_id().await {
                Ok(_) => BmcError::Behind(format!("{text}; the BMC itself answers")),
                Err(_) => BmcError::Unreachable(text),
            },
            ErrorKind::NoAnswer { .. } => BmcError::Unreachable(text),
            ErrorKind::Completion { .. }
            | ErrorKind::SolOpenHere
            | ErrorKind::NoSol { .. }
            | ErrorKind::TooLong(_)
            | ErrorKind::Garbage { stage: Stage::Command(_), .. } => BmcError::Failed(text),
            ErrorKind::Network(_) | ErrorKind::Closed => BmcError::Unreachable(text),
            _ => BmcError::Refused(text),
        }
    }
}

#[async_trait]
impl Bmc for Native {
    async fn power(&self) -> Result<PowerState, BmcError> {
        match self.client.command(self.route, &GetChassisStatus).await {
            Ok(status) => Ok(if status.power_on() { PowerState::On } else { PowerState::Off }),
            Err(error) => Err(self.failed(error).await),
        }
    }

    async fn control(&self, control: PowerControl) -> Result<(), BmcError> {
        let control = match control {
            PowerControl::On => ChassisControl::PowerUp,
            PowerControl::Off => ChassisControl::PowerDown,
            PowerControl::Reset => self.restart,
        };
        match self.client.command(self.route, &control).await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.failed(error).await),
        }
    }

    async fn set_boot_device(&self, device: BootDevice, efi: bool, persistent: bool) -> Result<(), BmcError> {
        let device = match device {
            BootDevice::Pxe => IpmiDevice::Pxe,
            BootDevice::Disk => IpmiDevice::Disk,
            BootDevice::Bios => IpmiDevice::Bios,
        };
        match self.client.set_boot_flags_via(self.route, BootFlags { device, efi, persistent }).await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.failed(error).await),
        }
    }

    async fn open_console(&self, take_over: bool) -> Result<Console, BmcError> {
        let options = SolOptions { take_over, route: self.route, ..SolOptions::default() };
        match self.console.open_sol(options).await {
            Ok(session) => {
                let writer = session.writer();
                Ok(Console { reader: Box::new(Reader(session)), writer: Box::new(Writer(writer)) })
            }
            Err(error) => Err(self.failed(error).await),
        }
    }

    async fn fru(&self) -> Result<Fru, BmcError> {
        self.long("the inventory", self.client.fru_via(self.route, 0)).await.map(hardware::fru)
    }

    async fn sensors(&self) -> Result<Vec<Sensor>, BmcError> {
        let read = async {
            let records = self.sensor_records().await?;
            self.client.read_sensors(self.route, &records).await
        };
        Ok(self.long("the sensors", read).await?.into_iter().map(hardware::sensor).collect())
    }

    async fn sel(&self) -> Result<Vec<SelEntry>, BmcError> {
        let log = self.long("the event log", self.client.sel_via(self.route)).await?;
        Ok(hardware::log(log, &self.known_records().unwrap_or_default()))
    }

    fn suite(&self) -> Option<u8> {
        self.client.strongest_suite().max(self.console.strongest_suite()).map(CipherSuite::id)
    }
}

struct Reader(SolSession);

#[async_trait]
impl ConsoleReader for Reader {
    async fn next(&mut self) -> ConsoleEvent {
        match self.0.recv().await {
            Some(SolEvent::Data(bytes)) => ConsoleEvent::Output(bytes),
            Some(SolEvent::Closed(reason)) => ConsoleEvent::Closed(reason.to_string()),
            Some(SolEvent::Overrun) => ConsoleEvent::Notice("the BMC's buffer ran over: output of the machine is missing here".into()),
            Some(SolEvent::Break) => ConsoleEvent::Notice("the machine sent a break".into()),
            Some(SolEvent::Unavailable(true)) => ConsoleEvent::Notice("the BMC takes no input for now".into()),
            Some(SolEvent::Unavailable(false)) => ConsoleEvent::Notice("the BMC takes input again".into()),
            None => ConsoleEvent::Closed("the session is closed".into()),
        }
    }
}

struct Writer(SolWriter);

#[async_trait]
impl ConsoleWriter for Writer {
    async fn write(&mut self, input: ConsoleInput) -> Result<(), BmcError> {
        let done = match input {
            ConsoleInput::Bytes(bytes) => self.0.write(bytes).await,
            ConsoleInput::Break => self.0.send_break().await,
        };
        done.map_err(|_| BmcError::Failed("the serial session has ended".into()))
    }
}

#[cfg(test)]
mod tests {
    use ipmi_client::Quirks;

    use super::*;

    #[test]
    fn quirks_have_one_name_in_the_api_and_in_the_client() {
        for quirk in BmcQuirk::ALL {
            assert_eq!(quirk.word().parse::<Quirks>(), Ok(Quirks::from_iter([quirk_of(quirk)])));
        }
    }

    #[test]
    fn a_key_may_be_hexadecimal() {
        assert_eq!(key("0x00fF0a"), [0, 0xff, 0x0a]);
        assert_eq!(key("xyz"), b"xyz");
    }
}
