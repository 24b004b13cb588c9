//! The development login: believes what a form says. It exists only where nobody else can reach it.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use url::Url;

use super::openid::is_sound;
use super::settings::{Kind, Named};
use super::{BuildError, Callback, IdentityProvider, IdpError, SignInStart, SignedIn, Surroundings};
use crate::domain::issuer::is_loopback;
use crate::domain::opaque::new_secret;
use crate::domain::{Email, Person, Secret, SecretHash, UnixTime};
use crate::random::{NoRandomness, Random};

/// What is to be said about the development login.
#[derive(Debug, Clone)]
pub struct DevelopmentSettings {
    /// Our own origin, where the form stands.
    pub origin: Url,
}

impl DevelopmentSettings {
    /// The form's path on our origin.
    pub const PATH: &str = "/sign-in/development";
}

impl Kind for DevelopmentSettings {
    fn label(&self) -> String {
        "Development login".to_owned()
    }

    /// Nobody but this machine can reach it.
    fn is_open_to_the_world(&self) -> bool {
        false
    }

    fn build(self, named: Named, surroundings: &Surroundings) -> Result<Arc<dyn IdentityProvider>, BuildError> {
        let own = std::iter::once(self.origin.as_str()).chain(surroundings.own_urls.iter().map(String::as_str));
        for url in own {
            if !Url::parse(url).is_ok_and(|url| is_loopback(&url)) {
                let reason = format!("anybody could sign in as anybody at {url}: only loopback addresses may have it");
                let fix = "use a real identity provider";
                return Err(BuildError::new("kind", reason, fix));
            }
        }
        let login = DevelopmentLogin { random: Arc::clone(&surroundings.random), codes: Mutex::default() };
        Ok(Arc::new(Development { named, form: self.origin, login }))
    }
}

/// What somebody wrote into the form.
#[derive(Debug, Clone, Default)]
pub struct ClaimedPerson {
    /// An address; it counts as verified.
    pub email: String,
    /// A name to show.
    pub name: Option<String>,
    /// Groups.
    pub groups: Vec<String>,
}

/// The form's other half: takes what was written, gives the code that the callback redeems.
pub struct DevelopmentLogin {
    random: Arc<dyn Random>,
    codes: Mutex<HashMap<String, Issued>>,
}

struct Issued {
    state: SecretHash,
    person: ClaimedPerson,
    expires_at: UnixTime,
}

/// Why the form's answer makes no sign-in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DevelopmentError {
    /// No e-mail address.
    #[error("an e-mail address is needed")]
    NoEmail,
    /// No randomness for a code.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// Too many sign-ins wait.
    #[error("too many sign-ins are under way")]
    TooMany,
}

impl fmt::Debug for DevelopmentLogin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("DevelopmentLogin")
    }
}

impl DevelopmentLogin {
    const LIFETIME: Duration = Duration::from_secs(60);
    const MAX_CODES: usize = 1000;

    /// A code for whoever `person` says they are, good once, for a minute, with this `state`.
    pub fn code_for(&self, state: &str, person: ClaimedPerson, now: UnixTime) -> Result<Secret, DevelopmentError> {
        Email::parse(&person.email).ok_or(DevelopmentError::NoEmail)?;
        let code = new_secret("dev_", &*self.random)?;
        let issued = Issued { state: SecretHash::of(state), person, expires_at: now.plus(Self::LIFETIME) };
        let mut codes = self.codes.lock().unwrap_or_else(PoisonError::into_inner);
        codes.retain(|_, issued| issued.expires_at > now);
        if codes.len() >= Self::MAX_CODES {
            return Err(DevelopmentError::TooMany);
        }
        codes.insert(SecretHash::of(code.expose()).as_str().to_owned(), issued);
        Ok(code)
    }

    fn take(&self, code: &Secret, state: &Secret, now: UnixTime) -> Option<ClaimedPerson> {
        let mut codes = self.codes.lock().unwrap_or_else(PoisonError::into_inner);
        let issued = codes.remove(SecretHash::of(code.expose()).as_str())?;
        (issued.expires_at > now && issued.state.fits(state.expose())).then_some(issued.person)
    }
}

#[derive(Debug)]
struct Development {
    named: Named,
    form: Url,
    login: DevelopmentLogin,
}

#[async_trait]
impl IdentityProvider for Development {
    fn name(&self) -> &str {
        &self.named.name
    }

    fn label(&self) -> &str {
        &self.named.label
    }

    async fn authorization_url(&self, start: &SignInStart) -> Result<Url, IdpError> {
        let mut url = self.form.clone();
        url.set_path(DevelopmentSettings::PATH);
        url.set_query(None);
        url.query_pairs_mut().append_pair("state", start.state.expose());
        Ok(url)
    }

    async fn redeem(&self, callback: Callback, now: UnixTime) -> Result<SignedIn, IdpError> {
        let claimed = self.login.take(&callback.code, &callback.start.state, now);
        let claimed = claimed.ok_or_else(|| IdpError::Refused("the code is unknown, used or too old".into()))?;
        let email = Email::parse(&claimed.email).ok_or_else(|| IdpError::Refused("no e-mail address".into()))?;
        let groups = claimed.groups.into_iter().filter(|group| is_sound(group)).collect();
        let person = Person {
            provider: self.named.name.clone(),
            subject: email.to_string(),
            email: Some(email),
            email_verified: true,
            user_name: None,
            name: claimed.name.filter(|name| is_sound(name)),
            groups,
        };
        Ok(SignedIn { person, refresh_token: None })
    }

    /// Nothing is kept, so there is nobody to ask.
    async fn ask_again(&self, _person: &Person, _token: &Secret, _now: UnixTime) -> Result<SignedIn, IdpError> {
        Err(IdpError::Refused("the development login keeps nothing".into()))
    }

    fn development_login(&self) -> Option<&DevelopmentLogin> {
        Some(&self.login)
    }
}
