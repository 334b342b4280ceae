//! Many machines in one process.

use std::{
    collections::HashSet,
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use ipmi_wire::{
    CipherSuite,
    command::{BootFlags, ChassisControl},
};
use serde::{Deserialize, Deserializer};
use thiserror::Error;
use tokio::{task::JoinSet, time::timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    bmc::{Bmc, BmcConfig, Counters, SessionInfo, StartError, User},
    faults::Faults,
    machine::{
        Chassis, Firmware, MacAddress, Power, Refused, Wiring,
        boot_options::BootOptions,
        net::Net,
        pretend::{BootSource, InstalledOs, Phase, PretendMachine, Spec},
        serial::SerialLine,
        timing::Timing,
    },
};

/// A lab to be started.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabConfig {
    /// Its machines; their names must differ.
    pub machines: Vec<MachineConfig>,
}

/// Makes the chassis a BMC controls, in place of the pretend machine. Called inside the lab's runtime.
#[derive(Clone)]
pub struct ChassisFactory(pub Arc<dyn Fn(Wiring) -> Arc<dyn Chassis> + Send + Sync>);

impl fmt::Debug for ChassisFactory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChassisFactory")
    }
}

/// One machine and its BMC.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MachineConfig {
    /// Shown by the firmware, and the host name when nothing else gives one.
    pub name: String,
    /// Where its BMC listens; port 0 takes a free one.
    #[serde(default = "any_port")]
    pub bmc_addr: SocketAddr,
    /// Who may log in to the BMC.
    pub users: Vec<User>,
    /// The BMC's key K_g, if log-in needs one.
    #[serde(default)]
    pub kg: Option<String>,
    /// Cipher suites the BMC offers, strongest first. In a file: numbers.
    #[serde(default = "all_suites", deserialize_with = "suites")]
    pub suites: Vec<CipherSuite>,
    /// Sessions the BMC serves at a time.
    #[serde(default = "four")]
    pub max_sessions: usize,
    /// Of the network card it boots from.
    pub mac: MacAddress,
    /// BIOS or UEFI.
    pub firmware: Firmware,
    /// Network boot program; the usual one of the firmware if not given.
    #[serde(default)]
    pub loader: Option<String>,
    /// The firmware's own boot order.
    #[serde(default = "disk_first")]
    pub boot_order: Vec<BootSource>,
    /// The TFTP server: what DHCP would say.
    pub tftp: SocketAddr,
    /// Where GRUB's `(http)` device points; port 80 of the TFTP server if not given.
    #[serde(default)]
    pub http: Option<SocketAddr>,
    /// The machine's own address; the loopback address if not given.
    #[serde(default)]
    pub address: Option<IpAddr>,
    /// Whether an operating system is on the disk.
    #[serde(default)]
    pub installed: bool,
    /// Whether it is switched on when the lab starts.
    #[serde(default)]
    pub powered: bool,
    /// How long things take.
    #[serde(default)]
    pub timing: Timing,
    /// Faults from the start.
    #[serde(default)]
    pub faults: Faults,
    /// For the dice of the faults.
    #[serde(default)]
    pub seed: u64,
    /// Bytes of serial output kept.
    #[serde(default = "history")]
    pub serial_history: usize,
    /// Another chassis than the pretend machine.
    #[serde(skip)]
    pub chassis: Option<ChassisFactory>,
}

impl MachineConfig {
    /// A machine without power and without an operating system, its BMC on a free port of the loopback address.
    #[must_use]
    pub fn new(name: &str, mac: MacAddress, firmware: Firmware, tftp: SocketAddr, users: Vec<User>) -> Self {
        Self {
            name: name.to_owned(),
            bmc_addr: any_port(),
            users,
            kg: None,
            suites: all_suites(),
            max_sessions: four(),
            mac,
            firmware,
            loader: None,
            boot_order: disk_first(),
            tftp,
            http: None,
            address: None,
            installed: false,
            powered: false,
            timing: Timing::default(),
            faults: Faults::default(),
            seed: 0,
            serial_history: history(),
            chassis: None,
        }
    }

    fn spec(&self) -> Spec {
        let loopback = if self.tftp.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() };
        Spec {
            name: self.name.clone(),
            mac: self.mac,
            firmware: self.firmware,
            loader: self.loader.clone().unwrap_or_else(|| self.firmware.default_loader().to_owned()),
            boot_order: self.boot_order.clone(),
            net: Net { tftp: self.tftp, http: self.http, source: self.address.unwrap_or(loopback), patience: self.timing.patience },
            timing: self.timing.clone(),
        }
    }

    fn bmc(&self) -> BmcConfig {
        // a version 4 UUID in form, the same for every start: it holds the seed and the MAC
        let mut guid = [0x42; 16];
        guid[..4].copy_from_slice(&self.seed.to_le_bytes()[..4]);
        guid[8..10].copy_from_slice(&[0x80, 0]);
        guid[10..].copy_from_slice(&self.mac.0);
        BmcConfig {
            address: self.bmc_addr,
            users: self.users.clone(),
            kg: self.kg.clone(),
            suites: self.suites.clone(),
            guid,
            max_sessions: self.max_sessions,
            session_timeout: self.timing.session_timeout,
            restart: self.timing.bmc_restart,
            faults: self.faults.clone(),
            seed: self.seed,
        }
    }
}

