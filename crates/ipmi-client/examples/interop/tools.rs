//! The columns in which foreign clients talk to `bmc-sim`.

use std::time::Duration;

use bmc_sim::machine::Power;
use ipmi_client::{BootDevice, BootFlags, ChassisControl};

use crate::host::answer;
use crate::run::{Checked, Said, Terminal, run};
use crate::sims::{Bmc, OurSim, PASSWORD, python};
use crate::table::{self, Cell, Row};

/// A foreign client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// With this cipher suite.
    Ipmitool(u8),
    Ipmipower,
    IpmiChassis,
    Ipmiconsole,
    Pyghmi,
}

const FREEIPMI_SUITES: [&str; 2] = ["3", "17"];

impl Tool {
    pub fn name(self) -> &'static str {
        match self {
            Self::Ipmitool(3) => "ipmitool -C 3",
            Self::Ipmitool(_) => "ipmitool -C 17",
            Self::Ipmipower => "ipmipower",
            Self::IpmiChassis => "ipmi-chassis",
            Self::Ipmiconsole => "ipmiconsole",
            Self::Pyghmi => "pyghmi",
        }
    }

    pub async fn cell(self, sim: &OurSim, row: Row) -> Cell {
        if let Some(why) = self.cannot(row) {
            return Cell::Unsupported(why);
        }
        let checked = match self {
            Self::Ipmitool(suite) => Ipmitool { sim, suite }.check(row).await,
            Self::Ipmipower | Self::IpmiChassis => self.freeipmi(sim, row).await,
            Self::Ipmiconsole => ipmiconsole(sim, row).await,
            Self::Pyghmi => pyghmi(sim, row).await,
        };
        match (checked, self.but(row)) {
            (Err(why), _) => Cell::Failed(why),
            (Ok(()), Some(note)) => Cell::PassedBut(note),
            (Ok(()), None) => Cell::Passed,
        }
    }

    fn cannot(self, row: Row) -> Option<&'static str> {
        match (self, row) {
            (Self::Ipmipower, Row::Boot(_) | Row::Sol) => Some("ipmipower knows power only"),
            (Self::IpmiChassis, Row::Sol) => Some("ipmi-chassis has no console: ipmiconsole has"),
            (Self::Ipmiconsole, Row::Power(_) | Row::Boot(_)) => Some("ipmiconsole is a console only"),
            (Self::Ipmipower | Self::IpmiChassis | Self::Ipmiconsole, Row::SingleBridge | Row::DoubleBridge) => {
                Some("FreeIPMI 1.6 bridges only through a local driver, not over the network")
            }
            (Self::Pyghmi, Row::DoubleBridge) => Some("pyghmi bridges once only"),
            _ => None,
        }
    }

    fn but(self, row: Row) -> Option<&'static str> {
        match (self, row) {
            (Self::IpmiChassis, Row::Boot(_)) => Some("set by FreeIPMI's ipmi-config: ipmi-chassis has no command for it"),
            (Self::Ipmipower | Self::IpmiChassis | Self::Ipmiconsole, Row::Session) => Some("FreeIPMI: with suite 3 and with suite 17"),
            (Self::Pyghmi, Row::Power(ChassisControl::PowerCycle)) => Some("pyghmi has no word for a cycle: as a raw command"),
            _ => None,
        }
    }

    async fn freeipmi(self, sim: &OurSim, row: Row) -> Checked {
        let call = FreeIpmi { sim, program: self.name() };
        for suite in FREEIPMI_SUITES {
            let asks = if self == Self::Ipmipower { "--stat" } else { "--get-chassis-status" };
            match row {
                Row::Session => {
                    for on in [false, true] {
                        sim.host.switch(on);
                        let state = if on { "on" } else { "off" };
                        let said = call.admin(suite, &[asks]).await?;
                        let line = said.text.lines().find(|line| self == Self::Ipmipower || line.starts_with("System Power"));
                        if !said.success || !line.is_some_and(|line| line.ends_with(&format!(": {state}"))) {
                            return Err(format!("power is {state}: {said:?}"));
                        }
                    }
                }
                Row::Power(control) => {
                    let word = if self == Self::Ipmipower {
                        format!("--{}", table::power(control))
                    } else {
                        let word = match control {
                            ChassisControl::PowerUp => "POWER-UP",
                            ChassisControl::PowerDown => "POWER-DOWN",
                            ChassisControl::PowerCycle => "POWER-CYCLE",
                            ChassisControl::HardReset => "HARD-RESET",
                            _ => "SOFT-SHUTDOWN",
                        };
                        format!("--chassis-control={word}")
                    };
                    told(sim, control, async || call.admin(suite, &[&word]).await).await?;
                }
                Row::Boot(flags) => {
                    let device = match flags.device {
                        BootDevice::Pxe => "PXE",
                        BootDevice::Disk => "HARD-DRIVE",
                        _ => "BIOS-SETUP",
                    };
                    let settings = [
                        format!("Chassis_Boot_Flags:Boot_Device={device}"),
                        format!("Chassis_Boot_Flags:BIOS_Boot_Type={}", if flags.efi { "EFI" } else { "PC-COMPATIBLE" }),
                        format!("Chassis_Boot_Flags:Boot_Flags_Persistent={}", if flags.persistent { "Yes" } else { "No" }),
                    ];
                    let mut words = vec!["--category=chassis", "--commit"];
                    words.extend(settings.iter().flat_map(|setting| ["-e", setting.as_str()]));
                    let config = FreeIpmi { sim, program: "ipmi-config" };
                    config.admin(suite, &words).await?.must_succeed()?;
                    kept(sim, flags)?;
                }
                Row::WrongUser => call.call(suite, "nobody", PASSWORD, &[asks]).await?.must_refuse("username invalid")?,
                Row::WrongPassword => call.call(suite, "admin", "wrong", &[asks]).await?.must_refuse("password invalid")?,
                Row::LowPrivilege => {
                    sim.host.switch(false);
                    let on = if self == Self::Ipmipower { "--on" } else { "--chassis-control=POWER-UP" };
                    let before = sim.log().len();
                    call.call(suite, "user", PASSWORD, &[on, "-l", "OPERATOR"]).await?.must_refuse("privilege level")?;
                    untouched(sim, before)?;
                }
                Row::Sol | Row::SingleBridge | Row::DoubleBridge => return Err("not written".into()),
            }
        }
        Ok(())
    }
}

