//! Headers that lie about the body, in every version.

use super::{Attack, Target, legacy, modern};
use crate::support::http::Request;

const VERSIONS: [Option<&str>; 8] = [
    None,
    Some("2024-11-05"),
    Some("2025-03-26"),
    Some("2025-06-18"),
    Some("2025-11-25"),
    Some("2026-07-28"),
    Some("2026-07-28, 2025-11-25"),
    Some("2099-01-01"),
];

pub fn attacks(target: &Target) -> Vec<Attack> {
    let mut attacks = Vec::new();
    for version in VERSIONS {
        for (era, body) in [("an older", legacy("write")), ("a newer", modern("write"))] {
            attacks.extend(lies(target, version, era, &body));
        }
    }
    attacks.extend(twice(target));
    attacks
}

/// What headers can say: nothing, the truth, and lies.
fn lies(target: &Target, version: Option<&str>, era: &str, body: &str) -> Vec<Attack> {
    let post = || {
        let request = target.post(body);
        version.iter().fold(request, |request, version| request.header("MCP-Protocol-Version", *version))
    };
    let call = |name: &str| post().header("Mcp-Method", "tools/call").header("Mcp-Name", name);
    let rows: Vec<(&str, Request)> = vec![
        ("no headers", post()),
        ("true headers", call("write")),
        ("another name", call("read")),
        ("another name, encoded", call("=?base64?cmVhZA==?=")),
        ("another method", post().header("Mcp-Method", "tools/list")),
        ("another method, right name", post().header("Mcp-Method", "ping").header("Mcp-Name", "write")),
        ("method without a name", post().header("Mcp-Method", "tools/call")),
        ("the right name, encoded", call("=?base64?d3JpdGU=?=")),
        ("the right name, wrongly marked", call("=?BASE64?d3JpdGU=?=")),
        ("two names in one", call("read, write")),
        ("a name in another case", call("Write")),
    ];
    let shown = version.unwrap_or("no version");
    rows.into_iter().map(|(name, request)| Attack::new(format!("{shown}, {era} body, {name}"), &request)).collect()
}

/// Lines that come twice, where two readers may each believe another.
fn twice(target: &Target) -> Vec<Attack> {
    let version = |request: Request, version: &str| request.header("MCP-Protocol-Version", version);
    let call = |request: Request, name: &str| request.header("Mcp-Method", "tools/call").header("Mcp-Name", name);
    let both = |first: &str, second: &str| {
        call(version(target.post(modern("write")), "2026-07-28"), first).header("Mcp-Name", second)
    };
    let rows: Vec<(&str, Request)> = vec![
        ("header of the name twice, the lie first", both("read", "write")),
        ("header of the name twice, the lie last", both("write", "read")),
        (
            "header of the method twice",
            call(version(target.post(modern("write")), "2026-07-28").header("Mcp-Method", "ping"), "write"),
        ),
        (
            "version twice, the newer first",
            call(version(version(target.post(legacy("write")), "2026-07-28"), "2025-11-25"), "read"),
        ),
        (
            "version twice, the older first",
            call(version(version(target.post(legacy("write")), "2025-11-25"), "2026-07-28"), "read"),
        ),
        (
            "a version with underscores",
            call(target.post(legacy("write")).header("MCP_Protocol_Version", "2026-07-28"), "read"),
        ),
        (
            "a name with underscores",
            version(target.post(modern("write")), "2026-07-28")
                .header("Mcp-Method", "tools/call")
                .header("Mcp_Name", "read"),
        ),
        (
            "type twice, JSON last",
            target.bare().header("Content-Type", "text/plain").body("application/json", legacy("write")),
        ),
        (
            "type twice, JSON first",
            target.bare().body("application/json", legacy("write")).header("Content-Type", "text/plain"),
        ),
        ("a word of Envoy's", target.post(legacy("write")).header("x-envoy-auth-partial-body", "false")),
        ("a session that is none", target.post(legacy("write")).header("Mcp-Session-Id", "x")),
        ("a connection that drops the version", {
            let request = call(version(target.post(legacy("write")), "2026-07-28"), "read");
            request.header("Connection", "close, mcp-protocol-version, mcp-name, mcp-method")
        }),
        ("a connection that drops the type", {
            target.post(legacy("write")).header("Connection", "close, content-type, content-encoding")
        }),
    ];
    rows.into_iter().map(|(name, request)| Attack::new(name, &request)).collect()
}
