//! The last refusals, remembered so that each can be explained by its request id long after its client is gone. Who asked
//! and for what; never the token.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Facts, Step, tell};
use crate::authn::Authentication;
use crate::authz::{RequestFacts, Verdict};
use crate::decision::{Asked, Decision, DecisionPoint, request_facts};
use crate::domain::original_request::RawRequest;
use crate::domain::{Malformed, Operation, OriginalRequest, UnixTime};
use crate::proxy::{Contract, RequestHead};

/// One refusal, or what audit mode would have refused.
#[derive(Debug)]
pub struct Refusal {
    /// What leads here from the answer and from the log.
    pub request_id: String,
    /// When.
    pub at: UnixTime,
    /// In whose terms it was asked.
    pub contract: Contract,
    /// What of the answer is not remembered.
    pub forgotten: Option<&'static str>,
    /// What was decided.
    pub verdict: Verdict,
    /// What was asked of the MCP server.
    pub asked: Option<Box<Asked>>,
    /// The time that conditions were told: a body, or an issuer, may have been waited for since.
    decided_at: UnixTime,
    request: Option<Kept>,
    malformed: Option<Malformed>,
    origin: Option<Box<[u8]>>,
    preflight: bool,
    authentication: Option<Authentication>,
}

/// An original request, owned: its parts have been read once, and are read again as they are.
#[derive(Debug)]
struct Kept {
    method: Box<str>,
    scheme: &'static str,
    authority: Box<str>,
    path: Box<str>,
}

impl Refusal {
    /// What there is to remember of `decision` on `head`.
    pub fn of(
        decision: &Decision<'_>,
        head: &dyn RequestHead,
        (contract, forgotten): (Contract, Option<&'static str>),
        request_id: String,
        at: UnixTime,
    ) -> Self {
        let request = decision.request.as_ref();
        let facts = request.map(|request| request_facts(request, head, at)).unwrap_or_default();
        Self {
            request_id,
            at,
            contract,
            forgotten,
            verdict: decision.verdict.clone(),
            asked: decision.asked.clone(),
            decided_at: decision.now,
            request: request.map(Kept::of),
            malformed: decision.malformed,
            origin: facts.origin.map(Into::into),
            preflight: facts.preflight,
            authentication: decision.authentication.clone(),
        }
    }

    /// The method, and the URL without its query.
    pub fn request(&self) -> Option<(&str, String)> {
        let kept = self.request.as_ref()?;
        Some((&kept.method, format!("{}://{}{}", kept.scheme, kept.authority, kept.path)))
    }

    /// Its steps, told by the rules themselves.
    pub fn steps(&self, point: &DecisionPoint) -> Vec<Step> {
        let request = self.request.as_ref().and_then(Kept::read);
        let matched = request.as_ref().and_then(|request| point.policies.find(request).ok());
        tell(&Facts {
            policies: &point.policies,
            issuers: point.authenticator.issuers().iter().map(|known| &known.issuer).collect(),
            request: request.as_ref(),
            malformed: self.malformed,
            matched: matched.as_ref(),
            rule_facts: RequestFacts {
                origin: self.origin.as_deref(),
                preflight: self.preflight,
                request: request.as_ref(),
                now: self.decided_at,
                ..RequestFacts::default()
            },
            authentication: self.authentication.as_ref(),
            operations: self.asked.as_ref().map(|asked| match (asked.unknown, &asked.operation) {
                (Some(unknown), _) => Err(unknown),
                // Of a batch the operation that was refused: the rule that refused it speaks of it alone, too.
                (None, operation) => Ok(operation.iter().map(again).collect()),
            }),
            causes: self.asked.as_ref().map_or(&[], |asked| &asked.causes),
            details_are_known: false,
            verdict: &self.verdict,
        })
    }

    /// Roughly its size in memory: what clients choose counts.
    fn weight(&self) -> usize {
        let identity = self.authentication.as_ref().and_then(Authentication::identity);
        let request = self.request.as_ref().map_or(0, |kept| kept.authority.len() + kept.path.len());
        let asked = self.asked.as_ref().and_then(|asked| asked.operation.as_ref());
        let asked = asked.map_or(0, |(method, name)| method.len() + name.as_ref().map_or(0, String::len));
        let origin = self.origin.as_ref().map_or(0, |origin| origin.len());
        2048 + request + asked + origin + identity.map_or(0, |identity| identity.weight())
    }

    const fn is_of_a_known_caller(&self) -> bool {
        matches!(self.authentication, Some(Authentication::Verified(_)))
    }
}

fn again((method, name): &(String, Option<String>)) -> Operation<'_> {
    Operation::new(method.as_str(), name.as_deref().map(Into::into))
}

impl Kept {
    fn of(request: &OriginalRequest<'_>) -> Self {
        Self {
            method: request.method().into(),
            scheme: request.scheme().as_str(),
            authority: request.authority().to_string().into(),
            path: request.path().as_str().into(),
        }
    }

    fn read(&self) -> Option<OriginalRequest<'_>> {
        let raw = RawRequest {
            method: (self.method.as_bytes(), ""),
            scheme: (self.scheme.as_bytes(), ""),
            authority: (self.authority.as_bytes(), ""),
            target: self.path.as_bytes(),
        };
        OriginalRequest::parse(&raw).ok()
    }
}

