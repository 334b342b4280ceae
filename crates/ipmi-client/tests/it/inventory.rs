//! Inventory, event log and sensors: of `bmc-sim`, directly and behind two hops, and what is left when a BMC has little.

use std::time::Duration;

use bmc_sim::machine::pretend::Phase;
use bmc_sim::{CartridgeConfig, Faults, FruConfig};
use ipmi_client::{ErrorKind, Route, SelContent, Severity, SolParameter, Unit};

use crate::lab::{lab, machine};

const LIMIT: Duration = Duration::from_secs(30);

#[tokio::test]
async fn what_a_bmc_knows_about_its_machine() {
    let mut config = machine();
    config.fru = Some(FruConfig { serial: "S-1".into(), ..FruConfig::default() });
    let mac = bsim_mac(0x42);
    config.cartridges = vec![CartridgeConfig::moonshot("c1", 1, mac)];
    let (lab, client) = lab(config).await;
    for (name, serial) in [("node", "S-1"), ("c1", "PM000042")] {
        let there = lab.machine(name).unwrap().clone();
        let route = there.route();
        let fru = client.fru_via(route, 0).await.unwrap();
        assert_eq!(fru.damaged, []);
        assert_eq!(fru.product.unwrap().serial, serial);
        assert_eq!(fru.board.unwrap().manufactured, Some(1_704_067_200));
        assert!(matches!(client.fru_via(route, 9).await.unwrap_err().kind, ErrorKind::Completion { .. }));

        assert_eq!(client.sel_via(route).await.unwrap(), [], "nothing has happened yet");
        let off = client.sensors_via(route).await.unwrap();
        let named = |sensors: &[ipmi_client::Sensor], name: &str| sensors.iter().find(|sensor| sensor.name == name).unwrap().clone();
        assert!(!named(&off, "CPU Temp").available && named(&off, "CPU Temp").severity.is_none());
        client.command(route, &ipmi_client::ChassisControl::PowerUp).await.unwrap();
        while there.phase() == Some(Phase::Off) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        there.set_sensor("CPU Temp", 96.0);
        let on = client.sensors_via(route).await.unwrap();
        let cpu = named(&on, "CPU Temp");
        assert_eq!((cpu.value, cpu.unit, cpu.severity), (Some(96.0), Unit::DEGREES_C, Some(Severity::Critical)));
        assert_eq!(cpu.thresholds, [None, None, None, Some(85.0), Some(95.0), Some(100.0)]);
        assert_eq!(named(&on, "Inlet Temp").severity, Some(Severity::Ok));
        assert_eq!(named(&on, "PSU 1").states, ["Presence detected"]);
        assert_eq!(named(&on, "ACPI State").states, ["S0/G0: working"]);
        let volts = named(&on, "12V").value.unwrap();
        assert!((volts - 12.1).abs() < 0.05, "{volts}");

        let log = client.sel_via(route).await.unwrap();
        let told: Vec<String> = log.iter().map(ToString::to_string).collect();
        assert!(told[0].starts_with("System ACPI Power State") && told.last().unwrap().contains("Upper Critical going high"), "{told:?}");
        assert!(log.iter().all(|record| record.time().is_some() && matches!(record.content, SelContent::Event(_))));
        let clock = client.sel_time_via(route).await.unwrap().0;
        assert!(log.iter().all(|record| clock - record.time().unwrap() < 60));
        assert_eq!(client.sel_from(route, log[1].id).await.unwrap().len(), log.len() - 1);
        client.clear_sel_via(route).await.unwrap();
        assert_eq!(client.sel_info_via(route).await.unwrap().entries, 0);

        client.identify_via(route, Some(Duration::from_secs(5))).await.unwrap();
        assert_eq!(client.sol_parameter_via(route, 1).await.unwrap(), SolParameter::Enabled(true));
        client.set_sol_parameter_via(route, SolParameter::Retry { count: 3, interval: 20 }).await.unwrap();
        assert_eq!(client.sol_parameter_via(route, 4).await.unwrap(), SolParameter::Retry { count: 3, interval: 20 });
        assert!(client.sol_parameter_via(route, 99).await.is_err());
    }
    assert_ne!(
        client.system_guid().await.unwrap(),
        client.command(lab.machine("c1").unwrap().route(), &ipmi_wire::command::GetSystemGuid).await.unwrap()
    );
    client.close().await;
    lab.shutdown().await;
}

fn bsim_mac(last: u8) -> bmc_sim::machine::MacAddress {
    bmc_sim::machine::MacAddress([2, 0, 0, 0, 0, last])
}

/// Records in pieces, reservations and all, while packets are lost.
#[tokio::test]
async fn everything_is_read_through_a_bad_network() {
    let mut config = machine();
    config.faults = Faults { loss: 0.1, duplication: 0.1, reordering: 0.1, ..Faults::default() };
    let (lab, client) = lab(config).await;
    let work = async {
        assert_eq!(client.sensors().await.unwrap().len(), 12);
        assert_eq!(client.fru().await.unwrap().damaged, []);
        assert_eq!(client.sel().await.unwrap(), []);
    };
    tokio::time::timeout(LIMIT, work).await.unwrap();
    assert!(client.sensor_records(Route::Direct).await.unwrap().len() > 12);
    client.close().await;
    lab.shutdown().await;
}
