//! A resource with its rules, and the set in which exactly one is found for a request.

use std::collections::HashMap;

use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{AssertionAudience, Condition, OperationPolicy};
use crate::domain::path::Ambiguity;
use crate::domain::resource::{HostPattern, PathPrefix};
use crate::domain::{Authority, EmailPattern, Issuer, OriginalRequest, RequestPath, ResourceUri, Scope, ScopeSet};

/// A resource and what it demands.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The resource.
    pub resource: ResourceUri,
    /// What people read: in documents and logs.
    pub name: Option<String>,
    /// Further prefixes of the same hosts.
    pub also_paths: Vec<PathPrefix>,
    /// Issuers accepted here.
    pub issuers: Vec<AcceptedIssuer>,
    /// Who may call.
    pub principals: Principals,
    /// Whether API keys that were made for the resource are admitted besides.
    pub allow_api_keys: bool,
    /// Scopes that a token must have, each with what implies it.
    pub required_scopes: Vec<RequiredScope>,
    /// `Origin` values accepted; empty accepts all.
    pub allowed_origins: Vec<String>,
    /// What must be true besides, of requests whose operations are not looked at.
    pub condition: Option<Condition>,
    /// Enforce, or only record.
    pub mode: Mode,
    /// What challenges and documents tell clients to ask for.
    pub scopes_in_challenge: ScopeSet,
    /// Those are other names than the ones that tokens then hold.
    pub asks_for_other_names: bool,
    /// What browsers may be signed in to.
    pub sessions: BrowserSessions,
    /// Only tokens that are bound to a key and proven with DPoP are taken (RFC 9449).
    pub dpop_required: bool,
    /// What single operations demand besides.
    pub operations: OperationPolicy,
    /// Whether the upstream gets a signed statement of who calls, and for whom it is made.
    pub assertion: Option<AssertionAudience>,
}

/// An issuer and the audiences that count besides the resource's own URI.
#[derive(Debug, Clone)]
pub struct AcceptedIssuer {
    /// `iss`.
    pub issuer: Issuer,
    /// For issuers that cannot name a resource in `aud` (no RFC 8707).
    pub audiences: Vec<String>,
}

/// Whether people use a resource with a browser, which keeps a session as a cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BrowserSessions {
    /// Nowhere on the host.
    #[default]
    None,
    /// With another resource of the host: cookies come along, and must not reach this upstream.
    Beside,
    /// With this one.
    Here,
}

/// Who may call. Any one match is enough.
#[derive(Debug, Clone, Default)]
pub struct Principals {
    /// Verified e-mail addresses and domains.
    pub emails: Vec<EmailPattern>,
    /// Groups.
    pub groups: Vec<String>,
    /// `preferred_username`.
    pub users: Vec<String>,
    /// `sub`.
    pub subjects: Vec<String>,
    /// OAuth clients.
    pub clients: Vec<String>,
    /// Everybody whom an accepted issuer vouches for.
    pub anyone: bool,
}

/// A scope that must be granted, itself or through one that implies it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequiredScope {
    /// The scope that challenges name.
    pub scope: Scope,
    /// It and every scope that implies it.
    pub satisfied_by: Vec<Scope>,
}

/// What a refusal does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Refuses.
    #[default]
    Enforce,
    /// Lets through and records what would have been refused.
    Audit,
}

impl Policy {
    /// Whether refusals are only recorded.
    pub fn audit_only(&self) -> bool {
        self.mode == Mode::Audit
    }

    /// One that demands nothing and admits nobody, for tests to change.
    #[cfg(test)]
    pub(crate) fn for_test(url: &str) -> Self {
        Self {
            resource: ResourceUri::parse(url).unwrap(),
            name: None,
            also_paths: Vec::new(),
            issuers: Vec::new(),
            principals: Principals::default(),
            allow_api_keys: false,
            required_scopes: Vec::new(),
            allowed_origins: Vec::new(),
            condition: None,
            mode: Mode::Enforce,
            scopes_in_challenge: ScopeSet::default(),
            asks_for_other_names: false,
            sessions: BrowserSessions::None,
            dpop_required: false,
            operations: OperationPolicy::default(),
            assertion: None,
        }
    }

