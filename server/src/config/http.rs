//! `[http]`

use std::{net::IpAddr, num::NonZeroU32, time::Duration};

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, de};

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Settings {
    #[serde(deserialize_with = "networks")]
    trusted_proxies: Vec<IpNet>,
    secure_cookies: Option<bool>,
    patience_seconds: Option<NonZeroU32>,
}

/// Seconds, unless said.
const PATIENCE: u64 = 60;

/// How HTTP is spoken.
#[derive(Clone, Debug)]
pub struct Http {
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Send the session's cookie over TLS only. By itself on when `public_url` is https.
    pub secure_cookies: bool,
    /// How long a client may take for the head of a request, and pause within its body, before it is given up.
    pub patience: Duration,
}

impl Settings {
    pub(super) fn complete(self, public_url: Option<&str>) -> Http {
        let tls = public_url.is_some_and(|url| url.starts_with("https://"));
        let patience = Duration::from_secs(self.patience_seconds.map_or(PATIENCE, |seconds| seconds.get().into()));
        Http { trusted_proxies: self.trusted_proxies, secure_cookies: self.secure_cookies.unwrap_or(tls), patience }
    }
}

/// Networks in CIDR form, or single addresses.
pub(super) fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    Vec::<String>::deserialize(deserializer)?
        .iter()
        .map(|text| {
            let single = || text.parse::<IpAddr>().map(IpNet::from);
            text.parse().or_else(|_| single()).map_err(|_| de::Error::custom(format!("`{text}` is neither an address nor a network")))
        })
        .collect()
}
