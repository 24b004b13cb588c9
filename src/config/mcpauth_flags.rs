//! McpAuth's command line, as Go's `flag` package reads it: `-port 11000`, `-port=11000`, `--port=11000`, `-devMode`.

use super::{ConfigError, ConfigErrors};

/// Every flag of McpAuth, old and new. No flag of ours has such a name.
const FLAGS: [&str; 23] = [
    "port",
    "path",
    "protectedPath",
    "oauthDomain",
    "devMode",
    "allowedEmails",
    "logLevel",
    "allowedScopes",
    "requiredScopes",
    "provider",
    "clientID",
    "clientSecret",
    "googleClientID",
    "googleClientSecret",
    "keycloakAuthHost",
    "keycloakAuthPort",
    "keycloakAuthProtocol",
    "keycloakRealm",
    "dataDir",
    "useInternalAuth",
    "adminUsername",
    "adminEmail",
    "adminPassword",
];
/// These take no value unless it is joined with `=`.
const BOOLEANS: [&str; 2] = ["devMode", "useInternalAuth"];

/// Whether `arguments` (without the program's name) are McpAuth's: one flag of its is enough.
pub fn are_mcpauths(arguments: &[String]) -> bool {
    arguments.iter().filter_map(|argument| flag(argument)).any(|(name, _)| FLAGS.contains(&name))
}

/// The flags with their values, in order.
pub(super) fn read(arguments: &[String]) -> Result<Vec<(String, String)>, ConfigErrors> {
    let mut flags = Vec::new();
    let mut errors = ConfigErrors::default();
    let mut arguments = arguments.iter().peekable();
    while let Some(argument) = arguments.next() {
        let Some((name, joined)) = flag(argument).filter(|(name, _)| FLAGS.contains(name)) else {
            errors.add(foreign(argument));
            // Its value is no mistake of its own, and may be a secret.
            if flag(argument).is_some_and(|(_, joined)| joined.is_none()) {
                let _ = arguments.next_if(|next| !next.starts_with('-'));
            }
            continue;
        };
        let value = match joined {
            Some(value) => Some(value.to_owned()),
            None if BOOLEANS.contains(&name) => Some("true".to_owned()),
            None => arguments.next().cloned(),
        };
        match value {
            Some(value) => flags.push((name.to_owned(), value)),
            None => errors.add(ConfigError::new(argument, None, "it needs a value", format!("write -{name}=VALUE"))),
        }
    }
    if errors.is_empty() { Ok(flags) } else { Err(errors) }
}

/// One or two dashes, then the name, then perhaps `=value`.
fn flag(argument: &str) -> Option<(&str, Option<&str>)> {
    let text = argument.strip_prefix("--").or_else(|| argument.strip_prefix('-'))?;
    Some(text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value))))
}

/// Without what follows `=`: it may be a secret.
fn foreign(argument: &str) -> ConfigError {
    let name = argument.split('=').next().unwrap_or_default();
    let rule = "it is no flag of McpAuth, whose flags stand on the same command line";
    ConfigError::new(name, None, rule, "correct it, or use only the flags that --help lists")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(line: &str) -> Vec<String> {
        line.split(' ').map(ToOwned::to_owned).collect()
    }

    #[test]
    fn flags_are_read_as_go_reads_them() {
        let read = |line: &str| read(&arguments(line)).unwrap();
        let port = [("port".to_owned(), "11000".to_owned())];
        for line in ["-port 11000", "-port=11000", "--port 11000", "--port=11000"] {
            assert_eq!(read(line), port, "{line}");
        }
        assert_eq!(read("-devMode -clientID=a=b"), [("devMode", "true"), ("clientID", "a=b")].map(owned));
        assert_eq!(read("-devMode=false"), [("devMode", "false")].map(owned));
    }

    fn owned((name, value): (&str, &str)) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn our_own_command_line_is_left_alone() {
        for line in ["--config a.toml", "--set server.listen=1", "check --config port", "-h", "healthcheck"] {
            assert!(!are_mcpauths(&arguments(line)), "{line}");
        }
        assert!(are_mcpauths(&arguments("--config a.toml -port=1")));
    }
}
