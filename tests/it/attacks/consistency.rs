//! The invariant behind most attacks: what is judged is what is forwarded, or the request is refused.

use crate::support::stage::{Outcome, Stage};
use crate::support::upstream::Seen;

/// What is wrong with a request that was not refused: it must have been allowed as exactly what reached the upstream.
pub fn misjudged(stage: &Stage, outcome: &Outcome) -> Option<String> {
    if outcome.is_refused() {
        return None;
    }
    let ([judged], [seen]) = (&outcome.judged[..], &outcome.seen[..]) else {
        return Some(format!("not one decision and one request: {}", outcome.shown()));
    };
    let problems = [
        (judged["decision"] != "allow", "it was not allowed"),
        (judged["method"] != *seen.method, "another method was judged"),
        (judged["path"] != *as_logged(seen.path()), "another path was judged"),
        (seen.all("x-auth-resource") != [judged["resource"].as_str().unwrap()], "another resource was named"),
        (judged["resource"] != *owner(stage, seen.path()), "the path belongs to another resource"),
        (!has_one_reading(seen.path()), "the path has more than one reading"),
        (!names_host(seen, &stage.authority()), "another host was forwarded"),
    ];
    let found: Vec<&str> = problems.into_iter().filter(|(is_so, _)| *is_so).map(|(_, problem)| problem).collect();
    (!found.is_empty()).then(|| format!("{}: {}", found.join(", "), outcome.shown()))
}

/// Log lines show the first 256 bytes.
fn as_logged(path: &str) -> &str {
    &path[..path.len().min(256)]
}

/// The resource that a path belongs to by its first segment.
fn owner(stage: &Stage, path: &str) -> String {
    match path.split('/').nth(1) {
        Some("other") => stage.resource("/other"),
        Some("open") => stage.resource("/open"),
        _ => stage.resource("/mcp"),
    }
}

/// No upstream finds another path in it by decoding, normalising or cutting.
pub fn has_one_reading(path: &str) -> bool {
    const ODD: [&str; 16] =
        ["//", "/./", "/../", "\\", ";", "#", "%2e", "%2f", "%5c", "%3b", "%23", "%3f", "%25", "%0", "%1", "%7f"];
    let lower = path.to_lowercase();
    path.starts_with('/')
        && !ODD.iter().any(|odd| lower.contains(odd))
        && !lower.ends_with("/.")
        && !lower.ends_with("/..")
        && path.bytes().all(|byte| byte.is_ascii_graphic())
}

/// `Host` may differ in case, by a trailing dot and by zeros before the port.
fn names_host(seen: &Seen, authority: &str) -> bool {
    let [host] = seen.all("host")[..] else { return false };
    let (name, port) = host.split_once(':').unwrap_or((host, ""));
    let plain = format!("{}:{}", name.strip_suffix('.').unwrap_or(name), port.trim_start_matches('0'));
    plain.eq_ignore_ascii_case(authority)
}
