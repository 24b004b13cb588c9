//! Real clients on Node, from nothing but a URL to a tool call, and how they come back when tokens or clients are gone.

mod documents;
pub mod guest;
pub mod inspector;
mod stories;
