//! RFC 9728 documents: by host and path, by name, and at the root when only one resource can be meant.

use serde_json::{Value, json};

use super::Pair;
use crate::support::http::{Request, Response};
use crate::support::report::Report;

const TABLES: &str = r#"url = "https://one.example.com/mcp"
name = "One"
required_scopes = ["b", "a"]
---
url = "https://two.example.com/first"
---
url = "https://two.example.com/second"
---
url = "https://whole.example.com"
---
url = "https://*.tools.example.com/mcp"
---
url = "https://port.example.com:8443/mcp"
"#;

fn get(pair: &Pair, host: &str, target: &str) -> Response {
    Request::get(target).host(host).send(pair.service.port)
}

fn document(pair: &Pair, resource: &str) -> Value {
    let mut document = json!({
        "resource": resource,
        "authorization_servers": [pair.issuer.url()],
        "bearer_methods_supported": ["header"],
        "dpop_signing_alg_values_supported": ["ES256", "ES384", "EdDSA", "RS256", "PS256"],
    });
    if resource == "https://one.example.com/mcp" {
        document["scopes_supported"] = json!(["a", "b"]);
        document["resource_name"] = json!("One");
    }
    document
}

#[test]
fn a_document_names_exactly_its_resource() {
    const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";
    let pair = Pair::with("", TABLES);
    let mut report = Report::new("documents");
    for (host, rest, resource) in [
        ("one.example.com", "/mcp", Some("https://one.example.com/mcp")),
        ("one.example.com", "/mcp/", Some("https://one.example.com/mcp")),
        ("ONE.example.com.:443", "/mcp", Some("https://one.example.com/mcp")),
        ("one.example.com", "", Some("https://one.example.com/mcp")),
        ("one.example.com", "/", Some("https://one.example.com/mcp")),
        ("one.example.com", "/other", None),
        ("one.example.com", "/mcp/deeper", None),
        ("one.example.com", "/MCP", None),
        ("one.example.com:8443", "/mcp", None),
        ("two.example.com", "/first", Some("https://two.example.com/first")),
        ("two.example.com", "/second", Some("https://two.example.com/second")),
        ("two.example.com", "", None),
        ("whole.example.com", "", Some("https://whole.example.com")),
        ("whole.example.com", "/mcp", None),
        ("a.tools.example.com", "/mcp", Some("https://a.tools.example.com/mcp")),
        ("b.tools.example.com", "", Some("https://b.tools.example.com/mcp")),
        ("tools.example.com", "/mcp", None),
        ("a.b.tools.example.com", "/mcp", None),
        ("port.example.com:8443", "/mcp", Some("https://port.example.com:8443/mcp")),
        ("port.example.com", "/mcp", None),
        ("elsewhere.example.com", "/mcp", None),
        ("a,b", "/mcp", None),
        // On a host of its own, for redirects that lose the host.
        ("auth.example.com", "?resource=https://one.example.com/mcp", Some("https://one.example.com/mcp")),
        ("auth.example.com", "?resource=https%3A%2F%2Fone.example.com%2Fmcp", Some("https://one.example.com/mcp")),
        ("auth.example.com", "?x=1&resource=https://two.example.com/second", Some("https://two.example.com/second")),
        ("auth.example.com", "?resource=https://c.tools.example.com/mcp", Some("https://c.tools.example.com/mcp")),
        ("auth.example.com", "?resource=https://whole.example.com", Some("https://whole.example.com")),
        ("auth.example.com", "?resource=http://one.example.com/mcp", None),
        ("auth.example.com", "?resource=https://one.example.com/mcp/deeper", None),
        ("auth.example.com", "?resource=https://*.tools.example.com/mcp", None),
        ("auth.example.com", "?resource=https://evil.example.com/mcp", None),
        ("auth.example.com", "?resource=", None),
        ("auth.example.com", "?resource=%ff", None),
        ("one.example.com", "?resource=https://evil.example.com/mcp", None),
    ] {
        report.row(format!("{host}{rest}"));
        let answer = get(&pair, host, &format!("{WELL_KNOWN}{rest}"));
        let body = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
        report.equal("Content-Type", answer.all("content-type"), ["application/json"]);
        if let Some(resource) = resource {
            report.equal("status", answer.status, 200);
            report.equal("document", body, document(&pair, resource));
            report.equal("Cache-Control", answer.all("cache-control"), ["public, max-age=300"]);
        } else {
            report.equal("status", answer.status, 404);
            report.equal("error", &body["error"], "not_found");
            report.equal("Cache-Control", answer.all("cache-control"), ["no-store"]);
        }
    }
    report.finish();
}

/// What a client says about hosts and schemes does not get into a document.
#[test]
fn forwarding_headers_do_not_change_a_document() {
    let pair = Pair::with("", TABLES);
    let request = Request::get("/.well-known/oauth-protected-resource/mcp").host("one.example.com");
    let request = request.header("X-Forwarded-Host", "evil.example.com").header("X-Forwarded-Proto", "http");
    let answer = request.header("Forwarded", "host=evil.example.com").bearer("garbage").send(pair.service.port);
    assert_eq!(answer.json(), document(&pair, "https://one.example.com/mcp"));
}

/// Documents may live on a host of their own: challenges then point there and name the resource.
#[test]
fn a_challenge_points_to_the_host_of_the_documents() {
    let pair = Pair::with("[server]\nmetadata_url = \"https://auth.example.com\"\n", TABLES);
    let answer = pair.service.ask("GET", "https://one.example.com/mcp", None);
    let url =
        "https://auth.example.com/.well-known/oauth-protected-resource?resource=https%3A%2F%2Fone.example.com%2Fmcp";
    let challenge = format!("Bearer resource_metadata=\"{url}\", scope=\"a b\"");
    assert_eq!(answer.header("www-authenticate"), Some(&*challenge));
    let target = url.strip_prefix("https://auth.example.com").unwrap();
    assert_eq!(get(&pair, "auth.example.com", target).json(), document(&pair, "https://one.example.com/mcp"));
}
