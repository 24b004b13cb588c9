//! Every configuration that is shipped or shown loads: examples, code blocks, environment files, the Compose file.

use std::fs;
use std::path::{Path, PathBuf};

use mcp_forward_auth::config::{Config, ConfigErrors, Overrides};

use crate::support::process::TempDir;
use crate::support::report::Report;
use crate::support::tools::project;

/// Files below `folder`, without what is installed or built.
pub fn files(folder: &Path, keep: &dyn Fn(&Path) -> bool) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let skipped = ["node_modules", "target", ".git", ".tools"];
    let Ok(entries) = fs::read_dir(folder) else { return found };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if skipped.iter().any(|name| path.ends_with(name)) {
        } else if path.is_dir() {
            found.extend(files(&path, keep));
        } else if keep(&path) {
            found.push(path);
        }
    }
    found.sort();
    found
}

pub fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found == extension)
}

pub fn shown(path: &Path) -> String {
    path.strip_prefix(project()).unwrap().display().to_string()
}

/// Secret files live on the machine of the operator; here one stands in for all of them.
fn with_secret_files(text: &str, folder: &TempDir) -> String {
    let secret = folder.write("secret", "0123456789abcdef0123456789abcdef");
    let replaced = text.lines().map(|line| match line.split_once('=') {
        Some((key, _)) if key.trim().ends_with("_file") => format!("{key}= \"{}\"", secret.display()),
        Some((key, _)) if key.trim().ends_with("_FILE") => format!("{key}={}", secret.display()),
        _ => line.to_owned(),
    });
    replaced.collect::<Vec<_>>().join("\n")
}

/// A block of documentation may show one section only; what every configuration needs is added.
fn completed(block: &str) -> String {
    let mut text = block.to_owned();
    if !block.contains("[[issuers]]") {
        text.push_str("\n[[issuers]]\nissuer = \"https://idp.example.com/realms/main\"\n");
    }
    if !block.contains("[[resources]]") {
        text.push_str("\n[[resources]]\nurl = \"https://mcp.example.com/mcp\"\n");
    }
    text
}

/// The blocks of `text` that start with ```` ```language ````.
fn code_blocks(text: &str, language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim() == format!("```{language}") {
            let block: Vec<&str> = lines.by_ref().take_while(|line| line.trim() != "```").collect();
            blocks.push(block.join("\n"));
        }
    }
    blocks
}

#[test]
fn every_example_file_and_every_code_block_loads() {
    let folder = TempDir::new();
    let mut report = Report::new("configurations");
    for path in files(&project().join("examples"), &|path| has_extension(path, "toml")) {
        report.row(shown(&path));
        // As they are: who tries `check` on one has no secrets yet.
        let text = fs::read_to_string(&path).unwrap();
        report.equal("the outcome", Config::from_toml(&text).map(|_| ()), Ok(()));
    }
    let is_ours = |path: &Path| has_extension(path, "md") && !path.starts_with(project().join("docs/clients"));
    for path in files(&project(), &is_ours) {
        for (index, block) in code_blocks(&fs::read_to_string(&path).unwrap(), "toml").iter().enumerate() {
            report.row(format!("{}, block {}", shown(&path), index + 1));
            let text = with_secret_files(&completed(block), &folder);
            report.equal("the outcome", Config::from_toml(&text).map(|_| ()), Ok(()));
        }
    }
    report.row("README.md");
    let readme = fs::read_to_string(project().join("README.md")).unwrap();
    report.holds(!code_blocks(&readme, "toml").is_empty(), || "it shows no configuration".to_owned());
    report.finish();
}

/// What clients read is theirs; it can at least be read.
#[test]
fn every_block_of_json_and_what_clients_read_parses() {
    let mut report = Report::new("blocks");
    let mut of_clients = 0;
    for path in files(&project(), &|path| has_extension(path, "md")) {
        let text = fs::read_to_string(&path).unwrap();
        let is_clients = path.starts_with(project().join("docs/clients"));
        let json = code_blocks(&text, "json");
        let toml = if is_clients { code_blocks(&text, "toml") } else { Vec::new() };
        of_clients += if is_clients { json.len() + toml.len() } else { 0 };
        for block in json {
            report.row(format!("{}: {block}", shown(&path)));
            let read = serde_json::from_str::<serde_json::Value>(&block);
            report.holds(read.is_ok(), || format!("{read:?}"));
        }
        for block in toml {
            report.row(format!("{}: {block}", shown(&path)));
            let read = block.parse::<toml::Table>();
            report.holds(read.is_ok(), || format!("{read:?}"));
        }
    }
    report.row("docs/clients");
    report.holds(of_clients >= 6, || format!("only {of_clients} blocks are found"));
    report.finish();
}

/// `NAME=value` lines, as shells, Docker and Compose read them.
pub fn variables(text: &str) -> Vec<(String, String)> {
    let sound = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    sound.map(|line| line.split_once('=').unwrap()).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

pub fn load(variables: &[(String, String)]) -> Result<Config, ConfigErrors> {
    Config::from_sources(&Overrides::default(), variables)
}

#[test]
fn every_environment_file_and_the_compose_file_load() {
    let folder = TempDir::new();
    let mut report = Report::new("environments");
    for path in files(&project().join("examples"), &|path| has_extension(path, "env") || path.ends_with(".env")) {
        report.row(shown(&path));
        let text = with_secret_files(&fs::read_to_string(&path).unwrap(), &folder);
        report.equal("the outcome", load(&variables(&text)).map(|_| ()), Ok(()));
    }
    let compose = fs::read_to_string(project().join("docker-compose.yml")).unwrap();
    let given = compose_variables(&compose);
    report.row("docker-compose.yml");
    report.holds(given.len() >= 3, || format!("its variables are not found: {given:?}"));
    report.equal("the outcome", load(&given).map(|_| ()), Ok(()));
    report.finish();
}

/// `MCP_FORWARD_AUTH__…: value` lines with the defaults of `${NAME:-default}`.
pub fn compose_variables(compose: &str) -> Vec<(String, String)> {
    let ours = compose.lines().map(str::trim).filter(|line| line.starts_with("MCP_FORWARD_AUTH__"));
    ours.map(|line| {
        let (name, value) = line.split_once(": ").unwrap();
        let value = value.split(" #").next().unwrap().trim().trim_matches('"');
        let default =
            value.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).and_then(|rest| rest.split_once(":-"));
        (name.to_owned(), default.map_or(value, |(_, default)| default).to_owned())
    })
    .collect()
}
