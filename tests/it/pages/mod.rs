//! The pages of the authorization server: what they say, what they refuse to be part of, and how they look in a browser.

mod headers;
mod hostile_text;
mod in_a_browser;
mod other_sites;
mod samples;
mod server;
