//! Many machines in one process.

mod config;

use std::{collections::HashSet, net::SocketAddr, sync::Arc, time::Duration};

use ipmi_wire::{
    bridge::Route,
    command::{BootFlags, ChassisControl},
};
use thiserror::Error;
use tokio::{task::JoinSet, time::timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    bmc::{Behind, Bmc, Counters, Node, SessionInfo, StartError},
    faults::Faults,
    machine::{
        Chassis, MacAddress, Power, Refused, Wiring,
        boot_options::BootOptions,
        events::EventLog,
        pretend::{InstalledOs, Phase, PretendMachine},
        sensors::Sensors,
        serial::SerialLine,
    },
};
pub use config::{CartridgeConfig, ChassisFactory, FruConfig, LabConfig, MachineConfig};

/// Why a lab could not start.
#[derive(Debug, Error)]
pub enum LabError {
    /// Two machines have one name.
    #[error("two machines are called {0:?}")]
    SameName(String),
    /// Two cartridges of one BMC have one bus address, or none at all.
    #[error("{0}: another cartridge is at the same address")]
    SameAddress(String),
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
        for machine in &config.machines {
            let mut all = std::iter::once(&machine.name).chain(machine.cartridges.iter().map(|cartridge| &cartridge.name));
            if let Some(twice) = all.find(|name| !names.insert(name.as_str())) {
                return Err(LabError::SameName(twice.clone()));
            }
            let mut routes = HashSet::new();
            if let Some(twice) = machine.cartridges.iter().find(|cartridge| !routes.insert(cartridge.at.route())) {
                return Err(LabError::SameAddress(twice.name.clone()));
            }
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
        let own = self.body(config, Route::Direct, cancel);
        let cartridges: Vec<_> = config.cartridges.iter().map(|cartridge| (cartridge, cartridge.machine(config))).collect();
        let bodies: Vec<_> = cartridges.iter().map(|(cartridge, machine)| self.body(machine, cartridge.at.route(), cancel)).collect();
        let behind = cartridges.iter().zip(&bodies).map(|((cartridge, machine), body)| body.node(machine, cartridge.refuses_reset));
        let nodes = std::iter::once(own.node(config, false)).chain(behind).collect();
        let (bmc, task) = Bmc::start(config.bmc(), nodes).await?;
        self.tasks.spawn(cancel.clone().run_until_cancelled_owned(task).map_unit());
        let machine = |node, config: &MachineConfig, body: Body, cartridges| {
            if config.powered {
                // cannot be refused: nothing else has been asked of the machine yet
                let _ = body.chassis.control(ChassisControl::PowerUp);
            }
            Machine(Arc::new(Shared { name: config.name.clone(), mac: config.mac, bmc: bmc.clone(), node, body, cartridges }))
        };
        let behind = cartridges.iter().zip(bodies).zip(1..);
        let behind = behind.map(|(((_, config), body), node)| machine(node, config, body, Box::default())).collect();
        self.machines.push(machine(0, config, own, behind));
        Ok(())
    }

    /// Starts a machine without its BMC.
    fn body(&mut self, config: &MachineConfig, route: Route, cancel: &CancellationToken) -> Body {
        let flags = config.timing.boot_flags;
        let serial = SerialLine::new(config.serial_history);
        let boot = Arc::new(BootOptions::new((!flags.is_zero()).then_some(flags)));
        let events = Arc::new(EventLog::new(config.event_log));
        let wiring = Wiring { serial: Arc::clone(&serial), boot: Arc::clone(&boot), events: Arc::clone(&events), cancel: cancel.clone() };
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
        Body { route, chassis, pretend, boot, serial, events }
    }

    /// Every machine with a BMC of its own, in the order of the configuration.
    #[must_use]
    pub fn machines(&self) -> &[Machine] {
        &self.machines
    }

