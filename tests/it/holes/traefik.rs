//! Traefik: forged forwarding headers, identity headers in odd spellings, the client's token, routes without a decision.

use super::attacks::{
    any_passes, forged_names, forwarded_host_is_believed, method_is_believed, oauth_paths_reach_upstream,
    other_host_is_routed, path_is_believed, preflight_reaches_upstream, scheme_is_believed, token_passes,
};
use super::{Careless, Edits, closed_by, closed_name_by_name, closed_twice, opened_by, shipped};
use crate::compose;
use crate::support::proxies::Kind::Traefik;
use crate::support::stage::Stage;

#[test]
fn identity_headers_are_closed_by_their_names_in_the_list() {
    closed_name_by_name(Traefik, || Edits::of("dynamic.yml"), |name| [format!("- {name}")]);
    closed_name_by_name(Traefik, templates, |name| [format!("- \"{name}\"")]);
}

#[test]
fn aliases_of_identity_headers_are_closed_by_the_alias_strategy() {
    let edits = Edits::of("traefik.yml").without("aliasHeadersStrategy: delete");
    closed_by(Traefik, &edits, |stage| !forged_names(stage, "_").is_empty());
    closed_by(Traefik, &edits, |stage| !forged_names(stage, ".").is_empty());
}

#[test]
fn the_client_s_token_ends_at_the_proxy_because_authorization_is_in_the_list() {
    closed_by(Traefik, &Edits::of("dynamic.yml").without("- Authorization"), token_passes);
    let listed = "- \"Authorization\" # never in the answer: the client's token ends here (MCP forbids passing it on)";
    opened_by(Traefik, &templates().without(listed), token_passes);
}

/// As the edge, two settings keep a client from choosing what is judged: forwarding headers are trusted neither at the
/// entry point (where that is the default) nor by the middleware.
#[test]
fn forged_forwarding_headers_are_closed_at_the_edge_by_trusting_nobody() {
    let address = "address: \"0.0.0.0:8080\"";
    let insecure =
        Edits::of("traefik.yml").replacing(address, &format!("{address}\n    forwardedHeaders: {{insecure: true}}"));
    let trusting = Edits::of("dynamic.yml").replacing("trustForwardHeader: false", "trustForwardHeader: true");
    assert_eq!(believed(&Stage::start(Traefik)), [false; 4], "as shipped");
    assert_eq!(believed(&insecure.open(Traefik)), [false; 4], "the middleware still closes it");
    assert_eq!(believed(&trusting.open(Traefik)), [false; 4], "the entry point still closes it");
    assert_eq!(believed(&insecure.open_with(Traefik, &trusting)), [true; 4], "both are open");
}

/// Path, method, host, scheme.
fn believed(stage: &Stage) -> [bool; 4] {
    [
        path_is_believed(stage, "X-Forwarded-Uri", "/mcp"),
        method_is_believed(stage, "X-Forwarded-Method"),
        forwarded_host_is_believed(stage),
        scheme_is_believed(stage),
    ]
}

/// The other shipped files for Traefik: behind a balancer (with the attacker at the balancer's address), with the
/// metadata on another host, the example with four servers, `docker-compose.yml`, and the templates for
/// middleware-manager.
pub fn variants() -> [Stage; 5] {
    let elsewhere = Edits::of("traefik.yml")
        .replacing("filename: traefik/dynamic.yml", "filename: traefik/redirect-well-known.yml");
    let balanced = behind_load_balancer(&Edits::of("no further file"));
    [balanced, elsewhere.open(Traefik), many_servers(), compose::running::stage(), templates().open(Traefik)]
}

/// The route of its first server is widened to the whole host, so that the attacks find what they look for.
fn many_servers() -> Stage {
    let routes = shipped("examples/many-servers/dynamic.yml").replace("8001", "8000").replace(", to-mcp]", "]");
    let routes = Edits::of("dynamic.yml")
        .using(routes)
        .replacing("rule: Host(`mcp.example.com`) && Path(`/notes`)", "rule: Host(`mcp.example.com`)");
    Edits::of("traefik.yml")
        .using(shipped("examples/many-servers/traefik.yml"))
        .replacing("filename: examples/many-servers/dynamic.yml", "filename: traefik/dynamic.yml")
        .open_with(Traefik, &routes)
}

pub fn behind_load_balancer(edits: &Edits) -> Stage {
    Edits::of("traefik.yml").using(shipped("traefik/traefik-behind-load-balancer.yml")).open_with(Traefik, edits)
}

