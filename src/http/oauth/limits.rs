//! How often one caller may do what costs storage or work. Bounded itself: a flood from many addresses fills nothing.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use actix_web::HttpRequest;
use moka::sync::Cache;

use super::super::head::ActixHead;
use crate::oauth::{ErrorCode, OAuthError};
use crate::proxy::{Field, RequestHead as _, TrustedProxies};

/// Counts requests by caller over one window.
#[derive(Clone)]
pub struct RateLimit {
    counts: Cache<IpAddr, Arc<AtomicU32>>,
    at_most: u32,
}

impl std::fmt::Debug for RateLimit {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "RateLimit(at most {})", self.at_most)
    }
}

impl RateLimit {
    const MAX_CALLERS: u64 = 50_000;

    /// At most `at_most` requests of one caller in `window`.
    pub fn new(at_most: u32, window: Duration) -> Self {
        let counts = Cache::builder().max_capacity(Self::MAX_CALLERS).time_to_live(window).build();
        Self { counts, at_most }
    }

    /// Counts one request of `caller`. Never `invalid_client`: clients would throw their registration away.
    pub(super) fn admit(&self, caller: Option<IpAddr>) -> Result<(), OAuthError> {
        let Some(caller) = caller else { return Ok(()) };
        let count = self.counts.get_with(network_of(caller), Arc::default);
        if count.fetch_add(1, Ordering::Relaxed) < self.at_most {
            return Ok(());
        }
        Err(OAuthError::new(ErrorCode::TooManyRequests, "too many requests from this address; try again in a minute"))
    }
}

/// Whoever has one IPv6 address has 2^64 of them (RFC 6177 §2).
fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
    }
}

/// Who called the proxy: the last address in `X-Forwarded-For` that is no proxy of ours. What stands before it is the
/// caller's own claim. In a network where all are trusted, it is whom the nearest proxy saw.
pub(super) fn caller(request: &HttpRequest, trusted: &TrustedProxies) -> Option<IpAddr> {
    let head = ActixHead(request);
    let peer = head.peer()?;
    if !trusted.contains(peer) {
        return Some(peer);
    }
    let forwarded = head.field(Field::ForwardedFor).once().and_then(|value| std::str::from_utf8(value).ok());
    let hops = || forwarded.unwrap_or_default().rsplit(',').map_while(|hop| hop.trim().parse::<IpAddr>().ok());
    hops().find(|hop| !trusted.contains(*hop)).or_else(|| hops().next()).or(Some(peer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_is_stopped_and_others_are_not() {
        let limit = RateLimit::new(2, Duration::from_secs(60));
        let caller = |text: &str| Some(text.parse().unwrap());
        assert!(limit.admit(caller("198.51.100.1")).is_ok());
        assert!(limit.admit(caller("198.51.100.1")).is_ok());
        let refused = limit.admit(caller("::ffff:198.51.100.1")).unwrap_err();
        assert_eq!(refused.code.status(), 429);
        assert!(limit.admit(caller("198.51.100.2")).is_ok());
    }

    #[test]
    fn neighbours_in_one_ipv6_network_count_as_one() {
        let limit = RateLimit::new(1, Duration::from_secs(60));
        let caller = |text: &str| Some(text.parse().unwrap());
        assert!(limit.admit(caller("2001:db8:1:2::1")).is_ok());
        assert!(limit.admit(caller("2001:db8:1:2:ffff::9")).is_err());
        assert!(limit.admit(caller("2001:db8:1:3::1")).is_ok());
    }
}