/// The last refusals. Those of known callers are kept apart, so that no stranger can push them out.
#[derive(Debug, Default)]
pub struct Refusals {
    known: Mutex<Last>,
    strangers: Mutex<Last>,
}

#[derive(Debug, Default)]
struct Last {
    kept: VecDeque<(usize, Arc<Refusal>)>,
    weight: usize,
}

impl Refusals {
    /// So many of known callers, and so many of strangers.
    pub const MOST: usize = 500;
    const MOST_BYTES: usize = 4 * 1024 * 1024;

    /// Remembers `refusal`, and forgets the oldest ones beyond the bounds.
    pub fn keep(&self, refusal: Refusal) {
        let last = if refusal.is_of_a_known_caller() { &self.known } else { &self.strangers };
        let (weight, refusal) = (refusal.weight(), Arc::new(refusal));
        let forgotten = last.lock().unwrap_or_else(PoisonError::into_inner).push(weight, refusal);
        // Given back after the lock.
        drop(forgotten);
    }

    /// The latest one of this id, and whether there are others: ids are chosen by proxies, and by clients where a proxy lets
    /// them. No stranger stands before a known caller.
    pub fn find(&self, request_id: &str) -> Option<(Arc<Refusal>, bool)> {
        let mut found = Vec::new();
        for last in [&self.known, &self.strangers] {
            let last = last.lock().unwrap_or_else(PoisonError::into_inner);
            let of_id = last.kept.iter().rev().filter(|(_, refusal)| refusal.request_id == request_id);
            found.extend(of_id.take(2).map(|(_, refusal)| Arc::clone(refusal)));
        }
        let several = found.len() > 1;
        found.into_iter().next().map(|first| (first, several))
    }
}

impl Last {
    fn push(&mut self, weight: usize, refusal: Arc<Refusal>) -> Vec<(usize, Arc<Refusal>)> {
        self.kept.push_back((weight, refusal));
        self.weight += weight;
        let mut forgotten = Vec::new();
        while self.kept.len() > Refusals::MOST || self.weight > Refusals::MOST_BYTES {
            let Some(oldest) = self.kept.pop_front() else { break };
            self.weight -= oldest.0;
            forgotten.push(oldest);
        }
        forgotten
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authn::{Identity, TokenFault};
    use crate::authz::Reason;

    fn refusal(id: &str, authentication: Authentication) -> Refusal {
        Refusal {
            request_id: id.to_owned(),
            at: UnixTime::from_secs(1),
            contract: Contract::ForwardAuth,
            forgotten: None,
            verdict: Verdict::forbid(Reason::PrincipalNotAllowed),
            asked: None,
            decided_at: UnixTime::from_secs(1),
            request: None,
            malformed: None,
            origin: None,
            preflight: false,
            authentication: Some(authentication),
        }
    }

    fn alice(groups: usize) -> Authentication {
        let claims = serde_json::json!({
            "iss": "https://idp.example.com", "sub": "alice", "exp": 2, "groups": vec!["x".repeat(100); groups],
        });
        Authentication::Verified(Arc::new(Identity::for_test("https://idp.example.com", &claims.to_string())))
    }

    #[test]
    fn a_flood_of_strangers_pushes_out_no_known_caller() {
        let refusals = Refusals::default();
        refusals.keep(refusal("of alice", alice(1)));
        for number in 0..10 * Refusals::MOST {
            refusals.keep(refusal(&number.to_string(), Authentication::Rejected(TokenFault::NotJwt)));
        }
        assert!(refusals.find("of alice").is_some());
        let strangers = (0..10 * Refusals::MOST).filter(|number| refusals.find(&number.to_string()).is_some());
        assert_eq!(strangers.count(), Refusals::MOST);
        assert!(refusals.find("0").is_none() && refusals.find("4999").is_some());
    }

    #[test]
    fn large_callers_do_not_fill_the_memory() {
        let refusals = Refusals::default();
        for number in 0..Refusals::MOST {
            refusals.keep(refusal(&number.to_string(), alice(150)));
        }
        let kept = refusals.known.lock().unwrap();
        assert!(kept.weight <= Refusals::MOST_BYTES && kept.kept.len() < Refusals::MOST && kept.kept.len() > 10);
        assert_eq!(kept.weight, kept.kept.iter().map(|(weight, _)| weight).sum::<usize>());
    }

    #[test]
    fn of_several_with_one_id_the_latest_known_caller_is_told_and_that_there_are_several() {
        let at = |second: u64| UnixTime::from_secs(second);
        let refusals = Refusals::default();
        let told = || refusals.find("one").map(|(refusal, several)| (refusal.at, several));
        refusals.keep(refusal("one", Authentication::Anonymous));
        assert_eq!(told(), Some((at(1), false)));
        refusals.keep(Refusal { at: at(2), ..refusal("one", alice(1)) });
        assert_eq!(told(), Some((at(2), true)));
        refusals.keep(Refusal { at: at(3), ..refusal("one", Authentication::Anonymous) });
        assert_eq!(told(), Some((at(2), true)), "no stranger stands before her");
        refusals.keep(Refusal { at: at(4), ..refusal("one", alice(1)) });
        assert_eq!(told(), Some((at(4), true)));
        assert!(refusals.find("two").is_none());
    }
}
