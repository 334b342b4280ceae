//! The way out: the program `ipmitool`, started for every command.
//!
//! The password goes by the environment, which only we and root can read; a command line is everybody's.

mod console;
mod escape;

use std::{ffi::OsString, io, path::PathBuf, process::Stdio, time::Duration};

use app::api::{BmcPrivilege, BmcQuirk, BmcType, Cartridge, Fru, PowerState, SelEntry, Sensor};
use async_trait::async_trait;
use tokio::{process::Command, time::timeout};
use zeroize::Zeroizing;

use super::{Bmc, BmcError, BmcTarget, BootDevice, Console, PowerControl, moonshot};

/// A command that takes longer is killed. `ipmitool` itself gives up on a silent BMC after [`RETRIES`] times [`WAIT`] seconds.
const LONGEST: Duration = Duration::from_secs(30);
/// Seconds it waits for an answer before it asks again.
const WAIT: &str = "2";
const RETRIES: &str = "3";
/// Tries to take a console over: another program may reconnect between two commands.
const TAKE_OVERS: u32 = 3;

pub(super) struct Ipmitool {
    name: String,
    program: PathBuf,
    /// Everything before the command.
    options: Vec<OsString>,
    password: Zeroizing<String>,
    /// The BMC's own key; empty: none.
    key: Zeroizing<String>,
    restart: &'static str,
}

/// How a command ended.
struct Outcome {
    success: bool,
    output: String,
    complaint: String,
}

impl Ipmitool {
    /// # Errors
    /// [`BmcError::NotAsked`] when the target does not say which machine it means.
    pub(super) fn new(target: &BmcTarget, program: PathBuf) -> Result<Self, BmcError> {
        let mut options: Vec<String> = ["-I", "lanplus", "-E", "-N", WAIT, "-R", RETRIES].map(Into::into).into();
        options.extend(["-H".into(), target.address.ip().to_string(), "-p".into(), target.address.port().to_string()]);
        if !target.username.is_empty() {
            options.extend(["-U".into(), target.username.clone()]);
        }
        // without it `ipmitool` asks the BMC which it has, and takes the best of 17 and 3
        let asking_hurts = target.quirks.contains(&BmcQuirk::NoList).then_some(3);
        if let Some(suite) = target.floor.or(asking_hurts) {
            options.extend(["-C".into(), suite.to_string()]);
        }
        match target.privilege {
            // what it asks for by itself
            BmcPrivilege::Admin => {}
            BmcPrivilege::Operator => options.extend(["-L".into(), "OPERATOR".into()]),
            BmcPrivilege::User => options.extend(["-L".into(), "USER".into()]),
        }
        // the other quirks it has no word for
        if let Some(quirk) = target.quirks.iter().find(|quirk| matches!(quirk, BmcQuirk::IntelPlus | BmcQuirk::I82571Spt)) {
            options.extend(["-o".into(), quirk.word().into()]);
        }
        if target.key.starts_with("0x") {
            let text = "ipmitool takes a hexadecimal key only on its command line, for everybody to see: give the key as text, or set the BMC's backend to native";
            return Err(BmcError::NotAsked(format!("{}: {text}", target.name)));
        }
        if !target.key.is_empty() {
            options.push("-K".into());
        }
        let restart = match target.kind {
            BmcType::Plain => "reset",
            BmcType::Moonshot => {
                let cartridge = Cartridge::parse(&target.info).map_err(|text| BmcError::NotAsked(format!("{}: {text}", target.name)))?;
                options.extend(moonshot::options(cartridge));
                // cartridges know no reset
                "cycle"
            }
        };
        Ok(Self {
            name: target.name.clone(),
            program,
            options: options.into_iter().map(Into::into).collect(),
            password: target.password.clone(),
            key: target.key.clone(),
            restart,
        })
    }

