//! A certified OpenID Connect provider, one for all tests of a run: tests/idp/oidc-provider.

use std::process::Command;
use std::sync::OnceLock;

use mcp_forward_auth::domain::Secret;
use mcp_forward_auth::idp::Registration;
use serde_json::json;
use url::Url;

use super::browser::{Browser, Page};
use super::http::Request;
use super::process::Process;
use super::{ports, tools};

pub struct OidcProvider {
    _process: Process,
    port: u16,
}

impl OidcProvider {
    /// The running provider; the first test that needs it starts it.
    pub fn start() -> &'static Self {
        static SHARED: OnceLock<OidcProvider> = OnceLock::new();
        SHARED.get_or_init(|| {
            let port = ports::free();
            let mut command = Command::new(tools::tool("node"));
            command.arg(tools::installed("tests/idp/oidc-provider", "server.mjs")).arg(port.to_string());
            let mut process = Process::start_shared("oidc-provider", &command);
            process.wait_until("listening", || {
                let answer = Request::get("/.well-known/openid-configuration").host("127.0.0.1").try_send(port);
                answer.is_ok_and(|answer| answer.status == 200)
            });
            Self { _process: process, port }
        })
    }

    pub fn issuer(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Registers us as a client that comes back to `redirect_uri`.
    pub fn register(&self, redirect_uri: &str) -> Registration {
        let client = json!({
            "redirect_uris": [redirect_uri],
            "grant_types": ["authorization_code", "refresh_token"],
        });
        let answer = self.post("/reg", &client);
        assert_eq!(answer.status, 201, "{}", answer.text());
        let text = |name: &str| answer.json()[name].as_str().unwrap().to_owned();
        Registration {
            client_id: text("client_id"),
            client_secret: Some(Secret::new(text("client_secret"))),
            secret_in: None,
        }
    }

    /// Disables or enables an account. Others use the same provider: take Carol's, and give it back.
    pub fn set_disabled(&self, name: &str, disabled: bool) {
        let answer = self.post(&format!("/test/accounts/{name}"), &json!({ "disabled": disabled }));
        assert_eq!(answer.status, 204);
    }

    fn post(&self, path: &str, body: &serde_json::Value) -> super::http::Response {
        let request = Request::new("POST", path).host(&format!("127.0.0.1:{}", self.port));
        request.body("application/json", body.to_string()).send(self.port)
    }

    /// Signs `name` in on the page that `url` leads to, says yes to whatever is asked then, and comes home.
    pub fn sign_in(browser: &mut Browser, url: &Url, name: &str) -> Page {
        let page = browser.visit(url);
        let page = browser.submit(&page, &[("login", name), ("password", "any")]);
        Self::approve(browser, page)
    }

    /// Approves, and ends the session of whoever signed in here before: the pages between a login and home.
    pub fn approve(browser: &mut Browser, mut page: Page) -> Page {
        for _ in 0..3 {
            if page.status == 0 {
                break;
            }
            page = browser.submit(&page, &[]);
        }
        page
    }
}
