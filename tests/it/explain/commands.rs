//! The command: what it prints, how it ends, with a service and without one.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{Stage, URL, config, step};
use crate::support::issuer::TestIssuer;
use crate::support::process::TempDir;
use crate::support::report::Report;
use crate::support::{ports, tools};

/// What the command said.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub text: String,
    pub complaint: String,
}

impl Said {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

pub fn explain(arguments: &[&str], input: &str) -> Said {
    let mut command = Command::new(tools::service_binary());
    command.arg("explain").args(arguments).env_clear();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that reads nothing may be over before it could.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Said { code: output.status.code().unwrap(), text: text(output.stdout), complaint: text(output.stderr) }
}

impl Stage {
    pub fn explain(&self, arguments: &[&str]) -> Said {
        let admin = format!("127.0.0.1:{}", self.service.admin_port);
        explain(&[arguments, &["--admin", &admin]].concat(), &self.token())
    }
}

/// A row: arguments, the exit code, the step that speaks with its outcome, and a part of what it tells.
type Row<'a> = (Vec<&'a str>, i32, &'a str, &'a str, &'a str);

#[test]
fn each_refusal_says_what_was_compared_with_what() {
    let stage = Stage::start();
    let good = stage.issuer.token_for(URL);
    let signed = |token| stage.issuer.sign(&token);
    let other = signed(good.clone().claim("aud", "https://other.example.com/mcp"));
    let bob = signed(good.clone().claim("email", "bob@example.com"));
    let unverified = signed(good.clone().claim("email_verified", false));
    let unscoped = signed(good.clone().claim("scope", "openid"));
    let ops = signed(good.clone().claim("groups", vec!["ops"]));
    let writing = signed(good.claim("scope", "mcp:read mcp:admin"));
    let alice = stage.token();
    let watched = "https://watched.example.com/mcp";
    let watched_token = signed(stage.issuer.token_for(watched));
    let rows: Vec<Row<'_>> = vec![
        (vec!["--url", URL], 1, "credential", "refused", "no Authorization"),
        (
            vec!["--url", "https://mcp.example.com/other"],
            1,
            "resource",
            "refused",
            "none of [https://mcp.example.com/mcp, https://watched.example.com/mcp] covers https://mcp.example.com/other",
        ),
        (
            vec!["--url", "http://mcp.example.com/mcp"],
            1,
            "resource",
            "refused",
            "covers http://mcp.example.com/mcp: scheme",
        ),
        (vec!["--url", "https://mcp.example.com/mcp/../x"], 1, "request", "refused", ""),
        (
            vec!["--url", URL, "--origin", "https://evil.example"],
            1,
            "origin",
            "refused",
            "Origin https://evil.example is none of allowed_origins [https://app.example.com]",
        ),
        (vec!["--url", URL, "--token", "opaque"], 1, "authentication", "refused", "the token is not a signed JWT"),
        (
            vec!["--url", URL, "--token", &other],
            1,
            "audience",
            "refused",
            "aud [https://other.example.com/mcp] does not hold https://mcp.example.com/mcp",
        ),
        (
            vec!["--url", URL, "--token", &bob],
            1,
            "principal",
            "refused",
            "email bob@example.com against allowed_emails [alice@example.com]; groups [staff, R, D] against allowed_groups [ops]",
        ),
        (
            vec!["--url", URL, "--token", &unverified],
            1,
            "principal",
            "refused",
            "email alice@example.com, which its issuer does not vouch for",
        ),
        (vec!["--url", URL, "--token", &unscoped], 1, "scopes", "refused", "scopes granted [openid], needed mcp:read"),
        (vec!["--url", URL, "--token", &alice], 1, "operation", "refused", "no body"),
        (
            vec!["--url", URL, "--token", &alice, "--tool", "delete_note"],
            1,
            "tool_rules[0]",
            "refused",
            "names [delete_*] fits [tools/call delete_note]: groups [staff, R, D] against allowed_groups [ops]",
        ),
        (
            vec!["--url", URL, "--token", &alice, "--tool", "delete_note"],
            1,
            "tool_rules[1]",
            "also_refuses",
            "scopes granted [mcp:read], needed mcp:write or mcp:admin",
        ),
        (
            vec!["--url", URL, "--token", &ops, "--tool", "delete_note"],
            1,
            "tool_rules[1]",
            "refused",
            "names [write_*, delete_*] fits [tools/call delete_note]",
        ),
        (
            vec!["--url", URL, "--token", &writing, "--tool", "write_note"],
            0,
            "tool_rules[1]",
            "passed",
            "scopes granted [mcp:admin, mcp:read]",
        ),
        (vec!["--url", URL, "--token", &alice, "--tool", "read_note"], 0, "tool_rules[0]", "not_asked", "does not fit"),
        (vec!["--url", URL, "--token", &alice, "--operation", "tools/list"], 0, "operation", "passed", "[tools/list]"),
        (
            vec!["--url", URL, "--token", &alice, "--operation", "prompts/get:greeting"],
            0,
            "operation",
            "passed",
            "[prompts/get greeting]",
        ),
        (
            vec!["--url", URL, "--token", &alice, "--operation", "http/get"],
            0,
            "request",
            "passed",
            "GET https://mcp.example.com/mcp",
        ),
        (
            vec!["--url", watched, "--token", &watched_token],
            0,
            "principal",
            "refused",
            "groups [staff, R, D] against allowed_groups [ops]",
        ),
        (vec!["--url", watched, "--token", &watched_token], 0, "resource", "passed", "mode = \"audit\""),
    ];
    let mut report = Report::new("explanations");
    for (arguments, code, name, outcome, detail) in rows {
        let shown: Vec<&str> = arguments.iter().copied().filter(|argument| argument.len() < 100).collect();
        report.row(shown.join(" "));
        let said = stage.explain(&[&*arguments, &["--json"]].concat());
        report.equal("the code", (said.code, said.complaint.as_str()), (code, ""));
        let explanation = said.json();
        let (known, text) = step(&explanation, name);
        report.equal("the outcome", known, outcome);
        report.holds(text.contains(detail), || format!("{text} says nothing of {detail}"));
        // The same for people: the step that refuses stands out, with the same words.
        let said = stage.explain(&arguments);
        report.equal("the code for people", said.code, code);
        let marked: Vec<&str> = said.text.lines().filter(|line| line.starts_with(">>> NO")).collect();
        report.equal("steps that stand out", marked.len(), usize::from(said.text.contains("refused:")));
        let line = said.text.lines().find(|line| line.contains(name) && line.contains(text));
        report.holds(line.is_some(), || said.text.clone());
    }
    report.finish();
}

