//! What several targets need: a caller whom a token proves, and readers that take two keys for one.

pub mod caller;
pub mod careless;
