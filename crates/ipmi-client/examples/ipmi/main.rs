//! A small `ipmitool` on this crate, for debugging:
//! `IPMI_PASSWORD=… ipmi -H 127.0.0.1 -p 623 -U admin power status`.

mod inventory;

use std::io::{IsTerminal, Read, Write};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use ipmi_client::{
    BootDevice, BootFlags, ChassisControl, Client, Hop, NetFn, Privilege, Quirks, Route, Secret, SolEvent, SolOptions, SuitePolicy, Target,
};
use tokio::sync::mpsc;

const USAGE: &str = "usage: ipmi -H ADDRESS [-p PORT] [-U USER] [-L user|operator|admin] [-C 3|17 (least suite)] [-q QUIRKS] COMMAND
  password: environment variable IPMI_PASSWORD; BMC key: IPMI_KG
  power status|on|off|cycle|reset|soft|diag
  bootdev none|pxe|disk|safe|diag|cdrom|bios|floppy [--efi] [--persistent]   bootdev (shows it)
  info                       identity and suite
  identify SECONDS|on|off    the locator light
  fru [DEVICE]               inventory
  sel [clear]                event log, times in UTC
  sensors
  raw NETFN CMD [DATA…]      hexadecimal or decimal, as ipmitool raw
  sol [--take-over]          Ctrl-] ends, Ctrl-\\ sends a break
  sol deactivate
  bridge with -b CHANNEL -t TARGET, and -B CHANNEL -T TRANSIT for two hops (all but info)";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_max_level(level()).init();
    match run(std::env::args().skip(1).collect()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn level() -> tracing::Level {
    if std::env::var_os("IPMI_DEBUG").is_some() { tracing::Level::DEBUG } else { tracing::Level::WARN }
}

#[derive(Default)]
struct Options {
    host: Option<String>,
    port: u16,
    user: String,
    privilege: Option<Privilege>,
    policy: SuitePolicy,
    quirks: Quirks,
    hops: [Option<u8>; 4],
    words: Vec<String>,
}

fn parse(args: Vec<String>) -> Result<Options, String> {
    let mut o = Options { port: 623, ..Options::default() };
    let mut args = args.into_iter();
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or(format!("{arg} needs a value\n{USAGE}"));
        match arg.as_str() {
            "-H" => o.host = Some(value()?),
            "-p" => o.port = value()?.parse().map_err(|e| format!("port: {e}"))?,
            "-U" => o.user = value()?,
            "-q" => o.quirks = value()?.parse()?,
            "-L" => {
                o.privilege = Some(match value()?.to_lowercase().as_str() {
                    "user" => Privilege::User,
                    "operator" => Privilege::Operator,
                    "admin" | "administrator" => Privilege::Administrator,
                    other => return Err(format!("unknown privilege level {other}")),
                });
            }
            "-C" => {
                let id = number(&value()?)?;
                o.policy.at_least = ipmi_client::CipherSuite::from_id(id).ok_or("only suites 3 and 17")?;
            }
            "-B" => o.hops[0] = Some(number(&value()?)?),
            "-T" => o.hops[1] = Some(number(&value()?)?),
            "-b" => o.hops[2] = Some(number(&value()?)?),
            "-t" => o.hops[3] = Some(number(&value()?)?),
            _ => o.words.push(arg),
        }
    }
    Ok(o)
}

fn number(text: &str) -> Result<u8, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(hex) => u8::from_str_radix(hex, 16),
        None => text.parse(),
    };
    parsed.map_err(|e| format!("{text}: {e}"))
}

async fn run(args: Vec<String>) -> Result<(), String> {
    let o = parse(args)?;
    let host = o.host.ok_or(USAGE)?;
    let mut found = tokio::net::lookup_host((host.as_str(), o.port)).await.map_err(|e| format!("{host}: {e}"))?;
    let addr = found.next().ok_or(format!("{host}: no address"))?;
    let password = std::env::var("IPMI_PASSWORD").map_err(|_| "set the password in IPMI_PASSWORD")?;
    let mut target = Target::new(addr, o.user, Secret::new(password));
    target.kg = std::env::var("IPMI_KG").ok().map(Secret::new);
    target.privilege = o.privilege.unwrap_or(Privilege::Administrator);
    target.suites = o.policy;
    target.quirks = o.quirks;
    let [transit_channel, transit, channel, address] = o.hops;
    let route = match (transit, address) {
        (None, None) => Route::Direct,
        (None, Some(address)) => Route::Single(Hop { channel: channel.unwrap_or(0), address }),
        (Some(transit), Some(address)) => Route::Double {
            transit: Hop { channel: transit_channel.unwrap_or(0), address: transit },
            target: Hop { channel: channel.unwrap_or(0), address },
        },
        (Some(_), None) => return Err("-T needs -t".into()),
    };
    let client = Client::new(target);
    let words: Vec<&str> = o.words.iter().map(String::as_str).collect();
    let result = command(&client, route, &words).await;
    client.close().await;
    result
}

