//! The admin listener changes state and has no password: whatever does not come from this machine, or comes from a
//! browser on it, is refused, and nothing has happened.

use std::net::{TcpStream, UdpSocket};

use super::stage::Stage;
use crate::support::http::{Request, Response};
use crate::support::process::TempDir;
use crate::support::report::Report;
use crate::support::service::Service;
use crate::support::{ports, tools};

const REVOKE_ALL: &str = r#"{"all":true}"#;

fn command() -> Request {
    Request::new("POST", "/admin/grants/revoke")
}

fn as_json(request: Request) -> Request {
    request.body("application/json", REVOKE_ALL)
}

#[test]
fn no_page_in_a_browser_and_no_name_of_a_stranger_can_command() {
    let stage = Stage::start();
    let client = stage.register("One");
    let access = stage.let_in("alice@example.com", &client, "/mcp");
    let local = || as_json(command().host("127.0.0.1:9090"));
    let attacks: Vec<(&str, Request, u16, &str)> = vec![
        ("a page whose name was pointed here", as_json(command().host("evil.example")), 403, "unknown_host"),
        ("the same with our port", as_json(command().host("evil.example:9090")), 403, "unknown_host"),
        ("a name that begins like ours", as_json(command().host("localhost.evil.example")), 403, "unknown_host"),
        ("an address with a user", as_json(command().host("evil.example@127.0.0.1")), 403, "unknown_host"),
        ("two hosts", as_json(command().host("localhost").host("evil.example")), 0, ""),
        ("no host", as_json(command()), 0, ""),
        ("another origin", local().header("Origin", "https://evil.example"), 403, "from_a_browser"),
        ("an origin without name", local().header("Origin", "null"), 403, "from_a_browser"),
        ("our own address as origin", local().header("Origin", "http://127.0.0.1:9090"), 403, "from_a_browser"),
        ("another site", local().header("Sec-Fetch-Site", "cross-site"), 403, "from_a_browser"),
        ("the same site", local().header("Sec-Fetch-Site", "same-site"), 403, "from_a_browser"),
        ("no cors", local().header("Sec-Fetch-Mode", "no-cors"), 403, "from_a_browser"),
        ("a form", command().host("localhost").body("application/x-www-form-urlencoded", REVOKE_ALL), 415, "not_json"),
        ("text", command().host("localhost").body("text/plain", REVOKE_ALL), 415, "not_json"),
        (
            "text that mentions it",
            command().host("localhost").body("text/plain; application/json", REVOKE_ALL),
            415,
            "not_json",
        ),
        ("two types", local().header("Content-Type", "text/plain"), 415, "not_json"),
        ("no type", untyped(), 415, "not_json"),
        ("a proxy", local().header("X-Forwarded-For", "203.0.113.7"), 403, "forwarded"),
        ("another proxy", local().header("Forwarded", "for=203.0.113.7"), 403, "forwarded"),
    ];
    let mut report = Report::new("attacks");
    for (name, request, status, code) in attacks {
        report.row(name);
        let answer = request.send(stage.service.admin_port);
        if status == 0 {
            report.holds((400..500).contains(&answer.status), || format!("{answer:?}"));
        } else {
            let error = answer.json()["error"].as_str().map(ToOwned::to_owned);
            report.equal("the answer", (answer.status, error.as_deref()), (status, Some(code)));
        }
        report.holds(opens_nothing(&answer), || format!("it opens itself to scripts: {answer:?}"));
        report.holds(stage.is_good(&access), || "the grant ended".into());
    }
    report.finish();
    // The same command as it should be.
    assert_eq!(local().send(stage.service.admin_port).status, 200);
    assert!(!stage.is_good(&access));
}

fn untyped() -> Request {
    let mut request = command().host("localhost").header("Content-Length", REVOKE_ALL.len().to_string());
    request.body = REVOKE_ALL.into();
    request
}

fn opens_nothing(answer: &Response) -> bool {
    answer.headers.iter().all(|(name, _)| !name.to_ascii_lowercase().starts_with("access-control-"))
}

#[test]
fn no_preflight_is_granted_and_reading_is_guarded_as_well() {
    let stage = Stage::start();
    let mut report = Report::new("paths");
    for path in ["/admin/grants", "/admin/keys", "/admin/clients?kind=registered"] {
        report.row(path);
        let read = |request: Request| request.send(stage.service.admin_port).status;
        report.equal("plain", read(Request::get(path).host("localhost")), 200);
        report.equal("a stranger's name", read(Request::get(path).host("evil.example")), 403);
        let navigation = Request::get(path).host("localhost").header("Sec-Fetch-Site", "none");
        report.equal("typed into a browser", read(navigation), 403);
    }
    for path in ["/admin/grants/revoke", "/admin/keys/rotate", "/admin/clients/delete"] {
        report.row(path);
        let preflight = Request::new("OPTIONS", path)
            .host("localhost")
            .header("Origin", "https://evil.example")
            .header("Access-Control-Request-Method", "POST")
            .header("Access-Control-Request-Headers", "content-type");
        let answer = preflight.send(stage.service.admin_port);
        report.holds(answer.status >= 400 && opens_nothing(&answer), || format!("{answer:?}"));
        report.equal("by GET", Request::get(path).host("localhost").send(stage.service.admin_port).status, 404);
        // And none of it on the public listener.
        let public = stage.request("POST", path).body("application/json", REVOKE_ALL).send(stage.service.port);
        report.equal("in public", public.status, 404);
    }
    report.finish();
}

/// Where the metrics are for another machine, that machine must not command.
#[test]
fn another_machine_that_may_read_metrics_cannot_command() {
    let (port, admin_port, folder) = (ports::free(), ports::free(), TempDir::new());
    let config = format!(
        "[[resources]]\nurl = \"http://localhost:{port}/mcp\"\nallowed_emails = [\"alice@example.com\"]\n\
         [authorization_server]\nissuer = \"http://localhost:{port}\"\n\
         [authorization_server.identity_provider]\nkind = \"development\"\n[store]\nurl = \"memory:\"\n"
    );
    let file = folder.write("config.toml", &config);
    let mut serve = std::process::Command::new(tools::service_binary());
    serve.arg("serve").arg("--config").arg(file).args(["--listen", &format!("127.0.0.1:{port}")]);
    serve.args(["--set", &format!("server.admin_listen=0.0.0.0:{admin_port}")]);
    let service = Service::launch(port, admin_port, folder, &mut serve);
    let outside = UdpSocket::bind("0.0.0.0:0").and_then(|socket| {
        // Sends nothing: it asks by which address this machine would go out.
        socket.connect("192.0.2.1:9")?;
        socket.local_addr()
    });
    let outside = outside.expect("this machine has an address besides loopback").ip();
    let ask = |request: Request| {
        use std::io::{Read as _, Write as _};
        let mut stream = TcpStream::connect((outside, service.admin_port)).unwrap();
        stream.write_all(&request.bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        Response::parse(&answer).unwrap()
    };
    assert_eq!(ask(Request::get("/metrics").host("metrics.internal")).status, 200);
    for request in [as_json(command().host("localhost")), Request::get("/admin/grants").host("localhost")] {
        let answer = ask(request);
        assert_eq!((answer.status, answer.json()["error"].as_str()), (403, Some("not_local")));
    }
    assert_eq!(as_json(command().host("localhost")).send(admin_port).status, 200, "from this machine");
}
