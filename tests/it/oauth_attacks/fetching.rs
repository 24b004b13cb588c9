//! A client id that is a URL makes us fetch what a stranger names. What the guard refuses by address and by name stands
//! in `src/outbound/guarded/tests.rs`; here are the ways to it.

use serde_json::{Value, json};

use super::house::{DEVELOPMENT, House, config, form, outcome};
use crate::support::http::Response;
use crate::support::ports;
use crate::support::report::Report;
use crate::support::web::{Answer, Web};

/// A house that may fetch from this machine, so that its other limits can be seen.
fn open_house() -> House {
    let port = ports::free();
    let open = "\n[authorization_server.client_documents]\nallow_loopback = true\n";
    House::start_configured(port, &(config(port, DEVELOPMENT, "memory:") + open))
}

/// A document that describes the client at `path` of `web`.
fn document(web: &Web, path: &str) -> Value {
    json!({
        "client_id": format!("{}{path}", web.url()),
        "client_name": "A client",
        "redirect_uris": [super::house::HOME],
        "token_endpoint_auth_method": "none",
    })
}

fn authorize(house: &House, client: &str) -> Response {
    let url = house.authorize_url(client, &[]);
    house.get(&url[url::Position::BeforePath..])
}

/// Every way to ask for a client.
fn ask_everywhere(house: &House, client: &str) -> Vec<(&'static str, Response)> {
    let fields = [("client_id", client), ("grant_type", "refresh_token"), ("refresh_token", "x"), ("token", "x")];
    vec![
        ("/authorize", authorize(house, client)),
        ("/token", house.post("/token", &fields)),
        ("/revoke", house.post("/revoke", &fields)),
        ("/introspect", house.post("/introspect", &fields)),
    ]
}

#[test]
fn nothing_of_our_own_network_is_fetched_for_a_stranger() {
    let house = House::start();
    let inside = Web::start();
    inside.answer("*", Answer::Json(json!({ "secret": true }).to_string()));
    let port = inside.port();
    let mut report = Report::new("client ids inside");
    for id in [
        format!("https://127.0.0.1:{port}/client.json"),
        format!("https://localhost:{port}/client.json"),
        format!("https://[::1]:{port}/client.json"),
        format!("https://[::ffff:127.0.0.1]:{port}/client.json"),
        format!("https://[::ffff:7f00:1]:{port}/client.json"),
        format!("https://127.1:{port}/client.json"),
        format!("https://2130706433:{port}/client.json"),
        format!("https://0x7f000001:{port}/client.json"),
        format!("https://0177.0.0.1:{port}/client.json"),
        format!("https://0.0.0.0:{port}/client.json"),
        format!("https://localhost.:{port}/client.json"),
        format!("https://user:password@localhost:{port}/client.json"),
        format!("https://client.example@localhost:{port}/client.json"),
        format!("https://client.example:{port}\\@localhost/client.json"),
        format!("http://127.0.0.1:{port}/client.json"),
        format!("http://localhost:{port}/client.json"),
        format!("https://localhost:{port}/client.json#fragment"),
        "https://localhost/client.json".to_owned(),
        "https://127.0.0.1/client.json".to_owned(),
        "https://10.0.0.1/client.json".to_owned(),
        "https://192.168.0.1/client.json".to_owned(),
        "https://169.254.169.254/latest/meta-data/".to_owned(),
        "https://[fe80::1]/client.json".to_owned(),
        "https://[fd00::1]/client.json".to_owned(),
        "https://metadata/client.json".to_owned(),
        "file:///etc/passwd".to_owned(),
        "gopher://127.0.0.1:6379/_INFO".to_owned(),
        "ftp://localhost/client.json".to_owned(),
    ] {
        for (endpoint, answer) in ask_everywhere(&house, &id) {
            report.row(format!("{id} at {endpoint}"));
            report.holds([400, 401, 503].contains(&answer.status), || format!("status {}", answer.status));
            report.holds(answer.all("location").is_empty(), || "it leads on".to_owned());
            for told in ["refused", "127.0.0.1", "timed out", "resolve", "private", "public"] {
                report.holds(!answer.text().contains(told), || format!("the answer tells {told:?} of our network"));
            }
        }
    }
    report.row("what was asked inside");
    report.equal("requests", inside.requests(), Vec::<String>::new());
    report.finish();
}

