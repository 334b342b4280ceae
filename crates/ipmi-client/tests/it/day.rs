//! A day in the life of a client, in simulated time: the BMC restarts, drops off the network and forgets sessions, the host
//! is switched off and on, and the client, never made anew, recovers by itself every time.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bmc_sim::machine::pretend::Phase;
use bmc_sim::machine::timing::Timing;
use bmc_sim::machine::{Firmware, MacAddress, Power};
use bmc_sim::{Faults, Lab, LabConfig, Machine, MachineConfig, User};
use ipmi_client::{ChassisControl, Client, Error, Privilege, Secret, SolEvent, SolOptions, SolWriter, Target};
use tokio::time::{Instant, sleep, timeout};

use crate::air::Air;

const DAY: Duration = Duration::from_secs(24 * 3600);
/// How often the power state is asked for.
const POLL: Duration = Duration::from_secs(30);
/// A restarting BMC is deaf for so long, as real ones are.
const RESTART: Duration = Duration::from_secs(90);
/// Longer than a BMC keeps a session it does not hear of.
const OUTAGE: Duration = Duration::from_secs(150);
/// From the end of a mishap until everything must work again: the longest wait of one request, and the console's.
const RECOVERY: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Mishap {
    BmcRestart,
    /// Nothing gets through for longer than the BMC keeps a session.
    Outage,
    /// Nothing gets through for a moment: the session outlives it.
    Blip,
    /// Loss, duplication and reordering for some minutes.
    BadNetwork,
    /// Somebody in the machine room presses buttons.
    PowerCycleAtTheHost,
    PowerCycleByCommand,
    PowerOffAndOnByCommand,
}

const MISHAPS: [Mishap; 7] = [
    Mishap::BmcRestart,
    Mishap::Outage,
    Mishap::Blip,
    Mishap::BadNetwork,
    Mishap::PowerCycleAtTheHost,
    Mishap::PowerCycleByCommand,
    Mishap::PowerOffAndOnByCommand,
];

/// What somebody who keeps a console open sees and has.
#[derive(Debug, Default)]
struct Screen {
    characters: usize,
    opened: u32,
    writer: Option<SolWriter>,
}

/// Keeps a console open, as a server does for its viewers: opens another whenever one ends.
async fn keep_console(client: Client, screen: Arc<Mutex<Screen>>) {
    loop {
        if let Ok(mut sol) = client.open_sol(SolOptions::default()).await {
            {
                let mut screen = screen.lock().unwrap();
                screen.writer = Some(sol.writer());
                screen.opened += 1;
            }
            while let Some(event) = sol.recv().await {
                match event {
                    SolEvent::Data(data) => screen.lock().unwrap().characters += data.len(),
                    SolEvent::Closed(_) => break,
                    _ => {}
                }
            }
            screen.lock().unwrap().writer = None;
        }
        sleep(Duration::from_secs(2)).await;
    }
}

/// Answers of the poller: when asked, when answered, what.
type Polls = Arc<Mutex<Vec<(Instant, Instant, Result<bool, Error>)>>>;

async fn poll(client: Client, polls: Polls) {
    loop {
        let asked = Instant::now();
        let answer = client.chassis_status().await.map(|status| status.power_on());
        polls.lock().unwrap().push((asked, Instant::now(), answer));
        sleep(POLL).await;
    }
}

struct Day {
    machine: Machine,
    client: Client,
    /// Never keeps its session alive, so that the BMC has forgotten it at every use.
    careless: Client,
    screen: Arc<Mutex<Screen>>,
    /// When the BMC could not be reached, or not well.
    bad: Vec<(Instant, Instant)>,
    random: u64,
}