/// Brings the host into the state in which the command is possible, and sees that it alone arrives there.
async fn told(sim: &OurSim, control: ChassisControl, command: impl AsyncFn() -> Result<Said, String>) -> Checked {
    sim.host.switch(control != ChassisControl::PowerUp);
    let before = sim.log().len();
    command().await?.must_succeed()?;
    let log = sim.log();
    if log[before..] == sim.words(control) { Ok(()) } else { Err(format!("the host was told {:?}", &log[before..])) }
}

fn kept(sim: &OurSim, flags: BootFlags) -> Checked {
    let got = sim.machine().boot_flags();
    let same = got.valid && (got.device, got.efi, got.persistent) == (flags.device, flags.efi, flags.persistent);
    if same { Ok(()) } else { Err(format!("the BMC keeps {got:?}")) }
}

fn untouched(sim: &OurSim, before: usize) -> Checked {
    let log = sim.log();
    if log.len() == before { Ok(()) } else { Err(format!("the host was told {:?}", &log[before..])) }
}

/// A cartridge was switched on, and the BMC's own host was not.
async fn cartridge_on(sim: &OurSim, row: Row, before: usize) -> Checked {
    let cartridge = sim.cartridge(row).ok_or("no cartridge")?;
    for _ in 0..200 {
        if cartridge.power() == Power::On {
            return untouched(sim, before);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err("the cartridge is off".into())
}

struct Ipmitool<'a> {
    sim: &'a OurSim,
    suite: u8,
}

impl Ipmitool<'_> {
    fn arguments(&self, user: &str, password: &str, command: &str) -> Vec<String> {
        let addr = self.sim.addr();
        let line = format!("-I lanplus -H {} -p {} -N 3 -R 3 -C {} -U {user} -P {password} {command}", addr.ip(), addr.port(), self.suite);
        line.split(' ').map(str::to_owned).collect()
    }

    async fn call(&self, user: &str, password: &str, command: &str) -> Result<Said, String> {
        let arguments = self.arguments(user, password, command);
        run("ipmitool", &arguments.iter().map(String::as_str).collect::<Vec<_>>()).await
    }

    async fn admin(&self, command: &str) -> Result<Said, String> {
        self.call("admin", PASSWORD, command).await
    }

    async fn check(&self, row: Row) -> Checked {
        let sim = self.sim;
        match row {
            Row::Session => {
                for on in [false, true] {
                    sim.host.switch(on);
                    let state = format!("Chassis Power is {}", if on { "on" } else { "off" });
                    self.admin("power status").await?.must_contain(&state)?;
                }
                let open = sim.machine().sessions();
                if open.is_empty() { Ok(()) } else { Err(format!("left open: {open:?}")) }
            }
            Row::Power(control) => {
                let command = format!("power {}", table::power(control));
                told(sim, control, async || self.admin(&command).await).await
            }
            Row::Boot(flags) => {
                let options: Vec<_> =
                    [(flags.efi, "efiboot"), (flags.persistent, "persistent")].into_iter().filter(|(on, _)| *on).collect();
                let options: Vec<_> = options.into_iter().map(|(_, name)| name).collect();
                let options = if options.is_empty() { String::new() } else { format!(" options={}", options.join(",")) };
                self.admin(&format!("chassis bootdev {}{options}", table::boot(flags.device))).await?.must_succeed()?;
                kept(sim, flags)
            }
            Row::Sol => {
                sim.host.switch(true);
                let arguments = self.arguments("admin", PASSWORD, "sol activate");
                let mut console = Terminal::start("ipmitool", &arguments.iter().map(String::as_str).collect::<Vec<_>>())?;
                console.expect("SOL Session operational").await?;
                console.send("matrix\r").await?;
                console.expect(&answer("matrix")).await?;
                console.send("~.").await?;
                console.end().await
            }
            Row::SingleBridge | Row::DoubleBridge => {
                let route = if row == Row::SingleBridge { "-b 0 -t 0x30" } else { "-B 0 -T 0x82 -b 7 -t 0x72" };
                let before = sim.log().len();
                self.admin(&format!("{route} power on")).await?.must_contain("Up/On")?;
                cartridge_on(sim, row, before).await?;
                self.admin(&format!("{route} power status")).await?.must_contain("Chassis Power is on")
            }
            Row::WrongUser => self.call("nobody", PASSWORD, "-v power status").await?.must_refuse("unauthorized name"),
            Row::WrongPassword => self.call("admin", "wrong", "power status").await?.must_refuse("Unable to establish"),
            Row::LowPrivilege => {
                sim.host.switch(false);
                let before = sim.log().len();
                self.call("user", PASSWORD, "-v power status").await?.must_refuse("unauthorized role requested")?;
                self.call("user", PASSWORD, "-L USER power status").await?.must_contain("Chassis Power is off")?;
                self.call("user", PASSWORD, "-L USER power on").await?.must_refuse("Insufficient privilege level")?;
                untouched(sim, before)
            }
        }
    }
}

