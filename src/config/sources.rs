//! File, environment and flags, later ones over earlier ones, gathered into one table.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::{ConfigError, ConfigErrors, environment, mcpauth};

/// What the command line says about the configuration.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// `--config`.
    pub file: Option<PathBuf>,
    /// Keys set by flags, as dotted paths.
    pub set: Vec<(String, String)>,
    /// The command line, when it is written in McpAuth's flags.
    pub mcpauth: Vec<String>,
}

/// Everything that was written.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// As one table.
    pub(super) written: Table,
    /// What the operator should know about how it was read.
    pub(super) warnings: Vec<String>,
}

/// Gathers file or McpAuth's names, then the environment, then the flags. There must be something.
pub(super) fn gather(overrides: &Overrides, variables: &[(String, String)]) -> Result<Gathered, ConfigErrors> {
    let gathered = gather_any(overrides, variables)?;
    if gathered.written.is_empty() {
        return Err(ConfigError::new(
            "the configuration",
            None,
            "nothing is configured",
            "give --config FILE, or --resource URL and --issuer URL, or the environment variables of the same meaning",
        )
        .into());
    }
    Ok(gathered)
}

/// The same, which may be nothing.
pub(super) fn gather_any(overrides: &Overrides, variables: &[(String, String)]) -> Result<Gathered, ConfigErrors> {
    let mut gathered = foundation(overrides, variables)?;
    let mut named: Vec<(&str, Vec<String>, &str)> = variables
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), segments_of_variable(name)?, value.as_str())))
        .collect();
    // Lists are filled in order: 2 comes before 10.
    named.sort_by_key(|(_, path, _)| -> Vec<(Option<usize>, String)> {
        path.iter().map(|segment| (segment.parse().ok(), segment.clone())).collect()
    });
    for (name, path, value) in named {
        set(&mut gathered.written, name, &path, value)?;
    }
    for (key, value) in &overrides.set {
        let path: Vec<String> = key.split('.').map(ToOwned::to_owned).collect();
        set(&mut gathered.written, &format!("--set {key}"), &path, value)?;
    }
    Ok(gathered)
}

/// A file, or what McpAuth's flags and variables mean.
fn foundation(overrides: &Overrides, variables: &[(String, String)]) -> Result<Gathered, ConfigErrors> {
    let named = environment::get(variables, "MCP_FORWARD_AUTH_CONFIG").map(PathBuf::from);
    match (overrides.file.clone().or(named), overrides.mcpauth.first()) {
        (Some(path), Some(flag)) => {
            let rule = format!("McpAuth's flags say what a file says, and {} is given as well", path.display());
            Err(ConfigError::new(flag.clone(), None, rule, "keep one of the two").into())
        }
        (Some(path), None) => Ok(Gathered { written: read_file(&path)?, warnings: Vec::new() }),
        (None, _) => mcpauth::read(&overrides.mcpauth, variables).map(Option::unwrap_or_default),
    }
}

/// Parses TOML; the message says where, on one line.
pub(super) fn parse_toml(text: &str, name: &str) -> Result<Table, ConfigErrors> {
    text.parse::<Table>().map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let line = text.get(..start).map_or(1, |before| before.matches('\n').count() + 1);
        let message = error.message().replace('\n', " ");
        // Text without quotes is the usual cause, and is taken for a number.
        let unquoted = message.contains("quoted") || message.contains("float");
        let fix = if unquoted { "write text in quotes" } else { "correct that line" };
        ConfigError::new(name, None, format!("line {line} is not TOML: {message}"), fix).into()
    })
}

fn read_file(path: &Path) -> Result<Table, ConfigErrors> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        let rule = format!("the file cannot be read: {error}");
        ConfigErrors::from(ConfigError::new("--config", path.to_str(), rule, "name a file that this user may read"))
    })?;
    parse_toml(&text, &path.display().to_string())
}

fn segments_of_variable(name: &str) -> Option<Vec<String>> {
    Some(name.strip_prefix(environment::PREFIX)?.split("__").map(str::to_lowercase).collect())
}

