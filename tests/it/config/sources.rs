//! File, environment and flags: what each may say, and which one wins.

use mcp_forward_auth::config::{Config, Overrides};

use super::{ISSUER, URL, from, owned};
use crate::support::process::TempDir;
use crate::support::report::Report;

/// Names and their values.
type Pairs<'a> = &'a [(&'a str, &'a str)];

/// The variables of one resource and one issuer, and one more.
fn with(name: &str, value: &str) -> Result<Config, String> {
    from(&[URL, ISSUER, (&format!("MCP_FORWARD_AUTH__{name}"), value)], &[]).map_err(|errors| errors.to_string())
}

#[test]
fn flags_win_over_the_environment_and_the_environment_over_the_file() {
    let folder = TempDir::new();
    let text = "
[server]
listen = \"127.0.0.1:1\"
admin_listen = \"127.0.0.1:2\"
workers = 3
[[issuers]]
issuer = \"https://idp.example.com\"
[[resources]]
url = \"https://mcp.example.com/mcp\"
required_scopes = [\"from:file\"]
";
    let file = folder.write("config.toml", text);
    let variables = [
        ("MCP_FORWARD_AUTH__SERVER__LISTEN", "127.0.0.1:11"),
        ("MCP_FORWARD_AUTH__SERVER__ADMIN_LISTEN", "127.0.0.1:12"),
        ("MCP_FORWARD_AUTH__RESOURCES__0__REQUIRED_SCOPES", "from:environment"),
        ("MCP_FORWARD_AUTH__RESOURCES__1__URL", "https://mcp.example.com/second"),
    ];
    let set = owned(&[("server.listen", "127.0.0.1:21"), ("resources.1.required_scopes", "from:flag")]);
    let read =
        |overrides: &Overrides, variables: &[(&str, &str)]| Config::from_sources(overrides, &owned(variables)).unwrap();

    let config = read(&Overrides { file: Some(file.clone()), set, ..Overrides::default() }, &variables);
    assert_eq!(config.server.listen.port(), 21, "the flag");
    assert_eq!(config.server.admin_listen.port(), 12, "the environment");
    assert_eq!(config.server.workers, 3, "the file");
    let scopes: Vec<String> = config.policies.iter().map(|policy| policy.scopes_in_challenge.to_string()).collect();
    assert_eq!(scopes, ["from:environment", "from:flag"]);

    let named = ("MCP_FORWARD_AUTH_CONFIG", file.to_str().unwrap());
    assert_eq!(read(&Overrides::default(), &[named]).server.listen.port(), 1, "the file that the environment names");
    let other = folder.write("other.toml", &text.replace("127.0.0.1:1\"", "127.0.0.1:31\""));
    let config = read(&Overrides { file: Some(other), ..Overrides::default() }, &[named]);
    assert_eq!(config.server.listen.port(), 31, "--config wins over the variable");
}

/// Every key that holds no text, and text that looks like something else.
#[test]
fn each_key_reads_a_variable_in_its_own_type() {
    let subjects =
        |value: &str| with("RESOURCES__0__ALLOWED_SUBJECTS", value).unwrap().policies[0].principals.subjects.clone();
    assert_eq!(subjects("1234567"), ["1234567"]);
    assert_eq!(subjects("108204268033311374519, true"), ["108204268033311374519", "true"]);
    assert_eq!(subjects("[\"R, D\", \"x\"]"), ["R, D", "x"]);
    let name = |value: &str| with("RESOURCES__0__NAME", value).unwrap().policies[0].name.clone().unwrap();
    assert_eq!(name("2026"), "2026");
    assert_eq!(name("true"), "true");
    assert_eq!(name("[Notes]"), "[Notes]");
    assert_eq!(name("\"quoted\""), "quoted");
    assert!(with("SERVER__PROXY_SECRET", "12345678901234567").unwrap().server.proxy_secret.is_some());
    assert_eq!(with("SERVER__WORKERS", "2").unwrap().server.workers, 2);
    assert_eq!(with("TOKENS__CACHE_BYTES", "4096").unwrap().cache_bytes, 4096);
    assert_eq!(with("LOG__ALLOWS", "0.5").unwrap().log.allows_per_mille, 500);
    assert_eq!(with("LOG__ALLOWS", "1").unwrap().log.allows_per_mille, 1000);
    assert!(with("ISSUERS__0__ASSUME_EMAIL_VERIFIED", "true").unwrap().issuers[0].assume_email_verified);
    assert!(with("RESOURCES__0__ALLOW_ANY_AUTHENTICATED", "true").unwrap().policies[0].principals.anyone);
    assert!(!with("ISSUERS__0__OPEN_TO_THE_WORLD", "false").unwrap().issuers[0].open_to_the_world);
    assert!(with("RESOURCES__0__INSECURE_HTTP", "true").is_ok());
}

#[test]
fn a_list_may_have_more_than_ten_places() {
    let names: Vec<(String, String)> = (0..12)
        .map(|place| (format!("MCP_FORWARD_AUTH__RESOURCES__{place}__URL"), format!("https://mcp.example.com/{place}")))
        .chain(owned(&[ISSUER]))
        .collect();
    let config = Config::from_sources(&Overrides::default(), &names).unwrap();
    let urls: Vec<String> = config.policies.iter().map(|policy| policy.resource.to_string()).collect();
    assert_eq!(urls.len(), 12);
    assert_eq!(urls[10], "https://mcp.example.com/10");
}

#[test]
fn scopes_keep_their_case_in_flags() {
    let set = [("resources.0.required_scopes", "Notes.Read"), ("scopes.implies.Admin", "Notes.Read")];
    let config = from(&[URL, ISSUER], &set).unwrap();
    let satisfied: Vec<String> =
        config.policies[0].required_scopes[0].satisfied_by.iter().map(ToString::to_string).collect();
    assert_eq!(satisfied, ["Admin", "Notes.Read"]);
}

#[test]
fn secrets_come_from_files_and_never_show() {
    let folder = TempDir::new();
    let file = folder.write("secret", "  correct-horse-battery\n");
    let config = with("SERVER__PROXY_SECRET_FILE", file.to_str().unwrap()).unwrap();
    assert!(
        config.server.proxy_secret.as_ref().unwrap().matches(b"correct-horse-battery"),
        "spaces around it are dropped"
    );
    let shown = format!("{config:?}\n{config}");
    assert!(!shown.contains("correct-horse"), "{shown}");
    assert!(shown.contains("with the shared secret"), "check says that there is one");

    let short = folder.write("short", "hunter2\n");
    let message = with("SERVER__PROXY_SECRET_FILE", short.to_str().unwrap()).unwrap_err();
    assert_eq!(
        message,
        "server.proxy_secret = [redacted]: it must be at least 16 characters long; make one with: openssl rand -hex 32"
    );
}

#[test]
fn mistakes_in_names_are_told_under_the_name_that_was_written() {
    let nothing = "the configuration: nothing is configured; give --config FILE, or --resource URL and --issuer URL, or the \
                   environment variables of the same meaning";
    let rows: [(Pairs<'_>, Pairs<'_>, &str); 8] = [
        (&[], &[], nothing),
        (&[("PATH", "/bin"), ("PORT", "1")], &[], nothing),
        (
            &[ISSUER, ("MCP_FORWARD_AUTH__RESOURCES__5__URL", "https://mcp.example.com")],
            &[],
            "MCP_FORWARD_AUTH__RESOURCES__5__URL: there is no such place; name a key that exists, and number lists from 0 \
             without a gap",
        ),
        (
            &[URL, ISSUER, ("MCP_FORWARD_AUTH__LISTEN", "127.0.0.1:1")],
            &[],
            "MCP_FORWARD_AUTH__LISTEN: it names no section; write section and key, as in server.listen",
        ),
        (
            &[URL, ISSUER, ("MCP_FORWARD_AUTH__SERVER__LISTEN__PORT", "1"), ("MCP_FORWARD_AUTH__SERVER__LISTEN", "x")],
            &[],
            "MCP_FORWARD_AUTH__SERVER__LISTEN__PORT: there is no such place; name a key that exists, and number lists from 0 \
             without a gap",
        ),
        (
            &[URL, ISSUER],
            &[("resources.2.name", "x")],
            "--set resources.2.name: there is no such place; name a key that exists, and number lists from 0 without a gap",
        ),
        (
            &[URL, ISSUER, ("MCP_FORWARD_AUTH__SERVER__LISEN", "x")],
            &[],
            "server.lisen: there is no such key; did you mean listen?",
        ),
        (
            &[URL, ISSUER],
            &[("server.workers", "many")],
            "server.workers = \"many\": it must be a whole number, 0 or more; write it like 4, without quotes",
        ),
    ];
    let mut report = Report::new("names");
    for (variables, set, expected) in rows {
        report.row(format!("{variables:?} {set:?}"));
        report.equal("the message", from(variables, set).unwrap_err().to_string().as_str(), expected);
    }
    report.finish();
}
