//! Starting labs and foreign programs.

use std::{
    net::SocketAddr,
    process::{Output, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use bmc_sim::{
    Lab, LabConfig, Machine, MachineConfig, User,
    machine::{Firmware, MacAddress, timing::Timing},
};
use ipmi_wire::Privilege;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::{Child, ChildStdin, Command},
    sync::watch,
    time::timeout,
};

pub const PASSWORD: &str = "pass-for-tests";
/// Nothing here takes so long.
pub const LIMIT: Duration = Duration::from_secs(20);

/// A port nobody answers on: nothing in these machines boots from it.
const NOWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9);

/// A quick machine with one user of every level: `user`, `operator` and `admin`.
pub fn machine(name: &str) -> MachineConfig {
    let users = vec![
        User::new("user", PASSWORD, Privilege::User),
        User::new("operator", PASSWORD, Privilege::Operator),
        User::new("admin", PASSWORD, Privilege::Administrator),
    ];
    let mut config = MachineConfig::new(name, MacAddress([0x52, 0x54, 0, 0x77, 0, 1]), Firmware::Bios, NOWHERE, users);
    config.timing = Timing::instant();
    // an installed system: these machines end at a login prompt
    config.installed = true;
    config
}

/// A lab of one machine.
pub async fn lab(config: MachineConfig) -> (Lab, Machine) {
    let lab = Lab::start(LabConfig { machines: vec![config] }).await.unwrap();
    let machine = lab.machines()[0].clone();
    (lab, machine)
}

/// Runs a program to its end. A missing program fails the test and names the Debian package that has it.
pub async fn run(package: &str, program: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    let output = timeout(LIMIT * 2, command.output()).await.unwrap_or_else(|_| panic!("{program} {arguments:?} does not end"));
    output.unwrap_or_else(|error| panic!("{program}: {error}; it is in Debian's package {package}"))
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

/// Both streams and the exit status, for messages.
pub fn all(output: &Output) -> String {
    format!("{}\n{}\n{}", output.status, String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// How to reach a BMC with ipmitool.
pub struct Ipmitool {
    arguments: Vec<String>,
}

impl Ipmitool {
    pub fn new(machine: &Machine, user: &str, password: &str, suite: u8) -> Self {
        let address = machine.bmc_addr();
        let arguments = format!("-I lanplus -H {} -p {} -R 2 -N 2 -C {suite} -U {user} -P {password}", address.ip(), address.port());
        Self { arguments: arguments.split(' ').map(str::to_owned).collect() }
    }

    pub fn admin(machine: &Machine, suite: u8) -> Self {
        Self::new(machine, "admin", PASSWORD, suite)
    }

    pub fn with(mut self, more: &[&str]) -> Self {
        self.arguments.extend(more.iter().map(|&word| word.to_owned()));
        self
    }

    fn arguments<'a>(&'a self, command: &'a str) -> Vec<&'a str> {
        self.arguments.iter().map(String::as_str).chain(command.split(' ')).collect()
    }

    pub async fn run(&self, command: &str) -> Output {
        run("ipmitool", "ipmitool", &self.arguments(command)).await
    }

    /// The output of a command that must succeed.
    pub async fn ok(&self, command: &str) -> String {
        let output = self.run(command).await;
        assert!(output.status.success(), "ipmitool {command}: {}", all(&output));
        stdout(&output)
    }

    /// The messages of a command that must fail.
    pub async fn fails(&self, command: &str) -> String {
        let output = self.run(command).await;
        assert!(!output.status.success(), "ipmitool {command}: {}", all(&output));
        all(&output)
    }

    pub fn terminal(&self, command: &str) -> Terminal {
        Terminal::start("ipmitool", &self.arguments(command))
    }
}

/// A program on a terminal of its own, as a person uses it.
pub struct Terminal {
    child: Child,
    keyboard: ChildStdin,
    screen: Arc<Mutex<Vec<u8>>>,
    changed: watch::Receiver<usize>,
}

impl Terminal {
    /// util-linux' `script` makes the terminal.
    pub fn start(program: &str, arguments: &[&str]) -> Self {
        let line = std::iter::once(program).chain(arguments.iter().copied()).map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
        // -E never: an echo of the keyboard by script itself would pass for one from the machine.
        // Raw from the beginning: ipmitool makes it so only after it has said that the session stands, and what is typed in
        // between would arrive with its returns made line feeds.
        let mut command = Command::new("script");
        command.args(["-q", "-f", "-e", "-E", "never", "-c", &format!("stty raw -echo; exec {line}"), "/dev/null"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("script: {error}; it is in Debian's package bsdutils"));
        let keyboard = child.stdin.take().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let screen = Arc::new(Mutex::new(Vec::new()));
        let (sender, changed) = watch::channel(0);
        let filled = Arc::clone(&screen);
        tokio::spawn(async move {
            let mut buffer = [0; 8192];
            while let Ok(len @ 1..) = stdout.read(&mut buffer).await {
                filled.lock().unwrap().extend_from_slice(&buffer[..len]);
                sender.send_modify(|total| *total += len);
            }
        });
        Self { child, keyboard, screen, changed }
    }

    pub fn screen(&self) -> String {
        String::from_utf8_lossy(&self.screen.lock().unwrap()).into_owned()
    }

    pub async fn send(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).await.unwrap();
        self.keyboard.flush().await.unwrap();
    }

    /// Waits until the text stands on the screen.
    pub async fn expect(&mut self, text: &str) {
        let wait = async {
            while !self.screen().contains(text) {
                if self.changed.changed().await.is_err() {
                    // the program has ended; what it wrote last is on the screen
                    return self.screen().contains(text);
                }
            }
            true
        };
        let found = timeout(LIMIT, wait).await.unwrap_or(false);
        assert!(found, "{text:?} is not on the screen:\n{}", self.screen());
    }

    /// Waits for the program's end; answers its exit status.
    pub async fn end(mut self) -> i32 {
        let status = timeout(LIMIT, self.child.wait()).await;
        let status = status.unwrap_or_else(|_| panic!("the program does not end; its screen:\n{}", self.screen()));
        status.unwrap().code().unwrap_or(-1)
    }
}
