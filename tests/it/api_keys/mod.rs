//! API keys: made by command, presented by scripts, refused in every other form, gone when revoked.

mod clients;
mod commands;
mod introspection;
mod lasting;
mod page;
mod policy;
mod presenting;
mod secrets;
pub mod stage;
mod upstream;
