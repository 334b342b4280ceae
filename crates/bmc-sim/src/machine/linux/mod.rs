//! What starts after the loader: a pretend kernel that prints, then an installer, or the installed system.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::{
    console::Console,
    firmware::Kernel,
    pretend::{Body, Ending, InstalledOs, Phase},
};

mod cmdline;
mod installer;
mod shell;

/// The pretend kernel's release.
pub(crate) const RELEASE: &str = "6.1.0";

/// A kernel loaded over the network, with the installer as its initrd.
pub(crate) async fn run(body: &Body, mut console: Console, kernel: Kernel) -> Ending {
    let start = Instant::now();
    boot_messages(body, &console, start, &kernel.cmdline, kernel.initrd_bytes).await;
    if kernel.initrd_bytes == 0 {
        log(&console, start, "VFS: Cannot open root device \"(null)\" or unknown-block(0,0): error -6").await;
        log(&console, start, "Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)").await;
        return std::future::pending().await;
    }
    log(&console, start, "Run /init as init process").await;
    installer::run(body, &mut console, &kernel.cmdline).await
}

/// The system on the disk.
pub(crate) async fn installed(body: &Body, mut console: Console, cmdline: &str, os: &InstalledOs) -> Ending {
    let start = Instant::now();
    boot_messages(body, &console, start, cmdline, 34 * 1024 * 1024).await;
    log(&console, start, "EXT4-fs (sda1): mounted filesystem with ordered data mode. Quota mode: none.").await;
    log(&console, start, "systemd[1]: Detected virtualization bmc-sim.").await;
    log(&console, start, &format!("systemd[1]: Hostname set to <{}>.", os.hostname)).await;
    // a press of the power button that an earlier start did not live to see
    let _ = tokio::time::timeout(Duration::ZERO, body.power_button.notified()).await;
    body.set_phase(Phase::Running);
    let ending = tokio::select! {
        ending = shell::login(body, &mut console, os, start, cmdline) => ending,
        () = body.power_button.notified() => {
            print_power_button(&body.wiring.serial, start).await;
            Ending::PowerOff
        }
    };
    stop(body, start, ending).await
}

async fn print_power_button(serial: &super::serial::SerialLine, start: Instant) {
    super::console::print(serial, &format!("\n{}systemd-logind[412]: Power key pressed short.\n", stamp(start))).await;
}

/// An orderly shutdown.
async fn stop(body: &Body, start: Instant, ending: Ending) -> Ending {
    let serial = &body.wiring.serial;
    super::console::print(serial, "[  OK  ] Stopped Serial Getty on ttyS0.\n[  OK  ] Reached target Unmount All Filesystems.\n").await;
    sleep(body.spec.timing.os_stop).await;
    let last = match ending {
        Ending::PowerOff => "reboot: Power down",
        Ending::Reset => "reboot: Restarting system",
    };
    super::console::print(serial, &format!("{}{last}\n", stamp(start))).await;
    ending
}

fn stamp(start: Instant) -> String {
    format!("[{:12.6}] ", start.elapsed().as_secs_f64())
}

async fn log(console: &Console, start: Instant, message: &str) {
    console.print(&format!("{}{message}\n", stamp(start))).await;
}

fn version(body: &Body) -> String {
    format!("Linux version {RELEASE} (demo) (bmc-sim, {}) #1 SMP PREEMPT_DYNAMIC", body.spec.firmware.machine())
}

async fn boot_messages(body: &Body, console: &Console, start: Instant, cmdline: &str, initrd_bytes: u64) {
    body.set_phase(Phase::Kernel);
    let step = body.spec.timing.os_start / 5;
    log(console, start, &version(body)).await;
    log(console, start, &format!("Command line: {cmdline}")).await;
    sleep(step).await;
    log(console, start, &format!("DMI: bmc-sim {}/Pretend Board, BIOS {}", body.spec.name, env!("CARGO_PKG_VERSION"))).await;
    log(console, start, &format!("Kernel command line: {cmdline}")).await;
    sleep(step).await;
    log(console, start, "Memory: 4005116K/4193896K available").await;
    log(console, start, "smp: Brought up 1 node, 2 CPUs").await;
    sleep(step).await;
    if initrd_bytes > 0 {
        log(console, start, "Trying to unpack rootfs image as initramfs...").await;
        log(console, start, &format!("Freeing initrd memory: {}K", initrd_bytes.div_ceil(1024))).await;
    }
    log(console, start, "Serial: 8250/16550 driver, 4 ports, IRQ sharing enabled").await;
    log(console, start, "serial8250: ttyS0 at I/O 0x3f8 (irq = 4, base_baud = 115200) is a 16550A").await;
    sleep(step).await;
    log(console, start, &format!("virtio_net virtio0 eth0: {} link up", body.spec.mac)).await;
    sleep(step).await;
}
