//! A BIOS machine's network boot: an iPXE ROM loads PXELINUX, PXELINUX loads its configuration and a kernel.

use super::{
    super::{
        console::Console,
        net::{FetchError, Location, tftp::Options},
        pretend::Body,
    },
    Attempt, Kernel,
    pxelinux::{Boot, Config, Facts, config_names},
};

const CONFIG_SIZE: usize = 64 * 1024;

pub(super) async fn network(body: &Body, console: &mut Console) -> Attempt {
    let spec = &body.spec;
    let server = spec.net.tftp;
    console
        .print(&format!(
            "Booting from network...\n\niPXE (bmc-sim) -- Open Source Network Boot Firmware\nnet0: {} using virtio-net on 0000:00:03.0 [open]\n  [Link:up, TX:0 TXE:0 RX:0 RXE:0]\nConfiguring (net0 {})...... ok\nnet0: {}\nNext server: {}\nFilename: {}\n",
            spec.mac,
            spec.mac,
            body.address(),
            server.ip(),
            spec.loader
        ))
        .await;
    let url = format!("tftp://{}/{}", server.ip(), spec.loader);
    console.print(&format!("{url}... ")).await;
    match spec.net.fetch(&Location::Tftp(spec.loader.clone()), &Options::IPXE, 0).await {
        Ok(fetched) => console.print(&format!("ok\n{} : {} [PXE-NBP]\n", spec.loader, fetched.measure())).await,
        Err(error) => {
            console.print(&format!("{}\nNo more network devices\n\n", ipxe_words(&error))).await;
            return Attempt::Next;
        }
    }
    pxelinux(body, console).await
}

/// iPXE's message for an error, with the code its web site explains.
fn ipxe_words(error: &FetchError) -> String {
    match error {
        FetchError::Timeout => "Connection timed out (https://ipxe.org/4c126035)".into(),
        FetchError::Tftp { code: 1, .. } => "No such file or directory (https://ipxe.org/2d12603b)".into(),
        FetchError::Tftp { code: 2, .. } => "Permission denied (https://ipxe.org/0212603b)".into(),
        FetchError::Tftp { message, .. } => format!("Input/output error (https://ipxe.org/1d126039): {message}"),
        other => format!("Input/output error (https://ipxe.org/1d126039): {other}"),
    }
}

/// PXELINUX as both kinds of firmware can start it.
pub(super) async fn pxelinux(body: &Body, console: &mut Console) -> Attempt {
    let spec = &body.spec;
    let net = &spec.net;
    console.print("\nPXELINUX 4.07 (bmc-sim)\n").await;
    let directory = spec.loader.rfind('/').map_or("", |end| &spec.loader[..=end]);
    let mut text = None;
    for name in config_names(directory, &spec.mac.to_string(), body.address(), false) {
        match net.fetch(&Location::Tftp(name.clone()), &Options::PXELINUX, CONFIG_SIZE).await {
            Ok(fetched) => {
                console.print(&format!("Configuration {name} : {} bytes\n", fetched.bytes)).await;
                text = Some(fetched.text());
                break;
            }
            Err(error) if error.not_found() => {}
            // PXELINUX itself goes on silently; a person looking at the console is better served with the reason
            Err(error) => console.print(&format!("{name}: {error}\n")).await,
        }
    }
    let Some(text) = text else {
        console.print("Unable to locate configuration file\n\nBoot failed: press a key to retry, or wait for reset...\n").await;
        return wait_for_reset(console).await;
    };
    let config = Config::parse(&text);
    for line in &config.say {
        console.print(&format!("{line}\n")).await;
    }
    let facts = Facts { client: body.address(), server: net.tftp.ip(), mac: &spec.mac.to_string() };
    let (kernel, initrds, cmdline) = match config.boot(facts) {
        None => {
            console.print("No DEFAULT or UI configuration directive found!\nboot: ").await;
            return Attempt::Stuck;
        }
        Some(Boot::Local(_)) => {
            console.print("Booting from local disk...\n").await;
            return Attempt::Next;
        }
        Some(Boot::Linux { kernel, initrds, cmdline }) => (kernel, initrds, cmdline),
    };
    if load(body, console, directory, &kernel).await.is_none() {
        console.print(&format!("Could not find kernel image: {kernel}\nboot: ")).await;
        return Attempt::Stuck;
    }
    let mut initrd_bytes = 0;
    for initrd in initrds {
        let Some(bytes) = load(body, console, directory, &initrd).await else {
            console.print(&format!("Could not find ramdisk image: {initrd}\nboot: ")).await;
            return Attempt::Stuck;
        };
        initrd_bytes += bytes;
    }
    console.print("ready.\n").await;
    Attempt::Linux(Kernel { cmdline, initrd_bytes })
}

/// Loads a file PXELINUX names: a URL, `::path` from the server's root, or a path beside the loader. Answers its size.
async fn load(body: &Body, console: &Console, directory: &str, name: &str) -> Option<u64> {
    let location = match name.strip_prefix("::") {
        _ if name.contains("://") => Location::Url(name.to_owned()),
        Some(rooted) => Location::Tftp(rooted.to_owned()),
        None if name.starts_with('/') => Location::Tftp(name.to_owned()),
        None => Location::Tftp(format!("{directory}{name}")),
    };
    console.print(&format!("Loading {name}...")).await;
    match body.spec.net.fetch(&location, &Options::PXELINUX, 0).await {
        Ok(fetched) => {
            console.print(&format!(" ok, {}\n", fetched.measure())).await;
            Some(fetched.bytes)
        }
        Err(error) => {
            console.print(&format!(" failed: {error}\n")).await;
            None
        }
    }
}

/// PXELINUX resets the machine some minutes after a failed boot, or at a key.
async fn wait_for_reset(console: &mut Console) -> Attempt {
    let _ = console.key_within(std::time::Duration::from_secs(300)).await;
    Attempt::End(super::Ending::Reset)
}
