//! The commands on the command line: what they print, how they end, and what they say when something is wrong.

use std::io::Write as _;
use std::net::TcpListener;

use serde_json::json;

use super::stage::{CONFIGURED, Stage, run};
use crate::support::http::Request;
use crate::support::ports;
use crate::support::process::TempDir;
use crate::support::report::Report;
use crate::support::service::Service;
use crate::support::web::{Answer, Web};

const EVERY_COMMAND: [&[&str]; 7] = [
    &["grants", "list"],
    &["grants", "revoke", "--all"],
    &["keys", "list"],
    &["keys", "rotate"],
    &["keys", "rotate", "--at-once"],
    &["clients", "list"],
    &["clients", "delete", "somebody"],
];

#[test]
fn grants_are_listed_with_who_what_and_when() {
    let stage = Stage::start();
    let client = stage.register("One\u{202e}\u{1b}[31m");
    let access = stage.let_in("alice@example.com", &client, "/mcp");
    let listed = stage.operator_json(&["grants", "list"]);
    let grant = &listed["grants"][0];
    assert_eq!(grant["email"], "alice@example.com");
    assert_eq!(grant["subject"], "development:alice@example.com");
    assert_eq!(grant["client"], client.as_str());
    assert_eq!(grant["resource"], stage.resource("/mcp"));
    assert_eq!(grant["scope"], "mcp:read");
    let moments = ["since", "last_used", "until"].map(|name| grant[name].as_str().unwrap().to_owned());
    assert!(moments[0] <= moments[1] && moments[1] < moments[2], "{moments:?}");
    assert!(moments.iter().all(|moment| moment.len() == 20 && moment.ends_with('Z')), "{moments:?}");

    let table = stage.operator(&["grants", "list"]).text;
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 2, "{table}");
    let headings: Vec<&str> = lines[0].split("  ").map(str::trim).filter(|word| !word.is_empty()).collect();
    assert_eq!(headings, ["USER", "CLIENT", "RESOURCE", "SCOPE", "SINCE", "LAST USED", "UNTIL"]);
    assert!(lines[1].starts_with("alice@example.com  ") && lines[1].contains(&client), "{table}");
    assert!(!table.contains(['\u{1b}', '\u{202e}']), "a client's name must not command a terminal: {table:?}");
    // Neither form tells what somebody could use.
    let everything = format!("{table}{listed}");
    assert!(!everything.contains(&access.token) && !everything.contains(&access.refresh));
}

#[test]
fn the_last_use_moves_with_a_refresh_and_the_beginning_does_not() {
    let stage = Stage::start();
    let client = stage.register("One");
    let access = stage.let_in("alice@example.com", &client, "/mcp");
    let moments = || {
        let grant = stage.operator_json(&["grants", "list"])["grants"][0].take();
        ["since", "last_used", "until"].map(|name| grant[name].as_str().unwrap().to_owned())
    };
    let before = moments();
    let mut current = access;
    crate::support::process::eventually("a later second", || {
        current = stage.refreshed(&current);
        moments()[1] > before[1]
    });
    let after = moments();
    assert_eq!((&after[0], &after[2]), (&before[0], &before[2]));
}

#[test]
fn listings_are_bounded_and_say_so_aloud() {
    let stage = Stage::start();
    let client = stage.register("One");
    for email in ["alice@example.com", "bob@example.com", "alice@example.com"] {
        stage.let_in(email, &client, "/mcp");
    }
    let said = stage.operator(&["grants", "list", "--limit", "2"]);
    assert_eq!((said.code, said.text.lines().count()), (0, 3), "{said:?}");
    assert_eq!(said.complaint, "mcp-forward-auth: only the first 2 are shown, and there may be more: see --limit\n");
    let all = stage.operator(&["grants", "list", "--limit", "4"]);
    assert_eq!((all.text.lines().count(), &*all.complaint), (4, ""));
    let limit = stage.operator(&["grants", "list", "--limit", "0"]);
    assert_eq!(limit.code, 2, "{limit:?}");

    // Page by page they are the same, each once.
    let page = |after: &str| {
        let path = format!("/admin/grants?limit=1{after}");
        Request::get(path).host("localhost").send(stage.service.admin_port).json()
    };
    let mut ids = Vec::new();
    let mut next = String::new();
    loop {
        let mut found = page(&next);
        ids.extend(found["grants"].as_array().unwrap().iter().map(|grant| grant["id"].to_string()));
        match found["next"].take().as_str() {
            Some(after) => next = format!("&after={after}"),
            None => break,
        }
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3);
}

