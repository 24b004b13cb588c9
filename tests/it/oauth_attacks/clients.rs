//! Clients that pretend to be others, and requests in the wrong form.

use serde_json::json;

use super::house::{FORM, HOME, House, SECRET, basic, form, outcome, refused};
use crate::support::http::Response;
use crate::support::report::Report;

const WEB: &str = "a-secret-of-more-than-24-characters-of-web";

/// RFC 1952, with one block that is stored as it is.
fn gzip(text: &[u8]) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap();
    let sum = !text.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 * (sum & 1)))
    });
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff, 1];
    bytes.extend(length.to_le_bytes());
    bytes.extend((!length).to_le_bytes());
    bytes.extend(text);
    bytes.extend(sum.to_le_bytes());
    bytes.extend(u32::from(length).to_le_bytes());
    bytes
}

/// `/token` by the machine `job`, with these headers and fields.
fn as_job(house: &House, headers: &[(&str, &str)], fields: &[(&str, &str)]) -> Response {
    let request = house.request("POST", "/token");
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.body(FORM, form(&[&[("grant_type", "client_credentials")], fields].concat())).send(house.port)
}

#[test]
fn a_client_proves_itself_in_one_way_as_one_client() {
    let house = House::start();
    let (job, web) = (basic("job", SECRET), basic("web", WEB));
    let assertion = [
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJqb2IiLCJpc3MiOiJqb2IifQ."),
    ];
    let mut report = Report::new("client authentication");
    for (name, headers, fields, expected) in [
        ("the good one", vec![&*job], vec![], (200, "")),
        ("the same id in the body", vec![&*job], vec![("client_id", "job")], (200, "")),
        (
            "header and body",
            vec![&*job],
            vec![("client_id", "job"), ("client_secret", SECRET)],
            (400, "invalid_request"),
        ),
        ("another id in the body", vec![&*job], vec![("client_id", "web")], (400, "invalid_request")),
        ("the header of another", vec![&*web], vec![("client_id", "job")], (400, "invalid_request")),
        (
            "the header of another, our secret in the body",
            vec![&*web],
            vec![("client_id", "job"), ("client_secret", SECRET)],
            (400, "invalid_request"),
        ),
        ("two headers", vec![&*job, &*web], vec![], (400, "invalid_request")),
        ("the same header twice", vec![&*job, &*job], vec![], (400, "invalid_request")),
        ("two credentials in one header", vec![&*format!("{job}, {web}")], vec![], (400, "invalid_request")),
        ("a wrong secret", vec![&*basic("job", "x")], vec![], (401, "invalid_client")),
        ("the secret of another", vec![&*basic("job", WEB)], vec![], (401, "invalid_client")),
        ("an unknown client", vec![&*basic("nobody", SECRET)], vec![], (401, "invalid_client")),
        ("no secret", vec![], vec![("client_id", "job")], (401, "invalid_client")),
        ("an empty secret", vec![&*basic("job", "")], vec![], (401, "invalid_client")),
        ("a secret in another case", vec![&*basic("job", &SECRET.to_uppercase())], vec![], (401, "invalid_client")),
        ("the id in another case", vec![&*basic("JOB", SECRET)], vec![], (401, "invalid_client")),
        ("no base64", vec!["Basic %%%"], vec![], (400, "invalid_request")),
        ("a bearer token", vec![&*format!("Bearer {SECRET}")], vec![("client_id", "job")], (401, "invalid_client")),
        ("an unsigned assertion", vec![], assertion.to_vec(), (401, "invalid_client")),
        ("an assertion and a header", vec![&*job], assertion.to_vec(), (400, "invalid_request")),
    ] {
        report.row(name);
        let headers: Vec<(&str, &str)> = headers.into_iter().map(|value| ("Authorization", value)).collect();
        let answer = as_job(&house, &headers, &fields);
        report.equal("outcome", outcome(&answer), refused(expected.0, expected.1));
        report.equal("cache-control", answer.header("cache-control"), Some("no-store"));
        let challenged = !answer.all("www-authenticate").is_empty();
        // The scheme that the client tried, and no other (RFC 6749 §5.2).
        let tried = headers.iter().any(|(_, value)| value.starts_with("Basic "));
        report.equal("challenge", challenged, answer.status == 401 && tried);
        report.holds(!answer.text().contains(SECRET), || "it repeats the secret".to_owned());
    }
    report.row("the secret in the query");
    let target = format!("/token?client_id=job&client_secret={SECRET}");
    let answer = house.request("POST", target).body(FORM, "grant_type=client_credentials").send(house.port);
    report.equal("outcome", outcome(&answer), refused(400, "invalid_request"));
    report.finish();
}

