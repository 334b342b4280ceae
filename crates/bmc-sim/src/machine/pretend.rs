//! A machine that only pretends: a power state machine and, while it is on, a pretend firmware.

use std::{
    future::Future,
    net::IpAddr,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{Chassis, Firmware, MacAddress, Power, Refused, RestartCause, Wiring, console, firmware, net::Net, timing::Timing};
use ipmi_wire::command::ChassisControl;
use serde::Deserialize;
use tokio::{
    sync::{Notify, mpsc, watch},
    time::sleep,
};

/// Where a machine may boot from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BootSource {
    /// The first disk, if an operating system is on it.
    Disk,
    /// The network.
    Network,
}

/// What distinguishes one pretend machine from another.
#[derive(Debug, Clone)]
pub struct Spec {
    /// Shown in the firmware's banner and used as host name.
    pub name: String,
    /// Of the network card it boots from.
    pub mac: MacAddress,
    /// BIOS or UEFI.
    pub firmware: Firmware,
    /// The network boot program, as DHCP option 67 would name it.
    pub loader: String,
    /// The firmware's own boot order.
    pub boot_order: Vec<BootSource>,
    /// Whom it asks for files, and from which address.
    pub net: Net,
    /// How long it takes for everything.
    pub timing: Timing,
}

/// What the machine is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// No power.
    Off,
    /// Firmware: self test, set-up, looking for a boot device.
    Firmware,
    /// A network loader is running or being fetched.
    Netboot,
    /// A kernel has started.
    Kernel,
    /// The installer is at work.
    Installing,
    /// An installed operating system runs.
    Running,
}

/// An operating system on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstalledOs {
    /// Its host name.
    pub hostname: String,
}

/// How a boot ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    PowerOff,
    Reset,
}

/// What the parts of a machine share.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) spec: Spec,
    pub(crate) wiring: Wiring,
    disk: Mutex<Option<InstalledOs>>,
    live: watch::Sender<(Power, Phase)>,
    cause: Mutex<RestartCause>,
    /// The ACPI power button.
    pub(crate) power_button: Notify,
}

impl Body {
    pub(crate) fn set_phase(&self, phase: Phase) {
        self.live.send_modify(|live| live.1 = phase);
    }

    fn set_live(&self, power: Power, phase: Phase) {
        self.wiring.events.power_is(power);
        self.live.send_replace((power, phase));
    }

    fn lock_disk(&self) -> MutexGuard<'_, Option<InstalledOs>> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn installed(&self) -> Option<InstalledOs> {
        self.lock_disk().clone()
    }

    pub(crate) fn install(&self, os: Option<InstalledOs>) {
        *self.lock_disk() = os;
    }

    fn set_cause(&self, cause: RestartCause) {
        *self.cause.lock().unwrap_or_else(PoisonError::into_inner) = cause;
    }

    /// The machine's own address.
    pub(crate) fn address(&self) -> IpAddr {
        self.spec.net.source
    }
}

/// The handle of a pretend machine; the machine itself is a task.
#[derive(Debug, Clone)]
pub struct PretendMachine {
    body: Arc<Body>,
    commands: mpsc::Sender<ChassisControl>,
}

impl PretendMachine {
    /// A machine without power, and the future that is the machine; run it until the lab ends.
    pub fn new(spec: Spec, wiring: Wiring, os: Option<InstalledOs>) -> (Self, impl Future<Output = ()> + Send + 'static) {
        // more commands than these in one transition are a client's error
        let (commands, inbox) = mpsc::channel(8);
        let body = Arc::new(Body {
            spec,
            wiring,
            disk: Mutex::new(os),
            live: watch::Sender::new((Power::Off, Phase::Off)),
            cause: Mutex::new(RestartCause::Unknown),
            power_button: Notify::new(),
        });
        (Self { body: Arc::clone(&body), commands }, drive(body, inbox))
    }