/// Templates become middlewares of the file provider, on a router as middleware-manager makes it.
pub fn templates() -> Edits {
    let templates = shipped("middleware-manager/templates.yml").replace("mcpauth:11000", "127.0.0.1:11000");
    let middlewares = templates.lines().skip_while(|line| *line != "middlewares:").skip(1).filter_map(|line| {
        let plain = line.trim_start().trim_start_matches("- ");
        match plain.split_once(": ") {
            Some(("id", id)) => Some(format!("    {id}:\n")),
            Some(("type", kind)) => Some(format!("      {kind}:\n")),
            Some(("name", _)) => None,
            _ if plain == "config:" => None,
            _ => Some(format!("  {line}\n")),
        }
    });
    let text = format!("{ROUTER}{}", middlewares.collect::<String>());
    Edits::of("dynamic.yml").using(text)
}

const ROUTER: &str = "http:
  routers:
    mcp:
      entryPoints: [web]
      rule: Host(`mcp.example.com`)
      middlewares: [mcp-security-chain]
      service: mcp
  services:
    mcp: {loadBalancer: {servers: [{url: http://127.0.0.1:8000}]}}
  middlewares:
";

/// The balancer is trusted with the scheme: it sets `X-Forwarded-Proto` itself.
#[test]
fn behind_a_load_balancer_each_blanked_header_closes_its_own_forgery() {
    let blanked = ["X-Forwarded-Uri", "X-Forwarded-Method", "X-Forwarded-Host"];
    let edits = || Edits::of("behind-load-balancer.yml");
    assert_eq!(believed(&behind_load_balancer(&edits()))[..3], [false; 3], "as shipped");
    for (index, name) in blanked.into_iter().enumerate() {
        let stage = behind_load_balancer(&edits().without(&format!("{name}: \"\"")));
        let expected: Vec<bool> = (0..3).map(|other| other == index).collect();
        assert_eq!(believed(&stage)[..3], expected, "without {name}");
    }
}

#[test]
fn behind_a_load_balancer_the_headers_are_blanked_before_the_decision() {
    let late = Edits::of("behind-load-balancer.yml")
        .replacing("middlewares: [own-view, cors, mcp-auth, whole-body]", "middlewares: [cors, mcp-auth, own-view]");
    assert_eq!(believed(&behind_load_balancer(&late))[..3], [true; 3], "the order of the middlewares closes it");
}

#[test]
fn in_the_variants_identity_and_token_are_closed_too() {
    for stage in variants() {
        for separator in ["-", "_", "."] {
            assert_eq!(forged_names(&stage, separator), [""; 0], "{separator}");
        }
        assert!(!token_passes(&stage));
    }
}

/// The routes without a decision match more paths than their names. They lead to the service only, so that there is
/// nothing to gain.
#[test]
fn routes_without_a_decision_are_closed_by_leading_to_the_service() {
    let edits = Edits::of("dynamic.yml").replacing("service: mcp-forward-auth", "service: mcp");
    closed_by(Traefik, &edits, oauth_paths_reach_upstream);
}

#[test]
fn other_hosts_are_closed_by_the_host_in_the_rule() {
    let edits = Edits::of("dynamic.yml").replacing("rule: Host(`mcp.example.com`)", "rule: PathPrefix(`/`)");
    closed_by(Traefik, &edits, other_host_is_routed);
}

/// Each line has Traefik refuse one character; without any of them the service does.
#[test]
fn encoded_delimiters_are_closed_twice_by_the_proxy_and_by_the_service() {
    let closed = [
        ("Slash", "/mcp/..%2Fother"),
        ("BackSlash", "/mcp/..%5Cother"),
        ("NullCharacter", "/mcp%00"),
        ("Semicolon", "/mcp/..%3B/other"),
        ("QuestionMark", "/mcp%3Fx"),
        ("Hash", "/mcp%23x"),
    ];
    let line = |name: &str| format!("allowEncoded{name}: false");
    for (name, _) in closed {
        let careless = Careless::start(Traefik, &Edits::of("traefik.yml").without(&line(name)), &["/auth"]);
        for (other, path) in closed {
            let expected = if other == name { (200, Some(path.to_owned())) } else { (400, None) };
            assert_eq!(careless.ask(path), expected, "{path} without the line of {name}");
        }
    }
    let edits = Edits::of("traefik.yml").without_all(closed.map(|(name, _)| line(name)));
    closed_twice(Traefik, &edits, |stage| any_passes(stage, &closed.map(|(_, path)| path)));
}

/// Without it a preflight would be asked of the service, and let through to the upstream.
#[test]
fn preflights_are_closed_by_the_middleware_that_answers_them() {
    let edits = Edits::of("dynamic.yml")
        .replacing("middlewares: [own-view, cors, mcp-auth, whole-body]", "middlewares: [mcp-auth]");
    closed_by(Traefik, &edits, preflight_reaches_upstream);
}
