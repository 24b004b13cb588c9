//! GitHub, as its documentation records it: <https://docs.github.com/apps/oauth-apps> and <https://docs.github.com/rest>.

use mcp_forward_auth::domain::Person;
use mcp_forward_auth::idp::ProviderSettings;
use mcp_forward_auth::idp::github::GithubSettings;
use serde_json::{Value, json};

use super::fake::{
    ACCESS_TOKEN, CLIENT_ID, CLIENT_SECRET, CODE, Client, REDIRECT_URI, REFRESH_TOKEN, STATE, VERIFIER, callback,
    outcome, registration, run, start,
};
use crate::support::issuer::encode;
use crate::support::report::Report;
use crate::support::web::{Answer, Web};

const TOKEN: &str = "/login/oauth/access_token";
const PAGE: &str = "?per_page=100&page=1";

/// An Enterprise server: the API stands under `/api/v3` of the same host.
struct Github(Web);

impl Github {
    fn start() -> Self {
        let github = Self(Web::start());
        github.gives(
            &json!({ "access_token": ACCESS_TOKEN, "scope": "read:org,read:user,user:email", "token_type": "bearer" }),
        );
        github.api(
            "user",
            &json!({ "login": "octocat", "id": 583_231, "name": "The Octocat", "email": "shown@example.com" }),
        );
        github.api(
            &format!("user/emails{PAGE}"),
            &json!([
                { "email": "other@example.com", "verified": true, "primary": false, "visibility": null },
                { "email": "Octocat@Example.com", "verified": true, "primary": true, "visibility": "private" },
            ]),
        );
        github.api(&format!("user/orgs{PAGE}"), &json!([{ "login": "github", "id": 1 }]));
        github.api(&format!("user/teams{PAGE}"), &json!([
            { "id": 1, "name": "Justice League", "slug": "justice-league", "organization": { "login": "github", "id": 1 } },
        ]));
        github
    }

    fn gives(&self, answer: &Value) {
        self.0.answer(TOKEN, Answer::Json(answer.to_string()));
    }

    fn api(&self, path: &str, answer: &Value) {
        self.api_answers(path, Answer::Json(answer.to_string()));
    }

    fn api_answers(&self, path: &str, answer: Answer) {
        self.0.answer(&format!("/api/v3/{path}"), answer);
    }

    fn settings(&self) -> GithubSettings {
        GithubSettings { web_url: self.0.url(), ..GithubSettings::new(registration()) }
    }

    fn client(&self) -> Client {
        Client::new(ProviderSettings::Github(self.settings()))
    }
}

fn octocat() -> Person {
    Person {
        provider: "idp".into(),
        subject: "583231".into(),
        email: mcp_forward_auth::domain::Email::parse("octocat@example.com"),
        email_verified: true,
        user_name: Some("octocat".into()),
        name: Some("The Octocat".into()),
        groups: vec!["github".into(), "github/justice-league".into()],
    }
}

#[test]
fn the_browser_is_sent_with_pkce_and_the_scopes_that_reading_needs() {
    let github = Github::start();
    let challenge = encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, VERIFIER.as_bytes()));
    let mut expected = json!({
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": REDIRECT_URI,
        "scope": "read:user user:email read:org",
        "state": STATE,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    });
    assert_eq!(github.client().request(&start()), expected);
    let settings = GithubSettings { organizations: false, ..github.settings() };
    let chosen = mcp_forward_auth::idp::SignInStart { choose_account: true, ..start() };
    expected["scope"] = json!("read:user user:email");
    expected["prompt"] = json!("select_account");
    assert_eq!(Client::new(ProviderSettings::Github(settings)).request(&chosen), expected);
}

#[test]
fn the_numeric_id_is_the_subject_and_the_primary_verified_address_the_address() {
    let github = Github::start();
    assert_eq!(github.client().redeem().unwrap().person, octocat());
    let request = github.0.only_request_for(TOKEN);
    let fields = ["client_id", "client_secret", "code", "redirect_uri", "code_verifier"];
    let sent = fields.map(|name| request.field(name).unwrap_or_default());
    assert_eq!(sent, [CLIENT_ID, CLIENT_SECRET, CODE, REDIRECT_URI, VERIFIER]);
    assert_eq!(request.header("authorization"), None);
}

