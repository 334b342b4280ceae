//! A pretend installer: fetches the answers it is pointed at, shows them, installs, and ends as they say.

use tokio::time::sleep;

use super::{
    super::{
        console::{Console, Line},
        net::{FetchError, Fetched, Location, tftp::Options},
        pretend::{Body, Ending, InstalledOs, Phase},
    },
    cmdline,
};

/// How each installer's parameter is called: Debian (`url`, `preseed/url`), Anaconda, AutoYaST.
const ANSWERS: [&str; 6] = ["url", "preseed/url", "ks", "inst.ks", "autoyast", "autoyast2"];
const ANSWERS_SIZE: usize = 256 * 1024;
/// Lines of the answers shown on the console.
const SHOWN: usize = 12;

/// What the machine does when the installation is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Reboot,
    PowerOff,
    Halt,
}

pub(super) async fn run(body: &Body, console: &mut Console, line: &str) -> Ending {
    body.set_phase(Phase::Installing);
    console.print(&format!("\nPretend installer (bmc-sim) for {}, NIC {} at {}\n", body.spec.name, body.spec.mac, body.address())).await;
    let answers = match cmdline::value(line, &ANSWERS) {
        Some(url) => match fetch_answers(body, console, &url).await {
            Ok(fetched) => Some(fetched.text()),
            Err(ending) => return ending,
        },
        None => {
            console.print("No answers were given (url=, ks= or autoyast=): somebody has to decide.\n").await;
            if let Err(ending) = menu(console).await {
                return ending;
            }
            None
        }
    };
    let answers = answers.unwrap_or_default();
    install(body, console).await;
    let hostname = hostname(line, &answers).unwrap_or_else(|| body.spec.name.clone());
    body.install(Some(InstalledOs { hostname }));
    match then(line, &answers) {
        Then::Reboot => {
            console.print("Installation complete. Restarting.\nreboot: Restarting system\n").await;
            Ending::Reset
        }
        Then::PowerOff => {
            console.print("Installation complete. Powering off.\nreboot: Power down\n").await;
            Ending::PowerOff
        }
        Then::Halt => {
            console.print("Installation complete.\nreboot: System halted\n").await;
            std::future::pending().await
        }
    }
}

/// Fetches the answers until they come or the person at the console gives up.
async fn fetch_answers(body: &Body, console: &mut Console, url: &str) -> Result<Fetched, Ending> {
    loop {
        console.print(&format!("Retrieving {url}\n")).await;
        let location = match url.strip_prefix("tftp://").and_then(|rest| rest.split_once('/')) {
            Some((_, path)) => Location::Tftp(format!("/{path}")),
            None => Location::Url(url.to_owned()),
        };
        match body.spec.net.fetch(&location, &Options::default(), ANSWERS_SIZE).await {
            Ok(fetched) => {
                console.print(&format!("Retrieved: {}\n", fetched.measure())).await;
                let text = fetched.text();
                for line in text.lines().take(SHOWN) {
                    console.print(&format!("  | {line}\n")).await;
                }
                let more = text.lines().count().saturating_sub(SHOWN);
                if more > 0 {
                    console.print(&format!("  | ... and {more} lines more\n")).await;
                }
                return Ok(fetched);
            }
            Err(error) => console.print(&format!("{}\n", wget_words(&error))).await,
        }
        console.print("\n[!!] Failed to retrieve the preconfiguration file\nThe file needed for preconfiguration could not be retrieved.\n  1: Retry [*default*]\n  2: Continue without it\n  3: Reboot\nPrompt: default=1> ").await;
        match console.line(true).await {
            Line::Text(choice) if choice.trim() == "2" => {
                let nothing = Fetched { bytes: 0, took: std::time::Duration::ZERO, head: Vec::new(), announced: None };
                return Ok(nothing);
            }
            Line::Text(choice) if choice.trim() == "3" => return Err(Ending::Reset),
            _ => {}
        }
    }
}

/// Busybox wget's message for an error, which is what Debian's installer shows.
fn wget_words(error: &FetchError) -> String {
    match error {
        FetchError::Timeout => "wget: download timed out".into(),
        FetchError::Http { status, reason } => format!("wget: server returned error: HTTP/1.1 {status} {reason}"),
        FetchError::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            "wget: can't connect to remote host: Connection refused".into()
        }
        FetchError::Url(reason) => format!("wget: bad address: {reason}"),
        other => format!("wget: {other}"),
    }
}

