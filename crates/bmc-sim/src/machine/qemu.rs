//! A real machine in a process: QEMU as the chassis. Power starts and ends it, the boot flags become its boot order, its
//! first serial port is the console.

use std::{
    io,
    path::Path,
    process::{ExitStatus, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use ipmi_wire::command::{BootDevice, BootFlags, ChassisControl};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        UnixListener, UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    process::{Child, Command},
    sync::{mpsc, watch},
    time::{sleep, timeout},
};

use super::{Chassis, Power, Refused, RestartCause, Wiring, serial::Input};

/// QEMU's name for the serial port.
const SERIAL: &str = "bmc-serial";
/// How long QEMU may take to start, on a busy machine and with translated code.
const START: Duration = Duration::from_secs(30);
/// How long a power cycle stays off.
const CYCLE: Duration = Duration::from_millis(500);

/// The chassis: a handle to the task that runs QEMU.
#[derive(Debug)]
pub struct Qemu {
    power: watch::Receiver<Power>,
    started: Arc<AtomicBool>,
    commands: mpsc::Sender<ChassisControl>,
}

impl Qemu {
    /// A machine without power. `command` is the program and its arguments; what connects serial port, control channel and
    /// boot order is added to them. It should say `-display none` or how else to show its screen. Must be called within a
    /// tokio runtime.
    #[must_use]
    pub fn new(command: Vec<String>, wiring: Wiring) -> Self {
        let (commands, inbox) = mpsc::channel(8);
        let (live, power) = watch::channel(Power::Off);
        let started = Arc::new(AtomicBool::new(false));
        let cancel = wiring.cancel.clone();
        let machine = Machine { command, wiring, live, started: Arc::clone(&started) };
        tokio::spawn(cancel.run_until_cancelled_owned(machine.run(inbox)));
        Self { power, started, commands }
    }
}

impl Chassis for Qemu {
    fn power(&self) -> Power {
        *self.power.borrow()
    }

    fn control(&self, command: ChassisControl) -> Result<(), Refused> {
        let needs_power = !matches!(command, ChassisControl::PowerUp | ChassisControl::PowerDown);
        if needs_power && self.power() == Power::Off {
            return Err(Refused::State);
        }
        self.commands.try_send(command).map_err(|_| Refused::Busy)
    }

    fn restart_cause(&self) -> RestartCause {
        if self.started.load(Ordering::Relaxed) { RestartCause::ChassisControl } else { RestartCause::Unknown }
    }
}

struct Machine {
    command: Vec<String>,
    wiring: Wiring,
    live: watch::Sender<Power>,
    started: Arc<AtomicBool>,
}

/// A running QEMU. Dropping it kills the process.
struct Process {
    child: Child,
    serial_in: OwnedReadHalf,
    serial_out: OwnedWriteHalf,
    control: OwnedWriteHalf,
    answers: OwnedReadHalf,
    /// Holds the sockets.
    _directory: TempDir,
}

/// What happened while it ran.
enum Happening {
    Command(Option<ChassisControl>),
    Printed(io::Result<usize>),
    Typed(Input),
    /// Something on the control channel; nothing here waits for it.
    Answered,
    Ended(io::Result<ExitStatus>),
}

impl Machine {
    async fn run(self, mut inbox: mpsc::Receiver<ChassisControl>) {
        while let Some(command) = inbox.recv().await {
            if command != ChassisControl::PowerUp {
                // of a machine that is off, all others are done already
                continue;
            }
            while self.powered(&mut inbox).await {
                sleep(CYCLE).await;
            }
        }
    }

    /// One time from power on to power off. Answers whether power comes back: a cycle.
    async fn powered(&self, inbox: &mut mpsc::Receiver<ChassisControl>) -> bool {
        let again = loop {
            // a reset starts the process anew, because only that gives it another boot order
            match self.process(inbox).await {
                Ok(Next::Reset) => {}
                Ok(Next::Off) => break false,
                Ok(Next::Cycle) => break true,
                Err(error) => {
                    tracing::error!(program = self.command.first(), %error, "QEMU does not start");
                    break false;
                }
            }
        };
        self.set(Power::Off);
        again
    }

    fn set(&self, power: Power) {
        self.wiring.serial.set_powered(power == Power::On);
        self.wiring.events.power_is(power);
        self.live.send_replace(power);
    }

    async fn process(&self, inbox: &mut mpsc::Receiver<ChassisControl>) -> io::Result<Next> {
        let flags = self.wiring.boot.take();
        let mut process = timeout(START, start(&self.command, flags)).await.map_err(|_| io::ErrorKind::TimedOut)??;
        self.started.store(true, Ordering::Relaxed);
        self.set(Power::On);
        let serial = &self.wiring.serial;
        let mut buffer = [0; 1024];
        let mut scrap = [0; 256];
        let mut connected = true;
        loop {
            let happening = tokio::select! {
                command = inbox.recv() => Happening::Command(command),
                read = process.serial_in.read(&mut buffer), if connected => Happening::Printed(read),
                typed = serial.read() => Happening::Typed(typed),
                answered = process.answers.read(&mut scrap), if connected => { connected &= !matches!(answered, Ok(0) | Err(_)); Happening::Answered }
                ended = process.child.wait() => Happening::Ended(ended),
            };
            let next = match happening {
                Happening::Printed(Ok(len @ 1..)) => {
                    serial.write(&buffer[..len]).await;
                    continue;
                }
                // the process is about to end; its end will be seen
                Happening::Printed(_) => {
                    connected = false;
                    continue;
                }
                Happening::Typed(Input::Bytes(typed)) => {
                    // a machine that reads nothing any more has ended
                    let _ = process.serial_out.write_all(&typed).await;
                    continue;
                }
                Happening::Typed(Input::Break) => {
                    process.tell("chardev-send-break", &format!(r#", "arguments": {{"id": "{SERIAL}"}}"#)).await;
                    continue;
                }
                Happening::Answered | Happening::Command(Some(ChassisControl::PowerUp)) => continue,
                Happening::Command(Some(ChassisControl::SoftShutdown)) => {
                    process.tell("system_powerdown", "").await;
                    continue;
                }
                Happening::Command(Some(ChassisControl::DiagnosticInterrupt)) => {
                    process.tell("inject-nmi", "").await;
                    continue;
                }
                Happening::Ended(status) => {
                    tracing::debug!(?status, "QEMU ended");
                    // what it printed last is still in the socket
                    while let Ok(len @ 1..) = process.serial_in.read(&mut buffer).await {
                        serial.write(&buffer[..len]).await;
                    }
                    return Ok(Next::Off);
                }
                Happening::Command(Some(ChassisControl::HardReset)) => Next::Reset,
                Happening::Command(Some(ChassisControl::PowerCycle)) => Next::Cycle,
                Happening::Command(Some(ChassisControl::PowerDown) | None) => Next::Off,
            };
            // taking the power away is not asking for it
            process.child.kill().await?;
            return Ok(next);
        }
    }
}

/// What follows a process' end.
enum Next {
    Off,
    Cycle,
    Reset,
}

impl Process {
    async fn tell(&mut self, command: &str, arguments: &str) {
        let line = format!("{{\"execute\": \"{command}\"{arguments}}}\n");
        if let Err(error) = self.control.write_all(line.as_bytes()).await {
            tracing::debug!(%error, command, "QEMU's control channel");
        }
    }
}

/// QEMU connects to us, so that nothing it prints from its first moment on is lost.
async fn start(command: &[String], flags: Option<BootFlags>) -> io::Result<Process> {
    let (program, arguments) = command.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let directory = tempfile::Builder::new().prefix("bmc-sim-").tempdir()?;
    let path = |name: &str| directory.path().join(name);
    let (serial, control) = (UnixListener::bind(path("serial"))?, UnixListener::bind(path("control"))?);
    let mut qemu = Command::new(program);
    qemu.args(arguments);
    qemu.args(["-chardev", &socket(SERIAL, &path("serial")), "-serial", &format!("chardev:{SERIAL}")]);
    qemu.args(["-chardev", &socket("bmc-control", &path("control")), "-mon", "chardev=bmc-control,mode=control"]);
    if let Some(order) = flags.and_then(|flags| boot_order(flags.device)) {
        qemu.args(["-boot", order]);
    }
    qemu.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit()).kill_on_drop(true);
    let mut child = qemu.spawn()?;
    let accepted = async { tokio::try_join!(accept(&serial), accept(&control)) };
    let (serial, control) = tokio::select! {
        both = accepted => both?,
        ended = child.wait() => return Err(io::Error::other(format!("it ended at once: {}", ended?))),
    };
    let (serial_in, serial_out) = serial.into_split();
    let (answers, control) = control.into_split();
    let mut process = Process { child, serial_in, serial_out, control, answers, _directory: directory };
    process.tell("qmp_capabilities", "").await;
    Ok(process)
}

async fn accept(listener: &UnixListener) -> io::Result<UnixStream> {
    listener.accept().await.map(|(stream, _)| stream)
}

fn socket(id: &str, path: &Path) -> String {
    // a comma in a value is written twice
    format!("socket,id={id},path={}", path.display().to_string().replace(',', ",,"))
}

/// QEMU's letter for what the boot flags name; what it has no letter for boots as ever.
fn boot_order(device: BootDevice) -> Option<&'static str> {
    match device {
        BootDevice::Pxe => Some("order=n"),
        BootDevice::Disk | BootDevice::DiskSafeMode => Some("order=c"),
        BootDevice::Cdrom => Some("order=d"),
        BootDevice::Floppy => Some("order=a"),
        BootDevice::Bios => Some("menu=on,splash-time=60000"),
        _ => None,
    }
}
