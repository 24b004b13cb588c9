//! The development login: believes what a form says, once, for a minute, and only where nobody else can reach it.

use std::sync::Arc;

use mcp_forward_auth::clock::Clock as _;
use mcp_forward_auth::domain::Secret;
use mcp_forward_auth::idp::development::{ClaimedPerson, DevelopmentError, DevelopmentSettings};
use mcp_forward_auth::idp::{Callback, IdentityProvider, ProviderSettings};
use url::Url;

use super::fake::{STATE, TestClock, outcome, run, start, surroundings};

fn build(own_urls: &[&str], origin: &str) -> Result<(Arc<dyn IdentityProvider>, Arc<TestClock>), String> {
    let clock = TestClock::new();
    let mut surroundings = surroundings(&clock);
    surroundings.own_urls = own_urls.iter().map(ToString::to_string).collect();
    let settings = DevelopmentSettings { origin: Url::parse(origin).unwrap() };
    let provider = ProviderSettings::Development(settings).build("dev", None, &surroundings);
    provider.map(|provider| (provider, clock)).map_err(|error| error.to_string())
}

fn loopback() -> (Arc<dyn IdentityProvider>, Arc<TestClock>) {
    build(&["http://localhost:8080/mcp", "http://[::1]:9/x"], "http://127.0.0.1:11000").unwrap()
}

fn bob() -> ClaimedPerson {
    ClaimedPerson { email: "Bob@Example.com".into(), name: Some("Bob".into()), groups: vec!["staff".into()] }
}

fn answer(code: &Secret, state: &str) -> Callback {
    let start = mcp_forward_auth::idp::SignInStart { state: Secret::new(state), ..start() };
    Callback { code: code.clone(), iss: None, start }
}

#[test]
fn it_exists_on_loopback_only() {
    assert!(build(&[], "http://127.0.0.1:1").is_ok());
    for urls in [
        vec!["https://mcp.example.com/mcp"],
        vec!["http://localhost:1", "https://mcp.example.com"],
        vec!["http://0.0.0.0:11000"],
        vec!["http://10.0.0.1"],
        vec!["https://*.mcp.example.com/mcp"],
        vec!["localhost"],
        vec![""],
        vec!["http://localhost.evil.example"],
        vec!["http://127.0.0.1.evil.example"],
    ] {
        let error = build(&urls, "http://127.0.0.1:1").unwrap_err();
        assert!(error.contains("only loopback addresses may have it"), "{urls:?}: {error}");
    }
    assert!(build(&[], "https://auth.example.com").is_err());
}

#[test]
fn the_browser_goes_to_our_own_form_and_comes_back_as_whom_it_claims() {
    let (provider, clock) = loopback();
    let url = run(provider.authorization_url(&start())).unwrap();
    assert_eq!(url.as_str(), format!("http://127.0.0.1:11000/sign-in/development?state={STATE}"));
    let code = provider.development_login().unwrap().code_for(STATE, bob(), clock.now()).unwrap();
    let signed_in = run(provider.redeem(answer(&code, STATE), clock.now())).unwrap();
    let person = signed_in.person;
    assert_eq!(person.subject_claim(), "dev:bob@example.com");
    assert_eq!(person.verified_email().unwrap().as_str(), "bob@example.com");
    assert_eq!((person.name.as_deref(), person.groups), (Some("Bob"), vec!["staff".to_owned()]));
    assert!(signed_in.refresh_token.is_none());
}

#[test]
fn a_code_is_good_once_for_a_minute_and_with_its_own_state() {
    let (provider, clock) = loopback();
    let login = provider.development_login().unwrap();
    let code = || login.code_for(STATE, bob(), clock.now()).unwrap();
    let redeem = |code: &Secret, state: &str| outcome(&run(provider.redeem(answer(code, state), clock.now()))).0;
    let once = code();
    assert_eq!([redeem(&once, STATE), redeem(&once, STATE)], ["accepted", "refused"]);
    let of_another = code();
    assert_eq!(redeem(&of_another, "another"), "refused");
    assert_eq!(redeem(&of_another, STATE), "refused", "the attempt used it up");
    assert_eq!(redeem(&Secret::new("dev_made-up"), STATE), "refused");
    let late = code();
    clock.forward(60);
    assert_eq!(redeem(&late, STATE), "refused");
}

#[test]
fn codes_are_bounded_and_need_an_address() {
    let (provider, clock) = loopback();
    let login = provider.development_login().unwrap();
    let nobody = ClaimedPerson { email: "bob".into(), ..bob() };
    assert_eq!(login.code_for(STATE, nobody, clock.now()).unwrap_err(), DevelopmentError::NoEmail);
    for _ in 0..1000 {
        login.code_for(STATE, bob(), clock.now()).unwrap();
    }
    assert_eq!(login.code_for(STATE, bob(), clock.now()).unwrap_err(), DevelopmentError::TooMany);
    clock.forward(60);
    assert!(login.code_for(STATE, bob(), clock.now()).is_ok());
}

#[test]
fn no_other_kind_has_the_form() {
    let fake = super::fake::Fake::start();
    assert!(fake.client().provider.development_login().is_none());
    assert_eq!(
        ProviderSettings::KINDS,
        ["oidc", "google", "github", "keycloak", "entra", "development"],
        "every kind stands in the documentation"
    );
}
