//! The real MCP server that is protected.

use std::process::Command;

use super::http::Request;
use super::process::Process;
use super::{ports, tools};

pub struct McpServer {
    /// Held so that it ends with the value.
    _process: Process,
    pub port: u16,
}

impl McpServer {
    pub fn start() -> Self {
        let port = ports::free();
        let server = tools::project().join("test_mcp_server/server.py");
        let mut command = Command::new(tools::tool("python"));
        command.arg(server).args(["--host", "127.0.0.1", "--port", &port.to_string()]);
        let mut process = Process::start("test_mcp_server", &mut command);
        process.wait_until("listening", || {
            Request::get("/healthz").host("localhost").try_send(port).is_ok_and(|answer| answer.status == 200)
        });
        Self { _process: process, port }
    }
}
