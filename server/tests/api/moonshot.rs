//! HP Moonshot: machines that share one BMC, each reached through two buses.

use std::time::Duration;

use app::api::{Bmc, Machine, PowerAnswer, PowerState};
use axum::http::StatusCode;
use bmc_sim::{
    CartridgeConfig, LabConfig, MachineConfig, User,
    machine::{Firmware, Power, pretend::InstalledOs, timing::Timing},
};
use ipmi_wire::command::BootDevice;
use serde_json::json;
use server::{
    bmc::{self, ConsoleInput},
    lab::{Actor, Origin, consoles, power},
};

use crate::{
    consoles::{connected, until},
    fixtures::arch,
    support::{Client, Engine, TestApp},
};

const PASSWORD: &str = "chassis-password";
const LONG: Duration = Duration::from_secs(20);

/// A chassis with cartridges 1 and 2, both with an installed system, known to a server.
struct Chassis {
    app: TestApp,
    admin: Client,
    simulator: bmc_sim::Lab,
    bmc: Bmc,
    machines: Vec<Machine>,
}

impl Chassis {
    async fn start(backend: &str) -> Self {
        let app = TestApp::start(Engine::Sqlite).await;
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        let user = User::new("lab", PASSWORD, ipmi_client::Privilege::Administrator);
        let nowhere = "127.0.0.1:9".parse().unwrap();
        let mut config = MachineConfig::new("chassis", "52:54:00:78:00:00".parse().unwrap(), Firmware::Bios, nowhere, vec![user]);
        config.timing = Timing::instant();
        config.cartridges = (1..=2)
            .map(|number| CartridgeConfig::moonshot(&format!("c{number}"), number, format!("52:54:00:78:00:0{number}").parse().unwrap()))
            .collect();
        let simulator = bmc_sim::Lab::start(LabConfig { machines: vec![config] }).await.unwrap();
        let at = simulator.machine("chassis").unwrap().bmc_addr();
        let new = json!({
            "name": "chassis", "type": "moonshot", "backend": backend, "ip": at.ip(), "port": at.port(), "username": "lab", "password": PASSWORD,
        });
        let bmc: Bmc = admin.post("/bmc", &new).await.created();
        let mut machines = Vec::new();
        for number in 1..=2 {
            let name = format!("c{number}");
            simulator.machine(&name).unwrap().set_disk(Some(InstalledOs { hostname: name.clone() }));
            let new = json!({ "name": name, "arch": "x86_64", "bmc_id": bmc.id, "bmc_info": number.to_string() });
            machines.push(admin.post("/machine", &new).await.created());
        }
        Self { app, admin, simulator, bmc, machines }
    }

    fn sim(&self, index: usize) -> &bmc_sim::Machine {
        self.simulator.machine(&self.machines[index].name).unwrap()
    }

    fn path(&self, index: usize, rest: &str) -> String {
        format!("/machine/{}{rest}", self.machines[index].id)
    }

    async fn power(&self, index: usize, word: &str) {
        let answer = self.admin.post(&self.path(index, "/power"), &json!({ "state": word })).await;
        assert_eq!(answer.body_of::<PowerAnswer>(StatusCode::ACCEPTED).error, None, "{word}");
    }

