//! `explain`: why is a request refused, and what is each proxy answered?

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Map, Value, json};

use super::admin::{self, AdminFlags, Failure};
use super::explanation::Shown;
use super::{WRONG_CONFIGURATION, complain};
use crate::app::alone::Alone;
use crate::authn::BearerToken;
use crate::config::Config;
use crate::domain::Secret;
use crate::explain::Question;
use crate::explain::question::{Named, Written};

/// Flags of `explain`.
#[expect(clippy::doc_markdown, rustdoc::bare_urls, reason = "these comments are the text of --help")]
#[derive(Debug, Args)]
pub struct ExplainFlags {
    /// The URL that the client uses, such as https://mcp.example.com/mcp
    #[arg(long, value_name = "URL", required_unless_present = "request_id")]
    url: Option<String>,
    /// The HTTP method [default: POST]
    #[arg(long, value_name = "METHOD")]
    method: Option<String>,
    /// The bearer token; other users of this machine can read it there
    #[arg(long, value_name = "TOKEN", value_parser = secret, group = "credential")]
    token: Option<Secret>,
    /// A file with the bearer token
    #[arg(long, value_name = "FILE", group = "credential")]
    token_file: Option<PathBuf>,
    /// Read the bearer token from standard input
    #[arg(long, group = "credential")]
    token_stdin: bool,
    /// A call of this tool
    #[arg(long, value_name = "NAME", group = "asked")]
    tool: Option<String>,
    /// What is asked of the MCP server, such as prompts/get:greeting or tools/list
    #[arg(long, value_name = "METHOD[:NAME]", group = "asked")]
    operation: Option<String>,
    /// What the call hands over, such as {"path": "/tmp"}
    #[arg(long, value_name = "JSON", requires = "asked")]
    arguments: Option<String>,
    /// The Origin of the web page that asks
    #[arg(long, value_name = "ORIGIN")]
    origin: Option<String>,
    /// A refusal of the past, by the X-Request-Id of its answer and its line in the decision log
    #[arg(long, value_name = "ID", conflicts_with_all = ["url", "method", "credential", "asked", "arguments", "origin"])]
    request_id: Option<String>,
    #[command(flatten)]
    admin: AdminFlags,
}

#[expect(clippy::unnecessary_wraps, reason = "clap wants a result")]
fn secret(text: &str) -> Result<Secret, String> {
    Ok(Secret::new(text))
}

const CANNOT_TELL: u8 = 3;

/// Explains: 0 allowed, 1 refused, 2 wrong command line or configuration, 3 it cannot be told.
pub fn run(flags: &ExplainFlags) -> ExitCode {
    match explained(flags) {
        Ok(explanation) => shown(flags, &explanation),
        Err(code) => code,
    }
}

fn explained(flags: &ExplainFlags) -> Result<Value, ExitCode> {
    if let Some(id) = &flags.request_id {
        let command = json!({ "request_id": id });
        return flags.admin.post("/admin/explain", &command).map_err(|failure| untold(&failure));
    }
    let token = flags.read_token().map_err(|error| wrong(&error))?;
    // Mistakes are told here already, whether or not a service runs.
    let operation = flags.named().map_err(|error| wrong(&error))?;
    let command = flags.command(token.as_ref(), operation.as_ref());
    let question = Question::read(flags.written(token, operation)).map_err(|error| wrong(&format!("--{error}")))?;
    match flags.admin.post("/admin/explain", &command) {
        Err(nobody @ Failure::NotRunning(..)) => alone(flags, &question, &nobody),
        answered => answered.map_err(|failure| untold(&failure)),
    }
}

/// The service is not there, or has no answer.
fn untold(failure: &Failure) -> ExitCode {
    let code = failure.complain();
    if matches!(failure, Failure::Configuration(_)) { code } else { ExitCode::from(CANNOT_TELL) }
}

