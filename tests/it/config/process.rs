//! The same through the real program: exit codes, what is written where, and a start without any file.

use std::process::{Command, Output};

use crate::support::http::Request;
use crate::support::issuer::TestIssuer;
use crate::support::ports;
use crate::support::process::TempDir;
use crate::support::service::Service;
use crate::support::tools;

const GOOD: [&str; 4] = ["--resource", "https://mcp.example.com/mcp", "--issuer", "https://idp.example.com"];

fn program() -> Command {
    let mut command = Command::new(tools::service_binary());
    command.env_clear();
    command
}

fn run(command: &mut Command) -> (Output, String, String) {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    (output, out, err)
}

#[test]
fn a_wrong_configuration_ends_with_2_and_one_line_for_each_mistake() {
    let folder = TempDir::new();
    let file = folder.write(
        "config.toml",
        "[server]\nlisten = \"here\"\nproxy_secret = \"hunter2\"\n[log]\nlevel = \"loud\"\n\
         [[issuers]]\nissuer = \"https://a:hunter2@idp.example.com\"\n[[resources]]\nurl = \"https://mcp.example.com/mcp\"\n",
    );
    for command in ["serve", "check"] {
        let (output, out, err) = run(program().arg(command).arg("--config").arg(&file));
        assert_eq!(output.status.code(), Some(2), "{command}: {err}");
        assert_eq!(out, "", "{command}");
        let starts = ["server.listen = ", "server.proxy_secret = [redacted]", "log.level = ", "issuers[0].issuer = "];
        assert_eq!(err.lines().count(), starts.len(), "{command}: {err}");
        for (line, start) in err.lines().zip(starts) {
            assert!(line.starts_with(&format!("mcp-forward-auth: {start}")), "{command}: {line}");
        }
        assert!(!err.contains("hunter2"), "{command}: {err}");
    }
}

#[test]
fn files_that_cannot_be_read_and_nothing_at_all_are_told() {
    let folder = TempDir::new();
    let broken = folder.write("broken.toml", "[server]\nlisten = ");
    let rows: [(&[&str], String); 3] = [
        (
            &["check", "--config", "/nowhere/config.toml"],
            "--config = \"/nowhere/config.toml\": the file cannot be read: No such file or directory (os error 2); name a \
             file that this user may read"
                .to_owned(),
        ),
        (
            &["check", "--config", broken.to_str().unwrap()],
            format!("{}: line 2 is not TOML: string values must be quoted, expected literal string; write text in quotes", broken.display()),
        ),
        (
            &[],
            "the configuration: nothing is configured; give --config FILE, or --resource URL and --issuer URL, or the \
             environment variables of the same meaning"
                .to_owned(),
        ),
    ];
    for (arguments, expected) in rows {
        let (output, out, err) = run(program().args(arguments));
        assert_eq!((output.status.code(), out.as_str()), (Some(2), ""), "{arguments:?}");
        assert_eq!(err, format!("mcp-forward-auth: {expected}\n"), "{arguments:?}");
    }
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    for arguments in [&["--listen"][..], &["--set", "server.listen"], &["nonsense"], &["--verbose"]] {
        let (output, out, err) = run(program().args(arguments));
        assert_eq!((output.status.code(), out.as_str()), (Some(2), ""), "{arguments:?}: {err}");
        assert!(err.contains("error: "), "{err}");
    }
}