    /// The machine or cartridge of that name.
    #[must_use]
    pub fn machine(&self, name: &str) -> Option<&Machine> {
        self.machines.iter().flat_map(|machine| std::iter::once(machine).chain(machine.cartridges())).find(|machine| machine.name() == name)
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
    /// Its number at the BMC.
    node: usize,
    body: Body,
    cartridges: Box<[Machine]>,
}

/// A machine without its BMC.
struct Body {
    route: Route,
    chassis: Arc<dyn Chassis>,
    pretend: Option<PretendMachine>,
    boot: Arc<BootOptions>,
    serial: Arc<SerialLine>,
    events: Arc<EventLog>,
}

impl Body {
    fn node(&self, config: &MachineConfig, refuses_reset: bool) -> Node {
        let behind = Behind {
            chassis: Arc::clone(&self.chassis),
            boot: Arc::clone(&self.boot),
            serial: Arc::clone(&self.serial),
            events: Arc::clone(&self.events),
            sensors: Sensors::new(&config.sensors),
            fru: config.inventory(),
            guid: config.guid(),
            refuses_reset,
        };
        Node::new(self.route, behind)
    }
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

    /// The machines behind its BMC, in the order of the configuration.
    #[must_use]
    pub fn cartridges(&self) -> &[Self] {
        &self.0.cartridges
    }

    /// How its controller is reached through the BMC: a cartridge by bridging, any other machine directly.
    #[must_use]
    pub fn route(&self) -> Route {
        self.0.body.route
    }

    /// Where its BMC listens; a cartridge's is its chassis'.
    #[must_use]
    pub fn bmc_addr(&self) -> SocketAddr {
        self.0.bmc.address()
    }

    /// Whether it has power.
    #[must_use]
    pub fn power(&self) -> Power {
        self.0.body.chassis.power()
    }

    /// Presses a button at the front.
    ///
    /// # Errors
    /// When the chassis does not obey.
    pub fn control(&self, command: ChassisControl) -> Result<(), Refused> {
        self.0.body.chassis.control(command)
    }

    /// The boot flags as they are now.
    #[must_use]
    pub fn boot_flags(&self) -> BootFlags {
        self.0.body.boot.flags()
    }

    /// What a pretend machine is doing; `None` for another chassis.
    #[must_use]
    pub fn phase(&self) -> Option<Phase> {
        self.0.body.pretend.as_ref().map(PretendMachine::phase)
    }

    /// Waits until a pretend machine is in that phase. Answers whether it came to it in time.
    pub async fn wait_phase(&self, wanted: Phase, limit: Duration) -> bool {
        let Some(pretend) = &self.0.body.pretend else { return false };
        let mut live = pretend.subscribe();
        let waited = timeout(limit, live.wait_for(|(_, phase)| *phase == wanted)).await;
        matches!(waited, Ok(Ok(_)))
    }

    /// What is on a pretend machine's disk.
    #[must_use]
    pub fn disk(&self) -> Option<InstalledOs> {
        self.0.body.pretend.as_ref().and_then(PretendMachine::disk)
    }

    /// Exchanges a pretend machine's disk: an installed system, or an empty one.
    pub fn set_disk(&self, os: Option<InstalledOs>) {
        if let Some(pretend) = &self.0.body.pretend {
            pretend.set_disk(os);
        }
    }

    /// The last output on the serial console.
    #[must_use]
    pub fn serial_output(&self) -> String {
        String::from_utf8_lossy(&self.0.body.serial.history()).into_owned()
    }

    /// Bytes ever printed on the serial console: a mark for [`Self::wait_serial`].
    #[must_use]
    pub fn serial_mark(&self) -> u64 {
        self.0.body.serial.total()
    }

    /// Waits until `text` stands in what was printed after `mark` (0: ever). Answers the output since the mark.
    ///
    /// # Errors
    /// When it does not come in time.
    pub async fn wait_serial(&self, mark: u64, text: &str, limit: Duration) -> Result<String, SerialTimeout> {
        let mut written = self.0.body.serial.subscribe();
        let seen = || String::from_utf8_lossy(&self.0.body.serial.since(mark)).into_owned();
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
        self.0.body.serial.type_in(bytes)
    }

    /// Makes a sensor read something else; thresholds crossed by it are logged. Answers whether there is such a sensor.
    pub fn set_sensor(&self, name: &str, value: f64) -> bool {
        self.0.bmc.set_sensor(self.0.node, name, value)
    }

    /// The BMC's event log.
    #[must_use]
    pub fn events(&self) -> &EventLog {
        &self.0.body.events
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

    /// The BMC forgets every session and goes on: to its consoles they are half-open.
    pub fn forget_sessions(&self) {
        self.0.bmc.forget_sessions();
    }

    /// Ends SOL from the BMC's side, as its web page would; the holder is told. Answers whether it was active.
    pub fn deactivate_sol(&self) -> bool {
        self.0.bmc.deactivate_sol(self.0.node)
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