    /// `ipmitool` with this command, killed when dropped.
    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.options).args(words).env("IPMI_PASSWORD", self.password.as_str()).env_remove("IPMITOOL_PASSWORD");
        if !self.key.is_empty() {
            command.env("IPMI_KGKEY", self.key.as_str());
        }
        // its words are read: they must not be translated
        command.env("LC_ALL", "C").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    async fn run(&self, words: &[&str]) -> Result<Outcome, BmcError> {
        // only when talkative it says why a session was refused
        let talkative: Vec<&str> = std::iter::once("-v").chain(words.iter().copied()).collect();
        let mut command = self.command(&talkative);
        let output = match timeout(LONGEST, command.output()).await {
            Err(_) => return Err(BmcError::Unreachable(self.told(words, &format!("no end after {} s", LONGEST.as_secs())))),
            Ok(Err(error)) => return Err(self.not_started(&error)),
            Ok(Ok(output)) => output,
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(Outcome { success: output.status.success(), output: text(&output.stdout), complaint: text(&output.stderr) })
    }

    /// Runs a command that must succeed; answers what it printed.
    async fn must(&self, words: &[&str]) -> Result<String, BmcError> {
        let outcome = self.run(words).await?;
        if outcome.success { Ok(outcome.output) } else { Err(self.failure(words, &outcome.complaint)) }
    }

    fn not_started(&self, error: &io::Error) -> BmcError {
        let program = self.program.display();
        BmcError::NotAsked(match error.kind() {
            io::ErrorKind::NotFound => format!(
                "{}: the program {program} is not there: install ipmitool on the server, say where it is (ipmi.ipmitool), or set the BMC's backend to native",
                self.name
            ),
            _ => format!("{}: {program} cannot be started: {error}", self.name),
        })
    }

    /// What a failed command means, from its own words.
    fn failure(&self, words: &[&str], complaint: &str) -> BmcError {
        let said = essence(complaint);
        let no_session = complaint.contains("Unable to establish IPMI");
        let text = self.told(words, &said);
        if complaint.contains("Get Auth Capabilities error") || complaint.contains("Address lookup for") {
            BmcError::Unreachable(format!("{text}; check address, cable, and that IPMI over LAN is enabled"))
        } else if no_session && (complaint.contains("unauthorized name") || complaint.contains("HMAC is invalid")) {
            BmcError::Refused(format!("{text}; check user name and password"))
        } else if no_session {
            BmcError::Refused(text)
        } else {
            BmcError::Failed(text)
        }
    }

    fn told(&self, words: &[&str], said: &str) -> String {
        let text = format!("{}: ipmitool {}: {said}", self.name, words.join(" "));
        // it never repeats a secret, but nobody promised that
        [&self.password, &self.key]
            .into_iter()
            .filter(|secret| secret.len() > 3)
            .fold(text, |text, secret| text.replace(secret.as_str(), "…"))
    }
}

/// Power, boot device and console are what a machine cannot be used without; this is not.
fn not_read<T>(name: &str) -> Result<T, BmcError> {
    Err(BmcError::Failed(format!("{name}: hardware information is not read by ipmitool: set the BMC's backend to native")))
}

/// What of the complaint is worth telling: without what it says always, and without what it says when all is well.
fn essence(complaint: &str) -> String {
    let noise = |line: &str| {
        line.is_empty() || line.starts_with("Loading IANA") || line.starts_with("Using best available") || line.starts_with("tcgetattr")
    };
    let lines: Vec<&str> = complaint.lines().map(|line| line.trim().trim_start_matches("> ")).filter(|line| !noise(line)).collect();
    if lines.is_empty() { "failed without a word".into() } else { lines.join("; ") }
}

#[async_trait]
impl Bmc for Ipmitool {
    async fn power(&self) -> Result<PowerState, BmcError> {
        let words = ["chassis", "power", "status"];
        let said = self.must(&words).await?;
        match said.lines().find_map(|line| line.trim().strip_prefix("Chassis Power is ")) {
            Some("on") => Ok(PowerState::On),
            Some("off") => Ok(PowerState::Off),
            _ => Err(BmcError::Failed(self.told(&words, &format!("not understood: {}", said.trim())))),
        }
    }

    async fn control(&self, control: PowerControl) -> Result<(), BmcError> {
        let word = match control {
            PowerControl::On => "on",
            PowerControl::Off => "off",
            PowerControl::Reset => self.restart,
        };
        self.must(&["chassis", "power", word]).await.map(drop)
    }

    async fn set_boot_device(&self, device: BootDevice, efi: bool, persistent: bool) -> Result<(), BmcError> {
        let options = match (efi, persistent) {
            (false, false) => None,
            (true, false) => Some("options=efiboot"),
            (false, true) => Some("options=persistent"),
            (true, true) => Some("options=efiboot,persistent"),
        };
        let mut words = vec!["chassis", "bootdev", device.word()];
        words.extend(options);
        self.must(&words).await.map(drop)
    }