#[test]
fn nothing_is_ended_unless_it_is_said_what() {
    let stage = Stage::start();
    let client = stage.register("One");
    let access = stage.let_in("alice@example.com", &client, "/mcp");
    let said = stage.operator(&["grants", "revoke"]);
    assert_eq!(said.code, 2);
    assert_eq!(
        said.complaint,
        "mcp-forward-auth: nothing is selected: give --user, --client or --resource, or --all for every grant there is\n"
    );
    let both = stage.operator(&["grants", "revoke", "--all", "--user", "alice@example.com"]);
    assert_eq!(both.code, 2, "{both:?}");
    // The service itself takes no such command either.
    let mut report = Report::new("bodies");
    for (body, status) in [
        ("{}", 400),
        (r#"{"all":false}"#, 400),
        (r#"{"all":true,"user":"alice@example.com"}"#, 400),
        (r#"{"users":"alice@example.com"}"#, 400),
        (r#"{"user":["alice@example.com"]}"#, 400),
        (r#"{"user":null}"#, 400),
        ("", 400),
        ("[]", 400),
        (r#"{"user":"alice@example.com"}{}"#, 400),
    ] {
        report.row(body);
        let request = Request::new("POST", "/admin/grants/revoke").host("localhost").body("application/json", body);
        report.equal("the status", request.send(stage.service.admin_port).status, status);
    }
    report.finish();
    let long = format!(r#"{{"user":"{}"}}"#, "x".repeat(20_000));
    let request = Request::new("POST", "/admin/grants/revoke").host("localhost").body("application/json", long);
    assert_eq!(request.send(stage.service.admin_port).status, 413);
    assert!(stage.is_good(&access));
}

#[test]
fn a_service_that_is_not_there_or_another_one_is_told_in_a_line() {
    let closed = format!("127.0.0.1:{}", ports::free());
    let stranger = Web::start();
    stranger.answer("/", Answer::Json("{}".into()));
    let stranger = format!("127.0.0.1:{}", stranger.port());
    let mut report = Report::new("nobody there");
    for command in EVERY_COMMAND {
        report.row(command.join(" "));
        let said = run(&[command, &["--admin", &closed]].concat());
        report.equal("the code", (said.code, said.text.as_str()), (1, ""));
        let expected = format!("mcp-forward-auth: no service answers at {closed}: Connection refused");
        report.holds(said.complaint.starts_with(&expected), || said.complaint.clone());
        report.equal("the lines", said.complaint.lines().count(), 1);
        let said = run(&[command, &["--admin", &stranger]].concat());
        report.equal("the code at a stranger's", (said.code, said.text.as_str()), (1, ""));
        report.holds(said.complaint.contains("is not this service"), || said.complaint.clone());
    }
    report.finish();
}

#[test]
fn an_answer_that_breaks_off_is_no_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let serving = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"grants\":[").unwrap();
    });
    let said = run(&["grants", "list", "--admin", &address]);
    serving.join().unwrap();
    assert_eq!((said.code, said.text.as_str()), (1, ""), "{said:?}");
}

#[test]
fn without_an_authorization_server_there_is_nothing_to_command() {
    let config = "[[issuers]]\nissuer = \"https://idp.example.com\"\n\
                  [[resources]]\nurl = \"https://mcp.example.com/mcp\"\nallowed_emails = [\"alice@example.com\"]\n";
    let service = Service::start_unready(config);
    let admin = format!("127.0.0.1:{}", service.admin_port);
    for command in EVERY_COMMAND {
        let said = run(&[command, &["--admin", &admin]].concat());
        let expected =
            "mcp-forward-auth: no authorization server is configured, so there are no grants, keys or clients\n";
        assert_eq!((said.code, said.text.as_str(), said.complaint.as_str()), (1, "", expected), "{command:?}");
    }
}

#[test]
fn the_configuration_says_where_the_service_is() {
    let stage = Stage::start();
    let folder = TempDir::new();
    // Its secrets may be unreadable for who runs the command: only the address counts.
    let file = folder.write(
        "config.toml",
        &format!(
            "[server]\nadmin_listen = \"0.0.0.0:{}\"\nproxy_secret_file = \"/nowhere/secret\"\n",
            stage.service.admin_port
        ),
    );
    let said = run(&["keys", "list", "--config", file.to_str().unwrap()]);
    assert_eq!((said.code, said.complaint.as_str()), (0, ""), "{said:?}");
    let wrong = folder.write("wrong.toml", "[server]\nadmin_listen = \"nowhere\"\n");
    let said = run(&["keys", "list", "--config", wrong.to_str().unwrap()]);
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.complaint.starts_with("mcp-forward-auth: server.admin_listen"), "{said:?}");
}

#[test]
fn every_kind_of_client_is_listed() {
    let stage = Stage::start();
    let (idle, busy) = (stage.register("Idle"), stage.register("Busy"));
    stage.let_in("alice@example.com", &busy, "/mcp");
    let clients = stage.operator_json(&["clients", "list"])["clients"].take();
    let find = |id: &str| clients.as_array().unwrap().iter().find(|client| client["client_id"] == id).unwrap();
    assert_eq!(find(CONFIGURED)["kind"], "configured");
    assert_eq!((&find(&idle)["kind"], &find(&idle)["used"]), (&json!("registered"), &json!(false)));
    assert!(find(&idle)["until"].is_string(), "it is forgotten unless somebody uses it");
    assert_eq!((&find(&busy)["used"], &find(&busy)["client_name"]), (&json!(true), &json!("Busy")));
    let text = clients.to_string();
    assert!(!text.contains("hash") && !text.contains("access_token") && !text.contains("secret"), "{text}");
    assert_eq!(stage.operator(&["clients", "list"]).text.lines().count(), 4);
}
