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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authz::{Condition, Reason};
    use crate::proxy::head::RecordedHead;

    const CALL: &[u8] =
        br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"write","arguments":{"a":1}}}"#;

    fn policy(condition: &str) -> OperationPolicy {
        OperationPolicy { condition: Some(Condition::parse(condition).unwrap()), ..OperationPolicy::default() }
    }

    fn json() -> RecordedHead {
        RecordedHead::new("POST", "/auth").with(Field::ContentType, "application/json")
    }

    /// Envoy sends the header; whoever says anything else than that the body is whole is taken at that.
    #[test]
    fn a_body_that_may_have_been_cut_is_not_judged() {
        let policy = policy("operation.name == 'write'");
        let told = |head: &RecordedHead| {
            told_operations(&policy, "POST", head, SentBody::Whole(CALL)).map(|operations| operations.len())
        };
        let saying = |text: &str| json().with(Field::PartialBody, text);
        assert_eq!(told(&json()), Ok(1));
        assert_eq!(told(&saying("false")), Ok(1));
        for text in ["true", "True", "False", "", "0", "false "] {
            assert_eq!(told(&saying(text)), Err(Unknown::Cut), "{text:?}");
        }
        assert_eq!(told(&saying("false").with(Field::PartialBody, "false")), Err(Unknown::Cut));
    }

    #[test]
    fn arguments_are_read_where_a_condition_asks_for_them() {
        let arguments = |condition: &str| {
            let (policy, head) = (policy(condition), json());
            let told = told_operations(&policy, "POST", &head, SentBody::Whole(CALL)).unwrap();
            told.iter().map(|operation| operation.arguments().is_some()).collect::<Vec<_>>()
        };
        assert_eq!(arguments("operation.arguments.a == 1"), [true]);
        assert_eq!(arguments("operation.name == 'write'"), [false]);
    }

    #[test]
    fn the_log_is_told_of_the_operation_that_decided_else_of_the_first() {
        let told = || Ok(vec![Operation::new("tools/list", None), Operation::new("tools/call", Some("write".into()))]);
        let cause = Cause { reason: Reason::OperationNotAllowed, rule: Some(0), operation: 1, trouble: None };
        let of = |causes| Asked::of(&told(), causes).operation.map(|(method, name)| (method, name.unwrap_or_default()));
        assert_eq!(of(vec![]), Some(("tools/list".to_owned(), String::new())));
        assert_eq!(of(vec![cause]), Some(("tools/call".to_owned(), "write".to_owned())));
        let unknown = Asked::of(&Err(Unknown::Late), vec![]);
        assert_eq!((unknown.operation, unknown.unknown), (None, Some(Unknown::Late)));
    }
}
