//! A browser cannot send a token: it keeps a session as a cookie. Who made that, and how, is none of our business here.

use std::fmt::Debug;

use crate::domain::Secret;

/// Knows which token stands behind a session. Asked on every request of a browser, so it must answer from memory.
pub trait Sessions: Send + Sync + Debug {
    /// The token behind the session `cookie` at `resource`; none if it is not one of ours, or one for another resource.
    /// The token is judged like any other.
    fn token_behind(&self, resource: &str, cookie: &str) -> Option<Secret>;
}