/// FreeIPMI's programs, all called alike.
struct FreeIpmi<'a> {
    sim: &'a OurSim,
    program: &'a str,
}

impl FreeIpmi<'_> {
    async fn call(&self, suite: &str, user: &str, password: &str, words: &[&str]) -> Result<Said, String> {
        let host = self.sim.addr().to_string();
        let mut arguments = vec!["-D", "LAN_2_0", "-I", suite, "-h", &host, "-u", user, "-p", password];
        arguments.extend(words);
        run(self.program, &arguments).await
    }

    async fn admin(&self, suite: &str, words: &[&str]) -> Result<Said, String> {
        self.call(suite, "admin", PASSWORD, words).await
    }
}

async fn ipmiconsole(sim: &OurSim, row: Row) -> Checked {
    // it knows no other port than 623
    let host = sim.addr().ip().to_string();
    sim.host.switch(true);
    for suite in FREEIPMI_SUITES {
        let start = |user, password| Terminal::start("ipmiconsole", &["-h", &host, "-u", user, "-p", password, "-I", suite]);
        match row {
            Row::Session => {
                let mut console = start("admin", PASSWORD)?;
                console.expect("[SOL established]").await?;
                console.send("&.").await?;
                console.expect("[closing the connection]").await?;
                console.end().await?;
            }
            Row::Sol => {
                let mut console = start("admin", PASSWORD)?;
                console.expect("[SOL established]").await?;
                console.send("matrix\r").await?;
                console.expect(&answer("matrix")).await?;
                console.send("&.").await?;
                console.expect("[closing the connection]").await?;
                console.end().await?;
            }
            Row::WrongUser => refuses(start("nobody", PASSWORD)?, "username invalid").await?,
            Row::WrongPassword => refuses(start("admin", "wrong")?, "password invalid").await?,
            Row::LowPrivilege => refuses(start("user", PASSWORD)?, "privilege level").await?,
            _ => return Err("not written".into()),
        }
    }
    Ok(())
}