#[test]
fn a_token_is_taken_from_a_file_and_from_standard_input() {
    let stage = Stage::start();
    let folder = TempDir::new();
    let file = folder.write("token", &format!("{}\n", stage.token()));
    let url = ["--url", URL, "--tool", "read_note"];
    for how in [&["--token-file", file.to_str().unwrap()][..], &["--token-stdin"], &["--token", &stage.token()]] {
        let said = stage.explain(&[&url, how].concat());
        assert_eq!((said.code, said.complaint.as_str()), (0, ""), "{how:?}: {}", said.text);
        assert!(said.text.contains("\nallowed\n"), "{}", said.text);
        assert!(!super::secrets::leaks(&said.text, &stage.token()));
    }
}

#[test]
fn wrong_usage_is_told_before_anybody_is_asked() {
    let closed = format!("127.0.0.1:{}", ports::free());
    let mut report = Report::new("usage");
    for arguments in [
        &[][..],
        &["--url", "mcp.example.com/mcp"],
        &["--url", "https://alice:secret@mcp.example.com/mcp"],
        &["--url", URL, "--method", "GET IT"],
        &["--url", URL, "--tool", "one", "--operation", "tools/list"],
        &["--url", URL, "--arguments", "{}"],
        &["--request-id", "one", "--arguments", "{}"],
        &["--url", URL, "--token", "one", "--token-stdin"],
        &["--request-id", "one", "--url", URL],
        &["--request-id", "one", "--token", "one"],
        &["--url", URL, "--token-file", "/nowhere/at/all"],
        &["--url", URL, "--config", "/nowhere/at/all"],
    ] {
        report.row(format!("{arguments:?}"));
        let said = explain(&[arguments, &["--admin", &closed]].concat(), "");
        report.equal("the code", (said.code, said.text.as_str()), (2, ""));
        report.holds(!said.complaint.contains("secret"), || said.complaint.clone());
    }
    report.finish();
}

