//! The pretend firmware, its loaders and its installer.

use std::{
    net::{Ipv4Addr, UdpSocket},
    process::Stdio,
    time::{Duration, Instant},
};

use bmc_sim::{
    Lab, Machine, MachineConfig,
    machine::{
        Firmware,
        pretend::{BootSource, Phase},
    },
};
use ipmi_wire::command::ChassisControl;

use crate::{
    boot_server::{BootServer, Manners},
    support::{LIMIT, lab, machine},
};

const PXELINUX: &str = "DEFAULT install\nLABEL install\n  KERNEL images/linux\n  IPAPPEND 2\n  APPEND initrd=images/initrd.gz url=http://{http}/preseed/7?k=abc console=ttyS0\n";
const GRUB: &str = "set timeout=0\nmenuentry 'Install' {\n  linux (tftp)/images/linux url=http://{http}/preseed/7?k=abc console=ttyS0\n  initrd (tftp)/images/initrd.gz\n}\n";
const PRESEED: &str = "d-i netcfg/get_hostname string web-1\nd-i mirror/country string manual\n";
const MAC_CONFIG: &str = "pxelinux.cfg/01-52-54-00-77-00-01";
const GRUB_CONFIG: &str = "grub/01-52:54:00:77:00:01";
const GRUB_DISPATCH: &str = "configfile $prefix/01-$net_default_mac\nexit\n";

/// A machine without an operating system that boots from this server.
fn config(firmware: Firmware, server: &BootServer) -> MachineConfig {
    let mut config = machine("m");
    config.firmware = firmware;
    config.tftp = server.tftp;
    config.http = Some(server.http);
    config.installed = false;
    config.powered = true;
    config
}

async fn boot(firmware: Firmware, server: &BootServer) -> (Lab, Machine) {
    lab(config(firmware, server)).await
}

#[tokio::test]
async fn a_bios_machine_installs_and_boots_from_its_disk() {
    let kernel = "k".repeat(300_000);
    let files = [
        ("pxelinux.0", "loader"),
        (MAC_CONFIG, PXELINUX),
        ("images/linux", &kernel),
        ("images/initrd.gz", "initrd"),
        ("/preseed/7?k=abc", PRESEED),
    ];
    let server = BootServer::start(&files, Manners::default()).await;
    let (lab, machine) = boot(Firmware::Bios, &server).await;
    let seen = machine.wait_serial(0, "web-1 login: ", LIMIT).await.unwrap();
    let steps = [
        "Pretend BIOS",
        "Boot failed: not a bootable disk",
        "tftp://127.0.0.1/pxelinux.0... ok",
        "PXELINUX",
        "Loading images/linux... ok, 300000 bytes in ",
        "Loading images/initrd.gz... ok, 6 bytes in ",
        "Linux version 6.1.0 (demo)",
        "Kernel command line: BOOT_IMAGE=images/linux initrd=images/initrd.gz url=http://",
        " console=ttyS0 BOOTIF=01-52-54-00-77-00-01\r\n",
        "Retrieving http://",
        "  | d-i netcfg/get_hostname string web-1\r\n",
        "100% done",
        "Installation complete. Restarting.",
        "Pretend BIOS",
        "Welcome to GRUB!",
        "web-1 login: ",
    ];
    let mut rest = seen.as_str();
    for step in steps {
        let at = rest.find(step).unwrap_or_else(|| panic!("{step:?} is missing or out of order:\n{seen}"));
        rest = &rest[at + step.len()..];
    }
    let asked = server.asked();
    assert_eq!(
        asked[..4],
        [
            "tftp pxelinux.0 tsize=0 blksize=1432",
            "tftp pxelinux.cfg/01-52-54-00-77-00-01 tsize=0 blksize=1408",
            "tftp images/linux tsize=0 blksize=1408",
            "tftp images/initrd.gz tsize=0 blksize=1408",
        ]
    );
    assert_eq!(asked[4..], ["http /preseed/7?k=abc"]);
    assert_eq!(machine.disk().unwrap().hostname, "web-1");
    assert_eq!(machine.phase(), Some(Phase::Running));

    // the system on the disk does what its shell is told
    machine.type_serial(b"root\rx\runame -a\r");
    machine.wait_serial(0, "Linux web-1 6.1.0 #1 SMP", LIMIT).await.unwrap();
    for (command, answer) in [
        ("help", "uptime "),
        ("uptime", " load average"),
        ("dmesg", "Command line: BOOT_IMAGE=/boot/vmlinuz"),
        ("nonsense", "-sh: nonsense: command not found"),
    ] {
        let mark = machine.serial_mark();
        machine.type_serial(format!("{command}\n").as_bytes());
        machine.wait_serial(mark, answer, LIMIT).await.unwrap();
    }
    let mark = machine.serial_mark();
    machine.type_serial(b"reboot\r");
    machine.wait_serial(mark, "reboot: Restarting system", LIMIT).await.unwrap();
    machine.wait_serial(mark, "web-1 login: ", LIMIT).await.unwrap();
    machine.type_serial(b"root\rx\rpoweroff\r");
    assert!(machine.wait_phase(Phase::Off, LIMIT).await);
    lab.shutdown().await;
}

