//! `[compat]`

use std::{
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::Deserialize;

use super::http::networks;

/// Where Debian's package ieee-data puts the registries of MAC prefixes, the longest prefixes first.
const IEEE: [&str; 3] = ["/usr/share/ieee-data/oui36.csv", "/usr/share/ieee-data/mam.csv", "/usr/share/ieee-data/oui.csv"];

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Settings {
    #[serde(deserialize_with = "some_networks")]
    clients: Option<Vec<IpNet>>,
    next_server: Option<Ipv4Addr>,
    #[serde(deserialize_with = "networks")]
    bare_preseeds: Vec<IpNet>,
    vendor_files: Option<Vec<PathBuf>>,
}

/// What installations keep of the original's surroundings: a Kea hook that tells of leases, a TFTP server that asks over HTTP,
/// addresses of preseeds without a key.
#[derive(Clone, Debug)]
pub struct Compat {
    /// Whose requests to `/dhcp` and `/tftp` are answered. They carry no login: whoever may ask can register leases.
    pub clients: Vec<IpNet>,
    /// The TFTP server that machines with netboot on are told; none: [`super::Config::next_server`] makes one up.
    pub next_server: Option<Ipv4Addr>,
    /// Who gets a preseed without its key. Machine ids can be counted, and preseeds hold passwords: nobody, unless somebody says so.
    pub bare_preseeds: Vec<IpNet>,
    /// Registries of MAC prefixes as the IEEE publishes them in CSV; those that are not there are left out.
    pub vendor_files: Vec<PathBuf>,
}

impl Settings {
    pub(super) fn complete(self) -> Compat {
        let loopback =
            || vec![Ipv4Net::new_assert(Ipv4Addr::LOCALHOST, 8).trunc().into(), Ipv6Net::from(std::net::Ipv6Addr::LOCALHOST).into()];
        Compat {
            clients: self.clients.unwrap_or_else(loopback),
            next_server: self.next_server,
            bare_preseeds: self.bare_preseeds,
            vendor_files: self.vendor_files.unwrap_or_else(|| IEEE.map(PathBuf::from).to_vec()),
        }
    }
}

impl super::Config {
    /// The address machines are told to fetch their loader from, if it is known. DHCP takes addresses, not names; and a machine that is
    /// told a loopback address asks itself.
    #[must_use]
    pub fn next_server(&self) -> Option<Ipv4Addr> {
        let url = self.netboot_url();
        let host = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest).split(['/', ':']).next().unwrap_or_default();
        self.compat.next_server.or_else(|| host.parse().ok().filter(|address: &Ipv4Addr| !address.is_loopback()))
    }
}

/// Whether one of the networks has the address.
#[must_use]
pub fn covers(networks: &[IpNet], address: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(&address))
}

fn some_networks<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<IpNet>>, D::Error> {
    networks(deserializer).map(Some)
}
