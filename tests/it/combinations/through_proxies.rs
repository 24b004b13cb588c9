//! Keys, opaque tokens and tokens of certificates through each proxy with the shipped files: what clients send beside them
//! proves nothing and arrives nowhere.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{ENDPOINT, OPAQUE, alice, answer_about, new_key};
use crate::sender_constrained::{Prover, digest};
use crate::support::assertion::HEADER;
use crate::support::http::Request;
use crate::support::process::TempDir;
use crate::support::proxies::{Kind, Proxy};
use crate::support::report::Report;
use crate::support::stage::Stage;
use crate::support::world::HOST;

const ALL: [Kind; 4] = [Kind::Traefik, Kind::Envoy, Kind::Nginx, Kind::Caddy];
/// Any bytes do: nothing here looks into a certificate.
const CERTIFICATE: &[u8] = b"the DER of a public certificate";

fn start(kind: Kind, folder: &TempDir, server: &str) -> Stage {
    let start = |backends| Proxy::start_edited(kind, backends, &|_, text| text);
    Stage::start_configured(start, &|issuer, port| {
        format!(
            "[log]\nallows = 1.0\n[server]\n{server}\n[api_keys]\n[store]\nurl = \"file:{}/state.redb\"\n[[issuers]]\nissuer = \
             \"{issuer}\"\nintrospection_endpoint = \"{issuer}{ENDPOINT}\"\nintrospection_client_id = \
             \"us\"\nintrospection_client_secret = \"a secret\"\n[[resources]]\nurl = \
             \"http://{HOST}:{port}/mcp\"\ninsecure_http = true\nallow_api_keys = true\nallowed_emails = \
             [\"alice@example.com\"]\n[[resources]]\nurl = \"http://{HOST}:{port}/strict\"\ninsecure_http = \
             true\nallow_api_keys = true\ndpop_required = true\nallowed_emails = [\"alice@example.com\"]\n",
            folder.path().display()
        )
    })
}

/// What a client sends to be taken for somebody else.
fn forged(request: Request) -> Request {
    let names = ["X-Auth-Subject", "X-Forwarded-User", "X-Forwarded-Email", "X-Auth-Issuer", "X-Auth-Client", HEADER];
    names.into_iter().fold(request, |request, name| request.header(name, "bob@example.com"))
}

#[test]
fn keys_and_opaque_tokens_end_at_the_proxy_and_bring_no_other_name_along() {
    for kind in ALL {
        let folder = TempDir::new();
        let stage = start(kind, &folder, "");
        let resources = ["/mcp", "/strict"].map(|path| stage.resource(path));
        answer_about(&stage.issuer, &alice(&resources));
        let (key, prover) = (new_key(&stage.service, &resources), Prover::new("ES256"));
        let proof = |token: &str| prover.signed("GET", &stage.resource("/mcp"), token);
        let dpop = |token: &str| {
            stage.get("/mcp").header("Authorization", format!("DPoP {token}")).header("DPoP", proof(token))
        };
        let rows = [
            ("a key", stage.get("/mcp").bearer(&key), Some("api-key:backup")),
            ("an opaque token", stage.get("/mcp").bearer(OPAQUE), Some("alice-subject")),
            (
                "a key with a proof beside it",
                stage.get("/mcp").bearer(&key).header("DPoP", proof(&key)),
                Some("api-key:backup"),
            ),
            ("a key as a bound token", dpop(&key), None),
            ("an opaque token as a bound one", dpop(OPAQUE), None),
            ("a key where tokens must be bound", stage.get("/strict").bearer(&key), None),
            ("an opaque token there", stage.get("/strict").bearer(OPAQUE), None),
            ("two keys", stage.get("/mcp").bearer(&key).bearer(&key), None),
            ("a key in the URL", stage.get(format!("/mcp?access_token={key}")), None),
            ("a key in a cookie", stage.get("/mcp").header("Cookie", format!("__Host-mfa-at-x={key}")), None),
        ];
        let mut report = Report::new(kind);
        let (names, requests): (Vec<_>, Vec<_>) =
            rows.into_iter().map(|(name, request, subject)| ((name, subject), forged(request))).unzip();
        for ((name, subject), outcome) in names.into_iter().zip(stage.try_out_all(requests)) {
            report.row(name);
            let Some(subject) = subject else {
                report.holds(outcome.is_refused(), || format!("got through: {}", outcome.shown()));
                continue;
            };
            report.equal("times it arrived", outcome.seen.len(), 1);
            for seen in &outcome.seen {
                report.equal("subject", seen.all("x-auth-subject"), [subject]);
                let headers = || seen.headers.iter().map(|(_, value)| value);
                report.holds(!headers().any(|value| value.contains(&key) || value.contains(OPAQUE)), || {
                    "the token arrived".to_owned()
                });
                report.holds(!headers().any(|value| value.contains("bob")), || outcome.shown());
            }
        }
        report.finish();
    }
}

