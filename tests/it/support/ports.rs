//! Free ports below the ephemeral range.

use std::net::TcpListener;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};

const FIRST: u16 = 20_000;
const WINDOWS: u16 = 8;
/// Enough that a port is not handed out again before the program that it was found for has taken it.
const SIZE: u16 = 1500;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A port that nobody listens on.
pub fn free() -> u16 {
    listen().local_addr().unwrap().port()
}

/// A listener on such a port, which nobody can take in between.
pub fn listen() -> TcpListener {
    let first = window();
    let ports = (0..SIZE).map(|_| first + 1 + NEXT.fetch_add(1, Ordering::Relaxed) % (SIZE - 1));
    let mut listeners = ports.filter_map(at);
    listeners.next().unwrap_or_else(|| panic!("no free port between {first} and {}", first + SIZE))
}

/// The first of the ports that are for this process alone. It holds this one for its life, so that another test process
/// takes another window: a port that one has found free the other could have taken a moment later, and its server would
/// have answered in the place of the right one.
fn window() -> u16 {
    static HELD: OnceLock<TcpListener> = OnceLock::new();
    let windows = || (0..WINDOWS).map(|index| FIRST + index * SIZE);
    let take = || windows().find_map(at).unwrap_or_else(|| panic!("{WINDOWS} test processes run already"));
    HELD.get_or_init(take).local_addr().unwrap().port()
}

fn at(port: u16) -> Option<TcpListener> {
    TcpListener::bind(("127.0.0.1", port)).ok()
}
