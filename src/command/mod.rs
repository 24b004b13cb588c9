//! One file per command.

pub mod admin;
pub mod api_key;
pub mod check;
pub mod clients;
pub mod explain;
pub mod explanation;
pub mod grants;
pub mod healthcheck;
pub mod keys;
pub mod serve;
pub mod table;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::config::{self, Overrides};

/// Forward-auth decisions for MCP servers behind Traefik, Envoy, nginx or Caddy.
#[derive(Debug, Parser)]
#[command(name = "mcp-forward-auth", version, about, args_conflicts_with_subcommands = true)]
#[command(after_help = "McpAuth's flags (-port, -oauthDomain, -provider …) start it as a drop-in for McpAuth.")]
pub struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    config: ConfigFlags,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve decisions (the default)
    Serve(ConfigFlags),
    /// Validate a configuration and say what it means; exit 0 or 2
    Check(ConfigFlags),
    /// Ask a running service for its health; exit 0 or 1 (for images without a shell)
    Healthcheck(healthcheck::HealthcheckFlags),
    /// List or revoke what people let clients do (asks the running service)
    #[command(subcommand)]
    Grants(grants::GrantsCommand),
    /// List or rotate the keys that tokens are signed with (asks the running service)
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// List or delete the clients of the authorization server (asks the running service)
    #[command(subcommand)]
    Clients(clients::ClientsCommand),
    /// Create, list or revoke keys for scripts and servers (asks the running service)
    #[command(subcommand)]
    ApiKey(api_key::ApiKeyCommand),
    /// Say why a request is refused or allowed, rule by rule, and what each proxy is answered; exit 0, 1, 2 or 3
    Explain(explain::ExplainFlags),
}

/// Where the configuration comes from.
#[expect(clippy::doc_markdown, rustdoc::bare_urls, reason = "these comments are the text of --help")]
#[derive(Debug, Clone, Default, Args)]
pub struct ConfigFlags {
    /// Configuration file (TOML) [env: MCP_FORWARD_AUTH_CONFIG]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Protect this one resource, such as https://mcp.example.com/mcp
    #[arg(long, value_name = "URL")]
    resource: Option<String>,
    /// Accept tokens of this issuer
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// Public listener, such as 0.0.0.0:11000
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Set any key: --set resources.0.required_scopes=mcp:read
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    set: Vec<(String, String)>,
    /// The command line, when it is McpAuth's.
    #[arg(skip)]
    mcpauth: Vec<String>,
}

impl CommandLine {
    /// Reads the command line of this process: ours, or McpAuth's after `serve`, `check` or nothing.
    pub fn of_process() -> Self {
        let all: Vec<OsString> = std::env::args_os().collect();
        Self::in_mcpauths_flags(&all).unwrap_or_else(|| Self::parse_from(all))
    }

    fn in_mcpauths_flags(all: &[OsString]) -> Option<Self> {
        let text: Vec<String> = all.iter().skip(1).map(|argument| argument.to_string_lossy().into_owned()).collect();
        let named = text.first().filter(|first| matches!(first.as_str(), "serve" | "check"));
        let mcpauth: Vec<String> = text.iter().skip(usize::from(named.is_some())).cloned().collect();
        let check = named.is_some_and(|command| command == "check");
        config::are_mcpauths(&mcpauth).then(|| {
            let config = ConfigFlags { mcpauth, ..ConfigFlags::default() };
            let command = if check { Command::Check } else { Command::Serve };
            Self { command: Some(command(config)), config: ConfigFlags::default() }
        })
    }
}

fn key_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write it as KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

impl ConfigFlags {
    /// The flags as configuration keys.
    fn overrides(&self) -> Overrides {
        let named =
            [("resources.0.url", &self.resource), ("issuers.0.issuer", &self.issuer), ("server.listen", &self.listen)];
        let named = named.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value.clone()?)));
        Overrides {
            file: self.config.clone(),
            set: named.chain(self.set.iter().cloned()).collect(),
            mcpauth: self.mcpauth.clone(),
        }
    }
}

/// Runs the command; 2 means that the command line or the configuration is wrong, 1 that something failed.
pub fn run(command_line: CommandLine) -> ExitCode {
    match command_line.command {
        None => serve::run(&command_line.config),
        Some(Command::Serve(flags)) => serve::run(&flags),
        Some(Command::Check(flags)) => check::run(&flags),
        Some(Command::Healthcheck(flags)) => healthcheck::run(&flags),
        Some(Command::Grants(command)) => grants::run(&command),
        Some(Command::Keys(command)) => keys::run(&command),
        Some(Command::Clients(command)) => clients::run(&command),
        Some(Command::ApiKey(command)) => api_key::run(&command),
        Some(Command::Explain(flags)) => explain::run(&flags),
    }
}

/// The one way in which commands complain: a line each on standard error.
fn complain(message: &dyn std::fmt::Display) {
    use std::io::Write as _;
    let mut out = std::io::stderr().lock();
    for line in message.to_string().lines() {
        let _ = writeln!(out, "mcp-forward-auth: {line}");
    }
}

const WRONG_CONFIGURATION: u8 = 2;
