//! Rows that reach the MCP server, which must see the request as sent, who is calling, and no token.

use serde_json::json;

use super::case::{Case, Expected, Identity, ORIGIN, ask, ask_with};
use crate::support::http::Request;
use crate::support::issuer::Token;
use crate::support::world::World;

pub fn cases(world: &World) -> Vec<Case> {
    let mut cases = presented(world);
    cases.extend(tokens(world));
    cases.extend(requests(world));
    cases.extend(forged(world));
    cases
}

fn good(world: &World) -> String {
    world.issuer.sign(&world.issuer.token_for(&world.resource()))
}

fn presented(world: &World) -> Vec<Case> {
    let good = good(world);
    let alice = |name, authorization: String| {
        let request = ask(world).header("Authorization", authorization);
        Case::new(name, request, Expected::Allowed(Identity::alice(world)))
    };
    vec![
        alice("the right token", format!("Bearer {good}")),
        alice("bearer in lower case", format!("bearer {good}")),
        alice("BEARER in upper case", format!("BEARER {good}")),
        alice("several spaces after Bearer", format!("Bearer   {good}")),
    ]
}

fn tokens(world: &World) -> Vec<Case> {
    let token = || world.issuer.token_for(&world.resource());
    let scoped = |scope: &str| Identity::alice(world).with("x-forwarded-scopes", scope);
    let allowed = |name, token: &Token, identity| {
        Case::new(name, ask(world).bearer(&world.issuer.sign(token)), Expected::Allowed(identity))
    };
    let bob = "bob@corp.example";
    let bobs = Identity::alice(world).with("x-forwarded-user", bob).with("x-forwarded-email", bob);
    vec![
        allowed("a scope that implies the needed one", &token().claim("scope", "mcp:write"), scoped("mcp:write")),
        allowed("a scope that implies it by way of another", &token().claim("scope", "mcp:admin"), scoped("mcp:admin")),
        allowed(
            "more scopes than needed",
            &token().claim("scope", "profile mcp:read email"),
            scoped("email mcp:read profile"),
        ),
        allowed("scopes as a list", &token().without("scope").claim("scp", json!(["mcp:read"])), scoped("mcp:read")),
        allowed(
            "several audiences",
            &token().claim("aud", json!(["https://elsewhere.example.com", world.resource()])),
            Identity::alice(world),
        ),
        allowed("typ JWT", &token().parameter("typ", "JWT"), Identity::alice(world)),
        allowed("somebody at an allowed domain", &token().claim("email", bob), bobs),
        allowed("an address in other case", &token().claim("email", "Alice@Example.COM"), Identity::alice(world)),
        allowed(
            "a name that is not ASCII",
            &token().claim("sub", "Aliċe\u{1f600}").claim("groups", json!(["50%", "a,b", "c d", "grün"])),
            Identity::alice(world)
                .with("x-auth-subject", "Ali%C4%8Be%F0%9F%98%80")
                .with("x-forwarded-groups", "50%25,a%2Cb,c%20d,gr%C3%BCn"),
        ),
    ]
}

fn requests(world: &World) -> Vec<Case> {
    let good = good(world);
    let alice =
        |name, request: Request| Case::new(name, request.bearer(&good), Expected::Allowed(Identity::alice(world)));
    let query = format!("/echo-request/row?access_token={good}&x=1&&y=a+b%20c&z");
    let large: Vec<u8> = (0..=250).cycle().take(700_000).collect();
    let message =
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"message":"ü"}}}"#;
    let chunked = Request {
        body: b"5\r\n{\"a\":\r\n2\r\n1}\r\n0\r\n\r\n".to_vec(),
        ..ask_with(world, "POST", "/echo-request/row")
    };
    let chunked = chunked.header("Content-Type", "application/json").header("Transfer-Encoding", "chunked");
    let shouted = Request::get("/echo-request/row").host(&world.authority().to_uppercase()).header("Origin", ORIGIN);
    vec![
        alice("a token in the query besides the right one", ask_with(world, "GET", &query)),
        alice(
            "a query that looks like a path",
            ask_with(world, "GET", "/echo-request/row?next=/a/../b//c&u=http://d/"),
        ),
        alice("an encoded path", ask_with(world, "GET", "/echo-request/gr%C3%BCn%20und%20rot/")),
        alice("the resource path with a slash at its end", ask_with(world, "GET", "/mcp/")),
        alice("HEAD", ask_with(world, "HEAD", "/echo-request/row")),
        alice("DELETE", ask_with(world, "DELETE", "/echo-request/row")),
        alice("OPTIONS that is no preflight", ask_with(world, "OPTIONS", "/echo-request/row")),
        alice("PUT", ask_with(world, "PUT", "/echo-request/row").body("text/plain", "x")),
        alice("POST", ask_with(world, "POST", "/echo-request/row").body("application/json", message)),
        alice("POST without body", ask_with(world, "POST", "/echo-request/row").body("application/json", "")),
        alice("a large POST", ask_with(world, "POST", "/echo-request/row").body("application/octet-stream", large)),
        alice("a POST in pieces", chunked),
        alice("the host in upper case", shouted),
        alice("a client that is no browser", Request::get("/echo-request/row").host(&world.authority())),
    ]
}

/// What the service does not know must not come from the client.
fn forged(world: &World) -> Vec<Case> {
    let forge = |mut request: Request| {
        for (name, _) in Identity::alice(world).0 {
            request = request.header(name, "forged");
        }
        request
    };
    let resource = world.resource_at("/other");
    let nameless = world.issuer.token_for(&resource).claim("scope", "mcp:write").claim("groups", json!(["staff"]));
    let nameless = nameless.without("email").without("email_verified").without("client_id");
    let unknown = Identity::alice(world)
        .with("x-forwarded-user", "alice-subject")
        .with("x-forwarded-email", "")
        .with("x-forwarded-groups", "staff")
        .with("x-forwarded-scopes", "mcp:write")
        .with("x-auth-client", "")
        .with("x-auth-resource", resource.as_str());
    let other = || ask_with(world, "GET", "/other/row").bearer(&world.issuer.sign(&nameless));
    vec![
        Case::new(
            "identity headers of the client",
            forge(ask(world).bearer(&good(world))),
            Expected::Allowed(Identity::alice(world)),
        ),
        Case::new("a token without names", other(), Expected::Allowed(unknown.clone())),
        Case::new("a token without names, and forged ones", forge(other()), Expected::Allowed(unknown)),
        Case::new("two hundred headers of the client", crowded(ask(world).bearer(&good(world))), Expected::NotAllowed),
    ]
}

/// More headers than the service reads, though every proxy but Envoy would read more.
fn crowded(request: Request) -> Request {
    (0..200).fold(request, |request, index| request.header(format!("X-Filler-{index}"), "x"))
}