    async fn open_console(&self, take_over: bool) -> Result<Console, BmcError> {
        let mut left = if take_over { TAKE_OVERS } else { 0 };
        loop {
            if left > 0 {
                // inactive already: all the better
                let outcome = self.run(&["sol", "deactivate"]).await?;
                if !outcome.success && !outcome.complaint.contains("already de-activated") {
                    return Err(self.failure(&["sol", "deactivate"], &outcome.complaint));
                }
                left -= 1;
            }
            match console::open(self).await {
                // whoever held it was back before this program had started again
                Err(BmcError::ConsoleBusy(_)) if left > 0 => {}
                opened => return opened,
            }
        }
    }

    async fn fru(&self) -> Result<Fru, BmcError> {
        not_read(&self.name)
    }

    async fn sensors(&self) -> Result<Vec<Sensor>, BmcError> {
        not_read(&self.name)
    }

    async fn sel(&self) -> Result<Vec<SelEntry>, BmcError> {
        not_read(&self.name)
    }

    /// It does not say which it took.
    fn suite(&self) -> Option<u8> {
        None
    }
}

#[cfg(test)]
mod tests {
    use app::api::BmcBackend;

    use super::*;

    fn target(kind: BmcType) -> BmcTarget {
        BmcTarget {
            id: 1,
            name: "b1".into(),
            address: ([127, 0, 0, 1], 623).into(),
            kind,
            backend: BmcBackend::Ipmitool,
            quirks: Vec::new(),
            username: "lab".into(),
            password: "secret-7".to_owned().into(),
            privilege: BmcPrivilege::Admin,
            key: String::new().into(),
            info: "3".into(),
            floor: Some(17),
        }
    }

    #[test]
    fn the_password_is_in_the_environment_and_nowhere_else() {
        let tool = Ipmitool::new(&target(BmcType::Moonshot), "ipmitool".into()).unwrap();
        let command = tool.command(&["sol", "activate"]);
        let line: Vec<_> = command.as_std().get_args().map(|word| word.to_string_lossy()).collect();
        assert_eq!(line.join(" "), "-I lanplus -E -N 2 -R 3 -H 127.0.0.1 -p 623 -U lab -C 17 -B 0 -T 134 -b 7 -t 114 sol activate");
        let password = command.as_std().get_envs().find(|(name, _)| *name == "IPMI_PASSWORD");
        assert_eq!(password.unwrap().1.unwrap(), "secret-7");
        assert!(!tool.told(&["x"], "secret-7 is wrong").contains("secret-7"));
    }

    #[test]
    fn what_a_bmc_needs_besides_is_said_in_its_words() {
        let quirky = BmcTarget {
            quirks: vec![BmcQuirk::NoList, BmcQuirk::IntelPlus],
            privilege: BmcPrivilege::Operator,
            key: "bmc-key-8".to_owned().into(),
            floor: None,
            ..target(BmcType::Plain)
        };
        let tool = Ipmitool::new(&quirky, "ipmitool".into()).unwrap();
        let command = tool.command(&["fru"]);
        let line: Vec<_> = command.as_std().get_args().map(|word| word.to_string_lossy()).collect();
        assert!(line.join(" ").ends_with("-U lab -C 3 -L OPERATOR -o intelplus -K fru"), "{line:?}");
        let key = command.as_std().get_envs().find(|(name, _)| *name == "IPMI_KGKEY");
        assert_eq!(key.unwrap().1.unwrap(), "bmc-key-8");
        let hexadecimal = BmcTarget { key: "0x00ff".to_owned().into(), ..target(BmcType::Plain) };
        assert!(matches!(Ipmitool::new(&hexadecimal, "ipmitool".into()).err(), Some(BmcError::NotAsked(_))));
    }

    #[test]
    fn its_complaints_are_understood() {
        let tool = Ipmitool::new(&target(BmcType::Plain), "ipmitool".into()).unwrap();
        let end = "Error: Unable to establish IPMI v2 / RMCP+ session\n";
        let start = "Loading IANA PEN Registry...\nUsing best available cipher suite 17\n\n";
        let failure = |complaint: &str| tool.failure(&["power", "status"], complaint);
        let refused = failure(&format!("{start}> RAKP 2 HMAC is invalid\n{end}"));
        let told = "b1: ipmitool power status: RAKP 2 HMAC is invalid; Error: Unable to establish IPMI v2 / RMCP+ session; check user name and password";
        assert_eq!(refused, BmcError::Refused(told.into()));
        assert!(matches!(failure(&format!("Get Auth Capabilities error\n{end}")), BmcError::Unreachable(_)));
        assert!(matches!(
            failure("Set Chassis Power Control to Reset failed: Command not supported in present state\n"),
            BmcError::Failed(_)
        ));
    }
}
