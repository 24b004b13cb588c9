//! What operators do to a running service: see and end grants, remove clients, rotate keys, watch.

mod access;
mod clients;
mod commands;
mod explaining;
mod guard;
mod keys;
mod readiness;
mod revoking;
pub mod stage;
mod watching;
