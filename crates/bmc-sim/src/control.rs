//! A running lab under the hands of a script: one line, one command, one answer.
//!
//! ```text
//! list
//! NAME power [on|off|cycle|reset|soft|nmi]
//! NAME faults [none | KEY=VALUE …]
//! NAME restart-bmc | forget-sessions | deactivate-sol
//! NAME sensor SENSOR=VALUE
//! NAME type TEXT
//! NAME boot | sessions | counters | events
//! ```
//!
//! `NAME` may be `*`: all machines. Faults given by KEY=VALUE change, others stay.

use std::fmt::Write;

use ipmi_wire::command::ChassisControl;

use crate::{Lab, Machine, machine::Power};

/// What a script can do to the machines of a lab.
#[derive(Clone)]
pub struct Control {
    machines: Vec<Machine>,
}

impl Control {
    /// Of all machines and cartridges.
    #[must_use]
    pub fn new(lab: &Lab) -> Self {
        let with_cartridges = |machine: &Machine| std::iter::once(machine.clone()).chain(machine.cartridges().to_vec()).collect::<Vec<_>>();
        Self { machines: lab.machines().iter().flat_map(with_cartridges).collect() }
    }

    /// Executes one line. Answers the lines to show, if any.
    ///
    /// # Errors
    /// What is wrong with the line, in words.
    pub fn execute(&self, line: &str) -> Result<String, String> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(String::new());
        }
        if line == "list" {
            return Ok(self.machines.iter().map(|machine| format!("{} bmc={}\n", machine.name(), machine.bmc_addr())).collect());
        }
        let (name, command) = line.split_once(' ').ok_or_else(|| format!("{line:?}: a machine's name and a command, or list"))?;
        let meant = |machine: &&Machine| name == "*" || machine.name() == name;
        let mut meant = self.machines.iter().filter(meant).peekable();
        if meant.peek().is_none() {
            return Err(format!("there is no machine {name:?}"));
        }
        let mut answer = String::new();
        for machine in meant {
            answer.push_str(&one(machine, command.trim())?);
        }
        Ok(answer)
    }
}

fn one(machine: &Machine, command: &str) -> Result<String, String> {
    let (word, rest) = command.split_once(' ').map_or((command, ""), |(word, rest)| (word, rest.trim()));
    let name = machine.name();
    match (word, rest) {
        ("power", "") => {
            let power = if machine.power() == Power::On { "on" } else { "off" };
            return Ok(format!("{name} power {power}\n"));
        }
        ("power", what) => {
            let control = match what {
                "on" => ChassisControl::PowerUp,
                "off" => ChassisControl::PowerDown,
                "cycle" => ChassisControl::PowerCycle,
                "reset" => ChassisControl::HardReset,
                "soft" => ChassisControl::SoftShutdown,
                "nmi" => ChassisControl::DiagnosticInterrupt,
                _ => return Err(format!("power {what}: on, off, cycle, reset, soft or nmi")),
            };
            machine.control(control).map_err(|refused| format!("{name}: {refused}"))?;
        }
        ("faults", "") => return Ok(format!("{name} faults {}\n", machine.faults())),
        ("faults", changes) => {
            let mut faults = machine.faults();
            faults.change(changes)?;
            machine.set_faults(faults);
        }
        ("restart-bmc", "") => machine.restart_bmc(),
        ("forget-sessions", "") => machine.forget_sessions(),
        ("deactivate-sol", "") => {
            if !machine.deactivate_sol() {
                return Err(format!("{name}: SOL is not active"));
            }
        }
        ("sensor", change) => {
            let (sensor, value) = change.split_once('=').ok_or("sensor NAME=VALUE")?;
            let value = value.trim().parse().map_err(|_| format!("{value:?} is not a number"))?;
            if !machine.set_sensor(sensor.trim(), value) {
                return Err(format!("{name} has no sensor {sensor:?}"));
            }
        }
        ("type", text) => {
            machine.type_serial(format!("{text}\r").as_bytes());
        }
        ("boot", "") => {
            let flags = machine.boot_flags();
            return Ok(format!("{name} boot {:?} valid={} persistent={} efi={}\n", flags.device, flags.valid, flags.persistent, flags.efi));
        }
        ("sessions", "") => {
            let mut answer = String::new();
            for session in machine.sessions() {
                let (id, user, level, sol) = (session.id, &session.user, session.privilege, session.sol);
                // writing to a string cannot fail
                let _ = writeln!(answer, "{name} session {id:#010x} user={user} privilege={level} sol={sol}");
            }
            return Ok(answer);
        }
        ("counters", "") => {
            let c = machine.counters();
            return Ok(format!(
                "{name} received={} sent={} rejected={} sessions={} commands={}\n",
                c.received, c.sent, c.rejected, c.sessions, c.commands
            ));
        }
        ("events", "") => return Ok(machine.events().records().iter().map(|record| format!("{name} {} {record}\n", record.id)).collect()),
        _ => {
            return Err(format!(
                "{command:?}: power, faults, restart-bmc, forget-sessions, deactivate-sol, sensor, type, boot, sessions, counters or events"
            ));
        }
    }
    Ok(String::new())
}
