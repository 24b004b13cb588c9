//! No code, token, secret, state or cookie of a sign-in gets into a log, however much is logged.

use serde_json::json;

use super::house::{House, SECRET, STATE, Tokens, VERIFIER, basic, config};
use super::providers::{AtProvider, configured};
use crate::idp::fake::{CLIENT_SECRET, CODE, Fake};
use crate::support::ports;
use crate::support::report::Report;

#[test]
fn nothing_that_opens_anything_is_logged() {
    let provider = Fake::start();
    let port = ports::free();
    let talkative =
        format!("[log]\nlevel = \"debug\"\nallows = 1.0\n{}", config(port, &configured(&provider), "memory:"));
    let house = House::start_configured(port, &talkative);
    let client = house.register();
    let mut alice = AtProvider::new(&house, &client.id);
    let id_token = alice.id_token(&provider).signed_by(&provider.keys[0]);
    provider.gives_tokens(&json!({ "id_token": id_token, "refresh_token": "upstream-refresh-token" }));
    let (state, nonce) = (alice.parameter("state"), alice.parameter("nonce"));
    let code = alice.returns(&[("code", CODE)]).parameter("code").unwrap();
    let tokens = Tokens::of(&house.redeem(&client.id, &code, &[]));
    let next = Tokens::of(&house.refresh(&client.id, &tokens.refresh, &[]));
    // Every kind of refusal, with what it refuses.
    house.ask(&tokens.access);
    house.redeem(&client.id, &code, &[]);
    house.redeem(&client.id, "mfc_a-wrong-code", &[("code_verifier", "a-wrong-verifier")]);
    house.refresh(&client.id, &next.refresh, &[]);
    house
        .post("/introspect", &[("token", &next.access), ("client_id", "watcher"), ("client_secret", "a-wrong-secret")]);
    house.post("/revoke", &[("token", &next.refresh), ("client_id", &client.id)]);
    let wrong = house
        .request("GET", "/callback?state=a-wrong-state&code=a-wrong-code")
        .header("Cookie", "mfa-browser=a-cookie");
    wrong.send(house.port);
    let form = "grant_type=client_credentials&scope=a-wrong-scope";
    let request = house.request("POST", "/token").header("Authorization", basic("job", "a-wrong-secret"));
    request.body(super::house::FORM, form).send(house.port);
    let own = house
        .request("GET", format!("/register/{}", client.id))
        .header("Authorization", format!("Bearer {}", client.token));
    assert_eq!(own.send(house.port).status, 200);
    let last = house.request("GET", "/register/the-last-request").send(house.port);
    assert_eq!(last.status, 401);
    crate::support::process::eventually("the log", || house.service.process.output().contains("the-last-request"));
    let log = house.service.process.output();
    assert!(log.contains("a code was used twice"), "{log}");
    let mut report = Report::new("secrets in the log");
    for (name, secret) in [
        ("the code", &*code),
        ("the access token", &*tokens.access),
        ("the signature of the access token", tokens.access.rsplit('.').next().unwrap()),
        ("the refresh token", &*tokens.refresh),
        ("its successor", &*next.refresh),
        ("the registration access token", &*client.token),
        ("the client's state", STATE),
        ("the verifier", VERIFIER),
        ("the secret of a client", SECRET),
        ("a wrong secret", "a-wrong-secret"),
        ("a wrong secret, encoded", &basic("job", "a-wrong-secret")[6..]),
        ("a wrong code", "a-wrong-code"),
        ("a wrong verifier", "a-wrong-verifier"),
        ("a wrong state", "a-wrong-state"),
        ("a cookie", "a-cookie"),
        ("our cookies", "mfb_"),
        ("our sessions", "mfl_"),
        ("what we call a secret", "mfs_"),
        ("our secret at the provider", CLIENT_SECRET),
        ("the provider's code", CODE),
        ("the provider's refresh token", "upstream-refresh-token"),
        ("the provider's ID token", &*id_token),
        ("the state at the provider", state.split_once('.').unwrap().1),
        ("the nonce", &*nonce),
        ("Alice's address", "alice@example.com"),
    ] {
        report.row(name);
        let line = log.lines().find(|line| line.contains(secret));
        report.holds(line.is_none(), || line.unwrap_or_default().to_owned());
    }
    report.finish();
}
