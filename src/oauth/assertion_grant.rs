//! An assertion for a token (RFC 7523 §2.1, ID-JAG §4.3). The use of the assertion and the grant are one transaction. No
//! refresh token: the client asks its identity provider again, which is how a company cuts somebody off.

use serde::{Deserialize, Serialize};

use super::assertion::{Assertion, bad};
use super::grant::{self, Grant, GrantState};
use super::reassurance::require_admitted;
use super::resources::{Offer, narrow};
use super::token::seconds_until;
use super::{AuthorizationServer, Client, ErrorCode, OAuthError, Parameters, TokenAnswer, authorization_server};
use crate::authn::Thumbprint;
use crate::authz::Matched;
use crate::domain::{ScopeSet, SecretHash, UnixTime, opaque};
use crate::store::{self, Outcome, Stored, Table, Transaction, Versioned};

/// An assertion that was used, under its hash.
#[derive(Debug, Serialize, Deserialize)]
struct UsedAssertion {}

impl Stored for UsedAssertion {
    const TABLE: Table = Table::UsedAssertions;
}

/// Where the grant stands that the assertions about one person, client and resource share.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct SharedGrant {
    grant: String,
}

impl Stored for SharedGrant {
    const TABLE: Table = Table::GrantIndex;
}

/// What an assertion is to yield.
struct Wanted<'a> {
    matched: Matched<'a>,
    scopes: ScopeSet,
    /// The key that the client proved, to which the token is bound.
    proven: Option<Thumbprint>,
}

/// Where the grant of this person, client and resource is noted. A hash: names hold whatever they like.
fn shared_key(assertion: &Assertion, wanted: &Wanted<'_>, client: &Client) -> String {
    let names = format!("{}\n{}\n{}", assertion.person.subject_claim(), client.id, wanted.matched.resource_text());
    format!("asserted/{}", SecretHash::of(&names).as_str())
}

impl AuthorizationServer {
    pub(super) async fn redeem_assertion(
        &self,
        form: &Parameters,
        client: &Client,
        proven: Option<Thumbprint>,
        now: UnixTime,
    ) -> Result<TokenAnswer, OAuthError> {
        if !client.is_confidential() {
            let description = "only clients that prove themselves may present assertions";
            return Err(OAuthError::new(ErrorCode::UnauthorizedClient, description));
        }
        let assertion = self.read_assertion(form.required("assertion")?, client, now)?;
        let wanted = Wanted { proven, ..self.asserted(form, &assertion, client)? };
        require_admitted(&assertion.person, &client.id, &wanted.matched)?;
        // A space stands in no client id: no assertion by which a client proves itself has this key.
        let used = SecretHash::of(&format!(" id-jag\n{}", assertion.id));
        let key = shared_key(&assertion, &wanted, client);
        // A client may fetch many tokens for one person at once; each changes the grant that they share.
        let _turn = self.turns.take(&key).await;
        for _ in 0..Self::ATTEMPTS {
            if store::read::<UsedAssertion>(&*self.store, used.as_str(), now).await?.is_some() {
                return Err(bad("the assertion was used before"));
            }
            let who = (&assertion.person, &*client.id, wanted.matched.resource_text());
            let past = self.past_barriers_since(who, assertion.issued_at, now).await?;
            let once = past.create(used.as_str(), &UsedAssertion {}, Some(assertion.usable_until));
            let (issued, answer) = self.tokens_for(once, (&assertion, &key), &wanted, client, now).await?;
            if issued.commit(&*self.store, now).await? == Outcome::Committed {
                self.note_use(client, now).await;
                return Ok(answer);
            }
        }
        Err(authorization_server::busy())
    }