#[test]
fn check_says_what_a_configuration_means() {
    let folder = TempDir::new();
    let file = folder.write(
        "config.toml",
        "
[server]
trusted_proxies = [\"10.1.0.0/16\"]
proxy_secret = \"correct-horse-battery\"
[[issuers]]
issuer = \"https://idp.example.com\"
[[issuers]]
issuer = \"https://other.example.com\"
jwks_uri = \"https://other.example.com/jwks\"
[[resources]]
url = \"https://mcp.example.com/mcp\"
also_paths = [\"/messages\"]
issuers = [\"https://idp.example.com\"]
required_scopes = [\"mcp:read\"]
allowed_emails = [\"alice@example.com\", \"*@corp.example\"]
allowed_groups = [\"staff\"]
allowed_origins = [\"https://app.example.com\"]
dpop_required = true
[[resources]]
url = \"https://open.example.com/mcp\"
also_paths = [\"/\"]
mode = \"audit\"
condition = '''
  identity.claims.level >= 3 &&
  now > timestamp(\"2026-01-01T00:00:00Z\")'''
[[resources.tool_rules]]
names = [\"read_*\"]
allowed_groups = [\"staff\"]
condition = 'operation.name != \"read_all\"'
",
    );
    let (output, out, err) = run(program().arg("check").arg("--config").arg(&file));
    assert_eq!((output.status.code(), err.as_str()), (Some(0), ""));
    assert_eq!(
        out,
        "decisions on 0.0.0.0:11000, admin on 127.0.0.1:9090
asked by proxies in 10.1.0.0/16, with the shared secret
issuer https://idp.example.com: discovered keys
issuer https://other.example.com: keys from https://other.example.com/jwks
resource https://mcp.example.com/mcp
  also /messages
  tokens of https://idp.example.com for this URL, only if bound to a key
  callers: e-mail alice@example.com, *@corp.example; group staff
  scope mcp:read
  origins: https://app.example.com
resource https://open.example.com/mcp (audit)
  also the whole host
  tokens of https://idp.example.com for this URL
  tokens of https://other.example.com for this URL
  callers: everybody with a token of these issuers
  condition identity.claims.level >= 3 && now > timestamp(\"2026-01-01T00:00:00Z\")
  tools/call read_*: group staff; and condition operation.name != \"read_all\"
warning: https://open.example.com/mcp is in audit mode: everything is let through and recorded
"
    );
}

#[test]
fn an_address_that_is_taken_is_told_with_its_key() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (key, set) in
        [("server.listen", "server.admin_listen=127.0.0.1:0"), ("server.admin_listen", "server.listen=127.0.0.1:0")]
    {
        let taken = format!("{key}={address}");
        let (output, _, err) = run(program().args(GOOD).args(["--set", &taken, "--set", set]));
        assert_eq!(output.status.code(), Some(1), "{err}");
        let expected = format!("mcp-forward-auth: {key} = \"{address}\": the address cannot be bound: ");
        assert!(err.starts_with(&expected) && err.lines().count() == 1, "{err}");
    }
}

/// One resource and one issuer, and not a file anywhere.
#[test]
fn the_environment_alone_starts_the_service() {
    let issuer = TestIssuer::start();
    let (port, admin_port) = (ports::free(), ports::free());
    let mut command = program();
    command.envs([
        ("MCP_FORWARD_AUTH__RESOURCES__0__URL", "https://mcp.example.com/mcp".to_owned()),
        ("MCP_FORWARD_AUTH__RESOURCES__0__ALLOWED_EMAILS", "alice@example.com".to_owned()),
        ("MCP_FORWARD_AUTH__ISSUERS__0__ISSUER", issuer.url()),
        ("MCP_FORWARD_AUTH__SERVER__LISTEN", format!("127.0.0.1:{port}")),
        ("MCP_FORWARD_AUTH__SERVER__ADMIN_LISTEN", format!("127.0.0.1:{admin_port}")),
    ]);
    let mut service = Service::launch(port, admin_port, TempDir::new(), &mut command);
    service.wait_until_ready();
    let token = issuer.token_for("https://mcp.example.com/mcp");
    let ask = |token: &str| service.ask("POST", "https://mcp.example.com/mcp", Some(token)).status;
    assert_eq!(ask(&issuer.sign(&token)), 200);
    assert_eq!(ask(&issuer.sign(&token.claim("email", "bob@example.com"))), 403);
}

/// The same with flags, which is what the shortest line of the documentation shows.
#[test]
fn flags_alone_start_the_service() {
    let issuer = TestIssuer::start();
    let (port, admin_port) = (ports::free(), ports::free());
    let mut command = program();
    command.args(["--resource", "https://mcp.example.com/mcp", "--issuer", &issuer.url()]);
    command.args(["--listen", &format!("127.0.0.1:{port}")]);
    command.args(["--set", &format!("server.admin_listen=127.0.0.1:{admin_port}")]);
    command.args(["--set", "resources.0.also_paths=/sse,/messages"]);
    let mut service = Service::launch(port, admin_port, TempDir::new(), &mut command);
    service.wait_until_ready();
    let token = issuer.sign(&issuer.token_for("https://mcp.example.com/mcp"));
    assert_eq!(service.ask("GET", "https://mcp.example.com/messages", Some(&token)).status, 200);
    let health = Request::get("/health").host("localhost").send(port);
    assert_eq!((health.status, health.json()), (200, serde_json::json!({ "status": "ok" })));
}
