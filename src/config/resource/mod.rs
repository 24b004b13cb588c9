//! `[[resources]]`.

mod issuers;
mod principals;

use super::browser_sign_in;
use super::condition;
use super::file::{Strings, WrittenResource};
use super::issuer::Issuers;
use super::scopes::{self, Implied};
use super::{ConfigError, ConfigErrors, identity_assertion, tool_rule};
use crate::authz::policy::Mode;
use crate::authz::{Condition, OperationPolicy, Policy};
use crate::domain::resource::PathPrefix;
use crate::domain::{EmailPattern, ResourceUri, Scheme, ScopeSet};

pub(super) fn read_all(
    written: &[WrittenResource],
    issuers: &Issuers,
    implied: &Implied,
    errors: &mut ConfigErrors,
    warnings: &mut Vec<String>,
) -> Vec<Policy> {
    if written.is_empty() {
        let fix = "add [[resources]] with url = \"https://mcp.example.com/mcp\"";
        errors.add(ConfigError::new("resources", None, "at least one resource is needed", fix));
    }
    let mut policies: Vec<Policy> = Vec::new();
    for (index, written) in written.iter().enumerate() {
        let reader = Reader { index, written, issuers, implied };
        let Some(policy) = reader.read(errors) else { continue };
        if let Some((place, owner)) = policies.iter().find_map(|known| shared_path(known, &policy)) {
            let rule = format!("{owner} has this path as well, case and trailing slash aside");
            let also = place.checked_sub(1).and_then(|place| written.also_paths.0.get(place));
            let (key, value) = also.map_or(("url", &written.url), |path| ("also_paths", path));
            errors.add(reader.error(key, Some(value), rule, "keep one of the two"));
        }
        if policy.audit_only() {
            warnings.push(format!("{} is in audit mode: everything is let through and recorded", policy.resource));
        }
        policies.push(policy);
    }
    browser_sign_in::mark_neighbours(&mut policies);
    identity_assertion::warn_of_shared_audiences(&policies, warnings);
    policies
}

/// A path that both own: which of their rules counts would depend on their order. Tells its place among the paths of
/// `new`, and the owner.
fn shared_path<'k>(known: &'k Policy, new: &Policy) -> Option<(usize, &'k ResourceUri)> {
    let (left, right) = (&known.resource, &new.resource);
    if (left.scheme(), left.host(), left.port()) != (right.scheme(), right.host(), right.port()) {
        return None;
    }
    let taken = owned_paths(known);
    let is_taken = |path: &PathPrefix| taken.iter().any(|other| other.as_str().eq_ignore_ascii_case(path.as_str()));
    Some((owned_paths(new).iter().position(is_taken)?, left))
}

/// Its own path, then the further ones.
fn owned_paths(policy: &Policy) -> Vec<PathPrefix> {
    std::iter::once(PathPrefix::from(&policy.resource)).chain(policy.also_paths.iter().cloned()).collect()
}

/// One entry of an allowlist under `key`.
pub(super) fn read_email(key: &str, text: &str) -> Result<EmailPattern, ConfigError> {
    EmailPattern::parse(text).ok_or_else(|| {
        let rule = "it is neither an e-mail address nor *@domain";
        ConfigError::new(key, Some(text), rule, "write it like \"alice@example.com\" or \"*@corp.example\"")
    })
}

/// `mode` under `key`.
pub(super) fn read_mode(key: &str, written: Option<&str>) -> Result<Mode, ConfigError> {
    match written {
        None | Some("enforce") => Ok(Mode::Enforce),
        Some("audit") => Ok(Mode::Audit),
        Some(other) => {
            let fix = "write \"audit\" to record refusals without enforcing them, or leave it out";
            Err(ConfigError::new(key, Some(other), "it must be \"enforce\" or \"audit\"", fix))
        }
    }
}

struct Reader<'c> {
    index: usize,
    written: &'c WrittenResource,
    issuers: &'c Issuers,
    implied: &'c Implied,
}

