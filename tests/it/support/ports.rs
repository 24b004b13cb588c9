//! Free ports below the ephemeral range, each handed out once.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A port that nobody listens on. Test processes that run at the same time start at different places.
pub fn free() -> u16 {
    listen().local_addr().unwrap().port()
}

/// A listener on such a port, which nobody can take in between.
pub fn listen() -> TcpListener {
    const FIRST: u16 = 20_000;
    const COUNT: u16 = 10_000;
    let start = u16::try_from(std::process::id() % 97).unwrap() * 100;
    let ports = (0..COUNT).map(|_| FIRST + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % COUNT);
    let mut listeners = ports.filter_map(|port| TcpListener::bind(("127.0.0.1", port)).ok());
    listeners.next().unwrap_or_else(|| panic!("no free port between {FIRST} and {}", FIRST + COUNT))
}
