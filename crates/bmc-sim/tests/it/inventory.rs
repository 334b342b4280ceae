//! FRU inventory, event log and sensors, as `ipmitool` and FreeIPMI read them.

use bmc_sim::{
    CartridgeConfig, FruConfig, Machine,
    machine::{
        MacAddress,
        pretend::Phase,
        sensors::{SensorConfig, SensorKind},
    },
};

use crate::support::{Ipmitool, LIMIT, PASSWORD, all, lab, machine, run, stdout};

/// The value `ipmitool` shows in the column after `name` of a line.
fn field<'a>(text: &'a str, name: &str, column: usize) -> &'a str {
    let line = text.lines().find(|line| line.split('|').next().is_some_and(|first| first.trim() == name));
    line.and_then(|line| line.split('|').nth(column)).unwrap_or_else(|| panic!("{name} is not in\n{text}")).trim()
}

#[tokio::test]
async fn ipmitool_reads_the_inventory() {
    let mut config = machine("m");
    config.fru = Some(FruConfig { product: "Model 7".into(), serial: "A 1/é".into(), asset_tag: "L".into(), ..FruConfig::default() });
    let mut cartridge = CartridgeConfig::moonshot("c1", 1, MacAddress([2, 0, 0, 0xab, 0xcd, 0xef]));
    cartridge.installed = true;
    config.cartridges = vec![cartridge];
    let (lab, machine) = lab(config).await;
    let tool = Ipmitool::admin(&machine, 17);
    let fru = tool.ok("fru print 0").await;
    for line in [
        "Product Name          : Model 7",
        "Product Asset Tag     : L",
        "Board Mfg             : Pretend Machines",
        "Chassis Type          : Rack Mount Chassis",
        "Board Mfg Date        : Mon Jan  1 00:00:00 2024",
    ] {
        assert!(fru.contains(line), "{line}: {fru}");
    }
    assert!(!fru.contains("checksum"), "{fru}");
    let locators = tool.ok("sdr list fru").await;
    assert!(locators.contains("System") && locators.contains("Log FRU @00h"), "{locators}");
    let other = tool.with(&["-B", "0", "-T", "0x82", "-b", "7", "-t", "0x72"]).ok("fru print 0").await;
    assert!(other.contains("Product Serial        : PMABCDEF"), "{other}");
    lab.shutdown().await;
}

#[tokio::test]
async fn ipmitool_reads_and_clears_the_event_log() {
    let (lab, machine) = lab(machine("m")).await;
    let tool = Ipmitool::admin(&machine, 3);
    assert!(tool.ok("sel info").await.contains("Entries          : 0"));
    tool.ok("power on").await;
    assert!(machine.wait_phase(Phase::Running, LIMIT).await);
    assert!(machine.set_sensor("CPU Temp", 97.0) && !machine.set_sensor("no such", 1.0));
    tool.ok("power off").await;
    assert!(machine.wait_phase(Phase::Off, LIMIT).await);
    let log = tool.ok("sel elist").await;
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines.len(), 4, "{log}");
    assert!(lines[0].contains("System ACPI Power State ACPI State | S0/G0: working | Asserted"), "{log}");
    assert!(lines[1].contains("Temperature CPU Temp | Upper Non-critical going high | Asserted"), "{log}");
    assert!(lines[2].contains("Upper Critical going high") && lines[2].contains("Reading 97 > Threshold 95 degrees C"), "{log}");
    assert!(lines[3].contains("S5/G2: soft-off"), "{log}");
    // an event told from outside, as with the tool's own test events
    tool.ok("event 1").await;
    assert_eq!(tool.ok("sel list").await.lines().count(), 5);
    tool.ok("sel clear").await;
    assert!(tool.ok("sel info").await.contains("Entries          : 0"));
    lab.shutdown().await;
}

#[tokio::test]
async fn ipmitool_reads_sensors() {
    let mut config = machine("m");
    config.powered = true;
    let (lab, machine) = lab(config).await;
    assert!(machine.wait_phase(Phase::Running, LIMIT).await);
    let tool = Ipmitool::admin(&machine, 17);
    let sdr = tool.ok("sdr elist").await;
    assert_eq!((field(&sdr, "CPU Temp", 2), field(&sdr, "CPU Temp", 4)), ("ok", "46 degrees C"));
    assert_eq!(field(&sdr, "PSU 1", 4), "Presence detected");
    assert_eq!(field(&sdr, "ACPI State", 4), "S0/G0: working");
    let sensors = tool.ok("sensor").await;
    assert_eq!((field(&sensors, "Inlet Temp", 1), field(&sensors, "Inlet Temp", 2)), ("22.000", "degrees C"));
    assert_eq!((field(&sensors, "Inlet Temp", 5), field(&sensors, "Inlet Temp", 8)), ("0.000", "42.000"), "lower and upper critical");
    let volts: f64 = field(&sensors, "12V", 1).parse().unwrap();
    assert!((volts - 12.1).abs() < 0.05, "{volts}");
    assert_eq!(field(&sensors, "Fan 1", 2), "RPM");
    machine.set_sensor("Fan 1", 300.0);
    machine.set_sensor("CPU Temp", 90.0);
    let sensors = tool.ok("sensor").await;
    assert_eq!((field(&sensors, "Fan 1", 3), field(&sensors, "CPU Temp", 3)), ("cr", "nc"));
    let one = tool.ok("sensor get VBAT").await;
    assert!(one.contains("Voltage") && one.contains("Lower Non-Critical    : 2.5"), "{one}");
    // without power only what is on standby is read
    tool.ok("power off").await;
    assert!(machine.wait_phase(Phase::Off, LIMIT).await);
    let sdr = tool.ok("sdr elist").await;
    assert_eq!((field(&sdr, "CPU Temp", 4), field(&sdr, "ACPI State", 4)), ("No Reading", "S5/G2: soft-off"));
    assert_eq!(field(&sdr, "Inlet Temp", 4), "22 degrees C");
    lab.shutdown().await;
}

