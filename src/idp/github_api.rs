//! GitHub's REST API, as far as it says who somebody is: user, addresses, organisations, teams.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::IdpError;
use super::openid::{add_group, is_sound};
use crate::domain::{Email, Person, Secret};
use crate::outbound::{Call, Outbound, Reply};

/// The API at its address.
#[derive(Debug)]
pub(super) struct GithubApi {
    base: Url,
    organizations: bool,
    outbound: Outbound,
}

#[derive(Deserialize)]
struct User {
    /// Never reused, unlike the login.
    id: u64,
    login: String,
    name: Option<String>,
}

#[derive(Deserialize)]
struct Address {
    email: String,
    primary: bool,
    verified: bool,
}

#[derive(Deserialize)]
struct Organization {
    login: String,
}

#[derive(Deserialize)]
struct Team {
    slug: String,
    organization: Organization,
}

impl GithubApi {
    const PAGE: usize = 100;
    /// Nobody is in more teams than this many pages hold; an answer that never ends ends here.
    const MAX_PAGES: usize = 10;

    pub(super) const fn new(base: Url, organizations: bool, outbound: Outbound) -> Self {
        Self { base, organizations, outbound }
    }

    /// What an OAuth app asks for; a GitHub App has permissions instead.
    pub(super) const fn scope(&self) -> &'static str {
        if self.organizations { "read:user user:email read:org" } else { "read:user user:email" }
    }

    /// Whose access token it is, and what is true of them now.
    pub(super) async fn person(&self, provider: &str, token: &Secret) -> Result<Person, IdpError> {
        let reply = self.get("user", None, token).await?;
        let user: User = parse("user", &reply)?;
        let email = self.primary_address(token).await?;
        Ok(Person {
            provider: provider.to_owned(),
            subject: user.id.to_string(),
            email_verified: email.is_some(),
            email,
            user_name: Some(user.login).filter(|login| is_sound(login)),
            name: user.name.filter(|name| is_sound(name)),
            groups: if self.organizations { self.groups(token).await? } else { Vec::new() },
        })
    }

    /// The primary address, if verified. The profile's own is what the person shows to the world, and proves nothing.
    async fn primary_address(&self, token: &Secret) -> Result<Option<Email>, IdpError> {
        let addresses: Vec<Address> = self.all_pages("user/emails", token).await?;
        let primary = addresses.iter().find(|address| address.primary && address.verified);
        Ok(primary.and_then(|address| Email::parse(&address.email)))
    }

    /// `org` for every organisation, `org/team` for every team.
    async fn groups(&self, token: &Secret) -> Result<Vec<String>, IdpError> {
        let mut groups = Vec::new();
        for organization in self.all_pages::<Organization>("user/orgs", token).await? {
            add_group(&mut groups, &organization.login);
        }
        for team in self.all_pages::<Team>("user/teams", token).await? {
            add_group(&mut groups, &format!("{}/{}", team.organization.login, team.slug));
        }
        groups.retain(|group| is_sound(group));
        Ok(groups)
    }

    /// Pages are counted here: the links in the answer could lead anywhere.
    async fn all_pages<T: DeserializeOwned>(&self, path: &str, token: &Secret) -> Result<Vec<T>, IdpError> {
        let mut items = Vec::new();
        for page in 1..=Self::MAX_PAGES {
            let page: Vec<T> = parse(path, &self.get(path, Some(page), token).await?)?;
            let full = page.len() >= Self::PAGE;
            items.extend(page);
            if !full {
                break;
            }
        }
        Ok(items)
    }

    async fn get(&self, path: &str, page: Option<usize>, token: &Secret) -> Result<Reply, IdpError> {
        let mut url = self.base.clone();
        url.path_segments_mut().map_err(|()| IdpError::Unavailable("no API address".into()))?.extend(path.split('/'));
        if let Some(page) = page {
            let (size, page) = (Self::PAGE.to_string(), page.to_string());
            url.query_pairs_mut().append_pair("per_page", &size).append_pair("page", &page);
        }
        let call = Call::get(&url)
            .accept("application/vnd.github+json")
            .header("x-github-api-version", "2022-11-28")
            .authorization(Secret::new(format!("Bearer {}", token.expose())));
        Ok(self.outbound.call(&call).await?)
    }
}

/// 401: the token was revoked, by the person or with the account. 403 and 429 are rate limits and missing permissions of
/// ours; 404 is what GitHub says where a scope is missing.
fn parse<T: DeserializeOwned>(path: &str, reply: &Reply) -> Result<T, IdpError> {
    match reply.status {
        200 => serde_json::from_slice(&reply.body)
            .map_err(|_| IdpError::Untrustworthy(format!("GitHub's /{path} is not as documented"))),
        401 => Err(IdpError::Refused("GitHub does not take the access token any more".into())),
        status => Err(IdpError::Unavailable(format!("GitHub's /{path} answered {status}"))),
    }
}