/// Without a service: the configuration decides here.
fn alone(flags: &ExplainFlags, question: &Question, nobody: &Failure) -> Result<Value, ExitCode> {
    complain(nobody);
    let config = Config::load(&flags.admin.overrides()).map_err(|errors| wrong(&errors))?;
    let failed = |error: &dyn std::fmt::Display| {
        complain(error);
        ExitCode::from(CANNOT_TELL)
    };
    let alone = Alone::prepare(&config).map_err(|error| failed(&error))?;
    complain(&"told from the configuration instead, with keys that were fetched now");
    for gap in &alone.gaps {
        complain(gap);
    }
    if question.presents_api_key() {
        return Err(failed(&"API keys can be judged by the running service only"));
    }
    let explanation = alone.explain(question).map_err(|error| failed(&error))?;
    serde_json::to_value(explanation).map_err(|error| failed(&error))
}

fn shown(flags: &ExplainFlags, explanation: &Value) -> ExitCode {
    let _ = if flags.admin.json { admin::print_json(explanation) } else { admin::print(&Shown(explanation)) };
    match explanation.pointer("/verdict/decision").and_then(Value::as_str) {
        Some("allow" | "audit") => ExitCode::SUCCESS,
        Some("unauthenticated" | "forbidden") => ExitCode::FAILURE,
        _ => ExitCode::from(CANNOT_TELL),
    }
}

fn wrong(message: &dyn std::fmt::Display) -> ExitCode {
    complain(message);
    ExitCode::from(WRONG_CONFIGURATION)
}

impl ExplainFlags {
    fn read_token(&self) -> Result<Option<Secret>, String> {
        match (&self.token, &self.token_file) {
            (Some(token), _) => Ok(Some(token.clone())),
            (None, Some(file)) => {
                let wrong = |error: std::io::Error| format!("--token-file {}: {error}", file.display());
                File::open(file).and_then(read).map(Some).map_err(wrong)
            }
            (None, None) if self.token_stdin => {
                read(std::io::stdin().lock()).map(Some).map_err(|error| format!("--token-stdin: {error}"))
            }
            (None, None) => Ok(None),
        }
    }

    fn written(&self, token: Option<Secret>, operation: Option<Named>) -> Written {
        Written {
            url: self.url.clone().unwrap_or_default(),
            method: self.method.clone(),
            token: token.map(|token| token.expose().to_owned()),
            origin: self.origin.clone(),
            operation,
        }
    }

    /// What the service is asked.
    fn command(&self, token: Option<&Secret>, operation: Option<&Named>) -> Value {
        let mut command = Map::new();
        let texts = [
            ("url", self.url.as_deref()),
            ("method", self.method.as_deref()),
            ("token", token.map(Secret::expose)),
            ("origin", self.origin.as_deref()),
        ];
        for (name, value) in texts {
            command.extend(value.map(|value| (name.to_owned(), value.into())));
        }
        command.extend(operation.map(|operation| ("operation".to_owned(), json!(operation))));
        command.into()
    }

    /// Methods hold no colon that would be mistaken for the one before a name.
    fn named(&self) -> Result<Option<Named>, String> {
        let tool = self.tool.iter().map(|tool| ("tools/call", Some(tool.as_str())));
        let operation = self.operation.iter().map(|text| match text.split_once(':') {
            Some((method, name)) => (method, Some(name)),
            None => (text.as_str(), None),
        });
        let arguments = self.read_arguments()?;
        Ok(tool.chain(operation).next().map(|(method, name)| Named {
            method: method.to_owned(),
            name: name.map(ToOwned::to_owned),
            arguments,
        }))
    }

    /// Without repeating what is wrong.
    fn read_arguments(&self) -> Result<Option<Map<String, Value>>, String> {
        let read = self.arguments.as_deref().map(serde_json::from_str);
        read.transpose().map_err(|error| format!("--arguments: it is no JSON object, at column {}", error.column()))
    }
}

/// A little more than a token may be long, so that one that is too long is told to be.
fn read(from: impl Read) -> std::io::Result<Secret> {
    let most = u64::try_from(BearerToken::MAX_LENGTH).unwrap_or(u64::MAX).saturating_add(64);
    let mut text = String::new();
    from.take(most).read_to_string(&mut text)?;
    Ok(Secret::new(text.trim()))
}