impl Day {
    fn dice(&mut self, below: u64) -> u64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % below
    }

    async fn until_power(&self, wanted: Power) {
        let reached = async {
            while self.machine.power() != wanted {
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(Duration::from_secs(60), reached).await.unwrap_or_else(|_| panic!("power never became {wanted:?}"));
    }

    async fn happen(&mut self, mishap: Mishap) {
        let since = Instant::now();
        match mishap {
            Mishap::BmcRestart => {
                self.machine.restart_bmc();
                sleep(RESTART).await;
            }
            Mishap::Outage | Mishap::Blip => {
                self.machine.set_faults(Faults::unreachable());
                sleep(if mishap == Mishap::Blip { Duration::from_secs(3) } else { OUTAGE }).await;
                self.machine.set_faults(Faults::default());
            }
            Mishap::BadNetwork => {
                self.machine.set_faults(Faults { loss: 0.2, duplication: 0.1, reordering: 0.2, ..Faults::default() });
                sleep(Duration::from_secs(200)).await;
                self.machine.set_faults(Faults::default());
            }
            Mishap::PowerCycleAtTheHost => {
                self.machine.control(ChassisControl::PowerCycle).unwrap();
                self.until_power(Power::Off).await;
                self.until_power(Power::On).await;
            }
            // A command must work at the first call, however the session has fared since the last one.
            Mishap::PowerCycleByCommand => {
                self.client.chassis_control(ChassisControl::PowerCycle).await.unwrap();
                self.until_power(Power::Off).await;
                self.until_power(Power::On).await;
            }
            Mishap::PowerOffAndOnByCommand => {
                self.careless.chassis_control(ChassisControl::PowerDown).await.unwrap();
                self.until_power(Power::Off).await;
                sleep(Duration::from_secs(100)).await;
                assert!(!self.client.chassis_status().await.unwrap().power_on());
                self.careless.chassis_control(ChassisControl::PowerUp).await.unwrap();
                self.until_power(Power::On).await;
            }
        }
        if matches!(mishap, Mishap::BmcRestart | Mishap::Outage | Mishap::Blip | Mishap::BadNetwork) {
            self.bad.push((since, Instant::now()));
        }
    }

    /// Everything works: asking, and the console both ways.
    async fn check(&self, after: Mishap) {
        assert!(self.machine.wait_phase(Phase::Running, Duration::from_secs(60)).await, "{}", self.machine.serial_output());
        for client in [&self.client, &self.careless] {
            let status = client.chassis_status().await;
            assert!(status.is_ok_and(|status| status.power_on()), "after {after:?}");
        }
        let (before, writer) = {
            let screen = self.screen.lock().unwrap();
            (screen.characters, screen.writer.clone())
        };
        let writer = writer.unwrap_or_else(|| panic!("after {after:?} the console was not opened again"));
        timeout(Duration::from_secs(10), writer.write("\r".into())).await.expect("typed in time").expect("typed");
        let answered = async {
            while self.screen.lock().unwrap().characters == before {
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(Duration::from_secs(10), answered).await.unwrap_or_else(|_| panic!("after {after:?} the console shows nothing"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_day_of_mishaps_and_the_client_recovers_by_itself_every_time() {
    let air = Air::default();
    let users = vec![User::new("admin", "secret", Privilege::Administrator)];
    let mac = MacAddress([0x52, 0x54, 0, 0, 0, 3]);
    let mut config = MachineConfig::new("node", mac, Firmware::Bios, (Ipv4Addr::LOCALHOST, 9).into(), users);
    config.timing = Timing { bmc_restart: RESTART, ..Timing::demo() };
    config.port = Some(air.ports());
    (config.installed, config.powered) = (true, true);
    let lab = Lab::start(LabConfig { machines: vec![config] }).await.unwrap();
    let machine = lab.machines()[0].clone();
    let target = Target::new(machine.bmc_addr(), "admin", Secret::new("secret"));
    let network = Arc::new(air);
    let client = Client::over(network.clone(), target.clone());
    let mut careless = target;
    (careless.timeouts.keep_alive, careless.timeouts.idle) = (DAY * 2, DAY * 2);
    let careless = Client::over(network, careless);

    let start = Instant::now();
    let screen = Arc::new(Mutex::new(Screen::default()));
    let polls = Polls::default();
    let helpers = [tokio::spawn(poll(client.clone(), Arc::clone(&polls))), tokio::spawn(keep_console(client.clone(), Arc::clone(&screen)))];
    let mut day = Day { machine, client, careless, screen, bad: Vec::new(), random: 42 };
    let mut happened: Vec<Mishap> = Vec::new();
    sleep(Duration::from_secs(30)).await;
    while start.elapsed() < DAY {
        // Between two of them more than the 60 s a BMC keeps a silent session, and at times more than the client does.
        let pause = Duration::from_secs(80 + day.dice(700));
        sleep(pause).await;
        let mishap = MISHAPS[usize::try_from(day.dice(MISHAPS.len() as u64)).unwrap()];
        day.happen(mishap).await;
        happened.push(mishap);
        sleep(RECOVERY).await;
        day.check(mishap).await;
    }
    helpers.iter().for_each(tokio::task::JoinHandle::abort);

    for mishap in MISHAPS {
        assert!(happened.iter().filter(|other| **other == mishap).count() >= 5, "{mishap:?} hardly happened: {happened:?}");
    }
    let polls = std::mem::take(&mut *polls.lock().unwrap());
    assert!(polls.len() > 2000, "{} polls", polls.len());
    // Whatever failed was asked or answered while the BMC could not be reached.
    for (asked, answered, answer) in polls.iter() {
        let excused = day.bad.iter().any(|(from, to)| answered >= from && *asked <= *to + Duration::from_secs(1));
        assert!(answer.is_ok() || excused, "at {:?}: {answer:?}", asked.duration_since(start));
    }
    let failed = polls.iter().filter(|(_, _, answer)| answer.is_err()).count();
    assert!(failed > 0, "the mishaps were none");
    let opened = day.screen.lock().unwrap().opened;
    println!("{} mishaps, {} polls of which {failed} failed, console opened {opened} times", happened.len(), polls.len());
    // Sessions of the client are opened again, not piled up.
    assert!(day.machine.sessions().len() <= 4, "{:?}", day.machine.sessions());
    drop(day);
    lab.shutdown().await;
}
