//! `prompt`, `max_age` and `login_hint` (OpenID Connect Core §3.1.2.1): how a client wants the person to be asked.

use serde::{Deserialize, Serialize};

use super::pending::AuthorizationRequest;
use super::{AuthorizationServer, Browser, ErrorCode, OAuthError, Parameters};
use crate::domain::UnixTime;

/// What an authorization request says about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Prompt {
    /// The person must not be asked anything (`none`).
    pub(super) silent: bool,
    /// The person is to be asked for consent, whatever we remember (`consent`).
    pub(super) always_ask: bool,
    /// What the identity provider is to do.
    pub(super) wishes: Wishes,
}

/// What is passed on to the identity provider.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Wishes {
    /// Offer the choice of an account (`select_account`).
    pub(super) choose_account: bool,
    /// Have the person prove again who they are (`login`, `max_age=0`).
    #[serde(default)]
    pub(super) sign_in_anew: bool,
    /// Whom the client expects. A hint, never believed.
    #[serde(default)]
    pub(super) login_hint: Option<String>,
}

impl Prompt {
    /// Longer hints are no names of anybody.
    const MAX_HINT: usize = 320;

    /// Words that are not known are left out, as parameters are.
    pub(super) fn of_request(parameters: &Parameters) -> Result<Self, OAuthError> {
        let words: Vec<&str> = parameters.optional("prompt").unwrap_or_default().split_whitespace().collect();
        let silent = words.contains(&"none");
        if silent && words.len() > 1 {
            return Err(OAuthError::invalid_request("prompt=none stands alone"));
        }
        let hint = parameters.optional("login_hint");
        let hint = hint.filter(|hint| hint.len() <= Self::MAX_HINT && !hint.chars().any(char::is_control));
        let wishes = Wishes {
            choose_account: words.contains(&"select_account"),
            sign_in_anew: words.contains(&"login") || parameters.optional("max_age") == Some("0"),
            login_hint: hint.map(ToOwned::to_owned),
        };
        Ok(Self { silent, always_ask: words.contains(&"consent"), wishes })
    }
}

impl Wishes {
    /// The same for somebody who wants to be somebody else.
    pub(super) fn another_account(&self) -> Self {
        Self { choose_account: true, login_hint: None, ..self.clone() }
    }
}

impl AuthorizationServer {
    /// The answer to `prompt=none` (OpenID Connect Core §3.1.2.6). Every authorization leads over the identity provider,
    /// and over the consent page unless it is remembered, so nothing is ever given without asking.
    pub(super) async fn answer_silently(
        &self,
        request: &AuthorizationRequest,
        browser: Browser<'_>,
        now: UnixTime,
    ) -> OAuthError {
        match self.would_ask_for_consent(request, browser, now).await {
            Ok(true) => OAuthError::new(ErrorCode::ConsentRequired, "the person must be asked"),
            Ok(false) => OAuthError::new(ErrorCode::LoginRequired, "the person must sign in"),
            Err(error) => error,
        }
    }

    async fn would_ask_for_consent(
        &self,
        request: &AuthorizationRequest,
        browser: Browser<'_>,
        now: UnixTime,
    ) -> Result<bool, OAuthError> {
        let Some(person) = self.signed_in(browser).await? else { return Ok(false) };
        let resumed = self.resume(request, now).await.map_err(|problem| {
            OAuthError::new(ErrorCode::ServerError, "the request cannot be looked at again")
                .because(&format!("{:?}", problem.kind))
        })?;
        Ok(!self.remembers(&person, request, &resumed, now).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<Prompt, OAuthError> {
        Prompt::of_request(&Parameters::parse(query.as_bytes()).unwrap())
    }

    #[test]
    fn every_word_of_prompt_has_its_meaning() {
        let wishes = |choose_account, sign_in_anew, hint: Option<&str>| Wishes {
            choose_account,
            sign_in_anew,
            login_hint: hint.map(ToOwned::to_owned),
        };
        let asked = |silent, always_ask, wishes| Prompt { silent, always_ask, wishes };
        for (query, expected) in [
            ("", Prompt::default()),
            ("prompt=", Prompt::default()),
            ("prompt=create", Prompt::default()),
            ("prompt=none", asked(true, false, Wishes::default())),
            ("prompt=consent", asked(false, true, Wishes::default())),
            ("prompt=login", asked(false, false, wishes(false, true, None))),
            ("prompt=select_account", asked(false, false, wishes(true, false, None))),
            ("prompt=login+consent", asked(false, true, wishes(false, true, None))),
            ("max_age=0", asked(false, false, wishes(false, true, None))),
            ("max_age=3600", Prompt::default()),
            ("login_hint=alice%40example.com", asked(false, false, wishes(false, false, Some("alice@example.com")))),
            ("login_hint=a%0d%0ab", Prompt::default()),
        ] {
            assert_eq!(read(query).unwrap(), expected, "{query}");
        }
        assert_eq!(read("prompt=none+login").unwrap_err().code, ErrorCode::InvalidRequest);
        assert_eq!(read(&format!("login_hint={}", "a".repeat(321))).unwrap(), Prompt::default());
    }
}
