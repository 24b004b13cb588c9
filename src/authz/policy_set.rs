//! All policies: exactly one is found for a request.

use std::collections::HashMap;

use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::Policy;
use crate::domain::path::Ambiguity;
use crate::domain::resource::{HostPattern, PathPrefix};
use crate::domain::{Authority, OriginalRequest, RequestPath, ResourceUri};

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
