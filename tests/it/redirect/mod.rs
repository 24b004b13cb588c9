//! Metadata on another host: Traefik redirects there, and the document is still that of the resource that was meant.

mod templates;

use crate::support::http::{Request, Response};
use crate::support::proxies::Kind;
use crate::support::world::{self, World};

#[test]
fn redirects_to_another_host_are_exact() {
    let world = World::start_edited(Kind::Traefik, &redirecting);
    let authority = world.authority();
    let resource_metadata = |path: &str| {
        format!("https://auth.example.com/.well-known/oauth-protected-resource?resource=http://{authority}{path}")
    };
    let issuer_metadata = |path: &str| format!("https://auth.example.com/.well-known/{path}");
    let table = [
        ("/.well-known/oauth-protected-resource/mcp", Ok(resource_metadata("/mcp"))),
        ("/.well-known/oauth-protected-resource/mcp/", Ok(resource_metadata("/mcp"))),
        ("/.well-known/oauth-protected-resource/other", Ok(resource_metadata("/other"))),
        ("/.well-known/oauth-protected-resource/a/b-c_d.e~f", Ok(resource_metadata("/a/b-c_d.e~f"))),
        ("/.well-known/oauth-protected-resource", Ok(resource_metadata(""))),
        // What a client adds does not choose the resource.
        ("/.well-known/oauth-protected-resource/mcp?resource=http://x/", Ok(resource_metadata("/mcp"))),
        ("/.well-known/oauth-authorization-server", Ok(issuer_metadata("oauth-authorization-server"))),
        ("/.well-known/oauth-authorization-server/mcp", Ok(issuer_metadata("oauth-authorization-server/mcp"))),
        ("/.well-known/openid-configuration/mcp?x=1", Ok(issuer_metadata("openid-configuration/mcp"))),
        ("/.well-known/jwks.json", Ok(issuer_metadata("jwks.json"))),
        // Nothing that could change what the other host reads.
        ("/.well-known/oauth-protected-resource/mcp&resource=x", Err(404)),
        ("/.well-known/oauth-protected-resource/mcp%26resource=x", Err(404)),
        ("/.well-known/oauth-protected-resource/%0d%0aX-Evil:%201", Err(404)),
        // Documents that live nowhere.
        ("/.well-known/", Err(404)),
        ("/.well-known/unknown", Err(404)),
        ("/.well-known/oauth-protected-resourceX", Err(404)),
        // A redirected POST may lose its body: these are answered here.
        ("/token", Err(404)),
        ("/register", Err(404)),
    ];
    let wrong = table.into_iter().filter_map(|(target, expected)| {
        let answer =
            Request::get(target).host(&authority).header("Origin", "https://client.example.com").send(world.proxy.port);
        let location = answer.header("location").map(ToOwned::to_owned);
        let seen = if answer.status == 302 { location.ok_or(302) } else { Err(answer.status) };
        let readable = answer.header("access-control-allow-origin") == Some("*");
        (seen != expected || !readable).then(|| format!("{target}: {answer:?}, not {expected:?}"))
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn redirects_and_challenges_lead_to_the_document_of_the_right_resource() {
    let world = World::start_configured(Kind::Traefik, &redirecting, &|issuer, port| {
        format!("[server]\nmetadata_url = \"https://auth.example.com\"\n{}", world::config(issuer, port))
    });
    for path in ["/mcp", "/other"] {
        let resource = format!("http://{}{path}", world.authority());
        let redirect = ask(&world, &format!("/.well-known/oauth-protected-resource{path}"));
        let encoded = format!("http%3A%2F%2Fmcp.example.com%3A{}%2F{}", world.proxy.port, &path[1..]);
        let metadata = format!("https://auth.example.com/.well-known/oauth-protected-resource?resource={encoded}");
        let refused = ask(&world, path);
        assert_eq!(refused.status, 401, "{refused:?}");
        let challenge = refused.header("www-authenticate").unwrap();
        assert!(challenge.starts_with(&format!("Bearer resource_metadata=\"{metadata}\", scope=")), "{challenge}");
        for location in [redirect.header("location").unwrap(), &metadata] {
            assert_eq!(documents_at(&world, location), [&*resource, &*resource], "{location}");
        }
    }
}

/// `redirect-well-known.yml`, switched on as its first lines say.
fn redirecting(name: &str, text: String) -> String {
    if name != "traefik.yml" {
        return text;
    }
    let (usual, variant) = ("filename: traefik/dynamic.yml", "filename: traefik/redirect-well-known.yml");
    assert!(text.contains(usual));
    text.replace(usual, variant)
}

fn ask(world: &World, target: &str) -> Response {
    Request::get(target).host(&world.authority()).send(world.proxy.port)
}

/// Follows a location on `auth.example.com`: the resource in the document, from the service itself and through Traefik.
fn documents_at(world: &World, location: &str) -> [String; 2] {
    let target = location.strip_prefix("https://auth.example.com").unwrap();
    [world.service.port, world.proxy.port].map(|port| {
        let document = Request::get(target).host("auth.example.com").send(port);
        assert_eq!(document.status, 200, "{target}: {document:?}");
        document.json()["resource"].as_str().unwrap().to_owned()
    })
}