/// Sets `path` to `text`. A number as segment is a place in a list: `resources.0.url`. `name` is how it was written.
fn set(table: &mut Table, name: &str, path: &[String], text: &str) -> Result<(), ConfigErrors> {
    let wrong = |rule: &str, fix: &str| ConfigErrors::from(ConfigError::new(name, None, rule, fix));
    let no_place = || wrong("there is no such place", "name a key that exists, and number lists from 0 without a gap");
    let Some((last, parents)) = path.split_last() else { return Ok(()) };
    let (first, inner) = parents
        .split_first()
        .ok_or_else(|| wrong("it names no section", "write section and key, as in server.listen"))?;
    let mut place = table.entry(first.as_str()).or_insert_with(|| empty_for(inner.first().unwrap_or(last)));
    for (depth, segment) in inner.iter().enumerate() {
        let next = inner.get(depth + 1).unwrap_or(last);
        place = child(place, segment, || empty_for(next)).ok_or_else(no_place)?;
    }
    let slot = child(place, last, || Value::Boolean(false)).ok_or_else(no_place)?;
    *slot = typed(last, text);
    Ok(())
}

fn empty_for(next: &str) -> Value {
    if next.parse::<usize>().is_ok() { Value::Array(Vec::new()) } else { Value::Table(Table::new()) }
}

fn child<'v>(value: &'v mut Value, segment: &str, empty: impl Fn() -> Value) -> Option<&'v mut Value> {
    if let Value::Table(table) = value {
        return Some(table.entry(segment).or_insert_with(empty));
    }
    let items = value.as_array_mut()?;
    let index: usize = segment.parse().ok()?;
    if index == items.len() {
        items.push(empty());
    }
    items.get_mut(index)
}

/// Keys that hold no text. Everything else stays text, even when it looks like a number: a subject may.
const NOT_TEXT: [&str; 12] = [
    "workers",
    "allows",
    "cache_bytes",
    "assume_email_verified",
    "open_to_the_world",
    "allow_any_authenticated",
    "insecure_http",
    "enabled",
    "limit",
    "allow_loopback",
    "client_credentials",
    "may_introspect",
];

/// Booleans, numbers and lists as TOML writes them, and text that stands in quotes.
fn typed(key: &str, text: &str) -> Value {
    let as_toml = NOT_TEXT.contains(&key) || text.starts_with(['[', '"']);
    let parsed = as_toml.then(|| format!("value = {text}").parse::<Table>().ok()).flatten();
    parsed.and_then(|mut table| table.remove("value")).unwrap_or_else(|| Value::String(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_reach_into_sections_and_lists() {
        let variables = [
            ("MCP_FORWARD_AUTH__RESOURCES__0__URL", "https://a/mcp"),
            ("MCP_FORWARD_AUTH__RESOURCES__0__ALLOWED_EMAILS", "a@b.example, *@c.example"),
            ("MCP_FORWARD_AUTH__RESOURCES__1__ALLOW_ANY_AUTHENTICATED", "true"),
            ("MCP_FORWARD_AUTH__SERVER__WORKERS", "2"),
            ("PATH", "/bin"),
        ];
        let variables: Vec<_> = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let table = gather(&Overrides::default(), &variables).unwrap().written;
        assert_eq!(table["resources"][0]["url"].as_str(), Some("https://a/mcp"));
        assert_eq!(table["resources"][0]["allowed_emails"].as_str(), Some("a@b.example, *@c.example"));
        assert_eq!(table["resources"][1]["allow_any_authenticated"].as_bool(), Some(true));
        assert_eq!(table["server"]["workers"].as_integer(), Some(2));
    }

    #[test]
    fn flags_win_over_the_environment() {
        let variables = [("MCP_FORWARD_AUTH__SERVER__LISTEN".to_owned(), "127.0.0.1:1".to_owned())];
        let set = vec![("server.listen".into(), "127.0.0.1:2".into())];
        let table = gather(&Overrides { set, ..Overrides::default() }, &variables).unwrap().written;
        assert_eq!(table["server"]["listen"].as_str(), Some("127.0.0.1:2"));
    }
}
