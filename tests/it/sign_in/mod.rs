//! The authorization server as people and clients meet it: from nothing to a tool call through a real proxy.

mod client_pages;
mod clients;
mod documents;
mod forms;
mod lost_keys;
mod programs;
mod providers;
mod returning;
mod rust_sdk;
mod sites;
pub mod stage;
