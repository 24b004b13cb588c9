//! From a request's method, headers and body to its operations, or to the reason why they cannot be told.

use std::time::Duration;

use super::body::{self, BodyFault};
use super::headers::{self, HeaderFault};
use super::name;
use crate::domain::operation::NamedBy;
use crate::domain::{Occurrence, Operation};

/// The parts of the original request that tell what is asked.
#[derive(Debug, Clone, Copy)]
pub struct McpRequest<'a> {
    /// The HTTP method.
    pub method: &'a str,
    /// `MCP-Protocol-Version`.
    pub protocol_version: Occurrence<'a>,
    /// `Mcp-Method`.
    pub mcp_method: Occurrence<'a>,
    /// `Mcp-Name`.
    pub mcp_name: Occurrence<'a>,
    /// `Content-Type`.
    pub content_type: Occurrence<'a>,
    /// `Content-Encoding`.
    pub content_encoding: Occurrence<'a>,
    /// What the proxy sent of the body.
    pub body: SentBody<'a>,
    /// The operator's word that the server behind refuses headers that differ from the body.
    pub upstream_enforces: bool,
}

/// How much of a body is read, and how long it is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyLimits {
    /// In bytes.
    pub max_bytes: usize,
    /// Until the last byte.
    pub timeout: Duration,
}

/// What the proxy sent of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SentBody<'a> {
    /// Nothing.
    None,
    /// All of it.
    Whole(&'a [u8]),
    /// A part of it, or more than is read.
    Cut,
    /// It did not arrive in time.
    Late,
}

/// Why operations cannot be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unknown {
    /// Neither body nor headers to go by.
    #[error("the proxy sent no body, and headers are believed only of MCP 2026-07-28 and of servers that check them")]
    NothingToGoBy,
    /// The body was cut.
    #[error("the body is longer than is read")]
    Cut,
    /// The body came too slowly.
    #[error("the body did not arrive in time")]
    Late,
    /// The body is no plain JSON-RPC.
    #[error("{0}")]
    Body(#[from] BodyFault),
    /// The mirrored headers do not fit.
    #[error("{0}")]
    Headers(#[from] HeaderFault),
    /// Neither GET, HEAD, POST nor DELETE.
    #[error("the HTTP method is none of MCP's")]
    HttpMethod,
}

/// The first version whose servers must refuse headers that differ from the body. Only known versions count: what a later
/// one demands is not known.
pub(super) const VERSION_WITH_HEADERS: &[u8] = b"2026-07-28";

/// Everything that the request asks for; at least one operation.
pub fn operations<'a>(request: &McpRequest<'a>) -> Result<Vec<Operation<'a>>, Unknown> {
    match (request.method, request.body) {
        ("POST", SentBody::None) => from_headers(request).map(|operation| vec![operation]),
        ("POST", SentBody::Whole(body)) => from_body(request, body),
        (_, SentBody::Cut) => Err(Unknown::Cut),
        (_, SentBody::Late) => Err(Unknown::Late),
        ("GET" | "HEAD", SentBody::None) => Ok(vec![Operation::new(Operation::STREAM, None)]),
        ("DELETE", SentBody::None) => Ok(vec![Operation::new(Operation::END_OF_SESSION, None)]),
        // A server that looks at the body of a GET would see what was not judged.
        ("GET" | "HEAD" | "DELETE", SentBody::Whole(_)) => Err(BodyFault::Unexpected.into()),
        _ => Err(Unknown::HttpMethod),
    }
}

fn from_body<'a>(request: &McpRequest<'a>, body: &'a [u8]) -> Result<Vec<Operation<'a>>, Unknown> {
    body::check_type(request.content_type)?;
    body::check_encoding(request.content_encoding)?;
    let operations = body::read(body)?;
    agree(request, &operations)?;
    Ok(operations)
}

/// Where headers came as well, a server may go by them, so they must say the same, whatever the version.
fn agree(request: &McpRequest<'_>, operations: &[Operation<'_>]) -> Result<(), HeaderFault> {
    let method = headers::read(METHOD, request.mcp_method)?;
    let name = headers::read(NAME, request.mcp_name)?;
    let agrees = |header: Option<&str>, body: &dyn for<'o> Fn(&'o Operation<'_>) -> Option<&'o str>| {
        header.is_none_or(|header| operations.iter().all(|operation| body(operation) == Some(header)))
    };
    if !agrees(method.as_deref(), &|operation| Some(operation.method())) {
        return Err(HeaderFault::Disagrees(METHOD));
    }
    if !agrees(name.as_deref(), &|operation| operation.name()) {
        return Err(HeaderFault::Disagrees(NAME));
    }
    Ok(())
}

fn from_headers<'a>(request: &McpRequest<'a>) -> Result<Operation<'a>, Unknown> {
    if !request.upstream_enforces || request.protocol_version != Occurrence::Once(VERSION_WITH_HEADERS) {
        return Err(Unknown::NothingToGoBy);
    }
    let method = headers::read(METHOD, request.mcp_method)?.ok_or(HeaderFault::Missing(METHOD))?;
    body::check_method(&method)?;
    let name = headers::read(NAME, request.mcp_name)?;
    if let (Some(named_by), Some(name)) = (NamedBy::of(&method), &name) {
        name::check(named_by, name)?;
    }
    match (NamedBy::is_mirrored(&method), name) {
        (true, None) => Err(HeaderFault::Missing(NAME).into()),
        // Named, but not in a header that servers check.
        (false, _) if NamedBy::of(&method).is_some() => Err(HeaderFault::Missing(NAME).into()),
        (false, Some(_)) => Err(HeaderFault::Disagrees(NAME).into()),
        // A proxy may have merged two lines into one (RFC 9110 §5.3). Names of tools and prompts hold no comma.
        (_, Some(name)) if name.contains(',') && NamedBy::of(&method) == Some(NamedBy::Name) => {
            Err(HeaderFault::Repeated(NAME).into())
        }
        (_, name) => Ok(Operation::new(method, name)),
    }
}

const METHOD: &str = "Mcp-Method";
const NAME: &str = "Mcp-Name";

#[cfg(test)]
mod tests;
