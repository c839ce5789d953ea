//! Where a request comes from: the connection's address, or what a trusted proxy says of the client behind it.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{Extensions, HeaderMap, HeaderName};
use ipnet::IpNet;

use crate::state::AppState;

static FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The other end of the connection; put into each request by `serve`.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

/// The proxies whose X-Forwarded-* headers are believed. Nobody's, unless configured.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Vec<IpNet>);

impl FromStr for TrustedProxies {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let network = |part: &str| {
            let one = || part.parse::<IpAddr>().ok().map(IpNet::from);
            part.parse::<IpNet>()
                .ok()
                .or_else(one)
                .ok_or_else(|| format!("{part:?} is neither an address nor a network such as 10.0.0.0/8"))
        };
        parts.map(network).collect::<Result<_, _>>().map(Self)
    }
}

impl TrustedProxies {
    /// Whether this request was passed on by a proxy whose headers are believed.
    pub fn sent(&self, extensions: &Extensions) -> bool {
        extensions.get::<Peer>().is_some_and(|peer| self.holds(peer.0))
    }

    /// Whether this is one of them.
    pub fn holds(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The client: each proxy appends whom it was asked by, so what stands to the right of the first stranger was
    /// written by proxies, and what stands to the left of it by anybody.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        let values = headers.get_all(&FORWARDED_FOR);
        let hops = values
            .iter()
            .rev()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.rsplit(','));
        for hop in hops {
            if !self.holds(client) {
                break;
            }
            // What cannot be read is told by nobody who is trusted: the last one known asked for it.
            let Some(address) = parse(hop.trim()) else { break };
            client = address;
        }
        client
    }
}

/// An address, with or without a port.
fn parse(text: &str) -> Option<IpAddr> {
    let address = text.parse::<IpAddr>().ok();
    let address = address.or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    address.map(|address| address.to_canonical())
}

/// The client's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    /// Whoever has this address has it alone: an IPv6 customer is given a /64 at least.
    pub fn network(self) -> IpNet {
        let bits = if self.0.is_ipv4() { 32 } else { 64 };
        IpNet::new(self.0, bits).map_or_else(|_| self.0.into(), |network| network.trunc())
    }
}

impl FromRequestParts<AppState> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<Peer>();
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0);
        Ok(Self(state.config.trusted_proxies.client(peer, &parts.headers)))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;

    fn client(trusted: &str, peer: &str, forwarded: &[&str]) -> String {
        let trusted: TrustedProxies = trusted.parse().unwrap();
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(&FORWARDED_FOR, value.parse().unwrap());
        }
        trusted.client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn nobody_is_believed_unless_configured() {
        assert_eq!(client("", "127.0.0.1", &["9.9.9.9"]), "127.0.0.1");
        assert_eq!(client("10.0.0.0/8", "192.0.2.1", &["9.9.9.9"]), "192.0.2.1");
    }

    #[test]
    fn behind_trusted_proxies_the_rightmost_stranger_is_the_client() {
        let trusted = "10.0.0.0/8, 127.0.0.1, fd00::/8";
        assert_eq!(client(trusted, "10.0.0.1", &["9.9.9.9"]), "9.9.9.9");
        assert_eq!(client(trusted, "10.0.0.1", &["6.6.6.6, 9.9.9.9"]), "9.9.9.9");
        assert_eq!(
            client(trusted, "127.0.0.1", &["6.6.6.6, 9.9.9.9,10.1.2.3"]),
            "9.9.9.9"
        );
        // Two headers are one list.
        assert_eq!(
            client(trusted, "127.0.0.1", &["6.6.6.6", "9.9.9.9, 10.1.2.3"]),
            "9.9.9.9"
        );
        assert_eq!(client(trusted, "fd00::1", &["2001:db8::7"]), "2001:db8::7");
        assert_eq!(client(trusted, "::ffff:10.0.0.1", &["9.9.9.9"]), "9.9.9.9");
        assert_eq!(client(trusted, "10.0.0.1", &["9.9.9.9:443"]), "9.9.9.9");
        assert_eq!(client(trusted, "10.0.0.1", &["[2001:db8::7]:443"]), "2001:db8::7");
        // All of them proxies: the first is the client.
        assert_eq!(client(trusted, "10.0.0.1", &["10.0.0.3, 10.0.0.2"]), "10.0.0.3");
        assert_eq!(client(trusted, "10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn what_cannot_be_read_names_nobody() {
        assert_eq!(
            client("10.0.0.0/8", "10.0.0.1", &["9.9.9.9, unknown"]),
            "10.0.0.1"
        );
        assert_eq!(client("10.0.0.0/8", "10.0.0.1", &[""]), "10.0.0.1");
        for wrong in ["10.0.0.0/33", "localhost", "10.0.0.1 10.0.0.2"] {
            assert!(wrong.parse::<TrustedProxies>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_whole_64_is_one_client() {
        let network = |text: &str| ClientAddress(text.parse().unwrap()).network();
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff::9"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
    }
}