#[test]
fn a_client_learns_and_ends_nothing_of_another() {
    let house = House::start();
    let (client, thief) = (house.register(), house.register());
    let tokens = house.tokens(&client.id);
    let mut report = Report::new("tokens of others");
    for (name, token) in [("access", &tokens.access), ("refresh", &tokens.refresh)] {
        for (who, fields, expected) in [
            ("a public client", vec![("client_id", &*client.id)], (400, "unauthorized_client")),
            ("another public client", vec![("client_id", &*thief.id)], (400, "unauthorized_client")),
            ("nobody", vec![], (400, "invalid_request")),
            ("an unknown client", vec![("client_id", "nobody")], (401, "invalid_client")),
            ("without its secret", vec![("client_id", "watcher")], (401, "invalid_client")),
        ] {
            report.row(format!("{who} introspects the {name} token"));
            let answer = house.post("/introspect", &[&[("token", &**token)], &*fields].concat());
            report.equal("outcome", outcome(&answer), refused(expected.0, expected.1));
        }
        report.row(format!("a client that may not see all introspects the {name} token"));
        let fields = [("token", &**token), ("client_id", "web"), ("client_secret", WEB)];
        report.equal("answer", house.post("/introspect", &fields).json(), json!({ "active": false }));
        report.row(format!("one that may introspects the {name} token"));
        let secret = format!("{SECRET}-of-watcher");
        let fields = [("token", &**token), ("client_id", "watcher"), ("client_secret", &*secret)];
        report.equal("active", house.post("/introspect", &fields).json()["active"].clone(), json!(true));
        report.row(format!("another client revokes the {name} token"));
        let answer = house.post("/revoke", &[("token", token), ("client_id", &*thief.id)]);
        report.equal("status", answer.status, 200);
        report.equal("the token", house.ask(&tokens.access), 200);
        report.row(format!("nobody revokes the {name} token"));
        report.equal("outcome", outcome(&house.post("/revoke", &[("token", token)])), refused(400, "invalid_request"));
        report.equal("the token", house.ask(&tokens.access), 200);
    }
    report.row("the refresh token is good");
    report.equal("status", house.refresh(&client.id, &tokens.refresh, &[]).status, 200);
    report.row("the access token, revoked by its owner");
    report.equal("status", house.post("/revoke", &[("token", &tokens.access), ("client_id", &client.id)]).status, 200);
    report.equal("the token", house.ask(&tokens.access), 401);
    report.finish();
}

#[test]
fn a_registration_opens_to_its_own_token_only() {
    let house = House::start();
    let (client, thief) = (house.register(), house.register());
    let tokens = house.tokens(&client.id);
    let path = format!("/register/{}", client.id);
    let evil = json!({ "client_id": client.id, "redirect_uris": ["https://evil.example/callback"] }).to_string();
    let bearer = |token: &str| format!("Bearer {token}");
    let own = bearer(&client.token);
    let mut report = Report::new("registrations of others");
    for (name, target, headers, status) in [
        ("no token", path.clone(), vec![], 401),
        ("another registration's", path.clone(), vec![bearer(&thief.token)], 401),
        ("an access token", path.clone(), vec![bearer(&tokens.access)], 401),
        ("a refresh token", path.clone(), vec![bearer(&tokens.refresh)], 401),
        ("the client's id", path.clone(), vec![bearer(&client.id)], 401),
        ("nothing", path.clone(), vec!["Bearer ".to_owned()], 401),
        ("as Basic", path.clone(), vec![basic(&client.id, &client.token)], 401),
        ("in the query", format!("{path}?access_token={}", client.token), vec![], 401),
        ("two headers", path.clone(), vec![own.clone(), bearer(&thief.token)], 400),
        ("two headers, the other first", path.clone(), vec![bearer(&thief.token), own.clone()], 400),
        ("another client's path", format!("/register/{}", thief.id), vec![own.clone()], 401),
        ("a configured client", "/register/job".to_owned(), vec![own.clone()], 401),
        ("a client that there is not", "/register/nobody".to_owned(), vec![own.clone()], 401),
        ("a path around it", format!("/register/x/../{}", client.id), vec![], 405),
        ("a path below it", format!("{path}/x"), vec![own.clone()], 405),
    ] {
        for method in ["GET", "PUT", "DELETE"] {
            report.row(format!("{name}: {method}"));
            let request = house.request(method, &*target);
            let request = headers.iter().fold(request, |request, value| request.header("Authorization", &**value));
            let answer = request.body("application/json", &*evil).send(house.port);
            report.equal("status", answer.status, status);
        }
    }
    report.row("the registration is as it was");
    let answer = house.request("GET", &*path).header("Authorization", &*own).send(house.port);
    report.equal("redirect_uris", answer.json()["redirect_uris"].clone(), json!([HOME]));
    report.equal("the token", house.ask(&tokens.access), 200);
    report.row("its owner deletes it, and every token ends");
    report.equal("status", house.request("DELETE", &*path).header("Authorization", &*own).send(house.port).status, 204);
    report.equal("the token", house.ask(&tokens.access), 401);
    report.equal(
        "refreshing",
        outcome(&house.refresh(&client.id, &tokens.refresh, &[])),
        refused(401, "invalid_client"),
    );
    report.finish();
}

