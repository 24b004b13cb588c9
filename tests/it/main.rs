//! Black-box tests: real processes on loopback, started and stopped by the tests themselves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that cannot go on should say so by panicking, in its helpers too"
)]
#![allow(clippy::too_many_lines, reason = "a table of cases, or a story from start to end, is one function")]
#![allow(clippy::float_cmp, reason = "metrics are whole numbers, which f64 holds exactly")]
#![allow(unreachable_pub, reason = "`pub` is what a module offers to the others: nothing is outside a test binary")]

mod api_keys;
mod architecture;
mod attacks;
mod behind_load_balancer;
mod browser_flow;
mod browser_sign_in;
mod clients;
mod combinations;
mod compose;
mod conditions;
mod config;
mod conformance;
mod contract;
mod decision;
mod demo;
mod direct_attacks;
mod documentation;
mod explain;
mod holes;
mod id_jag;
mod identity_assertion;
#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "an ID token with a fraction in its times is one of the cases"
)]
mod idp;
mod introspection;
mod issuers;
mod many_servers;
mod node_clients;
mod oauth_attacks;
mod operations;
mod operators;
mod pages;
mod policy_page;
mod properties;
mod redirect;
mod sender_constrained;
mod service_kill;
mod sign_in;
mod smoke;
mod smuggling;
mod step_up;
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::single_match_else,
    clippy::needless_pass_by_value,
    reason = "how far a storm got is a small number"
)]
mod store_kill;
mod support;
mod tool_rules;
mod whole_answers;