/// Without `Accept` the token endpoint answers a form, without `User-Agent` the API answers 403.
#[test]
fn every_request_says_what_it_takes_and_who_asks() {
    let github = Github::start();
    github.client().redeem().unwrap();
    assert_eq!(github.0.only_request_for(TOKEN).header("accept"), Some("application/json"));
    for request in github.0.received() {
        let agent = request.header("user-agent").unwrap_or_default();
        assert!(agent.starts_with("mcp-forward-auth/"), "{} {agent}", request.target);
        if request.target != TOKEN {
            let bearer = format!("Bearer {ACCESS_TOKEN}");
            let names = ["accept", "x-github-api-version", "authorization"];
            let sent = names.map(|name| request.header(name).unwrap_or_default());
            assert_eq!(sent, ["application/vnd.github+json", "2022-11-28", &bearer], "{}", request.target);
        }
    }
}

#[test]
fn errors_come_with_status_200() {
    let described = |error: &str| json!({ "error": error, "error_description": "Text.", "error_uri": "/apps/x" });
    let rows = [
        ("bad_verification_code", "refused"),
        ("unverified_user_email", "refused"),
        ("incorrect_client_credentials", "unavailable"),
        ("redirect_uri_mismatch", "unavailable"),
        ("unsupported_grant_type", "unavailable"),
    ];
    let github = Github::start();
    for (error, expected) in rows {
        github.gives(&described(error));
        let (kind, text) = outcome(&github.client().redeem());
        assert_eq!(kind, expected, "{error}");
        assert!(text.contains(error), "{text}");
    }
    assert_eq!(github.0.requests_for("/api/v3/user"), 0);
}

#[test]
fn addresses_that_are_not_primary_and_verified_do_not_count() {
    let address = |email: &str, verified, primary| json!({ "email": email, "verified": verified, "primary": primary });
    let rows = [
        ("not verified", json!([address("a@example.com", false, true)])),
        ("not primary", json!([address("a@example.com", true, false)])),
        ("none", json!([])),
        ("no sound one", json!([address("a", true, true)])),
    ];
    let github = Github::start();
    for (name, emails) in rows {
        github.api(&format!("user/emails{PAGE}"), &emails);
        let person = github.client().redeem().unwrap().person;
        assert_eq!((person.email, person.email_verified), (None, false), "{name}");
    }
}

#[test]
fn lists_are_read_page_by_page_and_links_are_not_followed() {
    let github = Github::start();
    let page = |from: usize, count: usize| -> Value {
        (from..from + count).map(|index| json!({ "login": format!("org-{index}") })).collect::<Vec<_>>().into()
    };
    github.api(&format!("user/orgs{PAGE}"), &page(0, 100));
    github.api("user/orgs?per_page=100&page=2", &page(100, 100));
    github.api("user/orgs?per_page=100&page=3", &page(200, 1));
    let groups = github.client().redeem().unwrap().person.groups;
    assert_eq!(groups.len(), 202);
    assert_eq!((&*groups[200], &*groups[201]), ("org-200", "github/justice-league"));
}

#[test]
fn lists_without_end_are_read_to_a_limit() {
    let github = Github::start();
    let full: Value = (0..100).map(|index| json!({ "login": format!("org-{index}") })).collect::<Vec<_>>().into();
    for page in 1..=20 {
        github.api(&format!("user/orgs?per_page=100&page={page}"), &full);
    }
    github.client().redeem().unwrap();
    let asked = github.0.requests().iter().filter(|path| path.contains("user/orgs")).count();
    assert_eq!(asked, 10);
}

#[test]
fn organisations_are_not_read_when_nobody_wants_them() {
    let github = Github::start();
    let settings = GithubSettings { organizations: false, ..github.settings() };
    let person = Client::new(ProviderSettings::Github(settings)).redeem().unwrap().person;
    assert!(person.groups.is_empty());
    assert!(!github.0.requests().iter().any(|path| path.contains("orgs") || path.contains("teams")));
}

