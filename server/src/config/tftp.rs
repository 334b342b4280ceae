//! `[tftp]`

use std::net::{Ipv4Addr, SocketAddr};

use serde::Deserialize;

use super::ConfigError;

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Settings {
    listen: Option<String>,
}

/// The TFTP server.
#[derive(Clone, Debug)]
pub struct Tftp {
    /// UDP address; none: no TFTP.
    pub listen: Option<SocketAddr>,
    /// Whether somebody asked for that address. Nobody did: not being allowed to bind it is no reason not to start.
    pub explicit: bool,
}

impl Settings {
    pub(super) fn complete(self) -> Result<Tftp, ConfigError> {
        let explicit = self.listen.is_some();
        let listen = match self.listen.as_deref() {
            None => Some(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 69))),
            Some("off") => None,
            Some(text) => Some(text.parse().map_err(|_| ConfigError::Wrong {
                place: "tftp.listen".into(),
                text: format!("`{text}` is neither an address with a port, such as 0.0.0.0:69, nor `off`"),
            })?),
        };
        Ok(Tftp { listen, explicit })
    }
}
