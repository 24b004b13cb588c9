//! Who may ask. An exposed decision endpoint is a token oracle, so only known callers are answered.

use std::net::IpAddr;

use ipnet::IpNet;

use super::{Field, RequestHead};
use crate::domain::Secret;

/// The callers that are answered.
#[derive(Debug, Clone)]
pub struct TrustedProxies {
    networks: Vec<IpNet>,
    secret: Option<Secret>,
}

impl TrustedProxies {
    /// Loopback, private and unique-local ranges (RFC 1122 §3.2.1.3, RFC 1918, RFC 4193).
    pub const DEFAULT_NETWORKS: [&'static str; 6] =
        ["127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7"];

    /// Callers from `networks`, who must also send `secret` in `X-Proxy-Secret` when there is one.
    pub const fn new(networks: Vec<IpNet>, secret: Option<Secret>) -> Self {
        Self { networks, secret }
    }

    /// Whether this caller is answered.
    pub fn admits(&self, head: &dyn RequestHead) -> bool {
        head.peer().is_some_and(|peer| self.contains(peer)) && self.secret_is_right(head)
    }

    /// Whether `address` lies in a trusted network. A mapped IPv4 address counts as the address it maps (RFC 4291 §2.5.5.2).
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.contains(&address))
    }

    fn secret_is_right(&self, head: &dyn RequestHead) -> bool {
        let Some(secret) = &self.secret else { return true };
        head.field(Field::ProxySecret).once().is_some_and(|presented| secret.matches(presented))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::head::RecordedHead;

    fn default_networks() -> Vec<IpNet> {
        TrustedProxies::DEFAULT_NETWORKS.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn private_callers_are_trusted_and_public_ones_are_not() {
        let trusted = TrustedProxies::new(default_networks(), None);
        for (address, expected) in [
            ("127.0.0.1", true),
            ("::1", true),
            ("::ffff:172.17.0.2", true),
            ("172.17.0.2", true),
            ("fd00::5", true),
            ("8.8.8.8", false),
            ("::ffff:8.8.8.8", false),
            ("172.32.0.1", false),
            ("2001:db8::1", false),
        ] {
            assert_eq!(trusted.contains(address.parse().unwrap()), expected, "{address}");
        }
    }

    #[test]
    fn the_secret_must_come_once_and_whole() {
        let trusted = TrustedProxies::new(default_networks(), Some(Secret::new("s3cret")));
        let head = || RecordedHead::new("GET", "/auth");
        assert!(trusted.admits(&head().with(Field::ProxySecret, "s3cret")));
        assert!(!trusted.admits(&head()));
        assert!(!trusted.admits(&head().with(Field::ProxySecret, "s3cre")));
        assert!(!trusted.admits(&head().with(Field::ProxySecret, "s3cret").with(Field::ProxySecret, "s3cret")));
    }
}