fn any_port() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

fn all_suites() -> Vec<CipherSuite> {
    CipherSuite::ALL.to_vec()
}

fn four() -> usize {
    4
}

fn disk_first() -> Vec<BootSource> {
    vec![BootSource::Disk, BootSource::Network]
}

fn history() -> usize {
    64 * 1024
}

fn suites<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<CipherSuite>, D::Error> {
    let unknown = |id| serde::de::Error::custom(format!("cipher suite {id} is not offered: 3 or 17"));
    Vec::<u8>::deserialize(deserializer)?.into_iter().map(|id| CipherSuite::from_id(id).ok_or_else(|| unknown(id))).collect()
}

/// Why a lab could not start.
#[derive(Debug, Error)]
pub enum LabError {
    /// Two machines have one name.
    #[error("two machines are called {0:?}")]
    SameName(String),
    /// A BMC could not start.
    #[error("{0}: {1}")]
    Start(String, #[source] StartError),
}

/// Running machines. Dropping it ends them at once; [`Lab::shutdown`] waits until they have ended.
pub struct Lab {
    machines: Vec<Machine>,
    tasks: JoinSet<()>,
    guard: DropGuard,
}

impl Lab {
    /// Starts every machine of the configuration.
    ///
    /// # Errors
    /// When an address is taken or the configuration makes no sense; nothing runs then.
    pub async fn start(config: LabConfig) -> Result<Self, LabError> {
        let mut names = HashSet::new();
        if let Some(twice) = config.machines.iter().find(|machine| !names.insert(machine.name.as_str())) {
            return Err(LabError::SameName(twice.name.clone()));
        }
        let cancel = CancellationToken::new();
        let mut lab =
            Self { machines: Vec::with_capacity(config.machines.len()), tasks: JoinSet::new(), guard: cancel.clone().drop_guard() };
        for machine in config.machines {
            lab.add(&machine, &cancel).await.map_err(|error| LabError::Start(machine.name.clone(), error))?;
        }
        Ok(lab)
    }

    async fn add(&mut self, config: &MachineConfig, cancel: &CancellationToken) -> Result<(), StartError> {
        let flags = config.timing.boot_flags;
        let serial = SerialLine::new(config.serial_history);
        let boot = Arc::new(BootOptions::new((!flags.is_zero()).then_some(flags)));
        let wiring = Wiring { serial: Arc::clone(&serial), boot: Arc::clone(&boot), cancel: cancel.clone() };
        let mut pretend = None;
        let chassis = match &config.chassis {
            Some(factory) => factory.0(wiring),
            None => {
                let os = config.installed.then(|| InstalledOs { hostname: config.name.clone() });
                let (machine, task) = PretendMachine::new(config.spec(), wiring, os);
                self.tasks.spawn(cancel.clone().run_until_cancelled_owned(task).map_unit());
                pretend = Some(machine.clone());
                Arc::new(machine)
            }
        };
        let (bmc, task) = Bmc::start(config.bmc(), Arc::clone(&chassis), Arc::clone(&boot), Arc::clone(&serial)).await?;
        self.tasks.spawn(cancel.clone().run_until_cancelled_owned(task).map_unit());
        if config.powered {
            // cannot be refused: nothing else has been asked of the machine yet
            let _ = chassis.control(ChassisControl::PowerUp);
        }
        let shared = Shared { name: config.name.clone(), mac: config.mac, bmc, chassis, pretend, boot, serial };
        self.machines.push(Machine(Arc::new(shared)));
        Ok(())
    }

    /// Every machine, in the order of the configuration.
    #[must_use]
    pub fn machines(&self) -> &[Machine] {
        &self.machines
    }

    /// The machine of that name.
    #[must_use]
    pub fn machine(&self, name: &str) -> Option<&Machine> {
        self.machines.iter().find(|machine| machine.name() == name)
    }

    /// Resolves only when a machine or a BMC has died, which is an error in this crate.
    ///
    /// # Panics
    /// With the panic of the task that died.
    pub async fn failed(&mut self) {
        if let Some(Err(error)) = self.tasks.join_next().await
            && let Ok(panic) = error.try_into_panic()
        {
            std::panic::resume_unwind(panic);
        }
    }

    /// Ends all machines and waits until every task is gone and every socket closed.
    pub async fn shutdown(self) {
        let Self { machines, mut tasks, guard } = self;
        drop(machines);
        guard.disarm().cancel();
        while tasks.join_next().await.is_some() {}
    }
}

/// Forgets what a future answers.
trait MapUnit: Future {
    fn map_unit(self) -> impl Future<Output = ()> + Send + 'static;
}

impl<F: Future + Send + 'static> MapUnit for F {
    async fn map_unit(self) {
        let _ = self.await;
    }
}

