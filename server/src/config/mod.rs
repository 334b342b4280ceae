//! Settings: defaults, then the TOML file, then `MRP_…` of the environment, then flags. One file per topic.
//!
//! Every name that is not a setting is refused with the place it came from: a misspelt one would otherwise be ignored in silence.

mod compat;
mod console;
mod database;
mod http;
mod ipmi;
mod log;
mod netboot;
mod retention;
mod tftp;
mod uploads;

use std::{
    fs, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
};

use serde::Deserialize;
use toml::{Table, Value};

pub use compat::{Compat, covers};
pub use console::Console;
pub use database::Database;
pub use http::Http;
pub use ipmi::Ipmi;
pub use log::{Format, Log};
pub use netboot::Netboot;
pub use retention::Retention;
pub use tftp::Tftp;
pub use uploads::Uploads;

/// Read when no file is named and this one exists.
const DEFAULT_FILE: &str = "/etc/mr-provisioner/config.toml";

/// Prefix of environment variables that are settings: `MRP_LISTEN`, `MRP_TFTP_LISTEN`, …
const PREFIX: &str = "MRP_";

/// Names the file to read; no setting itself.
const FILE_VARIABLE: &str = "MRP_CONFIG";

/// What the server goes by, complete.
#[derive(Clone, Debug)]
pub struct Config {
    /// Folder of everything the server writes.
    pub data_dir: PathBuf,
    /// Where HTTP is answered.
    pub listen: SocketAddr,
    /// Address users' browsers reach the server under, when it is not [`Config::listen`]'s.
    pub public_url: Option<String>,
    pub database: Database,
    pub http: Http,
    pub tftp: Tftp,
    pub netboot: Netboot,
    pub uploads: Uploads,
    pub ipmi: Ipmi,
    pub console: Console,
    pub compat: Compat,
    pub retention: Retention,
    pub log: Log,
    /// The program that renders preseeds apart. No setting: it is this one.
    pub renderer: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("the configuration {file} cannot be read: {source}")]
    Unreadable { file: String, source: io::Error },
    /// The text names the key, and for a file the line.
    #[error("{place}: {text}")]
    Wrong { place: String, text: String },
}

/// Settings as written: everything may be absent.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    data_dir: Option<PathBuf>,
    listen: Option<SocketAddr>,
    public_url: Option<String>,
    database: database::Settings,
    http: http::Settings,
    tftp: tftp::Settings,
    netboot: netboot::Settings,
    uploads: uploads::Settings,
    ipmi: ipmi::Settings,
    console: console::Settings,
    compat: compat::Settings,
    retention: retention::Settings,
    log: log::Settings,
}

/// Names of the tables of [`Settings`]: `MRP_TFTP_LISTEN` is `listen` of `[tftp]`, `MRP_DATA_DIR` is `data_dir`.
const TABLES: [&str; 10] = ["database", "http", "tftp", "netboot", "uploads", "ipmi", "console", "compat", "retention", "log"];

/// Settings of the command line, e.g. `("listen", "127.0.0.1:0")` or `("tftp_listen", "off")`.
pub type Flags = Vec<(&'static str, String)>;

impl Config {
    /// Puts the settings of all places together.
    ///
    /// # Errors
    /// Names the place and the key of the first setting that is unknown or wrong.
    pub fn load(file: Option<&Path>, environment: impl IntoIterator<Item = (String, String)>, flags: Flags) -> Result<Self, ConfigError> {
        let environment: Vec<_> = environment.into_iter().filter(|(name, _)| name.starts_with(PREFIX)).collect();
        let named = environment.iter().find(|(name, _)| name == FILE_VARIABLE).map(|(_, value)| PathBuf::from(value));
        let file = file.map(Path::to_owned).or(named).or_else(|| Some(PathBuf::from(DEFAULT_FILE)).filter(|path| path.exists()));

        let mut table = file.as_deref().map_or_else(|| Ok(Table::new()), read)?;
        for (name, text) in environment.iter().filter(|(name, _)| name != FILE_VARIABLE) {
            overlay(&mut table, name, &name[PREFIX.len()..].to_ascii_lowercase(), text)?;
        }
        for (name, text) in flags {
            overlay(&mut table, &format!("--{}", name.replace('_', "-")), name, &text)?;
        }
        let settings = Settings::deserialize(table).map_err(|error| wrong("settings", &error))?;
        Self::complete(settings)
    }

    fn complete(settings: Settings) -> Result<Self, ConfigError> {
        let data_dir = settings.data_dir.unwrap_or_else(default_data_dir);
        let public_url = settings.public_url.map(|url| base_url("public_url", &url)).transpose()?;
        Ok(Self {
            listen: settings.listen.unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, 8080))),
            database: settings.database.complete(&data_dir),
            http: settings.http.complete(public_url.as_deref()),
            tftp: settings.tftp.complete()?,
            netboot: settings.netboot.complete(&data_dir)?,
            uploads: settings.uploads.complete(),
            ipmi: settings.ipmi.complete()?,
            console: settings.console.complete(&data_dir),
            compat: settings.compat.complete(),
            retention: settings.retention.complete(),
            log: settings.log.complete(),
            renderer: std::env::current_exe().unwrap_or_else(|_| PathBuf::from("mr-provisioner")),
            public_url,
            data_dir,
        })
    }

    /// Where users find the server, without a slash at its end.
    #[must_use]
    pub fn public_url(&self) -> String {
        self.public_url.clone().unwrap_or_else(|| format!("http://{}", self.reachable()))
    }

    /// Base of the addresses handed to machines (preseeds, HTTP boot), without a slash at its end.
    #[must_use]
    pub fn netboot_url(&self) -> String {
        self.netboot.url.clone().unwrap_or_else(|| format!("http://{}", self.reachable()))
    }

    /// [`Config::listen`] as an address one can connect to: `0.0.0.0` is none.
    fn reachable(&self) -> SocketAddr {
        match self.listen.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => SocketAddr::from((Ipv4Addr::LOCALHOST, self.listen.port())),
            IpAddr::V6(ip) if ip.is_unspecified() => SocketAddr::from((Ipv6Addr::LOCALHOST, self.listen.port())),
            _ => self.listen,
        }
    }

    /// Folder of uploaded images.
    #[must_use]
    pub fn images_dir(&self) -> PathBuf {
        self.data_dir.join("images")
    }

    /// The key that seals BMC passwords.
    #[must_use]
    pub fn key_file(&self) -> PathBuf {
        self.data_dir.join("secret.key")
    }
}

