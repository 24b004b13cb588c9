//! The samples of `docs/identity-assertion.md`, run as they stand there: what they accept, and what they refuse.

use std::path::Path;
use std::process::Command;

use aws_lc_rs::hmac;
use serde_json::{Value, json};

use crate::support::assertion::{AUTHORIZATION_SERVER, HEADER, ISSUER, TYPE};
use crate::support::http::Request;
use crate::support::issuer::{SigningKey, TestIssuer, Token, encode, now};
use crate::support::process::TempDir;
use crate::support::report::Report;
use crate::support::service::Service;
use crate::support::tools;

const RESOURCE: &str = "https://mcp.example.com/mcp";
const OTHER: &str = "https://mcp.example.com/other";
const SECRET: &str = "a-secret-that-is-long-enough-for-a-machine";

/// Asks the sample about each assertion of a file.
const PYTHON: &str = "import json, sys, jwt
from sample import caller

def told(assertion):
    try:
        return caller(assertion)
    except jwt.PyJWTError:
        return None

print(json.dumps([told(assertion) for assertion in json.load(open(sys.argv[1]))]))
";
const NODE: &str = r#"import { readFileSync } from "node:fs";
import { caller } from "./sample.ts";

const told = [];
for (const assertion of JSON.parse(readFileSync(process.argv[2]))) told.push(await caller(assertion).catch(() => null));
console.log(JSON.stringify(told));
"#;

/// Tokens count for ten minutes after their end, so that the service vouches for somebody whose token is over.
fn start(issuer: &TestIssuer) -> Service {
    let machine = format!(
        "[[authorization_server.clients]]\nclient_id = \"machine\"\nclient_secret = \"{SECRET}\"\n\
         client_credentials = true\nresources = [\"{RESOURCE}\"]\n[store]"
    );
    let resource = |url: &str| {
        format!("[[resources]]\nurl = \"{url}\"\nidentity_assertion = true\nallow_any_authenticated = true\n")
    };
    Service::start(&format!(
        "[tokens]\nleeway = \"5m\"\n[[issuers]]\nissuer = \"{}\"\n{}{}{}",
        issuer.url(),
        resource(RESOURCE),
        resource(OTHER),
        AUTHORIZATION_SERVER.replace("[store]", &machine)
    ))
}

/// Name, assertion, whether it is good.
fn candidates(issuer: &TestIssuer, service: &Service) -> Vec<(&'static str, String, bool)> {
    let asked = |token: &Token, url: &str| {
        let answer = service.ask("POST", url, Some(&issuer.sign(token)));
        answer.header(HEADER).unwrap_or_else(|| panic!("{answer:?}")).to_owned()
    };
    let good = asked(&issuer.token_for(RESOURCE), RESOURCE);
    let key = Request::get("/jwks").host("auth.example.com").send(service.port).json()["keys"][0].clone();
    let kid = key["kid"].as_str().unwrap();
    let claims = json!({
        "iss": ISSUER, "aud": RESOURCE, "sub": "carol", "token_issuer": ISSUER, "iat": now(), "exp": now() + 300,
    });
    let forged = Token { header: json!({ "alg": "ES256", "typ": TYPE, "kid": kid }), claims };
    let symmetric = forged.clone().parameter("alg", "HS256");
    let tag = hmac::sign(
        &hmac::Key::new(hmac::HMAC_SHA256, key.to_string().as_bytes()),
        symmetric.signing_input().as_bytes(),
    );
    let mut parts: Vec<&str> = good.split('.').collect();
    let tampered = encode(forged.claims.to_string());
    parts[1] = &tampered;
    vec![
        ("a good one", good.clone(), true),
        ("one that has expired", asked(&issuer.token_for(RESOURCE).claim("exp", now() - 120), RESOURCE), false),
        ("one for another audience", asked(&issuer.token_for(OTHER), OTHER), false),
        ("an access token for the same audience", access_token(service), false),
        ("a token of the person's issuer", issuer.sign(&issuer.token_for(RESOURCE)), false),
        ("another key under the same name", forged.signed_by(&SigningKey::generate(kid, "ES256")), false),
        (
            "a key that nobody knows",
            forged.clone().parameter("kid", "unknown").signed_by(&SigningKey::generate("x", "ES256")),
            false,
        ),
        (
            "a key that it brings along",
            forged
                .clone()
                .parameter("jwk", SigningKey::generate(kid, "ES256").jwk())
                .signed_by(&SigningKey::generate(kid, "ES256")),
            false,
        ),
        ("other claims", parts.join("."), false),
        ("no signature", forged.clone().parameter("alg", "none").with_signature(b""), false),
        ("the key set as a shared secret", symmetric.with_signature(tag.as_ref()), false),
        ("nothing", String::new(), false),
        ("nonsense", "a.b.c".to_owned(), false),
        ("the good one, afterwards", good, true),
    ]
}

