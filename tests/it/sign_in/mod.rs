//! The authorization server as people and clients meet it: from nothing to a tool call through a real proxy.

mod client_pages;
mod clients;
mod forms;
mod stage;
