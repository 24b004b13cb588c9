//! A row of the matrix.

use crate::support::http::Request;
use crate::support::world::{HOST, World};

/// The page that a browser client runs on.
pub const ORIGIN: &str = "https://app.example.com";

pub struct Case {
    pub name: &'static str,
    pub request: Request,
    pub expected: Expected,
}

pub enum Expected {
    /// The service refuses, and the client learns why.
    Refused(Refusal),
    /// The MCP server receives the request, and this identity with it.
    Allowed(Identity),
    /// The proxy answers this status without asking.
    RefusedByProxy(u16),
    /// Whoever refuses it, and however: the MCP server must not see it.
    NotAllowed,
}

/// What the service says when it refuses.
pub struct Refusal {
    pub status: u16,
    /// `WWW-Authenticate`, whole.
    pub challenge: Option<String>,
    pub error: &'static str,
    pub description: &'static str,
    pub reason: &'static str,
}

/// The identity headers as the MCP server must see them; empty means empty or absent.
#[derive(Clone)]
pub struct Identity(pub Vec<(&'static str, String)>);

impl Case {
    pub const fn new(name: &'static str, request: Request, expected: Expected) -> Self {
        Self { name, request, expected }
    }
}

/// A browser's request to the mirror behind the resource `/mcp`.
pub fn ask(world: &World) -> Request {
    ask_with(world, "GET", "/echo-request/row?x=1&y=%2F")
}

pub fn ask_with(world: &World, method: &str, target: &str) -> Request {
    Request::new(method, target).host(&world.authority()).header("Origin", ORIGIN)
}

/// The challenge of the resource at `path`, with the error code and description of a refused token.
pub fn challenge(world: &World, path: &str, error: Option<(&str, &str)>, scope: &str) -> String {
    let error = error.map_or_else(String::new, |(code, description)| {
        format!(r#"error="{code}", error_description="{description}", "#)
    });
    let origin = format!("http://{HOST}:{}", world.proxy.port);
    format!(r#"Bearer {error}resource_metadata="{origin}/.well-known/oauth-protected-resource{path}", scope="{scope}""#)
}

impl Refusal {
    pub fn missing_token(world: &World) -> Self {
        Self {
            status: 401,
            challenge: Some(challenge(world, "/mcp", None, "mcp:read")),
            error: "invalid_token",
            description: "a bearer token is required",
            reason: "missing_token",
        }
    }

    /// A token that is no good; the code is that of RFC 6750 §3.1.
    pub fn bad_token(world: &World, error: &'static str, reason: &'static str, description: &'static str) -> Self {
        let challenge = challenge(world, "/mcp", Some((error, description)), "mcp:read");
        Self { status: 401, challenge: Some(challenge), error, description, reason }
    }

    pub fn insufficient_scope(world: &World, path: &str, scope: &str) -> Self {
        let (error, description) = ("insufficient_scope", "the token lacks a required scope");
        let challenge = challenge(world, path, Some((error, description)), scope);
        Self { status: 403, challenge: Some(challenge), error, description, reason: "insufficient_scope" }
    }

    /// No token would help.
    pub const fn denied(reason: &'static str, description: &'static str) -> Self {
        Self { status: 403, challenge: None, error: "access_denied", description, reason }
    }
}

impl Identity {
    /// Alice, as [`crate::support::issuer::TestIssuer::token_for`] describes her.
    pub fn alice(world: &World) -> Self {
        Self(vec![
            ("x-forwarded-user", "alice@example.com".into()),
            ("x-forwarded-email", "alice@example.com".into()),
            ("x-forwarded-groups", "staff,R%2C%20D".into()),
            ("x-forwarded-scopes", "mcp:read".into()),
            ("x-auth-subject", "alice-subject".into()),
            ("x-auth-issuer", world.issuer.url()),
            ("x-auth-client", "test-client".into()),
            ("x-auth-resource", world.resource()),
        ])
    }

    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        let entry = self.0.iter_mut().find(|(known, _)| *known == name).expect("an identity header");
        entry.1 = value.into();
        self
    }
}
