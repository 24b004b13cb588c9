//! GitHub, github.com or Enterprise: OAuth without OpenID Connect. Who signed in is read from its API.

use std::sync::Arc;

use async_trait::async_trait;
use url::Url;

use super::github_api::GithubApi;
use super::openid::challenge;
use super::settings::{Kind, Named};
use super::token_endpoint::Tokens;
use super::{
    BuildError, Callback, IdentityProvider, IdpError, Registration, SecretIn, SignInStart, SignedIn, Surroundings,
};
use crate::domain::issuer::parse_fetch_url;
use crate::domain::{Person, Secret, UnixTime};

/// What is to be said about GitHub.
#[derive(Debug, Clone)]
pub struct GithubSettings {
    /// How our OAuth app or GitHub App is registered there.
    pub registration: Registration,
    /// `https://github.com`, or the address of an Enterprise server.
    pub web_url: String,
    /// The API's address, when it does not follow from the other.
    pub api_url: Option<String>,
    /// Read organisations and teams: groups `org` and `org/team`. Needs the scope `read:org`, and of a GitHub App the
    /// permission to read members.
    pub organizations: bool,
    /// Only members of these organisations sign in; empty means everybody with an account.
    pub allowed_organizations: Vec<String>,
}

impl GithubSettings {
    /// What most operators want: github.com, with organisations and teams.
    pub fn new(registration: Registration) -> Self {
        Self {
            registration,
            web_url: "https://github.com".to_owned(),
            api_url: None,
            organizations: true,
            allowed_organizations: Vec::new(),
        }
    }

    /// github.com and `*.ghe.com` have a host for the API, Enterprise servers a path.
    fn api_base(&self, web: &Url) -> Result<Url, BuildError> {
        let of_host = |host: &str| host == "github.com" || host.ends_with(".ghe.com");
        let text = match (&self.api_url, web.host_str()) {
            (Some(url), _) => url.trim_end_matches('/').to_owned(),
            (None, Some(host)) if of_host(host) => format!("https://api.{host}"),
            (None, _) => format!("{}/api/v3", self.web_url.trim_end_matches('/')),
        };
        parse_fetch_url(&text).map_err(|error| {
            BuildError::new("api_url", error.to_string(), "write it like \"https://github.example.com/api/v3\"")
        })
    }

    /// A page of the server itself.
    fn at(&self, path: &str) -> Result<Url, BuildError> {
        parse_fetch_url(&format!("{}{path}", self.web_url.trim_end_matches('/'))).map_err(|error| {
            BuildError::new("base_url", error.to_string(), "write it like \"https://github.example.com\"")
        })
    }
}

impl Kind for GithubSettings {
    fn label(&self) -> String {
        "GitHub".to_owned()
    }

    /// An Enterprise server has the enterprise's people only.
    fn is_open_to_the_world(&self) -> bool {
        let host = Url::parse(&self.web_url).ok().and_then(|url| url.host_str().map(ToOwned::to_owned));
        self.allowed_organizations.is_empty() && host.is_none_or(|host| host == "github.com")
    }

    fn check(&self) -> Result<(), BuildError> {
        self.api_base(&self.at("/login/oauth/authorize")?).map(drop)
    }

    fn build(self, named: Named, surroundings: &Surroundings) -> Result<Arc<dyn IdentityProvider>, BuildError> {
        let authorize = self.at("/login/oauth/authorize")?;
        let base_of_api = self.api_base(&authorize)?;
        let reads_organizations = self.organizations || !self.allowed_organizations.is_empty();
        let api = GithubApi::new(base_of_api, reads_organizations, surroundings.outbound.clone());
        Ok(Arc::new(Github {
            authorize,
            access_token: self.at("/login/oauth/access_token")?,
            issuer: format!("{}/login/oauth", self.web_url.trim_end_matches('/')),
            api,
            named,
            allowed_organizations: self.allowed_organizations,
            registration: self.registration,
            surroundings: surroundings.clone(),
        }))
    }
}

#[derive(Debug)]
struct Github {
    named: Named,
    registration: Registration,
    authorize: Url,
    access_token: Url,
    /// What GitHub calls itself when it sends `iss` (RFC 9207). It publishes no promise to.
    issuer: String,
    api: GithubApi,
    allowed_organizations: Vec<String>,
    surroundings: Surroundings,
}

