//! What is asked of an MCP server: a method, and the tool, prompt or resource that it names.

use std::borrow::Cow;

/// One operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation<'a> {
    method: Cow<'a, str>,
    name: Option<Cow<'a, str>>,
    params: Vec<(String, String)>,
    arguments: Option<serde_json::Map<String, serde_json::Value>>,
}

impl<'a> Operation<'a> {
    /// A `GET` or `HEAD` of the protocol's older versions: the stream of what the server has to say.
    pub const STREAM: &'static str = "http/get";
    /// A `DELETE` of the protocol's older versions: the end of a session.
    pub const END_OF_SESSION: &'static str = "http/delete";
    /// A client's answer to a question of the server, in the protocol's older versions.
    pub const RESPONSE: &'static str = "jsonrpc/response";

    /// `method`, as JSON-RPC names it, of `name`.
    pub fn new(method: impl Into<Cow<'a, str>>, name: Option<Cow<'a, str>>) -> Self {
        Self { method: method.into(), name, params: Vec::new(), arguments: None }
    }

    /// With the parameters that headers repeat, by their names in lower case.
    #[must_use]
    pub fn with_params(self, params: Vec<(String, String)>) -> Self {
        Self { params, ..self }
    }

    /// With the arguments of a call.
    #[must_use]
    pub fn with_arguments(self, arguments: Option<serde_json::Map<String, serde_json::Value>>) -> Self {
        Self { arguments, ..self }
    }

    /// The JSON-RPC method, or one of the names above for what is none.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The tool, prompt, resource or task.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Parameters that headers repeat and the server vouches for, where a condition asks for them.
    pub fn params(&self) -> &[(String, String)] {
        &self.params
    }

    /// The arguments of a call, where a condition asks for them and the body was seen.
    pub const fn arguments(&self) -> Option<&serde_json::Map<String, serde_json::Value>> {
        self.arguments.as_ref()
    }
}

/// Where the name of an operation stands in `params`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamedBy {
    /// `params.name`: tools and prompts.
    Name,
    /// `params.uri`: resources.
    Uri,
    /// `params.taskId`: tasks.
    TaskId,
}

impl NamedBy {
    /// What names operations of `method`; `None` where nothing does.
    pub fn of(method: &str) -> Option<Self> {
        match method {
            "tools/call" | "prompts/get" => Some(Self::Name),
            "resources/read" | "resources/subscribe" | "resources/unsubscribe" => Some(Self::Uri),
            "tasks/get" | "tasks/update" | "tasks/cancel" | "tasks/result" => Some(Self::TaskId),
            _ => None,
        }
    }

    /// Whether `Mcp-Name` has to repeat the name (MCP 2026-07-28, Streamable HTTP; the tasks extension).
    pub fn is_mirrored(method: &str) -> bool {
        !matches!(method, "resources/subscribe" | "resources/unsubscribe" | "tasks/result")
            && Self::of(method).is_some()
    }
}