impl Reader<'_> {
    fn error(&self, name: &str, value: Option<&str>, rule: impl Into<String>, fix: impl Into<String>) -> ConfigError {
        ConfigError::new(format!("resources[{}].{name}", self.index), value, rule, fix)
    }

    fn read(&self, errors: &mut ConfigErrors) -> Option<Policy> {
        let resource = errors.keep(self.resource());
        let also_paths = errors.keep(self.also_paths());
        let accepted = self.accepted_issuers().and_then(|accepted| self.refuse_too_many_asked(accepted));
        let accepted = errors.keep(accepted);
        let principals = errors.keep(self.principals());
        let required: Option<Vec<_>> = errors.keep(self.required_scopes());
        let mode = errors.keep(self.mode());
        let origins = errors.keep(self.origins());
        let challenge = errors.keep(self.challenge_scopes());
        let key = format!("resources[{}].browser_sign_in", self.index);
        let sessions = errors.keep(browser_sign_in::read(&key, self.written, self.issuers, accepted.as_ref()));
        let dpop_required = errors.keep(self.dpop_required());
        let condition = errors.keep(self.condition());
        let (about_operations, condition) = condition::split(condition.flatten());
        let operations = errors.keep(self.operations(about_operations));
        let assertion = identity_assertion::read(self.index, self.written, self.issuers, errors);
        let (accepted, principals, required) = (accepted?, principals?, required?);
        errors.keep(self.refuse_open_door(&accepted, &principals))?;
        let required_names = || required.iter().map(|required| required.scope.clone()).collect();
        Some(Policy {
            resource: resource?,
            name: self.written.name.clone(),
            also_paths: also_paths?,
            issuers: accepted,
            principals,
            allow_api_keys: self.written.allow_api_keys,
            scopes_in_challenge: challenge?.unwrap_or_else(required_names),
            asks_for_other_names: self.written.challenge_scopes.is_some(),
            operations: operations?,
            required_scopes: required,
            allowed_origins: origins?,
            condition,
            mode: mode?,
            sessions: sessions?,
            dpop_required: dpop_required?,
            assertion,
        })
    }

    fn resource(&self) -> Result<ResourceUri, ConfigError> {
        let text = &self.written.url;
        let resource = ResourceUri::parse(text).map_err(|error| {
            self.error("url", Some(text), error.to_string(), "write it like \"https://mcp.example.com/mcp\"")
        })?;
        let loopback = url::Url::parse(text).is_ok_and(|url| crate::domain::issuer::is_loopback(&url));
        if resource.scheme() == Scheme::Http && !loopback && !self.written.insecure_http {
            let rule = "tokens would cross the network in clear text";
            return Err(self.error(
                "url",
                Some(text),
                rule,
                "use https, or set insecure_http = true for this resource",
            ));
        }
        Ok(resource)
    }

    fn also_paths(&self) -> Result<Vec<PathPrefix>, ConfigError> {
        let read = |text: &String| {
            PathPrefix::parse(text).map_err(|_| {
                let rule = "it must be a plain path that starts with a slash";
                self.error("also_paths", Some(text), rule, "write it like \"/messages\"")
            })
        };
        self.written.also_paths.0.iter().map(read).collect()
    }

    fn required_scopes(&self) -> Result<Vec<crate::authz::policy::RequiredScope>, ConfigError> {
        let key = format!("resources[{}].required_scopes", self.index);
        let read = |text: &String| scopes::read(&key, text).map(|scope| self.implied.requirement(scope));
        self.written.required_scopes.0.iter().map(read).collect()
    }

    /// What clients must ask for, where that differs from what their tokens then hold (Entra: `api://…/mcp.read`).
    fn challenge_scopes(&self) -> Result<Option<ScopeSet>, ConfigError> {
        let key = format!("resources[{}].challenge_scopes", self.index);
        let read = |Strings(names): &Strings| names.iter().map(|text| scopes::read(&key, text)).collect();
        self.written.challenge_scopes.as_ref().map(read).transpose()
    }

    fn mode(&self) -> Result<Mode, ConfigError> {
        read_mode(&format!("resources[{}].mode", self.index), self.written.mode.as_deref())
    }

    /// A session is not bound to a key, so nobody could ever sign in with a browser.
    fn dpop_required(&self) -> Result<bool, ConfigError> {
        if self.written.dpop_required && self.written.browser_sign_in {
            let key = format!("resources[{}].dpop_required", self.index);
            let rule = "browsers that sign in have no key to prove";
            return Err(ConfigError::unquoted(key, true, rule, "remove it or browser_sign_in"));
        }
        Ok(self.written.dpop_required)
    }

    fn condition(&self) -> Result<Option<Condition>, ConfigError> {
        condition::read(&format!("resources[{}].condition", self.index), self.written.condition.as_deref())
    }

    fn operations(&self, condition: Option<Condition>) -> Result<OperationPolicy, ConfigError> {
        let prefix = format!("resources[{}]", self.index);
        let rules_nothing = self.written.tool_rules.is_empty() && condition.is_none();
        if self.written.upstream_enforces_mcp_headers && rules_nothing {
            let key = format!("{prefix}.upstream_enforces_mcp_headers");
            return Err(ConfigError::unquoted(
                key,
                true,
                "there are no tool_rules that would look at headers",
                "remove it",
            ));
        }
        let rules = self.written.tool_rules.iter().enumerate();
        let read = |(index, written)| tool_rule::read(&format!("{prefix}.tool_rules[{index}]"), written, self.implied);
        let policy = OperationPolicy {
            rules: rules.map(read).collect::<Result<_, _>>()?,
            condition,
            upstream_enforces_headers: self.written.upstream_enforces_mcp_headers,
        };
        condition::refuse_blind_params(&prefix, &policy)?;
        Ok(policy)
    }

    /// An origin as browsers send it: scheme and authority, nothing after (RFC 6454 §6.2).
    fn origins(&self) -> Result<Vec<String>, ConfigError> {
        let sound = |text: &str| url::Url::parse(text).is_ok_and(|url| url.origin().ascii_serialization() == text);
        match self.written.allowed_origins.0.iter().find(|text| !sound(text)) {
            None => Ok(self.written.allowed_origins.0.clone()),
            Some(text) => {
                let rule = "it is no origin as browsers send it: scheme, host and port in lower case, nothing after";
                Err(self.error("allowed_origins", Some(text), rule, "write it like \"https://app.example.com\""))
            }
        }
    }
}
