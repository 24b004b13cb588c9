//! The person's own word (flow step 2): which client, to where, for what. Asked before anybody signs in, so that a
//! client that was approved at the identity provider long ago gets nothing by itself (the confused deputy).

use super::browser::Browser;
use super::happenings::{SignInEnd, SignInOutcome};
use super::known_consent::Known;
use super::pending::{AuthorizationRequest, Ending, PendingAuthorization, Purpose, Resumed, Stage};
use super::problem::{Problem, ProblemKind};
use super::sign_in::ProviderChoice;
use super::{AuthorizationServer, ClientSource, ErrorCode, OAuthError, Parameters};
use crate::authz::Matched;
use crate::domain::{Person, ScopeSet, UnixTime};
use crate::store::{Outcome, Versioned};

/// What `/consent` shows.
#[derive(Debug)]
pub enum ConsentPage {
    /// The question.
    Ask(Box<Question>),
    /// The person approved this before: on to the identity provider.
    Redirect(String),
    /// Somebody signed in who may not.
    NotAllowed(Box<NotAllowed>),
    /// Nothing to ask.
    Page(Problem),
}

/// Where a browser goes after a form or a callback.
#[derive(Debug)]
pub enum Next {
    /// To the identity provider, or back to the client.
    Redirect(String),
    /// To `/consent?request=…`: something must be asked again.
    Ask {
        /// The flow's id.
        request: String,
    },
    /// Somebody signed in who may not.
    NotAllowed(Box<NotAllowed>),
    /// To our own pages: somebody signed in to them.
    SignedIn,
    /// Nowhere.
    Page(Problem),
}

/// The question.
#[derive(Debug, Clone)]
pub struct Question {
    /// The flow's id: the field `request`.
    pub request: String,
    /// The field `csrf`.
    pub csrf: String,
    /// `client_id`
    pub client_id: String,
    /// The name that the client gives itself.
    pub client_name: Option<String>,
    /// Where the client's description was fetched: whoever owns that host vouches for it.
    pub client_host: Option<String>,
    /// The operator's configuration describes the client.
    pub client_is_configured: bool,
    /// Where the answer goes: its host is what a person must look at.
    pub redirect_uri: String,
    /// The resource.
    pub resource: String,
    /// Its name.
    pub resource_name: Option<String>,
    /// What the client may do.
    pub scopes: ScopeSet,
    /// Those among them that `person` let this very client use at this very resource before; never all of them.
    pub known: ScopeSet,
    /// Where one can sign in: the field `provider`.
    pub providers: Vec<ProviderChoice>,
    /// Who is signed in to our own pages in this browser.
    pub person: Option<Person>,
}

/// Somebody signed in who may not use the resource. The same form takes `another_account` and `return`.
#[derive(Debug, Clone)]
pub struct NotAllowed {
    /// The flow's id: the field `request`.
    pub request: String,
    /// The field `csrf`.
    pub csrf: String,
    /// Who signed in.
    pub person: String,
    /// Where: what people call the identity provider.
    pub provider: String,
    /// Their address would do, if the provider vouched for it.
    pub email_not_verified: bool,
    /// The name that the client gives itself.
    pub client_name: Option<String>,
    /// The resource.
    pub resource: String,
    /// Its name.
    pub resource_name: Option<String>,
}

/// What the person said: the field `decision`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decision {
    Approve,
    Deny,
    AnotherAccount,
}

impl Decision {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "approve" => Some(Self::Approve),
            // The button of the page for somebody who may not.
            "deny" | "return" => Some(Self::Deny),
            "another_account" => Some(Self::AnotherAccount),
            _ => None,
        }
    }
}

type Pending = Versioned<PendingAuthorization>;

impl AuthorizationServer {
    /// What to show for the flow `id`.
    pub async fn consent_page(&self, id: &str, browser: Browser<'_>) -> ConsentPage {
        self.question(id, browser).await.unwrap_or_else(ConsentPage::Page)
    }

    async fn question(&self, id: &str, browser: Browser<'_>) -> Result<ConsentPage, Problem> {
        let now = self.clock.now();
        let pending = self.pending(id, browser, now).await?;
        let Purpose::Client(request) = &pending.value.purpose else { return Err(ProblemKind::Expired.into()) };
        if let Stage::Finished(_) = pending.value.stage {
            return Err(ProblemKind::AnsweredAlready.into());
        }
        let resumed = self.resume(request, now).await?;
        if let Stage::NotAllowed { provider, person, email_not_verified, .. } = &pending.value.stage {
            let who = (person.clone(), self.label(provider), *email_not_verified);
            return Ok(ConsentPage::NotAllowed(Box::new(not_allowed(id, browser, who, &resumed))));
        }
        let person = self.signed_in(browser).await?;
        if let (Stage::AwaitingConsent, Some(person)) = (&pending.value.stage, &person)
            && self.remembers(person, request, &resumed, now).await?
            && let Some(url) = self.skip(id, &pending, person, &request.wishes, now).await?
        {
            return Ok(ConsentPage::Redirect(url));
        }
        let known = self.known(person.as_ref(), request, &resumed, now).await?;
        Ok(ConsentPage::Ask(Box::new(self.ask((id, browser), request, resumed, person, known))))
    }