struct Shared {
    name: String,
    mac: MacAddress,
    bmc: Bmc,
    chassis: Arc<dyn Chassis>,
    pretend: Option<PretendMachine>,
    boot: Arc<BootOptions>,
    serial: Arc<SerialLine>,
}

/// A running machine, seen from beside it: what a person in the machine room could see and do.
#[derive(Clone)]
pub struct Machine(Arc<Shared>);

/// The expected text did not appear on the serial console in time.
#[derive(Debug, Error)]
#[error("{wanted:?} did not appear within {limit:?}; the console says:\n{seen}")]
pub struct SerialTimeout {
    /// What was waited for.
    pub wanted: String,
    /// How long.
    pub limit: Duration,
    /// What was there instead.
    pub seen: String,
}

impl Machine {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Of its network card.
    #[must_use]
    pub fn mac(&self) -> MacAddress {
        self.0.mac
    }

    /// Where its BMC listens.
    #[must_use]
    pub fn bmc_addr(&self) -> SocketAddr {
        self.0.bmc.address()
    }

    /// Whether it has power.
    #[must_use]
    pub fn power(&self) -> Power {
        self.0.chassis.power()
    }

    /// Presses a button at the front.
    ///
    /// # Errors
    /// When the chassis does not obey.
    pub fn control(&self, command: ChassisControl) -> Result<(), Refused> {
        self.0.chassis.control(command)
    }

    /// The boot flags as they are now.
    #[must_use]
    pub fn boot_flags(&self) -> BootFlags {
        self.0.boot.flags()
    }

    /// What a pretend machine is doing; `None` for another chassis.
    #[must_use]
    pub fn phase(&self) -> Option<Phase> {
        self.0.pretend.as_ref().map(PretendMachine::phase)
    }

    /// Waits until a pretend machine is in that phase. Answers whether it came to it in time.
    pub async fn wait_phase(&self, wanted: Phase, limit: Duration) -> bool {
        let Some(pretend) = &self.0.pretend else { return false };
        let mut live = pretend.subscribe();
        let waited = timeout(limit, live.wait_for(|(_, phase)| *phase == wanted)).await;
        matches!(waited, Ok(Ok(_)))
    }

    /// What is on a pretend machine's disk.
    #[must_use]
    pub fn disk(&self) -> Option<InstalledOs> {
        self.0.pretend.as_ref().and_then(PretendMachine::disk)
    }

    /// Exchanges a pretend machine's disk: an installed system, or an empty one.
    pub fn set_disk(&self, os: Option<InstalledOs>) {
        if let Some(pretend) = &self.0.pretend {
            pretend.set_disk(os);
        }
    }

    /// The last output on the serial console.
    #[must_use]
    pub fn serial_output(&self) -> String {
        String::from_utf8_lossy(&self.0.serial.history()).into_owned()
    }

    /// Bytes ever printed on the serial console: a mark for [`Self::wait_serial`].
    #[must_use]
    pub fn serial_mark(&self) -> u64 {
        self.0.serial.total()
    }

    /// Waits until `text` stands in what was printed after `mark` (0: ever). Answers the output since the mark.
    ///
    /// # Errors
    /// When it does not come in time.
    pub async fn wait_serial(&self, mark: u64, text: &str, limit: Duration) -> Result<String, SerialTimeout> {
        let mut written = self.0.serial.subscribe();
        let seen = || String::from_utf8_lossy(&self.0.serial.since(mark)).into_owned();
        let found = async {
            loop {
                let seen = seen();
                if seen.contains(text) {
                    return seen;
                }
                // fails only when the line is gone, and we hold it
                let _ = written.changed().await;
            }
        };
        timeout(limit, found).await.map_err(|_| SerialTimeout { wanted: text.to_owned(), limit, seen: seen() })
    }

    /// Types at the machine's serial port, as a terminal plugged in beside the BMC. Answers how many bytes it took.
    pub fn type_serial(&self, bytes: &[u8]) -> usize {
        self.0.serial.type_in(bytes)
    }

    /// The faults in effect.
    #[must_use]
    pub fn faults(&self) -> Faults {
        self.0.bmc.faults()
    }

    /// Changes what goes wrong, from now on.
    pub fn set_faults(&self, faults: Faults) {
        self.0.bmc.set_faults(faults);
    }

    /// Restarts the BMC: every session is forgotten and it is deaf for a while. The machine runs on.
    pub fn restart_bmc(&self) {
        self.0.bmc.restart();
    }

    /// Ends SOL from the BMC's side, as its web page would; the holder is told. Answers whether it was active.
    pub fn deactivate_sol(&self) -> bool {
        self.0.bmc.deactivate_sol()
    }

    /// The BMC's sessions.
    #[must_use]
    pub fn sessions(&self) -> Vec<SessionInfo> {
        self.0.bmc.sessions()
    }

    /// What the BMC has counted.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.0.bmc.counters()
    }
}