fn read(path: &Path) -> Result<Table, ConfigError> {
    let file = path.display().to_string();
    let text = fs::read_to_string(path).map_err(|source| ConfigError::Unreadable { file: file.clone(), source })?;
    // read twice: the text's own error shows the line, which a table no longer knows
    toml::from_str::<Settings>(&text).map_err(|error| wrong(&file, &error))?;
    text.parse::<Table>().map_err(|error| wrong(&file, &error))
}

/// Lays one setting of the environment or the command line over the table.
fn overlay(table: &mut Table, place: &str, name: &str, text: &str) -> Result<(), ConfigError> {
    let (section, key) = TABLES
        .iter()
        .find_map(|section| name.strip_prefix(section)?.strip_prefix('_').map(|key| (Some(*section), key)))
        .unwrap_or((None, name));
    // numbers, truth values and lists are written as in the file; what is none of them is a string
    let value = format!("value = {text}").parse::<Table>().ok().and_then(|mut table| table.remove("value"));
    let typed = value.filter(|value| matches!(value, Value::Integer(_) | Value::Boolean(_) | Value::Array(_)));
    let mut first = None;
    for value in typed.into_iter().chain([Value::String(text.to_owned())]) {
        let mut alone = Table::new();
        put(&mut alone, section, key, value.clone());
        match Settings::deserialize(alone) {
            Ok(_) => {
                put(table, section, key, value);
                return Ok(());
            }
            Err(error) => first = first.or(Some(wrong(place, &error))),
        }
    }
    // the loop ran at least once, for the string
    first.map_or(Ok(()), Err)
}

fn put(table: &mut Table, section: Option<&str>, key: &str, value: Value) {
    let Some(section) = section else {
        table.insert(key.into(), value);
        return;
    };
    let entry = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
    if let Value::Table(inner) = entry {
        inner.insert(key.into(), value);
    }
}

fn wrong(place: &str, error: &toml::de::Error) -> ConfigError {
    ConfigError::Wrong { place: place.into(), text: error.to_string().trim().to_owned() }
}

/// An address that others are made from: http or https, a host, no query, no slash at its end.
fn base_url(key: &str, url: &str) -> Result<String, ConfigError> {
    let bare = url.trim_end_matches('/');
    let host = bare.strip_prefix("http://").or_else(|| bare.strip_prefix("https://")).unwrap_or_default();
    if host.is_empty() || host.starts_with('/') || bare.contains(['?', '#', ' ', '"', '\\']) || bare.chars().any(char::is_control) {
        let text = format!("`{url}` is not an address such as https://lab.example.org");
        return Err(ConfigError::Wrong { place: key.into(), text });
    }
    Ok(bare.to_owned())
}

/// systemd's state folder, else the user's data folder, else the system's.
fn default_data_dir() -> PathBuf {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("STATE_DIRECTORY")
        .or_else(|| set("XDG_DATA_HOME").map(|dir| dir.join("mr-provisioner")))
        .or_else(|| set("HOME").map(|dir| dir.join(".local/share/mr-provisioner")))
        .unwrap_or_else(|| PathBuf::from("/var/lib/mr-provisioner"))
}

#[cfg(test)]
mod tests;