#[test]
fn endpoints_take_their_own_methods_only() {
    let house = House::start();
    let body = format!("grant_type=client_credentials&client_id=job&client_secret={SECRET}");
    let mut report = Report::new("methods");
    for (path, methods) in [
        ("/token", &["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "post", "POSTX"][..]),
        ("/revoke", &["GET", "HEAD", "PUT", "DELETE"]),
        ("/introspect", &["GET", "HEAD", "PUT", "DELETE"]),
        ("/register", &["GET", "HEAD", "PUT", "DELETE"]),
        ("/consent", &["HEAD", "PUT", "DELETE"]),
        ("/connections", &["PUT", "DELETE"]),
        ("/sign-out", &["GET", "HEAD", "PUT"]),
        ("/callback", &["POST", "PUT"]),
        ("/jwks", &["POST", "PUT"]),
        ("/.well-known/oauth-authorization-server", &["POST", "DELETE"]),
    ] {
        for method in methods {
            report.row(format!("{method} {path}"));
            let request = house.request(method, format!("{path}?{body}")).body(FORM, &*body);
            let answer = request.send(house.port);
            report.holds([404, 405].contains(&answer.status), || format!("status {}", answer.status));
            report.holds(!answer.text().contains("access_token"), || answer.text());
        }
    }
    report.row("a method in a header");
    let request = house.request("GET", format!("/token?{body}")).header("X-HTTP-Method-Override", "POST");
    report.equal("status", request.send(house.port).status, 405);
    report.finish();
}

#[test]
fn bodies_are_plain_forms_of_a_bounded_size() {
    let house = House::start();
    let good = format!("grant_type=client_credentials&client_id=job&client_secret={SECRET}");
    let json = json!({ "grant_type": "client_credentials", "client_id": "job", "client_secret": SECRET }).to_string();
    let gzip = gzip(good.as_bytes());
    let long = format!("{good}&x={}", "x".repeat(64 * 1024));
    let many = format!("{good}&{}", (0..12_000).map(|number| number.to_string()).collect::<Vec<_>>().join("&"));
    let mut report = Report::new("bodies");
    for (name, kind, body, status) in [
        ("a form", FORM, good.as_bytes(), 200),
        ("a form with a charset", "application/x-www-form-urlencoded; charset=UTF-8", good.as_bytes(), 200),
        ("a form in another case", "Application/X-WWW-Form-Urlencoded", good.as_bytes(), 200),
        ("JSON", "application/json", json.as_bytes(), 400),
        ("JSON as a form", FORM, json.as_bytes(), 400),
        ("a form as text", "text/plain", good.as_bytes(), 400),
        ("a form as JSON", "application/json", good.as_bytes(), 400),
        ("a form as parts", "multipart/form-data; boundary=x", good.as_bytes(), 400),
        ("no type", "", good.as_bytes(), 400),
        ("two types", "application/x-www-form-urlencoded, text/plain", good.as_bytes(), 400),
        ("too long", FORM, long.as_bytes(), 400),
        ("too many parameters", FORM, many.as_bytes(), 400),
        ("compressed", FORM, &*gzip, 400),
        ("bytes that are no text", FORM, &b"\xff\xfe\0&=&;=%zz"[..], 400),
        ("nothing", FORM, &b""[..], 400),
    ] {
        report.row(name);
        let coded = if name == "compressed" { "gzip" } else { "identity" };
        let request = house.request("POST", "/token").header("Content-Encoding", coded).body(kind, body);
        let answer = request.send(house.port);
        report.equal("status", answer.status, status);
        report.holds(status == 200 || outcome(&answer).1 == "invalid_request", || answer.text());
    }
    report.row("a length that nobody sends");
    let mut request = house.request("POST", "/token").header("Content-Type", FORM);
    request = request.header("Content-Length", "99999999999");
    let answer = request.send(house.port);
    report.equal("status", answer.status, 400);
    report.finish();
}
