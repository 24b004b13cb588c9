//! Which of body and headers is believed.

use super::*;

const CALL: &[u8] = br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"write"}}"#;
const JSON: Occurrence<'static> = Occurrence::Once(b"application/json");
const NEW: Occurrence<'static> = Occurrence::Once(b"2026-07-28");

fn post(body: SentBody<'_>) -> McpRequest<'_> {
    McpRequest {
        method: "POST",
        protocol_version: Occurrence::Absent,
        mcp_method: Occurrence::Absent,
        mcp_name: Occurrence::Absent,
        content_type: JSON,
        content_encoding: Occurrence::Absent,
        body,
        upstream_enforces: false,
    }
}

fn told(request: &McpRequest<'_>) -> Result<Vec<String>, Unknown> {
    let text = |operation: &Operation<'_>| format!("{} {}", operation.method(), operation.name().unwrap_or("-"));
    operations(request).map(|operations| operations.iter().map(text).collect())
}

#[test]
fn the_body_counts_whatever_version_the_headers_name() {
    for version in [Occurrence::Absent, NEW, Occurrence::Once(b"2025-11-25"), Occurrence::Repeated] {
        let request = McpRequest { protocol_version: version, ..post(SentBody::Whole(CALL)) };
        assert_eq!(told(&request), Ok(vec!["tools/call write".to_owned()]), "{version:?}");
    }
}

#[test]
fn headers_that_differ_from_the_body_are_refused_whatever_the_version() {
    let once = |text: &'static str| Occurrence::Once(text.as_bytes());
    for (method, name, fault) in [
        (once("tools/list"), Occurrence::Absent, HeaderFault::Disagrees("Mcp-Method")),
        (once("tools/call"), once("read"), HeaderFault::Disagrees("Mcp-Name")),
        (Occurrence::Absent, once("read, write"), HeaderFault::Disagrees("Mcp-Name")),
        (Occurrence::Absent, once("=?base64?cmVhZA==?="), HeaderFault::Disagrees("Mcp-Name")),
        (Occurrence::Repeated, Occurrence::Absent, HeaderFault::Repeated("Mcp-Method")),
        (Occurrence::Absent, Occurrence::Repeated, HeaderFault::Repeated("Mcp-Name")),
        (Occurrence::Absent, once("=?base64?!?="), HeaderFault::Undecodable("Mcp-Name")),
    ] {
        let request = McpRequest { mcp_method: method, mcp_name: name, ..post(SentBody::Whole(CALL)) };
        assert_eq!(told(&request), Err(fault.into()), "{method:?} {name:?}");
    }
    let (mcp_method, mcp_name) = (once("tools/call"), once("=?base64?d3JpdGU=?="));
    assert!(told(&McpRequest { mcp_method, mcp_name, ..post(SentBody::Whole(CALL)) }).is_ok());
}

#[test]
fn a_name_is_no_name_of_what_has_none() {
    let body = br#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    let request = McpRequest { mcp_name: Occurrence::Once(b"read"), ..post(SentBody::Whole(body)) };
    assert_eq!(told(&request), Err(HeaderFault::Disagrees("Mcp-Name").into()));
}

#[test]
fn one_header_cannot_speak_for_a_batch_of_different_messages() {
    let batch = br#"[{"jsonrpc":"2.0","id":1,"method":"tools/list"},{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"write"}}]"#;
    let request = post(SentBody::Whole(batch));
    assert_eq!(told(&request), Ok(vec!["tools/list -".to_owned(), "tools/call write".to_owned()]));
    let request = McpRequest { mcp_method: Occurrence::Once(b"tools/list"), ..request };
    assert_eq!(told(&request), Err(HeaderFault::Disagrees("Mcp-Method").into()));
}

#[test]
fn headers_alone_count_only_where_version_and_operator_vouch_for_them() {
    let complete = McpRequest {
        protocol_version: NEW,
        mcp_method: Occurrence::Once(b"tools/call"),
        mcp_name: Occurrence::Once(b"write"),
        upstream_enforces: true,
        ..post(SentBody::None)
    };
    assert_eq!(told(&complete), Ok(vec!["tools/call write".to_owned()]));
    let missing = HeaderFault::Missing;
    for (request, unknown) in [
        (McpRequest { upstream_enforces: false, ..complete }, Unknown::NothingToGoBy),
        (McpRequest { protocol_version: Occurrence::Absent, ..complete }, Unknown::NothingToGoBy),
        (McpRequest { protocol_version: Occurrence::Repeated, ..complete }, Unknown::NothingToGoBy),
        (McpRequest { protocol_version: Occurrence::Once(b"2025-11-25"), ..complete }, Unknown::NothingToGoBy),
        (McpRequest { protocol_version: Occurrence::Once(b"2027-01-01"), ..complete }, Unknown::NothingToGoBy),
        (McpRequest { mcp_method: Occurrence::Absent, ..complete }, missing("Mcp-Method").into()),
        (McpRequest { mcp_name: Occurrence::Absent, ..complete }, missing("Mcp-Name").into()),
        (McpRequest { mcp_method: Occurrence::Repeated, ..complete }, HeaderFault::Repeated("Mcp-Method").into()),
        (McpRequest { mcp_name: Occurrence::Repeated, ..complete }, HeaderFault::Repeated("Mcp-Name").into()),
        (
            McpRequest { mcp_name: Occurrence::Once(b"read,write"), ..complete },
            HeaderFault::Repeated("Mcp-Name").into(),
        ),
        (McpRequest { mcp_method: Occurrence::Once(b"Tools/call"), ..complete }, BodyFault::Method.into()),
        (
            McpRequest { mcp_method: Occurrence::Once(b"tools/list"), ..complete },
            HeaderFault::Disagrees("Mcp-Name").into(),
        ),
        (McpRequest { mcp_method: Occurrence::Once(b"resources/subscribe"), ..complete }, missing("Mcp-Name").into()),
        (McpRequest { mcp_name: Occurrence::Once(b"=?base64?d3JpdGUA?="), ..complete }, BodyFault::Name.into()),
    ] {
        assert_eq!(told(&request), Err(unknown), "{request:?}");
    }
    // Only where names hold no comma by themselves it tells of two lines.
    let (mcp_method, mcp_name) = (Occurrence::Once(&b"resources/read"[..]), Occurrence::Once(&b"file:///a,b"[..]));
    let read = McpRequest { mcp_method, mcp_name, ..complete };
    assert_eq!(told(&read), Ok(vec!["resources/read file:///a,b".to_owned()]));
}

#[test]
fn streams_and_ends_of_sessions_are_operations_of_their_own() {
    for (method, told_as) in [("GET", "http/get -"), ("HEAD", "http/get -"), ("DELETE", "http/delete -")] {
        let request = McpRequest { method, ..post(SentBody::None) };
        assert_eq!(told(&request), Ok(vec![told_as.to_owned()]));
        let request = McpRequest { method, ..post(SentBody::Whole(CALL)) };
        assert_eq!(told(&request), Err(BodyFault::Unexpected.into()), "{method}");
    }
    for method in ["PUT", "PATCH", "post", "OPTIONS", "PROPFIND"] {
        assert_eq!(told(&McpRequest { method, ..post(SentBody::Whole(CALL)) }), Err(Unknown::HttpMethod), "{method}");
    }
}

#[test]
fn a_body_that_is_not_whole_is_not_judged() {
    for (body, unknown) in [(SentBody::Cut, Unknown::Cut), (SentBody::Late, Unknown::Late)] {
        for method in ["POST", "GET", "DELETE"] {
            assert_eq!(told(&McpRequest { method, ..post(body) }), Err(unknown));
        }
    }
    let typed = McpRequest { content_type: Occurrence::Once(b"text/plain"), ..post(SentBody::Whole(CALL)) };
    assert_eq!(told(&typed), Err(BodyFault::ContentType.into()));
    let encoded = McpRequest { content_encoding: Occurrence::Once(b"gzip"), ..post(SentBody::Whole(CALL)) };
    assert_eq!(told(&encoded), Err(BodyFault::Encoded.into()));
}
