//! The machine behind a simulated BMC, as far as the matrix looks at it: what it was told to do, and a serial port that answers.

use std::sync::{Arc, Mutex};

use bmc_sim::machine::serial::{Input, SerialLine};
use bmc_sim::machine::{Chassis, Power, Refused, Wiring};
use ipmi_client::ChassisControl;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// What it prints when a line was typed.
pub fn answer(line: &str) -> String {
    format!("\r\nyou typed {line}\r\n")
}

/// The machine's end of a serial line: gathers what is typed, and answers whole lines.
#[derive(Debug, Default)]
struct Reader {
    line: Vec<u8>,
}

impl Reader {
    fn typed(&mut self, octets: &[u8]) -> String {
        let mut answers = String::new();
        for octet in octets {
            match octet {
                b'\r' | b'\n' if !self.line.is_empty() => {
                    answers += &answer(&String::from_utf8_lossy(&self.line));
                    self.line.clear();
                }
                b' '..=b'~' => self.line.push(*octet),
                _ => {}
            }
        }
        answers
    }
}

#[derive(Debug)]
struct State {
    on: bool,
    log: Vec<ChassisControl>,
}

/// A machine that obeys at once and writes down every command, for `bmc-sim`.
#[derive(Debug, Clone)]
pub struct Host(Arc<Mutex<State>>);

impl Host {
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(State { on: false, log: Vec::new() })))
    }

    /// Plugged into its BMC.
    pub fn wired(&self, wiring: &Wiring) -> Arc<dyn Chassis> {
        let serial = Arc::clone(&wiring.serial);
        tokio::spawn(wiring.cancel.clone().run_until_cancelled_owned(async move { talk(&serial).await }));
        Arc::new(self.clone())
    }

    pub fn is_on(&self) -> bool {
        self.0.lock().unwrap().on
    }

    pub fn switch(&self, on: bool) {
        self.0.lock().unwrap().on = on;
    }

    /// Everything it was told.
    pub fn log(&self) -> Vec<ChassisControl> {
        self.0.lock().unwrap().log.clone()
    }
}

impl Chassis for Host {
    fn power(&self) -> Power {
        if self.is_on() { Power::On } else { Power::Off }
    }

    fn control(&self, command: ChassisControl) -> Result<(), Refused> {
        let mut state = self.0.lock().unwrap();
        let needs_power = matches!(command, ChassisControl::PowerCycle | ChassisControl::HardReset | ChassisControl::SoftShutdown);
        if needs_power && !state.on {
            return Err(Refused::State);
        }
        state.log.push(command);
        match command {
            ChassisControl::PowerUp => state.on = true,
            ChassisControl::PowerDown | ChassisControl::SoftShutdown => state.on = false,
            _ => {}
        }
        Ok(())
    }
}

async fn talk(serial: &SerialLine) {
    let mut reader = Reader::default();
    loop {
        if let Input::Bytes(octets) = serial.read().await {
            serial.write(reader.typed(&octets).as_bytes()).await;
        }
    }
}

/// The same serial port behind a TCP listener, where foreign simulators connect. Answers its port.
pub async fn serial_server() -> std::io::Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut reader = Reader::default();
                let mut buffer = [0; 512];
                while let Ok(len @ 1..) = stream.read(&mut buffer).await {
                    let octets = without_telnet(&buffer[..len]);
                    if stream.write_all(reader.typed(&octets).as_bytes()).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    Ok(port)
}

/// Takes out the telnet negotiation (IAC, verb, option) that `ipmi_sim` opens the line with.
fn without_telnet(data: &[u8]) -> Vec<u8> {
    let mut octets = data.iter().copied();
    let mut out = Vec::new();
    while let Some(octet) = octets.next() {
        if octet == 0xff {
            octets.nth(1);
        } else {
            out.push(octet);
        }
    }
    out
}
