//! A lab with one simulated machine behind a real BMC protocol, and TFTP and HTTP it can reach.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use app::api::{Event, EventKind, Machine};
use bmc_sim::{
    LabConfig, MachineConfig, User,
    faults::Faults,
    machine::{Firmware, timing::Timing},
};
use serde_json::json;
use server::{bmc, config::Config, lab::power, netboot::TftpSource};
use tokio_util::sync::CancellationToken;

use crate::{
    fixtures::{arch, subarch, upload},
    support::{Client, Engine, TestApp},
};

pub const MAC: &str = "52:54:00:77:00:01";
pub const PASSWORD: &str = "right-password";

pub struct Simulated {
    pub app: TestApp,
    pub admin: Client,
    pub machine: Machine,
    pub bmc_id: i64,
    pub kernel: Vec<u8>,
    pub tftp: SocketAddr,
    pub http: SocketAddr,
    pub simulator: bmc_sim::Lab,
}

impl Simulated {
    /// A machine that is off, has nothing on its disk, and whose lab knows its BMC, kernel, initrd and flavour.
    pub async fn start(engine: Engine, firmware: Firmware) -> Self {
        Self::start_with(engine, firmware, |_| {}).await
    }

    /// The same with other settings.
    pub async fn start_with(engine: Engine, firmware: Firmware, change: impl FnOnce(&mut Config)) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let http = listener.local_addr().unwrap();
        let app = TestApp::start_with(engine, |config| {
            config.listen = http;
            change(config);
        })
        .await;
        let service = app.router.clone().into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        let source = Arc::new(TftpSource::new(app.lab.netboot.clone()));
        let server = tftp::Server::bind("127.0.0.1:0".parse().unwrap(), tftp::Config::default(), source).await.unwrap();
        let tftp = server.local_addr();
        tokio::spawn(server.run(CancellationToken::new()));

        let admin = app.admin().await;
        let x86 = arch(&admin, "x86_64").await;
        let flavour = subarch(&admin, &x86, "net").await;
        let kernel: Vec<u8> = (0..300_000u32).flat_map(u32::to_le_bytes).collect();
        let kernel_id = upload(&admin, "Kernel", "x86_64", "vmlinuz", &kernel).await.id;
        let initrd_id = upload(&admin, "Initrd", "x86_64", "initrd.gz", &kernel[..100_000]).await.id;

        let user = User::new("lab", PASSWORD, ipmi_client::Privilege::Administrator);
        let mut config = MachineConfig::new("sim", MAC.parse().unwrap(), firmware, tftp, vec![user]);
        config.loader = flavour.bootloader.clone();
        config.http = Some(http);
        config.timing = Timing::instant();
        let simulator = bmc_sim::Lab::start(LabConfig { machines: vec![config] }).await.unwrap();
        let bmc = simulator.machines()[0].bmc_addr();
        let new =
            json!({ "name": "sim-bmc", "type": "plain", "ip": bmc.ip(), "port": bmc.port(), "username": "lab", "password": PASSWORD });
        let bmc_id = admin.post("/bmc", &new).await.created::<app::api::Bmc>().id;
        let new = json!({ "name": "sim", "arch": "x86_64", "subarch": "net", "bmc_id": bmc_id, "macs": [MAC] });
        let machine: Machine = admin.post("/machine", &new).await.created();
        let change = json!({ "kernel_id": kernel_id, "initrd_id": initrd_id, "kernel_opts": "console=ttyS0 action=poweroff" });
        let machine = admin.put(&format!("/machine/{}", machine.id), &change).await.ok();
        Self { app, admin, machine, bmc_id, kernel, tftp, http, simulator }
    }

    /// Starts the poller; it ends with the server.
    pub fn poll(&self) {
        let lab = self.app.lab.clone();
        let cancel = lab.shutdown.clone();
        tokio::spawn(bmc::poll(lab.fleet.clone(), power::Machines(lab), Duration::from_millis(500), 8, cancel));
    }

    pub fn sim(&self) -> &bmc_sim::Machine {
        &self.simulator.machines()[0]
    }

    pub fn faults(&self, faults: Faults) {
        self.sim().set_faults(faults);
    }

    pub fn path(&self, rest: &str) -> String {
        format!("/machine/{}{rest}", self.machine.id)
    }

    pub async fn machine(&self) -> Machine {
        self.admin.get(&self.path("")).await.ok()
    }

    /// The machine's events, oldest first.
    pub async fn events(&self) -> Vec<EventKind> {
        let mut events: Vec<Event> = self.admin.get(&self.path("/event?limit=200")).await.ok();
        events.reverse();
        events.into_iter().map(|event| event.what).collect()
    }

    /// Waits for an event; the test fails with all events when it does not come.
    pub async fn event(&self, wanted: impl Fn(&EventKind) -> bool) -> EventKind {
        for _ in 0..300 {
            if let Some(found) = self.events().await.into_iter().find(&wanted) {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no such event among {:#?}", self.events().await);
    }

    /// Gives the machine a preseed with this content and answers its address on this server.
    pub async fn preseed(&self, content: &str) -> String {
        let name = format!("p{}", self.events().await.len());
        let new = json!({ "name": name, "type": "preseed", "content": content });
        let preseed: app::api::Preseed = self.admin.post("/preseed", &new).await.created();
        self.admin.put(&self.path(""), &json!({ "preseed_id": preseed.id })).await.ok::<Machine>();
        let mut read = self.app.lab.store.read().await.unwrap();
        let row = store::machines::get(&mut read, self.machine.id).await.unwrap().unwrap();
        format!("/preseed/{}?k={}", row.id, row.preseed_key)
    }
}
