//! Opaque tokens: only their issuer knows what they mean, so it is asked (RFC 7662), by those resources that accept it.
//!
//! A decision never waits: it looks at what is remembered, and says that an answer is wanted. Whoever waits asks here, and
//! decides again.

mod answer;
mod cache;
mod circuit;
mod endpoint;
mod settings;
mod watch;

pub use endpoint::Condition;
pub use settings::IntrospectionSettings;
pub use watch::{Outcome, Watch};

use std::sync::Arc;
use std::time::Duration;

use cache::AnswerCache;
use endpoint::Endpoint;

use super::unverified::is_jwt;
use super::{Authentication, BearerToken, Identity, IssuerSettings, TokenFault};
use crate::domain::UnixTime;
use crate::outbound::{Outbound, SingleFlight};

/// The issuers that are asked, and what they said lately.
#[derive(Debug)]
pub struct Introspection {
    endpoints: Vec<Endpoint>,
    /// For each resource of the configuration, in its order: places in `endpoints`.
    by_resource: Vec<Vec<usize>>,
    cache: AnswerCache,
    flights: SingleFlight<Found>,
}

/// What is known of a token.
#[derive(Debug, Clone)]
enum Found {
    /// Active, and every check passed.
    Verified(Arc<Identity>),
    /// Not active, or active and not good enough.
    Refused(TokenFault),
    /// The issuer could not be asked. Never remembered.
    Unavailable,
}

impl Introspection {
    /// More issuers than these would see tokens that are none of theirs, one after the other, while a client waits.
    pub const MAX_ISSUERS_OF_A_RESOURCE: usize = 4;
    /// When a client may ask again.
    const RETRY_AFTER: Duration = Duration::from_secs(1);
    const UNANSWERED: Authentication = Authentication::NotIntrospected { retry_after: Self::RETRY_AFTER };

    /// Asks `issuers`, each with its settings. `accepted` tells for each resource which of their places are accepted there.
    pub fn new(
        issuers: Vec<(IssuerSettings, IntrospectionSettings)>,
        accepted: Vec<Vec<usize>>,
        leeway: Duration,
        outbound: &Outbound,
        watch: &Arc<dyn Watch>,
    ) -> Self {
        let endpoint =
            |(issuer, settings)| Endpoint::new(issuer, settings, leeway, outbound.clone(), Arc::clone(watch));
        Self {
            endpoints: issuers.into_iter().map(endpoint).collect(),
            by_resource: accepted,
            cache: AnswerCache::new(),
            flights: SingleFlight::default(),
        }
    }

    /// What is known of `token` at the resource with this place; `None` when no issuer is to be asked about it: it is no
    /// opaque token, or nobody is accepted there who would know it.
    pub(super) fn known(&self, resource: usize, token: BearerToken<'_>, now: UnixTime) -> Option<Authentication> {
        let (places, token) = (self.asked_at(resource)?, opaque(token)?);
        for place in places {
            match self.cache.get(*place, token, now) {
                None | Some(Found::Unavailable) => return Some(Self::UNANSWERED),
                Some(Found::Refused(TokenFault::Inactive)) => {}
                Some(found @ (Found::Verified(_) | Found::Refused(_))) => return Some(found.into()),
            }
        }
        Some(Authentication::Rejected(TokenFault::Inactive))
    }

    /// Asks about `token`, one issuer after the other until one calls it active. While one that could not be asked may know
    /// it, the token is not refused.
    pub(super) async fn ask(&self, resource: usize, token: BearerToken<'_>, now: UnixTime) -> Authentication {
        let (Some(places), Some(token)) = (self.asked_at(resource), opaque(token)) else {
            return Authentication::Rejected(TokenFault::NotJwt);
        };
        let mut nobody_knows = Authentication::Rejected(TokenFault::Inactive);
        for place in places {
            match self.find(*place, token, now).await {
                Found::Refused(TokenFault::Inactive) => {}
                Found::Unavailable => nobody_knows = Self::UNANSWERED,
                found @ (Found::Verified(_) | Found::Refused(_)) => return found.into(),
            }
        }
        nobody_knows
    }

    /// How each issuer fares, for readiness.
    pub fn conditions(&self) -> impl Iterator<Item = Condition> {
        self.endpoints.iter().map(Endpoint::condition)
    }

    fn asked_at(&self, resource: usize) -> Option<&[usize]> {
        self.by_resource.get(resource).map(Vec::as_slice).filter(|places| !places.is_empty())
    }

    /// One question for one token at a time: who asks meanwhile gets the same answer.
    async fn find(&self, place: usize, token: &str, now: UnixTime) -> Found {
        let Some(endpoint) = self.endpoints.get(place) else { return Found::Unavailable };
        let work = async {
            if let Some(found) = self.cache.get(place, token, now) {
                return found;
            }
            let found = endpoint.ask(token, now).await;
            self.cache.remember(place, token, &found, now, endpoint.remembered_for());
            found
        };
        self.flights.run(&format!("{place} {token}"), work).await
    }
}

impl From<Found> for Authentication {
    fn from(found: Found) -> Self {
        match found {
            Found::Verified(identity) => Self::Verified(identity),
            Found::Refused(fault) => Self::Rejected(fault),
            Found::Unavailable => Introspection::UNANSWERED,
        }
    }
}

/// The token as text, when only its issuer can say what it means. JWTs speak for themselves, and what we gave out
/// (`mfr_…`, `mfa_…`) is nobody else's business.
fn opaque(token: BearerToken<'_>) -> Option<&str> {
    let text = token.as_b64token()?;
    let is_ours = matches!(text.as_bytes(), [b'm', b'f', _, b'_', ..]);
    (!is_ours && !is_jwt(text)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authn::Credential;

    #[test]
    fn only_tokens_that_nobody_else_can_read_are_opaque() {
        let opaque = |text: &str| match Credential::bearer(text.as_bytes()) {
            Credential::Bearer(token) => opaque(token).is_some(),
            Credential::None | Credential::Dpop(_) | Credential::Malformed(_) => false,
        };
        for text in ["abc", "a.b.c", "ya29.a0Ab", "x", "mf_abc", "mfab_c", "eyJhbGciOiJFUzI1NiJ9", "-._~+/=", "..."] {
            assert!(opaque(text), "{text}");
        }
        let jwt = "eyJhbGciOiJFUzI1NiJ9";
        for text in [
            format!("{jwt}.e30.AA"),
            format!("{jwt}.e30"),
            format!("{jwt}."),
            format!("{jwt}.a.b.c.d"),
            "ewogImFsZyI6MX0.x.y".to_owned(),
            "IHsiYWxnIjoxfQ.x.y".to_owned(),
            "mfr_abc".to_owned(),
            "mfa_abc.def".to_owned(),
            "a b".to_owned(),
            "a,b".to_owned(),
        ] {
            assert!(!opaque(&text), "{text}");
        }
    }
}
