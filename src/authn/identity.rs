//! Who is calling, proven. Made only from verified claims.

use super::api_key::ApiKeyFacts;
use super::claims::{Claims, Strings};
use super::identity_headers::IdentityHeaders;
use super::jwt::VerifiedClaims;
use super::{Confirmation, TokenFault, TokenIds};
use crate::domain::{Email, Issuer, Scope, ScopeSet, UnixTime, api_key};

/// A verified caller.
#[derive(Debug, Clone)]
pub struct Identity {
    issuer: Issuer,
    subject: String,
    client: Option<String>,
    email: Option<Email>,
    email_verified: bool,
    user_name: Option<String>,
    groups: Vec<String>,
    scopes: ScopeSet,
    audiences: Vec<String>,
    expires_at: UnixTime,
    confirmation: Confirmation,
    audience_is_vouched: bool,
    own_token: Option<Box<TokenIds>>,
    api_key: bool,
    claims: Option<Box<KeptClaims>>,
    headers: IdentityHeaders,
}

/// The whole claim set of a token.
#[derive(Debug, Clone)]
struct KeptClaims {
    members: serde_json::Map<String, serde_json::Value>,
    /// As many as in the token.
    bytes: usize,
}

impl KeptClaims {
    /// A value of two bytes in the token (`1,`) takes 32 in memory, and its share of a list that grew.
    const fn weight(&self) -> usize {
        const OF_A_BYTE: usize = 32;
        self.bytes * OF_A_BYTE
    }
}

impl Identity {
    /// Reads verified claims of `issuer`. `assume_email_verified` is the operator's word for issuers that do not say. A
    /// caller whose names cannot be handed on is refused: the MCP server would take it for one without a name.
    pub(super) fn new(
        issuer: Issuer,
        claims: VerifiedClaims,
        groups: Option<Vec<String>>,
        assume_email_verified: bool,
    ) -> Result<Self, TokenFault> {
        let claims = claims.into_inner();
        let email = claims.email.as_deref().and_then(Email::parse);
        let mut identity = Self {
            issuer,
            scopes: scopes(&claims),
            expires_at: UnixTime::from_secs(claims.exp.0),
            email_verified: claims.email_verified.0 || assume_email_verified,
            email,
            subject: claims.sub.unwrap_or_default(),
            client: claims.client_id.or(claims.azp),
            user_name: claims.preferred_username.filter(|name| !name.is_empty()),
            groups: groups.unwrap_or(claims.groups.0),
            audiences: claims.aud.0,
            confirmation: claims.cnf.known(),
            audience_is_vouched: false,
            own_token: None,
            api_key: false,
            claims: None,
            headers: IdentityHeaders::NOBODY,
        };
        identity.headers = IdentityHeaders::of(&identity)?;
        Ok(identity)
    }

    /// The holder of an API key. No claims lead here: only [`super::ApiKeys`] knows which keys there are.
    pub(super) fn of_api_key(issuer: Issuer, facts: &ApiKeyFacts) -> Result<Self, TokenFault> {
        let principal = format!("{}{}", api_key::PRINCIPAL, facts.name);
        let mut identity = Self {
            issuer,
            client: Some(principal.clone()),
            subject: principal,
            email: None,
            email_verified: false,
            user_name: None,
            groups: facts.groups.clone(),
            scopes: facts.scopes.clone(),
            audiences: facts.resources.clone(),
            expires_at: facts.expires_at,
            confirmation: Confirmation::default(),
            audience_is_vouched: false,
            own_token: None,
            api_key: true,
            claims: None,
            headers: IdentityHeaders::NOBODY,
        };
        identity.headers = IdentityHeaders::of(&identity)?;
        Ok(identity)
    }

    /// Whether an API key proved it, and no token of any issuer: not told by names, which anybody may claim.
    pub const fn is_api_key(&self) -> bool {
        self.api_key
    }

    /// `iss`.
    pub const fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// `sub`, unique within the issuer.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The OAuth client that was given the token.
    pub fn client(&self) -> Option<&str> {
        self.client.as_deref()
    }

