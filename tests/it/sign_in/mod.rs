//! The authorization server as people and clients meet it: from nothing to a tool call through a real proxy.

mod clients;
mod documents;
mod lost_keys;
mod programs;
mod providers;
mod returning;
mod rust_sdk;
mod sites;
pub mod stage;