/// Also when asked again: who leaves the organisation is refused.
#[test]
fn only_members_of_the_organisations_sign_in_when_there_are_some() {
    let github = Github::start();
    let client = |allowed: &[&str]| {
        let allowed_organizations = allowed.iter().map(ToString::to_string).collect();
        let settings = GithubSettings { organizations: false, allowed_organizations, ..github.settings() };
        Client::new(ProviderSettings::Github(settings))
    };
    assert_eq!(client(&["GitHub"]).request(&start())["scope"], "read:user user:email read:org");
    for (allowed, expected) in [
        (vec!["GitHub"], "accepted"),
        (vec!["other", "github"], "accepted"),
        (vec!["other"], "refused"),
        (vec!["git"], "refused"),
        (vec![""], "refused"),
        (vec!["justice-league"], "refused"),
    ] {
        assert_eq!(outcome(&client(&allowed).redeem()).0, expected, "{allowed:?}");
    }
    let member = client(&["github"]);
    let kept = member.redeem().unwrap().refresh_token.unwrap();
    github.api(&format!("user/orgs{PAGE}"), &json!([]));
    assert_eq!(outcome(&member.ask_again_with(&octocat(), kept.expose())).0, "refused");
}

#[test]
fn the_world_can_sign_in_at_github_com_unless_organisations_are_named() {
    let open = |web: &str, allowed: &[&str]| {
        let allowed_organizations = allowed.iter().map(ToString::to_string).collect();
        let base = GithubSettings::new(registration());
        let settings = GithubSettings { web_url: web.into(), allowed_organizations, ..base };
        ProviderSettings::Github(settings).is_open_to_the_world()
    };
    assert!(open("https://github.com", &[]) && open("https://GITHUB.com/", &[]));
    assert!(!open("https://github.com", &["acme"]));
    assert!(!open("https://git.corp.example", &[]));
}

#[test]
fn a_bad_answer_of_the_api_is_no_sign_in() {
    let limit = Answer::StatusJson(403, json!({ "message": "API rate limit exceeded" }).to_string());
    let rows = [
        ("revoked", Answer::StatusJson(401, json!({ "message": "Bad credentials" }).to_string()), "refused"),
        ("rate limit", limit, "unavailable"),
        ("too often", Answer::Status(429), "unavailable"),
        ("an outage", Answer::Status(502), "unavailable"),
        ("no such thing", Answer::Status(404), "unavailable"),
        ("a redirect", Answer::Redirect("/elsewhere".into()), "unavailable"),
        ("too much", Answer::Huge(600 * 1024), "unavailable"),
        ("another form", Answer::Json("{}".into()), "untrustworthy"),
        ("an id that is text", Answer::Json(json!({ "login": "x", "id": "1" }).to_string()), "untrustworthy"),
        ("a page", Answer::Json("<html>".into()), "untrustworthy"),
    ];
    let mut report = Report::new("the API");
    for path in
        ["user".to_owned(), format!("user/emails{PAGE}"), format!("user/orgs{PAGE}"), format!("user/teams{PAGE}")]
    {
        for (name, answer, expected) in &rows {
            report.row(format!("{path}: {name}"));
            let github = Github::start();
            github.api_answers(&path, answer.clone());
            report.equal("outcome", outcome(&github.client().redeem()).0, *expected);
            report.equal("redirects followed", github.0.requests_for("/elsewhere"), 0);
        }
    }
    report.finish();
}

/// OAuth apps get no refresh token, and their access token is good until it is revoked: it is what GitHub is asked with.
#[test]
fn an_oauth_app_asks_again_with_the_access_token() {
    let github = Github::start();
    let client = github.client();
    let kept = client.redeem().unwrap().refresh_token.unwrap();
    github.0.forget_requests();
    github.api(&format!("user/orgs{PAGE}"), &json!([]));
    let now = client.ask_again_with(&octocat(), kept.expose()).unwrap();
    assert_eq!(now.person, Person { groups: vec!["github/justice-league".into()], ..octocat() });
    assert_eq!(now.refresh_token.unwrap().expose(), kept.expose());
    assert_eq!(github.0.requests_for(TOKEN), 0);
    github.api_answers("user", Answer::StatusJson(401, json!({ "message": "Bad credentials" }).to_string()));
    assert_eq!(outcome(&client.ask_again_with(&octocat(), kept.expose())).0, "refused");
}