    /// The e-mail address that the issuer vouches for.
    pub fn verified_email(&self) -> Option<&Email> {
        self.email.as_ref().filter(|_| self.email_verified)
    }

    /// An address that the issuer repeats without vouching for it: good for a reason in a log, never for access.
    pub fn unverified_email(&self) -> Option<&Email> {
        self.email.as_ref().filter(|_| !self.email_verified)
    }

    /// `preferred_username`.
    pub fn user_name(&self) -> Option<&str> {
        self.user_name.as_deref()
    }

    /// Groups as the issuer names them.
    pub fn groups(&self) -> &[String] {
        &self.groups
    }

    /// Granted scopes.
    pub const fn scopes(&self) -> &ScopeSet {
        &self.scopes
    }

    /// `aud`.
    pub fn audiences(&self) -> &[String] {
        &self.audiences
    }

    /// Whether the operator vouches for the audience of a token that names none.
    pub const fn audience_is_vouched(&self) -> bool {
        self.audience_is_vouched
    }

    /// `exp`.
    pub const fn expires_at(&self) -> UnixTime {
        self.expires_at
    }

    /// What the token is bound to: it counts only from who proves to hold that.
    pub const fn confirmation(&self) -> &Confirmation {
        &self.confirmation
    }

    /// By what this token can be taken back; only our own can.
    pub fn own_token(&self) -> Option<&TokenIds> {
        self.own_token.as_deref()
    }

    /// Everything that the token claims, where a condition asks for it.
    pub fn claims(&self) -> Option<&serde_json::Map<String, serde_json::Value>> {
        self.claims.as_deref().map(|kept| &kept.members)
    }

    /// The prepared header values.
    pub const fn headers(&self) -> &IdentityHeaders {
        &self.headers
    }

    /// Marks the token as one of our own.
    #[must_use]
    pub(super) fn with_own_token(self, ids: TokenIds) -> Self {
        Self { own_token: Some(Box::new(ids)), ..self }
    }

    /// Marks the token as one that its issuer tells us of only because it is meant for us.
    #[must_use]
    pub(super) fn with_vouched_audience(self) -> Self {
        Self { audience_is_vouched: true, ..self }
    }

    /// Keeps all `members` of the token's claims, which took `bytes` in the token.
    #[must_use]
    pub(super) fn with_claims(self, members: serde_json::Map<String, serde_json::Value>, bytes: usize) -> Self {
        Self { claims: Some(Box::new(KeptClaims { members, bytes })), ..self }
    }

    /// Rough size in memory, in bytes, for the cache's bound.
    pub(crate) fn weight(&self) -> usize {
        let lists: usize = self.groups.iter().chain(&self.audiences).map(|text| text.len() + 32).sum();
        let scopes: usize = self.scopes.as_slice().iter().map(|scope| scope.as_str().len() + 24).sum();
        512 + 2 * self.subject.len() + lists * 2 + scopes * 2 + self.claims.as_ref().map_or(0, |kept| kept.weight())
    }

    /// The same with all `claims` kept.
    #[cfg(test)]
    pub(crate) fn keeping_for_test(self, claims: &serde_json::Value) -> Self {
        self.with_claims(claims.as_object().cloned().unwrap_or_default(), 0)
    }

    /// An identity that no token proved, for tests and benches of what follows authentication.
    #[cfg(test)]
    pub(crate) fn for_test(issuer: &str, claims: &str) -> Self {
        let claims: Claims = serde_json::from_str(claims).unwrap();
        Self::new(Issuer::parse(issuer).unwrap(), VerifiedClaims::for_test(claims), None, false).unwrap()
    }

    /// The holder of a key, for the same.
    #[cfg(test)]
    pub(crate) fn key_for_test(issuer: &str, facts: &ApiKeyFacts) -> Self {
        Self::of_api_key(Issuer::parse(issuer).unwrap(), facts).unwrap()
    }
}

/// `scope` and `scp`, as one string or as an array; both count when both are there.
fn scopes(claims: &Claims) -> ScopeSet {
    let Strings(scope) = &claims.scope;
    let Strings(scp) = &claims.scp;
    scope.iter().chain(scp).flat_map(|text| text.split(' ')).filter_map(Scope::parse).collect()
}
