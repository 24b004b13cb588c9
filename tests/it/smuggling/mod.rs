//! Real SDK servers under attack: what is tried to run a forbidden tool runs it on a server without rules, where
//! `executes.txt` says so, and never behind rules. The servers themselves tell what ran.

mod bodies;
mod framing;
mod headers;
mod older_transport;
mod packed;
mod rules;
mod slow;
mod wire;
mod without_rules;

use crate::support::http::Request;

/// Where an attack goes, and as whom.
pub struct Target {
    pub authority: String,
    pub endpoint: &'static str,
    pub token: String,
}

/// Bytes for one connection that try to run `write`.
pub struct Attack {
    pub name: String,
    pub wire: Vec<u8>,
    /// Whether the client hangs up after the last byte.
    pub hangs_up: bool,
    /// Whether it is framing that does it, which a proxy may well see through.
    pub is_framing: bool,
    /// How many answers are to be waited for.
    pub answers: usize,
    /// The head of an answer is enough: its body is a stream without end.
    pub head_only: bool,
}

impl Attack {
    fn new(name: impl Into<String>, request: &Request) -> Self {
        let head_only = request.method != "POST";
        Self { name: name.into(), wire: request.bytes(), hangs_up: false, is_framing: false, answers: 1, head_only }
    }

    fn framing(name: &str, wire: Vec<u8>) -> Self {
        Self { name: name.to_owned(), wire, hangs_up: false, is_framing: true, answers: 1, head_only: false }
    }

    fn answered_twice(self) -> Self {
        Self { answers: 2, ..self }
    }

    fn then_hanging_up(self) -> Self {
        Self { hangs_up: true, ..self }
    }
}

/// Every attack.
pub fn attacks(target: &Target) -> Vec<Attack> {
    [headers::attacks(target), bodies::attacks(target), framing::attacks(target)].into_iter().flatten().collect()
}

/// The body of a call as clients of the older versions send it.
pub fn legacy(tool: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{tool}","arguments":{{}}}}}}"#)
}

/// The same of MCP 2026-07-28.
pub fn modern(tool: &str) -> String {
    legacy(tool).replace(r#""arguments":{}"#, &format!(r#""arguments":{{}},{META}"#))
}

const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"x","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}"#;

impl Target {
    /// A POST without body and type.
    pub fn bare(&self) -> Request {
        self.request("POST")
    }

    pub fn request(&self, method: &str) -> Request {
        let request = Request::new(method, self.endpoint).host(&self.authority).bearer(&self.token);
        request.header("Accept", "application/json, text/event-stream")
    }

    /// A POST as clients make it.
    pub fn post(&self, body: impl Into<Vec<u8>>) -> Request {
        self.bare().body("application/json", body)
    }

    /// A POST of MCP 2026-07-28 whose headers name `tool`.
    pub fn modern_post(&self, tool: &str, body: impl Into<Vec<u8>>) -> Request {
        let request = self.post(body).header("MCP-Protocol-Version", "2026-07-28");
        request.header("Mcp-Method", "tools/call").header("Mcp-Name", tool)
    }
}
