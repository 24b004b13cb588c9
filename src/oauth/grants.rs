//! Looking at grants and ending them: for the operator, and for people and their own connections.

use super::connections::joined;
use super::grant::{Grant, GrantEnd, GrantIndex, GrantState};
use super::oversight::GrantFilter;
use super::{AuthorizationServer, Browser, OAuthError};
use crate::domain::{Person, ScopeSet, UnixTime};
use crate::store::{self, Versioned};

/// Which grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection<'a> {
    /// Those of the person with this `sub` (`provider:subject`).
    Person(&'a str),
    /// Those of this client.
    Client(&'a str),
    /// Those for this resource, by its exact URI.
    Resource(&'a str),
    /// All of them.
    All,
}

/// A grant that stands, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantView {
    /// Its id.
    pub id: String,
    /// `client_id`
    pub client: String,
    /// The name that the client gave itself.
    pub client_name: Option<String>,
    /// Where its answer went.
    pub redirect_uri: String,
    /// Who gave it.
    pub person: Person,
    /// For which resource.
    pub resource: String,
    /// What was granted.
    pub scopes: ScopeSet,
    /// Since when.
    pub since: UnixTime,
    /// When tokens were last issued.
    pub last_used: UnixTime,
    /// When it ends by itself.
    pub until: UnixTime,
}

/// Some grants, and where to go on.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The grants.
    pub grants: Vec<GrantView>,
    /// Ask for the page after this one; absent after the last.
    pub next: Option<String>,
}

impl AuthorizationServer {
    /// Most grants on one page.
    pub const MOST_PER_PAGE: usize = 500;

    /// Grants that stand, in the order of their ids. A page may hold fewer than `limit` and still not be the last.
    pub async fn grants(
        &self,
        selection: Selection<'_>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page, OAuthError> {
        self.grants_that_fit(selection, &GrantFilter::default(), after, limit).await
    }

