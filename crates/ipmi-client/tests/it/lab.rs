//! The client against `bmc-sim`: both suites, real power states, and a bad network.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use bmc_sim::machine::timing::Timing;
use bmc_sim::machine::{Firmware, MacAddress};
use bmc_sim::{BridgeAnswers, CartridgeConfig, Faults, Lab, LabConfig, MachineConfig, User};
use ipmi_client::{
    BootDevice, BootFlags, ChassisControl, CipherSuite, Client, CloseReason, CompletionCode, ErrorKind, Privilege, Secret, SolEvent,
    SolOptions, Target,
};
use ipmi_wire::command::GetChassisStatus;
use tokio::time::timeout;

use crate::sol::next;

pub fn machine() -> MachineConfig {
    let users = vec![User::new("admin", "secret", Privilege::Administrator), User::new("viewer", "look", Privilege::User)];
    let mac = MacAddress([0x52, 0x54, 0, 0, 0, 1]);
    let mut machine = MachineConfig::new("node", mac, Firmware::Bios, (Ipv4Addr::LOCALHOST, 9).into(), users);
    machine.timing = Timing::instant();
    machine
}

pub async fn lab(machine: MachineConfig) -> (Lab, Client) {
    let lab = Lab::start(LabConfig { machines: vec![machine] }).await.unwrap();
    let client = Client::new(Target::new(lab.machines()[0].bmc_addr(), "admin", Secret::new("secret")));
    (lab, client)
}

#[tokio::test]
async fn power_and_boot_device_with_either_suite_and_with_a_bmc_key() {
    for (suites, kg) in [
        (vec![CipherSuite::Suite17, CipherSuite::Suite3], None),
        (vec![CipherSuite::Suite3], None),
        (vec![CipherSuite::Suite17], Some("bmc key")),
    ] {
        let mut machine = machine();
        (machine.suites, machine.kg) = (suites.clone(), kg.map(str::to_owned));
        let (lab, _) = lab(machine).await;
        let mut target = Target::new(lab.machines()[0].bmc_addr(), "admin", Secret::new("secret"));
        target.kg = kg.map(Secret::new);
        let client = Client::new(target);
        assert!(!client.chassis_status().await.unwrap().power_on());
        assert_eq!(client.strongest_suite(), suites.first().copied());
        let flags = BootFlags { device: BootDevice::Pxe, efi: true, persistent: true };
        client.set_boot_flags(flags).await.unwrap();
        assert_eq!(client.boot_flags().await.unwrap(), flags);
        client.chassis_control(ChassisControl::PowerUp).await.unwrap();
        wait_for_power(&client, true).await;
        client.chassis_control(ChassisControl::PowerDown).await.unwrap();
        wait_for_power(&client, false).await;
        let error = client.chassis_control(ChassisControl::PowerCycle).await.unwrap_err();
        assert!(error.to_string().contains("Chassis Control failed: not supported in the present state (0xd5)"), "{error}");
        client.close().await;
        lab.shutdown().await;
    }
}

/// A Moonshot chassis: every answer a BMC may give to Send Message leads to the same results.
#[tokio::test]
async fn cartridges_behind_two_hops() {
    for answers in [BridgeAnswers::Separate, BridgeAnswers::Embedded, BridgeAnswers::Nested] {
        let mut machine = machine();
        machine.bridge_answers = answers;
        machine.cartridges = (1..=2u8).map(|n| CartridgeConfig::moonshot(&format!("c{n}"), n, MacAddress([2, 0, 0, 0, 0, n]))).collect();
        let (lab, client) = lab(machine).await;
        let cartridge = lab.machine("c2").unwrap().clone();
        let route = cartridge.route();
        let flags = BootFlags { device: BootDevice::Pxe, efi: true, persistent: true };
        client.set_boot_flags_via(route, flags).await.unwrap();
        assert_eq!(client.boot_flags_via(route).await.unwrap(), flags);
        assert_eq!(client.boot_flags().await.unwrap().device, BootDevice::None, "the chassis' own");
        client.command(route, &ChassisControl::PowerUp).await.unwrap();
        cartridge.wait_serial(0, "PXE", Duration::from_secs(20)).await.unwrap();
        assert!(client.command(route, &GetChassisStatus).await.unwrap().power_on());
        assert!(!client.chassis_status().await.unwrap().power_on());
        let refused = client.command(route, &ChassisControl::HardReset).await.unwrap_err();
        assert!(matches!(refused.kind, ErrorKind::Completion { code: CompletionCode(0x80), .. }), "{refused}");
        // a second BMC session holds the console of the other cartridge meanwhile
        let other = Client::new(client.target().clone());
        let beside = SolOptions { route: lab.machine("c1").unwrap().route(), ..SolOptions::default() };
        let _beside = other.open_sol(beside).await.unwrap();
        let mut sol = client.open_sol(SolOptions { route, ..SolOptions::default() }).await.unwrap();
        client.command(route, &ChassisControl::PowerCycle).await.unwrap();
        let mut seen = String::new();
        while !seen.contains("Pretend BIOS") {
            if let SolEvent::Data(data) = next(&mut sol).await {
                seen.push_str(&String::from_utf8_lossy(&data));
            }
        }
        // nobody is there
        let nowhere = CartridgeConfig::moonshot("none", 9, MacAddress([0; 6])).at.route();
        let error = client.command(nowhere, &GetChassisStatus).await.unwrap_err();
        assert!(matches!(error.kind, ErrorKind::Bridge { code: CompletionCode(0x83) }), "{error}");
        drop(sol);
        client.close().await;
        other.close().await;
        lab.shutdown().await;
    }
}

