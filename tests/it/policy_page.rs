//! Every example of `docs/policy.md` decides as the table under it says.

use std::collections::{BTreeMap, HashMap};

use crate::api_keys::stage::create;
use crate::sender_constrained::Prover;
use crate::support::http::{Request, Response};
use crate::support::issuer::{TestIssuer, Token, now};
use crate::support::process::{TempDir, eventually};
use crate::support::report::Report;
use crate::support::service::Service;
use crate::support::stage::new_agent;
use crate::support::tools::project;
use crate::support::web::Answer;

const URL: &str = "https://mcp.example.com/mcp";

#[test]
fn every_example_of_the_policy_page_decides_as_its_table_says() {
    let page = std::fs::read_to_string(project().join("docs/policy.md")).unwrap();
    let issuer = TestIssuer::start();
    let mut report = Report::new("docs/policy.md");
    let mut rows = 0;
    for part in page.split("```toml\n").skip(1) {
        let (config, rest) = part.split_once("\n```\n").unwrap();
        let mut callers = Callers::of(config, &issuer);
        let table = rest.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
        for line in table.skip(2) {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            report.row(line.to_owned());
            let agent = new_agent();
            let credential = callers.credential(cells[0]);
            let question = ask(&credential, cells[1].trim_matches('`')).header("User-Agent", &*agent);
            // An hour may end between the two looks at the clock.
            let before = expected(cells[2]);
            let answer = question.send(callers.service.port);
            let said = shown(&callers.service, &answer, &agent);
            report
                .holds(said == before || said == expected(cells[2]), || format!("the verdict is {said}, not {before}"));
            rows += 1;
        }
    }
    report.holds(rows > 20, || format!("only {rows} rows were found"));
    report.finish();
}

/// A service with one example of the page, and all who call it.
struct Callers<'i> {
    service: Service,
    issuer: &'i TestIssuer,
    prover: Prover,
    /// API keys by the words that describe them: each is made once.
    keys: HashMap<String, String>,
    _folder: TempDir,
}

/// What a caller sends: `Authorization`, and the proof where there is one.
type Credential = (String, Option<String>);

impl<'i> Callers<'i> {
    fn of(config: &str, issuer: &'i TestIssuer) -> Self {
        let folder = TempDir::new();
        let secret = folder.write("introspection", "0123456789abcdef");
        let config = config.replace("https://idp.example.com", &issuer.url());
        let config = config.replace("/run/secrets/introspection", &secret.display().to_string());
        let config = config.replace("/var/lib/mcp-forward-auth", &folder.path().display().to_string());
        let mut service = Service::start(&format!("[log]\nallows = 1.0\n\n{config}"));
        service.wait_until_ready();
        Self { service, issuer, prover: Prover::new("ES256"), keys: HashMap::new(), _folder: folder }
    }

    /// `alice@example.com in ops with mcp:read claiming department=sales`; `opaque` or `proving a key` after a comma;
    /// `key backup with mcp:read`.
    fn credential(&mut self, caller: &str) -> Credential {
        let (who, how) = caller.split_once(", ").unwrap_or((caller, ""));
        let words: Vec<&str> = who.split(' ').collect();
        if words[0] == "key" {
            return (format!("Bearer {}", self.key(who, &words)), None);
        }
        let token = token(self.issuer, &words);
        match how {
            "opaque" => {
                let answer = token.claim("active", true).claims.to_string();
                self.issuer.web.answer("/oauth2/introspect", Answer::Json(answer));
                (format!("Bearer {}", new_agent()), None)
            }
            "proving a key" => {
                let token = self.issuer.sign(&self.prover.bind(token));
                let proof = self.prover.signed("POST", URL, &token);
                (format!("DPoP {token}"), Some(proof))
            }
            _ => (format!("Bearer {}", self.issuer.sign(&token)), None),
        }
    }

    fn key(&mut self, who: &str, words: &[&str]) -> String {
        let service = &self.service;
        let make = || {
            let scope = after(words, "with").map(|scope| ["--scope", scope]);
            let group = after(words, "in").map(|group| ["--group", group]);
            let more: Vec<&str> = scope.into_iter().chain(group).flatten().collect();
            create(service, words[1], &[&["--resource", URL], &*more].concat())
        };
        self.keys.entry(who.to_owned()).or_insert_with(make).clone()
    }
}