async fn uefi(firmware: Firmware, loader: &str, directory: &str) {
    let files = [
        (loader, "an EFI program of several blocks".repeat(400)),
        ("grub/grub.cfg", GRUB_DISPATCH.into()),
        (GRUB_CONFIG, GRUB.into()),
        ("images/linux", "kernel".into()),
        ("images/initrd.gz", "initrd".into()),
        ("/preseed/7?k=abc", "d-i debian-installer/exit/poweroff boolean true\n".into()),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let server = BootServer::start(&files, Manners::default()).await;
    let (lab, machine) = boot(firmware, &server).await;
    machine.wait_serial(0, "Installation complete. Powering off.", LIMIT).await.unwrap();
    assert!(machine.wait_phase(Phase::Off, LIMIT).await);
    let seen = machine.serial_output();
    for step in [
        ">>Start PXE over IPv4.",
        "NBP filesize is 12800 Bytes",
        "NBP file downloaded successfully",
        "Welcome to GRUB!",
        "  Booting `Install'",
        "kernel : 6 bytes in ",
        "EFI stub: Exiting boot services",
        "Command line: BOOT_IMAGE=(tftp)/images/linux url=http://",
    ] {
        assert!(seen.contains(step), "{step:?} is missing:\n{seen}");
    }
    let options = "tsize=0 blksize=1024";
    let expected = [
        format!("tftp {loader} tsize=0 blksize=1468 windowsize=4"),
        "aborted: User aborted the transfer".into(),
        format!("tftp {loader} tsize=0 blksize=1468 windowsize=4"),
        format!("tftp /grub/{directory}/command.lst {options}"),
        format!("tftp /grub/{directory}/fs.lst {options}"),
        format!("tftp /grub/{directory}/crypto.lst {options}"),
        format!("tftp /grub/{directory}/terminal.lst {options}"),
        format!("tftp /grub/grub.cfg {options}"),
        format!("tftp /{GRUB_CONFIG} {options}"),
        format!("tftp /images/linux {options}"),
        format!("tftp /images/initrd.gz {options}"),
        "http /preseed/7?k=abc".into(),
    ];
    assert_eq!(server.asked(), expected);
    lab.shutdown().await;
}

#[tokio::test]
async fn an_x64_uefi_machine_boots_grub() {
    uefi(Firmware::UefiX64, "grubnetx64.efi.signed", "x86_64-efi").await;
}

#[tokio::test]
async fn an_arm_uefi_machine_boots_grub() {
    uefi(Firmware::UefiArm64, "grubnetaa64.efi.signed", "arm64-efi").await;
}

#[tokio::test]
async fn grub_fetches_over_http_too() {
    let grub =
        "set timeout=0\nmenuentry x {\nlinux (http)/linux action=poweroff autoyast=http://{http}/moved\ninitrd (http,{http})/chunked\n}\n";
    let files = [
        ("grubnetx64.efi.signed", "x"),
        ("grub/grub.cfg", grub),
        ("/linux", "kernel"),
        ("/chunked", "a chunked initrd of 29 bytes."),
        ("/target", "<profile/>\n"),
    ];
    let server = BootServer::start(&files, Manners::default()).await;
    let (lab, machine) = boot(Firmware::UefiX64, &server).await;
    let seen = machine.wait_serial(0, "Powering off", LIMIT).await.unwrap();
    assert!(seen.contains("initrd : 29 bytes in "), "{seen}");
    assert!(seen.contains("  | <profile/>"), "{seen}");
    assert_eq!(server.names()[8..], ["http /linux", "http /chunked", "http /moved", "http /target"]);
    lab.shutdown().await;
}

#[tokio::test]
async fn a_local_boot_answer_boots_the_disk_or_says_that_there_is_none() {
    let local = "DEFAULT local\nLABEL local\n  LOCALBOOT -1\n";
    let files = [("pxelinux.0", "x"), ("pxelinux.cfg/default", local), ("grubnetx64.efi.signed", "x"), ("grub/grub.cfg", "exit\n")];
    let server = BootServer::start(&files, Manners::default()).await;
    for (firmware, none) in
        [(Firmware::Bios, "No bootable device."), (Firmware::UefiX64, "BdsDxe: No bootable option or device was found.")]
    {
        for installed in [true, false] {
            let mut config = config(firmware, &server);
            config.boot_order = vec![BootSource::Network, BootSource::Disk];
            config.installed = installed;
            let (lab, machine) = lab(config).await;
            machine.wait_serial(0, if installed { "m login: " } else { none }, LIMIT).await.unwrap();
            lab.shutdown().await;
        }
    }
    assert!(server.names().contains(&format!("tftp {MAC_CONFIG}")), "the machine's own file is asked for first: {:?}", server.names());
}

#[tokio::test]
async fn what_is_missing_is_said_in_the_words_of_the_firmware() {
    // what the server has, the firmware, and what the console says
    type Case = (&'static [(&'static str, &'static str)], Firmware, &'static str);
    let cases: [Case; 9] = [
        (&[], Firmware::Bios, "pxelinux.0... No such file or directory (https://ipxe.org/2d12603b)\r\nNo more network devices"),
        (&[], Firmware::UefiX64, "PXE-E23: Client received TFTP error from server."),
        (&[("pxelinux.0", "x")], Firmware::Bios, "Unable to locate configuration file"),
        (&[("pxelinux.0", "x"), (MAC_CONFIG, "# nothing\n")], Firmware::Bios, "No DEFAULT or UI configuration directive found!"),
        (&[("pxelinux.0", "x"), (MAC_CONFIG, PXELINUX)], Firmware::Bios, "Could not find kernel image: images/linux"),
        (
            &[("pxelinux.0", "x"), (MAC_CONFIG, PXELINUX), ("images/linux", "k")],
            Firmware::Bios,
            "Could not find ramdisk image: images/initrd.gz",
        ),
        (&[("grubnetx64.efi.signed", "x")], Firmware::UefiX64, "error: file `/grub/grub.cfg' not found."),
        (&[("grubnetx64.efi.signed", "x"), ("grub/grub.cfg", "menuentry x {\n")], Firmware::UefiX64, "error: syntax error"),
        (
            &[("pxelinux.0", "x"), (MAC_CONFIG, "DEFAULT images/linux\n"), ("images/linux", "k")],
            Firmware::Bios,
            "Kernel panic - not syncing: VFS: Unable to mount root fs",
        ),
    ];
    for (files, firmware, words) in cases {
        let server = BootServer::start(files, Manners::default()).await;
        let (lab, machine) = boot(firmware, &server).await;
        machine.wait_serial(0, words, LIMIT).await.unwrap();
        // the console still obeys the BMC
        machine.control(ChassisControl::PowerDown).unwrap();
        assert!(machine.wait_phase(Phase::Off, LIMIT).await);
        lab.shutdown().await;
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_a_time_out() {
    for (firmware, words) in
        [(Firmware::Bios, "Connection timed out (https://ipxe.org/4c126035)"), (Firmware::UefiX64, "PXE-E18: Server response timeout.")]
    {
        let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut config = machine("m");
        config.firmware = firmware;
        config.tftp = silent.local_addr().unwrap();
        config.installed = false;
        config.powered = true;
        config.timing.patience = Duration::from_millis(20);
        let (lab, machine) = lab(config).await;
        let start = Instant::now();
        machine.wait_serial(0, words, LIMIT).await.unwrap();
        // 20 + 40 + 80 + 160 + 320 ms
        assert!(start.elapsed() > Duration::from_millis(600), "{:?}", start.elapsed());
        lab.shutdown().await;
    }
}

#[tokio::test]
async fn answers_that_cannot_be_fetched_are_asked_for_again() {
    let config = "DEFAULT x\nLABEL x\nKERNEL k\nAPPEND initrd=i ks=http://{http}/";
    for (path, words) in
        [("gone", "wget: server returned error: HTTP/1.1 404 Not Found"), ("cut", "wget: protocol error: the connection closed too early")]
    {
        let config = format!("{config}{path}\n");
        let files = [("pxelinux.0", "x"), (MAC_CONFIG, config.as_str()), ("k", "k"), ("i", "i"), ("/cut", "reboot\n")];
        let server = BootServer::start(&files, Manners::default()).await;
        let (lab, machine) = boot(Firmware::Bios, &server).await;
        machine.wait_serial(0, words, LIMIT).await.unwrap();
        let seen = machine.wait_serial(0, "Prompt: default=1> ", LIMIT).await.unwrap();
        assert!(seen.contains("Failed to retrieve the preconfiguration file"), "{seen}");
        let mark = machine.serial_mark();
        machine.type_serial(b"\r");
        machine.wait_serial(mark, words, LIMIT).await.unwrap();
        machine.wait_serial(mark, "Prompt: default=1> ", LIMIT).await.unwrap();
        machine.type_serial(b"2\r");
        machine.wait_serial(mark, "m login: ", LIMIT).await.unwrap();
        lab.shutdown().await;
    }
}

#[tokio::test]
async fn an_installer_without_answers_asks() {
    let config = "DEFAULT x\nLABEL x\nKERNEL k\nAPPEND initrd=i\n";
    let server = BootServer::start(&[("pxelinux.0", "x"), (MAC_CONFIG, config), ("k", "k"), ("i", "i")], Manners::default()).await;
    let (lab, machine) = boot(Firmware::Bios, &server).await;
    machine.wait_serial(0, "Installer main menu", LIMIT).await.unwrap();
    machine.type_serial(b"1\r");
    machine.wait_serial(0, "m login: ", LIMIT).await.unwrap();
    lab.shutdown().await;
}

#[tokio::test]
async fn boot_flags_decide_and_are_used_once() {
    let files = [("pxelinux.0", "x"), (MAC_CONFIG, "DEFAULT local\nLABEL local\nLOCALBOOT 0\n")];
    let server = BootServer::start(&files, Manners::default()).await;
    let mut config = config(Firmware::Bios, &server);
    config.installed = true;
    let (lab, machine) = lab(config).await;
    machine.wait_serial(0, "m login: ", LIMIT).await.unwrap();
    assert!(server.asked().is_empty(), "the disk is first in its boot order: {:?}", server.asked());

    let tool = crate::support::Ipmitool::admin(&machine, 17);
    tool.ok("chassis bootdev pxe").await;
    let mark = machine.serial_mark();
    tool.ok("power reset").await;
    let seen = machine.wait_serial(mark, "m login: ", LIMIT).await.unwrap();
    assert!(seen.contains("Boot override from BMC: PXE (this boot only)") && seen.contains("Booting from local disk..."), "{seen}");
    assert_eq!(server.names(), ["tftp pxelinux.0", &format!("tftp {MAC_CONFIG}")]);

    let mark = machine.serial_mark();
    tool.ok("power reset").await;
    let seen = machine.wait_serial(mark, "m login: ", LIMIT).await.unwrap();
    assert!(!seen.contains("override") && server.asked().len() == 2, "{seen}");

    tool.ok("chassis bootdev bios").await;
    let mark = machine.serial_mark();
    tool.ok("power cycle").await;
    machine.wait_serial(mark, "Firmware Set-up", LIMIT).await.unwrap();
    machine.type_serial(b"x\x1b");
    machine.wait_serial(mark, "m login: ", LIMIT).await.unwrap();

    tool.ok("chassis bootdev pxe options=persistent").await;
    for _ in 0..2 {
        let mark = machine.serial_mark();
        tool.ok("power reset").await;
        machine.wait_serial(mark, "Boot override from BMC: PXE (always)", LIMIT).await.unwrap();
        machine.wait_serial(mark, "m login: ", LIMIT).await.unwrap();
    }
    assert_eq!(server.asked().len(), 6);
    lab.shutdown().await;
}

#[tokio::test]
async fn bad_tftp_manners_are_borne() {
    let kernel = "0123456789abcdef".repeat(20_000);
    let grub = "set timeout=0\nmenuentry x {\nlinux /k action=poweroff\ninitrd /i\n}\n";
    let loader = "x".repeat(100_000);
    let files = [("grubnetx64.efi.signed", loader.as_str()), ("grub/grub.cfg", grub), ("k", &kernel), ("i", "i")];
    let lossy = Manners { lose: 7, ..Manners::default() };
    let doubling = Manners { twice: true, ..Manners::default() };
    let old = Manners { no_options: true, ..Manners::default() };
    for manners in [lossy, doubling, old] {
        let server = BootServer::start(&files, manners).await;
        let mut config = config(Firmware::UefiX64, &server);
        config.timing.patience = Duration::from_millis(100);
        let (lab, machine) = lab(config).await;
        let seen = machine.wait_serial(0, "Installer main menu", LIMIT).await.unwrap_or_else(|error| panic!("{manners:?}: {error}"));
        assert!(seen.contains("kernel : 320000 bytes in "), "{manners:?}: {seen}");
        assert!(seen.contains("NBP file downloaded successfully: 100000 bytes"), "{manners:?}: {seen}");
        lab.shutdown().await;
    }
}

/// A file longer than 65535 blocks, and a server nobody here wrote.
#[tokio::test]
async fn tftpd_hpa_serves_a_whole_boot() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &[u8]| {
        let path = directory.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    };
    write("pxelinux.0", b"loader");
    write("pxelinux.cfg/default", b"DEFAULT x\nLABEL x\nKERNEL linux\nAPPEND initrd=initrd action=poweroff\n");
    write("linux", &vec![7; 65536 * 1408 + 11]);
    write("initrd", &vec![1; 1408 * 3]);
    // of this process only, and free now: the server takes no port 0
    let [.., high, low] = std::process::id().to_be_bytes();
    let address = UdpSocket::bind((Ipv4Addr::new(127, high, low, 69), 0)).unwrap().local_addr().unwrap().to_string();
    let mut command = tokio::process::Command::new("in.tftpd");
    command.args(["--foreground", "--listen", "--user", "root", "--address", &address]).arg(directory.path());
    let mut server = command
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|error| panic!("in.tftpd: {error}; it is in Debian's package tftpd-hpa"));
    let mut config = machine("m");
    config.tftp = address.parse().unwrap();
    // without --secure the server wants whole paths
    let directory = directory.path().to_str().unwrap();
    config.loader = Some(format!("{directory}/pxelinux.0"));
    config.installed = false;
    config.powered = true;
    let (lab, machine) = lab(config).await;
    let seen = machine.wait_serial(0, "Installer main menu", LIMIT * 3).await.unwrap();
    assert!(seen.contains("ok, 92274699 bytes in ") && seen.contains("ok, 4224 bytes in "), "{seen}");
    server.kill().await.unwrap();
    lab.shutdown().await;
}
