//! Real MCP servers with a tool `read` and a tool `write`, which tell past every proxy what truly ran.

use std::process::Command;

use super::http::Request;
use super::mcp_server::port_of;
use super::process::Process;
use super::tools;

/// What a server is made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sdk {
    TypeScriptV2,
    TypeScriptV1,
    Python,
}

pub struct AttackedServer {
    /// Held so that it ends with the value.
    _process: Process,
    pub port: u16,
}

impl AttackedServer {
    pub fn start(sdk: Sdk) -> Self {
        let node = |file: &str| {
            let mut command = Command::new(tools::tool("node"));
            command.arg(tools::installed("tests/servers/typescript", file));
            command
        };
        let mut command = match sdk {
            Sdk::TypeScriptV2 => node("v2.mjs"),
            Sdk::TypeScriptV1 => node("v1.mjs"),
            Sdk::Python => {
                let mut command = Command::new(tools::tool("python"));
                command.arg(tools::project().join("tests/servers/python/server.py"));
                command
            }
        };
        let mut process = Process::start("attacked server", &mut command);
        let port = port_of(&process.output_once_it_says("/mcp\n"));
        Self { _process: process, port }
    }

    /// Every call that ran, in order: `/mcp write`.
    pub fn ran(&self) -> Vec<String> {
        let answer = Request::get("/ran").host("localhost").send(self.port).json();
        answer.as_array().unwrap().iter().map(|call| call.as_str().unwrap().to_owned()).collect()
    }
}
