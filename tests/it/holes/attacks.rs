//! The attacks that are tried on every proxy. `true` means that the attacker got through.

use super::{IDENTITY, reads_as};
use crate::support::http::Request;
use crate::support::stage::{OTHER_HOST, Stage};
use crate::support::upstream::Seen;

/// Forged identity headers, with `separator` in their names in the place of `-`.
pub fn forged(separator: &str) -> Vec<(String, &'static str)> {
    IDENTITY.iter().map(|name| (name.replace('-', separator), "forged")).collect()
}

/// The identity headers of which a forged value reached the upstream, in any spelling.
pub fn forged_names_in(seen: &Seen) -> Vec<&'static str> {
    let reached =
        |name: &&str| seen.headers.iter().any(|(known, value)| reads_as(known, name) && value.contains("forged"));
    IDENTITY.into_iter().filter(reached).collect()
}

/// Alice sends forged identity headers with her token.
pub fn forged_names(stage: &Stage, separator: &str) -> Vec<&'static str> {
    let plain = stage.get("/echo-request/forged").bearer(&stage.token());
    let request = forged(separator).into_iter().fold(plain, |request, (name, value)| request.header(name, value));
    forged_names_in(stage.try_out(request).reached())
}

/// The client's token reaches the upstream.
pub fn token_passes(stage: &Stage) -> bool {
    let outcome = stage.try_out(stage.get("/echo-request/token").bearer(&stage.token()));
    !outcome.reached().all("authorization").is_empty()
}

/// A POST without a token is taken for a preflight because this header says `OPTIONS`.
pub fn method_is_believed(stage: &Stage, header: &str) -> bool {
    let request = Request::new("POST", "/echo-request/disguised").host(&stage.authority());
    let request = request.header(header, "OPTIONS").header("Origin", "http://attacker.example");
    !stage.try_out(request.header("Access-Control-Request-Method", "POST").body("text/plain", "attack")).is_refused()
}

/// A true preflight, which needs no token, is not answered by the proxy but handed on. What it says of its caller is not
/// handed on even then.
pub fn preflight_reaches_upstream(stage: &Stage) -> bool {
    let request = Request::new("OPTIONS", "/mcp").host(&stage.authority()).header("Origin", "http://a.example");
    let request = request.header("Access-Control-Request-Method", "POST");
    let request = forged("-").into_iter().fold(request, |request, (name, value)| request.header(name, value));
    let seen = stage.try_out(request).seen;
    assert!(seen.iter().all(|seen| forged_names_in(seen).is_empty()), "{seen:?}");
    !seen.is_empty()
}

/// No token at all.
pub fn nobody_is_let_in(stage: &Stage) -> bool {
    !stage.try_out(stage.get("/mcp")).is_refused()
}

/// Alice, who may not see `/other`, gets there because a header names `/mcp`.
pub fn path_is_believed(stage: &Stage, header: &str, value: &str) -> bool {
    reaches(stage, "/other/secrets", stage.get("/other/secrets").bearer(&stage.token()).header(header, value))
}

/// The same because a header names the scheme of a more open resource, for which she has a token.
pub fn scheme_is_believed(stage: &Stage) -> bool {
    let over_tls = stage.resource("/other").replace("http://", "https://");
    let token = stage.issuer.sign(&stage.issuer.token_for(&over_tls));
    let request = stage.get("/other/secrets").bearer(&token).header("X-Forwarded-Proto", "https");
    reaches(stage, "/other/secrets", request)
}

/// A token for another host is good here because a header names that host.
pub fn forwarded_host_is_believed(stage: &Stage) -> bool {
    let request = stage.get("/mcp/secrets").bearer(&other_host_token(stage));
    reaches(stage, "/mcp/secrets", request.header("X-Forwarded-Host", other_authority(stage)))
}

/// Requests for another host, with a token for that host, are routed to this host's upstream.
pub fn other_host_is_routed(stage: &Stage) -> bool {
    let request = Request::get("/mcp/secrets").host(&other_authority(stage)).bearer(&other_host_token(stage));
    reaches(stage, "/mcp/secrets", request)
}

/// Routed by the request line to this host, judged by `Host` for the other one.
pub fn host_is_split(stage: &Stage) -> bool {
    let target = format!("http://{}/mcp/secrets", stage.authority());
    let request = Request::get(target).host(&other_authority(stage)).bearer(&other_host_token(stage));
    reaches(stage, "/mcp/secrets", request)
}

/// Paths that a route without a decision takes reach the upstream without a token.
pub fn oauth_paths_reach_upstream(stage: &Stage) -> bool {
    stage
        .try_out_all(vec![stage.get("/register/secrets"), stage.get("/authorize")])
        .iter()
        .any(|out| !out.seen.is_empty())
}

/// Any of these paths, which a decoding upstream reads as another resource's, gets through with Alice's token.
pub fn any_passes(stage: &Stage, paths: &[&str]) -> bool {
    let token = stage.token();
    let requests = paths.iter().map(|path| stage.get(*path).bearer(&token)).collect();
    !stage.try_out_all(requests).iter().all(crate::support::stage::Outcome::is_refused)
}

fn reaches(stage: &Stage, target: &str, request: Request) -> bool {
    stage.try_out(request).seen.iter().any(|seen| seen.target == target)
}

fn other_host_token(stage: &Stage) -> String {
    stage.issuer.sign(&stage.issuer.token_for(&stage.other_host_resource()))
}

fn other_authority(stage: &Stage) -> String {
    format!("{OTHER_HOST}:{}", stage.proxy.port)
}
