//! The official SDK clients, each a process of its own that prints one report.

use std::fmt;
use std::process::Command;

use serde_json::Value;

use super::tools;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    Python,
    TypeScriptV1,
    TypeScriptV2,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    Streamable,
    Sse,
}

/// `Legacy` opens with `initialize`, `Modern` with `server/discover`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Era {
    Legacy,
    Modern,
}

/// One way to connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client {
    pub program: Program,
    pub transport: Transport,
    pub era: Era,
}

/// Every way that the SDKs know: version 1 of the TypeScript one speaks only the older protocols.
pub const ALL: [Client; 10] = [
    Client::new(Program::Python, Transport::Streamable, Era::Legacy),
    Client::new(Program::Python, Transport::Streamable, Era::Modern),
    Client::new(Program::Python, Transport::Sse, Era::Legacy),
    Client::new(Program::Python, Transport::Sse, Era::Modern),
    Client::new(Program::TypeScriptV1, Transport::Streamable, Era::Legacy),
    Client::new(Program::TypeScriptV1, Transport::Sse, Era::Legacy),
    Client::new(Program::TypeScriptV2, Transport::Streamable, Era::Legacy),
    Client::new(Program::TypeScriptV2, Transport::Streamable, Era::Modern),
    Client::new(Program::TypeScriptV2, Transport::Sse, Era::Legacy),
    Client::new(Program::TypeScriptV2, Transport::Sse, Era::Modern),
];

/// Where to connect and with what.
#[derive(Debug, Clone, Default)]
pub struct Visit {
    /// The server's public URL; its name need not resolve.
    pub url: String,
    /// The port of this machine that the connection goes to.
    pub port: u16,
    /// None when empty.
    pub token: String,
    /// Further options of the program.
    pub options: Vec<String>,
}

/// What a client says of itself.
#[derive(Debug)]
pub struct Report {
    pub succeeded: bool,
    pub json: Value,
}

impl Client {
    pub const fn new(program: Program, transport: Transport, era: Era) -> Self {
        Self { program, transport, era }
    }

    /// Runs the client to its end; it has a deadline of its own.
    pub fn connect(self, visit: &Visit) -> Report {
        let output = self.command(visit).output().unwrap_or_else(|error| panic!("{self} cannot be started: {error}"));
        let json = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
            let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            panic!("{self} gave no report ({error}): {said:?}")
        });
        Report { succeeded: output.status.success(), json }
    }

    fn command(self, visit: &Visit) -> Command {
        let (interpreter, script) = match self.program {
            Program::Python => ("python", "python/connect.py"),
            Program::TypeScriptV1 => ("node", "typescript/connect-v1.mjs"),
            Program::TypeScriptV2 => ("node", "typescript/connect-v2.mjs"),
        };
        let mut command = Command::new(tools::tool(interpreter));
        command.arg(tools::project().join("tests/clients").join(script));
        command.args(["--url", &visit.url, "--connect-to", &format!("127.0.0.1:{}", visit.port)]);
        command.args(["--token", &visit.token, "--transport", self.transport.option(), "--era", self.era.option()]);
        command.args(&visit.options);
        command
    }
}

impl Transport {
    const fn option(self) -> &'static str {
        match self {
            Self::Streamable => "streamable",
            Self::Sse => "sse",
        }
    }
}

impl Era {
    const fn option(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::Modern => "modern",
        }
    }

    pub const fn protocol_version(self) -> &'static str {
        match self {
            Self::Legacy => "2025-11-25",
            Self::Modern => "2026-07-28",
        }
    }
}

impl fmt::Display for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?} {} {}", self.program, self.transport.option(), self.era.option())
    }
}

impl Report {
    /// Every request that was made: `POST /mcp 200`.
    pub fn requests(&self) -> Vec<String> {
        let shown = |exchange: &Value| {
            let text = |key: &str| exchange[key].as_str().unwrap_or("?").to_owned();
            format!("{} {} {}", text("method"), text("path"), exchange["status"])
        };
        self.exchanges().iter().map(shown).collect()
    }

    /// The `WWW-Authenticate` of every answer that had one.
    pub fn challenges(&self) -> Vec<&str> {
        self.exchanges().iter().filter_map(|exchange| exchange["www_authenticate"].as_str()).collect()
    }

    fn exchanges(&self) -> &[Value] {
        self.json["http"].as_array().map_or(&[], Vec::as_slice)
    }
}
