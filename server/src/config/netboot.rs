//! `[netboot]`

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{ConfigError, base_url};

/// Where Debian's packages put bootloaders (pxelinux, syslinux-common, grub-efi-*-signed, shim-signed).
const DEBIAN: [&str; 5] = [
    "/usr/lib/PXELINUX",
    "/usr/lib/syslinux/modules/bios",
    "/usr/lib/grub/x86_64-efi-signed",
    "/usr/lib/grub/arm64-efi-signed",
    "/usr/lib/shim",
];

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Settings {
    url: Option<String>,
    loader_dirs: Option<Vec<PathBuf>>,
    preseed_dns: Option<String>,
}

/// What booting machines are told.
#[derive(Clone, Debug)]
pub struct Netboot {
    /// Base of preseed and HTTP boot addresses as machines reach this server. Use [`super::Config::netboot_url`].
    pub url: Option<String>,
    /// Folders whose files any machine may fetch, the first that has it wins.
    pub loader_dirs: Vec<PathBuf>,
    /// The variable of preseeds that names a DNS server.
    pub preseed_dns: Option<String>,
}

impl Settings {
    pub(super) fn complete(self, data_dir: &Path) -> Result<Netboot, ConfigError> {
        let default = || [data_dir.join("loaders")].into_iter().chain(DEBIAN.map(PathBuf::from)).collect();
        Ok(Netboot {
            url: self.url.map(|url| base_url("netboot.url", &url)).transpose()?,
            loader_dirs: self.loader_dirs.unwrap_or_else(default),
            preseed_dns: self.preseed_dns,
        })
    }
}