    fn ask(
        &self,
        (id, browser): (&str, Browser<'_>),
        request: &AuthorizationRequest,
        resumed: Resumed<'_>,
        person: Option<Person>,
        known: Known,
    ) -> Question {
        let (resource, resource_name) = resource_of(&resumed.matched);
        Question {
            request: id.to_owned(),
            csrf: browser.form_token(&known.form_of(id)).unwrap_or_default(),
            client_host: document_host(&resumed),
            client_is_configured: matches!(resumed.client.source, ClientSource::Configuration { .. }),
            redirect_uri: request.return_to.redirect_uri.clone(),
            client_id: resumed.client.id,
            client_name: resumed.client.name,
            resource,
            resource_name,
            scopes: resumed.scopes,
            known: known.scopes,
            providers: self.provider_choices(),
            person,
        }
    }

    /// Takes the person's answer: the fields `request`, `csrf`, `decision` and, where there are several, `provider`.
    pub async fn consent(&self, form: &Parameters, browser: Browser<'_>) -> Next {
        self.answer(form, browser).await.unwrap_or_else(Next::Page)
    }

    async fn answer(&self, form: &Parameters, browser: Browser<'_>) -> Result<Next, Problem> {
        let now = self.clock.now();
        let id = form.required("request")?;
        let decision = form.optional("decision").and_then(Decision::parse).ok_or(ProblemKind::BadLink)?;
        for _ in 0..Self::ATTEMPTS {
            let pending = self.pending(id, browser, now).await?;
            let Purpose::Client(request) = &pending.value.purpose else { return Err(ProblemKind::Expired.into()) };
            let csrf = form.optional("csrf").unwrap_or_default();
            let consent = self.consent_on_page(id, request, browser, csrf, now).await?;
            let next = match decision {
                Decision::Deny => self.deny(id, &pending, request, now).await?,
                Decision::Approve => self.approve(id, &pending, request, (form, consent), now).await?,
                Decision::AnotherAccount => self.choose_account(id, &pending, request, (form, consent), now).await?,
            };
            if let Some(next) = next {
                return Ok(next);
            }
        }
        Err(ProblemKind::Unavailable.into())
    }

    /// Nothing is given. Saying so twice is saying it once.
    async fn deny(
        &self,
        id: &str,
        pending: &Pending,
        request: &AuthorizationRequest,
        now: UnixTime,
    ) -> Result<Option<Next>, Problem> {
        let error = OAuthError::new(ErrorCode::AccessDenied, "the person did not agree");
        let url = request.return_to.with_error(&self.settings.issuer, &error);
        match pending.value.stage {
            Stage::Finished(Ending::Denied) => Ok(Some(Next::Redirect(url))),
            Stage::Finished(_) => Err(ProblemKind::AnsweredAlready.into()),
            Stage::AwaitingConsent | Stage::AwaitingSignIn(_) | Stage::SigningIn { .. } | Stage::NotAllowed { .. } => {
                let outcome = self.advance(id, pending, Stage::Finished(Ending::Denied), now).await?;
                if outcome == Outcome::Conflict {
                    return Ok(None);
                }
                let (outcome, purpose) = (SignInOutcome::Denied, &pending.value.purpose);
                self.note_sign_in(&SignInEnd { outcome, purpose, provider: None, person: None, cause: None });
                Ok(Some(Next::Redirect(url)))
            }
        }
    }
}

pub(super) fn not_allowed(
    id: &str,
    browser: Browser<'_>,
    who: (String, String, bool),
    resumed: &Resumed<'_>,
) -> NotAllowed {
    let (resource, resource_name) = resource_of(&resumed.matched);
    NotAllowed {
        request: id.to_owned(),
        csrf: browser.form_token(id).unwrap_or_default(),
        person: who.0,
        provider: who.1,
        email_not_verified: who.2,
        client_name: resumed.client.name.clone(),
        resource,
        resource_name,
    }
}

fn resource_of(matched: &Matched<'_>) -> (String, Option<String>) {
    (matched.resource_text().to_owned(), matched.policy.name.clone())
}

fn document_host(resumed: &Resumed<'_>) -> Option<String> {
    match resumed.client.source {
        ClientSource::Document => url::Url::parse(&resumed.client.id).ok()?.host_str().map(ToOwned::to_owned),
        ClientSource::Configuration { .. } | ClientSource::Registration { .. } => None,
    }
}