    /// The scopes that a challenge asks for.
    pub const fn challenge_scopes(&self) -> &ScopeSet {
        &self.scopes_in_challenge
    }

    /// Its conditions, and those of its rules.
    pub fn conditions(&self) -> impl Iterator<Item = &Condition> {
        self.condition.iter().chain(self.operations.conditions())
    }

    /// Whether a list or a condition speaks of `group`, so that a token must not leave it out: a condition may refuse for it.
    pub fn speaks_of_group(&self, group: &str) -> bool {
        let of_rules = self.operations.rules.iter().filter_map(|rule| rule.principals.as_ref());
        let mut lists = of_rules.chain([&self.principals]).map(|principals| &principals.groups);
        lists.any(|groups| groups.iter().any(|known| known == group))
            || self.conditions().any(|condition| condition.source().contains(group))
    }

    /// Every scope that means anything here: those of challenges, and those that single operations demand.
    pub fn known_scopes(&self) -> ScopeSet {
        let rules = self.operations.rules.iter().flat_map(|rule| &rule.required_scopes);
        self.scopes_in_challenge.union(rules.map(|required| &required.scope))
    }
}

/// The policy that applies, on a concrete host.
#[derive(Debug, Clone)]
pub struct Matched<'p> {
    /// The policy.
    pub policy: &'p Policy,
    /// Its place in the configuration.
    pub index: usize,
    /// The identifier of the concrete resource: the audience.
    pub resource: Bytes,
    set: &'p PolicySet,
}

impl Matched<'_> {
    /// The identifier as text.
    pub fn resource_text(&self) -> &str {
        std::str::from_utf8(&self.resource).unwrap_or_default()
    }

    /// Scheme, host and port of the concrete resource.
    pub fn origin(&self) -> &str {
        let resource = self.resource_text();
        resource.strip_suffix(self.policy.resource.path()).unwrap_or(resource)
    }

    /// Where the resource's metadata document stands (RFC 9728 §3.1).
    pub fn metadata_url(&self) -> String {
        let resource = self.resource_text();
        if let Some(base) = &self.set.metadata_base {
            let encoded = utf8_percent_encode(resource, QUERY_VALUE);
            return format!("{base}{WELL_KNOWN}?resource={encoded}");
        }
        let (origin, path) = (self.origin(), self.policy.resource.path());
        format!("{origin}{WELL_KNOWN}{}", if path == "/" { "" } else { path })
    }
}

/// Everything but unreserved characters (RFC 3986 §2.3).
const QUERY_VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The well-known path of RFC 9728 §3.
pub const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// Why no policy applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotFound {
    /// No resource covers the URL.
    Unknown,
    /// A resource covers it only when case is ignored.
    Ambiguous(Ambiguity),
}

/// The names are the operator's, but the look-ups are a client's, so the hash is keyed.
type ByName = HashMap<Box<str>, Vec<usize>, foldhash::fast::RandomState>;

/// All policies, findable by host.
#[derive(Debug, Clone, Default)]
pub struct PolicySet {
    policies: Vec<Entry>,
    by_host: ByName,
    by_suffix: ByName,
    metadata_base: Option<String>,
}

#[derive(Debug, Clone)]
struct Entry {
    policy: Policy,
    /// Its own path and `also_paths`.
    prefixes: Vec<PathPrefix>,
    /// The identifier, ready to be sent, when the host is exact.
    exact: Option<Bytes>,
}

impl Entry {
    /// The longest prefix that covers `path`; its length decides between resources.
    fn covered_length(&self, path: RequestPath<'_>) -> Result<Option<usize>, Ambiguity> {
        let mut longest = None;
        for prefix in &self.prefixes {
            if prefix.covers(path)? {
                longest = longest.max(Some(prefix.as_str().len()));
            }
        }
        Ok(longest)
    }
}

