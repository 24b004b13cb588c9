//! An identity provider that answers wrongly, or somebody who answers in its place: no code comes of it.

use serde_json::json;
use url::Url;

use super::house::{HOME, House, forwarded};
use crate::idp::fake::{CLIENT_ID, CLIENT_SECRET, CODE, Fake, change};
use crate::support::browser::{Browser, Page};
use crate::support::issuer::{SigningKey, Token, now};
use crate::support::report::Report;
use crate::support::web::{Answer, Web};

/// The provider as our only one.
pub fn configured(provider: &Fake) -> String {
    format!(
        "[authorization_server.identity_provider]\nkind = \"oidc\"\nname = \"idp\"\nissuer = \"{}\"\n\
         client_id = \"{CLIENT_ID}\"\nclient_secret = \"{CLIENT_SECRET}\"\n",
        provider.url()
    )
}

/// Somebody at the provider's door, with a sign-in of ours in hand.
pub struct AtProvider {
    pub browser: Browser,
    /// What the provider was asked.
    pub asked: Url,
}

impl AtProvider {
    pub fn new(house: &House, client: &str) -> Self {
        let mut browser = Browser::new(HOME);
        let question = house.question(&mut browser, client, &[]);
        let forwarding = browser.submit(&question, &[("decision", "approve")]);
        let asked = forwarded(&forwarding).unwrap_or_else(|| panic!("{}", forwarding.text));
        Self { browser, asked }
    }

    pub fn parameter(&self, name: &str) -> String {
        let found = self.asked.query_pairs().find(|(known, _)| known == name);
        found.unwrap_or_else(|| panic!("no {name} in {}", self.asked)).1.into_owned()
    }

    /// The ID token that the provider would give for this sign-in.
    pub fn id_token(&self, provider: &Fake) -> Token {
        provider.id_token().claim("nonce", self.parameter("nonce"))
    }

    /// Comes back with these parameters besides `state`.
    pub fn returns(&mut self, query: &[(&str, &str)]) -> Page {
        let mut back = Url::parse(&self.parameter("redirect_uri")).unwrap();
        back.query_pairs_mut().extend_pairs(query).append_pair("state", &self.parameter("state"));
        self.browser.visit(&back)
    }
}

/// The client is told of an error, and nobody is signed in.
fn nothing_came_of_it(house: &House, somebody: &mut AtProvider, page: &Page, report: &mut Report) {
    report.equal("code", page.parameter("code"), None);
    report.holds(page.url.as_str().starts_with(HOME), || format!("{} {}", page.status, page.url));
    let error = page.parameter("error").unwrap_or_default();
    report.holds(["access_denied", "temporarily_unavailable", "server_error"].contains(&&*error), || error.clone());
    report.equal("iss", page.parameter("iss"), Some(house.issuer()));
    let connections = somebody.browser.visit(&Url::parse(&house.issuer()).unwrap().join("/connections").unwrap());
    report.holds(connections.url.path() != "/connections", || "somebody is signed in".to_owned());
}

