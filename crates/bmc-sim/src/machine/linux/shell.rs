//! The installed system as seen on its serial console: a login prompt and a very small shell.

use std::{fmt::Write as _, time::Instant};

use super::{
    super::{
        console::{Console, Line},
        pretend::{Body, Ending, InstalledOs},
    },
    RELEASE, stamp, version,
};

const HELP: &str = "help         this list\nuname -a     kernel and machine\nuptime       since when it runs\ndmesg        the kernel's messages\necho WORDS   says them again\nseq N        numbers, for load\nhostname     the machine's name\nwhoami       who is logged in\nreboot       restart\npoweroff     shut down\nexit         log out\n";

/// Longest output of `seq`.
const SEQ_LIMIT: u64 = 1_000_000;

pub(super) async fn login(body: &Body, console: &mut Console, os: &InstalledOs, start: Instant, cmdline: &str) -> Ending {
    loop {
        console.print(&format!("\nDemo GNU/Linux {RELEASE} {} ttyS0\n\n", os.hostname)).await;
        let user = loop {
            console.print(&format!("{} login: ", os.hostname)).await;
            match console.line(true).await {
                Line::Text(user) if !user.trim().is_empty() => break user.trim().to_owned(),
                Line::Break => sysrq(console).await,
                _ => {}
            }
        };
        console.print("Password: ").await;
        // any password does: there is nothing to protect
        if !matches!(console.line(false).await, Line::Text(_)) {
            continue;
        }
        console.print("\nThis machine only pretends. Type \"help\" for what it can do.\n").await;
        if let Some(ending) = shell(body, console, os, &user, start, cmdline).await {
            return ending;
        }
    }
}

async fn sysrq(console: &Console) {
    console.print("\nsysrq: HELP : loglevel(0-9) reboot(b) crash(c) sync(s) unmount(u)\n").await;
}

async fn shell(body: &Body, console: &mut Console, os: &InstalledOs, user: &str, start: Instant, cmdline: &str) -> Option<Ending> {
    let sign = if user == "root" { '#' } else { '$' };
    loop {
        console.print(&format!("{user}@{}:~{sign} ", os.hostname)).await;
        let text = match console.line(true).await {
            Line::Text(text) => text,
            Line::Interrupt => continue,
            Line::Break => {
                sysrq(console).await;
                continue;
            }
            Line::Eof => return None,
        };
        let mut words = text.split_whitespace();
        let Some(command) = words.next() else { continue };
        let arguments: Vec<&str> = words.collect();
        match command {
            "help" => console.print(HELP).await,
            "uname" if arguments.contains(&"-a") => {
                let machine = body.spec.firmware.machine();
                console.print(&format!("Linux {} {RELEASE} #1 SMP PREEMPT_DYNAMIC demo {machine} GNU/Linux\n", os.hostname)).await;
            }
            "uname" if arguments.contains(&"-r") => console.print(&format!("{RELEASE}\n")).await,
            "uname" => console.print("Linux\n").await,
            "uptime" => {
                let seconds = start.elapsed().as_secs();
                console
                    .print(&format!(
                        " up {}:{:02}:{:02},  1 user,  load average: 0.00, 0.00, 0.00\n",
                        seconds / 3600,
                        seconds / 60 % 60,
                        seconds % 60
                    ))
                    .await;
            }
            "dmesg" => {
                console
                    .print(&format!(
                        "[    0.000000] {}\n[    0.000000] Command line: {cmdline}\n{}dmesg was read\n",
                        version(body),
                        stamp(start)
                    ))
                    .await;
            }
            "echo" => console.print(&format!("{}\n", arguments.join(" "))).await,
            "seq" => seq(console, &arguments).await,
            "hostname" => console.print(&format!("{}\n", os.hostname)).await,
            "whoami" => console.print(&format!("{user}\n")).await,
            "exit" | "logout" => return None,
            "reboot" => return Some(Ending::Reset),
            "poweroff" | "halt" | "shutdown" => return Some(Ending::PowerOff),
            other => console.print(&format!("-sh: {other}: command not found\n")).await,
        }
    }
}

async fn seq(console: &Console, arguments: &[&str]) {
    let Some(last) = arguments.last().and_then(|word| word.parse::<u64>().ok()).filter(|&last| last <= SEQ_LIMIT) else {
        console.print("seq: a number up to 1000000 is wanted\n").await;
        return;
    };
    let mut text = String::new();
    for i in 1..=last {
        let _ = writeln!(text, "{i}");
        if text.len() > 4000 || i == last {
            console.print(&std::mem::take(&mut text)).await;
        }
    }
}
