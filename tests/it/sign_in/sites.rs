//! Google, GitHub and Microsoft as their documentation records them, by their real names: each signs one account in without
//! a question. What they are asked is kept, so that a test can look at it.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::issuer::{SigningKey, Token, encode, key_set, now};
use crate::support::outside::Outside;
use crate::support::web::{Answer, Received, Web};

pub const CLIENT_ID: &str = "our-client";
pub const CLIENT_SECRET: &str = "client-secret-value";
pub const TENANT: &str = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
const CODE: &str = "code-of-the-provider";

/// A provider with every host that it has.
pub struct Site {
    pub outside: Outside,
    /// What the browser was last sent with, until its code was redeemed.
    open: Arc<Mutex<Option<Received>>>,
    /// What codes were redeemed for: the request, and the form at the token endpoint.
    redeemed: Arc<Mutex<Vec<(Received, Received)>>>,
    webs: Vec<Web>,
}

const ORGANISATIONS: &str = "/user/orgs?per_page=100&page=1";

impl Site {
    /// Google with this account of a Workspace.
    pub fn google(name: &str) -> Self {
        let (accounts, tokens, keys) = (Web::start(), Web::start(), Web::start());
        let key = SigningKey::generate("key", "RS256");
        let metadata = json!({
            "issuer": "https://accounts.google.com",
            "authorization_endpoint": "https://accounts.google.com/o/oauth2/v2/auth",
            "token_endpoint": "https://oauth2.googleapis.com/token",
            "userinfo_endpoint": "https://openidconnect.googleapis.com/v1/userinfo",
            "jwks_uri": "https://www.googleapis.com/oauth2/v3/certs",
            "response_types_supported": ["code", "token", "id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid", "email", "profile"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            "code_challenge_methods_supported": ["plain", "S256"],
        });
        accounts.answer("/.well-known/openid-configuration", Answer::Json(metadata.to_string()));
        keys.answer("/oauth2/v3/certs", Answer::Json(key_set([&key])));
        let claims = json!({
            "iss": "https://accounts.google.com",
            "azp": CLIENT_ID,
            "sub": format!("10769150350006150715-{name}"),
            "hd": "example.com",
            "email": format!("{name}@example.com"),
            "email_verified": true,
            "name": name,
        });
        let site = Self::of(&[
            ("accounts.google.com", &accounts),
            ("oauth2.googleapis.com", &tokens),
            ("www.googleapis.com", &keys),
        ]);
        accounts.answer("*/o/oauth2/v2/auth?", site.authorization());
        tokens.answer("/token", site.tokens(move |asked| id_token(&key, &claims, asked)));
        Self { webs: vec![accounts, tokens, keys], ..site }
    }

    /// github.com with this account, which is in one organisation.
    pub fn github(name: &str) -> Self {
        let (web, api) = (Web::start(), Web::start());
        let site = Self::of(&[("github.com", &web), ("api.github.com", &api)]);
        web.answer("*/login/oauth/authorize?", site.authorization());
        let tokens =
            json!({ "access_token": "gho_value", "scope": "read:org,read:user,user:email", "token_type": "bearer" });
        web.answer("/login/oauth/access_token", site.tokens(move |_| tokens.clone()));
        let documents = [
            ("/user", json!({ "login": name, "id": 583_231, "name": name, "email": null })),
            (
                "/user/emails?per_page=100&page=1",
                json!([{ "email": format!("{name}@example.com"), "verified": true, "primary": true }]),
            ),
            (ORGANISATIONS, json!([{ "login": "example", "id": 1 }])),
            ("/user/teams?per_page=100&page=1", json!([])),
        ];
        for (path, document) in documents {
            let given = move |request: &Received| match request.header("authorization") {
                Some("Bearer gho_value" | "token gho_value") => Answer::Json(document.to_string()),
                _ => Answer::Status(401),
            };
            api.answer(path, Answer::made(given));
        }
        Self { webs: vec![web, api], ..site }
    }

    /// Entra ID with this account of the tenant.
    pub fn entra(name: &str) -> Self {
        let web = Web::start();
        let key = SigningKey::generate("key", "RS256");
        let at = |path: &str| format!("https://login.microsoftonline.com/{TENANT}{path}");
        let metadata = json!({
            "issuer": at("/v2.0"),
            "authorization_endpoint": at("/oauth2/v2.0/authorize"),
            "token_endpoint": at("/oauth2/v2.0/token"),
            "userinfo_endpoint": "https://graph.microsoft.com/oidc/userinfo",
            "jwks_uri": at("/discovery/v2.0/keys"),
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "tenant_region_scope": "EU",
        });
        let claims = json!({
            "iss": at("/v2.0"),
            "tid": TENANT,
            "ver": "2.0",
            "oid": "00001111-aaaa-2222-bbbb-3333cccc4444",
            "sub": format!("pairwise-{name}"),
            "email": format!("{name}@example.com"),
            "preferred_username": format!("{name}@example.com"),
            "name": name,
        });
        let site = Self::of(&[("login.microsoftonline.com", &web)]);
        let place = |path: &str| format!("/{TENANT}{path}");
        web.answer(&place("/v2.0/.well-known/openid-configuration"), Answer::Json(metadata.to_string()));
        web.answer(&place("/discovery/v2.0/keys"), Answer::Json(key_set([&key])));
        web.answer(&format!("*{}?", place("/oauth2/v2.0/authorize")), site.authorization());
        let tokens = site.tokens(move |asked| id_token(&key, &claims, asked));
        web.answer(&place("/oauth2/v2.0/token"), tokens);
        Self { webs: vec![web], ..site }
    }

    /// The only sign-in: what the browser was sent with, and what was posted to the token endpoint.
    pub fn only_sign_in(&self) -> (Received, Received) {
        let redeemed = self.redeemed.lock().unwrap();
        assert_eq!(redeemed.len(), 1, "{redeemed:?}");
        redeemed[0].clone()
    }

    /// The account at GitHub leaves its organisation.
    pub fn leave_the_organisation(&self) {
        self.webs.iter().for_each(|web| web.answer(ORGANISATIONS, Answer::Json("[]".to_owned())));
    }

    fn of(hosts: &[(&str, &Web)]) -> Self {
        Self { outside: Outside::of(hosts), open: Arc::default(), redeemed: Arc::default(), webs: Vec::new() }
    }

    /// The account is signed in already and has consented: the browser goes back at once.
    fn authorization(&self) -> Answer {
        let open = Arc::clone(&self.open);
        Answer::made(move |request| {
            let (Some(back), Some(state)) = (request.parameter("redirect_uri"), request.parameter("state")) else {
                return Answer::Status(400);
            };
            *open.lock().unwrap() = Some(request.clone());
            let state: String = url::form_urlencoded::byte_serialize(state.as_bytes()).collect();
            Answer::Redirect(format!("{back}?code={CODE}&state={state}"))
        })
    }

    /// Redeems a code once, for the client that asked, from where it asked, with its verifier (RFC 6749 §4.1.3, RFC 7636
    /// §4.6).
    fn tokens(&self, make: impl Fn(&Received) -> Value + Send + Sync + 'static) -> Answer {
        let (open, redeemed) = (Arc::clone(&self.open), Arc::clone(&self.redeemed));
        Answer::made(move |request| {
            let Some(asked) = open.lock().unwrap().take() else { return refusal("no code") };
            if let Some(wrong) = what_is_wrong(&asked, request) {
                return refusal(wrong);
            }
            redeemed.lock().unwrap().push((asked.clone(), request.clone()));
            Answer::Json(make(&asked).to_string())
        })
    }
}

fn what_is_wrong(asked: &Received, request: &Received) -> Option<&'static str> {
    let field = |name: &str| request.field(name).unwrap_or_default();
    let challenge = encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, field("code_verifier").as_bytes()));
    let checks = [
        ("code", field("code") == CODE),
        ("client", is_us(request)),
        ("redirect_uri", Some(field("redirect_uri")) == asked.parameter("redirect_uri")),
        ("code_verifier", Some(challenge) == asked.parameter("code_challenge")),
        ("code_challenge_method", asked.parameter("code_challenge_method").as_deref() == Some("S256")),
    ];
    checks.into_iter().find(|(_, is_right)| !is_right).map(|(name, _)| name)
}

/// The secret comes in the header or in the form (RFC 6749 §2.3.1).
fn is_us(request: &Received) -> bool {
    let basic = format!("Basic {}", STANDARD.encode(format!("{CLIENT_ID}:{CLIENT_SECRET}")));
    let field = |name: &str| request.field(name).unwrap_or_default();
    let in_the_form = || [field("client_id"), field("client_secret")] == [CLIENT_ID, CLIENT_SECRET];
    request.header("authorization").map_or_else(in_the_form, |header| header == basic)
}

fn refusal(what: &str) -> Answer {
    Answer::StatusJson(400, json!({ "error": "invalid_grant", "error_description": what }).to_string())
}

fn id_token(key: &SigningKey, claims: &Value, asked: &Received) -> Value {
    let token = Token { header: json!({ "alg": "RS256", "kid": "key", "typ": "JWT" }), claims: claims.clone() };
    let token = token.claim("aud", CLIENT_ID).claim("nonce", asked.parameter("nonce"));
    let token = token.claim("iat", now() - 1).claim("exp", now() + 300);
    json!({
        "access_token": "access-token-value",
        "token_type": "Bearer",
        "expires_in": 300,
        "id_token": token.signed_by(key),
    })
}
