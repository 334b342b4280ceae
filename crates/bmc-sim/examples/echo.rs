//! BMCs whose serial ports answer at once: `echo FIRST COUNT PASSWORD` makes COUNT of them on port 623, on addresses counted up
//! from FIRST, with the user `admin`.
//!
//! Every character typed comes back. After `#N` and a carriage return, N characters are printed, then `DONE`.

use std::{error::Error, net::Ipv4Addr, sync::Arc};

use bmc_sim::{
    ChassisFactory, Lab, LabConfig, MachineConfig, User,
    machine::{
        Chassis, Firmware, MacAddress, Power, Refused, Wiring,
        serial::{Input, SerialLine},
        timing::Timing,
    },
};
use ipmi_wire::{Privilege, command::ChassisControl};

/// Switched on for ever.
struct AlwaysOn;

impl Chassis for AlwaysOn {
    fn power(&self) -> Power {
        Power::On
    }

    fn control(&self, _command: ChassisControl) -> Result<(), Refused> {
        Err(Refused::Unsupported)
    }
}

async fn echo(serial: Arc<SerialLine>) {
    let mut command: Option<Vec<u8>> = None;
    loop {
        let Input::Bytes(typed) = serial.read().await else { continue };
        for byte in typed {
            match (byte, command.take()) {
                (b'\r', Some(digits)) => {
                    let count = String::from_utf8_lossy(&digits).parse().unwrap_or(0);
                    print(&serial, count).await;
                }
                (digit, Some(mut digits)) => {
                    digits.push(digit);
                    command = Some(digits);
                }
                (b'#', None) => command = Some(Vec::new()),
                (other, None) => serial.write(&[other]).await,
            }
        }
    }
}

async fn print(serial: &SerialLine, mut count: usize) {
    let line: Vec<u8> = (0..1024u32).map(|i| if i % 64 == 63 { b'\n' } else { b'a' + (i % 26) as u8 }).collect();
    while count > 0 {
        let piece = &line[..count.min(line.len())];
        serial.write(piece).await;
        count -= piece.len();
    }
    serial.write(b"DONE").await;
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [first, count, password] = arguments.as_slice() else {
        return Err("usage: echo FIRST COUNT PASSWORD".into());
    };
    let (first, count): (Ipv4Addr, u16) = (first.parse()?, count.parse()?);
    let machine = |i: u16| {
        let [high, low] = i.to_be_bytes();
        let users = vec![User::new("admin", password, Privilege::Administrator)];
        let mac = MacAddress([0x52, 0x54, 0x00, 0x5c, high, low]);
        let mut machine = MachineConfig::new(&format!("echo-{i}"), mac, Firmware::Bios, (Ipv4Addr::LOCALHOST, 9).into(), users);
        machine.bmc_addr = (Ipv4Addr::from_bits(first.to_bits() + u32::from(i)), 623).into();
        machine.timing = Timing::instant();
        machine.chassis = Some(ChassisFactory(Arc::new(|wiring: Wiring| {
            tokio::spawn(wiring.cancel.run_until_cancelled_owned(echo(wiring.serial)));
            Arc::new(AlwaysOn)
        })));
        machine
    };
    let lab = Lab::start(LabConfig { machines: (0..count).map(machine).collect() }).await?;
    println!("{} machines are ready", lab.machines().len());
    std::future::pending().await
}
