//! One client with its person, who do one step after another; a step that got no answer is taken again.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use url::Url;

use super::visitor::Visitor;
use crate::oauth_attacks::house::{CHALLENGE, HOME, House, SECRET, Tokens, VERIFIER, forwarded, outcome};
use crate::support::browser::Page;
use crate::support::http::Response;

/// What a worker is about to do.
#[derive(Debug, Clone)]
enum Step {
    Register,
    Authorize {
        client: String,
    },
    Consent {
        client: String,
        request: String,
        csrf: String,
    },
    SignIn {
        client: String,
        state: String,
    },
    Redeem {
        client: String,
        code: String,
    },
    /// Shows a used code again, which ends what it gave.
    Replay {
        client: String,
        code: String,
        tokens: Tokens,
    },
    Refresh {
        client: String,
        tokens: Tokens,
        since: Instant,
        left: u32,
    },
    /// Shows a refresh token again that was used a moment ago.
    Retry {
        client: String,
        used: String,
        tokens: Tokens,
        since: Instant,
        left: u32,
    },
}

/// What was answered, and so must count.
#[derive(Default)]
pub struct Ledger {
    /// Clients with their registration access tokens.
    registered: Vec<(String, String)>,
    /// Clients with tokens that nobody took back.
    standing: Vec<(String, Tokens)>,
    /// The same of codes that were used twice.
    ended: Vec<(String, Tokens)>,
}

pub struct Worker {
    visitor: Visitor,
    port: u16,
    step: Step,
    /// This step was perhaps taken before the service died.
    uncertain: bool,
    flows: u32,
    ledger: Ledger,
}

/// A refresh token may be shown again for half a minute; on a busy machine that may be over before we come to it.
const WINDOW: Duration = Duration::from_secs(20);

impl Worker {
    pub fn new(number: usize, port: u16) -> Self {
        let (visitor, ledger) = (Visitor::new(number, port), Ledger::default());
        Self { visitor, port, step: Step::Register, uncertain: false, flows: 0, ledger }
    }

    /// Works until there is no answer.
    pub fn work_until_the_end(&mut self, answers: &AtomicUsize) {
        while let Some(next) = self.take() {
            self.step = next;
            self.uncertain = false;
            answers.fetch_add(1, Ordering::SeqCst);
        }
        self.uncertain = true;
    }

