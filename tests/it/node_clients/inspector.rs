//! The MCP Inspector's command line.

use std::process::Command;

use serde_json::Value;

use super::guest::{browser, walks, write_browser};
use crate::sign_in::stage::Stage;
use crate::support::process::TempDir;
use crate::support::proxies::Kind;
use crate::support::tools;

#[test]
fn the_inspector_signs_in_and_comes_back_through_traefik() {
    signs_in_and_comes_back(Kind::Traefik);
}

#[test]
fn the_inspector_signs_in_and_comes_back_through_nginx() {
    signs_in_and_comes_back(Kind::Nginx);
}

fn signs_in_and_comes_back(kind: Kind) {
    let stage = Stage::start(kind);
    let home = TempDir::new();
    write_browser(home.path(), true);
    for time in ["the first time", "the second time"] {
        let seen = whoami(&stage, &home);
        assert_eq!(seen["X-Forwarded-User"], "alice@example.com", "{time}: {seen}");
        assert_eq!(seen["X-Auth-Resource"], stage.url(), "{time}: {seen}");
        assert_eq!(walks(home.path()), 1, "{time}");
    }
}

fn whoami(stage: &Stage, home: &TempDir) -> Value {
    let Called { succeeded, said, told } = call(stage, home, "whoami", &[]);
    let answer: Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}\n{told}"));
    assert!(succeeded, "{said}\n{told}");
    let text = answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}\n{told}"));
    serde_json::from_str(text).unwrap()
}

/// What came of a call.
#[derive(Debug)]
pub struct Called {
    pub succeeded: bool,
    pub said: String,
    pub told: String,
}

/// Calls a tool. What it keeps stands in `home`, where its browser is, too.
pub fn call(stage: &Stage, home: &TempDir, tool: &str, options: &[&str]) -> Called {
    let launcher = "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js";
    let mut command = Command::new(tools::newer_node());
    command.arg(tools::installed("tests/clients/inspector", launcher));
    command.args(["--cli", "--server-url", &stage.url(), "--transport", "http", "--format", "json", "--quiet"]);
    command.args(["--callback-url", &format!("http://127.0.0.1:{}/oauth/callback", crate::support::ports::free())]);
    command.args(["--method", "tools/call", "--tool-name", tool]).args(options);
    // Without a terminal it opens a browser only when told so; and it is to keep away from this machine's key ring.
    command.env("MCP_AUTO_OPEN_ENABLED", "true").env("MCP_INSPECTOR_SECRET_STORE", "file");
    command.env("HOME", home.path()).env("BROWSER", browser(home.path()));
    for desktop in ["DISPLAY", "WAYLAND_DISPLAY", "XDG_CURRENT_DESKTOP", "DBUS_SESSION_BUS_ADDRESS"] {
        command.env_remove(desktop);
    }
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Called { succeeded: output.status.success(), said: text(&output.stdout), told: text(&output.stderr) }
}