impl PolicySet {
    /// Indexes `policies`. With `metadata_base` challenges point to that host and name the resource in the query.
    pub fn new(policies: Vec<Policy>, metadata_base: Option<String>) -> Self {
        let mut set = Self { metadata_base, ..Self::default() };
        for (index, policy) in policies.into_iter().enumerate() {
            let (map, host) = match policy.resource.host() {
                HostPattern::Exact(host) => (&mut set.by_host, host.clone()),
                HostPattern::OneLabel(suffix) => (&mut set.by_suffix, suffix.clone()),
            };
            map.entry(host).or_default().push(index);
            let exact = policy.resource.exact().map(Bytes::from);
            let own = std::iter::once(PathPrefix::from(&policy.resource));
            let prefixes = own.chain(policy.also_paths.iter().cloned()).collect();
            set.policies.push(Entry { policy, prefixes, exact });
        }
        set
    }

    /// The one policy that applies: longest path, and among equals the exact host.
    pub fn find(&self, request: &OriginalRequest<'_>) -> Result<Matched<'_>, NotFound> {
        let mut best: Option<(usize, usize)> = None;
        for index in self.candidates(request.authority().host()) {
            let Some(entry) = self.policies.get(index) else { continue };
            if !entry.policy.resource.covers_origin(request) {
                continue;
            }
            match entry.covered_length(request.path()) {
                Err(ambiguity) => return Err(NotFound::Ambiguous(ambiguity)),
                Ok(Some(length)) if best.is_none_or(|(_, longest)| length > longest) => best = Some((index, length)),
                Ok(_) => {}
            }
        }
        let (index, _) = best.ok_or(NotFound::Unknown)?;
        self.matched(index, request.authority().host()).ok_or(NotFound::Unknown)
    }

    /// Exact hosts first, so that they win ties.
    fn candidates(&self, host: &str) -> impl Iterator<Item = usize> + '_ {
        let suffix = host.find('.').and_then(|dot| host.get(dot..));
        let exact = self.by_host.get(host);
        let wildcard = suffix.and_then(|suffix| self.by_suffix.get(suffix));
        exact.into_iter().chain(wildcard).flatten().copied()
    }

    fn matched(&self, index: usize, host: &str) -> Option<Matched<'_>> {
        let entry = self.policies.get(index)?;
        let resource = match &entry.exact {
            Some(exact) => exact.clone(),
            None => Bytes::from(entry.policy.resource.on_host(host)),
        };
        Some(Matched { policy: &entry.policy, index, resource, set: self })
    }

    /// The resource on `authority` whose path is exactly `path` (a trailing slash aside), for its metadata document.
    /// An empty path means the root document: the only resource of the host, if there is only one.
    pub fn document_on_host(&self, authority: &Authority<'_>, path: &str) -> Option<Matched<'_>> {
        let on_host: Vec<usize> = self
            .candidates(authority.host())
            .filter(|index| {
                self.policies.get(*index).is_some_and(|entry| entry.policy.resource.covers_authority(authority))
            })
            .collect();
        let wanted = path.trim_end_matches('/');
        let same_path = |index: &&usize| {
            self.policies.get(**index).is_some_and(|entry| entry.policy.resource.path_prefix() == wanted)
        };
        let index = match (on_host.iter().find(same_path), on_host.as_slice()) {
            (Some(index), _) => *index,
            (None, [only]) if wanted.is_empty() => *only,
            _ => return None,
        };
        self.matched(index, authority.host())
    }

    /// The same for a resource asked for by name; the name of a host means its root document.
    pub fn document_by_uri(&self, uri: &str) -> Option<Matched<'_>> {
        let wanted = ResourceUri::parse(uri).ok()?;
        let (_, rest) = uri.split_once("://")?;
        let authority = Authority::parse(rest.split('/').next()?.as_bytes(), wanted.scheme())?;
        let found = self.document_on_host(&authority, wanted.path())?;
        (found.policy.resource.scheme() == wanted.scheme()).then_some(found)
    }

    /// Every policy in the order of the configuration.
    pub fn iter(&self) -> impl Iterator<Item = &Policy> {
        self.policies.iter().map(|entry| &entry.policy)
    }
}
