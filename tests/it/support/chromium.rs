//! A real browser, driven by the scenarios of `tests/browser`.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::tools;

/// Runs `tests/browser/scenarios/<scenario>.mjs` with `arguments` and returns what it returns; fails with what it throws.
pub fn run(scenario: &str, arguments: &Value) -> Value {
    let folder = tools::project().join("tests/browser");
    // The browser ends with node, and node with the test, even when that is interrupted.
    let mut command = Command::new(tools::tool("setpriv"));
    command.args(["--pdeathsig", "KILL", "--"]).arg(tools::tool("node")).arg(folder.join("run.mjs"));
    command.arg(folder.join("scenarios").join(scenario).with_extension("mjs")).arg("-");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut node = command.spawn().unwrap_or_else(|error| panic!("node cannot be started: {error}"));
    node.stdin.take().unwrap().write_all(arguments.to_string().as_bytes()).unwrap();
    let output = node.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let answer: Value = serde_json::from_str(&said)
        .unwrap_or_else(|error| panic!("{scenario}: {error}: {said}\n{}", String::from_utf8_lossy(&output.stderr)));
    assert!(answer["ok"] == true, "{scenario} with {arguments}: {}", answer["error"].as_str().unwrap_or(&said));
    answer["result"].clone()
}

/// The texts of a list that a scenario returned.
pub fn texts(list: &Value) -> Vec<String> {
    let items = list.as_array().unwrap_or_else(|| panic!("no list: {list}"));
    items.iter().map(|item| item.as_str().unwrap_or_else(|| panic!("no text: {item}")).to_owned()).collect()
}
