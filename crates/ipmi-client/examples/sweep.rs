//! Many BMCs at once: `sweep FIRST COUNT once|warm|poll|consoles [SECONDS]`, user `admin`, the password in `IPMI_PASSWORD`. The BMCs
//! are on port 623 of addresses counted up from FIRST.
//!
//! - `once`: opens a session with each, asks for the power state, closes it. Prints how many answered.
//! - `warm`: asks again on the sessions it has. Prints the milliseconds of the first round and the median of ten more.
//! - `poll`: asks each every ten seconds, spread over the time. Prints what got lost, the share of a processor, and memory.
//! - `consoles`: opens a console to each. Prints how many it has, and memory.
//!
//! Memory is what the resident set has grown by, in kB for each session.

use std::error::Error;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use ipmi_client::{Client, Secret, SolEvent, SolOptions, Target};
use tokio::task::JoinSet;
use tokio::time::{interval_at, sleep};

const POLL: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [first, count, mode, rest @ ..] = arguments.as_slice() else {
        return Err("usage: sweep FIRST COUNT once|warm|poll|consoles [SECONDS]".into());
    };
    let (first, count): (Ipv4Addr, u32) = (first.parse()?, count.parse()?);
    let seconds: u64 = rest.first().map_or(Ok(60), |text| text.parse())?;
    let password = std::env::var("IPMI_PASSWORD")?;
    let before = resident_kb()?;
    let clients: Vec<Client> = (0..count)
        .map(|i| Client::new(Target::new((Ipv4Addr::from_bits(first.to_bits() + i), 623).into(), "admin", Secret::new(password.as_str()))))
        .collect();
    let per_session = |now: usize| now.saturating_sub(before) as f64 / f64::from(count);
    match mode.as_str() {
        "once" => {
            let answered = round(&clients).await;
            close(&clients).await;
            println!("answered {answered}");
        }
        "warm" => {
            let start = Instant::now();
            let mut answered = round(&clients).await;
            println!("cold_ms {:.3}", start.elapsed().as_secs_f64() * 1e3);
            let mut rounds = Vec::new();
            for _ in 0..10 {
                let start = Instant::now();
                answered = answered.min(round(&clients).await);
                rounds.push(start.elapsed());
            }
            rounds.sort_unstable();
            println!("warm_ms {:.3}\nanswered {answered}", rounds[rounds.len() / 2].as_secs_f64() * 1e3);
            close(&clients).await;
        }
        "poll" => {
            round(&clients).await;
            let (start, busy) = (Instant::now(), processor_seconds()?);
            let mut pollers = JoinSet::new();
            for (client, i) in clients.iter().cloned().zip(0..) {
                pollers.spawn(poll(client, POLL.mul_f64(f64::from(i) / f64::from(count)), Duration::from_secs(seconds)));
            }
            let (mut asked, mut lost) = (0, 0);
            while let Some(done) = pollers.join_next().await {
                let (a, l) = done?;
                (asked, lost) = (asked + a, lost + l);
            }
            let share = (processor_seconds()? - busy) / start.elapsed().as_secs_f64();
            println!("asked {asked}\nlost {lost}\nprocessor_percent {:.2}", share * 100.0);
            println!("session_kb {:.2}", per_session(resident_kb()?));
            close(&clients).await;
        }
        "consoles" => {
            let mut consoles = JoinSet::new();
            for client in &clients {
                let client = client.clone();
                consoles.spawn(async move { client.open_sol(SolOptions::default()).await });
            }
            let mut open = Vec::new();
            while let Some(done) = consoles.join_next().await {
                open.push(done??);
            }
            let mut readers = JoinSet::new();
            let number = open.len();
            for mut sol in open {
                readers.spawn(async move {
                    sol.writer().write("x".into()).await.ok()?;
                    while let Some(event) = sol.recv().await {
                        if let SolEvent::Data(_) = event {
                            return Some(sol);
                        }
                    }
                    None
                });
            }
            let mut alive = Vec::new();
            while let Some(done) = readers.join_next().await {
                alive.extend(done?);
            }
            sleep(Duration::from_secs(1)).await;
            println!("open {number}\necho {}\nconsole_kb {:.2}", alive.len(), per_session(resident_kb()?));
            drop(alive);
            close(&clients).await;
        }
        other => return Err(format!("no mode {other}").into()),
    }
    Ok(())
}

/// Asks all at once. Answers how many answered.
async fn round(clients: &[Client]) -> usize {
    let mut asking = JoinSet::new();
    for client in clients {
        let client = client.clone();
        asking.spawn(async move { client.chassis_status().await.is_ok() });
    }
    asking.join_all().await.into_iter().filter(|answered| *answered).count()
}

async fn close(clients: &[Client]) {
    let mut closing = JoinSet::new();
    for client in clients {
        let client = client.clone();
        closing.spawn(async move { client.close().await });
    }
    closing.join_all().await;
}

async fn poll(client: Client, offset: Duration, whole: Duration) -> (u32, u32) {
    let mut ticks = interval_at(tokio::time::Instant::now() + offset, POLL);
    let start = Instant::now();
    let (mut asked, mut lost) = (0, 0);
    loop {
        ticks.tick().await;
        if start.elapsed() >= whole {
            return (asked, lost);
        }
        asked += 1;
        lost += u32::from(client.chassis_status().await.is_err());
    }
}

fn resident_kb() -> Result<usize, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// Of all threads, in user and kernel mode: /proc counts in hundredths of a second.
fn processor_seconds() -> Result<f64, Box<dyn Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(')').ok_or("no stat")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    Ok((fields[11].parse::<f64>()? + fields[12].parse::<f64>()?) / 100.0)
}