/// Every form in which a proxy could tell of the certificate.
fn certificate_headers() -> Vec<(&'static str, String)> {
    let (base64, hash) =
        (STANDARD.encode(CERTIFICATE), aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, CERTIFICATE));
    let hex: String = hash
        .as_ref()
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)]))
        .collect();
    let forms = [base64.clone(), format!(":{base64}:"), format!("Hash={hex}"), base64.replace('=', "%3D")];
    let names = ["X-Forwarded-Tls-Client-Cert", "X-Forwarded-Client-Cert", "Client-Cert", "ssl-client-cert"];
    names.into_iter().flat_map(|name| forms.clone().map(|form| (name, form))).collect()
}

/// Without the key in the configuration no header counts; with it, those count that the proxy takes from clients by itself.
#[test]
fn no_client_tells_of_its_certificate_itself() {
    for (kind, server) in [
        (Kind::Traefik, ""),
        (Kind::Envoy, ""),
        (Kind::Nginx, ""),
        (Kind::Caddy, ""),
        (Kind::Traefik, "client_certificate_header = \"X-Forwarded-Tls-Client-Cert\""),
        (Kind::Envoy, "client_certificate_header = \"X-Forwarded-Client-Cert\""),
    ] {
        let folder = TempDir::new();
        let stage = start(kind, &folder, server);
        let binding = json!({ "x5t#S256": digest(CERTIFICATE) });
        let token = stage.issuer.sign(&stage.token_for("/mcp").claim("cnf", binding));
        let mut report = Report::new((kind, server));
        let headers = certificate_headers();
        let requests = headers.iter().map(|(name, value)| stage.get("/mcp").bearer(&token).header(*name, &**value));
        for ((name, value), outcome) in headers.iter().zip(stage.try_out_all(requests.collect())) {
            report.row(format!("{name}: {value}"));
            report.holds(outcome.is_refused() && outcome.status() == 401, || outcome.shown());
        }
        report.finish();
        if !server.is_empty() {
            // The header is believed: it is the proxy that keeps the client's from us.
            let (name, value) = if kind == Kind::Traefik { headers[0].clone() } else { headers[6].clone() };
            let direct = Request::get("/auth").host("127.0.0.1").header("X-Forwarded-Method", "GET");
            let direct = direct.header("X-Forwarded-Proto", "http").header("X-Forwarded-Host", stage.authority());
            let direct = direct.header("X-Forwarded-Uri", "/mcp").bearer(&token).header(name, value);
            assert_eq!(direct.send(stage.service.port).status, 200, "{kind:?}");
        }
    }
}

/// Commands of the operator are not on the listener that proxies ask, under any path, whoever asks.
#[test]
fn no_proxy_and_no_public_listener_leads_to_the_operator() {
    let mut report = Report::new("the operator's commands");
    for kind in ALL {
        let folder = TempDir::new();
        let stage = start(kind, &folder, "");
        let body = json!({ "url": stage.resource("/mcp"), "token": stage.token() }).to_string();
        for path in
            ["/admin/explain", "/admin/api-keys", "/admin/grants/revoke", "/auth/admin/explain", "/metrics", "/readyz"]
        {
            for method in ["POST", "GET"] {
                report.row(format!("{kind:?} {method} {path}"));
                let ask = |host: &str| Request::new(method, path).host(host).bearer(&stage.token());
                let through = ask(&stage.authority()).body("application/json", &*body);
                let outcome = stage.try_out(through);
                report.holds(outcome.is_refused(), || outcome.shown());
                let public = ask("localhost").body("application/json", &*body).send(stage.service.port);
                let tells = |text: &str| text.contains("\"steps\"") || text.contains("mfa_") || text.contains("# HELP");
                report.holds(public.status >= 400 && !tells(&public.text()), || public.text());
                let answer = outcome.answer.as_ref().map(crate::support::http::Response::text).unwrap_or_default();
                report.holds(!tells(&answer), || answer.clone());
            }
        }
    }
    report.finish();
}
