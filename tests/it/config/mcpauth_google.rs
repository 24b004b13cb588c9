//! In place of McpAuth with Google: its variables start our authorization server.

use mcp_forward_auth::idp::ProviderSettings;
use serde_json::json;

use super::mcpauth::{ask, read, start};
use crate::support::http::Request;
use crate::support::process::TempDir;
use crate::support::report::Report;

/// What McpAuth needs with Google.
const GOOGLE: [(&str, &str); 6] = [
    ("OAUTH_DOMAIN", "oauth.example.com"),
    ("PROVIDER", "google"),
    ("CLIENT_ID", "1234567890-abc.apps.googleusercontent.com"),
    ("CLIENT_SECRET", "hunter2-client-secret"),
    ("ALLOWED_EMAILS", "alice@example.com"),
    ("ALLOWED_SCOPES", "mcp:read,mcp:write"),
];

#[test]
fn with_google_clients_register_and_people_are_asked_and_sent_there() {
    let data = TempDir::new();
    let mut service = start(|command, port| {
        command.envs(GOOGLE).env("PORT", port.to_string()).env("REQUIRED_SCOPES", "mcp:read");
        command.arg("-dataDir").arg(data.path());
    });
    let mut report = Report::new("McpAuth with Google");
    let ours = |request: Request| request.host("oauth.example.com").send(service.port);
    report.row("the challenge of a protected host");
    let challenge = ask(&service, "/auth", "https://notes.example.com/mcp", None);
    let document = "/.well-known/oauth-protected-resource?resource=https%3A%2F%2Fnotes.example.com%2Fmcp";
    let expected =
        format!("Bearer resource_metadata=\"https://oauth.example.com{document}\", scope=\"mcp:read mcp:write\"");
    report.equal("the header", challenge.header("www-authenticate"), Some(expected.as_str()));
    let document = ours(Request::get(document)).json();
    report.equal("the authorization server", &document["authorization_servers"], &json!(["https://oauth.example.com"]));
    report.equal("the resource", document["resource"].as_str(), Some("https://notes.example.com/mcp"));
    report.row("the authorization server");
    let metadata = ours(Request::get("/.well-known/oauth-authorization-server")).json();
    report.equal("the issuer", metadata["issuer"].as_str(), Some("https://oauth.example.com"));
    report.equal("its keys", metadata["jwks_uri"].as_str(), Some("https://oauth.example.com/jwks"));
    let keys = ours(Request::get("/jwks")).json();
    report.holds(keys["keys"].as_array().is_some_and(|keys| !keys.is_empty()), || keys.to_string());
    report.row("a client");
    let wanted = r#"{"redirect_uris":["https://client.example.com/callback"],"client_name":"Notes client"}"#;
    let registered = ours(Request::new("POST", "/register").body("application/json", wanted));
    report.equal("the status", registered.status, 201);
    let client = registered.json()["client_id"].as_str().unwrap_or_default().to_owned();
    let question = ours(Request::get(format!(
        "/authorize?response_type=code&client_id={client}&redirect_uri=https%3A%2F%2Fclient.example.com%2Fcallback\
         &state=s&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256\
         &resource=https%3A%2F%2Ffiles.example.com%2Fmcp"
    )));
    let consent = question.header("location").unwrap_or("/").to_owned();
    let cookie = question.header("set-cookie").unwrap_or_default().split(';').next().unwrap_or_default().to_owned();
    let page = ours(Request::get(consent).header("Cookie", cookie)).text();
    for wanted in
        ["Notes client", "client.example.com", "https://files.example.com/mcp", "you sign in with <bdi>Google</bdi>"]
    {
        report.holds(page.contains(wanted), || format!("not on the page: {wanted}\n{page}"));
    }
    report.row("what is kept");
    report.holds(data.path().join("mcp-forward-auth.redb").is_file(), || "no store in the data directory".to_owned());
    let output = service.process.output_once_it_says("listening");
    report.holds(!output.contains("hunter2") && !output.contains("is not used"), || output.clone());
    report.finish();
}

#[test]
fn with_google_its_names_mean_what_they_meant() {
    let config = read("", &GOOGLE).unwrap();
    let own = config.authorization_server.as_ref().unwrap();
    assert_eq!(own.issuer.as_str(), "https://oauth.example.com");
    let ProviderSettings::Google(google) = &own.providers[0].settings else { panic!("{:?}", own.providers) };
    assert!(google.hosted_domains.is_empty() && google.stand_in.is_none());
    assert_eq!(google.registration.client_id, "1234567890-abc.apps.googleusercontent.com");
    assert_eq!(google.registration.client_secret.as_ref().unwrap().expose(), "hunter2-client-secret");
    assert_eq!(config.store_url.as_ref().unwrap().to_string(), "file:/data/mcp-forward-auth.redb");
    assert_eq!(config.policies[0].challenge_scopes().to_string(), "mcp:read mcp:write");
    assert!(config.policies[0].required_scopes.is_empty() && config.warnings.is_empty());
    let google = |line: &str| read(&format!("{line} -oauthDomain OAuth.example.com -allowedEmails a@b.example"), &[]);
    // A client id means Google; the newer names mean the same; a directory may be relative.
    for line in ["-clientID a -clientSecret b -dataDir ./data", "-googleClientID a -googleClientSecret b -dataDir data"]
    {
        let config = google(line).unwrap();
        assert_eq!(config.authorization_server.unwrap().issuer.as_str(), "https://oauth.example.com");
        let here = std::env::current_dir().unwrap();
        let expected = format!("file:{}/data/mcp-forward-auth.redb", here.display());
        assert_eq!(config.store_url.unwrap().to_string(), expected, "{line}");
    }
    let elsewhere = [GOOGLE.as_slice(), &[("MCP_FORWARD_AUTH__STORE__URL", "memory:")]].concat();
    assert_eq!(read("", &elsewhere).unwrap().store_url.unwrap().to_string(), "memory:");
}

#[test]
fn with_google_somebody_must_be_named() {
    let nobody: Vec<_> = GOOGLE.into_iter().filter(|(name, _)| *name != "ALLOWED_EMAILS").collect();
    let expected = "resources[0].allowed_emails: nobody is named, and anybody in the world can get a token from \
                    https://oauth.example.com; name who may call, or set allow_any_authenticated = true";
    assert_eq!(read("", &nobody).unwrap_err(), expected);
    let all = [nobody.as_slice(), &[("MCP_FORWARD_AUTH__RESOURCES__0__ALLOW_ANY_AUTHENTICATED", "true")]].concat();
    assert!(read("", &all).is_ok());
}
