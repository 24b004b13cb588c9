//! In place of McpAuth: its variables and its command line start this service as they started McpAuth.

use std::process::Command;

use mcp_forward_auth::config::{Config, Overrides};
use serde_json::json;

use super::owned;
use crate::support::http::{Request, Response};
use crate::support::issuer::{KEY_SET, TestIssuer};
use crate::support::ports;
use crate::support::process::TempDir;
use crate::support::report::Report;
use crate::support::service::Service;
use crate::support::tools;
use crate::support::web::Answer;

const REALM: &str = "/realms/main";

/// An issuer at the place where Keycloak has a realm.
fn keycloak() -> TestIssuer {
    let issuer = TestIssuer::start();
    let realm = format!("{}{REALM}", issuer.url());
    let metadata = json!({ "issuer": realm, "jwks_uri": format!("{}{KEY_SET}", issuer.url()) });
    issuer.web.answer(&format!("{REALM}/.well-known/openid-configuration"), Answer::Json(metadata.to_string()));
    issuer
}

fn token(issuer: &TestIssuer, audience: &str) -> String {
    issuer.sign(&issuer.token_for(audience).claim("iss", format!("{}{REALM}", issuer.url())))
}

/// The variables that say where `issuer` is.
fn keycloak_variables(issuer: &TestIssuer) -> [(&'static str, String); 4] {
    [
        ("KEYCLOAK_AUTH_PROTOCOL", "http".into()),
        ("KEYCLOAK_AUTH_HOST", "127.0.0.1".into()),
        ("KEYCLOAK_AUTH_PORT", issuer.web.port().to_string()),
        ("KEYCLOAK_REALM", "main".into()),
    ]
}

pub(super) fn start(prepare: impl FnOnce(&mut Command, u16)) -> Service {
    let (port, admin_port) = (ports::free(), ports::free());
    let mut command = Command::new(tools::service_binary());
    command.env_clear().env("MCP_FORWARD_AUTH__SERVER__ADMIN_LISTEN", format!("127.0.0.1:{admin_port}"));
    prepare(&mut command, port);
    let mut service = Service::launch(port, admin_port, TempDir::new(), &mut command);
    service.wait_until_ready();
    service
}

/// Asks at `path` of the service, as Traefik does.
pub(super) fn ask(service: &Service, path: &str, url: &str, token: Option<&str>) -> Response {
    let (host, uri) = url.strip_prefix("https://").unwrap().split_once('/').unwrap();
    let request = Request::get(path)
        .host("mcpauth")
        .header("X-Forwarded-Method", "POST")
        .header("X-Forwarded-Proto", "https")
        .header("X-Forwarded-Host", host)
        .header("X-Forwarded-Uri", format!("/{uri}"));
    token.map_or(request.clone(), |token| request.bearer(token)).send(service.port)
}

#[test]
fn its_variables_start_it_and_it_answers_where_mcpauth_did() {
    let issuer = keycloak();
    let mut service = start(|command, port| {
        command.envs(keycloak_variables(&issuer)).envs([
            ("PORT", port.to_string().as_str()),
            ("OAUTH_DOMAIN", "oauth.example.com"),
            ("PROVIDER", "keycloak"),
            ("PROTECTED_PATH", "/sse"),
            ("CLIENT_ID", "mcp"),
            ("CLIENT_SECRET", "hunter2-client-secret"),
            ("ALLOWED_EMAILS", "alice@example.com, *@corp.example"),
            ("REQUIRED_SCOPES", "mcp:read"),
            ("LOG_LEVEL", "1"),
        ]);
    });
    let mut report = Report::new("McpAuth");
    let notes = token(&issuer, "https://notes.example.com/sse");
    for path in ["/auth", "/sse"] {
        report.row(path);
        let challenge = ask(&service, path, "https://notes.example.com/sse", None);
        report.equal("the status without a token", challenge.status, 401);
        let document = "https://oauth.example.com/.well-known/oauth-protected-resource?resource=https%3A%2F%2Fnotes.example.com%2Fsse";
        let expected = format!("Bearer resource_metadata=\"{document}\", scope=\"mcp:read\"");
        report.equal("the challenge", challenge.header("www-authenticate"), Some(expected.as_str()));
        for url in ["https://notes.example.com/sse", "https://notes.example.com/messages?session=1"] {
            let allowed = ask(&service, path, url, Some(&notes));
            report.equal("the status with a token", allowed.status, 200);
            report.equal("the user", allowed.header("x-forwarded-user"), Some("alice@example.com"));
        }
        let elsewhere = ask(&service, path, "https://files.example.com/sse", Some(&notes));
        report.equal("the status on another host", elsewhere.status, 401);
        let outside = ask(&service, path, "https://notes.example.org/sse", Some(&notes));
        report.equal("the status outside the domain", outside.status, 403);
    }
    report.row("a token for the domain itself, as McpAuth wanted them");
    let general = token(&issuer, "https://oauth.example.com");
    report.equal("the status", ask(&service, "/auth", "https://files.example.com/sse", Some(&general)).status, 200);
    report.row("the document that the challenge names");
    let document = Request::get("/.well-known/oauth-protected-resource?resource=https%3A%2F%2Fnotes.example.com%2Fsse");
    let document = document.host("oauth.example.com").send(service.port).json();
    report.equal("the resource", document["resource"].as_str(), Some("https://notes.example.com/sse"));
    report.row("what is not used is told");
    let output = service.process.output_once_it_says("CLIENT_SECRET");
    report.holds(output.contains("CLIENT_ID is not used: clients sign in at the issuer themselves"), || output.clone());
    report.holds(!output.contains("hunter2"), || "a secret is in the log".to_owned());
    report.finish();
}

#[test]
fn its_command_line_starts_it_in_every_way_that_go_reads_flags() {
    let issuer = keycloak();
    for dashes in ["-", "--"] {
        for joint in [" ", "="] {
            let service = start(|command, port| {
                let (port, keycloak_port) = (port.to_string(), issuer.web.port().to_string());
                for (name, value) in [
                    ("port", port.as_str()),
                    ("oauthDomain", "oauth.example.com"),
                    ("provider", "keycloak"),
                    ("keycloakAuthProtocol", "http"),
                    ("keycloakAuthHost", "127.0.0.1"),
                    ("keycloakAuthPort", &keycloak_port),
                    ("keycloakRealm", "main"),
                    ("allowedEmails", "alice@example.com"),
                    ("logLevel", "0"),
                ] {
                    command.args(format!("{dashes}{name}{joint}{value}").split(' '));
                }
                // In McpAuth the environment wins over most flags; here flags win, as everywhere else.
                command.env("PORT", "1").env("OAUTH_DOMAIN", "oauth.example.org");
            });
            let good = token(&issuer, "https://notes.example.com/mcp");
            for path in ["/auth", "/mcp", "/sse"] {
                let answer = ask(&service, path, "https://notes.example.com/mcp", Some(&good));
                assert_eq!(answer.status, 200, "{dashes}port{joint}…, {path}: {answer:?}");
            }
        }
    }
}

pub(super) fn read(arguments: &str, variables: &[(&str, &str)]) -> Result<Config, String> {
    let mcpauth = arguments.split(' ').filter(|argument| !argument.is_empty()).map(ToOwned::to_owned).collect();
    let overrides = Overrides { mcpauth, ..Overrides::default() };
    Config::from_sources(&overrides, &owned(variables)).map_err(|errors| errors.to_string())
}

const DOMAIN: (&str, &str) = ("OAUTH_DOMAIN", "oauth.example.com");
const KEYCLOAK: (&str, &str) = ("PROVIDER", "keycloak");

#[test]
fn defaults_are_mcpauths() {
    let config = read("", &[DOMAIN, KEYCLOAK]).unwrap();
    assert_eq!(config.server.listen.to_string(), "0.0.0.0:11000");
    assert_eq!(config.server.also_decide_at, ["/mcp", "/sse"]);
    assert_eq!(config.issuers[0].issuer.as_str(), "https://localhost:8080/realms/master");
    assert_eq!(config.policies[0].resource.to_string(), "https://*.example.com/mcp");
    assert_eq!((config.log.level.as_str(), config.warnings.as_slice()), ("info", &[][..]));
    let named = ("MCP_FORWARD_AUTH__ISSUERS__0__ISSUER", "https://idp.example.com");
    let config = read("-oauthDomain=oauth.example.com -provider google", &[named]).unwrap();
    assert_eq!(config.issuers[0].issuer.as_str(), "https://idp.example.com", "any issuer, when it is named");
}

#[test]
fn its_variables_are_left_alone_without_its_domain_or_with_a_file() {
    assert!(read("", &[("PORT", "1"), KEYCLOAK]).unwrap_err().contains("nothing is configured"));
    let folder = TempDir::new();
    let file = folder.write(
        "config.toml",
        "[[issuers]]\nissuer = \"https://idp.example.com\"\n[[resources]]\nurl = \"https://mcp.example.com/mcp\"\n",
    );
    let named = ("MCP_FORWARD_AUTH_CONFIG", file.to_str().unwrap());
    let config = read("", &[named, DOMAIN, ("PORT", "1")]).unwrap();
    assert_eq!(config.server.listen.port(), 11000);
    let message = read("-port 1", &[named]).unwrap_err();
    let expected = format!(
        "-port: McpAuth's flags say what a file says, and {} is given as well; keep one of the two",
        file.display()
    );
    assert_eq!(message, expected);
}

#[test]
fn what_it_does_not_do_is_refused_in_so_many_words() {
    type Row<'r> = (String, &'r [(&'r str, &'r str)], String);
    const NO_USERS: &str = "this version has no users of its own";
    const WRITE: &str = "write keycloak or google, or name an issuer in MCP_FORWARD_AUTH__ISSUERS__0__ISSUER";
    const GOOGLE_ASKS: &str =
        "it is missing, and Google must know who asks; copy it from the OAuth client in the Google Cloud console";
    const NO_GOOGLE: &str = "nobody signs in at Google with this provider; remove it";
    const BESIDE: &str = "every host beside it is protected, so it must be a host below a domain of your own";
    const LIKE: &str = "write it like \"oauth.example.com\"";
    const OWN_PATH: &str =
        "it must be a path of its own, not /, /auth…, /health or /.well-known…; write it like \"/mcp\"";
    const MADE: &str =
        "KEYCLOAK_AUTH_PROTOCOL, KEYCLOAK_AUTH_HOST, KEYCLOAK_AUTH_PORT and KEYCLOAK_REALM make the issuer";
    const EMAIL: &str =
        "it is neither an e-mail address nor *@domain; write it like \"alice@example.com\" or \"*@corp.example\"";
    let base = "-oauthDomain oauth.example.com -provider keycloak";
    let with = |more: &str, expected: String| -> Row<'_> { (format!("{base} {more}"), &[], expected) };
    let rows: Vec<Row<'_>> = vec![
        (String::new(), &[DOMAIN, ("PROVIDER", "google")], format!("CLIENT_ID: {GOOGLE_ASKS}\nCLIENT_SECRET: {GOOGLE_ASKS}")),
        (String::new(), &[DOMAIN, ("CLIENT_ID", "x")], format!("CLIENT_SECRET: {GOOGLE_ASKS}")),
        ("-provider google -oauthDomain=oauth.example.com -dataDir x".into(), &[KEYCLOAK, ("CLIENT_SECRET", "hunter2")], format!("CLIENT_ID: {GOOGLE_ASKS}")),
        (String::new(), &[DOMAIN, ("PROVIDER", "internal")], format!("PROVIDER = \"internal\": {NO_USERS}; {WRITE}")),
        (String::new(), &[DOMAIN], format!("PROVIDER = \"internal\": {NO_USERS}; {WRITE}")),
        (String::new(), &[DOMAIN, ("PROVIDER", "okta")], format!("PROVIDER = \"okta\": McpAuth has no such provider; {WRITE}")),
        ("-provider keycloak".into(), &[], format!("-oauthDomain: it is missing, and the hosts beside it are what is protected; {LIKE}")),
        ("-provider keycloak -oauthDomain localhost".into(), &[], format!("-oauthDomain = \"localhost\": {BESIDE}; {LIKE}")),
        (String::new(), &[("OAUTH_DOMAIN", "example.com"), KEYCLOAK], format!("OAUTH_DOMAIN = \"example.com\": {BESIDE}; {LIKE}")),
        (String::new(), &[("OAUTH_DOMAIN", "https://oauth.example.com"), KEYCLOAK], format!("OAUTH_DOMAIN = \"https://oauth.example.com\": {BESIDE}; {LIKE}")),
        with("-port http", "-port = \"http\": it must be a port number between 1 and 65535; leave it out for 11000".into()),
        with("-port", "-port: it needs a value; write -port=VALUE".into()),
        with("-logLevel 3", "-logLevel = \"3\": it must be 0, 1 or 2; leave it out for 1".into()),
        with("-path sse", format!("-path = \"sse\": {OWN_PATH}")),
        with("-protectedPath /auth", format!("-protectedPath = \"/auth\": {OWN_PATH}")),
        with("-allowedEmails alice", format!("-allowedEmails = \"alice\": {EMAIL}")),
        with("-allowedEmails ,", "-allowedEmails = \",\": the list is empty, so it names nobody; name who may call, or remove it".into()),
        with("-requiredScopes a\"b", "-requiredScopes = \"a\\\"b\": a scope is visible ASCII without spaces, quotes and backslashes; write one scope per item, like \"mcp:read\"".into()),
        with("-keycloakAuthProtocol http -keycloakAuthHost kc.example.com", format!("{MADE} = \"http://kc.example.com:8080/realms/master\": it must be https (plain http is allowed on loopback only); correct the one that is wrong")),
        with("-devMode", "-devMode: it would send tokens in clear text; remove it".into()),
        (String::new(), &[DOMAIN, KEYCLOAK, ("DEV_MODE", "true")], "DEV_MODE: it would send tokens in clear text; remove it".into()),
        with("-useInternalAuth", "-useInternalAuth: this version has no users of its own; remove it".into()),
        with("-adminPassword hunter2", "-adminPassword: this version has no users of its own; remove it".into()),
        with("-dataDir ./data", "-dataDir: nothing is stored with this provider; remove it".into()),
        with("-googleClientSecret=hunter2", format!("-googleClientSecret: {NO_GOOGLE}")),
        (String::new(), &[DOMAIN, KEYCLOAK, ("AUTHORIZATION_BEARER_TOKEN", "hunter2")], "AUTHORIZATION_BEARER_TOKEN: this version accepts no token that an issuer did not sign; remove it".into()),
        with("-verbose=hunter2", "-verbose: it is no flag of McpAuth, whose flags stand on the same command line; correct it, or use only the flags that --help lists".into()),
        with("--set server.workers=2 -unknownSecret hunter2", "--set: it is no flag of McpAuth, whose flags stand on the same command line; correct it, or use only the flags that --help lists\n-unknownSecret: it is no flag of McpAuth, whose flags stand on the same command line; correct it, or use only the flags that --help lists".into()),
        with("-port 0 -logLevel x", "-port = \"0\": it must be a port number between 1 and 65535; leave it out for 11000\n-logLevel = \"x\": it must be 0, 1 or 2; leave it out for 1".into()),
    ];
    let mut report = Report::new("McpAuth's mistakes");
    for (arguments, variables, expected) in rows {
        report.row(format!("{arguments} {variables:?}"));
        let told = read(&arguments, variables).map_or_else(|message| message, |_| "no mistake".to_owned());
        report.equal("the message", told.as_str(), expected.as_str());
        report.holds(!told.contains("hunter2"), || "a secret is shown".to_owned());
    }
    report.finish();
}