/// With what GitHub can be asked again. OAuth apps get no refresh token, but their access tokens live until they are
/// revoked; GitHub Apps get both, and the access token lives for hours.
enum Handle<'a> {
    Access(&'a str),
    Refresh(&'a str),
}

impl<'a> Handle<'a> {
    fn parse(kept: &'a Secret) -> Option<Self> {
        match kept.expose().split_once(':')? {
            ("access", token) => Some(Self::Access(token)),
            ("refresh", token) => Some(Self::Refresh(token)),
            _ => None,
        }
    }

    fn kept(tokens: &Tokens) -> Secret {
        match &tokens.refresh_token {
            Some(token) => Secret::new(format!("refresh:{}", token.expose())),
            None => Secret::new(format!("access:{}", tokens.access_token.expose())),
        }
    }
}

#[async_trait]
impl IdentityProvider for Github {
    fn name(&self) -> &str {
        &self.named.name
    }

    fn label(&self) -> &str {
        &self.named.label
    }

    async fn authorization_url(&self, start: &SignInStart) -> Result<Url, IdpError> {
        let mut url = self.authorize.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.registration.client_id)
            .append_pair("redirect_uri", &start.redirect_uri)
            .append_pair("scope", self.api.scope())
            .append_pair("state", start.state.expose())
            .append_pair("code_challenge", &challenge(&start.code_verifier))
            .append_pair("code_challenge_method", "S256");
        if start.choose_account || start.sign_in_anew {
            url.query_pairs_mut().append_pair("prompt", "select_account");
        }
        if let Some(hint) = &start.login_hint {
            url.query_pairs_mut().append_pair("login", hint);
        }
        Ok(url)
    }

    async fn redeem(&self, callback: Callback, _now: UnixTime) -> Result<SignedIn, IdpError> {
        if callback.iss.as_ref().is_some_and(|iss| *iss != self.issuer) {
            return Err(IdpError::Untrustworthy("the answer comes from another issuer".into()));
        }
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", callback.code.expose()),
            ("redirect_uri", &callback.start.redirect_uri),
            ("code_verifier", callback.start.code_verifier.expose()),
        ];
        let tokens = self.ask(&fields).await?;
        let person = self.person(&tokens.access_token).await?;
        Ok(SignedIn { person, refresh_token: Some(Handle::kept(&tokens)) })
    }

    async fn ask_again(&self, person: &Person, refresh_token: &Secret, _now: UnixTime) -> Result<SignedIn, IdpError> {
        let (access_token, kept) = match Handle::parse(refresh_token) {
            Some(Handle::Access(token)) => (Secret::new(token), refresh_token.clone()),
            Some(Handle::Refresh(token)) => {
                let tokens = self.ask(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await?;
                let kept = Handle::kept(&tokens);
                (tokens.access_token, kept)
            }
            None => return Err(IdpError::Untrustworthy("what was kept to ask again is not GitHub's".into())),
        };
        let now_known = self.person(&access_token).await?;
        if (&now_known.provider, &now_known.subject) != (&person.provider, &person.subject) {
            return Err(IdpError::Untrustworthy("GitHub answered about another person".into()));
        }
        Ok(SignedIn { person: now_known, refresh_token: Some(kept) })
    }
}

impl Github {
    /// Whose token it is, if they may sign in. Names of organisations ignore case, as GitHub does.
    async fn person(&self, access_token: &Secret) -> Result<Person, IdpError> {
        let person = self.api.person(&self.named.name, access_token).await?;
        let allowed = |group: &String| self.allowed_organizations.iter().any(|name| name.eq_ignore_ascii_case(group));
        if self.allowed_organizations.is_empty() || person.groups.iter().any(allowed) {
            Ok(person)
        } else {
            Err(IdpError::Refused("the account is in none of the organisations that may sign in".into()))
        }
    }

    /// The answer is JSON because `Accept` says so; errors come with status 200.
    async fn ask(&self, fields: &[(&str, &str)]) -> Result<Tokens, IdpError> {
        self.registration.ask(&self.surroundings.outbound, &self.access_token, SecretIn::Body, fields).await
    }
}
