//! The authorization server as people and clients meet it: from nothing to a tool call through a real proxy.

mod clients;
mod forms;
mod stage;
