//! One machine, one BMC, IPMI 2.0 over LAN.

use app::api::PowerState;
use async_trait::async_trait;
use ipmi_client::{
    BootDevice as IpmiDevice, BootFlags, ChassisControl, Client, Error, ErrorKind, Secret, SolEvent, SolOptions, SolSession, SolWriter,
    Target,
};

use super::{Bmc, BmcError, BmcTarget, BootDevice, Console, ConsoleEvent, ConsoleInput, ConsoleReader, ConsoleWriter, PowerControl};

/// Keeps one session, opened when it is first needed.
pub(super) struct Plain {
    name: String,
    client: Client,
}

impl Plain {
    pub(super) fn new(target: &BmcTarget) -> Self {
        let password = Secret::new(target.password.as_bytes());
        Self { name: target.name.clone(), client: Client::new(Target::new(target.address, target.username.clone(), password)) }
    }

    fn failed(&self, error: &Error) -> BmcError {
        match error.kind {
            ErrorKind::SolHeld { .. } => BmcError::ConsoleBusy(self.name.clone()),
            _ => BmcError::Failed(format!("{} ({}): {}", self.name, error.bmc, error.kind)),
        }
    }
}

#[async_trait]
impl Bmc for Plain {
    async fn power(&self) -> Result<PowerState, BmcError> {
        let status = self.client.chassis_status().await.map_err(|error| self.failed(&error))?;
        Ok(if status.power_on() { PowerState::On } else { PowerState::Off })
    }

    async fn control(&self, control: PowerControl) -> Result<(), BmcError> {
        let control = match control {
            PowerControl::On => ChassisControl::PowerUp,
            PowerControl::Off => ChassisControl::PowerDown,
            PowerControl::Reset => ChassisControl::HardReset,
        };
        self.client.chassis_control(control).await.map_err(|error| self.failed(&error))
    }

    async fn set_boot_device(&self, device: BootDevice, efi: bool, persistent: bool) -> Result<(), BmcError> {
        let device = match device {
            BootDevice::Pxe => IpmiDevice::Pxe,
            BootDevice::Disk => IpmiDevice::Disk,
            BootDevice::Bios => IpmiDevice::Bios,
        };
        self.client.set_boot_flags(BootFlags { device, efi, persistent }).await.map_err(|error| self.failed(&error))
    }

    async fn open_console(&self, take_over: bool) -> Result<Console, BmcError> {
        let options = SolOptions { take_over, ..SolOptions::default() };
        let session = self.client.open_sol(options).await.map_err(|error| self.failed(&error))?;
        let writer = session.writer();
        Ok(Console { reader: Box::new(Reader(session)), writer: Box::new(Writer(writer)) })
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
