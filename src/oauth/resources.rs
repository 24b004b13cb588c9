//! Which resource a request is about (RFC 8707), and what it offers.

use super::{AuthorizationServer, Client, ErrorCode, OAuthError, Parameters};
use crate::authz::rule::principal::{Caller, admit};
use crate::authz::{Matched, Policy, Reason};
use crate::domain::{Authority, Person, ResourceUri, Scope, ScopeSet};

/// Asked for by clients that want a refresh token (OIDC Core §11). Whether they get one is not decided by it.
const OFFLINE_ACCESS: &str = "offline_access";

impl AuthorizationServer {
    /// The configured resource that `uri` names, if tokens for it come from us. A trailing slash is forgiven: two
    /// resources that differ only there cannot be configured.
    pub(super) fn resource(&self, uri: &str) -> Option<Matched<'_>> {
        let wanted = ResourceUri::parse(uri).ok()?;
        let found = self.policies.document_by_uri(uri)?;
        let same_path = found.policy.resource.path_prefix() == wanted.path_prefix();
        (same_path && self.is_ours(found.policy)).then_some(found)
    }

    /// The resource that the parameters name; none of them when they name none.
    pub(super) fn named_resource(&self, parameters: &Parameters) -> Result<Option<Matched<'_>>, OAuthError> {
        let mut named: Option<Matched<'_>> = None;
        for uri in parameters.all("resource") {
            let found = self.resource(uri).ok_or_else(|| invalid_target("the resource is none of ours"))?;
            if named.as_ref().is_some_and(|other| other.resource != found.resource) {
                return Err(invalid_target("a token is for one resource only"));
            }
            named = Some(found);
        }
        Ok(named)
    }

    /// For clients that name no resource: the one of the host they asked, or the only one there is.
    pub(super) fn resource_by_default(&self, host: Option<&Authority<'_>>) -> Result<Matched<'_>, OAuthError> {
        let on_host = host.and_then(|host| self.policies.document_on_host(host, ""));
        let found = on_host.filter(|found| self.is_ours(found.policy)).or_else(|| self.only_resource());
        found.ok_or_else(|| invalid_target("the request does not say for which resource; send resource"))
    }

    /// The resource that is meant on `host` when none is named.
    pub fn default_resource(&self, host: &Authority<'_>) -> Option<String> {
        self.resource_by_default(Some(host)).ok().map(|found| found.resource_text().to_owned())
    }

    /// The operator's name for the resource `uri`.
    pub fn resource_name(&self, uri: &str) -> Option<String> {
        self.resource(uri)?.policy.name.clone()
    }

    /// A request may only name the resource that was granted already (RFC 8707 §2.2).
    pub(super) fn require_same_resource(&self, parameters: &Parameters, granted: &str) -> Result<(), OAuthError> {
        match self.named_resource(parameters)? {
            Some(named) if named.resource_text() != granted => {
                Err(invalid_target("the resource is not the one that was granted"))
            }
            _ => Ok(()),
        }
    }

    fn only_resource(&self) -> Option<Matched<'_>> {
        let mut ours = self.policies.iter().filter(|policy| self.is_ours(policy));
        let only = ours.next().filter(|_| ours.next().is_none())?;
        self.resource(&only.resource.exact()?)
    }

    fn is_ours(&self, policy: &Policy) -> bool {
        policy.issuers.iter().any(|accepted| accepted.issuer == self.settings.issuer)
    }
}

pub(super) fn invalid_target(description: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidTarget, description)
}

/// What a client can be granted for a resource.
pub(super) struct Offer {
    /// For clients that ask for nothing: what single operations demand has to be asked for.
    by_default: ScopeSet,
    /// All of it.
    available: ScopeSet,
}

impl Offer {
    /// What `client` can be granted for the resource of `policy`.
    pub(super) fn of(policy: &Policy, client: &Client) -> Self {
        let cut = |scopes: ScopeSet| match &client.scopes {
            None => scopes,
            Some(allowed) => scopes.intersection(allowed),
        };
        Self { by_default: cut(policy.challenge_scopes().clone()), available: cut(policy.known_scopes()) }
    }

    /// What is granted when nothing is asked for.
    pub(super) const fn by_default(&self) -> &ScopeSet {
        &self.by_default
    }

    /// All that can be granted.
    pub(super) const fn available(&self) -> &ScopeSet {
        &self.available
    }

    /// [`narrow`], with its own default.
    pub(super) fn narrow(&self, asked: Option<&str>) -> Result<ScopeSet, OAuthError> {
        if asks_for_nothing(asked) { Ok(self.by_default.clone()) } else { narrow(asked, &self.available) }
    }
}

fn asks_for_nothing(asked: Option<&str>) -> bool {
    asked.unwrap_or_default().split(' ').all(|scope| scope.is_empty() || scope == OFFLINE_ACCESS)
}

/// Cuts what is asked for to what is there: a client that asks for more than there is gets what there is (RFC 6749
/// §3.3), unless nothing is left. Who asks for nothing, or of a resource without scopes, gets all there is.
pub(super) fn narrow(asked: Option<&str>, available: &ScopeSet) -> Result<ScopeSet, OAuthError> {
    let is_asked = |scope: &&str| !scope.is_empty() && *scope != OFFLINE_ACCESS;
    let mut asked = asked.unwrap_or_default().split(' ').filter(is_asked).peekable();
    if asked.peek().is_none() || available.is_empty() {
        return Ok(available.clone());
    }
    let left = asked.filter_map(Scope::parse).collect::<ScopeSet>().intersection(available);
    if left.is_empty() {
        return Err(OAuthError::new(ErrorCode::InvalidScope, "the resource offers none of these scopes"));
    }
    Ok(left)
}

/// Whether `person` may use the resource with `client`: the very rule that decides on requests.
pub(super) fn admits(policy: &Policy, person: &Person, client: &str) -> Result<(), Reason> {
    let unverified = person.email.as_ref().filter(|_| !person.email_verified);
    let caller = Caller {
        verified_email: person.verified_email(),
        unverified_email: unverified,
        groups: &person.groups,
        user_name: person.user_name.as_deref(),
        subject: &person.subject_claim(),
        client: Some(client),
    };
    admit(&policy.principals, caller)
}
