//! What the operator sees and ends: grants by person, client and resource in any combination, and clients.

use super::grant::{Grant, GrantEnd};
use super::grants::{Page, Selection};
use super::{AuthorizationServer, ClientKind, ClientPage, OAuthError, Removal};
use crate::domain::{Email, Person};

/// Which grants the operator means: those that fit every part that is given; all of them if none is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GrantFilter {
    /// E-mail address, user name, the provider's subject, or `provider:subject`.
    pub user: Option<String>,
    /// `client_id`
    pub client: Option<String>,
    /// The resource's exact URI.
    pub resource: Option<String>,
}

impl GrantFilter {
    /// Whether nothing is selected.
    pub const fn is_empty(&self) -> bool {
        self.user.is_none() && self.client.is_none() && self.resource.is_none()
    }

    /// What the index can find; people are looked for in it, since only their subject is indexed.
    fn narrowest(&self) -> Selection<'_> {
        match (&self.client, &self.resource) {
            (Some(client), _) => Selection::Client(client),
            (None, Some(resource)) => Selection::Resource(resource),
            (None, None) => Selection::All,
        }
    }

    pub(super) fn fits(&self, grant: &Grant) -> bool {
        let is = |wanted: &Option<String>, value: &str| wanted.as_ref().is_none_or(|wanted| wanted == value);
        is(&self.client, &grant.client)
            && is(&self.resource, &grant.resource)
            && self.user.as_ref().is_none_or(|user| is_called(&grant.person, user))
    }
}

/// Whether somebody is meant by `user`. Rather too many than too few: it is for cutting off.
fn is_called(person: &Person, user: &str) -> bool {
    person.subject_claim() == user
        || person.subject == user
        || person.user_name.as_ref().is_some_and(|name| name.eq_ignore_ascii_case(user))
        || person.email.as_ref().is_some_and(|email| Email::parse(user).as_ref() == Some(email))
}

impl AuthorizationServer {
    /// Most pages that are read for one page of what fits.
    const MOST_READS: usize = 20;

    /// Grants that stand and fit, in the order of their ids. A page may hold fewer than `limit` and still not be the
    /// last.
    pub async fn grants_of(&self, filter: &GrantFilter, after: Option<&str>, limit: usize) -> Result<Page, OAuthError> {
        let limit = limit.clamp(1, Self::MOST_PER_PAGE);
        let mut fitting = Page { grants: Vec::new(), next: after.map(ToOwned::to_owned) };
        for _ in 0..Self::MOST_READS {
            let wanted = limit - fitting.grants.len();
            let page = self.grants_that_fit(filter.narrowest(), filter, fitting.next.as_deref(), wanted).await?;
            fitting.grants.extend(page.grants);
            fitting.next = page.next;
            if fitting.next.is_none() || fitting.grants.len() >= limit {
                break;
            }
        }
        Ok(fitting)
    }

    /// Ends every grant that fits and says how many stood. Those given while it runs may be left.
    pub async fn end_grants_of(&self, filter: &GrantFilter) -> Result<usize, OAuthError> {
        self.end_selected(filter.narrowest(), filter, GrantEnd::Operator).await
    }

    /// Clients of one kind, in the order of their ids.
    pub async fn clients_of(
        &self,
        kind: ClientKind,
        after: Option<&str>,
        limit: usize,
    ) -> Result<ClientPage, OAuthError> {
        let limit = limit.clamp(1, Self::MOST_PER_PAGE);
        self.clients.page(kind, after, limit, self.clock.now()).await
    }

    /// Removes what is known of a client, and ends what people let it do; says how many grants stood. They end even if
    /// the client is unknown: a removal that was interrupted can be repeated.
    pub async fn remove_client(&self, id: &str) -> Result<(Removal, usize), OAuthError> {
        let removal = self.clients.remove(id, self.clock.now()).await?;
        if removal == Removal::Configured {
            return Ok((removal, 0));
        }
        let ended = self.end_selected(Selection::Client(id), &GrantFilter::default(), GrantEnd::Operator).await?;
        Ok((removal, ended))
    }
}