/// It differs from an assertion in its type alone: issuer, audience and keys are the same.
fn access_token(service: &Service) -> String {
    let form = format!("grant_type=client_credentials&client_id=machine&client_secret={SECRET}&resource={RESOURCE}");
    let request = Request::new("POST", "/token").host("auth.example.com");
    let answer = request.body("application/x-www-form-urlencoded", form).send(service.port);
    answer.json()["access_token"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned()
}

/// The only sample in this language, with the key set where the service really is.
fn sample(language: &str, service: &Service) -> String {
    let page = std::fs::read_to_string(tools::project().join("docs/identity-assertion.md")).unwrap();
    let samples: Vec<&str> = page.split(&format!("```{language}\n")).skip(1).collect();
    assert_eq!(samples.len(), 1, "{language}");
    let text = samples[0].split("```\n").next().unwrap();
    let (published, here) = ("https://auth.example.com/jwks", format!("http://127.0.0.1:{}/jwks", service.port));
    assert_eq!(text.matches(published).count(), 1, "{text}");
    text.replace(published, &here)
}

/// What the sample says to each assertion.
fn run(command: &mut Command, folder: &TempDir, assertions: &[&str]) -> Vec<Value> {
    let file = folder.write("assertions.json", &json!(assertions).to_string());
    let output = command.arg(file).env("no_proxy", "*").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}\n{}", String::from_utf8_lossy(&output.stderr)))
}

fn check(language: &str, prepare: impl Fn(&TempDir, &str) -> Command) {
    let issuer = TestIssuer::start();
    let mut service = start(&issuer);
    service.wait_until_ready();
    let folder = TempDir::new();
    let mut command = prepare(&folder, &sample(language, &service));
    let candidates = candidates(&issuer, &service);
    let assertions: Vec<&str> = candidates.iter().map(|(_, assertion, _)| assertion.as_str()).collect();
    let told = run(&mut command, &folder, &assertions);
    let mut report = Report::new(format!("the sample in {language}"));
    report.row("the number of answers");
    report.equal("answers", told.len(), candidates.len());
    for ((name, _, good), told) in candidates.iter().zip(told) {
        report.row(*name);
        if *good {
            report.equal("subject", &told["sub"], "alice-subject");
            report.equal("address", &told["email"], "alice@example.com");
            report.equal("issuer of the token", &told["token_issuer"], &*issuer.url());
        } else {
            report.equal("what it says", told, Value::Null);
        }
    }
    report.finish();
}

#[test]
fn the_python_sample_accepts_assertions_and_nothing_else() {
    check("python", |folder, sample| {
        folder.write("sample.py", sample);
        script(tools::tool("python"), &folder.write("run.py", PYTHON))
    });
}

#[test]
fn the_typescript_sample_accepts_assertions_and_nothing_else() {
    check("ts", |folder, sample| {
        folder.write("sample.ts", sample);
        let modules = tools::installed("tests/clients/typescript", "node_modules");
        std::os::unix::fs::symlink(modules, folder.path().join("node_modules")).unwrap();
        // It strips the types itself.
        script(tools::newer_node(), &folder.write("run.mjs", NODE))
    });
}

fn script(interpreter: impl AsRef<std::ffi::OsStr>, file: &Path) -> Command {
    let mut command = Command::new(interpreter);
    command.arg(file);
    command
}
