//! A person's own connections. A client that signs in again, for more scopes or on another device, has a further grant;
//! people see one connection, and withdrawing it ends every grant behind it.

use url::Url;

use super::grant::{Grant, GrantEnd};
use super::grants::{Disconnected, GrantView, Selection};
use super::oversight::GrantFilter;
use super::return_address::ReturnAddress;
use super::{AuthorizationServer, Browser, OAuthError};
use crate::store;

/// Grants that nobody could tell apart: of the same client, for the same resource, with answers to the same place.
fn alike(one: &GrantView, other: &GrantView) -> bool {
    let same = one.client == other.client && one.resource == other.resource;
    same && place_of(&one.redirect_uri) == place_of(&other.redirect_uri)
}

/// Programs on a device take another port every time (RFC 8252 §7.3).
fn place_of(redirect_uri: &str) -> String {
    let address = ReturnAddress { redirect_uri: redirect_uri.to_owned(), state: None };
    let url = Url::parse(redirect_uri).ok().filter(|_| address.is_loopback());
    url.and_then(|url| url.host_str().map(ToOwned::to_owned)).unwrap_or_else(|| address.host())
}

/// One view for all that are alike, in the place of the first.
pub(super) fn joined(grants: Vec<GrantView>) -> Vec<GrantView> {
    let mut joined: Vec<GrantView> = Vec::new();
    for grant in grants {
        match joined.iter_mut().find(|known| alike(known, &grant)) {
            Some(known) => join(known, grant),
            None => joined.push(grant),
        }
    }
    joined
}

/// The client goes by the name that it gave last.
fn join(known: &mut GrantView, grant: GrantView) {
    known.scopes = known.scopes.union(grant.scopes.as_slice());
    known.last_used = known.last_used.max(grant.last_used);
    known.until = known.until.max(grant.until);
    if grant.since > known.since {
        known.client_name = grant.client_name;
    }
    known.since = known.since.min(grant.since);
}

impl AuthorizationServer {
    /// Ends a connection of the person who is signed in. Somebody else's is left alone, and it is not said that there
    /// is one.
    pub async fn disconnect(&self, browser: Browser<'_>, csrf: &str, id: &str) -> Result<Disconnected, OAuthError> {
        let now = self.clock.now();
        let Some(person) = self.signed_in(browser).await? else { return Ok(Disconnected::NobodySignedIn) };
        if !browser.made_form(Self::CONNECTIONS, csrf) {
            return Ok(Disconnected::ForeignForm);
        }
        let subject = person.subject_claim();
        let found = store::read::<Grant>(&*self.store, id, now).await?;
        let Some(found) = found.filter(|found| found.value.person.subject_claim() == subject) else {
            return Ok(Disconnected::Done);
        };
        self.end_grant(id, GrantEnd::Person, now).await?;
        self.end_those_like(&GrantView::new(id.to_owned(), found.value), Selection::Person(&subject)).await?;
        Ok(Disconnected::Done)
    }

    async fn end_those_like(&self, grant: &GrantView, selection: Selection<'_>) -> Result<(), OAuthError> {
        let (client, resource) = (Some(grant.client.clone()), Some(grant.resource.clone()));
        let filter = GrantFilter { user: None, client, resource };
        let mut after = None;
        loop {
            let page = self.grants_that_fit(selection, &filter, after.as_deref(), Self::MOST_PER_PAGE).await?;
            for other in page.grants.iter().filter(|other| alike(grant, other)) {
                self.end_grant(&other.id, GrantEnd::Person, self.clock.now()).await?;
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }
}