fn after<'w>(words: &[&'w str], word: &str) -> Option<&'w str> {
    words.iter().position(|known| *known == word).map(|place| words[place + 1])
}

fn token(issuer: &TestIssuer, words: &[&str]) -> Token {
    let token = issuer.token_for(URL).claim("email", words[0]).claim("scope", after(words, "with").unwrap_or("openid"));
    let token = token.claim("groups", after(words, "in").into_iter().collect::<Vec<_>>());
    let claim = after(words, "claiming").and_then(|claim| claim.split_once('='));
    claim.into_iter().fold(token, |token, (name, value)| token.claim(name, value))
}

/// `tools/call read_note path=/home`, as Traefik asks about it. With `Tenant: red` after it, as headers alone say it.
fn ask(token: &Credential, operation: &str) -> Request {
    if let Some((operation, header)) = operation.split_once(" and `Mcp-Param-") {
        let (name, value) = header.split_once(": ").unwrap();
        return by_headers(token, operation.trim_end_matches('`'), &format!("Mcp-Param-{name}"), value);
    }
    let (operation, arguments) = match operation.split_once('=') {
        Some((before, value)) => before
            .rsplit_once(' ')
            .map(|(operation, name)| (operation, format!(r#","arguments":{{"{name}":"{value}"}}"#)))
            .unwrap(),
        None => (operation, String::new()),
    };
    let (method, name) = operation.split_once(' ').unwrap_or((operation, ""));
    let named_by = BTreeMap::from([("tools/call", "name"), ("resources/read", "uri")]);
    let body = match method {
        "http/get" | "http/delete" => None,
        "jsonrpc/response" => Some(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#.to_owned()),
        _ => {
            let params = named_by.get(method).map(|key| format!(r#""{key}":"{name}"{arguments}"#)).unwrap_or_default();
            Some(format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{{params}}}}}"#))
        }
    };
    let http = method.strip_prefix("http/").map_or("POST".to_owned(), str::to_uppercase);
    let request = question(token, &http);
    body.map_or(request.clone(), |body| request.body("application/json", body))
}

fn question((authorization, proof): &Credential, method: &str) -> Request {
    let request = Request::get("/auth").host("localhost").header("Authorization", &**authorization);
    let request = proof.iter().fold(request, |request, proof| request.header("DPoP", &**proof));
    let request = request.header("X-Forwarded-Method", method);
    let request = request.header("X-Forwarded-Proto", "https").header("X-Forwarded-Host", "mcp.example.com");
    request.header("X-Forwarded-Uri", "/mcp")
}

fn by_headers(token: &Credential, operation: &str, header: &str, value: &str) -> Request {
    let (method, name) = operation.split_once(' ').unwrap();
    let request = question(token, "POST").header("MCP-Protocol-Version", "2026-07-28");
    request.header("Mcp-Method", method).header("Mcp-Name", name).header(header, value)
}

/// `allowed`, or what the page says of working hours: from Monday to Friday, 8 to 18 o'clock two hours east of Greenwich.
fn expected(cell: &str) -> String {
    let Some(otherwise) = cell.strip_suffix(" outside working hours") else { return cell.replace('`', "") };
    let local = now() + 7200;
    let (weekday, hour) = ((local / 86_400 + 4) % 7, local / 3600 % 24);
    let works = (1..6).contains(&weekday) && (8..18).contains(&hour);
    if works { "allowed".to_owned() } else { otherwise.replace('`', "") }
}

fn shown(service: &Service, answer: &Response, agent: &str) -> String {
    if answer.status != 200 {
        return answer.reason();
    }
    let line = || service.decision_lines().into_iter().find(|line| line["user_agent"] == *agent);
    eventually("the line of the decision", || line().is_some());
    match line().unwrap()["reason"].as_str() {
        Some(reason) => format!("audited {reason}"),
        None => "allowed".to_owned(),
    }
}
