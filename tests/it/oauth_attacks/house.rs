//! The service with its authorization server, without a proxy; somebody with a browser; and what they send.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use url::Url;
use url::form_urlencoded::Serializer;

use crate::support::browser::{Browser, Page};
use crate::support::http::{Request, Response};
use crate::support::ports;
use crate::support::service::Service;

/// RFC 7636, appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub const STATE: &str = "state-of-the-client";
/// Where the client waits. Nobody listens there: a browser's visit ends at it.
pub const HOME: &str = "https://client.example/callback";
/// Secrets of the clients that the operator knows.
pub const SECRET: &str = "a-secret-of-more-than-24-characters";
pub const FORM: &str = "application/x-www-form-urlencoded";

pub struct House {
    pub service: Service,
    pub port: u16,
}

/// A client that registered itself.
#[derive(Debug, Clone)]
pub struct Registered {
    pub id: String,
    /// Opens its registration.
    pub token: String,
}

#[derive(Debug, Clone)]
pub struct Tokens {
    pub access: String,
    pub refresh: String,
}

impl House {
    /// With the development login.
    pub fn start() -> Self {
        Self::start_with(DEVELOPMENT, "memory:")
    }

    /// With these identity providers, and the store at this URL.
    pub fn start_with(providers: &str, store: &str) -> Self {
        let port = ports::free();
        Self::start_configured(port, &config(port, providers, store))
    }

    pub fn start_configured(port: u16, config: &str) -> Self {
        Self { service: Service::start_at(port, config), port }
    }

    pub fn issuer(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// The resource at `path`.
    pub fn resource(&self, path: &str) -> String {
        format!("{}{path}", self.issuer())
    }

    pub fn request(&self, method: &str, target: impl Into<Vec<u8>>) -> Request {
        Request::new(method, target).host(&format!("localhost:{}", self.port))
    }

    pub fn get(&self, target: &str) -> Response {
        self.request("GET", target).send(self.port)
    }

    pub fn post(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        self.request("POST", path).body(FORM, form(fields)).send(self.port)
    }

    /// Registers a public client that waits at [`HOME`].
    pub fn register(&self) -> Registered {
        self.register_as(
            &json!({ "redirect_uris": [HOME], "token_endpoint_auth_method": "none", "client_name": "Pen" }),
        )
    }

    pub fn register_as(&self, metadata: &Value) -> Registered {
        let answer = self.request("POST", "/register").body("application/json", metadata.to_string()).send(self.port);
        assert_eq!(answer.status, 201, "{}", answer.text());
        let text = |name: &str| answer.json()[name].as_str().unwrap().to_owned();
        Registered { id: text("client_id"), token: text("registration_access_token") }
    }

    /// `/authorize` as a good client asks, with some parameters replaced; an empty value takes one away.
    pub fn authorize_url(&self, client: &str, changes: &[(&str, &str)]) -> Url {
        let resource = self.resource("/mcp");
        let mut fields = vec![
            ("response_type", "code"),
            ("client_id", client),
            ("redirect_uri", HOME),
            ("state", STATE),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
            ("resource", &*resource),
        ];
        for (name, value) in changes {
            fields.retain(|(known, _)| known != name);
            fields.push((name, value));
        }
        fields.retain(|(_, value)| !value.is_empty());
        Url::parse(&format!("{}/authorize?{}", self.issuer(), form(&fields))).unwrap()
    }

    /// The consent page of a good request in this browser.
    pub fn question(&self, browser: &mut Browser, client: &str, changes: &[(&str, &str)]) -> Page {
        let page = browser.visit(&self.authorize_url(client, changes));
        assert!(page.status == 200 && page.url.path() == "/consent", "{} {}\n{}", page.status, page.url, page.text);
        page
    }

    /// Where a browser ends up whose person says yes and signs in as `email`.
    pub fn sign_in(&self, browser: &mut Browser, client: &str, changes: &[(&str, &str)], email: &str) -> Page {
        let question = self.question(browser, client, changes);
        let form = browser.submit(&question, &[("decision", "approve")]);
        let form = on(browser, form);
        let page = browser.submit(&form, &[("email", email)]);
        on(browser, page)
    }

    /// A code that Alice lets this client have.
    pub fn code(&self, client: &str, changes: &[(&str, &str)]) -> String {
        let page = self.sign_in(&mut Browser::new(HOME), client, changes, "alice@example.com");
        page.parameter("code").unwrap_or_else(|| panic!("no code: {} {}", page.url, page.text))
    }

    /// `/token` for a code, with some fields replaced; an empty value takes one away.
    pub fn redeem(&self, client: &str, code: &str, changes: &[(&str, &str)]) -> Response {
        let fields = [
            ("grant_type", "authorization_code"),
            ("client_id", client),
            ("code", code),
            ("redirect_uri", HOME),
            ("code_verifier", VERIFIER),
        ];
        self.post("/token", &changed(&fields, changes))
    }

    pub fn refresh(&self, client: &str, token: &str, changes: &[(&str, &str)]) -> Response {
        let fields = [("grant_type", "refresh_token"), ("client_id", client), ("refresh_token", token)];
        self.post("/token", &changed(&fields, changes))
    }

    /// Everything that Alice lets this client have.
    pub fn tokens(&self, client: &str) -> Tokens {
        Tokens::of(&self.redeem(client, &self.code(client, &[]), &[]))
    }

    /// What `/auth` says to a call of `/mcp` with this token.
    pub fn ask(&self, token: &str) -> u16 {
        self.service.ask("POST", &self.resource("/mcp"), Some(token)).status
    }
}

impl Tokens {
    pub fn of(answer: &Response) -> Self {
        assert_eq!(answer.status, 200, "{}", answer.text());
        let text = |name: &str| answer.json()[name].as_str().unwrap().to_owned();
        Self { access: text("access_token"), refresh: text("refresh_token") }
    }
}

/// The status of an answer, and the OAuth error in it.
pub fn outcome(answer: &Response) -> (u16, String) {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    (answer.status, body["error"].as_str().unwrap_or_default().to_owned())
}

/// `outcome` as a row expects it.
pub fn refused(status: u16, error: &str) -> (u16, String) {
    (status, error.to_owned())
}

pub fn form(fields: &[(&str, &str)]) -> String {
    Serializer::new(String::new()).extend_pairs(fields).finish()
}

pub fn changed<'a>(fields: &[(&'a str, &'a str)], changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut fields = fields.to_vec();
    for (name, value) in changes {
        fields.retain(|(known, _)| known != name);
        fields.push((name, value));
    }
    fields.retain(|(_, value)| !value.is_empty());
    fields
}

