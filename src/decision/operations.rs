//! What is asked of the MCP server, as far as rules want to know it.

use crate::authz::{Cause, OperationPolicy};
use crate::domain::{Occurrence, Operation};
use crate::mcp::{self, McpRequest, SentBody, Unknown};
use crate::proxy::{Field, RequestHead};

/// What was asked of the MCP server, for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The first operation that a rule refuses, or the first of all: method and name.
    pub operation: Option<(String, Option<String>)>,
    /// Why operations could not be told.
    pub unknown: Option<Unknown>,
    /// What decided, if anything did, and what would have in audit mode.
    pub causes: Vec<Cause>,
}

impl Asked {
    pub(super) fn of(told: &Result<Vec<Operation<'_>>, Unknown>, causes: Vec<Cause>) -> Self {
        let place = causes.first().map_or(0, |cause| cause.operation);
        let named = told.as_ref().ok().and_then(|operations| operations.get(place));
        let owned =
            |operation: &Operation<'_>| (operation.method().to_owned(), operation.name().map(ToOwned::to_owned));
        Self { operation: named.map(owned), unknown: told.as_ref().err().copied(), causes }
    }
}

fn mcp_request<'a>(
    method: &'a str,
    head: &'a dyn RequestHead,
    body: SentBody<'a>,
    upstream_enforces: bool,
) -> McpRequest<'a> {
    // Envoy says "true" when it cut the body; anything but its "false" is not believed.
    let whole = match head.field(Field::PartialBody) {
        Occurrence::Absent => true,
        Occurrence::Once(value) => value == b"false",
        Occurrence::Repeated => false,
    };
    McpRequest {
        method,
        protocol_version: head.field(Field::McpProtocolVersion),
        mcp_method: head.field(Field::McpMethod),
        mcp_name: head.field(Field::McpName),
        content_type: head.field(Field::ContentType),
        content_encoding: head.field(Field::ContentEncoding),
        body: if whole { body } else { SentBody::Cut },
        upstream_enforces,
    }
}

/// What is asked, as far as the rules and conditions of `policy` want to know it.
pub fn told_operations<'a>(
    policy: &OperationPolicy,
    method: &'a str,
    head: &'a dyn RequestHead,
    body: SentBody<'a>,
) -> Result<Vec<Operation<'a>>, Unknown> {
    let request = mcp_request(method, head, body, policy.upstream_enforces_headers);
    let mut told = mcp::operations(&request)?;
    if policy.asks_for_params() {
        told = mcp::details::with_params(told, &request, &head.params())?;
    }
    match request.body {
        SentBody::Whole(body) if policy.asks_for_arguments() => mcp::details::with_arguments(told, body),
        SentBody::Whole(_) | SentBody::None | SentBody::Cut | SentBody::Late => Ok(told),
    }
}