    /// The same, of those that fit `filter`.
    pub(super) async fn grants_that_fit(
        &self,
        selection: Selection<'_>,
        filter: &GrantFilter,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page, OAuthError> {
        let now = self.clock.now();
        let limit = limit.clamp(1, Self::MOST_PER_PAGE);
        let found = self.select(selection, after, limit, now).await?;
        let next = if found.len() == limit { found.last().map(|(id, _)| id.clone()) } else { None };
        let standing = found.into_iter().filter_map(|(id, grant)| Some((id, grant?)));
        let standing = standing.filter(|(_, grant)| grant.value.stands(now) && filter.fits(&grant.value));
        Ok(Page { grants: standing.map(|(id, grant)| GrantView::new(id, grant.value)).collect(), next })
    }

    /// Ends every grant of a selection, for the operator, and every code that could become one, and says how many grants
    /// stood. Those that are given while it runs may be left.
    pub async fn end_grants(&self, selection: Selection<'_>) -> Result<usize, OAuthError> {
        self.end_selected(selection, &GrantFilter::default(), GrantEnd::Operator).await
    }

    /// Ends what people let a client do whose registration is gone (RFC 7592 §2.3).
    pub async fn end_grants_of_deleted(&self, client: &str) -> Result<usize, OAuthError> {
        self.end_selected(Selection::Client(client), &GrantFilter::default(), GrantEnd::ClientDeleted).await
    }

    /// Ends those grants of a selection that fit `filter`. A grant that has ended by itself may have left a token that
    /// is still good, so it counts too.
    pub(super) async fn end_selected(
        &self,
        selection: Selection<'_>,
        filter: &GrantFilter,
        cause: GrantEnd,
    ) -> Result<usize, OAuthError> {
        let now = self.clock.now();
        self.raise_barrier(selection, filter, now).await?;
        let (mut ended, mut after) = (0, None);
        loop {
            let found = self.select(selection, after.as_deref(), Self::MOST_PER_PAGE, now).await?;
            let Some((last, _)) = found.last() else { return Ok(ended) };
            after = Some(last.clone());
            for (id, grant) in &found {
                let active = grant.as_ref().filter(|grant| grant.value.state == GrantState::Active);
                let fits = active.is_some_and(|grant| filter.fits(&grant.value));
                if fits && self.end_grant(id, cause, now).await? {
                    ended += 1;
                }
            }
        }
    }

    /// Ends one grant; says whether it stood.
    pub async fn end_one_grant(&self, id: &str) -> Result<bool, OAuthError> {
        self.end_grant(id, GrantEnd::Operator, self.clock.now()).await
    }

    /// What the person who is signed in to our own pages lets clients do; `None` when nobody is.
    pub async fn connections(
        &self,
        browser: Browser<'_>,
        after: Option<&str>,
    ) -> Result<Option<Connections>, OAuthError> {
        let Some(person) = self.signed_in(browser).await? else { return Ok(None) };
        let mut page = self.grants(Selection::Person(&person.subject_claim()), after, Self::MOST_PER_PAGE).await?;
        page.grants = joined(page.grants);
        let csrf = browser.form_token(Self::CONNECTIONS).unwrap_or_default();
        Ok(Some(Connections { person, csrf, page }))
    }

    /// Ends every connection of the person who is signed in.
    pub async fn disconnect_all(&self, browser: Browser<'_>, csrf: &str) -> Result<Disconnected, OAuthError> {
        let Some(person) = self.signed_in(browser).await? else { return Ok(Disconnected::NobodySignedIn) };
        if !browser.made_form(Self::CONNECTIONS, csrf) {
            return Ok(Disconnected::ForeignForm);
        }
        let subject = person.subject_claim();
        self.end_selected(Selection::Person(&subject), &GrantFilter::default(), GrantEnd::Person).await?;
        Ok(Disconnected::Done)
    }

    /// What the form token of that page is about.
    pub(super) const CONNECTIONS: &'static str = "connections";

    async fn select(
        &self,
        selection: Selection<'_>,
        after: Option<&str>,
        limit: usize,
        now: UnixTime,
    ) -> Result<Vec<(String, Option<Versioned<Grant>>)>, OAuthError> {
        let prefix = match selection {
            Selection::Person(subject) => GrantIndex::of_person(subject),
            Selection::Client(client) => GrantIndex::of_client(client),
            Selection::Resource(resource) => GrantIndex::of_resource(resource),
            Selection::All => {
                let found = store::list::<Grant>(&*self.store, "", after, limit, now).await?;
                return Ok(found.into_iter().map(|(id, grant)| (id, Some(grant))).collect());
            }
        };
        let after = after.map(|after| format!("{prefix}{after}"));
        let mut found = Vec::new();
        for (key, _) in store::list::<GrantIndex>(&*self.store, &prefix, after.as_deref(), limit, now).await? {
            let id = key.strip_prefix(&prefix).unwrap_or(&key).to_owned();
            let grant = store::read::<Grant>(&*self.store, &id, now).await?;
            found.push((id, grant));
        }
        Ok(found)
    }
}

/// What somebody sees of their own.
#[derive(Debug, Clone)]
pub struct Connections {
    /// Who is signed in.
    pub person: Person,
    /// The field `csrf` of the forms on the page.
    pub csrf: String,
    /// Their grants.
    pub page: Page,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disconnected {
    /// It is over.
    Done,
    /// Nobody is signed in.
    NobodySignedIn,
    /// The form is not ours.
    ForeignForm,
}

impl GrantView {
    pub(super) fn new(id: String, grant: Grant) -> Self {
        Self {
            id,
            client: grant.client,
            client_name: grant.client_name,
            redirect_uri: grant.redirect_uri,
            person: grant.person,
            resource: grant.resource,
            scopes: grant.scopes,
            since: grant.started_at,
            last_used: grant.last_used_at,
            until: grant.ends_at,
        }
    }
}
