//! `browser_sign_in` of `[[resources]]`: what it needs besides, and what it means for the other resources of the host.

use super::file::WrittenResource;
use super::issuer::Issuers;
use super::{AuthorizationServerConfig, ConfigError, ConfigErrors};
use crate::authz::policy::AcceptedIssuer;
use crate::authz::{BrowserSessions, Policy};
use crate::domain::ResourceUri;
use crate::domain::resource::HostPattern;
use crate::oauth::BROWSER;

/// Whether people sign in to this resource with a browser. It needs an authorization server of ours whose tokens the
/// resource accepts, and a host that browsers keep secrets for.
pub(super) fn read(
    key: &str,
    written: &WrittenResource,
    issuers: &Issuers,
    accepted: Option<&Vec<AcceptedIssuer>>,
) -> Result<BrowserSessions, ConfigError> {
    if !written.browser_sign_in {
        return Ok(BrowserSessions::None);
    }
    let refuse = |rule: &str, fix: &str| Err(ConfigError::unquoted(key, true, rule, fix));
    let Some(own) = issuers.read.iter().find(|issuer| issuer.is_own) else {
        return refuse("people sign in at our own authorization server", "add [authorization_server]");
    };
    if accepted.is_some_and(|accepted| accepted.iter().all(|accepted| accepted.issuer != own.issuer)) {
        return refuse("the resource does not accept tokens of our own issuer", "add it to issuers of the resource");
    }
    if written.insecure_http {
        return refuse("browsers keep sessions for https only", "use https");
    }
    Ok(BrowserSessions::Here)
}

/// Cookies know hosts, not paths: they come along to every other resource there.
pub(super) fn mark_neighbours(policies: &mut [Policy]) {
    let with: Vec<ResourceUri> =
        policies.iter().filter(|policy| policy.sessions == BrowserSessions::Here).map(|p| p.resource.clone()).collect();
    for policy in policies.iter_mut().filter(|policy| policy.sessions == BrowserSessions::None) {
        if with.iter().any(|other| may_share_host(other, &policy.resource)) {
            policy.sessions = BrowserSessions::Beside;
        }
    }
}

/// Ports and schemes do not part cookies from each other (RFC 6265 §8.5).
fn may_share_host(one: &ResourceUri, other: &ResourceUri) -> bool {
    match (one.host(), other.host()) {
        (HostPattern::Exact(one), HostPattern::Exact(other))
        | (HostPattern::OneLabel(one), HostPattern::OneLabel(other)) => one == other,
        (HostPattern::Exact(exact), pattern @ HostPattern::OneLabel(_))
        | (pattern @ HostPattern::OneLabel(_), HostPattern::Exact(exact)) => pattern.covers(exact),
    }
}

/// A configured client of that name could not be told from browsers in rules and logs.
pub(super) fn refuse_taken_name(
    policies: &[Policy],
    own: Option<&AuthorizationServerConfig>,
    errors: &mut ConfigErrors,
) {
    let used = policies.iter().any(|policy| policy.sessions == BrowserSessions::Here);
    let taken = own.and_then(|own| own.clients.iter().position(|client| client.id == BROWSER));
    if let Some(index) = taken.filter(|_| used) {
        let key = format!("authorization_server.clients[{index}].client_id");
        let rule = "browsers that sign in to a resource have this name";
        errors.add(ConfigError::new(key, Some(BROWSER), rule, "choose another one"));
    }
}

/// Scripts of the server's pages could then press the buttons of ours, consent among them: they are of one origin.
pub(super) fn warn_of_shared_host(
    policies: &[Policy],
    own: Option<&AuthorizationServerConfig>,
    warnings: &mut Vec<String>,
) {
    let Some(issuer) = own.and_then(|own| ResourceUri::parse(own.issuer.as_str()).ok()) else { return };
    let shared = policies.iter().filter(|policy| policy.sessions == BrowserSessions::Here);
    for policy in shared.filter(|policy| may_share_host(&policy.resource, &issuer)) {
        warnings.push(format!(
            "{} has browser_sign_in and stands on the issuer's host: scripts of its pages can do there what the person \
             can; give the issuer a host of its own",
            policy.resource
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn pages_on_the_issuers_host_are_warned_of() {
        let warnings = |host: &str| {
            let text = format!(
                "[[resources]]\nurl = \"http://{host}:8080/mcp\"\nbrowser_sign_in = true\n\
                 [authorization_server]\nissuer = \"http://auth.localhost:9090\"\n\
                 [authorization_server.identity_provider]\nkind = \"development\"\n[store]\nurl = \"memory:\"\n"
            );
            Config::from_toml(&text).unwrap().warnings
        };
        assert_eq!(warnings("notes.localhost"), Vec::<String>::new());
        assert!(warnings("auth.localhost")[0].contains("give the issuer a host of its own"));
    }

    #[test]
    fn hosts_are_shared_whatever_the_port_and_through_a_wildcard() {
        for (one, other, shared) in [
            ("https://a.example/x", "https://a.example/y", true),
            ("https://a.example/x", "https://a.example:8443/y", true),
            ("https://a.b.example/x", "https://*.b.example/y", true),
            ("https://*.b.example/x", "https://*.b.example/y", true),
            ("https://a.example/x", "https://b.example/x", false),
            ("https://a.c.example/x", "https://*.b.example/y", false),
        ] {
            let [one, other] = [one, other].map(|text| ResourceUri::parse(text).unwrap());
            assert_eq!(may_share_host(&one, &other), shared, "{one} {other}");
            assert_eq!(may_share_host(&other, &one), shared, "{other} {one}");
        }
    }
}