/// User tokens of GitHub Apps expire after eight hours and come with a refresh token, which is rotated.
#[test]
fn a_github_app_asks_again_with_the_refresh_token() {
    let github = Github::start();
    let expiring = |refresh: &str| {
        json!({ "access_token": ACCESS_TOKEN, "expires_in": 28800, "refresh_token": refresh,
            "refresh_token_expires_in": 15_811_200, "token_type": "bearer", "scope": "" })
    };
    github.gives(&expiring(REFRESH_TOKEN));
    let client = github.client();
    let first = client.redeem().unwrap().refresh_token.unwrap();
    github.0.forget_requests();
    github.gives(&expiring("second"));
    let now = client.ask_again_with(&octocat(), first.expose()).unwrap();
    assert_eq!(now.person, octocat());
    let request = github.0.only_request_for(TOKEN);
    assert_eq!(request.field("grant_type").as_deref(), Some("refresh_token"));
    assert_eq!(request.field("refresh_token").as_deref(), Some(REFRESH_TOKEN));
    github.0.forget_requests();
    client.ask_again_with(&octocat(), now.refresh_token.unwrap().expose()).unwrap();
    assert_eq!(github.0.only_request_for(TOKEN).field("refresh_token").as_deref(), Some("second"));
    github.gives(&json!({ "error": "bad_refresh_token" }));
    assert_eq!(outcome(&client.ask_again_with(&octocat(), first.expose())).0, "refused");
}

#[test]
fn another_account_is_another_person_whatever_its_login() {
    let github = Github::start();
    let client = github.client();
    let kept = client.redeem().unwrap().refresh_token.unwrap();
    github.api("user", &json!({ "login": "octocat", "id": 7 }));
    assert_eq!(outcome(&client.ask_again_with(&octocat(), kept.expose())).0, "untrustworthy");
    for foreign in ["", ACCESS_TOKEN, "other:x"] {
        assert_eq!(outcome(&client.ask_again_with(&octocat(), foreign)).0, "untrustworthy", "{foreign}");
    }
}

/// GitHub has sent `iss` in some months of 2026 without publishing a promise.
#[test]
fn iss_of_the_answer_must_be_githubs_when_it_is_sent() {
    let github = Github::start();
    let answered = |iss: Option<&str>| outcome(&github.client().redeem_answer(callback(iss))).0;
    assert_eq!(answered(Some(&format!("{}/login/oauth", github.0.url()))), "accepted");
    assert_eq!(answered(None), "accepted");
    github.0.forget_requests();
    assert_eq!(answered(Some("https://accounts.google.com")), "untrustworthy");
    assert_eq!(answered(Some("")), "untrustworthy");
    assert!(github.0.requests().is_empty(), "no code goes anywhere");
}

#[test]
fn addresses_of_enterprise_servers_are_followed() {
    let surroundings = super::fake::surroundings(&super::fake::TestClock::new());
    let with = |web: &str, api: Option<&str>| GithubSettings {
        web_url: web.into(),
        api_url: api.map(ToOwned::to_owned),
        ..GithubSettings::new(registration())
    };
    for (web, authorize) in [
        ("https://github.com", "https://github.com/login/oauth/authorize"),
        ("https://corp.ghe.com/", "https://corp.ghe.com/login/oauth/authorize"),
        ("https://git.corp.example/github", "https://git.corp.example/github/login/oauth/authorize"),
    ] {
        let provider = ProviderSettings::Github(with(web, None)).build("github", None, &surroundings).unwrap();
        let url = run(provider.authorization_url(&start())).unwrap();
        assert!(url.as_str().starts_with(&format!("{authorize}?")), "{url}");
    }
    for (key, web, api) in [
        ("base_url", "http://git.corp.example", None),
        ("base_url", "git.corp.example", None),
        ("api_url", "https://git.corp.example", Some("http://api.corp.example")),
    ] {
        let error = ProviderSettings::Github(with(web, api)).build("github", None, &surroundings).unwrap_err();
        assert_eq!(error.key, key, "{web} {api:?}");
    }
}

#[test]
fn the_api_may_stand_elsewhere() {
    let github = Github::start();
    let api = Web::start();
    api.answer("/x/user", Answer::Json(json!({ "login": "octocat", "id": 9 }).to_string()));
    api.answer(&format!("/x/user/emails{PAGE}"), Answer::Json("[]".into()));
    let settings =
        GithubSettings { api_url: Some(format!("{}/x/", api.url())), organizations: false, ..github.settings() };
    assert_eq!(Client::new(ProviderSettings::Github(settings)).redeem().unwrap().person.subject, "9");
}
