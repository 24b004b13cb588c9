//! A request as somebody describes it, and how each proxy would put it to us.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Asker;
use crate::domain::operation::NamedBy;
use crate::domain::original_request::is_method;
use crate::domain::{Operation, PresentedKey, Secret};
use crate::mcp::SentBody;
use crate::proxy::head::RecordedHead;
use crate::proxy::{Contract, Field};

/// A request as described.
#[derive(Debug)]
pub struct Question {
    method: String,
    url: Url,
    token: Option<Secret>,
    origin: Option<String>,
    operation: Option<Named>,
    body: Option<String>,
}

/// The same as it is written in a command.
#[derive(Default)]
pub struct Written {
    /// The URL that the client uses.
    pub url: String,
    /// `POST`, unless the operation is one of another method.
    pub method: Option<String>,
    /// The bearer token.
    pub token: Option<String>,
    /// `Origin`
    pub origin: Option<String>,
    /// What is asked of the MCP server.
    pub operation: Option<Named>,
}

/// An operation, by method and name.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// The JSON-RPC method.
    pub method: String,
    /// The tool, prompt or resource.
    pub name: Option<String>,
    /// What a call of a tool or prompt hands over.
    pub arguments: Option<Map<String, Value>>,
}

/// Why a description is none of a request that a client could send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UnusableQuestion(&'static str);

/// A URL in its parts, as they are written: nothing is normalised, so that what is judged is what was asked.
#[derive(Debug)]
struct Url {
    scheme: String,
    authority: String,
    target: String,
}

impl Question {
    /// Reads a description.
    pub fn read(written: Written) -> Result<Self, UnusableQuestion> {
        let url = Url::read(&written.url)?;
        let implied = written.operation.as_ref().map_or("POST", |operation| implied_method(&operation.method));
        let method = written.method.unwrap_or_else(|| implied.to_owned());
        if !is_method(method.as_bytes()) {
            return Err(UnusableQuestion("method: it is no HTTP method"));
        }
        if written.origin.as_ref().is_some_and(|origin| !is_plain(origin)) {
            return Err(UnusableQuestion("origin: it must be visible ASCII"));
        }
        if written.operation.as_ref().is_some_and(|named| named.arguments.is_some() && !takes_arguments(&named.method))
        {
            return Err(UnusableQuestion("arguments: only tools/call and prompts/get take any"));
        }
        let token = written.token.map(|token| token.trim().to_owned());
        if token.as_ref().is_some_and(|token| token.chars().any(char::is_control)) {
            return Err(UnusableQuestion("token: it holds control characters, which no header can"));
        }
        let body = written.operation.as_ref().and_then(body);
        let token = token.map(Secret::new);
        Ok(Self { method, url, token, origin: written.origin, operation: written.operation, body })
    }

    /// Whether the token is meant to be an API key.
    pub fn presents_api_key(&self) -> bool {
        self.token.as_ref().is_some_and(|token| PresentedKey::is_meant(token.expose().as_bytes()))
    }

    /// The method.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The URL without its query, which may hold a secret.
    pub fn url(&self) -> String {
        let path = self.url.target.split('?').next().unwrap_or_default();
        format!("{}://{}{path}", self.url.scheme, self.url.authority)
    }

    /// What is asked of the MCP server.
    pub const fn operation(&self) -> Option<&Named> {
        self.operation.as_ref()
    }

    /// `Origin`
    pub fn origin(&self) -> Option<&str> {
        self.origin.as_deref()
    }

    /// The body that `asker` sends.
    pub fn body(&self, asker: Asker) -> SentBody<'_> {
        match &self.body {
            Some(body) if asker.sends_bodies() => SentBody::Whole(body.as_bytes()),
            _ => SentBody::None,
        }
    }

    /// The request that `asker` sends, besides what only shows that it may ask.
    pub fn head(&self, asker: Asker) -> RecordedHead {
        let Url { scheme, authority, target } = &self.url;
        let head = match asker.contract() {
            Contract::ForwardAuth => RecordedHead::new("GET", asker.path())
                .with(Field::ForwardedMethod, self.method.as_str())
                .with(Field::ForwardedProto, scheme.as_str())
                .with(Field::ForwardedHost, authority.as_str())
                .with(Field::ForwardedUri, target.as_str()),
            Contract::ExtAuthz => RecordedHead::new(&self.method, &format!("{}{target}", asker.path()))
                .with(Field::Host, authority.as_str())
                .with(Field::ForwardedProto, scheme.as_str()),
            Contract::AuthRequest => RecordedHead::new("GET", asker.path())
                .with(Field::OriginalMethod, self.method.as_str())
                .with(Field::OriginalUrl, format!("{scheme}://{authority}{target}")),
        };
        self.client_headers(head)
    }

    /// What comes from the client, whichever proxy hands it on.
    fn client_headers(&self, head: RecordedHead) -> RecordedHead {
        let token = self.token.iter().map(|token| (Field::Authorization, format!("Bearer {}", token.expose())));
        let origin = self.origin.iter().map(|origin| (Field::Origin, origin.clone()));
        let body = self.body.iter().map(|_| (Field::ContentType, "application/json".to_owned()));
        let mirrored = self.body.iter().zip(&self.operation).flat_map(|(_, operation)| mirrored(operation));
        token.chain(origin).chain(body).chain(mirrored).fold(head, |head, (field, value)| head.with(field, value))
    }
}