    /// What the machine is doing.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.body.live.borrow().1
    }

    /// Follows power and phase.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<(Power, Phase)> {
        self.body.live.subscribe()
    }

    /// What is on the disk.
    #[must_use]
    pub fn disk(&self) -> Option<InstalledOs> {
        self.body.installed()
    }

    /// Exchanges the disk: an installed system, or an empty one.
    pub fn set_disk(&self, os: Option<InstalledOs>) {
        self.body.install(os);
    }
}

impl Chassis for PretendMachine {
    fn power(&self) -> Power {
        self.body.live.borrow().0
    }

    fn control(&self, command: ChassisControl) -> Result<(), Refused> {
        let needs_power = matches!(
            command,
            ChassisControl::PowerCycle | ChassisControl::HardReset | ChassisControl::DiagnosticInterrupt | ChassisControl::SoftShutdown
        );
        if needs_power && self.power() == Power::Off {
            return Err(Refused::State);
        }
        self.commands.try_send(command).map_err(|_| Refused::Busy)
    }

    fn restart_cause(&self) -> RestartCause {
        *self.body.cause.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Boot = Pin<Box<dyn Future<Output = Ending> + Send>>;

/// The machine: obeys commands and runs the firmware while there is power.
async fn drive(body: Arc<Body>, mut inbox: mpsc::Receiver<ChassisControl>) {
    let mut running: Option<Boot> = None;
    loop {
        let command = tokio::select! {
            command = inbox.recv() => match command {
                Some(command) => command,
                None => return,
            },
            ending = boot(&mut running) => {
                running = match ending {
                    Ending::PowerOff => {
                        power_off(&body, Duration::ZERO).await;
                        None
                    }
                    Ending::Reset => Some(start(&body, RestartCause::Soft)),
                };
                continue;
            }
        };
        let timing = &body.spec.timing;
        // dropping the running boot is what taking the power away does to software: it stops in mid-air
        match command {
            ChassisControl::PowerUp if running.is_none() => {
                sleep(timing.power_on).await;
                running = Some(start(&body, RestartCause::ChassisControl));
            }
            ChassisControl::PowerUp => {}
            ChassisControl::PowerDown => {
                drop(running.take());
                power_off(&body, timing.power_off).await;
            }
            ChassisControl::PowerCycle if running.is_some() => {
                drop(running.take());
                power_off(&body, timing.power_off).await;
                sleep(timing.cycle_off).await;
                sleep(timing.power_on).await;
                running = Some(start(&body, RestartCause::ChassisControl));
            }
            ChassisControl::HardReset if running.is_some() => running = Some(start(&body, RestartCause::ChassisControl)),
            ChassisControl::SoftShutdown if running.is_some() => {
                if body.live.borrow().1 == Phase::Running {
                    body.power_button.notify_one();
                } else {
                    // no operating system handles the button: the firmware's own handler cuts the power
                    drop(running.take());
                    power_off(&body, timing.power_off).await;
                }
            }
            ChassisControl::DiagnosticInterrupt if running.is_some() => {
                console::print(
                    &body.wiring.serial,
                    "\nUhhuh. NMI received for unknown reason 20 on CPU 0.\nDazed and confused, but trying to continue\n",
                )
                .await;
            }
            // the power went away while the command waited
            ChassisControl::PowerCycle | ChassisControl::HardReset | ChassisControl::SoftShutdown | ChassisControl::DiagnosticInterrupt => {
            }
        }
    }
}

async fn boot(running: &mut Option<Boot>) -> Ending {
    match running {
        Some(boot) => boot.await,
        None => std::future::pending().await,
    }
}

fn start(body: &Arc<Body>, cause: RestartCause) -> Boot {
    body.set_cause(cause);
    body.wiring.serial.set_powered(true);
    body.set_live(Power::On, Phase::Firmware);
    Box::pin(firmware::run(Arc::clone(body)))
}

async fn power_off(body: &Body, delay: Duration) {
    sleep(delay).await;
    body.wiring.serial.set_powered(false);
    body.set_live(Power::Off, Phase::Off);
}