#[test]
fn flags_that_change_nothing_are_taken_without_a_word_and_useless_ones_with_one() {
    let line = "-oauthDomain oauth.example.com -provider keycloak -devMode=false -useInternalAuth=false";
    assert_eq!(read(line, &[("DEV_MODE", "FALSE")]).unwrap().warnings, [""; 0]);
    let line = format!("{line} -clientID a -clientSecret hunter2 -allowedScopes openid");
    assert_eq!(
        read(&line, &[]).unwrap().warnings,
        [
            "-clientID is not used: clients sign in at the issuer themselves",
            "-clientSecret is not used: clients sign in at the issuer themselves",
            "-allowedScopes is not used: the issuer decides which scopes it grants",
        ]
    );
}

/// `check` understands the same command line, so that a switch can be tried out first.
#[test]
fn check_and_serve_may_stand_before_its_flags() {
    let run = |command: &str| {
        let line = "-port 11000 -oauthDomain oauth.example.com -provider keycloak -dataDir x";
        let output =
            Command::new(tools::service_binary()).env_clear().arg(command).args(line.split(' ')).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    for command in ["check", "serve"] {
        let expected = "mcp-forward-auth: -dataDir: nothing is stored with this provider; remove it\n";
        assert_eq!(run(command), (Some(2), expected.to_owned()), "{command}");
    }
    let line = ["check", "--port=11000", "-oauthDomain=oauth.example.com", "-provider=keycloak"];
    let output = Command::new(tools::service_binary()).env_clear().args(line).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("decisions on 0.0.0.0:11000, "));
}
