//! The body, read as every JSON-RPC library would or not at all: what two libraries could read differently is refused.
//!
//! Seen in the field: the last of two equal keys wins in one library and the first in another; Go matches keys without
//! regard to case (CVE-2026-27896) and once dropped a trailing NUL; some servers take batches that others refuse.

mod message;
mod object;
mod strict;

use serde::Deserialize as _;

use crate::domain::{Occurrence, Operation};
use message::Body;
pub(super) use strict::folded;

/// Why a body is not judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyFault {
    /// No JSON text in UTF-8, or one nested too deeply.
    #[error("the body is no JSON text in UTF-8 of ordinary depth and of the shape of JSON-RPC")]
    NotJson,
    /// A key twice in one object.
    #[error("the body has a key twice in one object")]
    RepeatedKey,
    /// A key that some libraries take for another.
    #[error("the body has a key that some readers take for another")]
    LookalikeKey,
    /// Neither request, notification nor response of JSON-RPC 2.0.
    #[error("the body is no JSON-RPC 2.0 message, or is several in one")]
    NotJsonRpc,
    /// A method in another spelling than MCP's.
    #[error("the method is not spelled as MCP spells it")]
    Method,
    /// `tools/call` without a tool, for instance.
    #[error("the operation does not name what it is about")]
    Nameless,
    /// A name that a server could read otherwise.
    #[error("the name has characters that some readers drop, or dot segments")]
    Name,
    /// Not `application/json`, or in another character set.
    #[error("the Content-Type is not application/json")]
    ContentType,
    /// Compressed.
    #[error("the body is compressed")]
    Encoded,
    /// More messages in a batch than are read.
    #[error("the batch is empty or has too many messages")]
    Batch,
    /// A body where MCP has none.
    #[error("a body came with a method that has none")]
    Unexpected,
}

/// Every message of `body`, in order; at least one.
pub fn read(body: &[u8]) -> Result<Vec<Operation<'_>>, BodyFault> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let read = Body::deserialize(&mut json).map_err(|error| strict::fault_in(&error))?;
    json.end().map_err(|_| BodyFault::NotJson)?;
    read.operations()
}

/// `application/json`, with UTF-8 as the only character set.
pub fn check_type(content_type: Occurrence<'_>) -> Result<(), BodyFault> {
    let text = content_type.once().and_then(|value| std::str::from_utf8(value).ok()).ok_or(BodyFault::ContentType)?;
    let (essence, parameters) = text.split_once(';').unwrap_or((text, ""));
    let known = |parameter: &str| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        name.eq_ignore_ascii_case("charset") && value.trim_matches('"').eq_ignore_ascii_case("utf-8")
    };
    let sound = essence.trim().eq_ignore_ascii_case("application/json")
        && parameters.split(';').map(str::trim).all(|parameter| parameter.is_empty() || known(parameter));
    if sound { Ok(()) } else { Err(BodyFault::ContentType) }
}

/// Not compressed: a server would read other bytes than were judged.
pub fn check_encoding(content_encoding: Occurrence<'_>) -> Result<(), BodyFault> {
    match content_encoding {
        Occurrence::Absent => Ok(()),
        Occurrence::Once(value) if value.eq_ignore_ascii_case(b"identity") => Ok(()),
        Occurrence::Once(_) | Occurrence::Repeated => Err(BodyFault::Encoded),
    }
}

/// A method of plain characters, and no known one in another case: rules compare exactly, a server might not.
pub fn check_method(method: &str) -> Result<(), BodyFault> {
    const MAX_LENGTH: usize = 128;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/_-.$:".contains(&byte);
    let lookalike = || KNOWN_METHODS.iter().any(|known| method != *known && method.eq_ignore_ascii_case(known));
    let sound = !method.is_empty() && method.len() <= MAX_LENGTH && method.bytes().all(plain) && !lookalike();
    if sound { Ok(()) } else { Err(BodyFault::Method) }
}

/// What clients send, in every version of the protocol so far.
const KNOWN_METHODS: [&str; 27] = [
    "initialize",
    "ping",
    "server/discover",
    "tools/list",
    "tools/call",
    "prompts/list",
    "prompts/get",
    "resources/list",
    "resources/templates/list",
    "resources/read",
    "resources/subscribe",
    "resources/unsubscribe",
    "subscriptions/listen",
    "completion/complete",
    "logging/setLevel",
    "tasks/list",
    "tasks/get",
    "tasks/result",
    "tasks/update",
    "tasks/cancel",
    "notifications/initialized",
    "notifications/cancelled",
    "notifications/progress",
    "notifications/roots/list_changed",
    "notifications/tasks/status",
    "notifications/elicitation/complete",
    "notifications/message",
];

#[cfg(test)]
mod tests;
