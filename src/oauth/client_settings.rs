//! What the operator says about clients.

use std::time::Duration;

use super::{Client, ClientAuthentication, ClientSource, CustomSchemes, GrantType, RedirectUri};
use crate::domain::ScopeSet;
use crate::outbound::GuardSettings;

/// Everything about clients that is configured.
#[derive(Debug, Clone)]
pub struct ClientSettings {
    /// The issuer, exactly as in the metadata: an audience of client assertions (RFC 7523 §3).
    pub issuer: String,
    /// The token endpoint, exactly as in the metadata: the other audience.
    pub token_endpoint: String,
    /// The registration endpoint, exactly as in the metadata; registrations are managed below it.
    pub registration_endpoint: String,
    /// Schemes of applications that redirect URIs may have.
    pub custom_schemes: CustomSchemes,
    /// Dynamic registration.
    pub registration: RegistrationSettings,
    /// Client metadata documents.
    pub documents: DocumentSettings,
    /// Clients that the operator knows.
    pub configured: Vec<ConfiguredClient>,
}

/// Dynamic registration (RFC 7591).
#[derive(Debug, Clone)]
pub struct RegistrationSettings {
    /// Whether clients may register. Those that have stay.
    pub enabled: bool,
    /// Most registrations kept; when the table is full, nobody is thrown out for a newcomer.
    pub max_clients: u64,
    /// A registration through which nobody signed in ends after this time.
    pub unused_lifetime: Duration,
    /// A registration through which somebody signed in ends so long after its last use; `None` keeps it.
    pub used_lifetime: Option<Duration>,
}

/// Client metadata documents (the client id is the URL of a document).
#[derive(Debug, Clone)]
pub struct DocumentSettings {
    /// Whether they are read at all.
    pub enabled: bool,
    /// Hosts whose documents are read; all when empty.
    pub allowed_hosts: Vec<HostPattern>,
    /// Hosts whose documents are never read.
    pub denied_hosts: Vec<HostPattern>,
    /// For development: documents and key sets on this machine, also by plain http.
    pub allow_loopback: bool,
    /// Most documents kept; more are read again each time.
    pub max_kept: u64,
}

/// A client that the operator knows.
#[derive(Debug, Clone)]
pub struct ConfiguredClient {
    /// `client_id`
    pub id: String,
    /// The name to show.
    pub name: Option<String>,
    /// Where answers may go; none for a machine.
    pub redirect_uris: Vec<RedirectUri>,
    /// How it proves itself.
    pub authentication: ClientAuthentication,
    /// Grant types it may use.
    pub grant_types: Vec<GrantType>,
    /// Scopes it may ask for; absent means whatever the resource offers.
    pub scopes: Option<ScopeSet>,
    /// Resources that its `client_credentials` tokens may be for.
    pub resources: Vec<String>,
    /// It never gets tokens without the proof of a key.
    pub dpop_bound: bool,
    /// May introspect every token.
    pub may_introspect: bool,
}

/// A host, or every host below one (`*.example.com`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostPattern {
    /// This host.
    Host(Box<str>),
    /// Hosts that end with this, which starts with a dot.
    Below(Box<str>),
}

impl HostPattern {
    /// Takes a host name or `*.` and a host name.
    pub fn parse(text: &str) -> Option<Self> {
        let name = text.strip_prefix("*.").unwrap_or(text);
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
        if name.is_empty() || name.starts_with('.') || name.ends_with('.') || !name.bytes().all(plain) {
            return None;
        }
        let name = name.to_ascii_lowercase();
        Some(if text.starts_with("*.") { Self::Below(format!(".{name}").into()) } else { Self::Host(name.into()) })
    }

    /// Whether `host`, in lower case, is meant.
    pub fn covers(&self, host: &str) -> bool {
        match self {
            Self::Host(name) => **name == *host,
            Self::Below(suffix) => host.ends_with(&**suffix),
        }
    }
}

impl Default for RegistrationSettings {
    fn default() -> Self {
        const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);
        Self { enabled: true, max_clients: 10_000, unused_lifetime: WEEK, used_lifetime: None }
    }
}

impl Default for DocumentSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            allowed_hosts: Vec::new(),
            denied_hosts: Vec::new(),
            allow_loopback: false,
            max_kept: 10_000,
        }
    }
}

impl DocumentSettings {
    /// The guard that documents and key sets are fetched with.
    pub fn guard(&self) -> GuardSettings {
        GuardSettings { allow_loopback: self.allow_loopback, ..GuardSettings::default() }
    }

    /// Whether documents of `host` are read.
    pub fn admits_host(&self, host: &str) -> bool {
        let covered = |patterns: &[HostPattern]| patterns.iter().any(|pattern| pattern.covers(host));
        !covered(&self.denied_hosts) && (self.allowed_hosts.is_empty() || covered(&self.allowed_hosts))
    }
}

impl From<ConfiguredClient> for Client {
    fn from(client: ConfiguredClient) -> Self {
        Self {
            id: client.id,
            name: client.name,
            redirect_uris: client.redirect_uris,
            authentication: client.authentication,
            grant_types: client.grant_types,
            scopes: client.scopes,
            dpop_bound: client.dpop_bound,
            source: ClientSource::Configuration { resources: client.resources, may_introspect: client.may_introspect },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(allowed: &[&str], denied: &[&str]) -> DocumentSettings {
        let patterns = |texts: &[&str]| texts.iter().map(|text| HostPattern::parse(text).unwrap()).collect();
        DocumentSettings { allowed_hosts: patterns(allowed), denied_hosts: patterns(denied), ..Default::default() }
    }

    #[test]
    fn denied_hosts_win_and_an_empty_allowlist_means_all() {
        assert!(settings(&[], &[]).admits_host("client.example"));
        let some = settings(&["claude.ai", "*.Example.com"], &["bad.example.com"]);
        for (host, admitted) in [
            ("claude.ai", true),
            ("app.example.com", true),
            ("a.b.example.com", true),
            ("bad.example.com", false),
            ("example.com", false),
            ("evilexample.com", false),
            ("claude.ai.evil.example", false),
            ("www.claude.ai", false),
        ] {
            assert_eq!(some.admits_host(host), admitted, "{host}");
        }
    }

    #[test]
    fn refuses_what_is_no_host_pattern() {
        for text in ["", "*", "*.", "*.*", "a*.example", "https://claude.ai", ".example", "a.", "a b", "a/b", "a@b"] {
            assert_eq!(HostPattern::parse(text), None, "{text:?}");
        }
    }
}
