//! Whence a request comes.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, request::Parts},
};
use ipnet::IpNet;

/// The client's address: the peer's, or what trusted proxies say of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    /// From the connection and `X-Forwarded-For`.
    pub fn of(parts: (&HeaderMap, Option<&ConnectInfo<SocketAddr>>), trusted: &[IpNet]) -> Self {
        let (headers, peer) = parts;
        // without a connection it is a call within this process
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |ConnectInfo(peer)| peer.ip().to_canonical());
        if trusted.is_empty() || !is_trusted(peer, trusted) {
            return Self(peer);
        }
        // Each proxy appends whom it heard: from the end, the first who is no proxy of ours is the client.
        // All before that is the client's own word.
        let mut client = peer;
        for value in headers.get_all("x-forwarded-for").iter().rev() {
            for part in value.to_str().unwrap_or_default().rsplit(',') {
                let Ok(address) = part.trim().parse::<IpAddr>() else { return Self(client) };
                client = address.to_canonical();
                if !is_trusted(client, trusted) {
                    return Self(client);
                }
            }
        }
        Self(client)
    }
}

fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|network| network.contains(&address))
}

impl<S: Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.get().copied().unwrap_or(Self(IpAddr::V4(Ipv4Addr::LOCALHOST))))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn seen(peer: &str, forwarded: &[&'static str]) -> String {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", HeaderValue::from_static(value));
        }
        let peer = ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 1));
        ClientAddress::of((&headers, Some(&peer)), &trusted).0.to_string()
    }

    #[test]
    fn a_stranger_is_not_believed() {
        assert_eq!(seen("192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
    }

    #[test]
    fn a_proxy_is_believed_but_not_what_its_client_put_before() {
        assert_eq!(seen("10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(seen("10.0.0.1", &["203.0.113.1, 198.51.100.7"]), "198.51.100.7");
        assert_eq!(seen("10.0.0.1", &["203.0.113.1", "198.51.100.7, 10.0.0.2"]), "198.51.100.7");
        assert_eq!(seen("::1", &["::ffff:198.51.100.7"]), "198.51.100.7");
    }

    #[test]
    fn a_proxy_that_says_nothing_is_the_client() {
        assert_eq!(seen("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(seen("10.0.0.1", &["nonsense"]), "10.0.0.1");
    }
}
