//! A real machine behind the BMC: QEMU, translated (no KVM), with SeaBIOS on its serial port.

use std::path::Path;

use bmc_sim::{ChassisFactory, MachineConfig, machine::Power};

use crate::{
    ipmitool::until_power,
    support::{Ipmitool, lab, machine},
};

/// A PC with an empty disk and an empty DVD: what it tries to boot from, and in which order, stands on its console.
fn command(directory: &Path) -> Vec<String> {
    let image = |name: &str| {
        let path = directory.join(name);
        std::fs::write(&path, vec![0; 1 << 20]).unwrap();
        path.display().to_string()
    };
    let (disk, dvd) = (image("disk"), image("dvd"));
    let text = format!(
        "qemu-system-x86_64 -accel tcg -machine pc,graphics=off -m 16 -nodefaults -display none \
         -drive format=raw,file={disk},if=ide,index=0 -drive format=raw,file={dvd},if=ide,index=2,media=cdrom,readonly=on"
    );
    text.split_whitespace().map(str::to_owned).collect()
}

#[tokio::test]
async fn power_boot_order_and_console_are_qemus() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = machine("m");
    config.chassis = Some(ChassisFactory::qemu(command(directory.path())));
    let (lab, machine) = lab(config).await;
    let tool = Ipmitool::admin(&machine, 17);
    assert_eq!(tool.ok("power status").await, "Chassis Power is off");
    // what its firmware prints first is not lost, although the console was there before it
    let mut console = tool.terminal("sol activate");
    console.expect("SOL Session operational").await;
    tool.ok("chassis bootdev cdrom").await;
    tool.ok("power on").await;
    console.expect("SeaBIOS (version").await;
    console.expect("Booting from DVD/CD...").await;
    console.expect("No bootable device.").await;
    let seen = console.screen();
    assert!(seen.find("Booting from DVD/CD").unwrap() < seen.find("Booting from Hard Disk").unwrap(), "{seen}");
    until_power(&machine, Power::On).await;
    assert_eq!(machine.boot_flags().device, ipmi_wire::command::BootDevice::None, "used once");

    // a reset looks at the flags anew, and the console stays
    let mark = machine.serial_mark();
    tool.ok("chassis bootdev disk").await;
    tool.ok("power reset").await;
    let seen = machine.wait_serial(mark, "No bootable device.", LONG).await.unwrap();
    assert!(seen.find("Booting from Hard Disk").unwrap() < seen.find("Booting from DVD/CD").unwrap(), "{seen}");
    let mark = machine.serial_mark();
    tool.ok("power cycle").await;
    machine.wait_serial(mark, "SeaBIOS (version", LONG).await.unwrap();
    tool.ok("power off").await;
    until_power(&machine, Power::Off).await;
    let told: Vec<String> = machine.events().records().iter().map(ToString::to_string).collect();
    let expected = ["working", "soft-off", "working", "soft-off"];
    assert!(told.len() == 4 && told.iter().zip(expected).all(|(told, state)| told.contains(state)), "{told:?}");
    lab.shutdown().await;
}

/// SeaBIOS under translation on a machine with other things to do.
const LONG: std::time::Duration = std::time::Duration::from_secs(60);

#[tokio::test]
async fn a_qemu_that_does_not_start_leaves_the_machine_off() {
    let mut config = machine("m");
    config.chassis = Some(ChassisFactory::qemu(vec!["false".into()]));
    let (lab, machine) = lab(config).await;
    let tool = Ipmitool::admin(&machine, 17);
    tool.ok("power on").await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(tool.ok("power status").await, "Chassis Power is off");
    lab.shutdown().await;
}

#[test]
fn a_file_may_ask_for_qemu() {
    let file = |chassis: &str| {
        let text =
            format!("name = 'm'\nusers = []\nmac = '52:54:00:00:00:01'\nfirmware = 'bios'\ntftp = '127.0.0.1:69'\nchassis = {chassis}");
        toml::from_str::<MachineConfig>(&text)
    };
    assert!(file("{ qemu = ['qemu-system-x86_64', '-m', '64'] }").unwrap().chassis.is_some());
    assert!(file("{ qemu = [] }").unwrap_err().to_string().contains("the program is missing"));
    file("{ vmware = [] }").unwrap_err();
}
