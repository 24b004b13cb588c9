//! What the tests stand on: processes, ports, raw HTTP, an issuer of our own, the proxies with the shipped files.

pub mod assertion;
pub mod attacked;
pub mod browser;
pub mod chromium;
pub mod client;
pub mod http;
pub mod issuer;
pub mod keycloak;
pub mod mcp_server;
pub mod metrics;
pub mod oidc_provider;
pub mod outside;
pub mod ports;
pub mod process;
pub mod proxies;
pub mod report;
pub mod service;
pub mod stage;
pub mod tls;
pub mod tools;
pub mod upstream;
pub mod web;
pub mod world;
