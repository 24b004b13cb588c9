//! The shapes as written. Unknown keys are errors: a misspelt rule must not silently allow.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

use super::api_keys::WrittenApiKeys;
use super::authorization_server::WrittenAuthorizationServer;
use super::store::WrittenStore;
use super::{ConfigError, ConfigErrors};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Written {
    pub(super) server: WrittenServer,
    pub(super) log: WrittenLog,
    pub(super) tokens: WrittenTokens,
    pub(super) keys: WrittenKeys,
    pub(super) issuers: Vec<WrittenIssuer>,
    pub(super) resources: Vec<WrittenResource>,
    pub(super) scopes: WrittenScopes,
    pub(super) authorization_server: Option<WrittenAuthorizationServer>,
    pub(super) store: Option<WrittenStore>,
    pub(super) api_keys: Option<WrittenApiKeys>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WrittenServer {
    pub(super) listen: Option<String>,
    pub(super) admin_listen: Option<String>,
    pub(super) trusted_proxies: Option<Strings>,
    pub(super) proxy_secret: Option<String>,
    pub(super) proxy_secret_file: Option<String>,
    pub(super) metadata_url: Option<String>,
    pub(super) client_certificate_header: Option<String>,
    pub(super) also_decide_at: Strings,
    pub(super) contracts: Option<Strings>,
    pub(super) max_body_bytes: Option<usize>,
    pub(super) body_timeout: Option<String>,
    pub(super) workers: Option<usize>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WrittenLog {
    pub(super) level: Option<String>,
    pub(super) format: Option<String>,
    pub(super) allows: Option<f64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WrittenTokens {
    pub(super) leeway: Option<String>,
    pub(super) cache_bytes: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WrittenKeys {
    pub(super) refresh_interval: Option<String>,
    pub(super) refresh_cooldown: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WrittenIssuer {
    pub(super) issuer: String,
    pub(super) jwks_uri: Option<String>,
    pub(super) audiences: Strings,
    pub(super) algorithms: Option<Strings>,
    pub(super) groups_claims: Strings,
    pub(super) assume_email_verified: bool,
    pub(super) open_to_the_world: Option<bool>,
    pub(super) introspection_endpoint: Option<String>,
    pub(super) introspection_client_id: Option<String>,
    pub(super) introspection_client_secret: Option<String>,
    pub(super) introspection_client_secret_file: Option<String>,
    pub(super) introspection_cache: Option<String>,
    pub(super) introspection_vouches_for_audience: bool,
}

#[expect(clippy::struct_excessive_bools, reason = "each is a key of its own, as it is written")]
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WrittenResource {
    pub(super) url: String,
    pub(super) name: Option<String>,
    pub(super) also_paths: Strings,
    pub(super) issuers: Option<Strings>,
    pub(super) audiences: Option<Strings>,
    pub(super) required_scopes: Strings,
    pub(super) challenge_scopes: Option<Strings>,
    pub(super) allowed_emails: Option<Strings>,
    pub(super) allowed_groups: Option<Strings>,
    pub(super) allowed_users: Option<Strings>,
    pub(super) allowed_subjects: Option<Strings>,
    pub(super) allowed_clients: Option<Strings>,
    pub(super) allow_any_authenticated: bool,
    pub(super) allowed_origins: Strings,
    pub(super) insecure_http: bool,
    pub(super) mode: Option<String>,
    pub(super) tool_rules: Vec<WrittenToolRule>,
    pub(super) condition: Option<String>,
    pub(super) upstream_enforces_mcp_headers: bool,
    pub(super) browser_sign_in: bool,
    pub(super) dpop_required: bool,
    pub(super) allow_api_keys: bool,
    pub(super) identity_assertion: bool,
    pub(super) identity_assertion_audience: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WrittenToolRule {
    pub(super) methods: Option<Strings>,
    pub(super) names: Option<Strings>,
    pub(super) except_names: Strings,
    pub(super) deny: bool,
    pub(super) required_scopes: Strings,
    pub(super) allowed_emails: Option<Strings>,
    pub(super) allowed_groups: Option<Strings>,
    pub(super) allowed_users: Option<Strings>,
    pub(super) allowed_subjects: Option<Strings>,
    pub(super) allowed_clients: Option<Strings>,
    pub(super) condition: Option<String>,
    pub(super) mode: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WrittenScopes {
    pub(super) implies: BTreeMap<String, Strings>,
}

/// A list, or the same separated by commas as an environment variable holds it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Strings(pub(super) Vec<String>);

impl<'de> Deserialize<'de> for Strings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Strings;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a list of strings")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Strings, E> {
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
                Ok(Strings(items.map(ToOwned::to_owned).collect()))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<Strings, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = items.next_element()? {
                    texts.push(text);
                }
                Ok(Strings(texts))
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

/// Table → shapes; a key that does not fit is named with its value.
pub(super) fn read(written: &toml::Table) -> Result<Written, ConfigErrors> {
    serde_path_to_error::deserialize(toml::Value::Table(written.clone())).map_err(|error| {
        let key = key_of(error.path());
        let reason = error.inner().message().to_owned();
        shape_error(&key, value_at(written, error.path()), &reason).into()
    })
}

fn shape_error(key: &str, value: Option<&toml::Value>, reason: &str) -> ConfigError {
    // What stands under an unknown key may be a secret that was misspelt; the value is not the mistake.
    if let Some((unknown, known)) = unknown_field(reason) {
        return ConfigError::new(key, None, "there is no such key", nearest(unknown, &known));
    }
    let (rule, fix) = expected_form(key, reason);
    match value {
        Some(_) if key.contains("secret") || key.contains("encryption_key") => ConfigError::secret(key, rule, fix),
        Some(toml::Value::String(text)) => ConfigError::new(key, Some(text), rule, fix),
        Some(value) if !value.is_array() && !value.is_table() => ConfigError::unquoted(key, value, rule, fix),
        _ => ConfigError::new(key, None, rule, fix),
    }
}

fn nearest(unknown: &str, known: &[&str]) -> String {
    let likeness = |name: &str| strsim::jaro_winkler(unknown, name);
    match known.iter().max_by(|left, right| likeness(left).total_cmp(&likeness(right))) {
        Some(name) if likeness(name) > 0.8 => format!("did you mean {name}?"),
        Some(name) if known.len() == 1 => format!("the only key here is {name}"),
        _ => format!("the keys here are {}", known.join(", ")),
    }
}

const TIMES: [&str; 5] =
    ["tokens.leeway", "server.body_timeout", "keys.refresh_interval", "keys.refresh_cooldown", "api_keys.max_lifetime"];

/// Rule and fix for a value of the wrong type, from serde's "invalid type: string \"x\", expected a boolean".
fn expected_form(key: &str, reason: &str) -> (&'static str, String) {
    let expected = reason.rsplit_once("expected ").map_or("", |(_, expected)| expected);
    match expected {
        "a boolean" => ("it must be true or false", "write it without quotes".into()),
        "usize" | "u64" => ("it must be a whole number, 0 or more", "write it like 4, without quotes".into()),
        "f64" => ("it must be a number", "write it like 0.5, without quotes".into()),
        "a string" if TIMES.contains(&key) => {
            ("it must be a time in quotes", "write it with its unit, like \"30s\"".into())
        }
        "a string" => ("it must be text", "write it in quotes".into()),
        "a list of strings" => ("it must be a list of texts", "write it like [\"one\", \"two\"]".into()),
        "a sequence" => ("it must be a list of tables", format!("write [[{key}]] above the keys of each")),
        _ => ("it must be a table", format!("write [{key}] above its keys")),
    }
}

/// Serde's own wording: "unknown field `x`, expected one of `a`, `b`".
fn unknown_field(reason: &str) -> Option<(&str, Vec<&str>)> {
    let mut quoted = reason.strip_prefix("unknown field ")?.split('`').skip(1).step_by(2);
    Some((quoted.next()?, quoted.collect()))
}

fn key_of(path: &serde_path_to_error::Path) -> String {
    let text = path.to_string();
    if text == "." { "the configuration".to_owned() } else { text }
}

fn value_at<'t>(written: &'t toml::Table, path: &serde_path_to_error::Path) -> Option<&'t toml::Value> {
    use serde_path_to_error::Segment;
    let mut place = None;
    for segment in path {
        place = match (segment, place) {
            (Segment::Map { key }, None) => written.get(key),
            (Segment::Map { key }, Some(table)) => toml::Value::get(table, key.as_str()),
            (Segment::Seq { index }, Some(list)) => list.get(*index),
            (Segment::Seq { .. }, None) | (Segment::Enum { .. } | Segment::Unknown, _) => None,
        };
        place?;
    }
    place
}