async fn wait_for_power(client: &Client, on: bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while client.chassis_status().await.unwrap().power_on() != on {
        assert!(Instant::now() < deadline, "power never became {on}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_user_without_rights() {
    let (lab, _) = lab(machine()).await;
    let mut target = Target::new(lab.machines()[0].bmc_addr(), "viewer", Secret::new("look"));
    let error = Client::new(target.clone()).chassis_status().await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::PrivilegeRefused { privilege: Privilege::Administrator }), "{error}");
    target.privilege = Privilege::User;
    let client = Client::new(target);
    client.chassis_status().await.unwrap();
    let error = client.chassis_control(ChassisControl::PowerUp).await.unwrap_err();
    assert!(error.to_string().contains("insufficient privilege level"), "{error}");
    client.close().await;
    lab.shutdown().await;
}

#[tokio::test]
async fn a_bmc_that_restarts_in_the_middle() {
    let (lab, client) = lab(machine()).await;
    client.chassis_status().await.unwrap();
    lab.machines()[0].restart_bmc();
    client.chassis_status().await.unwrap();
    client.close().await;
    lab.shutdown().await;
}

#[tokio::test]
async fn commands_get_through_a_bad_network() {
    let mut machine = machine();
    machine.faults = Faults { loss: 0.1, duplication: 0.1, reordering: 0.1, ..Faults::default() };
    let (lab, client) = lab(machine).await;
    for _ in 0..30 {
        client.chassis_status().await.unwrap();
    }
    client.close().await;
    lab.shutdown().await;
}

#[tokio::test]
async fn sol_is_held_taken_over_and_lost() {
    let (lab, first) = lab(machine()).await;
    let second = Client::new(first.target().clone());
    let mut sol = first.open_sol(SolOptions::default()).await.unwrap();
    assert!(second.sol_active().await.unwrap());
    let error = second.open_sol(SolOptions::default()).await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::SolHeld { holder: Some(_) }), "{error}");
    let mut taken = second.open_sol(SolOptions { take_over: true, ..SolOptions::default() }).await.unwrap();
    loop {
        match next(&mut sol).await {
            SolEvent::Closed(reason) => {
                assert_eq!(reason, CloseReason::Deactivated);
                break;
            }
            SolEvent::Data(_) => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(second.sol_active().await.unwrap(), "losing it did not end the other's");
    lab.machines()[0].restart_bmc();
    timeout(Duration::from_secs(10), taken.writer().write("x".into())).await.unwrap().unwrap_err();
    loop {
        if let SolEvent::Closed(CloseReason::Lost(_)) = next(&mut taken).await {
            break;
        }
    }
    drop((sol, taken));
    first.close().await;
    second.close().await;
    lab.shutdown().await;
}

/// The acknowledgement of a hop may arrive and the answer behind it be lost: then a question that may be asked twice is.
#[tokio::test]
async fn bridged_commands_get_through_a_bad_network() {
    let mut machine = machine();
    machine.cartridges = vec![CartridgeConfig::moonshot("c1", 1, MacAddress([2, 0, 0, 0, 0, 1]))];
    let (lab, client) = lab(machine).await;
    let route = lab.machine("c1").unwrap().route();
    client.device_id().await.unwrap();
    lab.machines()[0].set_faults(Faults { loss: 0.2, duplication: 0.1, reordering: 0.1, ..Faults::default() });
    for _ in 0..20 {
        client.command(route, &GetChassisStatus).await.unwrap();
    }
    assert!(client.counters().retransmissions > 0);
    lab.machines()[0].set_faults(Faults::default());
    client.close().await;
    lab.shutdown().await;
}

/// Octets wrong in what a BMC sends are counted and never believed; if there is nothing else, that is what the error says.
#[tokio::test]
async fn wrong_checksums_and_authentication_codes() {
    for faults in [Faults { bad_checksum: 1.0, ..Faults::default() }, Faults { bad_integrity: 1.0, ..Faults::default() }] {
        let (lab, client) = lab(machine()).await;
        client.device_id().await.unwrap();
        let there = lab.machines()[0].clone();
        there.set_faults(faults.clone());
        let error = client.chassis_status().await.unwrap_err();
        assert!(matches!(error.kind, ErrorKind::Garbage { .. }), "{faults}: {error}");
        assert!(error.to_string().contains("answered garbage to"), "{error}");
        assert!(client.counters().malformed > 0);
        there.set_faults(Faults::default());
        client.chassis_status().await.unwrap();

        // now and then is no reason to give up
        let some = Faults { bad_checksum: faults.bad_checksum * 0.3, bad_integrity: faults.bad_integrity * 0.3, ..Faults::default() };
        there.set_faults(some);
        for _ in 0..10 {
            client.chassis_status().await.unwrap();
        }
        there.set_faults(Faults::default());
        client.close().await;
        lab.shutdown().await;
    }
}

#[tokio::test]
async fn a_session_the_bmc_has_forgotten_is_opened_again() {
    let (lab, client) = lab(machine()).await;
    client.chassis_status().await.unwrap();
    lab.machines()[0].forget_sessions();
    client.chassis_status().await.unwrap();
    let counters = client.counters();
    assert_eq!((counters.sessions_opened, counters.sessions_lost), (2, 1), "{counters:?}");
    client.close().await;
    lab.shutdown().await;
}
