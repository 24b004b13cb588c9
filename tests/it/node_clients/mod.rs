//! Real clients on Node, from nothing but a URL to a tool call, and how they come back when tokens or clients are gone.

mod documents;
mod guest;
mod inspector;
mod stories;
