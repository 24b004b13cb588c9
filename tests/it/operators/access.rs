//! A person lets a client in, step by step as browsers and clients do it.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use url::Url;

use super::stage::Stage;
use crate::support::browser::{Browser, Page};
use crate::support::http::Response;

const REDIRECT_URI: &str = "http://localhost:3030/callback";
const VERIFIER: &str = "a-code-verifier-of-more-than-43-characters-for-tests";

/// What a client has once somebody let it in.
#[derive(Debug, Clone)]
pub struct Access {
    pub client: String,
    /// The path of the resource.
    pub path: &'static str,
    pub token: String,
    pub refresh: String,
}

impl Stage {
    /// A new client that calls itself `name`.
    pub fn register(&self, name: &str) -> String {
        let metadata = json!({
            "client_name": name,
            "redirect_uris": [REDIRECT_URI],
            "token_endpoint_auth_method": "none",
            "grant_types": ["authorization_code", "refresh_token"],
        });
        let answer = self.request("POST", "/register").body("application/json", metadata.to_string()).send(self.port);
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()["client_id"].as_str().unwrap().to_owned()
    }

    /// `email` lets `client` use the resource at `path`.
    pub fn let_in(&self, email: &str, client: &str, path: &'static str) -> Access {
        let page = self.walk(email, client, path, "approve");
        let code = page.parameter("code").unwrap_or_else(|| panic!("no code: {page:?}"));
        let answer = self.post_form(
            "/token",
            &[
                ("grant_type", "authorization_code"),
                ("client_id", client),
                ("code", &code),
                ("code_verifier", VERIFIER),
            ],
        );
        assert_eq!(answer.status, 200, "{answer:?}");
        let text = |name: &str| answer.json()[name].as_str().unwrap().to_owned();
        Access { client: client.to_owned(), path, token: text("access_token"), refresh: text("refresh_token") }
    }

    /// Where the browser of `email` ends on the way for `client`: at the client, or on a page that goes no further.
    pub fn walk(&self, email: &str, client: &str, path: &str, decision: &str) -> Page {
        let mut browser = Browser::new(REDIRECT_URI);
        let question = browser.visit(&self.authorize_url(client, path));
        if question.status != 200 {
            return question;
        }
        let forwarding = browser.submit(&question, &[("decision", decision)]);
        let next = forwarding.link();
        if next.as_str().starts_with(REDIRECT_URI) {
            return Page { url: next, ..forwarding };
        }
        let sign_in = browser.visit(&next);
        let forwarding = browser.submit(&sign_in, &[("email", email)]);
        browser.follow(&forwarding)
    }

    fn authorize_url(&self, client: &str, path: &str) -> Url {
        let challenge = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, VERIFIER.as_bytes()));
        let parameters = [
            ("response_type", "code"),
            ("client_id", client),
            ("redirect_uri", REDIRECT_URI),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("resource", &self.resource(path)),
            ("scope", "mcp:read"),
            ("state", "some-state"),
        ];
        Url::parse_with_params(&format!("{}/authorize", self.issuer()), parameters).unwrap()
    }

    pub fn is_good(&self, access: &Access) -> bool {
        self.lets_through(access.path, &access.token)
    }

    pub fn refresh(&self, access: &Access) -> Response {
        self.post_form(
            "/token",
            &[("grant_type", "refresh_token"), ("client_id", &access.client), ("refresh_token", &access.refresh)],
        )
    }

    /// The error that a refresh meets.
    pub fn refresh_error(&self, access: &Access) -> String {
        let answer = self.refresh(access);
        assert_ne!(answer.status, 200, "{answer:?}");
        answer.json()["error"].as_str().unwrap().to_owned()
    }

    /// Tokens after a refresh.
    pub fn refreshed(&self, access: &Access) -> Access {
        let answer = self.refresh(access);
        assert_eq!(answer.status, 200, "{answer:?}");
        let body: Value = answer.json();
        let text = |name: &str| body[name].as_str().unwrap().to_owned();
        Access { token: text("access_token"), refresh: text("refresh_token"), ..access.clone() }
    }
}
