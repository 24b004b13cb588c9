//! Opaque tokens that a certified provider binds to the key of its client, through proxies with the shipped files.

use serde_json::{Value, json};

use crate::introspection::real_oidc_provider::{Client, form_with, job, people_client, text};
use crate::sender_constrained::Prover;
use crate::support::http::Request;
use crate::support::oidc_provider::OidcProvider;
use crate::support::process::eventually;
use crate::support::proxies::{Kind, Proxy};
use crate::support::report::Report;
use crate::support::stage::{Outcome, Stage};
use crate::support::world::HOST;

/// The service behind `kind`: it asks as a client of its own, and takes bound tokens of `job` only.
fn stage(kind: Kind, job: &Client) -> Stage {
    let (us, issuer) = (people_client(), OidcProvider::start().issuer());
    let start = |backends| Proxy::start_edited(kind, backends, &|_, text| text);
    Stage::start_configured(start, &|_, port| {
        format!(
            r#"
[log]
allows = 1.0

[[issuers]]
issuer = "{issuer}"
algorithms = []
introspection_endpoint = "{issuer}/token/introspection"
introspection_client_id = "{}"
introspection_client_secret = "{}"
introspection_cache = "1s"

[[resources]]
url = "http://{HOST}:{port}/mcp"
insecure_http = true
required_scopes = ["mcp:read"]
allowed_clients = ["{}"]
dpop_required = true
"#,
            us.id, us.secret, job.id
        )
    })
}

/// What the provider gives `job` for `resource`: bound to the key of `prover`, if there is one.
fn token(job: &Client, resource: &str, prover: Option<&Prover>) -> Value {
    let endpoint = format!("{}/token", OidcProvider::start().issuer());
    let proof = prover.map(|prover| prover.proof("POST", &endpoint, "").without("ath").signed_by(&prover.key));
    let fields = [("grant_type", "client_credentials"), ("scope", "mcp:read"), ("resource", resource)];
    let answer = form_with(proof.map(|proof| ("DPoP", proof)), "/token", job, &fields);
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

fn counts_behind(kind: Kind) {
    let (job, prover) = (job(), Prover::new("ES256"));
    let stage = stage(kind, &job);
    let url = stage.resource("/mcp");
    let given = token(&job, &url, Some(&prover));
    assert_eq!(given["token_type"], "DPoP");
    let bound = text(&given, "access_token");
    let unbound = text(&token(&job, &url, None), "access_token");
    assert!(!bound.contains('.') && !unbound.contains('.'), "the provider's tokens are opaque");
    let ask = |scheme: &str, token: &str, proofs: &[&str]| -> Outcome {
        let request = Request::new("POST", "/mcp").host(&stage.authority());
        let request = request.header("Authorization", format!("{scheme} {token}"));
        let request = proofs.iter().fold(request, |request, proof| request.header("DPoP", *proof));
        stage.try_out(request.body("application/json", "{}"))
    };
    let proof = |token: &str| prover.signed("POST", &url, token);
    let mut report = Report::new(kind);
    for round in ["asked", "known"] {
        report.row(round);
        let used = proof(&bound);
        let good = ask("DPoP", &bound, &[&used]);
        report.equal("times it arrived", good.seen.len(), 1);
        for seen in &good.seen {
            report.equal("subject", seen.all("x-auth-subject"), [&*job.id]);
            report.equal("token at the upstream", seen.all("authorization"), [""; 0]);
            report.equal("proof at the upstream", seen.all("dpop"), [""; 0]);
        }
        for (name, outcome) in [
            ("the same proof again", ask("DPoP", &bound, &[&used])),
            ("as a bearer token", ask("Bearer", &bound, &[&proof(&bound)])),
            ("without a proof", ask("DPoP", &bound, &[])),
            ("with another key", ask("DPoP", &bound, &[&Prover::new("ES256").signed("POST", &url, &bound)])),
            ("with the proof of another token", ask("DPoP", &bound, &[&proof(&unbound)])),
            ("a token that is bound to nothing", ask("Bearer", &unbound, &[])),
            ("the same with a proof", ask("DPoP", &unbound, &[&proof(&unbound)])),
        ] {
            report.holds(outcome.is_refused() && outcome.status() == 401, || format!("{name}: {}", outcome.shown()));
        }
    }
    report.finish();
    let fields = [("token", &*bound)];
    let revoked = form_with(None, "/token/revocation", &job, &fields);
    assert_eq!(revoked.status, 200, "{}", revoked.text());
    eventually("the revocation counts", || ask("DPoP", &bound, &[&proof(&bound)]).status() == 401);
}

#[test]
fn a_bound_token_of_a_real_provider_lives_and_dies_with_its_proofs_behind_traefik() {
    counts_behind(Kind::Traefik);
}

#[test]
fn a_bound_token_of_a_real_provider_lives_and_dies_with_its_proofs_behind_nginx() {
    counts_behind(Kind::Nginx);
}

/// What the provider says of it, so that the tests with an issuer of our own stay true.
#[test]
fn the_provider_tells_the_key_as_rfc_9449_says() {
    let (job, prover) = (job(), Prover::new("ES256"));
    let given = token(&job, "https://notes.example.com/mcp", Some(&prover));
    let fields = [("token", &*text(&given, "access_token"))];
    let said = form_with(None, "/token/introspection", &people_client(), &fields).json();
    assert_eq!(said["cnf"], json!({ "jkt": prover.thumbprint() }), "{said}");
    assert_eq!((&said["active"], &said["token_type"]), (&json!(true), &json!("DPoP")), "{said}");
}
