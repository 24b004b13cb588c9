//! One question, answered for a reverse proxy: *may this request reach this MCP server?*
//!
//! ```text
//! wire request -> OriginalRequest -> Credential -> Authentication(Identity) -> Verdict -> Reply
//!    http/           proxy/           authn/            authn/                 authz/    proxy/ -> http/
//! ```
//!
//! Each arrow is one function, each noun one file. The modules below stand in reading order.

pub mod domain;

pub mod proxy;

pub mod mcp;

pub mod authn;

pub mod authz;

pub mod decision;

pub mod api_keys;
pub mod explain;

pub mod oauth;

pub mod idp;

pub mod store;

pub mod http;

pub mod config;

pub mod telemetry;

pub mod app;
pub mod clock;
pub mod command;
pub mod outbound;
pub mod random;
