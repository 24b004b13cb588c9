//! Identity assertions as MCP servers use them: the samples of the documentation, and a real server behind each proxy.

mod clients;
mod samples;
