//! The rows of the matrix, what a cell can be, and how it is printed.

use ipmi_client::{BootDevice, BootFlags, ChassisControl};

/// One line of the matrix: something both sides must do alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row {
    /// Opening a session, asking for the power state, closing the session.
    Session,
    Power(ChassisControl),
    Boot(BootFlags),
    /// Serial over LAN: typed characters reach the machine, printed ones the console.
    Sol,
    SingleBridge,
    /// Through two controllers, as to the cartridges of HP's Moonshot.
    DoubleBridge,
    WrongUser,
    WrongPassword,
    /// An account of the level USER looks but does not touch.
    LowPrivilege,
}

impl Row {
    pub fn all() -> Vec<Self> {
        use ChassisControl::{HardReset, PowerCycle, PowerDown, PowerUp, SoftShutdown};
        let mut rows = vec![Self::Session];
        rows.extend([PowerUp, PowerDown, PowerCycle, HardReset, SoftShutdown].map(Self::Power));
        for device in [BootDevice::Pxe, BootDevice::Disk, BootDevice::Bios] {
            for (efi, persistent) in [(false, false), (true, false), (false, true), (true, true)] {
                rows.push(Self::Boot(BootFlags { device, efi, persistent }));
            }
        }
        rows.extend([Self::Sol, Self::SingleBridge, Self::DoubleBridge, Self::WrongUser, Self::WrongPassword, Self::LowPrivilege]);
        rows
    }

    pub fn name(self) -> String {
        match self {
            Self::Session => "session".into(),
            Self::Power(control) => format!("power {}", power(control)),
            Self::Boot(BootFlags { device, efi, persistent }) => {
                let options: Vec<_> = [(efi, "efiboot"), (persistent, "persistent")].into_iter().filter(|(on, _)| *on).collect();
                let options: Vec<_> = options.into_iter().map(|(_, name)| name).collect();
                format!("bootdev {} {}", boot(device), options.join(",")).trim_end().to_owned()
            }
            Self::Sol => "SOL both ways".into(),
            Self::SingleBridge => "single bridge".into(),
            Self::DoubleBridge => "Moonshot double bridge".into(),
            Self::WrongUser => "wrong user".into(),
            Self::WrongPassword => "wrong password".into(),
            Self::LowPrivilege => "privilege too low".into(),
        }
    }
}

/// As `ipmitool` calls it.
pub fn power(control: ChassisControl) -> &'static str {
    match control {
        ChassisControl::PowerUp => "on",
        ChassisControl::PowerDown => "off",
        ChassisControl::PowerCycle => "cycle",
        ChassisControl::HardReset => "reset",
        ChassisControl::SoftShutdown => "soft",
        _ => "?",
    }
}

/// As `ipmitool` calls it.
pub fn boot(device: BootDevice) -> &'static str {
    match device {
        BootDevice::Pxe => "pxe",
        BootDevice::Disk => "disk",
        BootDevice::Bios => "bios",
        _ => "?",
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    Passed,
    /// With something a reader should know.
    PassedBut(&'static str),
    Failed(String),
    /// The peer cannot, and why.
    Unsupported(&'static str),
}

pub struct Column {
    pub name: &'static str,
    pub cells: Vec<Cell>,
}

/// Prints the matrix, what failed, and why cells are empty. Answers how many passed and how many failed.
pub fn print(rows: &[Row], columns: &[Column]) -> (usize, usize) {
    let mut notes: Vec<&'static str> = Vec::new();
    let mut number = |note| {
        let at = notes.iter().position(|known| *known == note).unwrap_or_else(|| {
            notes.push(note);
            notes.len() - 1
        });
        at + 1
    };
    let width = rows.iter().map(|row| row.name().len()).max().unwrap_or(0);
    let heads: Vec<usize> = columns.iter().map(|column| column.name.chars().count().max(7)).collect();
    let head: Vec<_> = columns.iter().zip(&heads).map(|(column, &width)| format!("{:width$}", column.name)).collect();
    println!("\n{:width$}  {}", "", head.join("  "));
    let (mut passed, mut failures) = (0, Vec::new());
    for (i, row) in rows.iter().enumerate() {
        let mut line = Vec::new();
        for (column, &width) in columns.iter().zip(&heads) {
            let text = match &column.cells[i] {
                Cell::Passed => "ok".to_owned(),
                Cell::PassedBut(note) => format!("ok {}", number(*note)),
                Cell::Unsupported(note) => format!("–  {}", number(*note)),
                Cell::Failed(why) => {
                    failures.push(format!("FAIL {} / {}: {why}", row.name(), column.name));
                    "FAIL".to_owned()
                }
            };
            passed += usize::from(text.starts_with("ok"));
            line.push(format!("{text:width$}"));
        }
        println!("{:width$}  {}", row.name(), line.join("  ").trim_end());
    }
    println!();
    for (i, note) in notes.iter().enumerate() {
        println!("{:2} {note}", i + 1);
    }
    failures.iter().for_each(|failure| println!("{failure}"));
    (passed, failures.len())
}
