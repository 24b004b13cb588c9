//! A client and what it asks for, as people are shown them.

use super::text::visible_line;

const MAX_NAME: usize = 60;

/// A client. Nothing of it is believed, so all of it is escaped, cut and told apart from what is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientView {
    /// The name, whoever gave it.
    pub name: Option<String>,
    /// Who gave it.
    pub origin: ClientOrigin,
}

/// Who says that a client has this name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientOrigin {
    /// The operator, in the configuration.
    Operator,
    /// The site that publishes the client's metadata document.
    Website {
        /// The host of the client id.
        host: String,
    },
    /// The client itself, when it registered.
    Itself,
}

impl ClientView {
    /// The name, or what to say where there is none. `capital` at the start of a sentence.
    pub(super) fn shown(&self) -> Option<String> {
        self.name.as_deref().and_then(|name| visible_line(name, MAX_NAME))
    }

    pub(super) fn names_itself(&self) -> bool {
        matches!(self.origin, ClientOrigin::Itself) && self.shown().is_some()
    }

    /// The site that vouches for the name.
    pub(super) fn website(&self) -> Option<&str> {
        match &self.origin {
            ClientOrigin::Website { host } => Some(host),
            ClientOrigin::Operator | ClientOrigin::Itself => None,
        }
    }
}

/// A protected MCP server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceView {
    /// The operator's name for it.
    pub name: Option<String>,
    /// Its canonical URI.
    pub uri: String,
}

impl ResourceView {
    /// Its name, else its address without the scheme.
    pub(super) fn shown(&self) -> String {
        let address = self.uri.split_once("://").map_or(self.uri.as_str(), |(_, rest)| rest);
        self.name.as_deref().and_then(|name| visible_line(name, MAX_NAME)).unwrap_or_else(|| address.to_owned())
    }
}

/// A scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeView {
    /// `mcp:read`
    pub scope: String,
    /// The operator's words for it: "Read your notes".
    pub description: Option<String>,
}
