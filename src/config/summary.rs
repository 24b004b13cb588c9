//! What a configuration means, in words: the output of `check`.

use std::fmt;

use super::{Config, IssuerConfig};
use crate::api_keys::in_words;
use crate::authz::policy::{Mode, Principals};
use crate::authz::{AssertionAudience, Condition, OperationRule, Policy};
use crate::domain::{Glob, Scope};

impl fmt::Display for Config {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "decisions on {}, admin on {}", self.server.listen, self.server.admin_listen)?;
        let networks: Vec<String> = self.server.trusted_proxies.iter().map(ToString::to_string).collect();
        let secret = if self.server.proxy_secret.is_some() { ", with the shared secret" } else { "" };
        writeln!(formatter, "asked by proxies in {}{secret}", networks.join(", "))?;
        if let Some(url) = &self.server.metadata_url {
            writeln!(formatter, "documents at {url}")?;
        }
        let also = self.server.also_decide_at.iter();
        also.map(String::as_str).try_for_each(|path| writeln!(formatter, "also asked at {path}"))?;
        self.issuers.iter().try_for_each(|issuer| describe_issuer(formatter, issuer))?;
        if let Some(own) = &self.authorization_server {
            let labels: Vec<&str> = own.providers.iter().map(|provider| provider.label.as_str()).collect();
            writeln!(formatter, "people sign in at {}", labels.join(", "))?;
            let issuers = own.assertion_issuers.iter();
            issuers
                .map(|known| &known.issuer)
                .try_for_each(|issuer| writeln!(formatter, "assertions about people from {issuer}"))?;
        }
        if let Some(keys) = self.api_keys {
            let longest =
                keys.max_lifetime.map_or_else(|| "without end".to_owned(), |time| format!("for {}", in_words(time)));
            writeln!(formatter, "API keys may live {longest}")?;
        }
        if let Some(url) = &self.store_url {
            writeln!(formatter, "state in {url}")?;
        }
        self.policies.iter().try_for_each(|policy| describe_policy(formatter, policy))?;
        self.warnings.iter().try_for_each(|warning| writeln!(formatter, "warning: {warning}"))
    }
}

fn describe_issuer(formatter: &mut fmt::Formatter<'_>, issuer: &IssuerConfig) -> fmt::Result {
    if issuer.is_own {
        return writeln!(formatter, "issuer {}: our own authorization server", issuer.issuer);
    }
    let keys = issuer.jwks_uri.as_ref().map_or_else(|| "discovered keys".to_owned(), |url| format!("keys from {url}"));
    let keys = if issuer.algorithms.is_empty() { "no JWTs" } else { &keys };
    writeln!(formatter, "issuer {}: {keys}", issuer.issuer)?;
    let Some(asked) = &issuer.introspection else { return Ok(()) };
    let seconds = asked.remembered_for.as_secs();
    let vouches = if asked.vouches_for_audience { ", which vouches for their audience" } else { "" };
    writeln!(formatter, "  opaque tokens: asked at {}, believed for {seconds} s{vouches}", asked.endpoint)
}

fn describe_policy(formatter: &mut fmt::Formatter<'_>, policy: &Policy) -> fmt::Result {
    let mode = if policy.audit_only() { " (audit)" } else { "" };
    writeln!(formatter, "resource {}{mode}", policy.resource)?;
    for path in &policy.also_paths {
        writeln!(formatter, "  also {}", if path.as_str().is_empty() { "the whole host" } else { path.as_str() })?;
    }
    let bound = if policy.dpop_required { ", only if bound to a key" } else { "" };
    for accepted in &policy.issuers {
        let audiences = [&["this URL".to_owned()][..], &accepted.audiences].concat().join(" or ");
        writeln!(formatter, "  tokens of {} for {audiences}{bound}", accepted.issuer)?;
    }
    writeln!(formatter, "  callers: {}", callers(&policy.principals))?;
    if policy.allow_api_keys {
        writeln!(formatter, "  and holders of API keys for it")?;
    }
    for required in &policy.required_scopes {
        let satisfied_by: Vec<&str> = required.satisfied_by.iter().map(Scope::as_str).collect();
        writeln!(formatter, "  scope {}", satisfied_by.join(" or "))?;
    }
    for condition in policy.condition.iter().chain(&policy.operations.condition) {
        writeln!(formatter, "  {}", on_one_line(condition))?;
    }
    for rule in &policy.operations.rules {
        writeln!(formatter, "  {}", describe_rule(rule))?;
    }
    match &policy.assertion {
        None => {}
        Some(AssertionAudience::Resource) => writeln!(formatter, "  identity assertions for this URL")?,
        Some(AssertionAudience::Named(name)) => writeln!(formatter, "  identity assertions for {name}")?,
    }
    if policy.asks_for_other_names {
        writeln!(formatter, "  clients ask for: {}", policy.scopes_in_challenge)?;
    }
    if !policy.allowed_origins.is_empty() {
        writeln!(formatter, "  origins: {}", policy.allowed_origins.join(", "))?;
    }
    Ok(())
}

/// `tools/call delete_*: group ops; scope mcp:admin`.
fn describe_rule(rule: &OperationRule) -> String {
    let listed = |globs: &[Glob]| globs.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let names = if rule.names.is_empty() { String::new() } else { format!(" {}", listed(&rule.names)) };
    let except =
        if rule.except_names.is_empty() { String::new() } else { format!(" except {}", listed(&rule.except_names)) };
    let mut demands: Vec<String> = rule.principals.iter().map(callers).collect();
    demands.extend(rule.required_scopes.iter().map(|required| {
        let satisfied_by: Vec<&str> = required.satisfied_by.iter().map(Scope::as_str).collect();
        format!("scope {}", satisfied_by.join(" or "))
    }));
    demands.extend(rule.condition.iter().map(on_one_line));
    let demands = if rule.deny { "nobody".to_owned() } else { demands.join("; and ") };
    let mode = if rule.mode == Mode::Audit { " (audit)" } else { "" };
    format!("{}{names}{except}: {demands}{mode}", listed(&rule.methods))
}

/// As it is written, comments and all, but for its line breaks.
fn on_one_line(condition: &Condition) -> String {
    let lines: Vec<&str> = condition.source().lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    format!("condition {}", lines.join(" "))
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
