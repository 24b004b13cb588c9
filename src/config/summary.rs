//! What a configuration means, in words: the output of `check`.

use std::fmt;

use super::{Config, IssuerConfig};
use crate::authz::Policy;
use crate::authz::policy::Principals;

impl fmt::Display for Config {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "decisions on {}, admin on {}", self.server.listen, self.server.admin_listen)?;
        let networks: Vec<String> = self.server.trusted_proxies.iter().map(ToString::to_string).collect();
        let secret = if self.server.proxy_secret.is_some() { ", with the shared secret" } else { "" };
        writeln!(formatter, "asked by proxies in {}{secret}", networks.join(", "))?;
        self.issuers.iter().try_for_each(|issuer| describe_issuer(formatter, issuer))?;
        self.policies.iter().try_for_each(|policy| describe_policy(formatter, policy))?;
        self.warnings.iter().try_for_each(|warning| writeln!(formatter, "warning: {warning}"))
    }
}

fn describe_issuer(formatter: &mut fmt::Formatter<'_>, issuer: &IssuerConfig) -> fmt::Result {
    let keys = issuer.jwks_uri.as_ref().map_or_else(|| "discovered keys".to_owned(), |url| format!("keys from {url}"));
    writeln!(formatter, "issuer {}: {keys}", issuer.issuer)
}

fn describe_policy(formatter: &mut fmt::Formatter<'_>, policy: &Policy) -> fmt::Result {
    let mode = if policy.audit_only() { " (audit)" } else { "" };
    writeln!(formatter, "resource {}{mode}", policy.resource)?;
    for path in &policy.also_paths {
        writeln!(formatter, "  also {}", if path.as_str().is_empty() { "the whole host" } else { path.as_str() })?;
    }
    let issuers: Vec<&str> = policy.issuers.iter().map(|accepted| accepted.issuer.as_str()).collect();
    writeln!(formatter, "  tokens of {}", issuers.join(", "))?;
    writeln!(formatter, "  callers: {}", callers(&policy.principals))?;
    if !policy.scopes_in_challenge.is_empty() {
        writeln!(formatter, "  scopes: {}", policy.scopes_in_challenge)?;
    }
    if !policy.allowed_origins.is_empty() {
        writeln!(formatter, "  origins: {}", policy.allowed_origins.join(", "))?;
    }
    Ok(())
}

fn callers(principals: &Principals) -> String {
    if principals.anyone {
        return "everybody with a token of these issuers".into();
    }
    let emails: Vec<String> = principals.emails.iter().map(ToString::to_string).collect();
    let lists = [
        ("e-mail", &emails),
        ("group", &principals.groups),
        ("user", &principals.users),
        ("subject", &principals.subjects),
        ("client", &principals.clients),
    ];
    let named = lists.iter().filter(|(_, items)| !items.is_empty());
    named.map(|(kind, items)| format!("{kind} {}", items.join(", "))).collect::<Vec<_>>().join("; ")
}
