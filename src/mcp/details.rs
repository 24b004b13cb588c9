//! What conditions can ask of an operation besides its method and name: mirrored parameters, and a call's arguments.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::body::{BodyFault, folded};
use super::headers::{self, HeaderFault};
use super::request::{McpRequest, Unknown, VERSION_WITH_HEADERS};
use crate::domain::{Occurrence, Operation};

const PARAM: &str = "Mcp-Param-…";
/// More are refused: no tool has so many parameters that a proxy needs to know.
const MAX_PARAMS: usize = 32;
const MAX_BYTES: usize = 16_384;

/// `operations` with the headers `Mcp-Param-…`, given by the rest of their names in lower case. They are believed where
/// the operator vouches for the server, which must refuse what differs from the body (MCP 2026-07-28), and of one
/// operation only; elsewhere there are none.
pub fn with_params<'a>(
    operations: Vec<Operation<'a>>,
    request: &McpRequest<'_>,
    params: &[(String, Occurrence<'_>)],
) -> Result<Vec<Operation<'a>>, Unknown> {
    let believed = request.upstream_enforces
        && request.protocol_version == Occurrence::Once(VERSION_WITH_HEADERS)
        && request.mcp_method.once().is_some();
    let mut operations = operations;
    match (operations.pop(), operations.is_empty()) {
        (Some(only), true) if believed => Ok(vec![only.with_params(read_params(params)?)]),
        (last, _) => {
            operations.extend(last);
            Ok(operations)
        }
    }
}

fn read_params(params: &[(String, Occurrence<'_>)]) -> Result<Vec<(String, String)>, HeaderFault> {
    let mut read = Vec::new();
    for (name, occurrence) in params {
        // A proxy may have merged two lines into one (RFC 9110 §5.3); values with a comma can be sent in Base64.
        if occurrence.once().is_some_and(|value| value.contains(&b',')) {
            return Err(HeaderFault::Repeated(PARAM));
        }
        if let Some(value) = headers::read(PARAM, *occurrence)? {
            read.push((name.clone(), value.into_owned()));
        }
    }
    let bytes: usize = read.iter().map(|(name, value)| name.len() + value.len()).sum();
    if read.len() > MAX_PARAMS || bytes > MAX_BYTES { Err(HeaderFault::TooMany(PARAM)) } else { Ok(read) }
}

/// Of a message where its arguments stand. The rest is passed over: it was read before.
#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    params: Params,
}

#[derive(Deserialize, Default)]
struct Params {
    arguments: Option<Value>,
}

/// `operations`, which were read from `body`, with their arguments. The body was read strictly before, so no key comes
/// twice; here keys are refused that some servers take for the same: they differ only in case, or in what stands around
/// them.
pub fn with_arguments<'a>(operations: Vec<Operation<'a>>, body: &[u8]) -> Result<Vec<Operation<'a>>, Unknown> {
    let is_batch = body.trim_ascii_start().starts_with(b"[");
    let messages: Result<Vec<Message>, _> =
        if is_batch { serde_json::from_slice(body) } else { serde_json::from_slice(body).map(|only| vec![only]) };
    let messages = messages.map_err(|_| BodyFault::NotJson)?;
    let add = |(operation, message)| Ok(Operation::with_arguments(operation, arguments_of(message)?));
    operations.into_iter().zip(messages).map(add).collect()
}

fn arguments_of(message: Message) -> Result<Option<Map<String, Value>>, BodyFault> {
    match message.params.arguments {
        Some(arguments) if has_lookalikes(&arguments) => Err(BodyFault::LookalikeKey),
        Some(Value::Object(members)) => Ok(Some(members)),
        _ => Ok(None),
    }
}