async fn command(client: &Client, route: Route, words: &[&str]) -> Result<(), String> {
    let told = |e: ipmi_client::Error| e.to_string();
    match words {
        ["power", "status"] => {
            let status = client.command(route, &ipmi_wire::command::GetChassisStatus).await.map_err(told)?;
            println!("Chassis Power is {}", if status.power_on() { "on" } else { "off" });
        }
        ["power", what] => {
            let control = match *what {
                "on" => ChassisControl::PowerUp,
                "off" => ChassisControl::PowerDown,
                "cycle" => ChassisControl::PowerCycle,
                "reset" => ChassisControl::HardReset,
                "soft" => ChassisControl::SoftShutdown,
                "diag" => ChassisControl::DiagnosticInterrupt,
                _ => return Err(USAGE.into()),
            };
            client.command(route, &control).await.map_err(told)?;
            println!("Chassis Power Control: {what}");
        }
        ["bootdev"] => println!("{:?}", client.boot_flags_via(route).await.map_err(told)?),
        ["bootdev", device, options @ ..] => {
            let device = match *device {
                "none" => BootDevice::None,
                "pxe" => BootDevice::Pxe,
                "disk" => BootDevice::Disk,
                "safe" => BootDevice::DiskSafeMode,
                "diag" => BootDevice::Diagnostics,
                "cdrom" => BootDevice::Cdrom,
                "bios" => BootDevice::Bios,
                "floppy" => BootDevice::Floppy,
                _ => return Err(USAGE.into()),
            };
            let flags = BootFlags { device, efi: options.contains(&"--efi"), persistent: options.contains(&"--persistent") };
            client.set_boot_flags_via(route, flags).await.map_err(told)?;
            println!("{flags:?}");
        }
        ["info"] => {
            let id = client.device_id().await.map_err(told)?;
            println!("{id:?}\nfirmware {}, suite {:?}", id.firmware(), client.strongest_suite());
        }
        ["identify", time] => {
            let time = match *time {
                "on" => None,
                "off" => Some(Duration::ZERO),
                seconds => Some(Duration::from_secs(number(seconds)?.into())),
            };
            client.identify_via(route, time).await.map_err(told)?;
        }
        ["fru", device @ ..] => {
            let device = device.first().map_or(Ok(0), |text| number(text))?;
            show(&inventory::fru(&client.fru_via(route, device).await.map_err(told)?))?;
        }
        ["sel"] => show(&inventory::log(&client.sel_via(route).await.map_err(told)?))?,
        ["sel", "clear"] => client.clear_sel_via(route).await.map_err(told)?,
        ["sensors"] => show(&inventory::sensors(&client.sensors_via(route).await.map_err(told)?))?,
        ["raw", net_fn, cmd, data @ ..] => {
            let data = data.iter().map(|text| number(text)).collect::<Result<Vec<u8>, _>>()?;
            let answer = client.request_via(route, NetFn::new(number(net_fn)?), 0, number(cmd)?, &data).await.map_err(told)?;
            println!("{}: {:02x?}", answer.code, answer.data);
        }
        ["sol", "deactivate"] => client.deactivate_sol_via(SolOptions { route, ..SolOptions::default() }).await.map_err(told)?,
        ["sol", options @ ..] => {
            let options = SolOptions { take_over: options.contains(&"--take-over"), route, ..SolOptions::default() };
            console(client, options).await?;
        }
        _ => return Err(USAGE.into()),
    }
    Ok(())
}

/// Prints; a reader that has seen enough is no reason to panic.
fn show(text: &str) -> Result<(), String> {
    std::io::stdout().write_all(text.as_bytes()).map_err(|error| error.to_string())
}

/// Raw mode through `stty`, which every Unix has; undone when dropped.
struct RawTerminal(Option<String>);

impl RawTerminal {
    fn enter() -> Self {
        let stty = |args: &[&str]| Command::new("stty").args(args).stdin(Stdio::inherit()).output();
        if !std::io::stdin().is_terminal() {
            return Self(None);
        }
        let saved = stty(&["-g"]).ok().and_then(|o| String::from_utf8(o.stdout).ok()).map(|s| s.trim().to_owned());
        // Without raw mode the console still works, line by line.
        let _ = stty(&["raw", "-echo"]);
        Self(saved)
    }
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        if let Some(saved) = &self.0 {
            let _ = Command::new("stty").arg(saved).stdin(Stdio::inherit()).status();
        }
    }
}

/// What is typed. A plain thread, because a runtime would wait for the next key before it ends.
fn keyboard() -> mpsc::Receiver<Vec<u8>> {
    let (keys, typed) = mpsc::channel(16);
    std::thread::spawn(move || {
        let mut buffer = [0; 256];
        while let Ok(n @ 1..) = std::io::stdin().read(&mut buffer) {
            if keys.blocking_send(buffer[..n].to_vec()).is_err() {
                return;
            }
        }
    });
    typed
}

async fn console(client: &Client, options: SolOptions) -> Result<(), String> {
    let mut sol = client.open_sol(options).await.map_err(|e| e.to_string())?;
    eprintln!("[SOL active; Ctrl-] ends, Ctrl-\\ sends a break]");
    let raw = RawTerminal::enter();
    let writer = sol.writer();
    let mut typed = keyboard();
    let end = loop {
        tokio::select! {
            event = sol.recv() => match event {
                Some(SolEvent::Data(data)) => {
                    let mut out = std::io::stdout().lock();
                    out.write_all(&data).and_then(|()| out.flush()).map_err(|e| e.to_string())?;
                }
                Some(SolEvent::Closed(reason)) => break reason.to_string(),
                Some(event) => eprint!("[{event:?}]\r\n"),
                None => break "closed".to_owned(),
            },
            keys = typed.recv() => match keys.as_deref() {
                None => break "end of input".to_owned(),
                Some([0x1d, ..]) => break "ended by the user".to_owned(),
                Some([0x1c, ..]) => writer.send_break().await.map_err(|e| e.to_string())?,
                Some(keys) => writer.write(keys.to_vec().into()).await.map_err(|e| e.to_string())?,
            }
        }
    };
    drop(raw);
    eprintln!("[{end}]");
    Ok(())
}
