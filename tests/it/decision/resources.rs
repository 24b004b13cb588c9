//! Which resource a URL belongs to, and so which audience its token must name.

use super::{CONTRACTS, Pair};
use crate::support::report::Report;

const TABLES: &str = r#"url = "https://mcp.example.com/mcp"
also_paths = ["/sse", "/messages"]
required_scopes = ["mcp:read"]
---
url = "https://mcp.example.com/mcp/admin"
required_scopes = ["mcp:admin"]
---
url = "https://*.tools.example.com/mcp"
---
url = "https://special.tools.example.com/mcp"
required_scopes = ["mcp:special"]
---
url = "https://whole.example.com"
---
url = "https://port.example.com:8443/mcp"
"#;

/// URL, and the resource that it belongs to.
const OWNED: &[(&str, &str)] = &[
    ("https://mcp.example.com/mcp", "https://mcp.example.com/mcp"),
    ("https://mcp.example.com/mcp/", "https://mcp.example.com/mcp"),
    ("https://mcp.example.com/mcp?x=/mcp/admin", "https://mcp.example.com/mcp"),
    ("https://mcp.example.com/mcp/deeper", "https://mcp.example.com/mcp"),
    ("https://mcp.example.com/mcp/administration", "https://mcp.example.com/mcp"),
    ("https://MCP.Example.COM/mcp", "https://mcp.example.com/mcp"),
    ("https://mcp.example.com:443/mcp", "https://mcp.example.com/mcp"),
    ("https://mcp.example.com./mcp", "https://mcp.example.com/mcp"),
    ("HTTPS://mcp.example.com/mcp", "https://mcp.example.com/mcp"),
    ("https://mcp.example.com/sse", "https://mcp.example.com/mcp"),
    ("https://mcp.example.com/messages/", "https://mcp.example.com/mcp"),
    ("https://mcp.example.com/messages/?session_id=1", "https://mcp.example.com/mcp"),
    ("https://mcp.example.com/mcp/admin", "https://mcp.example.com/mcp/admin"),
    ("https://mcp.example.com/mcp/admin/users", "https://mcp.example.com/mcp/admin"),
    ("https://a.tools.example.com/mcp", "https://a.tools.example.com/mcp"),
    ("https://b.tools.example.com/mcp/x", "https://b.tools.example.com/mcp"),
    ("https://special.tools.example.com/mcp", "https://special.tools.example.com/mcp"),
    ("https://whole.example.com/", "https://whole.example.com"),
    ("https://whole.example.com/any/thing", "https://whole.example.com"),
    ("https://port.example.com:8443/mcp", "https://port.example.com:8443/mcp"),
];

const NOBODYS: &[&str] = &[
    "https://mcp.example.com/",
    "https://mcp.example.com/mcpx",
    "https://mcp.example.com/messagesx",
    "https://mcp.example.com/admin",
    "https://mcp.example.com:8443/mcp",
    "http://mcp.example.com/mcp",
    "https://example.com/mcp",
    "https://x.mcp.example.com/mcp",
    "https://tools.example.com/mcp",
    "https://a.b.tools.example.com/mcp",
    "https://a.tools.example.com/sse",
    "https://a.tools.example.com.evil.example/mcp",
    "https://eviltools.example.com/mcp",
    "https://port.example.com/mcp",
    "http://port.example.com:8443/mcp",
];

#[test]
fn each_url_belongs_to_one_resource_or_to_none() {
    let pair = Pair::with("", TABLES);
    let scopes = "mcp:read mcp:admin mcp:special";
    let token = |resource: &str| pair.issuer.sign(&pair.issuer.token_for(resource).claim("scope", scopes));
    let mut resources: Vec<&str> = OWNED.iter().map(|(_, resource)| *resource).collect();
    resources.sort_unstable();
    resources.dedup();
    let mut report = Report::new("resources");
    for contract in CONTRACTS {
        for (url, resource) in OWNED {
            report.row(format!("{contract:?} {url}"));
            let answer = contract.ask("GET", url).bearer(&token(resource)).send(pair.service.port);
            report.equal("status", answer.status, 200);
            report.equal("resource", answer.all("x-auth-resource"), [*resource]);
            for other in resources.iter().filter(|other| *other != resource) {
                let answer = contract.ask("GET", url).bearer(&token(other)).send(pair.service.port);
                report.equal(&format!("status with a token for {other}"), answer.status, 401);
            }
            let challenge = contract.ask("GET", url).send(pair.service.port);
            let metadata = metadata_url(resource);
            let challenged = challenge.header("www-authenticate").unwrap_or_default().to_owned();
            report.holds(challenged.contains(&format!("resource_metadata=\"{metadata}\"")), || challenged.clone());
        }
        for url in NOBODYS {
            for resource in &resources {
                report.row(format!("{contract:?} {url} with a token for {resource}"));
                let answer = contract.ask("GET", url).bearer(&token(resource)).send(pair.service.port);
                report.equal("status", answer.status, 403);
                report.equal("reason", &answer.json()["reason"], "unknown_resource");
            }
        }
    }
    report.finish();
}

/// RFC 9728 §3.1: the well-known name goes between host and path.
fn metadata_url(resource: &str) -> String {
    let rest = resource.strip_prefix("https://").unwrap();
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    format!("https://{host}/.well-known/oauth-protected-resource{path}")
}

/// The rules of the resource that owns the path, not of a shorter one.
#[test]
fn the_longest_path_brings_its_own_rules() {
    let pair = Pair::with("", TABLES);
    let reader = |resource: &str| pair.issuer.sign(&pair.issuer.token_for(resource).claim("scope", "mcp:read"));
    let mut report = Report::new("rules");
    for contract in CONTRACTS {
        for (url, status) in [
            ("https://mcp.example.com/mcp", 200),
            ("https://mcp.example.com/mcp/admin", 403),
            ("https://a.tools.example.com/mcp", 200),
            ("https://special.tools.example.com/mcp", 403),
        ] {
            report.row(format!("{contract:?} {url}"));
            let answer = contract.ask("GET", url).bearer(&reader(url)).send(pair.service.port);
            report.equal("status", answer.status, status);
        }
    }
    report.finish();
}

/// The operator sees what was compared.
#[test]
fn an_unknown_resource_is_explained_in_the_log() {
    let pair = Pair::with("", TABLES);
    let mut report = Report::new("explanations");
    for contract in CONTRACTS {
        report.row(format!("{contract:?}"));
        let agent = format!("{contract:?}");
        let _ = contract
            .ask("GET", "http://mcp.example.com/mcp?secret=1")
            .header("User-Agent", &*agent)
            .send(pair.service.port);
        let line = pair.line(&agent);
        let detail = line["detail"].as_str().unwrap_or_default().to_owned();
        report.holds(detail.contains("http://mcp.example.com/mcp;"), || detail.clone());
        report.holds(!line.to_string().contains("secret"), || format!("the query is in the log: {line}"));
    }
    report.finish();
}