    async fn becomes(&self, index: usize, wanted: Power) {
        for _ in 0..400 {
            if self.sim(index).power() == wanted {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{} is not {wanted:?}", self.machines[index].name);
    }
}

async fn commands_reach_the_cartridge_that_is_meant(backend: &str) {
    let lab = Chassis::start(backend).await;
    assert_eq!(lab.admin.get(&lab.path(0, "/power")).await.ok::<PowerAnswer>(), PowerAnswer { state: PowerState::Off, error: None });
    lab.power(0, "on").await;
    lab.becomes(0, Power::On).await;
    lab.sim(0).wait_serial(0, "login:", LONG).await.unwrap();
    assert_eq!(lab.sim(1).power(), Power::Off);
    assert_eq!(lab.admin.get(&lab.path(0, "/power")).await.ok::<PowerAnswer>().state, PowerState::On);
    assert_eq!(lab.admin.get(&lab.path(1, "/power")).await.ok::<PowerAnswer>().state, PowerState::Off);

    // a cartridge refuses a reset: it is cycled instead
    let mark = lab.sim(0).serial_mark();
    lab.power(0, "reboot").await;
    lab.sim(0).wait_serial(mark, "login:", LONG).await.unwrap();

    // the boot device of the one that is off, which is then switched on and enters its set-up
    lab.power(1, "bios_reboot").await;
    lab.becomes(1, Power::On).await;
    assert_eq!(lab.sim(0).boot_flags().device, BootDevice::None);
    lab.power(0, "off").await;
    lab.becomes(0, Power::Off).await;
    // the chassis itself was never meant
    assert_eq!(lab.simulator.machine("chassis").unwrap().power(), Power::Off);
}

#[tokio::test(flavor = "multi_thread")]
async fn power_and_boot_device() {
    commands_reach_the_cartridge_that_is_meant("native").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn power_and_boot_device_by_ipmitool() {
    commands_reach_the_cartridge_that_is_meant("ipmitool").await;
}

async fn each_cartridge_has_a_console_of_its_own(backend: &str) {
    let lab = Chassis::start(backend).await;
    let actor = Actor::new(1, "ann", true, Origin::Local);
    let mut seats = Vec::new();
    for index in 0..2 {
        lab.power(index, "on").await;
        lab.sim(index).wait_serial(0, "login:", LONG).await.unwrap();
        let mut seat = consoles::attach(&lab.app.lab, &actor, lab.machines[index].id).await.unwrap();
        connected(&mut seat).await;
        seats.push(seat);
    }
    for (index, seat) in seats.iter_mut().enumerate() {
        seat.input(ConsoleInput::Bytes("root\rany password\r".into())).await.unwrap();
        until(seat, |seen, _| seen.contains("# ")).await;
        seat.input(ConsoleInput::Bytes(format!("echo this-is-{index}\r").into())).await.unwrap();
        let seen = until(seat, |seen, _| seen.matches(&format!("this-is-{index}")).count() >= 2).await;
        assert!(!seen.contains(&format!("this-is-{}", 1 - index)), "{seen}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_consoles_at_once() {
    each_cartridge_has_a_console_of_its_own("native").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_consoles_at_once_by_ipmitool() {
    each_cartridge_has_a_console_of_its_own("ipmitool").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cartridges_share_one_session_for_their_commands() {
    let lab = Chassis::start("native").await;
    for index in [0, 1, 0, 1] {
        lab.admin.get(&lab.path(index, "/power")).await.ok::<PowerAnswer>();
    }
    assert_eq!(lab.simulator.machine("chassis").unwrap().sessions().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_slot_is_told_and_is_not_the_chassis_fault() {
    let lab = Chassis::start("native").await;
    let new = json!({ "name": "c9", "arch": "x86_64", "bmc_id": lab.bmc.id, "bmc_info": "9" });
    let empty: Machine = lab.admin.post("/machine", &new).await.created();
    let answer: PowerAnswer = lab.admin.get(&format!("/machine/{}/power", empty.id)).await.ok();
    assert_eq!(answer.state, PowerState::BmcError);
    assert!(answer.error.is_some_and(|text| text.starts_with("chassis (")));
    let bmc: Bmc = lab.admin.get(&format!("/bmc/{}", lab.bmc.id)).await.ok();
    assert_eq!((bmc.health.reachable, bmc.health.error), (Some(true), None));
    assert_eq!(lab.admin.get(&lab.path(0, "/power")).await.ok::<PowerAnswer>().state, PowerState::Off);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_cartridges_the_chassis_itself_is_asked() {
    let lab = Chassis::start("native").await;
    for machine in &lab.machines {
        lab.admin.delete(&format!("/machine/{}", machine.id)).await.no_content();
    }
    let server = lab.app.lab.clone();
    let poller = bmc::poll(server.fleet.clone(), power::Machines(server.clone()), Duration::from_millis(500), 8, server.shutdown.clone());
    tokio::spawn(poller);
    let path = format!("/bmc/{}", lab.bmc.id);
    let mut health = lab.bmc.health.clone();
    for _ in 0..200 {
        health = lab.admin.get(&path).await.ok::<Bmc>().health;
        if health.reachable.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!((health.reachable, health.error), (Some(true), None));
    // one that comes after that is reached behind it all the same
    let new = json!({ "name": "c1", "arch": "x86_64", "bmc_id": lab.bmc.id, "bmc_info": "1" });
    let back: Machine = lab.admin.post("/machine", &new).await.created();
    let answer: PowerAnswer = lab.admin.get(&format!("/machine/{}/power", back.id)).await.ok();
    assert_eq!((answer.state, answer.error), (PowerState::Off, None));
    server.shutdown.cancel();
}