async fn refuses(mut console: Terminal, words: &str) -> Checked {
    console.expect(words).await?;
    console.end().await
}

async fn pyghmi(sim: &OurSim, row: Row) -> Checked {
    let (host, port, python) = (sim.addr().ip().to_string(), sim.addr().port().to_string(), python()?);
    let call = async |user: &str, password: &str, words: &[&str]| {
        let mut arguments = vec!["-c", include_str!("client.py"), &host, &port, user, password];
        arguments.extend(words);
        run(&python, &arguments).await
    };
    let admin = async |words: &[&str]| call("admin", PASSWORD, words).await;
    match row {
        Row::Session => {
            sim.host.switch(true);
            admin(&["status"]).await?.must_contain("on")?;
            sim.host.switch(false);
            admin(&["status"]).await?.must_contain("off")
        }
        Row::Power(control) => {
            let words: &[&str] = match control {
                ChassisControl::PowerUp => &["power", "on"],
                ChassisControl::PowerDown => &["power", "off"],
                ChassisControl::PowerCycle => &["cycle"],
                ChassisControl::HardReset => &["power", "reset"],
                _ => &["power", "softoff"],
            };
            told(sim, control, async || admin(words).await).await
        }
        Row::Boot(flags) => {
            let device = match flags.device {
                BootDevice::Pxe => "network",
                BootDevice::Disk => "hd",
                _ => "setup",
            };
            let bit = |on| if on { "1" } else { "0" };
            admin(&["boot", device, bit(flags.persistent), bit(flags.efi)]).await?.must_contain("bootdev")?;
            kept(sim, flags)
        }
        Row::Sol => {
            sim.host.switch(true);
            admin(&["sol", "matrix", "you typed matrix"]).await?.must_contain("you typed matrix")
        }
        Row::SingleBridge => {
            let before = sim.log().len();
            admin(&["bridge", "0x30"]).await?.must_succeed()?;
            cartridge_on(sim, row, before).await
        }
        Row::WrongUser => fails(&call("nobody", PASSWORD, &["status"]).await?),
        Row::WrongPassword => fails(&call("admin", "wrong", &["status"]).await?),
        Row::LowPrivilege => {
            sim.host.switch(false);
            let before = sim.log().len();
            fails(&call("user", PASSWORD, &["power", "on"]).await?)?;
            untouched(sim, before)
        }
        Row::DoubleBridge => Err("not written".into()),
    }
}

/// With a reason, not by a mistake in the script.
fn fails(said: &Said) -> Checked {
    if !said.success && said.text.contains("pyghmi.exceptions") { Ok(()) } else { Err(format!("{said:?}")) }
}
