//! The real MCP server that is protected.

use std::process::Command;

use super::process::Process;
use super::tools;

pub struct McpServer {
    /// Held so that it ends with the value.
    _process: Process,
    pub port: u16,
}

impl McpServer {
    pub fn start() -> Self {
        Self::start_with(0, &[])
    }

    /// On this port, 0 for a free one, with these variables in its environment.
    pub fn start_with(port: u16, variables: &[(&str, String)]) -> Self {
        let server = tools::project().join("test_mcp_server/server.py");
        let mut command = Command::new(tools::tool("python"));
        command.arg(server).args(["--host", "127.0.0.1", "--port", &port.to_string()]);
        command.env("no_proxy", "*").envs(variables.iter().map(|(name, value)| (name, value)));
        let mut process = Process::start("test_mcp_server", &mut command);
        // Once it has said so, it accepts connections.
        let port = port_of(&process.output_once_it_says("/mcp\n"));
        Self { _process: process, port }
    }
}

/// From what a server says when it listens.
pub fn port_of(said: &str) -> u16 {
    let (_, rest) = said.split_once("listening on http://127.0.0.1:").unwrap();
    rest.split('/').next().unwrap().parse().unwrap()
}