#[test]
fn a_document_is_small_plain_json_at_its_own_address() {
    let house = open_house();
    let web = Web::start();
    let elsewhere = Web::start();
    elsewhere.answer("/client.json", Answer::Json(document(&elsewhere, "/client.json").to_string()));
    let mut report = Report::new("documents");
    let good = document(&web, "/good");
    web.answer("/good", Answer::Json(good.to_string()));
    report.row("a good one");
    report.equal("status", authorize(&house, &format!("{}/good", web.url())).status, 303);
    let with = |path: &str, name: &str, value: Value| {
        let mut changed = document(&web, path);
        changed[name] = value;
        Answer::Json(changed.to_string())
    };
    for (path, answer) in [
        ("/redirect-inside", Answer::Redirect(elsewhere.url() + "/client.json")),
        ("/redirect-to-the-good-one", Answer::Redirect(web.url() + "/good")),
        ("/huge", Answer::Huge(50 * 1024 * 1024)),
        ("/large", with("/large", "x", json!("x".repeat(6000)))),
        ("/silent", Answer::Hang),
        ("/drops", Answer::Trickle),
        ("/not-found", Answer::Status(404)),
        ("/broken", Answer::Status(500)),
        ("/error-with-a-document", Answer::StatusJson(404, document(&web, "/error-with-a-document").to_string())),
        ("/no-json", Answer::Json("<html>".into())),
        ("/list", Answer::Json("[]".into())),
        ("/of-another-client", Answer::Json(good.to_string())),
        ("/with-a-secret", with("/with-a-secret", "client_secret", json!("x"))),
        ("/by-secret", with("/by-secret", "token_endpoint_auth_method", json!("client_secret_basic"))),
        ("/without-a-name", with("/without-a-name", "client_name", Value::Null)),
        ("/to-a-script", with("/to-a-script", "redirect_uris", json!(["javascript:alert(1)"]))),
        ("/with-a-private-key", with("/with-a-private-key", "jwks", json!({ "keys": [{ "kty": "oct", "k": "AA" }] }))),
    ] {
        web.answer(path, answer);
        report.row(path);
        let answer = authorize(&house, &format!("{}{path}", web.url()));
        report.holds([400, 503].contains(&answer.status), || format!("status {}", answer.status));
        report.holds(answer.all("location").is_empty(), || "it leads on".to_owned());
    }
    report.row("requests where a redirect led");
    report.equal("requests", elsewhere.requests(), Vec::<String>::new());
    report.finish();
}

/// The URLs inside a document are fetched by the same guard, or not at all.
#[test]
fn what_a_document_names_is_not_fetched_to_show_it() {
    let house = open_house();
    let (web, inner) = (Web::start(), Web::start());
    let mut named = document(&web, "/client");
    for member in ["logo_uri", "client_uri", "policy_uri", "tos_uri", "sector_identifier_uri", "initiate_login_uri"] {
        named[member] = json!(format!("{}/{member}", inner.url()));
    }
    named["software_statement"] = json!("eyJhbGciOiJub25lIn0.e30.");
    web.answer("/client", Answer::Json(named.to_string()));
    let id = format!("{}/client", web.url());
    let mut browser = crate::support::browser::Browser::new(super::house::HOME);
    let page = house.question(&mut browser, &id, &[]);
    assert!(!page.text.contains(&inner.url()), "{}", page.text);
    assert_eq!(inner.requests(), Vec::<String>::new());
}

/// A set of keys inside our network, for a client that anybody may register, or describe.
#[test]
fn keys_of_a_stranger_are_not_fetched_from_our_own_network() {
    let house = House::start();
    let inside = Web::start();
    let assertion = |client: &str| {
        let claims = json!({ "iss": client, "sub": client, "aud": house.issuer(), "jti": client,
                             "exp": crate::support::issuer::now() + 60 });
        let part = |value: Value| crate::support::issuer::encode(value.to_string());
        format!("{}.{}.{}", part(json!({ "alg": "ES256", "kid": "k" })), part(claims), "A".repeat(86))
    };
    let mut report = Report::new("jwks_uri");
    for uri in [
        format!("https://127.0.0.1:{}/jwks", inside.port()),
        format!("https://localhost:{}/jwks", inside.port()),
        format!("http://localhost:{}/jwks", inside.port()),
        "https://169.254.169.254/jwks".to_owned(),
        "https://localhost/jwks".to_owned(),
    ] {
        report.row(&*uri);
        let metadata = json!({
            "redirect_uris": [super::house::HOME],
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks_uri": uri,
        });
        let request = house.request("POST", "/register").body("application/json", metadata.to_string());
        let registered = request.send(house.port);
        if registered.status == 201 {
            let id = registered.json()["client_id"].as_str().unwrap().to_owned();
            let answer = house.request("POST", "/token").body(
                super::house::FORM,
                form(&[
                    ("grant_type", "refresh_token"),
                    ("refresh_token", "x"),
                    ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
                    ("client_assertion", &assertion(&id)),
                ]),
            );
            let answer = answer.send(house.port);
            report.equal("outcome", outcome(&answer), super::house::refused(503, "temporarily_unavailable"));
            report.holds(!answer.text().contains("public"), || answer.text());
        } else {
            report.equal("outcome", outcome(&registered), super::house::refused(400, "invalid_client_metadata"));
        }
    }
    report.row("what was asked inside");
    report.equal("requests", inside.requests(), Vec::<String>::new());
    report.finish();
}

/// The operator's list of hosts is looked at before anything is fetched.
#[test]
fn clients_of_hosts_that_are_not_on_the_list_are_not_looked_at() {
    let port = ports::free();
    let web = Web::start();
    let listed = "\n[authorization_server.client_documents]\nallow_loopback = true\nallowed_hosts = [\"claude.ai\"]\n";
    let house = House::start_configured(port, &(config(port, DEVELOPMENT, "memory:") + listed));
    web.answer("/client", Answer::Json(document(&web, "/client").to_string()));
    assert_eq!(authorize(&house, &format!("{}/client", web.url())).status, 400);
    for host in ["evil.example", "claude.ai.evil.example", "evilclaude.ai", "claude.ai@evil.example"] {
        assert_eq!(authorize(&house, &format!("https://{host}/client")).status, 400, "{host}");
    }
    assert_eq!(web.requests(), Vec::<String>::new());
}
