//! Answers for booting machines, and what their fetches tell about them.

use std::{
    collections::HashMap,
    net::IpAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use app::api::{BootProtocol, EventKind, FileRole, ImageType, MacAddr, PreseedType};
use ipnet::IpNet;
use store::{ImageRow, MachineView, Store, StoreError};

use super::{
    ask::Ask,
    loader::{Boot, Decision, Flavour, GRUB_ENTRY, LocalReason, loader_config, preseed_options},
    preseed::PreseedError,
};
use crate::{images::Files, journal::Journal};

/// How long an address is taken to be the machine that last asked for its configuration from it.
const SEEN_FOR: Duration = Duration::from_secs(15 * 60);
/// How long a loader's fetch waits for the configuration request that tells whose it was.
const PENDING_FOR: Duration = Duration::from_secs(3 * 60);
/// Addresses remembered; a flood of forged ones must not grow the memory.
const ADDRESSES: usize = 4096;
const PENDING_PER_ADDRESS: usize = 8;

#[derive(Clone, Debug)]
pub struct Settings {
    /// Base of the addresses given to machines, e.g. `http://10.0.0.1:8080`, without a slash at its end.
    pub url: String,
    /// Name server for installers, or empty.
    pub preseed_dns: String,
    /// Folders with loaders, searched in this order for the path asked for, then for its last part.
    pub loader_dirs: Vec<PathBuf>,
    /// Who gets a preseed without its key.
    pub bare_preseeds: Vec<IpNet>,
    /// The program that renders preseeds apart: the server itself.
    pub renderer: PathBuf,
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Netboot(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) store: Store,
    journal: Journal,
    images: Files,
    pub(super) settings: Settings,
    addresses: Mutex<HashMap<IpAddr, Address>>,
}

/// What is known of an address that machines fetch from.
struct Address {
    touched: Instant,
    machine: Option<(i64, Instant)>,
    pending: Vec<(Instant, EventKind)>,
}

/// What a machine is sent.
#[derive(Debug)]
pub enum Answer {
    Text(String),
    File { path: PathBuf, len: u64 },
}

/// Why a machine is sent nothing; the text stands on its screen.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("{0}")]
    NotFound(String),
    #[error("{0}")]
    Denied(String),
    #[error("{0}")]
    Unavailable(String),
    /// The preseed's own fault.
    #[error(transparent)]
    Preseed(#[from] PreseedError),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "a booting machine could not be answered");
        Self::Unavailable("the server's database does not answer".into())
    }
}

/// How a fetch ended.
#[derive(Debug)]
pub struct Fetched<'a> {
    pub path: &'a str,
    pub client: IpAddr,
    pub protocol: BootProtocol,
    pub bytes: u64,
    pub elapsed: Duration,
    /// Why it ended early, if it did.
    pub failure: Option<String>,
}

impl Fetched<'_> {
    fn event(self, role: FileRole) -> EventKind {
        let Self { path, client, protocol, bytes, elapsed, failure } = self;
        let path = path.trim_start_matches('/').to_owned();
        let client_ip = client.to_string();
        match failure {
            None => EventKind::FileFetched { role, path, protocol, client_ip, bytes, seconds: elapsed.as_secs_f64() },
            Some(message) => EventKind::FetchFailed { role, path, protocol, client_ip, bytes, message },
        }
    }
}

impl Netboot {
    #[must_use]
    pub fn new(store: Store, journal: Journal, images: Files, settings: Settings) -> Self {
        Self(Arc::new(Inner { store, journal, images, settings, addresses: Mutex::default() }))
    }

    /// What to send for a path, over either protocol.
    ///
    /// # Errors
    /// A [`Refusal`] whose text may be sent to the client.
    pub async fn answer(&self, path: &str, client: IpAddr) -> Result<Answer, Refusal> {
        match Ask::parse(path) {
            Ask::GrubEntry => Ok(Answer::Text(GRUB_ENTRY.into())),
            Ask::MachineConfig(flavour, mac) => self.machine_config(path, client, flavour, &mac).await.map(Answer::Text),
            // only those ask for it whose own MAC has no configuration: unknown machines
            Ask::PxelinuxDefault => Ok(Answer::Text(loader_config(Flavour::Pxelinux, None, &Decision::Local(LocalReason::UnknownMac)))),
            Ask::EfiDefault => Ok(Answer::Text(loader_config(Flavour::Grub, None, &Decision::Local(LocalReason::UnknownMac)))),
            Ask::Kernel(machine) => self.machine_file(machine, "kernel", |view| view.kernel_id).await,
            Ask::Initrd(machine) => self.machine_file(machine, "initrd", |view| view.initrd_id).await,
            Ask::File(name) => self.file(&name).await,
            Ask::Refused(reason) => {
                Err(if path.contains("..") { Refusal::Denied(reason.into()) } else { Refusal::NotFound(reason.into()) })
            }
        }
    }