pub fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

/// Goes on where a page sends the browser by itself, as browsers do.
pub fn on(browser: &mut Browser, page: Page) -> Page {
    match forwarded(&page) {
        Some(url) => browser.visit(&url),
        None => page,
    }
}

/// Where a page sends the browser by itself.
pub fn forwarded(page: &Page) -> Option<Url> {
    let rest = page.text.split_once(r#"<meta http-equiv="refresh" content="0;url="#)?.1;
    let url = rest.split('"').next()?.replace("&amp;", "&").replace("&#38;", "&");
    Url::parse(&url).ok()
}

pub const DEVELOPMENT: &str = "[authorization_server.identity_provider]\nkind = \"development\"\n";

/// Two resources and every kind of configured client.
pub fn config(port: u16, providers: &str, store: &str) -> String {
    format!(
        r#"
[[resources]]
url = "http://localhost:{port}/mcp"
name = "Notes"
required_scopes = ["mcp:read"]
allowed_emails = ["alice@example.com", "carol@example.com"]
allowed_clients = ["job"]

[[resources]]
url = "http://localhost:{port}/other"
required_scopes = ["mcp:read", "mcp:write"]
allowed_emails = ["alice@example.com"]

[authorization_server]
issuer = "http://localhost:{port}"

{providers}
[[authorization_server.clients]]
client_id = "job"
client_secret = "{SECRET}"
client_credentials = true
resources = ["http://localhost:{port}/mcp"]

[[authorization_server.clients]]
client_id = "web"
client_secret = "{SECRET}-of-web"
redirect_uris = ["{HOME}"]

[[authorization_server.clients]]
client_id = "watcher"
client_secret = "{SECRET}-of-watcher"
may_introspect = true

[store]
url = "{store}"
"#
    )
}
