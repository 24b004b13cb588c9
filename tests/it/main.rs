//! Black-box tests: real processes on loopback, started and stopped by the tests themselves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::as_conversions,
    clippy::missing_panics_doc,
    clippy::print_stderr,
    clippy::pedantic,
    clippy::too_many_lines,
    clippy::items_after_statements,
    clippy::type_complexity,
    clippy::wildcard_enum_match_arm,
    missing_docs,
    unreachable_pub,
    reason = "a test that cannot go on should say so by panicking"
)]

mod architecture;
mod attacks;
mod behind_load_balancer;
mod clients;
mod config;
mod contract;
mod decision;
mod demo;
mod direct_attacks;
mod holes;
mod issuers;
mod many_servers;
mod operations;
mod properties;
mod redirect;
mod smoke;
mod support;
