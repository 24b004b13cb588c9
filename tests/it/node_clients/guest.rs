//! One client program with a folder for what it keeps, and a browser that takes every URL to a person.

use std::fmt;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::sign_in::stage::Stage;
use crate::support::process::TempDir;
use crate::support::report::Report;
use crate::support::tools;

/// The programs of `tests/clients/typescript` that sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    SdkV1,
    SdkV2,
    McpRemote,
}

pub const ALL: [Program; 3] = [Program::SdkV1, Program::SdkV2, Program::McpRemote];

impl Program {
    const fn script(self) -> &'static str {
        match self {
            Self::SdkV1 => "sign-in-v1.mjs",
            Self::SdkV2 => "sign-in-v2.mjs",
            Self::McpRemote => "sign-in-remote.mjs",
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::SdkV1 => "TypeScript SDK v1",
            Self::SdkV2 => "TypeScript SDK v2",
            Self::McpRemote => "mcp-remote",
        })
    }
}

/// A program and what it keeps.
pub struct Guest {
    pub program: Program,
    folder: TempDir,
}

impl Guest {
    pub fn new(program: Program) -> Self {
        let folder = TempDir::new();
        std::fs::create_dir(folder.path().join("store")).unwrap();
        // Who listens for the answer needs it opened; the others read it from the output.
        write_browser(folder.path(), program == Program::McpRemote);
        Self { program, folder }
    }

    /// Another with a copy of what this one keeps.
    pub fn twin(&self) -> Self {
        let twin = Self::new(self.program);
        copy(&self.store(), &twin.store());
        twin
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// Runs it once and returns its report.
    pub fn run(&self, stage: &Stage, options: &[&str]) -> Value {
        let mut command = Command::new(tools::tool("node"));
        command.arg(tools::installed("tests/clients/typescript", self.program.script()));
        command.args(["--url", &stage.url()]).arg("--store").arg(self.store());
        command.arg("--browser").arg(browser(self.folder.path())).args(options);
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut report: Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
        if report["error"].is_string() {
            report["said"] = String::from_utf8_lossy(&output.stderr).into();
        }
        report
    }

    /// Runs it once, where the person must be asked as often as `walks` says; returns what it keeps then.
    pub fn visit(&self, stage: &Stage, options: &[&str], walks: usize, report: &mut Report) -> Value {
        let before = self.walks();
        let seen = self.run(stage, options);
        report.equal("how often the person was asked", self.walks() - before, walks);
        judge(&seen, stage, report);
        seen
    }

    pub fn walks(&self) -> usize {
        walks(self.folder.path())
    }

    /// What the person was asked for, each time.
    pub fn asked_scopes(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.folder.path().join("walks")).unwrap_or_default();
        let addresses = text.lines().map(|line| url::Url::parse(line).unwrap());
        let scope =
            |address: url::Url| address.query_pairs().find(|(name, _)| name == "scope").map(|(_, value)| value.into());
        addresses.map(|address| scope(address).unwrap_or_default()).collect()
    }
}

/// Alice was let in by us, for this resource, and her token stayed with the proxy.
pub fn judge(seen: &Value, stage: &Stage, report: &mut Report) {
    if seen["error"].is_string() {
        return report.fail(format!("{}\n{}", seen["error"], seen["said"].as_str().unwrap_or_default()));
    }
    for answer in [&seen["answer"], &seen["again"]].into_iter().filter(|answer| !answer.is_null()) {
        report.equal("the person", &answer["X-Forwarded-User"], "alice@example.com");
        report.equal("the issuer", &answer["X-Auth-Issuer"], stage.issuer().as_str());
        report.equal("the resource", &answer["X-Auth-Resource"], stage.url().as_str());
        report.equal("the client", &answer["X-Auth-Client"], &seen["client"]["client_id"]);
        report.equal("a token for the server", &answer["authorization_present"], false);
    }
    report.equal("the scope", &seen["tokens"]["scope"], "mcp:read");
    report.holds(seen["tokens"]["refresh_token"].is_string(), || "there is no refresh token".to_owned());
}

/// A program that notes the URL it is given, takes it to the person, and says where the answer goes. For clients that
/// listen there it is opened, as soon as they do: mcp-remote opens the browser first, and people take longer than that.
pub fn write_browser(folder: &Path, opens_the_answer: bool) {
    let walks = folder.join("walks");
    let python = tools::tool("python");
    let person = tools::project().join("tests/clients/python/person.py");
    let [walks, python, person] = [&walks, &python, &person].map(|path| path.display());
    let curl = format!("'{}' --silent --output /dev/null --noproxy '*'", tools::tool("curl").display());
    let open =
        if opens_the_answer { format!("{curl} --retry 30 --retry-delay 1 --retry-connrefused") } else { "echo".into() };
    let lines = [
        "#!/bin/sh".to_owned(),
        format!("echo \"$1\" >>'{walks}'"),
        format!("answer=$('{python}' '{person}' \"$1\") || exit"),
        format!("exec {open} \"$answer\""),
    ];
    std::fs::write(browser(folder), lines.join("\n")).unwrap();
    std::fs::set_permissions(browser(folder), std::fs::Permissions::from_mode(0o700)).unwrap();
}

pub fn browser(folder: &Path) -> PathBuf {
    folder.join("browser")
}

/// How often the browser was opened.
pub fn walks(folder: &Path) -> usize {
    std::fs::read_to_string(folder.join("walks")).map_or(0, |text| text.lines().count())
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
