//! Attacks on the authorization server over HTTP: each begins with everything as it should be, and changes one thing.

mod clients;
mod codes;
mod consent;
mod cookies;
mod fetching;
mod flood;
mod hosts;
pub mod house;
mod pages;
mod people;
mod providers;
mod redirects;
mod refreshing;
mod secrets;
mod tokens;
