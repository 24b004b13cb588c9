//! What the consent page may take for known: scopes that the person who is signed in to our pages let this very client
//! use at this very resource before, and nothing that anybody else did.

use super::pending::{AuthorizationRequest, Consent, Resumed};
use super::problem::{Problem, ProblemKind};
use super::return_address::ReturnAddress;
use super::{AuthorizationServer, Browser, GrantFilter, GrantView, OAuthError, Selection};
use crate::domain::{Person, ScopeSet, UnixTime};

/// What the page says of the past. Without a person everything is asked as if for the first time.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Whose approval it was.
    person: Option<Person>,
    /// Some of the scopes that are asked for, never all of them.
    pub(super) scopes: ScopeSet,
}

impl Known {
    /// What the page's form token is about. It holds what the page showed: an answer counts for that and nothing else.
    pub(super) fn form_of(&self, id: &str) -> String {
        match &self.person {
            None => id.to_owned(),
            Some(person) => format!("{id} {} {}", person.subject_claim(), self.scopes),
        }
    }

    /// What an answer on such a page is worth.
    fn consent(&self) -> Consent {
        match &self.person {
            None => Consent::Given,
            Some(person) => Consent::GivenBy { person: person.subject_claim() },
        }
    }
}

impl AuthorizationServer {
    /// Whatever is in doubt is not known: it is asked.
    pub(super) async fn known(
        &self,
        person: Option<&Person>,
        request: &AuthorizationRequest,
        resumed: &Resumed<'_>,
        now: UnixTime,
    ) -> Result<Known, OAuthError> {
        // Any program may listen on loopback or claim a scheme and use a client's id (RFC 8252 §8.6): that the client was
        // approved before would only make it look familiar.
        let recognisable = !request.ask_for_all && request.return_to.names_its_owner();
        let Some(person) = person.filter(|_| recognisable) else { return Ok(Known::default()) };
        let remembered = self.remembered_scopes(person, request, resumed, now).await?;
        let before = self.granted_scopes(person, request, resumed).await?.union(remembered.as_slice());
        let scopes = resumed.scopes.intersection(&before);
        if scopes.is_empty() || scopes.contains_all(&resumed.scopes) {
            return Ok(Known::default());
        }
        Ok(Known { person: Some(person.clone()), scopes })
    }

    /// What the page on which `csrf` was made showed, if it is what would be shown now.
    pub(super) async fn consent_on_page(
        &self,
        id: &str,
        request: &AuthorizationRequest,
        browser: Browser<'_>,
        csrf: &str,
        now: UnixTime,
    ) -> Result<Consent, Problem> {
        if browser.made_form(id, csrf) {
            return Ok(Consent::Given);
        }
        let resumed = self.resume(request, now).await?;
        let person = self.signed_in(browser).await?;
        let known = self.known(person.as_ref(), request, &resumed, now).await?;
        let shown = browser.made_form(&known.form_of(id), csrf);
        if shown { Ok(known.consent()) } else { Err(ProblemKind::ForeignForm.into()) }
    }

    /// The scopes of grants that stand.
    async fn granted_scopes(
        &self,
        person: &Person,
        request: &AuthorizationRequest,
        resumed: &Resumed<'_>,
    ) -> Result<ScopeSet, OAuthError> {
        let (client, resource) = (Some(request.client.clone()), Some(request.resource.clone()));
        let filter = GrantFilter { user: None, client, resource };
        let of_person = Selection::Person(&person.subject_claim());
        let page = self.grants_that_fit(of_person, &filter, None, Self::MOST_PER_PAGE).await?;
        let host_of =
            |grant: &GrantView| ReturnAddress { redirect_uri: grant.redirect_uri.clone(), state: None }.host();
        let same =
            |grant: &&GrantView| host_of(grant) == request.return_to.host() && grant.client_name == resumed.client.name;
        let add = |known: ScopeSet, grant: &GrantView| known.union(grant.scopes.as_slice());
        Ok(page.grants.iter().filter(same).fold(ScopeSet::default(), add))
    }
}