#[test]
fn without_a_service_the_configuration_decides_with_keys_fetched_now() {
    let issuer = TestIssuer::start();
    let folder = TempDir::new();
    let closed = format!("127.0.0.1:{}", ports::free());
    let file = folder.write("config.toml", &config(&issuer.url()));
    let place = ["--config", file.to_str().unwrap(), "--admin", &closed];
    let token = issuer.sign(&issuer.token_for(URL));
    let ask = |more: &[&str]| explain(&[&place, &["--url", URL, "--token", &token], more].concat(), "");
    let said = ask(&["--tool", "read_note"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.complaint.contains("no service answers") && said.complaint.contains("from the configuration"));
    let said = ask(&["--tool", "delete_note", "--json"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert_eq!(step(&said.json(), "tool_rules[0]").0, "refused");

    // An issuer that is away: it cannot be told whether the token is good.
    drop(issuer);
    let said = ask(&["--tool", "read_note"]);
    assert_eq!(said.code, 3, "{said:?}");
    assert!(said.complaint.contains("the keys of http") && said.text.contains("it cannot be told now"), "{said:?}");
    let said = explain(&[&place[..], &["--url", URL]].concat(), "");
    assert_eq!(said.code, 1, "who brings no token is refused all the same: {said:?}");
}

#[test]
fn tokens_of_our_own_are_left_to_the_running_service() {
    let folder = TempDir::new();
    let closed = format!("127.0.0.1:{}", ports::free());
    let text = "[[resources]]\nurl = \"http://localhost:1/mcp\"\nallowed_emails = [\"alice@example.com\"]\n\
                [authorization_server]\nissuer = \"http://localhost:1\"\n\
                [authorization_server.identity_provider]\nkind = \"development\"\n[store]\nurl = \"memory:\"\n";
    let file = folder.write("config.toml", text);
    let issuer = TestIssuer::start();
    let token = issuer.sign(&issuer.token_for("http://localhost:1/mcp").claim("iss", "http://localhost:1"));
    let url = "http://localhost:1/mcp";
    let said = explain(&["--config", file.to_str().unwrap(), "--admin", &closed, "--url", url, "--token", &token], "");
    assert_eq!(said.code, 3, "{said:?}");
    assert!(
        said.complaint.contains("tokens of http://localhost:1 can be judged by the running service only"),
        "{said:?}"
    );
}

#[test]
fn what_strangers_chose_moves_no_cursor_and_turns_no_text_around() {
    let stage = Stage::start();
    let hostile = "ops\u{1b}[2J\u{202e}\r\n>>> NO   forged";
    let token = stage.issuer.token_for(URL).claim("groups", vec![hostile]).claim("email", "bob@example.com");
    let token = stage.issuer.sign(&token.claim("aud", vec![URL, hostile]).claim("client_id", "one\u{9b}31m"));
    let said = stage.explain(&["--url", URL, "--token", &token, "--tool", hostile]);
    assert_eq!(said.code, 1, "{said:?}");
    let moves = |char: char| char != '\n' && (char.is_control() || char == '\u{202e}');
    assert!(!said.text.contains(moves), "{:?}", said.text);
    let forged = said.text.lines().filter(|line| line.starts_with(">>>")).count();
    assert_eq!(forged, 1, "{}", said.text);
}