impl Url {
    fn read(text: &str) -> Result<Self, UnusableQuestion> {
        if !is_plain(text) {
            return Err(UnusableQuestion("url: it must be visible ASCII, as it goes over the wire"));
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(UnusableQuestion("url: it must be absolute, such as https://mcp.example.com/mcp"));
        };
        let (authority, target) =
            rest.split_at_checked(rest.find(['/', '?', '#']).unwrap_or(rest.len())).unwrap_or((rest, ""));
        if authority.contains('@') {
            return Err(UnusableQuestion("url: it must hold no user name or password"));
        }
        // Clients keep a fragment to themselves and ask for the root where there is no path (RFC 9110 §4.2.3, §7.1).
        let target = target.split('#').next().unwrap_or_default();
        let root = if target.starts_with('/') { "" } else { "/" };
        Ok(Self { scheme: scheme.to_owned(), authority: authority.to_owned(), target: format!("{root}{target}") })
    }
}

fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn takes_arguments(method: &str) -> bool {
    matches!(method, "tools/call" | "prompts/get")
}

/// The HTTP method of an operation.
fn implied_method(operation: &str) -> &'static str {
    match operation {
        Operation::STREAM => "GET",
        Operation::END_OF_SESSION => "DELETE",
        _ => "POST",
    }
}

/// The message that asks for `operation`.
fn body(operation: &Named) -> Option<String> {
    let method = operation.method.as_str();
    let message = match method {
        Operation::STREAM | Operation::END_OF_SESSION => return None,
        Operation::RESPONSE => json!({ "jsonrpc": "2.0", "id": 1, "result": {} }),
        _ if method.starts_with("notifications/") => json!({ "jsonrpc": "2.0", "method": method }),
        _ => json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params(operation) }),
    };
    Some(message.to_string())
}

fn params(operation: &Named) -> Value {
    let member = match NamedBy::of(&operation.method) {
        Some(NamedBy::Uri) => "uri",
        Some(NamedBy::TaskId) => "taskId",
        Some(NamedBy::Name) | None => "name",
    };
    let name = operation.name.iter().map(|name| (member.to_owned(), json!(name)));
    let arguments = operation.arguments.iter().map(|arguments| ("arguments".to_owned(), json!(arguments)));
    name.chain(arguments).collect::<Map<_, _>>().into()
}

/// The headers in which clients of MCP 2026-07-28 repeat it (Streamable HTTP).
fn mirrored(operation: &Named) -> Vec<(Field, String)> {
    if operation.method == Operation::RESPONSE {
        return Vec::new();
    }
    let name = operation.name.as_deref().filter(|_| NamedBy::is_mirrored(&operation.method));
    let version = (Field::McpProtocolVersion, "2026-07-28".to_owned());
    let method = (Field::McpMethod, encoded(&operation.method));
    [version, method].into_iter().chain(name.map(|name| (Field::McpName, encoded(name)))).collect()
}

fn encoded(text: &str) -> String {
    let plain = !text.is_empty() && text.bytes().all(|byte| matches!(byte, b'!'..=b'~'));
    if plain && !text.starts_with("=?base64?") {
        text.to_owned()
    } else {
        format!("=?base64?{}?=", STANDARD.encode(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Malformed;

    fn question(url: &str) -> Result<Question, UnusableQuestion> {
        Question::read(Written { url: url.into(), ..Written::default() })
    }

    #[test]
    fn every_proxy_tells_the_same_request() {
        for (url, path) in [
            ("https://mcp.example.com/mcp?x=1", "/mcp"),
            ("https://mcp.example.com", "/"),
            ("https://mcp.example.com?x=1", "/"),
            ("https://mcp.example.com:8443/mcp/a%20b#there", "/mcp/a%20b"),
        ] {
            let question = question(url).unwrap();
            for asker in Asker::ALL {
                let head = question.head(asker);
                let request = asker.contract().original_request(&head).unwrap();
                assert_eq!((request.method(), request.path().as_str()), ("POST", path), "{asker:?} {url}");
                assert_eq!(request.scheme().as_str(), "https");
            }
            assert!(!question.url().contains(['?', '#']), "{}", question.url());
        }
    }

    #[test]
    fn nothing_is_normalised_on_the_way() {
        let question = question("https://mcp.example.com/mcp/../admin").unwrap();
        for asker in Asker::ALL {
            let head = question.head(asker);
            let read = asker.contract().original_request(&head);
            assert!(matches!(read, Err(Malformed::AmbiguousPath(_))), "{asker:?}");
        }
    }

    #[test]
    fn what_no_client_sends_is_no_question() {
        for url in ["", "/mcp", "mcp.example.com/mcp", "https://a b/", "https://alice:secret@a/mcp", "https://a/\u{e9}"]
        {
            assert!(question(url).is_err(), "{url}");
        }
        let with = |change: &dyn Fn(&mut Written)| {
            let mut written = Written { url: "https://a/mcp".into(), ..Written::default() };
            change(&mut written);
            Question::read(written).is_ok()
        };
        assert!(!with(&|written| written.method = Some("GET IT".into())));
        assert!(!with(&|written| written.origin = Some("https://a\r\nb".into())));
        assert!(!with(&|written| written.token = Some("a\r\nb".into())));
        assert!(with(&|written| written.token = Some(" abc\n".into())));
    }
}