#[test]
fn an_answer_that_is_not_the_providers_own_gives_no_code() {
    let provider = Fake::start();
    let house = House::start_with(&configured(&provider), "memory:");
    let client = house.register();
    let other = Web::start();
    other.answer("/token", Answer::Json("{}".into()));
    let stranger = SigningKey::generate("key-1", "ES256");
    let mut report = Report::new("answers of the provider");
    let good = |at: &AtProvider| json!({ "id_token": at.id_token(&provider).signed_by(&provider.keys[0]) });
    let signed = |token: Token| json!({ "id_token": token.signed_by(&provider.keys[0]) });
    for (name, claims) in [
        ("another nonce", json!({ "nonce": "another" })),
        ("no nonce", json!({ "nonce": null })),
        ("another audience", json!({ "aud": "another-client" })),
        ("audiences of which we are one", json!({ "aud": [CLIENT_ID, "another"] })),
        ("another party", json!({ "azp": "another-client" })),
        ("another issuer", json!({ "iss": "https://evil.example" })),
        ("an old token", json!({ "exp": now() - 600 })),
        ("no subject", json!({ "sub": null })),
        ("a subject with a line break", json!({ "sub": "a\r\nb" })),
        ("a subject of 10 KB", json!({ "sub": "x".repeat(10_000) })),
    ] {
        report.row(name);
        let mut alice = AtProvider::new(&house, &client.id);
        let mut token = alice.id_token(&provider);
        change(&mut token.claims, &claims);
        provider.gives_tokens(&signed(token));
        let page = alice.returns(&[("code", CODE)]);
        nothing_came_of_it(&house, &mut alice, &page, &mut report);
    }
    for name in ["another key", "no signature", "no ID token", "no JWT", "no access token", "an error"] {
        report.row(name);
        let mut alice = AtProvider::new(&house, &client.id);
        let token = alice.id_token(&provider);
        let mut tokens = good(&alice);
        change(
            &mut tokens,
            &match name {
                "another key" => json!({ "id_token": token.signed_by(&stranger) }),
                "no signature" => json!({ "id_token": token.parameter("alg", "none").with_signature(b"") }),
                "no ID token" => json!({ "id_token": null }),
                "no JWT" => json!({ "id_token": "x.y.z" }),
                "no access token" => json!({ "access_token": "" , "token_type": "none" }),
                _ => json!({ "error": "invalid_grant" }),
            },
        );
        provider.gives_tokens(&tokens);
        let page = alice.returns(&[("code", CODE)]);
        nothing_came_of_it(&house, &mut alice, &page, &mut report);
    }
    for (name, answer) in [
        ("500", Answer::Status(500)),
        ("500 with tokens", Answer::Status(500)),
        ("a redirect", Answer::Redirect(other.url() + "/token")),
        ("50 MB", Answer::Huge(50 * 1024 * 1024)),
        ("a page", Answer::Json("<html>".into())),
        ("nothing", Answer::Status(204)),
    ] {
        report.row(name);
        let mut alice = AtProvider::new(&house, &client.id);
        provider.gives_tokens(&good(&alice));
        let with_tokens = json!({ "access_token": "x", "token_type": "Bearer", "id_token": good(&alice)["id_token"] });
        let answer = if name == "500 with tokens" { Answer::StatusJson(500, with_tokens.to_string()) } else { answer };
        provider.web.answer("/token", answer);
        let page = alice.returns(&[("code", CODE)]);
        nothing_came_of_it(&house, &mut alice, &page, &mut report);
    }
    report.row("where the redirect led");
    report.equal("requests", other.requests(), Vec::<String>::new());
    report.row("the good answer");
    let mut alice = AtProvider::new(&house, &client.id);
    provider.gives_tokens(&good(&alice));
    let code = alice.returns(&[("code", CODE)]).parameter("code");
    report.holds(code.is_some(), || "no code".to_owned());
    report.finish();
}

/// RFC 9207, on the other side: the answer of another provider, sent on to us.
#[test]
fn an_answer_that_names_another_provider_is_not_redeemed() {
    let provider = Fake::start();
    provider.publish_with(&json!({ "authorization_response_iss_parameter_supported": true }));
    let house = House::start_with(&configured(&provider), "memory:");
    let client = house.register();
    let mut report = Report::new("iss of the provider");
    let (own, slash) = (provider.url(), format!("{}/", provider.url()));
    for (name, query) in [
        ("another", vec![("code", CODE), ("iss", "https://evil.example")]),
        ("none", vec![("code", CODE)]),
        ("with a slash", vec![("code", CODE), ("iss", &*slash)]),
        ("ours", vec![("code", CODE), ("iss", "http://localhost")]),
        ("no code", vec![("iss", &*own)]),
        ("an error", vec![("error", "access_denied"), ("iss", &*own)]),
        ("an error of another", vec![("error", "access_denied"), ("iss", "https://evil.example")]),
        ("an error that is markup", vec![("error", "<script>alert(1)</script>"), ("error_description", "<script>")]),
        ("an error and a code", vec![("error", "x"), ("code", CODE), ("iss", &*own)]),
    ] {
        report.row(name);
        let mut alice = AtProvider::new(&house, &client.id);
        provider.gives(&alice.id_token(&provider));
        provider.web.forget_requests();
        let page = alice.returns(&query);
        nothing_came_of_it(&house, &mut alice, &page, &mut report);
        report.equal("requests to redeem it", provider.web.requests_for("/token"), 0);
        report.holds(!page.url.as_str().contains("%3Cscript"), || page.url.to_string());
    }
    report.row("two codes");
    let mut alice = AtProvider::new(&house, &client.id);
    provider.gives(&alice.id_token(&provider));
    let page = alice.returns(&[("code", CODE), ("code", "another"), ("iss", &own)]);
    report.equal("status", page.status, 400);
    report.row("the good answer");
    report.holds(alice.returns(&[("code", CODE), ("iss", &own)]).parameter("code").is_some(), || "no code".to_owned());
    report.finish();
}
