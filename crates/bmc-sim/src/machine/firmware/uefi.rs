//! A UEFI machine's network boot: the firmware's PXE client loads a network boot program, usually GRUB.

use std::time::Duration;

use tokio::sync::Mutex;

use super::{
    super::{
        Firmware,
        console::Console,
        net::{FetchError, Fetched, Location, tftp::Options},
        pretend::{Body, Ending},
    },
    Attempt, Kernel, bios,
    grub::{Grub, Host, Outcome},
};

pub(super) async fn network(body: &Body, console: &mut Console) -> Attempt {
    let spec = &body.spec;
    let mac = spec.mac.to_string().replace(':', "").to_uppercase();
    let option = format!("Boot0001 \"UEFI PXEv4 (MAC:{mac})\"");
    console.print(&format!("BdsDxe: loading {option}\n")).await;
    console.print(&format!("\n>>Start PXE over IPv4.\n  Station IP address is {}\n\n", body.address())).await;
    console.print(&format!("  Server IP address is {}\n  NBP filename is {}\n", spec.net.tftp.ip(), spec.loader)).await;
    if let Err(error) = load_nbp(body, console).await {
        console.print(&format!("  {}\n\n", edk2_words(&error))).await;
        console.print(&format!("BdsDxe: failed to load {option}: Not Found\n")).await;
        return Attempt::Next;
    }
    console.print(&format!("BdsDxe: starting {option}\n")).await;
    let loader = spec.loader.to_lowercase();
    if loader.contains("syslinux") || loader.contains("pxelinux") { bios::pxelinux(body, console).await } else { grub(body, console).await }
}

/// Two requests, as the EDK II client makes them: one for the size, given up at once, and one for the file.
async fn load_nbp(body: &Body, console: &Console) -> Result<(), FetchError> {
    let loader = Location::Tftp(body.spec.loader.clone());
    let size = body.spec.net.fetch(&loader, &Options::OVMF_SIZE, 0).await?;
    if let Some(size) = size.announced {
        console.print(&format!("  NBP filesize is {size} Bytes\n")).await;
    }
    console.print(" Downloading NBP file...\n\n").await;
    let fetched = body.spec.net.fetch(&loader, &Options::OVMF, 0).await?;
    console.print(&format!("  NBP file downloaded successfully: {}.\n", fetched.measure())).await;
    Ok(())
}

/// The EDK II PXE client's message for an error.
fn edk2_words(error: &FetchError) -> String {
    match error {
        FetchError::Timeout => "PXE-E18: Server response timeout.".into(),
        FetchError::Tftp { .. } => "PXE-E23: Client received TFTP error from server.".into(),
        FetchError::Io(error) => format!("PXE-E21: Remote boot cancelled ({error})."),
        other => format!("PXE-E99: Unexpected network error ({other})."),
    }
}

async fn grub(body: &Body, console: &mut Console) -> Attempt {
    let (cpu, directory) = match body.spec.firmware {
        Firmware::UefiArm64 => ("arm64", "arm64-efi"),
        _ => ("x86_64", "x86_64-efi"),
    };
    console.print("Welcome to GRUB!\n\n").await;
    // the signed image asks for these lists of its modules and does without when they are missing
    for list in ["command", "fs", "crypto", "terminal"] {
        let name = Location::Tftp(format!("/grub/{directory}/{list}.lst"));
        if let Err(FetchError::Timeout) = body.spec.net.fetch(&name, &Options::GRUB, 0).await {
            break;
        }
    }
    let mac = body.spec.mac.to_string();
    let server = body.spec.net.tftp.ip().to_string();
    let address = body.address().to_string();
    let device = format!("tftp,{server}");
    let variables = [
        ("prefix", &*format!("({device})/grub")),
        ("root", &device),
        ("cmdpath", &format!("({device})")),
        ("grub_cpu", cpu),
        ("grub_platform", "efi"),
        ("net_default_interface", "efinet0"),
        ("net_default_mac", &mac),
        ("net_default_ip", &address),
        ("net_default_server", &server),
        ("net_efinet0_mac", &mac),
        ("net_efinet0_ip", &address),
        ("pxe_default_server", &server),
        ("feature_menuentry_id", "y"),
    ];
    let host = Machine { body, console: Mutex::new(console) };
    let outcome = Grub::new(&host, variables.map(|(name, value)| (name.to_owned(), value.to_owned()))).run().await;
    match outcome {
        Outcome::Exit => Attempt::Next,
        Outcome::Reboot => Attempt::End(Ending::Reset),
        Outcome::Halt => Attempt::End(Ending::PowerOff),
        Outcome::Prompt => Attempt::Stuck,
        Outcome::Linux(loaded) => {
            console.print(&format!("kernel : {}\n", loaded.kernel.measure())).await;
            for initrd in &loaded.initrds {
                console.print(&format!("initrd : {}\n", initrd.measure())).await;
            }
            console.print("EFI stub: Booting Linux Kernel...\nEFI stub: Exiting boot services...\n").await;
            let initrd_bytes = loaded.initrds.iter().map(|initrd| initrd.bytes).sum();
            Attempt::Linux(Kernel { cmdline: loaded.cmdline, initrd_bytes })
        }
    }
}

/// The machine as GRUB sees it.
struct Machine<'a> {
    body: &'a Body,
    console: Mutex<&'a mut Console>,
}

impl Host for Machine<'_> {
    async fn fetch(&self, location: &Location, keep: usize, probe: bool) -> Result<Fetched, FetchError> {
        let options = Options { size_only: probe, ..Options::GRUB };
        self.body.spec.net.fetch(location, &options, keep).await
    }

    async fn print(&self, text: &str) {
        self.console.lock().await.print(text).await;
    }

    async fn key(&self, limit: Option<Duration>) -> Option<u8> {
        let mut console = self.console.lock().await;
        match limit {
            Some(limit) => console.key_within(limit).await,
            None => Some(console.key().await),
        }
    }

    fn http_base(&self) -> String {
        self.body.spec.net.http_base()
    }
}