/// Whether an object somewhere in `value` has two keys that careless readers take for one.
fn has_lookalikes(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(has_lookalikes),
        Value::Object(members) => are_lookalikes(members.keys()) || members.values().any(has_lookalikes),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Whether two of different `keys` are one to careless readers. Those that are read as they stand cannot be. A client
/// chooses them, so the hash is a random one.
fn are_lookalikes<'k>(mut keys: impl Iterator<Item = &'k String> + Clone) -> bool {
    if keys.clone().all(|key| folded(key) == **key) {
        return false;
    }
    let mut seen = HashSet::with_hasher(foldhash::quality::RandomState::default());
    !keys.all(|key| seen.insert(folded(key)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcp::SentBody;

    fn request(version: &'static str, upstream_enforces: bool) -> McpRequest<'static> {
        McpRequest {
            method: "POST",
            protocol_version: Occurrence::Once(version.as_bytes()),
            mcp_method: Occurrence::Once(b"tools/call"),
            mcp_name: Occurrence::Once(b"query"),
            content_type: Occurrence::Absent,
            content_encoding: Occurrence::Absent,
            body: SentBody::None,
            upstream_enforces,
        }
    }

    fn told(request: &McpRequest<'_>, params: &[(&str, Occurrence<'_>)]) -> Result<Vec<(String, String)>, Unknown> {
        let params: Vec<_> = params.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
        let operations = vec![Operation::new("tools/call", Some("query".into()))];
        with_params(operations, request, &params).map(|operations| operations[0].params().to_vec())
    }

    #[test]
    fn parameters_are_believed_of_servers_that_check_them_and_of_nobody_else() {
        let params = [("tenant", Occurrence::Once(b"red")), ("city", Occurrence::Once(b"=?base64?S8O2bG4=?="))];
        let read = vec![("tenant".to_owned(), "red".to_owned()), ("city".to_owned(), "Köln".to_owned())];
        assert_eq!(told(&request("2026-07-28", true), &params), Ok(read));
        assert_eq!(told(&request("2026-07-28", false), &params), Ok(vec![]));
        assert_eq!(told(&request("2025-11-25", true), &params), Ok(vec![]));
        let unnamed = McpRequest { mcp_method: Occurrence::Absent, ..request("2026-07-28", true) };
        assert_eq!(told(&unnamed, &params), Ok(vec![]));
        let params = [("tenant".to_owned(), Occurrence::Once(&b"red"[..]))];
        let batch = vec![Operation::new("a", None), Operation::new("b", None)];
        let batch = with_params(batch, &request("2026-07-28", true), &params).unwrap();
        assert_eq!(batch, [Operation::new("a", None), Operation::new("b", None)]);
    }

    #[test]
    fn doubtful_parameters_make_the_operation_unknown() {
        let long = "x".repeat(4097);
        for occurrence in [
            Occurrence::Repeated,
            Occurrence::Once(b"red, blue"),
            Occurrence::Once(b""),
            Occurrence::Once(b"=?base64?!?="),
            Occurrence::Once(b"r\xc3\xb6t"),
            Occurrence::Once(long.as_bytes()),
        ] {
            let told = told(&request("2026-07-28", true), &[("tenant", occurrence)]);
            assert!(matches!(told, Err(Unknown::Headers(_))), "{occurrence:?}: {told:?}");
        }
        let names: Vec<String> = (0..33).map(|number| format!("p{number}")).collect();
        let many: Vec<_> = names.iter().map(|name| (name.as_str(), Occurrence::Once(&b"x"[..]))).collect();
        let too_many = Err(Unknown::Headers(HeaderFault::TooMany(PARAM)));
        assert_eq!(told(&request("2026-07-28", true), &many), too_many);
        assert_eq!(told(&request("2026-07-28", true), &many[..32]).map(|params| params.len()), Ok(32));
        // 16 KiB in all, names included: four of them take 4096 bytes each.
        let value = "x".repeat(4096 - 2);
        let full: Vec<_> = many.iter().take(4).map(|(name, _)| (*name, Occurrence::Once(value.as_bytes()))).collect();
        assert_eq!(told(&request("2026-07-28", true), &full).map(|params| params.len()), Ok(4));
        let one_more: Vec<_> = full.iter().copied().chain([("q", Occurrence::Once(&b"x"[..]))]).collect();
        assert_eq!(told(&request("2026-07-28", true), &one_more), too_many);
        let value = "x".repeat(4000);
        let large: Vec<_> = many.iter().take(5).map(|(name, _)| (*name, Occurrence::Once(value.as_bytes()))).collect();
        assert_eq!(told(&request("2026-07-28", true), &large), too_many);
    }

    #[test]
    fn arguments_are_those_of_each_message() {
        let read = |body: &str, count: usize| {
            let operations = (0..count).map(|_| Operation::new("tools/call", None)).collect();
            with_arguments(operations, body.as_bytes())
                .map(|operations| operations.iter().map(|known| known.arguments().cloned()).collect::<Vec<_>>())
        };
        let object = |text: &str| serde_json::from_str::<Value>(text).unwrap().as_object().cloned();
        assert_eq!(read(r#"{"params":{"arguments":{"a":1}}}"#, 1), Ok(vec![object(r#"{"a":1}"#)]));
        let batch = r#"[{"params":{"arguments":{"a":1}}},{"params":{}},{},{"params":{"arguments":{"b":2}}}]"#;
        assert_eq!(read(batch, 4), Ok(vec![object(r#"{"a":1}"#), None, None, object(r#"{"b":2}"#)]));
        assert_eq!(read(r#"{"params":{"arguments":[1]}}"#, 1), Ok(vec![None]));
        for arguments in [
            r#"{"path":1,"Path":2}"#,
            r#"{"a":[{"b":{"x":1,"X":2}}]}"#,
            r#"{"a":{"x":1},"b":{"x":1,"X":2},"c":3}"#,
            r#"{"a":[1,{"x":1,"X":2},3]}"#,
            r#"{"pass":1,"pa\u017fs":2}"#,
            r#"{"path":1,"path\u0000":2}"#,
            r#"{"path":1," path":2}"#,
            r#"{"path":1,"path\u0000.txt":2}"#,
            r#"{"\u03c3":1,"\u03c2":2}"#,
            r#"{"\u00df":1,"\u1e9e":2}"#,
            r#"{"strasse":1,"stra\u00dfe":2}"#,
            r#"{"file":1,"f\u0131le":2}"#,
            r#"{"file":1,"F\u0130LE":2}"#,
        ] {
            let body = format!(r#"{{"params":{{"arguments":{arguments}}}}}"#);
            assert_eq!(read(&body, 1), Err(Unknown::Body(BodyFault::LookalikeKey)), "{arguments}");
        }
    }
}
