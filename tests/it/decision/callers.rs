//! Who may ask: an exposed decision endpoint would tell anybody which tokens are good.

use super::{CONTRACTS, Pair, RESOURCE, refused};
use crate::support::http::Request;
use crate::support::report::Report;

const RESOURCE_TABLE: &str = "url = \"https://mcp.example.com/mcp\"\n";

#[test]
fn a_caller_outside_of_the_trusted_networks_learns_nothing() {
    let pair = Pair::with("[server]\ntrusted_proxies = [\"10.0.0.0/8\", \"::1\"]\n", RESOURCE_TABLE);
    let mut report = Report::new("untrusted callers");
    for contract in CONTRACTS {
        let ask = || contract.ask("POST", RESOURCE);
        for (name, request) in [
            ("a good token", ask().bearer(&pair.token(RESOURCE))),
            ("a bad token", ask().bearer("garbage")),
            ("no token", ask()),
            (
                "an address that is said to be trusted",
                ask().header("X-Forwarded-For", "10.0.0.1").header("X-Real-Ip", "10.0.0.1"),
            ),
            ("half a question", Request::get("/auth").host("a")),
            (
                "a preflight",
                contract
                    .ask("OPTIONS", RESOURCE)
                    .header("Origin", "https://a")
                    .header("Access-Control-Request-Method", "POST"),
            ),
        ] {
            report.row(format!("{contract:?}, {name}"));
            let answer = request.header("User-Agent", "stranger").send(pair.service.port);
            refused(&answer, 403, "access_denied", "untrusted_proxy", &mut report);
        }
    }
    report.row("the log");
    report.equal("reason", &pair.line("stranger")["reason"], "untrusted_proxy");
    report.row("documents are public");
    let document = Request::get("/.well-known/oauth-protected-resource/mcp").host("mcp.example.com");
    report.equal("status", document.send(pair.service.port).status, 200);
    report.finish();
}

#[test]
fn a_caller_must_know_the_secret() {
    const SECRET: &str = "0123456789abcdef-secret";
    let pair = Pair::with(&format!("[server]\nproxy_secret = \"{SECRET}\"\n"), RESOURCE_TABLE);
    let token = pair.token(RESOURCE);
    let mut report = Report::new("secrets");
    for contract in CONTRACTS {
        for (name, secrets, known) in [
            ("right", vec![SECRET], true),
            ("missing", vec![], false),
            ("empty", vec![""], false),
            ("wrong", vec!["0123456789abcdef-Secret"], false),
            ("shorter", vec!["0123456789abcdef-secre"], false),
            ("longer", vec!["0123456789abcdef-secret1"], false),
            ("twice", vec![SECRET, SECRET], false),
            ("with a wrong one", vec!["x", SECRET], false),
        ] {
            report.row(format!("{contract:?}, {name}"));
            let request = contract.ask("POST", RESOURCE).bearer(&token);
            let request = secrets.iter().fold(request, |request, secret| request.header("X-Proxy-Secret", *secret));
            let answer = request.send(pair.service.port);
            if known {
                report.equal("status", answer.status, 200);
            } else {
                refused(&answer, 403, "access_denied", "untrusted_proxy", &mut report);
            }
            let told = String::from_utf8_lossy(&answer.body).into_owned() + &format!("{:?}", answer.headers);
            report.holds(!told.contains(SECRET), || "the answer holds the secret".into());
        }
    }
    report.row("the log");
    report.holds(!pair.service.whole_output().contains(SECRET), || "it holds the secret".into());
    report.finish();
}
