//! The authorization request (OIDC Core §3.1.2.1, RFC 7636 §4.3) and the first look at its answer.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use url::Url;

use super::dialect::Dialect;
use super::metadata::Metadata;
use super::provider::OpenIdSettings;
use crate::domain::Secret;
use crate::idp::{IdpError, SignInStart};

/// Where to send the browser.
pub(super) fn authorization_url(
    metadata: &Metadata,
    settings: &OpenIdSettings,
    dialect: &dyn Dialect,
    start: &SignInStart,
) -> Url {
    let mut url = metadata.authorization_endpoint.clone();
    let mut query = url.query_pairs_mut();
    query
        .append_pair("response_type", "code")
        .append_pair("client_id", &settings.registration.client_id)
        .append_pair("redirect_uri", &start.redirect_uri)
        .append_pair("scope", &scope(metadata, settings))
        .append_pair("state", start.state.expose())
        .append_pair("nonce", start.nonce.expose())
        .append_pair("code_challenge", &challenge(&start.code_verifier))
        .append_pair("code_challenge_method", "S256");
    let prompt = prompt(metadata, settings, dialect, start);
    if !prompt.is_empty() {
        query.append_pair("prompt", &prompt);
    }
    if let Some(hint) = &start.login_hint {
        query.append_pair("login_hint", hint);
    }
    query.extend_pairs(dialect.parameters());
    drop(query);
    url
}

/// `openid` always; `offline_access` only where it is offered: others refuse a scope that they do not know.
fn scope(metadata: &Metadata, settings: &OpenIdSettings) -> String {
    let mut scopes = vec!["openid"];
    scopes.extend(settings.scopes.as_slice().iter().map(crate::domain::Scope::as_str));
    if settings.offline_access && metadata.offers_scope("offline_access") {
        scopes.push("offline_access");
    }
    let mut seen = Vec::new();
    scopes.retain(|scope| {
        !seen.contains(scope) && {
            seen.push(*scope);
            true
        }
    });
    scopes.join(" ")
}

/// Every provider must know `login` and need not know `select_account` (OIDC Core §15.1); to some it is an error, and
/// signing in anew gives the same choice.
fn prompt(metadata: &Metadata, settings: &OpenIdSettings, dialect: &dyn Dialect, start: &SignInStart) -> String {
    let has_choice = dialect.knows_select_account() || metadata.knows_prompt("select_account") == Some(true);
    let has_login = metadata.knows_prompt("login").unwrap_or_else(|| dialect.knows_login());
    let answer = match (start.sign_in_anew, start.choose_account) {
        (true, _) if has_login => Some("login"),
        (true, _) | (_, true) if has_choice => Some("select_account"),
        (_, true) if has_login => Some("login"),
        _ => None,
    };
    let consent = settings.ask_consent.then_some("consent");
    answer.into_iter().chain(consent).collect::<Vec<_>>().join(" ")
}

/// The S256 challenge (RFC 7636 §4.2).
pub(in crate::idp) fn challenge(verifier: &Secret) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, verifier.expose().as_bytes());
    URL_SAFE_NO_PAD.encode(digest)
}

/// Whose answer it is, before the code goes anywhere: a code of one provider must not be sent to another (RFC 9207 §2.4).
pub(super) fn check_answer(metadata: &Metadata, dialect: &dyn Dialect, iss: Option<&str>) -> Result<(), IdpError> {
    match iss {
        Some(iss) if dialect.answers_as(&metadata.issuer, iss) => Ok(()),
        Some(_) => Err(IdpError::Untrustworthy("the answer comes from another issuer".into())),
        None if metadata.promises_iss => Err(IdpError::Untrustworthy("the answer lacks iss".into())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636, appendix B.
    #[test]
    fn the_challenge_is_the_one_of_the_specification() {
        let verifier = Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(challenge(&verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