async fn menu(console: &mut Console) -> Result<(), Ending> {
    loop {
        console
            .print("\nInstaller main menu\n  1: Install with defaults [*default*]\n  2: Reboot\n  3: Power off\nPrompt: default=1> ")
            .await;
        match console.line(true).await {
            Line::Text(choice) => match choice.trim() {
                "" | "1" => return Ok(()),
                "2" => return Err(Ending::Reset),
                "3" => return Err(Ending::PowerOff),
                _ => console.print("1, 2 or 3, please.\n").await,
            },
            Line::Interrupt | Line::Eof | Line::Break => {}
        }
    }
}

/// The visible part of an installation.
async fn install(body: &Body, console: &Console) {
    const STEPS: [&str; 6] = [
        "Detecting disks: sda 40.0 GB",
        "Partitioning sda: sda1 ext4, sda2 swap",
        "Installing the base system",
        "Configuring packages",
        "Installing the boot loader on sda",
        "Finishing the installation",
    ];
    let step = body.spec.timing.install / 20;
    for (i, name) in STEPS.iter().enumerate() {
        console.print(&format!("[{}/{}] {name} ", i + 1, STEPS.len())).await;
        // the base system takes most of the time
        let ticks = if i == 2 { 10 } else { 2 };
        for tick in 1..=ticks {
            sleep(step).await;
            let mark = if i == 2 { format!("{}% ", tick * 10) } else { ".".into() };
            console.print(&mark).await;
        }
        console.print("done\n").await;
    }
}

/// How the run ends: `action=` on the kernel's command line, else what the answers say, else a reboot.
fn then(line: &str, answers: &str) -> Then {
    let by_word = |word: &str| match word {
        "poweroff" | "shutdown" => Some(Then::PowerOff),
        "halt" => Some(Then::Halt),
        "reboot" => Some(Then::Reboot),
        _ => None,
    };
    if let Some(then) = cmdline::value(line, &["action"]).and_then(|word| by_word(&word)) {
        return then;
    }
    for answer in answers.lines().map(str::trim) {
        let words: Vec<&str> = answer.split_whitespace().collect();
        match words.as_slice() {
            ["d-i", "debian-installer/exit/poweroff", "boolean", "true"] => return Then::PowerOff,
            ["d-i", "debian-installer/exit/halt", "boolean", "true"] => return Then::Halt,
            [word, ..] if by_word(word).is_some() => return by_word(word).unwrap_or(Then::Reboot),
            [only] if only.starts_with("<halt") && only.contains(">true<") => return Then::PowerOff,
            [first, second] if *first == "<halt" && second.contains(">true<") => return Then::PowerOff,
            _ => {}
        }
    }
    Then::Reboot
}

/// The host name the answers or the command line give.
fn hostname(line: &str, answers: &str) -> Option<String> {
    let plain = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.'));
    let in_answers = answers.lines().find_map(|answer| {
        let words: Vec<&str> = answer.split_whitespace().collect();
        match words.as_slice() {
            ["d-i", "netcfg/get_hostname" | "netcfg/hostname", "string", name] => Some((*name).to_owned()),
            ["network", rest @ ..] => rest.iter().find_map(|word| word.strip_prefix("--hostname=")).map(str::to_owned),
            _ => None,
        }
    });
    in_answers.or_else(|| cmdline::value(line, &["hostname", "netcfg/get_hostname"])).filter(|name| plain(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings() {
        assert_eq!(then("a action=poweroff", "reboot\n"), Then::PowerOff);
        assert_eq!(then("", "d-i debian-installer/exit/poweroff boolean true\n"), Then::PowerOff);
        assert_eq!(then("", "d-i debian-installer/exit/poweroff boolean false\n"), Then::Reboot);
        assert_eq!(then("", "install\npoweroff\n"), Then::PowerOff);
        assert_eq!(then("", "  <halt config:type=\"boolean\">true</halt>"), Then::PowerOff);
        assert_eq!(then("", "halt"), Then::Halt);
        assert_eq!(then("", ""), Then::Reboot);
    }

    #[test]
    fn host_names() {
        assert_eq!(hostname("", "d-i netcfg/get_hostname string web-1").as_deref(), Some("web-1"));
        assert_eq!(hostname("", "network --bootproto=dhcp --hostname=db.example").as_deref(), Some("db.example"));
        assert_eq!(hostname("hostname=x", "").as_deref(), Some("x"));
        assert_eq!(hostname("", "d-i netcfg/get_hostname string a;b"), None);
    }
}