    /// As [`Netboot::answer`], for a TFTP server that asks on behalf of the machine at `client`. Loader configurations of the original's
    /// installations name kernels by their path: one is given by it while some machine is to boot it, as by the machine's id.
    ///
    /// # Errors
    /// A [`Refusal`] whose text may be sent to the client.
    pub async fn answer_proxy(&self, path: &str, client: IpAddr) -> Result<Answer, Refusal> {
        let image = match Ask::parse(path) {
            Ask::File(name) => store::images::get_by_filename(&mut *self.0.store.read().await?, &name).await?,
            _ => None,
        };
        if let Some(image) = image {
            let inventory = self.0.store.inventory().await?;
            let boots = |machine: &MachineView| machine.netboot_enabled && [machine.kernel_id, machine.initrd_id].contains(&Some(image.id));
            if inventory.machines().any(boots) {
                return self.blob(&image).await;
            }
        }
        self.answer(path, client).await
    }

    async fn machine_config(&self, path: &str, client: IpAddr, flavour: Flavour, mac: &MacAddr) -> Result<String, Refusal> {
        let Some(view) = store::machines::view_by_mac(&mut *self.0.store.read().await?, mac.as_str()).await? else {
            return Ok(loader_config(flavour, Some(mac), &Decision::Local(LocalReason::UnknownMac)));
        };
        let decision = self.decide(&view).await?;
        for earlier in self.now_known(client, view.id) {
            self.note(view.id, earlier).await;
        }
        let (netboot, reason) = match &decision {
            Decision::Netboot(_) => (true, None),
            Decision::Local(reason) => (false, Some(reason.text().to_owned())),
        };
        let filename = path.trim_start_matches('/').to_owned();
        self.note(view.id, EventKind::TftpReq { filename, client_ip: client.to_string(), netboot, reason }).await;
        Ok(loader_config(flavour, Some(mac), &decision))
    }

    async fn decide(&self, view: &MachineView) -> Result<Decision, Refusal> {
        if !view.netboot_enabled {
            return Ok(Decision::Local(LocalReason::NetbootOff));
        }
        let Some(kernel) = view.kernel_id else {
            return Ok(Decision::Local(LocalReason::NoKernel));
        };
        let Some(kernel) = store::images::get(&mut *self.0.store.read().await?, kernel).await? else {
            return Ok(Decision::Local(LocalReason::NoKernel));
        };
        if !tokio::fs::try_exists(self.0.images.path(&kernel.sha256)).await.unwrap_or(false) {
            return Ok(Decision::Local(LocalReason::KernelGone));
        }
        let mut options = view.kernel_opts.clone();
        if let Some(kind) = view.preseed_type.as_deref().and_then(|word| PreseedType::parse(word).ok()) {
            let url = format!("{}/preseed/{}?k={}", self.0.settings.url, view.id, view.preseed_key);
            options = format!("{} {options}", preseed_options(kind, &url, &self.0.settings.preseed_dns));
        }
        Ok(Decision::Netboot(Boot {
            machine: view.id,
            name: view.name.clone(),
            kernel: kernel.name,
            has_initrd: view.initrd_id.is_some(),
            options: options.trim().to_owned(),
        }))
    }

    async fn machine_file(&self, machine: i64, what: &str, image: impl Fn(&MachineView) -> Option<i64>) -> Result<Answer, Refusal> {
        let mut read = self.0.store.read().await?;
        let view = store::machines::view(&mut read, machine).await?.filter(|view| view.netboot_enabled);
        let view = view.ok_or_else(|| Refusal::NotFound("no such machine, or its netboot is off".into()))?;
        let image = image(&view).ok_or_else(|| Refusal::NotFound(format!("the machine has no {what}")))?;
        let image = store::images::get(&mut read, image).await?.ok_or_else(|| Refusal::NotFound(format!("the {what} is gone")))?;
        drop(read);
        self.blob(&image).await
    }

    async fn blob(&self, image: &ImageRow) -> Result<Answer, Refusal> {
        let path = self.0.images.path(&image.sha256);
        match tokio::fs::metadata(&path).await {
            Ok(found) => Ok(Answer::File { path, len: found.len() }),
            Err(error) => {
                tracing::error!(image = image.id, %error, "an image's file is missing");
                Err(Refusal::NotFound("the file is missing on the server".into()))
            }
        }
    }

    /// An uploaded loader by its path, or a file of the loader folders. Kernels and initrds are not given by name:
    /// only their machine gets them.
    async fn file(&self, name: &str) -> Result<Answer, Refusal> {
        let image = store::images::get_by_filename(&mut *self.0.store.read().await?, name).await?;
        if let Some(image) = image.filter(|image| image.file_type == ImageType::Bootloader.word()) {
            return self.blob(&image).await;
        }
        let last = Path::new(name).file_name().map(PathBuf::from).unwrap_or_default();
        for dir in &self.0.settings.loader_dirs {
            for candidate in [dir.join(name), dir.join(&last)] {
                if let Ok(found) = tokio::fs::metadata(&candidate).await
                    && found.is_file()
                {
                    return Ok(Answer::File { path: candidate, len: found.len() });
                }
            }
        }
        Err(Refusal::NotFound("no such file".into()))
    }

