//! The pretend firmware: self test, boot order, and the hand-over to a loader or to the disk.

use std::{sync::Arc, time::Duration};

use ipmi_wire::command::{BootDevice, BootFlags};
use tokio::time::sleep;

use super::{
    Firmware,
    console::Console,
    linux,
    pretend::{Body, BootSource, Ending, Phase},
};

mod bios;
pub(crate) mod grub;
mod pxelinux;
mod uefi;

/// Where one way of booting led.
#[derive(Debug)]
pub(crate) enum Attempt {
    /// Nothing bootable there, or the loader gave the boot back.
    Next,
    /// A kernel with its command line is in memory.
    Linux(Kernel),
    /// The machine restarts or stops.
    End(Ending),
    /// The loader waits for somebody at its prompt.
    Stuck,
}

/// A kernel that is ready to start.
#[derive(Debug)]
pub(crate) struct Kernel {
    pub(crate) cmdline: String,
    /// Bytes of all initrds together; 0 is none.
    pub(crate) initrd_bytes: u64,
}

/// One start of the machine, from power-on or reset to its end.
pub(crate) async fn run(body: Arc<Body>) -> Ending {
    let mut console = Console::new(Arc::clone(&body.wiring.serial));
    post(&body, &console).await;
    // taken after the self test, so that a boot device set while the machine starts still counts
    let flags = body.wiring.boot.take();
    let order = boot_order(&body, &mut console, flags).await;
    for source in order {
        let attempt = match source {
            BootSource::Disk => disk(&body, &console).await,
            BootSource::Network => {
                body.set_phase(Phase::Netboot);
                // boxed: only a machine that is booting from the network pays for the loaders' state
                match body.spec.firmware {
                    Firmware::Bios => Box::pin(bios::network(&body, &mut console)).await,
                    Firmware::UefiX64 | Firmware::UefiArm64 => Box::pin(uefi::network(&body, &mut console)).await,
                }
            }
        };
        match attempt {
            Attempt::Next => body.set_phase(Phase::Firmware),
            Attempt::Linux(kernel) => return Box::pin(linux::run(&body, console, kernel)).await,
            Attempt::End(ending) => return ending,
            Attempt::Stuck => std::future::pending().await,
        }
    }
    match body.spec.firmware {
        Firmware::Bios => console.print("No bootable device.\nReboot and select proper boot device, or press any key to retry.\n").await,
        _ => console.print("BdsDxe: No bootable option or device was found.\nBdsDxe: Press any key to retry.\n").await,
    }
    console.key().await;
    Ending::Reset
}

async fn post(body: &Body, console: &Console) {
    let spec = &body.spec;
    let step = spec.timing.post / 4;
    match spec.firmware {
        Firmware::Bios => {
            console.print(&format!("\n\nPretend BIOS (bmc-sim {}) - {}\n", env!("CARGO_PKG_VERSION"), spec.name)).await;
            sleep(step).await;
            console.print("CPU0: Pretend x86-64 Processor @ 2.00GHz\n").await;
            sleep(step).await;
            console.print("Memory test: 4096 MB OK\n").await;
            sleep(step).await;
            console.print(&format!("Serial console: 115200 8N1, BMC: IPMI 2.0\nNIC 1: {}  Link up 1000 Mb/s\n", spec.mac)).await;
            sleep(step).await;
            console.print("Press F2 for set-up, F12 for network boot\n\n").await;
        }
        Firmware::UefiX64 | Firmware::UefiArm64 => {
            let build = if spec.firmware == Firmware::UefiX64 { "X64" } else { "AARCH64" };
            console.print(&format!("\n\nUEFI firmware (bmc-sim {}, {build}) - {}\n", env!("CARGO_PKG_VERSION"), spec.name)).await;
            sleep(step).await;
            console.print("Memory: 4096 MB\n").await;
            sleep(step).await;
            console.print("Loading drivers: PciBus NetworkSnp Mnp Arp Ip4 Udp4 Mtftp4 Pxe\n").await;
            sleep(step).await;
            console.print(&format!("NIC 1: {}  Link up 1000 Mb/s\n", spec.mac)).await;
            sleep(step).await;
            console.print("Press ESCAPE for boot options\n\n").await;
        }
    }
}

/// The devices to try, after what the BMC's boot flags say.
async fn boot_order(body: &Body, console: &mut Console, flags: Option<BootFlags>) -> Vec<BootSource> {
    let own = body.spec.boot_order.clone();
    let Some(flags) = flags else { return own };
    if flags.device == BootDevice::None {
        return own;
    }
    let lasting = if flags.persistent { "always" } else { "this boot only" };
    let kind = if flags.efi { ", EFI" } else { "" };
    console.print(&format!("Boot override from BMC: {} ({lasting}{kind})\n", device_name(flags.device))).await;
    match flags.device {
        BootDevice::Pxe => vec![BootSource::Network, BootSource::Disk],
        BootDevice::Disk | BootDevice::DiskSafeMode => vec![BootSource::Disk],
        BootDevice::Bios => {
            setup(console).await;
            own
        }
        _ => {
            console.print("No medium in that device.\n").await;
            own
        }
    }
}

fn device_name(device: BootDevice) -> &'static str {
    match device {
        BootDevice::Pxe => "PXE",
        BootDevice::Disk => "disk",
        BootDevice::DiskSafeMode => "disk, safe mode",
        BootDevice::Diagnostics => "diagnostic partition",
        BootDevice::Cdrom => "CD/DVD",
        BootDevice::Bios => "firmware set-up",
        BootDevice::Floppy => "removable medium",
        _ => "remote medium",
    }
}

async fn setup(console: &mut Console) {
    console.print("\n+----------------- Firmware Set-up -----------------+\n|  Boot order     as configured                     |\n|  Serial console 115200 8N1                        |\n|                                                   |\n|  ESC or Enter: exit and boot                      |\n+---------------------------------------------------+\n").await;
    while !matches!(console.key().await, 0x1b | b'\r' | b'\n') {}
    console.print("Leaving set-up.\n").await;
}

async fn disk(body: &Body, console: &Console) -> Attempt {
    let Some(os) = body.installed() else {
        match body.spec.firmware {
            Firmware::Bios => console.print("Booting from Hard Disk...\nBoot failed: not a bootable disk\n\n").await,
            _ => console.print("BdsDxe: failed to load Boot0002 \"Hard Disk\": Not Found\n").await,
        }
        return Attempt::Next;
    };
    match body.spec.firmware {
        Firmware::Bios => console.print("Booting from Hard Disk...\nGRUB loading.\nWelcome to GRUB!\n\n").await,
        _ => console.print("BdsDxe: loading Boot0002 \"Hard Disk\"\nBdsDxe: starting Boot0002 \"Hard Disk\"\nWelcome to GRUB!\n\n").await,
    }
    let cmdline = format!("BOOT_IMAGE=/boot/vmlinuz-{} root=/dev/sda1 ro console=ttyS0,115200", linux::RELEASE);
    sleep(Duration::from_millis(50).min(body.spec.timing.post)).await;
    Box::pin(linux::installed(body, Console::new(Arc::clone(&body.wiring.serial)), &cmdline, &os)).await.into()
}

impl From<Ending> for Attempt {
    fn from(ending: Ending) -> Self {
        Self::End(ending)
    }
}