    /// Assertion and request must agree about the resource; what is asked for is cut to what the assertion allows and the
    /// resource offers.
    fn asserted(&self, form: &Parameters, assertion: &Assertion, client: &Client) -> Result<Wanted<'_>, OAuthError> {
        let matched = match &assertion.resource {
            Some(uri) => self.resource(uri).ok_or_else(|| bad("the resource of the assertion is none of ours"))?,
            None => self.resource_by_default(None).map_err(|_| bad("the assertion does not say for which resource"))?,
        };
        if self.named_resource(form)?.is_some_and(|named| named.resource != matched.resource) {
            return Err(bad("the assertion is for another resource"));
        }
        let offer = Offer::of(matched.policy, client);
        let allowed = match &assertion.scopes {
            None => offer.by_default().clone(),
            Some(scopes) => scopes.intersection(offer.available()),
        };
        if allowed.is_empty() && !offer.available().is_empty() {
            return Err(OAuthError::new(ErrorCode::InvalidScope, "the assertion allows nothing that is offered"));
        }
        let scopes = narrow(form.optional("scope"), &allowed)?;
        Ok(Wanted { matched, scopes, proven: None })
    }

    async fn tokens_for(
        &self,
        once: Transaction,
        (assertion, key): (&Assertion, &str),
        wanted: &Wanted<'_>,
        client: &Client,
        now: UnixTime,
    ) -> Result<(Transaction, TokenAnswer), OAuthError> {
        let shared = store::read::<SharedGrant>(&*self.store, key, now).await?;
        let standing = match &shared {
            Some(shared) => self.standing(&shared.value.grant, assertion, now).await?,
            None => None,
        };
        let grant = self.asserted_grant(assertion, wanted, client, standing.as_ref(), now);
        let (leeway, end) = (self.settings.leeway, Some(grant.record_end(self.settings.leeway)));
        let (id, issued) = match (shared, standing) {
            (Some(shared), Some(standing)) => {
                let id = shared.value.grant.clone();
                let issued = grant::extend(once, &id, standing.version, &grant, leeway);
                (id, issued.update(key, shared.version, &shared.value, end))
            }
            (shared, _) => {
                let id = opaque::new_id(&*self.random)?;
                let (issued, fresh) = (grant::create(once, &id, &grant, leeway), SharedGrant { grant: id.clone() });
                let issued = match shared {
                    Some(shared) => issued.update(key, shared.version, &fresh, end),
                    None => issued.create(key, &fresh, end),
                };
                (id, issued)
            }
        };
        let access = self.token_of_grant((&id, &grant), &wanted.scopes, &wanted.matched, wanted.proven, now)?;
        let expires_in = seconds_until(access.expires_at, now);
        let scope = wanted.scopes.clone();
        let (access_token, bound) = (access.token, wanted.proven.is_some());
        Ok((issued, TokenAnswer { access_token, expires_in, refresh_token: None, scope, bound }))
    }

    /// The grant, if it stands. One that somebody ended stays ended for every assertion from before, whatever the clock of
    /// its issuer says.
    async fn standing(
        &self,
        id: &str,
        assertion: &Assertion,
        now: UnixTime,
    ) -> Result<Option<Versioned<Grant>>, OAuthError> {
        let Some(found) = store::read::<Grant>(&*self.store, id, now).await? else { return Ok(None) };
        match found.value.state {
            GrantState::Revoked { at } if assertion.issued_at <= at.plus(self.settings.leeway) => {
                Err(bad("what the assertion stands for was ended"))
            }
            GrantState::Revoked { .. } => Ok(None),
            GrantState::Active => Ok(Some(found).filter(|found| found.value.stands(now))),
        }
    }

    fn asserted_grant(
        &self,
        assertion: &Assertion,
        wanted: &Wanted<'_>,
        client: &Client,
        before: Option<&Versioned<Grant>>,
        now: UnixTime,
    ) -> Grant {
        let known = before.map(|before| &before.value);
        let scopes = known.map_or_else(ScopeSet::default, |known| known.scopes.clone());
        Grant {
            client: client.id.clone(),
            client_name: client.name.clone(),
            // Nobody was sent back anywhere: this is who vouched.
            redirect_uri: assertion.issuer.clone(),
            person: assertion.person.clone(),
            resource: wanted.matched.resource_text().to_owned(),
            scopes: scopes.union(wanted.scopes.as_slice()),
            started_at: known.map_or(now, |known| known.started_at),
            last_used_at: now,
            signed_in_at: assertion.signed_in_at,
            ends_at: now.plus(self.settings.access_token_lifetime),
            // An end must be known for as long as an assertion from before it can come.
            tokens_until: self.tokens_until(now).plus(self.longest_assertion()).plus(self.settings.leeway),
            upstream: None,
            key: None,
            state: GrantState::Active,
        }
    }
}