    /// Notes what became of a fetch, with the machine it belongs to as soon as that is known. What is kept until then is kept when
    /// this returns, before the machine asks for the next thing; the future writes it down.
    pub fn fetched(&self, fetch: Fetched<'_>) -> impl Future<Output = ()> + Send + use<> {
        let (netboot, client) = (self.clone(), fetch.client);
        let noted = match Ask::parse(fetch.path) {
            Ask::Kernel(machine) => Some((machine, fetch.event(FileRole::Kernel))),
            Ask::Initrd(machine) => Some((machine, fetch.event(FileRole::Initrd))),
            Ask::File(name) => {
                self.keep_for_later(client, fetch.event(if is_loader(&name) { FileRole::Loader } else { FileRole::File }));
                None
            }
            // configurations have an event of their own, made when they are answered
            _ => None,
        };
        async move {
            if let Some((machine, event)) = noted {
                netboot.note(machine, event).await;
            } else if netboot.has_pending(client)
                && let Some(machine) = netboot.machine_at(client).await
            {
                for event in netboot.take_pending(client) {
                    netboot.note(machine, event).await;
                }
            }
        }
    }

    pub(super) async fn note(&self, machine: i64, event: EventKind) {
        // the machine may have been deleted meanwhile; its boot goes on, and there is no log to write to
        if let Err(error) = self.0.journal.record(machine, None, event).await {
            tracing::warn!(machine, %error, "an event of a booting machine was not kept");
        }
    }

    async fn machine_at(&self, client: IpAddr) -> Option<i64> {
        {
            let addresses = self.addresses();
            if let Some((machine, since)) = addresses.get(&client).and_then(|address| address.machine)
                && since.elapsed() < SEEN_FOR
            {
                return Some(machine);
            }
        }
        let mut read = self.0.store.read().await.ok()?;
        let interfaces = store::interfaces::list_by_ipv4(&mut read, &client.to_string()).await.ok()?;
        match interfaces.as_slice() {
            [one] => return Some(one.machine_id),
            // the same address in several networks: nobody's
            [_, ..] => return None,
            [] => {}
        }
        let lease = store::leases::get_by_ipv4(&mut read, &client.to_string()).await.ok()??;
        Some(store::interfaces::get_by_mac(&mut read, &lease.mac).await.ok()??.machine_id)
    }

    /// Remembers which machine an address is, and gives back what was fetched from it before that was known.
    fn now_known(&self, client: IpAddr, machine: i64) -> Vec<EventKind> {
        touch(&mut self.addresses(), client).machine = Some((machine, Instant::now()));
        self.take_pending(client)
    }

    fn has_pending(&self, client: IpAddr) -> bool {
        self.addresses().get(&client).is_some_and(|address| !address.pending.is_empty())
    }

    fn take_pending(&self, client: IpAddr) -> Vec<EventKind> {
        let mut addresses = self.addresses();
        let Some(address) = addresses.get_mut(&client) else { return Vec::new() };
        address.pending.drain(..).filter(|(at, _)| at.elapsed() < PENDING_FOR).map(|(_, event)| event).collect()
    }

    fn keep_for_later(&self, client: IpAddr, event: EventKind) {
        let mut addresses = self.addresses();
        let address = touch(&mut addresses, client);
        if address.pending.len() == PENDING_PER_ADDRESS {
            address.pending.remove(0);
        }
        address.pending.push((Instant::now(), event));
    }

    fn addresses(&self) -> MutexGuard<'_, HashMap<IpAddr, Address>> {
        self.0.addresses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn touch(addresses: &mut HashMap<IpAddr, Address>, client: IpAddr) -> &mut Address {
    if addresses.len() >= ADDRESSES && !addresses.contains_key(&client) {
        let oldest = addresses.iter().min_by_key(|(_, address)| address.touched).map(|(ip, _)| *ip);
        if let Some(oldest) = oldest {
            addresses.remove(&oldest);
        }
    }
    let address = addresses.entry(client).or_insert_with(|| Address { touched: Instant::now(), machine: None, pending: Vec::new() });
    address.touched = Instant::now();
    address
}

/// Whether a name is that of a program firmware starts.
fn is_loader(name: &str) -> bool {
    let last = name.rsplit('/').next().unwrap_or(name);
    // an uploaded image's name ends in a dot and eight hex digits
    let last = match last.rsplit_once('.') {
        Some((stem, end)) if end.len() == 8 && end.bytes().all(|b| b.is_ascii_hexdigit()) => stem,
        _ => last,
    };
    let last = last.strip_suffix(".signed").unwrap_or(last).to_ascii_lowercase();
    [".0", ".efi", ".kpxe", ".kkpxe", ".pxe", ".ipxe"].iter().any(|end| last.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loaders_are_told_from_other_files() {
        for name in ["pxelinux.0", "grubnetx64.efi.signed", "EFI/BOOT/BOOTX64.EFI", "ann/grubnetaa64.efi.12ab34cd", "undionly.kpxe"] {
            assert!(is_loader(name), "{name}");
        }
        for name in ["ldlinux.c32", "grub/x86_64-efi/command.lst", "linux", "revocations_sbat.efi.txt"] {
            assert!(!is_loader(name), "{name}");
        }
    }
}
