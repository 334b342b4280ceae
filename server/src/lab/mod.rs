//! The rules of the lab: one file per subject. Each function checks the actor's right, opens the transaction,
//! applies the rule and writes the event. Knows no axum and no SQL.

pub mod accounts;
mod actor;
pub mod archs;
pub mod assignments;
pub mod audit;
pub mod bmcs;
pub mod bulk;
pub mod consoles;
pub mod discovery;
mod error;
pub mod hardware;
pub mod images;
pub mod interfaces;
pub mod leases;
pub mod machines;
pub mod networks;
pub mod overview;
pub mod policy;
pub mod power;
pub mod preseeds;
pub mod provision;
pub mod retention;
pub mod uses;
mod vendors;
pub mod version;
pub mod watch;

use std::{future::Future, ops::Deref, panic::resume_unwind, sync::Arc};

use store::Store;
use tokio_util::sync::CancellationToken;

pub use actor::{Actor, Origin, Reach};
pub use error::LabError;
use error::{in_use, mac_taken};
pub use policy::{Action, Ties};
pub use uses::Instead;

use crate::{
    bmc::Fleet,
    config::Config,
    console::{self, Broker},
    images::Files,
    journal::Journal,
    lab::{accounts::Accounts, machines::Listings},
    netboot::{self, Netboot},
    secrets::Secrets,
};

/// Everything the rules work on. Cheap to clone.
#[derive(Clone)]
pub struct Lab(Arc<Parts>);

pub struct Parts {
    pub config: Config,
    pub store: Store,
    pub journal: Journal,
    pub secrets: Secrets,
    /// The files behind the images.
    pub images: Files,
    pub accounts: Accounts,
    /// What lists of all machines were last.
    pub listings: Listings,
    pub fleet: Fleet,
    pub consoles: Broker,
    pub netboot: Netboot,
    /// Cancelled when the server ends: whatever goes on for long listens to it.
    pub shutdown: CancellationToken,
}

impl Lab {
    /// Opens everything the configuration names. The schema is left as it is: see [`Store::migrate`].
    ///
    /// # Errors
    /// When a folder, the key file or the database cannot be opened.
    pub async fn open(config: Config, shutdown: CancellationToken) -> Result<Self, LabError> {
        std::fs::create_dir_all(&config.data_dir).map_err(LabError::Files)?;
        let store = Store::open(&config.database.url).await?;
        let journal = Journal::new(store.clone());
        let images = Files::new(&config.images_dir(), config.uploads.limit).map_err(LabError::Files)?;
        let settings = netboot::Settings {
            url: config.netboot_url(),
            preseed_dns: config.netboot.preseed_dns.clone().unwrap_or_default(),
            loader_dirs: config.netboot.loader_dirs.clone(),
            bare_preseeds: config.compat.bare_preseeds.clone(),
            renderer: config.renderer.clone(),
        };
        let consoles = console::Settings { log_dir: config.console.log_dir.clone(), linger: config.console.linger };
        Ok(Self(Arc::new(Parts {
            secrets: Secrets::open(&config.key_file())?,
            accounts: Accounts::new()?,
            listings: Listings::default(),
            fleet: Fleet::new(journal.clone(), config.ipmi.ipmitool.clone()),
            consoles: Broker::new(consoles, shutdown.clone()),
            netboot: Netboot::new(store.clone(), journal.clone(), images.clone(), settings),
            images,
            journal,
            store,
            config,
            shutdown,
        })))
    }
}

/// Runs something that must not be left half done when the client goes away: a request's future is dropped with its connection.
async fn whole<T: Send + 'static>(work: impl Future<Output = Result<T, LabError>> + Send + 'static) -> Result<T, LabError> {
    match tokio::spawn(work).await {
        Ok(result) => result,
        // only the runtime's end cancels it, and this with it
        Err(error) => resume_unwind(error.into_panic()),
    }
}

impl Deref for Lab {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
