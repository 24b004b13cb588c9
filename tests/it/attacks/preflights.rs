//! CORS preflights need no token: nothing but a preflight may pass for one, and none reaches the upstream.

use super::try_each;
use crate::support::http::Request;
use crate::support::proxies::Kind;
use crate::support::stage::Stage;

through_each_proxy!(no_shape_of_preflight_reaches_the_upstream_without_a_token);

/// Values of `Origin`, then values of `Access-Control-Request-Method`.
const SHAPES: [(&[&str], &[&str]); 16] = [
    (&["http://a.example"], &["POST"]),
    (&["http://a.example"], &[""]),
    (&["http://a.example"], &[" "]),
    (&[""], &["POST"]),
    (&[""], &[""]),
    (&["null"], &["POST"]),
    (&["http://a.example", "http://b.example"], &["POST"]),
    (&["", "http://b.example"], &["POST"]),
    (&["http://a.example", ""], &["POST"]),
    (&["http://a.example"], &["POST", "GET"]),
    (&["http://a.example"], &["", "GET"]),
    (&["http://a.example"], &["POST", ""]),
    (&["http://a.example"], &["a:b"]),
    (&["http://a.example"], &[":"]),
    (&["http://a.example"], &["\u{e9}"]),
    (&["\u{e9}"], &["POST"]),
];

fn no_shape_of_preflight_reaches_the_upstream_without_a_token(kind: Kind) {
    let stage = Stage::start(kind);
    let ask = |method: &str, (origins, methods): (&[&str], &[&str]), connection: &str| {
        let plain = Request::new(method, "/mcp").host(&stage.authority()).header("X-HTTP-Method-Override", "POST");
        let named = origins.iter().fold(plain, |request, origin| request.header("Origin", *origin));
        let request =
            methods.iter().fold(named, |request, asked| request.header("Access-Control-Request-Method", *asked));
        let shown = format!("{method}, Origin {origins:?}, method {methods:?}, Connection: {connection}");
        (shown, request.header("Connection", connection).body("text/plain", "attack"))
    };
    let connections = ["close", "close, Origin", "close, Access-Control-Request-Method"];
    let requests = SHAPES.into_iter().flat_map(|shape| {
        ["OPTIONS", "options", "POST"]
            .into_iter()
            .flat_map(move |method| connections.map(|connection| (method, shape, connection)))
    });
    let requests = requests.map(|(method, shape, connection)| ask(method, shape, connection)).collect();
    // The proxy's own answer to a preflight may be a 200: only reaching the upstream counts.
    try_each(&stage, requests, |outcome| (!outcome.seen.is_empty()).then(|| outcome.shown()));
}