    pub const fn step_name(&self) -> &'static str {
        match self.step {
            Step::Register => "register",
            Step::Authorize { .. } => "authorize",
            Step::Consent { .. } => "consent",
            Step::SignIn { .. } => "sign in",
            Step::Redeem { .. } => "redeem",
            Step::Replay { .. } => "replay",
            Step::Refresh { .. } => "refresh",
            Step::Retry { .. } => "retry",
        }
    }

    /// Takes the last step again, which must have an answer now, and hands over what is known.
    pub fn finish(mut self) -> Ledger {
        self.take().expect("an answer of a service that nobody kills");
        self.ledger
    }

    /// Takes the step; what comes next.
    fn take(&mut self) -> Option<Step> {
        match self.step.clone() {
            Step::Register => self.register(),
            Step::Authorize { client } => self.authorize(client),
            Step::Consent { client, request, csrf } => self.consent(client, &request, &csrf),
            Step::SignIn { client, state } => self.sign_in(client, &state),
            Step::Redeem { client, code } => self.redeem(client, code),
            Step::Replay { client, code, tokens } => self.replay(client, &code, tokens),
            Step::Refresh { client, tokens, since, left } => self.refresh(client, &tokens, since, left),
            Step::Retry { client, used, tokens, since, left } => self.retry(client, &used, tokens, since, left),
        }
    }

    fn register(&mut self) -> Option<Step> {
        let body = json!({ "redirect_uris": [HOME], "token_endpoint_auth_method": "none" }).to_string();
        let answer = self.visitor.send(self.visitor.request("POST", "/register").body("application/json", body))?;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let text = |name: &str| answer.json()[name].as_str().unwrap().to_owned();
        self.ledger.registered.push((text("client_id"), text("registration_access_token")));
        Some(Step::Authorize { client: text("client_id") })
    }

    fn authorize(&mut self, client: String) -> Option<Step> {
        let query = crate::oauth_attacks::house::form(&[
            ("response_type", "code"),
            ("client_id", &client),
            ("redirect_uri", HOME),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
            ("resource", &format!("http://localhost:{}/mcp", self.port)),
        ]);
        let begun = self.visitor.get(&format!("/authorize?{query}"))?;
        assert_eq!(begun.status, 303, "{}", begun.text());
        let question = self.visitor.get(begun.header("location").unwrap())?;
        assert_eq!(question.status, 200, "{}", question.text());
        let fields = self.page(&question).form().fields;
        let field = |name: &str| fields.iter().find(|(known, _)| known == name).unwrap().1.clone();
        Some(Step::Consent { client, request: field("request"), csrf: field("csrf") })
    }

    /// Saying yes twice is saying it once, whatever happened in between.
    fn consent(&mut self, client: String, request: &str, csrf: &str) -> Option<Step> {
        let fields = [("request", request), ("csrf", csrf), ("decision", "approve")];
        let answer = self.visitor.post("/consent", &fields)?;
        let to_provider = forwarded(&self.page(&answer)).unwrap_or_else(|| panic!("{}", answer.text()));
        let state = to_provider.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
        Some(Step::SignIn { client, state })
    }

    fn sign_in(&mut self, client: String, state: &str) -> Option<Step> {
        let fields = [("state", state), ("email", "alice@example.com")];
        let sent = self.visitor.post("/sign-in/development", &fields)?;
        let callback = forwarded(&self.page(&sent)).unwrap_or_else(|| panic!("{}", sent.text()));
        let answer = self.visitor.get(&callback[url::Position::BeforePath..])?;
        if answer.status == 409 {
            assert!(self.uncertain, "an answer that was given only once: {}", answer.text());
            return Some(Step::Authorize { client });
        }
        let location = answer.header("location").unwrap_or_else(|| panic!("{answer:?}"));
        let location = Url::parse(location).unwrap();
        let code = location.query_pairs().find(|(name, _)| name == "code");
        let code = code.unwrap_or_else(|| panic!("no code: {location}")).1.into_owned();
        Some(Step::Redeem { client, code })
    }

    fn redeem(&mut self, client: String, code: String) -> Option<Step> {
        let answer = self.redeem_code(&client, &code)?;
        if answer.status != 200 && self.uncertain {
            // It was used, and its answer lost: then it is never good again.
            assert_eq!(outcome(&answer).1, "invalid_grant");
            return Some(Step::Authorize { client });
        }
        let tokens = Tokens::of(&answer);
        self.flows += 1;
        if self.flows.is_multiple_of(3) {
            return Some(Step::Replay { client, code, tokens });
        }
        Some(Step::Refresh { client, tokens, since: Instant::now(), left: 3 })
    }

    fn redeem_code(&mut self, client: &str, code: &str) -> Option<Response> {
        let fields = [
            ("grant_type", "authorization_code"),
            ("client_id", client),
            ("code", code),
            ("redirect_uri", HOME),
            ("code_verifier", VERIFIER),
        ];
        self.visitor.post("/token", &fields)
    }

    fn replay(&mut self, client: String, code: &str, tokens: Tokens) -> Option<Step> {
        let answer = self.redeem_code(&client, code)?;
        assert_eq!(outcome(&answer), (400, "invalid_grant".to_owned()), "a code is good once");
        assert_eq!(self.visitor.ask(&tokens.access)?, 401, "and what it gave is over");
        self.ledger.ended.push((client, tokens));
        Some(Step::Register)
    }

    fn ask_again(&mut self, client: &str, token: &str) -> Option<Response> {
        self.visitor.post("/token", &[("grant_type", "refresh_token"), ("client_id", client), ("refresh_token", token)])
    }

    fn refresh(&mut self, client: String, tokens: &Tokens, since: Instant, left: u32) -> Option<Step> {
        let late = self.uncertain && since.elapsed() > WINDOW;
        let answer = self.ask_again(&client, &tokens.refresh)?;
        if late && answer.status != 200 {
            return Some(Step::Register);
        }
        let next = Tokens::of(&answer);
        assert_ne!(next.refresh, tokens.refresh, "each refresh replaces the token");
        Some(Step::Retry { client, used: tokens.refresh.clone(), tokens: next, since: Instant::now(), left })
    }

    /// The same successor, however often the service died meanwhile: two would be two families.
    fn retry(&mut self, client: String, used: &str, tokens: Tokens, since: Instant, left: u32) -> Option<Step> {
        if since.elapsed() < WINDOW {
            let again = Tokens::of(&self.ask_again(&client, used)?);
            assert_eq!(again.refresh, tokens.refresh, "a refresh token has one successor");
        }
        assert_eq!(self.visitor.ask(&tokens.access)?, 200, "a token that was given is good");
        if left > 0 {
            return Some(Step::Refresh { client, tokens, since: Instant::now(), left: left - 1 });
        }
        self.ledger.standing.push((client, tokens));
        Some(Step::Register)
    }

    fn page(&self, answer: &Response) -> Page {
        let url = Url::parse(&format!("http://localhost:{}", self.port)).unwrap();
        Page { url, status: answer.status, text: answer.text() }
    }
}

impl Ledger {
    /// After the last start, everything that was ever answered still counts.
    pub fn check(&self, number: usize, house: &House) {
        let mut visitor = Visitor::new(100 + number, house.port);
        for (client, token) in &self.registered {
            let request = visitor.request("GET", &format!("/register/{client}")).bearer(token);
            assert_eq!(visitor.send(request).unwrap().status, 200, "the registration of {client}");
        }
        for (client, tokens) in &self.standing {
            assert_eq!(visitor.ask(&tokens.access), Some(200));
            assert!(describe(&mut visitor, &tokens.access) && describe(&mut visitor, &tokens.refresh));
            assert_eq!(house.refresh(client, &tokens.refresh, &[]).status, 200);
        }
        for (client, tokens) in &self.ended {
            assert_eq!(visitor.ask(&tokens.access), Some(401));
            assert!(!describe(&mut visitor, &tokens.access) && !describe(&mut visitor, &tokens.refresh));
            assert_eq!(house.refresh(client, &tokens.refresh, &[]).status, 400);
        }
        assert!(!self.registered.is_empty(), "worker {number} got nowhere");
    }
}

/// Whether the operator's watcher is told that a token is good.
fn describe(visitor: &mut Visitor, token: &str) -> bool {
    let secret = format!("{SECRET}-of-watcher");
    let fields = [("token", token), ("client_id", "watcher"), ("client_secret", &*secret)];
    visitor.post("/introspect", &fields).unwrap().json()["active"] == Value::Bool(true)
}
