//! A resource with its rules.

use super::{AssertionAudience, Condition, OperationPolicy};
use crate::domain::resource::PathPrefix;
use crate::domain::{EmailPattern, Issuer, ResourceUri, Scope, ScopeSet};

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
