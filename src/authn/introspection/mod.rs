//! Opaque tokens: only their issuer knows what they mean, so it is asked (RFC 7662), by those resources that accept it.
//!
//! A decision never waits: it looks at what is remembered, and says that an answer is wanted. Whoever waits asks here, and
//! decides again.

mod answer;
mod binding;
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
        let mut is_open = false;
        for place in places {
            match self.cache.get(*place, token, now) {
                // Whoever else would have to be asked: the token is good, and nobody waits.
                Some(found @ Found::Verified(_)) => return Some(found.into()),
                Some(Found::Refused(TokenFault::Inactive)) => {}
                Some(Found::Refused(fault)) if !is_open => return Some(Authentication::Rejected(fault)),
                None | Some(Found::Refused(_) | Found::Unavailable) => is_open = true,
            }
        }
        Some(if is_open { Self::UNANSWERED } else { Authentication::Rejected(TokenFault::Inactive) })
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
    use crate::domain::Issuer;

    /// Counts nothing.
    #[derive(Debug)]
    struct Nobody;

    impl Watch for Nobody {
        fn asked(&self, _: &Issuer, _: Outcome, _: Duration, _: UnixTime) {}
    }

    fn token(text: &str) -> BearerToken<'_> {
        match Credential::bearer(text.as_bytes()) {
            Credential::Bearer(token) => token,
            Credential::None | Credential::Dpop(_) | Credential::Malformed(_) => panic!("{text} is no bearer token"),
        }
    }

    /// What is known at a resource that accepts two issuers, after they said this.
    fn known(said: &[Option<Found>; 2]) -> String {
        let (watch, now): (Arc<dyn Watch>, _) = (Arc::new(Nobody), UnixTime::from_secs(1));
        let outbound = Outbound::new().unwrap();
        let introspection = Introspection::new(Vec::new(), vec![vec![0, 1]], Duration::ZERO, &outbound, &watch);
        for (place, found) in said.iter().enumerate() {
            if let Some(found) = found {
                introspection.cache.remember(place, "opaque", found, now, Duration::from_secs(5));
            }
        }
        match introspection.known(0, token("opaque"), now) {
            Some(Authentication::Verified(_)) => "verified".to_owned(),
            Some(Authentication::Rejected(fault)) => format!("{fault:?}"),
            Some(Authentication::NotIntrospected { .. }) => "to be asked".to_owned(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn a_good_answer_of_any_issuer_counts_and_nothing_else_while_one_is_to_be_asked() {
        let identity = Identity::for_test("https://idp.example.com", r#"{"iss":"i","exp":9,"sub":"alice"}"#);
        let good = || Some(Found::Verified(Arc::new(identity.clone())));
        let (inactive, bound) = (TokenFault::Inactive, TokenFault::SenderConstrained);
        let refused = |fault| Some(Found::Refused(fault));
        for (said, expected) in [
            ([good(), None], "verified"),
            ([None, good()], "verified"),
            ([refused(inactive), good()], "verified"),
            ([refused(bound), good()], "SenderConstrained"),
            ([None, None], "to be asked"),
            ([refused(inactive), None], "to be asked"),
            ([None, refused(inactive)], "to be asked"),
            ([None, refused(bound)], "to be asked"),
            ([refused(bound), None], "SenderConstrained"),
            ([refused(inactive), refused(bound)], "SenderConstrained"),
            ([refused(inactive), refused(inactive)], "Inactive"),
        ] {
            assert_eq!(known(&said), expected);
        }
    }

    #[test]
    fn only_tokens_that_nobody_else_can_read_are_opaque() {
        let opaque = |text: &str| opaque(token(text)).is_some();
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
