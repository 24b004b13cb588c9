//! Google: OpenID Connect, with its own word for offline access and accounts that belong to organisations.

use std::sync::Arc;

use super::openid::{Dialect, GroupsClaims, IdToken, OpenIdProvider, OpenIdSettings, Profile};
use super::settings::{Kind, Named};
use super::{BuildError, IdentityProvider, IdpError, Registration, Surroundings};
use crate::domain::{Issuer, Person, ScopeSet};

/// What is to be said about Google.
#[derive(Debug, Clone)]
pub struct GoogleSettings {
    /// How we are registered there.
    pub registration: Registration,
    /// Only accounts of these Workspace domains; empty means any Google account.
    pub hosted_domains: Vec<String>,
    /// Ask for a refresh token, so that Google can be asked again. It gives one only with the consent screen.
    pub offline_access: bool,
    /// Take addresses of other mail providers as verified. Google checked them once, and whoever held the address then
    /// keeps the account: a former employee, for one.
    pub trust_other_addresses: bool,
    /// A server that stands in for Google in tests.
    pub stand_in: Option<Issuer>,
}

impl GoogleSettings {
    const ISSUER: &str = "https://accounts.google.com";

    /// What most operators want: any account, and being able to ask again.
    pub const fn new(registration: Registration) -> Self {
        Self {
            registration,
            hosted_domains: Vec::new(),
            offline_access: true,
            trust_other_addresses: false,
            stand_in: None,
        }
    }
}

impl Kind for GoogleSettings {
    fn label(&self) -> String {
        "Google".to_owned()
    }

    fn is_open_to_the_world(&self) -> bool {
        self.hosted_domains.is_empty()
    }

    fn check(&self) -> Result<(), BuildError> {
        if self.hosted_domains.iter().any(|domain| domain.is_empty() || domain.contains(['@', '*', '/', ' '])) {
            let fix = "write each like \"corp.example\"";
            return Err(BuildError::new("hosted_domains", "each must be a plain domain", fix));
        }
        Ok(())
    }

    fn build(self, named: Named, surroundings: &Surroundings) -> Result<Arc<dyn IdentityProvider>, BuildError> {
        let issuer = match self.stand_in {
            Some(issuer) => issuer,
            None => Issuer::parse(Self::ISSUER)
                .map_err(|error| BuildError::new("issuer", error.to_string(), "it is built in"))?,
        };
        let settings = OpenIdSettings {
            issuer,
            registration: self.registration,
            scopes: ScopeSet::from_claim("email profile"),
            groups: GroupsClaims::new(Vec::new(), []),
            assume_email_verified: false,
            offline_access: self.offline_access,
            ask_consent: self.offline_access,
        };
        let dialect = Google {
            hosted_domains: self.hosted_domains.iter().map(|domain| domain.to_lowercase()).collect(),
            offline_access: self.offline_access,
            trust_other_addresses: self.trust_other_addresses,
        };
        Ok(Arc::new(OpenIdProvider::new(named, settings, dialect, surroundings)))
    }
}

#[derive(Debug)]
struct Google {
    hosted_domains: Vec<String>,
    offline_access: bool,
    trust_other_addresses: bool,
}

impl Dialect for Google {
    /// `access_type=offline` stands for the scope `offline_access`, which Google does not know. `hd` only chooses what
    /// the page offers; the claim is what counts.
    fn parameters(&self) -> Vec<(&'static str, String)> {
        let mut parameters = Vec::new();
        if self.offline_access {
            parameters.push(("access_type", "offline".to_owned()));
        }
        match self.hosted_domains.as_slice() {
            [] => {}
            [domain] => parameters.push(("hd", domain.clone())),
            [..] => parameters.push(("hd", "*".to_owned())),
        }
        parameters
    }

    fn knows_select_account(&self) -> bool {
        true
    }

    /// To Google it is an error.
    fn knows_login(&self) -> bool {
        false
    }

    /// Both forms are documented: with `https://` and, from older times, without.
    fn issued(&self, metadata_issuer: &str, token: &IdToken, _key_issuer: Option<&str>) -> bool {
        let bare = metadata_issuer.split_once("://").map(|(_, host)| host);
        token.issuer == metadata_issuer || Some(&*token.issuer) == bare
    }

    fn admit(&self, token: &IdToken) -> Result<(), IdpError> {
        let domain = token.profile.text("hd").map(str::to_lowercase);
        let admitted =
            self.hosted_domains.is_empty() || domain.is_some_and(|domain| self.hosted_domains.contains(&domain));
        if admitted { Ok(()) } else { Err(IdpError::Refused("the account is of another hosted domain".into())) }
    }

    /// Google vouches for addresses that it hosts: `gmail.com` and those of Workspace accounts, which have `hd`.
    fn correct(&self, profile: &Profile, mut person: Person) -> Person {
        let is_gmail = person.email.as_ref().is_some_and(|email| email.as_str().ends_with("@gmail.com"));
        person.email_verified &= is_gmail || profile.has("hd") || self.trust_other_addresses;
        person
    }
}
