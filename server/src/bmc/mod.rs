//! The machines' BMCs: the port, its drivers (IPMI of our own, and `ipmitool` as a way out), the sessions kept open, and the
//! poller that keeps the power state of the whole lab.

mod fleet;
mod hardware;
mod ipmitool;
mod moonshot;
mod native;
mod poller;
mod records;
mod watched;

use std::net::SocketAddr;

use app::api::{BmcBackend, BmcPrivilege, BmcQuirk, BmcType, Fru, PowerState, SelEntry, Sensor};
use async_trait::async_trait;
use bytes::Bytes;
use zeroize::Zeroizing;

pub use fleet::Fleet;
pub use poller::{Asked, Roster, poll};
pub use records::PowerReading;

/// Where a machine's BMC is and how to log in to it.
#[derive(Clone, PartialEq, Eq)]
pub struct BmcTarget {
    /// Id of the BMC.
    pub id: i64,
    /// For error texts.
    pub name: String,
    pub address: SocketAddr,
    pub kind: BmcType,
    pub backend: BmcBackend,
    pub quirks: Vec<BmcQuirk>,
    pub username: String,
    pub password: Zeroizing<String>,
    pub privilege: BmcPrivilege,
    /// The BMC's own key (K_g), as [`app::api::BmcKey`] has it; empty: none.
    pub key: Zeroizing<String>,
    /// Which of the machines behind the BMC, e.g. a cartridge's number.
    pub info: String,
    /// Number of the cipher suite below which no session may be opened: the strongest once used.
    pub floor: Option<u8>,
}

impl BmcTarget {
    /// Whether it is the same thing in the same place, reached in the same way. The floor does not count: it follows from what
    /// sessions agreed on, and a session knows its own.
    fn is_still(&self, known: &Self) -> bool {
        Self { floor: known.floor, ..self.clone() } == *known
    }
}

/// What the next boot starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BootDevice {
    Pxe,
    Disk,
    Bios,
}

impl BootDevice {
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pxe => "pxe",
            Self::Disk => "disk",
            Self::Bios => "bios",
        }
    }
}

/// What the chassis is told (IPMI 2.0 table 28-4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PowerControl {
    On,
    Off,
    Reset,
}

/// Why a BMC did not do what was asked. The text names the BMC, the stage and what to check, never a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BmcError {
    /// Nothing came back.
    #[error("{0}")]
    Unreachable(String),
    /// It answers, but opens no session: credentials, rights, cipher suites.
    #[error("{0}")]
    Refused(String),
    /// It has become weaker than it once was.
    #[error(
        "{0}; if it was changed on purpose, an administrator can make it forget its cipher suite (PUT /bmc/{{id}}, or on the BMC's form)"
    )]
    Downgrade(String),
    /// It is well, but did not carry out this command.
    #[error("{0}")]
    Failed(String),
    /// It is well, but cannot reach the one of its machines that was meant.
    #[error("{0}")]
    Behind(String),
    /// It was not asked: what is needed for that is missing here.
    #[error("{0}")]
    NotAsked(String),
    /// Somebody else holds the only serial session.
    #[error("the serial console of {0} is held by another session")]
    ConsoleBusy(String),
}

impl BmcError {
    /// Whether it concerns everything behind the BMC, not one command or one machine.
    #[must_use]
    pub fn is_of_the_bmc(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Refused(_) | Self::Downgrade(_) | Self::NotAsked(_))
    }
}

/// One machine's BMC.
#[async_trait]
pub trait Bmc: Send + Sync {
    /// # Errors
    /// Within a few seconds, when the BMC does not answer or refuses.
    async fn power(&self) -> Result<PowerState, BmcError>;

    /// # Errors
    /// When the BMC does not answer or refuses.
    async fn control(&self, control: PowerControl) -> Result<(), BmcError>;

    /// Chooses what the next boot starts from; `efi` asks for a UEFI boot, `persistent` for all boots after as well.
    ///
    /// # Errors
    /// When the BMC does not answer or refuses.
    async fn set_boot_device(&self, device: BootDevice, efi: bool, persistent: bool) -> Result<(), BmcError>;

    /// Opens the serial console; `take_over` ends a session somebody else holds.
    ///
    /// # Errors
    /// [`BmcError::ConsoleBusy`], or when the BMC does not answer or refuses.
    async fn open_console(&self, take_over: bool) -> Result<Console, BmcError>;

    /// Reads the machine's inventory.
    ///
    /// # Errors
    /// When the BMC does not answer or refuses, or its driver cannot read this; so for the next two.
    async fn fru(&self) -> Result<Fru, BmcError>;

    /// Reads all sensors. Takes its while: each is asked for.
    ///
    /// # Errors
    /// See [`Bmc::fru`].
    async fn sensors(&self) -> Result<Vec<Sensor>, BmcError>;

    /// Reads the log of events that the BMC keeps, newest first.
    ///
    /// # Errors
    /// See [`Bmc::fru`].
    async fn sel(&self) -> Result<Vec<SelEntry>, BmcError>;

    /// Number of the strongest cipher suite a session was opened with; None where that is not known.
    fn suite(&self) -> Option<u8>;
}

/// An open serial console. It closes when both halves are dropped.
pub struct Console {
    pub reader: Box<dyn ConsoleReader>,
    pub writer: Box<dyn ConsoleWriter>,
}

#[async_trait]
pub trait ConsoleReader: Send {
    /// The next thing that happens on the line. Cancelling it loses nothing.
    async fn next(&mut self) -> ConsoleEvent;
}

#[async_trait]
pub trait ConsoleWriter: Send {
    /// Resolves once the BMC has taken the input.
    ///
    /// # Errors
    /// When the session has ended.
    async fn write(&mut self, input: ConsoleInput) -> Result<(), BmcError>;
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConsoleEvent {
    Output(Bytes),
    /// Something on the line that is no byte, in words.
    Notice(String),
    /// The session ended; why.
    Closed(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConsoleInput {
    Bytes(Bytes),
    Break,
}