#[tokio::test]
async fn sensors_and_identity_can_be_configured() {
    let mut config = machine("m");
    config.powered = true;
    let text = r#"{ name = "Coolant", kind = "temperature", value = -20, lower = [-30, -40], upper = [5], standby = true }"#;
    let one: SensorConfig =
        toml::from_str::<std::collections::HashMap<String, SensorConfig>>(&format!("x = {text}")).unwrap().remove("x").unwrap();
    assert_eq!(one.kind, SensorKind::Temperature);
    config.sensors = vec![one];
    let mut cartridge = CartridgeConfig::moonshot("c1", 1, MacAddress([2, 0, 0, 0, 0, 7]));
    cartridge.installed = true;
    config.cartridges = vec![cartridge];
    let (lab, machine) = lab(config).await;
    let tool = Ipmitool::admin(&machine, 17);
    let sensors = tool.ok("sensor").await;
    assert_eq!((field(&sensors, "Coolant", 1), field(&sensors, "Coolant", 3), field(&sensors, "Coolant", 5)), ("-20.000", "ok", "-40.000"));
    let guid = tool.ok("mc guid").await;
    let other = tool.with(&["-B", "0", "-T", "0x82", "-b", "7", "-t", "0x72"]);
    assert_ne!(other.ok("mc guid").await, guid, "each controller has its own");
    assert!(other.ok("sdr elist").await.contains("Coolant"));
    lab.shutdown().await;
}

/// FreeIPMI keeps sensor records in a cache by host name: this one's own.
async fn freeipmi(machine: &Machine, cache: &tempfile::TempDir, program: &str, options: &[&str]) -> String {
    let host = machine.bmc_addr().to_string();
    let mut arguments = vec!["-D", "LAN_2_0", "-I", "17", "-h", &host, "-u", "admin", "-p", PASSWORD, "--session-timeout", "40000"];
    let directory = format!("--sdr-cache-directory={}", cache.path().display());
    arguments.push(&directory);
    arguments.extend(options);
    let output = run("freeipmi-tools", program, &arguments).await;
    assert!(output.status.success(), "{program} {options:?}: {}", all(&output));
    stdout(&output)
}

#[tokio::test]
async fn freeipmi_reads_all_three() {
    let mut config = machine("m");
    config.powered = true;
    let (lab, machine) = lab(config).await;
    assert!(machine.wait_phase(Phase::Running, LIMIT).await);
    let cache = tempfile::tempdir().unwrap();
    let sensors = freeipmi(&machine, &cache, "ipmi-sensors", &["--output-sensor-state", "--quiet-cache"]).await;
    let row = |name: &str| {
        let line = sensors.lines().find(|line| line.contains(&format!("| {name}"))).unwrap_or_else(|| panic!("{name}: {sensors}"));
        line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(row("CPU Temp")[2..6], ["Temperature", "Nominal", "46.00", "C"]);
    assert_eq!(row("Power Usage")[5], "W");
    assert_eq!(row("PSU 1")[3], "Nominal");
    assert!(row("ACPI State").last().unwrap().contains("S0/G0"));
    machine.set_sensor("CPU Temp", 97.0);
    let sensors = freeipmi(&machine, &cache, "ipmi-sensors", &["--output-sensor-state", "--quiet-cache", "--comma-separated-output"]).await;
    assert!(sensors.lines().any(|line| line.contains("CPU Temp,Temperature,Critical,97.00,C")), "{sensors}");
    let log = freeipmi(&machine, &cache, "ipmi-sel", &["--quiet-cache"]).await;
    assert!(log.contains("ACPI State") && log.contains("S0/G0") && log.contains("Upper Critical - going high"), "{log}");
    let fru = freeipmi(&machine, &cache, "ipmi-fru", &["--quiet-cache"]).await;
    assert!(fru.contains("FRU Product Name: Pretend Server 1000") && fru.contains("FRU Board Serial Number"), "{fru}");
    assert!(!fru.to_lowercase().contains("checksum"), "{fru}");
    lab.shutdown().await;
}
