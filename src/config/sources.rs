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
}

/// Everything that was written, as one table.
pub(super) fn gather(overrides: &Overrides, variables: &[(String, String)]) -> Result<Table, ConfigErrors> {
    let file =
        overrides.file.clone().or_else(|| environment::get(variables, "MCP_FORWARD_AUTH_CONFIG").map(Into::into));
    let mut written = match &file {
        Some(path) => read_file(path)?,
        None => mcpauth::table(variables)?.unwrap_or_default(),
    };
    let mut named: Vec<(Vec<String>, &str)> = variables
        .iter()
        .filter_map(|(name, value)| {
            Some((segments(&name.strip_prefix(environment::PREFIX)?.to_lowercase(), "__"), value.as_str()))
        })
        .collect();
    named.sort();
    for (path, value) in named {
        set(&mut written, &path, value)?;
    }
    for (key, value) in &overrides.set {
        set(&mut written, &segments(key, "."), value)?;
    }
    if written.is_empty() {
        return Err(ConfigError::new(
            "the configuration",
            None,
            "nothing is configured",
            "give --config FILE, or --resource URL and --issuer URL, or the environment variables of the same meaning",
        )
        .into());
    }
    Ok(written)
}

/// Parses TOML; the message says where, on one line.
pub(super) fn parse_toml(text: &str, name: &str) -> Result<Table, ConfigErrors> {
    text.parse::<Table>().map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let line = text.get(..start).map_or(1, |before| before.lines().count().max(1));
        let rule = format!("line {line} is not TOML: {}", error.message().replace('\n', " "));
        ConfigError::new(name, None, rule, "correct that line").into()
    })
}

fn read_file(path: &Path) -> Result<Table, ConfigErrors> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        let rule = format!("the file cannot be read: {error}");
        ConfigErrors::from(ConfigError::new("--config", path.to_str(), rule, "name a file that this user may read"))
    })?;
    parse_toml(&text, &path.display().to_string())
}

fn segments(name: &str, separator: &str) -> Vec<String> {
    name.split(separator).map(ToOwned::to_owned).collect()
}

/// Sets `path` to `text`. A number as segment is a place in a list: `resources.0.url`.
fn set(table: &mut Table, path: &[String], text: &str) -> Result<(), ConfigErrors> {
    let wrong =
        |rule: &str| ConfigErrors::from(ConfigError::new(path.join("."), None, rule, "check the variable's name"));
    let Some((last, parents)) = path.split_last() else { return Ok(()) };
    let (first, inner) = parents.split_first().ok_or_else(|| wrong("it names no section"))?;
    let mut place = table.entry(first.as_str()).or_insert_with(|| empty_for(inner.first().unwrap_or(last)));
    for (depth, segment) in inner.iter().enumerate() {
        let next = inner.get(depth + 1).unwrap_or(last);
        place = child(place, segment, || empty_for(next)).ok_or_else(|| wrong("there is no such place"))?;
    }
    let slot = child(place, last, || Value::Boolean(false)).ok_or_else(|| wrong("there is no such place"))?;
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

/// Keys whose values are numbers or booleans. Everything else is text, also when it looks like a number.
const NOT_TEXT: [&str; 7] = [
    "workers",
    "cache_bytes",
    "allows",
    "insecure_http",
    "allow_any_authenticated",
    "assume_email_verified",
    "open_to_the_world",
];

/// Numbers and booleans where the key wants them, lists and quoted text as TOML writes them; everything else is text.
fn typed(key: &str, text: &str) -> Value {
    let toml = NOT_TEXT.contains(&key) || text.starts_with(['[', '"']);
    let parsed = toml.then(|| format!("value = {text}").parse::<Table>().ok()).flatten();
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
        let table = gather(&Overrides::default(), &variables).unwrap();
        assert_eq!(table["resources"][0]["url"].as_str(), Some("https://a/mcp"));
        assert_eq!(table["resources"][0]["allowed_emails"].as_str(), Some("a@b.example, *@c.example"));
        assert_eq!(table["resources"][1]["allow_any_authenticated"].as_bool(), Some(true));
        assert_eq!(table["server"]["workers"].as_integer(), Some(2));
    }

    #[test]
    fn flags_win_over_the_environment() {
        let variables = [("MCP_FORWARD_AUTH__SERVER__LISTEN".to_owned(), "127.0.0.1:1".to_owned())];
        let overrides = Overrides { file: None, set: vec![("server.listen".into(), "127.0.0.1:2".into())] };
        let table = gather(&overrides, &variables).unwrap();
        assert_eq!(table["server"]["listen"].as_str(), Some("127.0.0.1:2"));
    }

    #[test]
    fn a_list_without_a_gap_is_demanded() {
        let variables = [("MCP_FORWARD_AUTH__RESOURCES__5__URL".to_owned(), "https://a".to_owned())];
        let message = gather(&Overrides::default(), &variables).unwrap_err().to_string();
        assert_eq!(message, "resources.5.url: there is no such place; check the variable's name");
    }
}
